"""``tongban ecert verify``: a certificate judged from its file: seals, identifier, issuer, dates.

Whether its issuer has suspended or revoked it since is not in the file: ``ecert status`` asks the register.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.cli.cert_tools import AT
from gateway.cli.seal import ALLOW_UNCOVERED, TRUST, against
from gateway.cli.sm import JSON, PROVIDER, Context, options
from gateway.lang import say

if TYPE_CHECKING:
    import datetime

    from signing.ecert_verify import EcertReport

_GROUPS = ("signature", "chain", "document", "window", "membership", "references", "coverage")
STATUSES = {
    "valid": ("有效期内", "within its validity"),
    "expired": ("已过有效期", "expired"),
    "not_yet_valid": ("尚未生效", "not valid yet"),
    "copy_expired": ("加注件已过使用期限", "an annotated copy past its time"),
}


@click.command(
    "verify",
    help=say(
        "核验电子证照：签章、标识、颁发机构、有效期（退出码 0 有效，1 无效，2 无法判断）。",
        "Verify a certificate: seals, identifier, issuer, dates (exit 0 valid, 1 not, 2 cannot tell).",
    ),
)
@click.argument("file")
@click.option(
    "--strict-identifier", is_flag=True,
    help=say("标识不合 GB/T 36904 即无效（默认只作说明）", "refuse an identifier that deviates (default: remarked on)"),
)  # fmt: skip
@click.option(
    "--allow-other-issuer", is_flag=True,
    help=say("印章与颁发机构名称不同只作说明", "remark only on a seal that does not carry the issuer's name"),
)  # fmt: skip
@options(*TRUST, ALLOW_UNCOVERED, AT, PROVIDER, JSON)
def verify(file: str, strict_identifier: bool, allow_other_issuer: bool, json: bool, **given: Any) -> None:
    """The report says every check that was made."""
    from functools import partial

    from gateway.cli import cert_tools as tools
    from gateway.cli import ecert_files as files
    from gateway.cli.output import finish
    from signing.ecert_verify import EcertPolicy, judge
    from signing.errors import Malformed
    from signing.ofd.verify import Uncovered, verify_ofd

    context, moment = Context(json), tools.now(given["at"])
    trusted, ofd = against(context, moment, **given), files.certificate(context, file)
    uncovered: Uncovered = "note" if given["allow_uncovered"] else "reject"
    seals = partial(verify_ofd, ofd, at=moment, uncovered=uncovered, **trusted)
    policy = EcertPolicy("reject" if strict_identifier else "note", "note" if allow_other_issuer else "reject")
    try:
        report = judge(tools.as_of_then_or_now(lambda day: seals(lists_as_of=day), moment), at=moment, policy=policy)
    except Malformed as fault:
        context.unreadable(file, fault)
    finish(report.ok, _machine(context, report, moment), json, _lines(report, moment))


def _machine(context: Context, report: EcertReport, moment: datetime.datetime) -> dict[str, object]:
    import msgspec

    from gateway.cli.cert_tools import spoken, stamp_of

    data = report.metadata
    return context.data(
        report.reasons[0].code if report.reasons else "ok",
        kind="ecert",
        identifier=data.identifier,
        check_char=report.check_char,
        seal={True: "ok", False: "failed", None: "unknown"}[report.seal.ok],
        issuer=report.issuer,
        status=report.status,
        reasons=[spoken(reason) for reason in report.reasons],
        notes=[spoken(note) for note in report.notes],
        at=stamp_of(moment),
        type_code=data.type_code,
        type_name=data.type_name,
        number=data.number,
        issuer_name=data.issuer_name,
        valid_from=data.valid_from,
        valid_to=data.valid_to,
        checks={group: report.seal.outcome(group) for group in _GROUPS},
        annotation=msgspec.to_builtins(data.annotation),
        permits=[{"id": one.id, "name": one.name, "number": one.number, "status": own} for one, own in report.permits],
    )


def _lines(report: EcertReport, moment: datetime.datetime) -> list[str]:
    from gateway.cli.cert_tools import shown
    from gateway.cli.output import printable
    from gateway.cli.seal_report import check_line, remarks
    from signing.seal_checks import Outcome

    data = report.metadata
    title = {
        True: say("✓ 电子证照有效", "✓ the certificate is valid"),
        False: say("✗ 电子证照无效", "✗ the certificate is not valid"),
        None: say("？ 电子证照无法判断", "? the certificate: cannot tell"),
    }[report.ok]
    seal: Outcome = {True: "ok", False: "failed", None: "unknown"}[report.seal.ok]  # type: ignore[assignment]
    lines = [
        title + say("（核验时刻 ", " (verified as of ") + shown(moment) + say("）", ")"),
        f"{printable(data.type_name)}  {printable(data.number)}  {printable(data.identifier)}",
        say("颁发机构：", "issuer: ") + printable(data.issuer_name),
        check_line("签章", "seals", seal),
        check_line("标识校验位", "the identifier's check character", report.check_char),
        check_line("签章人即颁发机构", "the issuer is who sealed it", report.issuer),
        check_line("有效期", "validity", "ok" if report.status == "valid" else "failed"),
        *(f"  {printable(one.id)}  {printable(one.name)}  {say(*STATUSES[own])}" for one, own in report.permits),
        *remarks(report.reasons, report.notes),
    ]
    return [
        *lines,
        say("是否已被暂停或撤销，须向颁发机构查询", "whether it was suspended or revoked since: ask its issuer"),
    ]
