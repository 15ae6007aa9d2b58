"""``tongban ecert id``: an identifier taken apart and its check character recomputed (GB/T 36904-2018)."""

from __future__ import annotations

import click

from gateway.cli.sm import JSON, Context
from gateway.lang import say


@click.command(
    "id",
    help=say(
        "核对电子证照标识：各段与校验位（退出码 0 合规，1 不合规）。",
        "Check a certificate identifier: its parts and its check character.",
    ),
)
@click.argument("identifier")
@JSON
def identifier(identifier: str, json: bool) -> None:
    """A deviation is a no here; in ``verify`` it is a remark unless told otherwise."""
    from gateway.cli.cert_tools import spoken
    from gateway.cli.output import finish
    from signing import ecert_id, ecert_reasons
    from signing.errors import Malformed

    context = Context(json)
    try:
        read = ecert_id.parse(identifier)
    except Malformed as error:
        context.unreadable(say("标识", "identifier"), error)
    reasons = [ecert_reasons.rejected(code) for code in read.findings]
    data = context.data(
        reasons[0].code if reasons else "ok",
        identifier=str(read), type_code=read.type_code, issuer=read.issuer, serial=read.serial, version=read.version,
        check_char="ok" if read.check == read.wanted else "failed", check=read.check, expected=read.wanted,
        reasons=[spoken(reason) for reason in reasons],
    )  # fmt: skip
    lines = [
        say("✗ 标识不合规" if reasons else "✓ 标识合规", "✗ deviates" if reasons else "✓ as the standard says"),
        *(f"  {say(reason.zh, reason.en)}" for reason in reasons),
        say(f"类型 {read.type_code}  颁发机构 {read.issuer}", f"type {read.type_code}  issuer {read.issuer}"),
        say(f"流水号 {read.serial}  版本 {read.version}", f"serial {read.serial}  version {read.version}"),
        say(f"校验位 {read.check}（应为 {read.wanted}）", f"check {read.check} (expected {read.wanted})"),
    ]
    finish(not reasons, data, json, lines)
