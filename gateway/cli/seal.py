"""``tongban seal``: electronic seals made (样章·测试无效), used to stamp files, shown and verified.

``verify`` prints a report for clerks, or with ``--json`` each check for machines; exit 0 valid, 1 not valid, 2 cannot tell.
A stamp is over the SM3 digest of a file's bytes; an OFD document carries its stamps and is judged with all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.cli.cert_tools import ANCHOR, AT, CRL, INTERMEDIATE, MOMENT, OCSP, REQUIRE_CRL
from gateway.cli.node import CONFIG
from gateway.cli.sm import JSON, PASSPHRASE_FILE, PROVIDER, Context, options
from gateway.lang import say

if TYPE_CHECKING:
    from datetime import datetime

    from signing.certs import Certificate
    from signing.ofd.verify import Uncovered
    from signing.policy import SealPolicy
    from signing.timestamp import TimeTrust
    from signing.verify import SealReport

_OUT = click.option("--out", required=True, metavar="F", help=say("输出文件", "output file"))
_REVOKED_LATER = click.option(
    "--accept-revoked-later",
    is_flag=True,
    help=say("签章之后才被吊销的证书仍采信签章", "accept a stamp whose signer was revoked after its stated time"),
)


ALLOW_UNCOVERED = click.option(
    "--allow-uncovered",
    is_flag=True,
    help=say(
        "OFD 中未受签名保护的文件只作说明，不算无效", "files of an OFD that no signature covers are only remarked on"
    ),
)

_PARTY = click.option(
    "--party",
    metavar="ID",
    help=say("只按这一对端的根证书、吊销列表与撤销印章清单", "by this partner's anchors and lists only"),
)
_TSA_ANCHOR = click.option(
    "--tsa-anchor",
    "tsa_anchors",
    multiple=True,
    metavar="F",
    help=say("所信任的时间戳机构根证书，可多次", "root of a time-stamp authority that is believed"),
)
# What a verdict is made against: see ``against``.
TRUST = (_PARTY, CONFIG, ANCHOR, INTERMEDIATE, CRL, OCSP, REQUIRE_CRL, _TSA_ANCHOR, _REVOKED_LATER)


@click.group("seal", help=say("电子印章与电子签章。", "Electronic seals and stamps."))
def group() -> None:
    """Electronic seals and stamps."""


@group.command(
    "make",
    help=say(
        "制作实验用电子印章（GB/T 38540-2020；--form V1 为 GM/T 0031-2014）。",
        "Make a laboratory seal (GB/T 38540-2020; --form V1 for GM/T 0031-2014).",
    ),
)
@click.option("--name", required=True, help=say("印章名称", "name of the seal"))
@click.option("--maker-cert", required=True, metavar="F", help=say("制章人证书", "the seal maker's certificate"))
@click.option("--maker-key", required=True, metavar="K.pem", help=say("制章人私钥", "the seal maker's private key"))
@click.option(
    "--cert",
    "certs",
    multiple=True,
    required=True,
    metavar="F",
    help=say("可用此章的签章人证书，可多次", "a signer's certificate"),
)
@click.option("--id", "es_id", help=say("印章编号；默认随机", "id of the seal; default: random"))
@click.option("--vid", default="TONGBAN-LAB", show_default=True, help=say("厂商标识", "maker's product id"))
@click.option(
    "--picture",
    metavar="F",
    help=say("印模（PNG、GIF、BMP、JPG、SVG）；默认画圆形样章", "picture; default: a round sample"),
)
@click.option("--width", type=click.IntRange(1, 1000), default=42, show_default=True, help=say("毫米", "millimetres"))
@click.option("--height", type=click.IntRange(1, 1000), default=42, show_default=True, help=say("毫米", "millimetres"))
@click.option(
    "--from", "begins", type=MOMENT, metavar="TIME", help=say("生效时间（默认现在）", "valid from (default: now)")
)
@click.option("--days", type=click.IntRange(1, 36_500), default=1095, show_default=True)
@click.option("--form", type=click.Choice(["V4", "V1"]), default="V4", show_default=True)
@options(_OUT, PASSPHRASE_FILE, PROVIDER, JSON)
def make_command(json: bool, **given: Any) -> None:
    """The round sample says 样章·测试无效."""
    from gateway.cli.seal_make import WantedSeal, make_seal

    make_seal(Context(json), WantedSeal(**given))


@group.command(
    "stamp",
    help=say(
        "给文件签章（对文件的 SM3 摘要）；--batch 一次确认，逐份签章，可续做。",
        "Stamp a file (over its SM3 digest); --batch stamps many with one confirmation, and can be resumed.",
    ),
)
@click.argument("file", required=False)
@click.option(
    "--batch",
    metavar="DIR|LIST",
    help=say("一个目录，或每行一个路径的清单", "a folder, or a list with one path a line"),
)
@click.option("--yes", "sure", is_flag=True, help=say("批量签章不再询问", "do not ask before stamping a batch"))
@click.option("--seal", required=True, metavar="F", help=say("电子印章（.esl）", "the seal (.esl)"))
@click.option("--cert", required=True, metavar="F", help=say("签章人证书", "the signer's certificate"))
@click.option("--key", required=True, metavar="K.pem", help=say("签章人私钥", "the signer's private key"))
@options(ANCHOR, INTERMEDIATE, CRL, REQUIRE_CRL, AT)
@click.option(
    "--property-info", help=say("原文属性（ASCII）；默认文件名", "property information; default: the file's name")
)
@options(_OUT, PASSPHRASE_FILE, PROVIDER, JSON)
def stamp_command(json: bool, file: str | None, batch: str | None, sure: bool, **given: Any) -> None:
    """The certificate, the seal and its list are checked first (GM/T 0031-2014 6.2.2)."""
    from gateway.cli.seal_make import WantedStamp, stamp_file, stamp_many

    if (file is None) == (batch is None):
        raise click.UsageError(say("给出一个文件，或 --batch", "give a file, or --batch"))
    if file is not None:
        stamp_file(Context(json), file, WantedStamp(**given))
    if batch is not None:
        stamp_many(Context(json), batch, WantedStamp(**given), sure)


@group.command(
    help=say(
        "显示印章、签章或 OFD 签名的内容（不核验）。", "Show what a seal, stamp or signed OFD says (verifies nothing)."
    )
)
@click.argument("file")
@click.option("--picture-out", metavar="F", help=say("取出印模", "write the picture here"))
@JSON
def show(file: str, picture_out: str | None, json: bool) -> None:
    """Shows, never vouches."""
    from gateway.cli import cert_tools as tools
    from gateway.cli import seal_report as report
    from gateway.cli.output import finish
    from gateway.cli.seal_make import read
    from gateway.cli.seal_ofd import show_ofd
    from gateway.cli.seal_package import read_ofd

    context = Context(json)
    ofd = read_ofd(context, file)
    if ofd is not None:
        if picture_out is not None:
            raise click.UsageError(say("--picture-out 只用于印章或签章", "--picture-out is for a seal or stamp"))
        show_ofd(context, ofd)
    found = read(context, file)
    seal = found.seal
    if picture_out is not None:
        tools.put(context, picture_out, seal.picture.data)
    if found.stamp is None:
        lines, extra = report.seal_lines(seal), {}
    else:
        lines, extra = report.stamp_lines(found.stamp), {"stamp": report.stamp_facts(found.stamp)}
    kind = "stamp" if found.stamp else "seal"
    data = context.data("ok", kind=kind, version=seal.form, seal=report.facts(seal), **extra)
    finish(True, data, json, [*lines, say("（仅显示，未核验）", "(shown, not verified)")])


@group.command(
    help=say("核验印章、签章或 OFD 文件的全部签名。", "Verify a seal, a stamp, or all signatures of an OFD.")
)
@click.argument("file")
@click.option("--document", metavar="F", help=say("签章所对应的原文", "the stamped document"))
@click.option(
    "--digest", metavar="HEX", help=say("原文的 SM3 摘要，代替 --document", "its SM3 digest, instead of --document")
)
@click.option("--doctor", "examined", is_flag=True, help=say("附上诊断", "with the seal doctor's findings"))
@options(*TRUST, ALLOW_UNCOVERED, AT, PROVIDER, JSON)
def verify(file: str, document: str | None, digest: str | None, examined: bool, json: bool, **given: Any) -> None:
    """Without the document a stamp's verdict is "cannot tell" at best."""
    from functools import partial

    from gateway.cli import cert_tools as tools
    from gateway.cli.seal_make import document_digest, read
    from gateway.cli.seal_ofd import verdict_ofd
    from gateway.cli.seal_package import read_ofd
    from gateway.cli.seal_report import verdict
    from signing.ofd.verify import verify_ofd
    from signing.seal_doctor import examine
    from signing.verify import verify_seal, verify_stamp

    context, moment = Context(json), tools.now(given["at"])
    trusted = against(context, moment, **given)
    ofd = read_ofd(context, file)
    if ofd is not None:
        if document is not None or digest is not None:
            raise click.UsageError(say("OFD 自带原文，不用 --document、--digest", "an OFD is its own document"))
        if examined:
            raise click.UsageError(say("OFD 用 tongban seal doctor 诊断", "for an OFD: tongban seal doctor"))
        uncovered: Uncovered = "note" if given["allow_uncovered"] else "reject"
        judge_ofd = partial(verify_ofd, ofd, at=moment, uncovered=uncovered, **trusted)
        verdict_ofd(context, tools.as_of_then_or_now(lambda day: judge_ofd(lists_as_of=day), moment), moment)
    found = read(context, file)
    judge: partial[SealReport] = partial(verify_stamp if found.stamp else verify_seal, found.raw, at=moment, **trusted)
    if found.stamp:
        judge = partial(judge, document_digest=document_digest(document, digest))
    report = tools.as_of_then_or_now(lambda day: judge(lists_as_of=day), moment)
    verdict(context, report, moment, examine(found.raw, trusted["provider"]) if examined else None)


@group.command(
    help=say(
        "诊断印章或签章：指出其他读者会有异议之处，识别错误的签法（不采信）。",
        "Examine a seal or stamp: what other readers would object to, and wrong ways of signing, named and never accepted.",
    )
)
@click.argument("file")
@options(PROVIDER, JSON)
def doctor(file: str, provider: str, json: bool) -> None:
    """Not a verdict: that is ``verify``."""
    from gateway.cli.seal_doctor import doctor as examined

    examined(Context(json), file, provider)


@group.command(
    help=say(
        "撤销本方印章：写入撤销印章清单，用直签密钥签署后交给各对端。",
        "Withdraw seals of ours: put into the list of withdrawn seals, signed by the direct key, for our partners.",
    )
)
@click.argument("file")
@click.option(
    "--id", "ids", multiple=True, help=say("印章编号，可多次；不给则只续期", "seal id, may be repeated; none: renew")
)
@click.option("--reason", default="", help=say("事由", "the reason"))
@click.option(
    "--since", "at", type=MOMENT, metavar="TIME", help=say("何时起撤销（默认现在）", "since when (default: now)")
)
@click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, help=say("清单有效天数", "days it counts")
)
@CONFIG
@JSON
def withdraw(
    file: str, ids: tuple[str, ...], reason: str, at: datetime | None, days: int, path: str, json: bool
) -> None:
    """The list is whole and numbered."""
    from gateway.cli import seal_party

    seal_party.withdraw(Context(json), path, file, ids, reason, at, days)


def against(context: Context, moment: datetime, **given: Any) -> dict[str, Any]:
    """What the verdict is made against: trust, lists, policy and provider as typed, or those of one partner."""
    from gateway.cli import cert_tools as tools

    provider = context.open(given["provider"], failing=None)
    policy = _policy(given["require_crl"], given["accept_revoked_later"])
    trusted = {
        "anchors": tools.certificates(context, given["anchors"]),
        "intermediates": tools.certificates(context, given["intermediates"]),
        "crls": tools.lists(context, given["crls"]),
        "statuses": tools.statuses(context, given["responses"]),
        "policy": policy,
        "provider": provider,
        "times": _times(tools.certificates(context, given["tsa_anchors"])),
    }
    if given["party"] is not None:
        from gateway.cli.seal_party import recognised

        if given["anchors"] or given["crls"]:
            raise click.UsageError(say("--party 自带根证书与吊销列表", "--party brings its own anchors and lists"))
        found = recognised(context, given["party"], given["path"], moment, policy, provider)
        trusted |= {"anchors": found.anchors, "crls": found.crls, "policy": found.policy}
    return trusted


def _times(anchors: list[Certificate]) -> TimeTrust | None:
    """Nobody is believed about time unless an anchor was given."""
    from signing.policy import TIMESTAMPS
    from signing.timestamp import TimeTrust

    return TimeTrust(anchors, TIMESTAMPS) if anchors else None


def _policy(require_crl: bool, accept_revoked_later: bool) -> SealPolicy:
    from gateway.cli.cert_tools import path_policy
    from signing.policy import SealPolicy

    path = path_policy("sign", require_crl)
    return SealPolicy(path=path, revoked_later="accept" if accept_revoked_later else "cannot-tell")
