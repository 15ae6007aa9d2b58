"""``tongban tsa``: time stamps of files (时间戳), and a laboratory's authority to try things with.

A real authority is another party's certified service; ours shows how the parts fit and proves nothing to anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.cli.cert_tools import AT, CRL
from gateway.cli.sm import JSON, PASSPHRASE_FILE, PROVIDER, Context, options
from gateway.lang import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signing.issue import Authority


LIMIT = 64 << 20


@click.group("tsa", help=say("文件的时间戳；试验用机构。", "Time stamps of files; a laboratory's authority."))
def group() -> None:
    """Time stamps."""


@group.command(
    help=say(
        "运行试验用时间戳机构：POST /，RFC 3161。证书用 cert issue --profile tsa 签发。",
        "Run a laboratory's authority: POST /, RFC 3161. Its certificate comes from cert issue --profile tsa.",
    )
)
@click.option("--cert", required=True, metavar="F", help=say("机构证书", "the authority's certificate"))
@click.option("--key", required=True, metavar="K.pem", help=say("机构私钥", "its private key"))
@click.option("--port", type=click.IntRange(1, 65_535), default=3161, show_default=True)
@options(PASSPHRASE_FILE, PROVIDER)
def serve(port: int, **given: Any) -> None:
    """On this machine only (127.0.0.1), until interrupted."""
    from aiohttp import web

    from gateway import lab_tsa

    context = Context(False)
    app = lab_tsa.application(*_authority(context, **given))

    def announce(*_: object) -> None:
        click.echo(say(f"试验用时间戳机构 http://127.0.0.1:{port}/", f"laboratory authority http://127.0.0.1:{port}/"))

    web.run_app(app, host="127.0.0.1", port=port, print=announce, access_log=None)


def _authority(
    context: Context, *, cert: str, key: str, passphrase_file: str | None, provider: str
) -> tuple[Authority, Callable[[], datetime], Callable[[], int]]:
    """Authority, clock and serial numbers."""
    from datetime import UTC, datetime

    from gateway.cli import cert_tools as tools
    from signing import oids
    from signing.issue import Authority

    [certificate, *_] = tools.certificates(context, [cert])
    if certificate.extended_usage != (oids.TIME_STAMPING,):
        context.done(False, "timestamp-usage", "证书不是专用于时间戳的", "the certificate is not for time stamps alone")
    signer = tools.signer(context, provider, key, passphrase_file)
    if certificate.public_key != signer.public:
        context.done(False, "key-mismatch", "私钥与证书不是一对", "the key is not the certificate's")
    random = signer.provider.random
    return Authority(signer, certificate), lambda: datetime.now(UTC), lambda: int.from_bytes(random(12), "big") | 1


_ANCHOR = click.option(
    "--tsa-anchor", "clocks", multiple=True, required=True, metavar="F",
    help=say("所信任的时间戳机构根证书，可多次", "root of a time-stamp authority that is believed"),
)  # fmt: skip


@group.command(help=say("向时间戳机构为一个文件取时间戳。", "Have an authority stamp the time of a file."))
@click.argument("file")
@click.option("--url", required=True, help=say("时间戳机构的地址", "the authority's address"))
@click.option("--policy", default="", help=say("要求的策略", "the policy to ask for"))
@click.option("--out", required=True, metavar="F", help=say("时间戳文件（DER）", "the time stamp (DER)"))
@options(_ANCHOR, PROVIDER, JSON)
def stamp(file: str, url: str, policy: str, out: str, clocks: tuple[str, ...], provider: str, json: bool) -> None:
    """Exit 0 written, 2 no time stamp was given that holds."""
    import asyncio

    from adapters.transport import Line
    from gateway.cli.cert_tools import certificates
    from gateway.cli.sm_files import read, write
    from gateway.config import Tsa
    from gateway.ids import now_ms
    from gateway.timestamping import TsaClient, Unstamped
    from signing.policy import TIMESTAMPS
    from signing.timestamp import TimeTrust

    context, data = Context(json, out), read(file, LIMIT)
    trust = TimeTrust(certificates(context, clocks), TIMESTAMPS)
    client = TsaClient(Line(), Tsa(url=url, policy=policy), trust, context.open(provider, failing=None), now_ms)

    async def asked() -> bytes | Unstamped:
        try:
            return await client.stamp(data)
        finally:
            await client.close()

    token = asyncio.run(asked())
    if isinstance(token, Unstamped):
        context.done(None, token.reason, f"没有取得时间戳（{token.reason}）", f"no time stamp ({token.reason})")
    write(out, token)
    context.done(True, "ok", f"已写入 {out}", f"written: {out}")


@group.command(help=say("核验一个文件的时间戳。", "Verify the time stamp of a file."))
@click.argument("file")
@click.option("--token", required=True, metavar="F", help=say("时间戳文件（DER）", "the time stamp (DER)"))
@options(_ANCHOR, CRL, AT, PROVIDER, JSON)
def verify(file: str, token: str, clocks: tuple[str, ...], provider: str, json: bool, **given: Any) -> None:
    """Exit 0 good, 1 bad, 2 cannot tell."""
    from gateway.cli import cert_tools as tools
    from gateway.cli.output import finish
    from gateway.cli.sm_files import read
    from signing.policy import TIMESTAMPS
    from signing.sm3 import sm3
    from signing.timestamp import verify_timestamp

    context = Context(json)
    report = verify_timestamp(
        read(token, LIMIT), sm3(read(file, LIMIT)), at=tools.now(given["at"]), anchors=tools.certificates(context, clocks),
        provider=context.open(provider, failing=None), policy=TIMESTAMPS, crls=tools.lists(context, given["crls"]),
    )  # fmt: skip
    reasons = [{"code": one.code, "text": say(one.zh, one.en)} for one in report.reasons]
    proves = report.proves.isoformat() if report.proves else None
    name = report.authority.subject if report.authority else "?"
    lines = [f"  {reason['text']} [{reason['code']}]" for reason in reasons]
    if proves is not None:
        lines.append(say(f"文件不晚于 {proves} 已存在（{name}）", f"the file existed by {proves} ({name})"))
    finish(
        report.ok, context.data(reasons[0]["code"] if reasons else "ok", proves=proves, reasons=reasons), json, lines
    )
