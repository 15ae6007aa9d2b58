"""Stored messages of a platform mapped once more (重放), by any version of its profile. Pure: nothing is sent.

What is kept are the platform's original bytes without the address they came to: which operation it was is told from the
profile, or from the name of the SOAP Body's element.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import msgspec
from lxml import etree

from adapters.base import Act, Outbound, Untranslatable, Wire
from adapters.profile import Profile
from adapters.soap.tree import local, to_value
from schemas.errors import Invalid
from schemas.xml import parse_xml

LIMIT = 64 << 20


class Mapped(Protocol):
    """A translator that works from a profile."""

    @property
    def profile(self) -> Profile:
        """The compiled profile."""

    def decode(self, payload: bytes) -> dict[str, Any]:
        """One foreign message as a plain object."""

    def outbound(self, out: Outbound) -> Wire:
        """See ``adapters.base.Translator``."""


class Enveloped(Mapped, Protocol):
    """A translator whose messages come in a SOAP Body."""

    def every(self, operation: str, payload: bytes) -> tuple[Act, ...]:
        """All that the Body's element says."""


def came(translator: Mapped, type_: str, act: str, original: bytes, case: str) -> dict[str, Any]:
    """A platform's original bytes as the act of this type and id in them. Raises Untranslatable or Invalid."""
    profile = translator.profile
    if profile.text.family == "soap":
        body = _soap_body(original)
        found = cast(Enveloped, translator).every(local(body), etree.tostring(body))
        return _plain(next((one for one in found if one.id == act), found[0]))
    message = translator.decode(original)
    first: Exception | None = None
    for name, operation in profile.text.operations.items():
        if type_ not in (operation.type, *operation.types.values()):
            continue
        for number in ("", case):  # where the message itself names no case, its address did
            try:
                return _plain(profile.act(name, message, number))
            except (Untranslatable, Invalid) as error:
                first = first or error
    raise first or Untranslatable("type-not-mapped", "方案未映射这类报文", "the profile maps no such message")


def _soap_body(original: bytes) -> etree._Element:
    envelope = parse_xml(original, max_bytes=LIMIT)
    bodies = [child for child in envelope if local(child) == "Body" and len(child)]
    if len(bodies) != 1:
        raise Untranslatable("not-soap", "不是 SOAP 信封", "not a SOAP envelope")
    return bodies[0][0]


def _plain(act: Act) -> dict[str, Any]:
    """What the mapping made, without the platform's own ids."""
    return {"type": act.type, "local_number": act.local_number, "body": msgspec.to_builtins(act.body)}


def goes(translator: Mapped, out: Outbound) -> Any:
    """What a message becomes for the platform, as plain values. Raises Untranslatable or Invalid."""
    return said(translator.outbound(out))


def said(wire: Wire) -> Any:
    """A platform request's bytes as plain values."""
    if "xml" not in wire.content_type:
        return msgspec.json.decode(wire.body)
    charset = wire.content_type.partition("charset=")[2] or "utf-8"
    declared = f'<?xml version="1.0" encoding="{charset}"?>'.encode("ascii") + wire.body
    return to_value(parse_xml(declared, max_bytes=LIMIT))
