"""``tongban ecert show``: what a certificate says of itself, vouched for by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.sm import JSON, Context
from gateway.lang import say

if TYPE_CHECKING:
    from signing.ecert import Metadata


@click.command(
    "show",
    help=say(
        "显示电子证照的元数据、标识、照面与许可（不核验）。",
        "Show a certificate's metadata, identifier, fields and permits (verifies nothing).",
    ),
)
@click.argument("file")
@JSON
def show(file: str, json: bool) -> None:
    """Shows, never vouches."""
    from gateway.cli import ecert_files as files
    from gateway.cli.output import finish
    from signing import ecert_data
    from signing.errors import Malformed
    from signing.ofd import custom as ofd_custom

    context = Context(json)
    ofd = files.certificate(context, file)
    try:
        reading = ecert_data.read(ofd_custom.custom_data(ofd.package))
    except Malformed as fault:
        context.unreadable(file, fault)
    found = context.data("ok", kind="ecert", **facts(reading.metadata), missing=list(reading.missing))
    finish(True, found | {"signatures": len(ofd.signatures)}, json, lines(reading.metadata))


def facts(data: Metadata) -> dict[str, object]:
    """The metadata for machines."""
    import msgspec

    from signing import ecert_id
    from signing.ecert_verify import check_char
    from signing.errors import Malformed

    try:
        read = ecert_id.parse(data.identifier)
    except Malformed:
        read = None
    return {**msgspec.to_builtins(data), "check_char": check_char(read)}


def lines(data: Metadata) -> list[str]:
    """The metadata for people, escaped: nothing of it is verified."""
    from gateway.cli.output import printable

    until = data.valid_to.isoformat() if data.valid_to else say("长期", "no end")
    rows = [
        (say("证照", "certificate"), data.type_name), (say("类型代码", "type code"), data.type_code),
        (say("证照编号", "number"), data.number), (say("标识", "identifier"), data.identifier),
        (say("持证主体", "holder"), data.holder.name), (say("持证主体代码", "holder's code"), data.holder.code),
        (say("颁发机构", "issuer"), f"{data.issuer_name} {data.issuer_code}"),
        (say("颁发日期", "issued"), data.issued.isoformat()),
        (say("有效期", "valid"), f"{data.valid_from.isoformat()} — {until}"),
        (say("二维码", "QR code"), data.url),
        *((field.label, field.value) for field in data.fields),
    ]  # fmt: skip
    said = [
        f"{name}：{printable(value)}" for name, value in ((printable(name), value) for name, value in rows) if value
    ]
    for one in data.permits:
        end = one.valid_to.isoformat() if one.valid_to else say("长期", "no end")
        permit = f"{one.id}  {one.name}  {one.number}  {one.valid_from.isoformat()} — {end}"
        said.append(say("许可：", "permit: ") + printable(permit))
    if data.annotation is not None:
        copy = data.annotation
        about = f"{copy.relying_party}  {copy.reason}  {copy.made_by}  {copy.expires.isoformat()}"
        said.append(say("加注件：", "annotated copy: ") + printable(about))
    return [*said, say("（仅显示，未核验）", "(shown, not verified)")]
