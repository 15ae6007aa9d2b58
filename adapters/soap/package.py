"""XML in a string (报文包, PACKAGE/PACKAGEHEAD/DATA/RECORD): documents that travel as the text argument of a SOAP call. Pure.

Each operation takes a licence and a document and gives a document back (public-security services for 跨省通办). A package
holds records, each with its own number and answer; errors are codes inside the answer, not faults. Which code means what,
which groups a record must have and which operation a business class uses are tables of the profile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from lxml import etree

from adapters.base import Act, Outbound, Untranslatable, Wire
from adapters.profile import Profile
from adapters.rules import MISSING, reader
from adapters.soap.door import Endpoint
from adapters.soap.translate import check
from adapters.soap.tree import to_value
from adapters.soap.written import write
from schemas.errors import Invalid
from schemas.validate import Schema
from schemas.xml import parse_text, parse_xml

MAX_RECORDS = 100
_DECLARED = '<?xml version="1.0" encoding="UTF-8"?>'


class Required(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must be there before the schema is asked: absent, the answer is ``code``. ``operations``: empty for all."""

    path: str
    code: str
    name: str
    operations: tuple[str, ...] = ()


class Codes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes of our answers; ``reasons``: our refusal reasons that have a code of their own; ``means``: theirs, in words."""

    ok: str
    licence: str
    refused: str
    busy: str
    reasons: dict[str, str] = {}
    means: dict[str, str] = {}


class PackageWords(Endpoint, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[soap]`` table of such a profile. ``licence``, ``document`` and ``reply`` are the parts of each operation;
    ``class_at`` is where a package names its business class, ``classes`` its operation for each type of ours."""

    licence: str
    document: str
    reply: str
    root: str
    head: str
    same: str
    class_at: str
    classes: dict[str, dict[str, str]]
    codes: Codes
    required: tuple[Required, ...] = ()


class Lacking(Untranslatable):
    """A package without something that has a code of its own. ``head``: what of its head can be given back."""

    def __init__(self, rule: Required, head: Any) -> None:
        super().__init__("missing-group", f"缺少{rule.name}", f"{rule.path} is missing", rule.path)
        self.answer, self.head = rule.code, head if type(head) is dict else None


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of one record, or of the whole package (``no`` and ``sid`` empty)."""

    code: str
    text: str
    no: str = ""
    sid: str = ""


@dataclass(frozen=True, slots=True)
class PackageTranslator:
    """See ``adapters.base.Translator``. ``payload`` is a package in UTF-8, or the Body's element that carries one."""

    profile: Profile
    words: PackageWords
    schema: Schema
    max_bytes: int = 16 << 20
    written: str = ""

    @property
    def encoding(self) -> str:
        """The encoding of our envelopes, as XML declares it."""
        return self.written or self.profile.text.encoding.upper()

    def writing(self, encoding: str) -> PackageTranslator:
        """The same, answering in the encoding of a caller."""
        return replace(self, written=encoding)

    def value(self, element: etree._Element) -> dict[str, Any]:
        """A document as a plain object, held against the XSD."""
        check(self.schema, element)
        value = to_value(element)
        if element.tag != self.words.root or type(value) is not dict:
            raise Untranslatable("body-missing", f"报文须为 {self.words.root}", "not a package", self.words.root)
        return value

    def decode(self, payload: bytes) -> dict[str, Any]:
        """A package as a plain object, held against the XSD."""
        return self.value(self._package(payload))

    def _package(self, payload: bytes) -> etree._Element:
        element = parse_xml(payload, max_bytes=self.max_bytes)
        return element if element.tag == self.words.root else parse_text(element.findtext(self.words.document) or "")

    def every(self, operation: str, payload: bytes) -> tuple[Act, ...]:
        """All acts of all records. Raises what the first record that does not fit raises."""
        made: list[Act] = []
        for _, _, found in self.acts(operation, self.decode(payload)):
            if isinstance(found, Exception):
                raise found
            made += found
        return tuple(made)

    def read(self, text: str) -> dict[str, Any]:
        """A package with a whole head. Raises Lacking, Untranslatable or Invalid."""
        if len(text) > self.max_bytes:
            raise Invalid("too-large", f"内容超过{self.max_bytes}字节", f"larger than {self.max_bytes} bytes")
        return self._headed(parse_text(text))

    def _headed(self, element: etree._Element) -> dict[str, Any]:
        self._lacks(to_value(element), "", in_head=True)
        return self.value(element)

    def _lacks(self, package: Any, operation: str, *, in_head: bool) -> None:
        """Raises Lacking for the first thing that must be there and is not."""
        head = reader(self.words.head)(package, package)
        for rule in self.words.required:
            asked = not rule.operations or operation in rule.operations
            if (
                asked
                and rule.path.startswith(f"{self.words.head}.") is in_head
                and reader(rule.path)(package, package) is MISSING
            ):
                raise Lacking(rule, head)

    def records(self, package: Mapping[str, Any]) -> list[dict[str, Any]]:
        """One package for each record, with the common head. More than a hundred are refused."""
        data = package.get("DATA")
        found = data.get("RECORD", []) if type(data) is dict else []
        entries = found if type(found) is list else [found]
        if len(entries) > MAX_RECORDS:
            raise Untranslatable("too-many", f"RECORD 超过 {MAX_RECORDS} 个", "too many records", "DATA.RECORD")
        return [{self.words.head: package.get(self.words.head, ""), "DATA": {"RECORD": one}} for one in entries]

    def acts(
        self, operation: str, package: Mapping[str, Any]
    ) -> Iterator[tuple[str, str, tuple[Act, ...] | Exception]]:
        """(no, sid, acts or why not) of each record in order."""
        for one in self.records(package):
            record = one["DATA"]["RECORD"]
            shown = record if type(record) is dict else {}
            try:
                self._lacks(one, operation, in_head=False)
                found: tuple[Act, ...] | Exception = self.profile.acts(operation, one)
            except (Untranslatable, Invalid) as bad:
                found = bad
            yield shown.get("@no", ""), shown.get("@sid", ""), found

    def inbound(self, operation: str, payload: bytes, *, case: str = "") -> Act:
        """The first act of the first record."""
        for _, _, found in self.acts(operation, self._headed(self._package(payload))):
            if isinstance(found, Exception):
                raise found
            return found[0]
        raise Untranslatable("body-missing", "缺少报文内容", "the message has no content", "DATA.RECORD")

    def can_send(self, type_: str) -> bool:
        return type_ in self.profile.outward and any(type_ in operations for operations in self.words.classes.values())

    def outbound(self, out: Outbound) -> Wire:
        value = self.profile.message(out) if out.type in self.profile.outward else {}
        kind = reader(self.words.class_at)(value, value)
        operation = self.words.classes.get(kind if type(kind) is str else "", {}).get(out.type, "")
        if not operation:
            zh = "方案未映射这类报文" if out.type not in self.profile.outward else "这类业务没有对应的操作"
            raise Untranslatable("type-not-mapped", zh, "no operation for this message", self.words.class_at)
        made = write("", self.words.root, value)
        check(self.schema, made.element)
        body = made.encoded("utf-8")
        return Wire(id=out.id, operation=operation, body=body, content_type="text/xml; charset=UTF-8")

    def reply(self, head: Mapping[str, Any] | None, told: list[Told]) -> str:
        """An answer: the head as it came, where it can stand in one, then a code for each record or one for the package."""
        single = len(told) == 1 and not told[0].no and not told[0].sid
        data = {"CODE": told[0].code, "MSG": told[0].text} if single else {"RECORD": [_coded(one) for one in told]}
        made = write("", self.words.root, ({self.words.head: dict(head)} if head else {}) | {"DATA": data})
        if head and not self.schema.valid(made.element):
            return self.reply(None, told)
        return _DECLARED + made.text

    def reply_ok(self, act: Act, receipt: dict[str, str]) -> bytes:
        return self.reply(None, [Told(self.words.codes.ok, receipt.get("text", ""), "1", act.id)]).encode()

    def reply_refused(self, problem: dict[str, str]) -> bytes:
        return self.reply(None, [Told(self.words.codes.refused, problem.get("title", ""))]).encode()

    def call(self, operation: str, licence: str, document: bytes) -> bytes:
        """The Body's element of a call of ours, in the encoding of the envelopes."""
        parts = {self.words.licence: licence, self.words.document: _DECLARED + document.decode()}
        return write(self.words.namespace, operation, parts, qualified=self.words.qualified).encoded(self.encoding)

    def answer(self, operation: str, document: str) -> bytes:
        """The Body's element of an answer of ours."""
        parts = {self.words.reply: document}
        made = write(self.words.namespace, f"{operation}Response", parts, qualified=self.words.qualified)
        return made.encoded(self.encoding)


def _coded(told: Told) -> dict[str, str]:
    shown = {"@no": told.no, "@sid": told.sid, "@code": told.code, "@msg": told.text}
    return {name: text for name, text in shown.items() if text}


def build_xsd(words: PackageWords, operations: tuple[str, ...]) -> bytes:
    """The XSD of the operations themselves: two strings in, one out."""
    form = "qualified" if words.qualified else "unqualified"
    start = (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{words.namespace}" '
        f'elementFormDefault="{form}">'
    )
    made = [start]
    for name in operations:
        for wrapper, parts in ((name, (words.licence, words.document)), (f"{name}Response", (words.reply,))):
            inner = "".join(f'<xs:element name="{part}" type="xs:string"/>' for part in parts)
            made.append(
                f'<xs:element name="{wrapper}"><xs:complexType><xs:sequence>{inner}</xs:sequence></xs:complexType></xs:element>'
            )
    return "".join([*made, "</xs:schema>"]).encode()
