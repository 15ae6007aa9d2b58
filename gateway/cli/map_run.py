"""What ``map run`` and ``map trace`` do with a sample, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from adapters import samples
from adapters.again import said
from adapters.base import Outbound, Untranslatable
from adapters.profile import body_of, envelope
from adapters.rules import Traced, reader
from gateway.cli.output import read_bytes, unreadable
from gateway.cli.profile_files import Files, plain_translator, xml_translator
from schemas import codec
from schemas.canonical import BODIES
from schemas.errors import Invalid
from schemas.xml import parse_xml

if TYPE_CHECKING:
    from adapters.profile import Profile

SAMPLE_LIMIT = 16 << 20
WITH_SCHEMA = ("soap", "message_set")


class Done(NamedTuple):
    """The mapped message (plain values), how a person reads it, the rows it came from, what does not fit."""

    output: Any
    shown: str
    trace: list[Traced]
    errors: list[Untranslatable]


def _of(bad: Invalid | Untranslatable) -> Untranslatable:
    return bad if isinstance(bad, Untranslatable) else Untranslatable(bad.code, bad.zh, bad.en, bad.path)


def inwards(profile: Profile, files: Files, operation: str, sample: str) -> Done:
    """A platform's message to an act."""
    data = read_bytes(sample, SAMPLE_LIMIT)
    in_xml = profile.text.family in WITH_SCHEMA
    try:
        element = parse_xml(data, max_bytes=SAMPLE_LIMIT) if in_xml else None
        message = plain_translator(profile, files).decode(data) if element is None else {}
    except (Invalid, Untranslatable) as bad:
        unreadable(sample, bad.zh, bad.en)
    try:
        if element is not None:
            message = xml_translator(profile, files).value(element)
        act = profile.act(operation, message)
    except (Invalid, Untranslatable) as bad:
        return Done(None, "", *_explained(profile, operation, message, _of(bad)))
    plain = {"type": act.type, "case": act.case, "id": act.id, "local_number": act.local_number,
             "body": msgspec.to_builtins(act.body)}  # fmt: skip
    rows, _ = _explained(profile, operation, message, None)
    return Done(plain, msgspec.json.format(msgspec.json.encode(plain), indent=2).decode(), rows, [])


def _explained(
    profile: Profile, operation: str, message: dict[str, Any], bad: Untranslatable | None
) -> tuple[list[Traced], list[Untranslatable]]:
    """Rows and every error, not only the first."""
    rule = profile.text.operations.get(operation)
    type_ = (rule.type or rule.types.get(str(message.get(rule.type_at, "")), "")) if rule else ""
    table = profile.inward.get(type_)
    if rule is None or table is None or not message:
        return [], [bad] if bad else []
    found = message if rule.body == "." else reader(rule.body)(message, message)
    body = found if isinstance(found, dict) else {}
    _, rows, errors = table.trace(body, message, "body", "" if rule.body == "." else rule.body)
    return rows, errors or ([bad] if bad else [])


def outwards(profile: Profile, files: Files, type_: str, sample: str | None) -> Done:
    """A canonical body (or the built-in one) to the platform's message."""
    out = _outbound(type_, sample)
    table = profile.outward.get(type_)
    try:
        if profile.text.family in WITH_SCHEMA:
            wire = xml_translator(profile, files).outbound(out)
            shown, output = wire.body.decode(profile.text.encoding), {"xml": wire.body.decode(profile.text.encoding)}
        else:
            output = said(plain_translator(profile, files).outbound(out))
            shown = msgspec.json.format(msgspec.json.encode(output), indent=2).decode()
    except Untranslatable as bad:
        return Done(None, "", [], [bad])
    whole = envelope(out)
    rows = profile.head.trace(whole)[1]
    rows += table.trace(body_of(out), whole, profile.text.send.body)[1] if table else []
    return Done(output, shown, rows, [])


def _outbound(type_: str, sample: str | None) -> Outbound:
    try:
        built_in = samples.outbound(type_)
    except KeyError:
        known = "、".join(BODIES)
        unreadable(type_, f"没有这种报文类型；有：{known}", f"no such message type; there are: {known}")
    if sample is None:
        return built_in
    data = read_bytes(sample, codec.MAX_BODY)
    try:
        body = codec.build(type_, _object(data))
    except Invalid as bad:
        unreadable(sample, f"{bad.path} {bad.zh}".strip(), f"{bad.path} {bad.en}".strip())
    return msgspec.structs.replace(built_in, body=body)


def _object(data: bytes) -> dict[str, Any]:
    value = codec.strict_json(data, max_bytes=codec.MAX_BODY)
    if not isinstance(value, dict):
        raise Invalid("bad-json", "应为 JSON 对象", "must be a JSON object")
    return value
