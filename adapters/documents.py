"""Documents that travel whole (整份文档): one XML or JSON text for each message, in a database column or in a file. Pure.

Which operation a document is tells what carries it (a row's type, a manifest), not the document itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from adapters.base import Act, Outbound, Untranslatable, Wire
from adapters.profile import Profile
from adapters.soap.tree import local, to_value
from adapters.soap.written import write
from schemas.codec import strict_json
from schemas.errors import Invalid
from schemas.xml import parse_text, parse_xml


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[document]`` table. ``root`` and ``answer`` are the root elements of messages and of our answers (XML).

    ``column``: ``text`` where a database holds characters, so that a declared encoding means nothing; ``bytes`` elsewhere.
    """

    content: Literal["xml", "json"] = "xml"
    root: str = "Case"
    answer: str = "Answer"
    column: Literal["text", "bytes"] = "bytes"


def read_form(profile: Profile) -> Form:
    """Raises Untranslatable for a table that cannot be read."""
    try:
        return msgspec.convert(profile.text.document, Form)
    except msgspec.ValidationError as error:
        where = f"{error}"
        raise Untranslatable("document-unreadable", f"document 有误：{where}", f"bad document table: {where}") from None


def open_translator(profile: Profile, resources: Mapping[str, bytes], max_bytes: int = 16 << 20) -> DocumentTranslator:
    """The translator of a family whose documents travel whole. Raises Untranslatable."""
    return DocumentTranslator(profile, read_form(profile), max_bytes)


@dataclass(frozen=True, slots=True)
class DocumentTranslator:
    """See ``adapters.base.Translator``."""

    profile: Profile
    form: Form
    max_bytes: int = 16 << 20

    def decode(self, payload: bytes) -> dict[str, Any]:
        """A document as a plain object. Raises Invalid or Untranslatable."""
        value = self._xml(payload) if self.form.content == "xml" else self._json(payload)
        if type(value) is not dict:
            raise Untranslatable("body-missing", "缺少报文内容", "the message has no content")
        return value

    def _xml(self, payload: bytes) -> Any:
        if len(payload) > self.max_bytes:
            raise Invalid("too-large", f"内容超过{self.max_bytes}字节", f"larger than {self.max_bytes} bytes")
        if self.form.column == "text":
            root = parse_text(_characters(payload, "utf-8"))
        else:
            root = parse_xml(payload, max_bytes=self.max_bytes, encodings=(self.profile.text.encoding,))
        if local(root) != self.form.root:
            raise Untranslatable("root-unknown", f"根元素应为 {self.form.root}", f"the root must be {self.form.root}")
        return to_value(root)

    def _json(self, payload: bytes) -> Any:
        encoding = "utf-8" if self.form.column == "text" else self.profile.text.encoding
        return strict_json(_characters(payload, encoding).encode("utf-8"), max_bytes=self.max_bytes)

    def inbound(self, operation: str, payload: bytes, *, case: str = "") -> Act:
        return self.profile.act(operation, self.decode(payload), case)

    def every(self, operation: str, payload: bytes) -> tuple[Act, ...]:
        """All acts of one document."""
        return self.profile.acts(operation, self.decode(payload))

    def can_send(self, type_: str) -> bool:
        return type_ in self.profile.outward and type_ in self.profile.text.send.operations

    def outbound(self, out: Outbound) -> Wire:
        operation = self.profile.text.send.operations.get(out.type, "")
        if not operation:
            raise Untranslatable("type-not-mapped", "方案未映射这类报文", "the profile maps no such message")
        body = self.document(self.profile.message(out))
        return Wire(id=out.id, operation=operation, body=body, content_type=self.media)

    @property
    def media(self) -> str:
        """The content type of a document; text in a column is UTF-8 here."""
        encoding = "utf-8" if self.form.column == "text" else self.profile.text.encoding
        return f"{'text/xml' if self.form.content == 'xml' else 'application/json'}; charset={encoding}"

    def document(self, value: Mapping[str, Any]) -> bytes:
        """A message in the platform's names as a document."""
        return self._written(self.form.root, value)

    def _written(self, root: str, value: Mapping[str, Any]) -> bytes:
        encoding = self.media.rpartition("=")[2]
        if self.form.content == "json":
            text = msgspec.json.encode(dict(value)).decode()
            try:
                return text.encode(encoding)
            except UnicodeEncodeError:
                zh, en = f"有 {encoding} 写不了的字", f"a character that {encoding} lacks"
                raise Untranslatable("character-lost", zh, en) from None
        body = write("", root, dict(value)).encoded(encoding)
        return body if self.form.column == "text" else f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + body

    def reply_ok(self, act: Act, receipt: dict[str, str]) -> bytes:
        names: Mapping[str, str] = self.profile.text.reply.get("names", {})
        fixed: Mapping[str, Any] = self.profile.text.reply.get("fixed", {})
        told = {names[key]: receipt[key] for key in names if receipt.get(key)}
        return self._written(self.form.answer, {**fixed, **told})

    def reply_refused(self, problem: dict[str, str]) -> bytes:
        names: Mapping[str, str] = self.profile.text.reply.get("refused", {})
        return self._written(self.form.answer, {names.get(key, key): value for key, value in problem.items() if value})


def _characters(payload: bytes, encoding: str) -> str:
    try:
        return payload.decode(encoding)
    except UnicodeDecodeError:
        raise Invalid("wrong-encoding", f"不是 {encoding}", f"not {encoding}") from None
