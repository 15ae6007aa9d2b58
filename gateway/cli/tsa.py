"""``tongban tsa``: a laboratory's time-stamp authority (时间戳机构), to try things with. A real one is a certified service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.cli.sm import PASSPHRASE_FILE, PROVIDER, Context, options
from gateway.lang import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signing.issue import Authority


@click.group("tsa", help=say("时间戳（试验用机构）。", "Time stamps (a laboratory's authority)."))
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
