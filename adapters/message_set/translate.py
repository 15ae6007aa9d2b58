"""A set of message objects (报文对象: 申办、预受理、受理 … 领取) as XML documents of their own, one object each. Pure.

The root element names the object; there is no envelope. Who repeats a message gives it the queue's same message id, which
stands in the decoded object as ``@id``. Every object is held against the profile's XSD in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from lxml import etree

from adapters.base import Act, Outbound, Untranslatable, Wire
from adapters.profile import Profile
from adapters.soap.translate import check
from adapters.soap.tree import local, to_value
from adapters.soap.written import write
from schemas.validate import Schema
from schemas.xml import parse_xml

UNNUMBERED = "-"
"""The id of an object that came without a queue: a sample, or kept bytes that are read again."""


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The object that says why a message was not taken, and its elements."""

    object: str
    message: str
    code: str
    reason: str
    path: str


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[message_set]`` table. Queues by name; paths under the base URL with ``{queue}`` and ``{id}``; ``batch`` is how
    many messages are taken at once, ``poll_ms`` the pause when there are none."""

    schema: str
    refusal: Refusal
    to_them: str
    from_them: str
    refused: str
    put: str = "/queues/{queue}/messages"
    take: str = "/queues/{queue}/messages?max={max}"
    acknowledge: str = "/queues/{queue}/acknowledgements"
    ask: str = "/queues/{queue}/messages/{id}"
    batch: int = 100
    poll_ms: int = 1000


@dataclass(frozen=True, slots=True)
class ObjectTranslator:
    """See ``adapters.base.Translator``. An operation is the name of the object."""

    profile: Profile
    words: Words
    schema: Schema
    max_bytes: int = 16 << 20

    @property
    def encoding(self) -> str:
        """The encoding of what we write, as XML declares it."""
        return self.profile.text.encoding.upper()

    def decode(self, payload: bytes) -> dict[str, Any]:
        """An object that came without a queue as plain values."""
        return self.value(parse_xml(payload, max_bytes=self.max_bytes))

    def value(self, element: etree._Element, id_: str = UNNUMBERED) -> dict[str, Any]:
        """An object as plain values, held against the XSD."""
        check(self.schema, element)
        value = to_value(element)
        if type(value) is not dict:
            raise Untranslatable("body-missing", "缺少报文内容", "the message has no content", local(element))
        return {**value, "@id": id_}

    def acts(self, payload: bytes, id_: str) -> tuple[Act, ...]:
        """All that one object says. Raises Untranslatable or Invalid."""
        element = parse_xml(payload, max_bytes=self.max_bytes)
        name, value = local(element), self.value(element, id_)
        if name not in self.profile.text.doors:
            raise Untranslatable("operation-unknown", "没有这种报文对象", "no such object", name)
        return self.profile.acts(name, value)

    def inbound(self, operation: str, payload: bytes, *, case: str = "") -> Act:
        return self.profile.acts(operation, self.decode(payload), case)[0]

    def can_send(self, type_: str) -> bool:
        return type_ in self.profile.outward and type_ in self.profile.text.send.operations

    def outbound(self, out: Outbound) -> Wire:
        name = self.profile.text.send.operations.get(out.type, "")
        if not name:
            raise Untranslatable("type-not-mapped", "方案未映射这类报文", "the profile maps no such message")
        made = write("", name, self.profile.message(out))
        check(self.schema, made.element)
        media = f"text/xml; charset={self.encoding}"
        return Wire(id=out.id, operation=name, body=made.encoded(self.encoding), content_type=media)

    def document(self, body: bytes) -> bytes:
        """A frozen object as the document that goes into a queue."""
        return f'<?xml version="1.0" encoding="{self.encoding}"?>\n'.encode("ascii") + body

    def refusal(self, id_: str, told: Mapping[str, str]) -> bytes:
        """The document that says why message ``id_`` was not taken; ``told``: fields of a problem."""
        names = self.words.refusal
        known = {
            names.message: id_, names.code: told.get("code", ""), names.reason: told.get("detail") or told.get("title", ""),
            names.path: told.get("path", ""),
        }  # fmt: skip
        made = write("", names.object, {key: text for key, text in known.items() if text})
        return self.document(made.encoded(self.encoding))

    def reply_ok(self, act: Act, receipt: dict[str, str]) -> bytes:
        return b""

    def reply_refused(self, problem: dict[str, str]) -> bytes:
        return self.refusal(UNNUMBERED, problem)
