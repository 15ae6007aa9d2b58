"""SOAP body elements to acts, and our messages to body elements of the platform's own names. Pure.

Every message is held against the profile's XSD, theirs when it comes and ours before it is frozen: a refusal names the
element and the reason in Chinese.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from lxml import etree

from adapters.base import Act, Outbound, Untranslatable, Wire
from adapters.profile import Profile
from adapters.soap.door import Endpoint
from adapters.soap.tree import local, to_bytes, to_value
from adapters.soap.written import Written, write
from adapters.stylesheet import Stylesheet
from schemas.validate import Schema
from schemas.xml import parse_xml


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the platform is asked what it has: the operation and the element that holds our message id."""

    operation: str
    id: str


class Fetch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The platform's operation for a piece of a material, and its elements for what it asks and gets."""

    operation: str
    case: str
    sm3: str
    offset: str
    length: str
    data: str
    total: str
    ok: dict[str, str] = {}


class Lookup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The platform's operation to ask us where a case stands; ``names``: our status keys to its elements."""

    operation: str
    case: str
    names: dict[str, str]
    ok: dict[str, str] = {}


class Words(Endpoint, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[soap]`` table of a profile. ``credential``: the header entry and its two elements."""

    credential: str
    unit: str
    licence: str
    query: Query | None = None
    fetch: Fetch | None = None
    lookup: Lookup | None = None


def check(schema: Schema, element: etree._Element) -> None:
    """Raises Untranslatable with the first problem: element path, reason, allowed values."""
    problems = schema.check(element)
    if problems:
        first = problems[0]
        raise Untranslatable("xsd-invalid", first.zh, first.en, first.path)


@dataclass(frozen=True, slots=True)
class SoapTranslator:
    """See ``adapters.base.Translator``. An operation is the name of the Body's element.

    ``coming`` and ``going`` are the profile's stylesheets; the XSD describes what is on the wire, so theirs runs after it is
    checked and ours before.
    """

    profile: Profile
    words: Words
    schema: Schema
    max_bytes: int = 16 << 20
    coming: Stylesheet | None = None
    going: Stylesheet | None = None
    written: str = ""

    @property
    def encoding(self) -> str:
        """The encoding of what we write, as XML declares it."""
        return self.written or self.profile.text.encoding.upper()

    def writing(self, encoding: str) -> SoapTranslator:
        """The same, answering in the encoding of a caller."""
        return replace(self, written=encoding)

    def decode(self, payload: bytes) -> dict[str, Any]:
        """A body element as a plain object, held against the XSD."""
        return self.value(parse_xml(payload, max_bytes=self.max_bytes))

    def value(self, element: etree._Element) -> dict[str, Any]:
        """The same for an element that is already parsed."""
        check(self.schema, element)
        value = to_value(self.coming.apply(element) if self.coming else element)
        if type(value) is not dict:
            raise Untranslatable("body-missing", "缺少报文内容", "the message has no content", local(element))
        return value

    def every(self, operation: str, payload: bytes) -> tuple[Act, ...]:
        """All that one message says."""
        return self.profile.acts(operation, self.decode(payload))

    def inbound(self, operation: str, payload: bytes, *, case: str = "") -> Act:
        """``payload`` is the Body's element as a document of its own."""
        return self.profile.act(operation, self.decode(payload), case)

    def can_send(self, type_: str) -> bool:
        return type_ in self.profile.outward and type_ in self.profile.text.send.operations

    def outbound(self, out: Outbound) -> Wire:
        operation = self.profile.text.send.operations.get(out.type, "")
        if not operation:
            raise Untranslatable("type-not-mapped", "方案未映射这类报文", "the profile maps no such message")
        message = self.profile.message(out)
        if self.going is None:
            return self.wire(out.id, operation, self.held(operation, message))
        element = self.going.apply(self.written_as(operation, message).element)
        check(self.schema, element)
        return self.wire(out.id, operation, to_bytes(element, self.encoding))

    def wire(self, id_: str, operation: str, body: bytes) -> Wire:
        """A body element in the profile's encoding, frozen."""
        return Wire(id=id_, operation=operation, body=body, content_type=f"text/xml; charset={self.encoding}")

    def written_as(self, name: str, value: dict[str, Any]) -> Written:
        """An element of the service's namespace."""
        return write(self.words.namespace, name, value, qualified=self.words.qualified)

    def held(self, name: str, value: dict[str, Any]) -> bytes:
        """The same as bytes, held against the XSD."""
        made = self.written_as(name, value)
        check(self.schema, made.element)
        return made.encoded(self.encoding)

    def answer(self, operation: str, fields: Mapping[str, Any]) -> bytes:
        """``<operation>Response`` with these elements; our own answers are held against the XSD too."""
        return self.held(f"{operation}Response", dict(fields))

    def reply_ok(self, act: Act, receipt: dict[str, str]) -> bytes:
        return self.receipt(self._operation_of(act), receipt)

    def receipt(self, operation: str, receipt: Mapping[str, str]) -> bytes:
        """The answer to a message of this operation that was taken."""
        names: Mapping[str, str] = self.profile.text.reply.get("names", {})
        fixed: Mapping[str, Any] = self.profile.text.reply.get("fixed", {})
        told = {names[key]: receipt[key] for key in names if receipt.get(key)}
        return self.answer(operation, {**fixed, **told})

    def _operation_of(self, act: Act) -> str:
        for name, rule in self.profile.text.operations.items():
            if rule.type == act.type or act.type in rule.types.values():
                return name
        raise Untranslatable("operation-unknown", "没有这个操作", "no such operation")

    def reply_refused(self, problem: dict[str, str]) -> bytes:
        """The problem as an element; the service puts it into a fault."""
        return write("urn:tongban:fault:v1", "Problem", problem).encoded(self.encoding)
