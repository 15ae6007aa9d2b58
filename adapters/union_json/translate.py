"""City-to-city JSON (市际联办 JSON): a platform's calls to acts, and our messages to its calls. Pure.

Every call is ``{"params": {…}}``. A message of ours may take several calls (serial, basic information, attachments), frozen
together and made in turn. Files never come inside: a message names lists of them, and what was fetched is put beside its
list under ``@files``, digests by our own count; those words of ours are never believed of a caller. Kept original bytes are
the call as it came and, after a record separator, what was fetched: they can be mapped again without the platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from adapters.base import Act, Outbound, Untranslatable, Wire
from adapters.profile import Profile
from adapters.rules import MISSING, put, reader
from adapters.union_json.words import Words
from schemas.codec import strict_json

FILES: Final = "@files"
MAX_FILES: Final = 100
_SEPARATOR: Final = b"\x1e"
"""RFC 7464. No JSON text holds it."""


class Call(msgspec.Struct, frozen=True):
    """One call of a frozen message: where it goes, and its bytes."""

    path: str
    body: msgspec.Raw


class Wanted(msgspec.Struct, frozen=True):
    """A file list that a message refers to: what to ask for, and the entry that referred to it."""

    ask: dict[str, str]
    entry: dict[str, Any]


class Listed(msgspec.Struct, frozen=True):
    """A file of a list. ``sm3`` is what they say it is, "" where they do not."""

    id: str
    name: str
    size: int
    sm3: str

    @property
    def name_here(self) -> str:
        """What it is kept under while nobody knows its digest: an id and a length name one content."""
        return f"{self.id}:{self.size}"


@dataclass(frozen=True, slots=True)
class UnionTranslator:
    """See ``adapters.base.Translator``."""

    profile: Profile
    words: Words
    max_bytes: int = 1 << 20

    # --- theirs ------------------------------------------------------------------------------------------------------

    def decode(self, payload: bytes) -> dict[str, Any]:
        """Kept original bytes as a message, with the files that were fetched for it."""
        call, separator, files = payload.partition(_SEPARATOR)
        message = self.call(call)
        return self.with_files(message, strict_json(files, max_bytes=self.max_bytes)) if separator else message

    def call(self, payload: bytes) -> dict[str, Any]:
        """A call as it came. Raises Invalid or Untranslatable."""
        value = strict_json(payload, max_bytes=self.max_bytes)
        if type(value) is not dict:
            raise Untranslatable("body-form", "报文应为 JSON 对象", "the body must be a JSON object")
        params = value.get(self.words.params)
        if type(params) is not dict:
            raise Untranslatable("body-missing", "缺少报文内容", "the message has no content", self.words.params)
        params.pop(FILES, None)
        return value

    def as_call(self, raw: bytes) -> bytes:
        """An entry of a list that we fetched, as the call that would have brought it; its own bytes stay."""
        return msgspec.json.encode({self.words.params: msgspec.Raw(raw)})

    def kept(self, call: bytes, files: Sequence[Mapping[str, Any]]) -> bytes:
        """The original bytes to keep."""
        return call + _SEPARATOR + msgspec.json.encode(files) if files else call

    def wanted(self, operation: str, message: dict[str, Any]) -> list[Wanted]:
        """The file lists that a message refers to."""
        detail = self.words.detail
        if detail is None or (detail.of and operation not in detail.of):
            return []
        entries = reader(detail.each)(message, message) if detail.each else [message[self.words.params]]
        if entries is MISSING:
            return []
        if type(entries) is not list or len(entries) > MAX_FILES or not all(type(one) is dict for one in entries):
            raise Untranslatable("value-type", "应为不超过一百项的列表", "a list of at most a hundred", detail.each)
        return [
            Wanted({name: _asked(place, entry, message) for name, place in detail.ask.items()}, entry)
            for entry in entries
        ]

    def listed(self, answer: dict[str, Any]) -> list[Listed]:
        """The files of a list's answer. Raises Untranslatable where one has no id, no name or no size."""
        assert self.words.detail is not None and self.words.file is not None  # noqa: S101 - who asks has both
        found, names = reader(self.words.detail.list)(answer, answer), self.words.file
        if found is MISSING:
            return []
        if type(found) is not list or len(found) > MAX_FILES:
            raise Untranslatable(
                "value-type", "应为不超过一百项的列表", "a list of at most a hundred", self.words.detail.list
            )
        return [_listed(one, names.id, names.name, names.size, names.sm3) for one in found]

    def with_files(self, message: dict[str, Any], files: Any) -> dict[str, Any]:
        """The message with what was fetched for it."""
        message[self.words.params][FILES] = files
        return message

    def inbound(self, operation: str, payload: bytes, *, case: str = "") -> Act:
        return self.profile.act(operation, self.decode(payload), case)

    # --- ours --------------------------------------------------------------------------------------------------------

    def can_send(self, type_: str) -> bool:
        return type_ in self.profile.outward and type_ in self.profile.text.send.operations

    def outbound(self, out: Outbound) -> Wire:
        """Raises Untranslatable."""
        calls = self.profile.text.send.operations.get(out.type, "").split()
        table = self.profile.outward.get(out.type)
        if not calls or table is None:
            raise Untranslatable("type-not-mapped", "方案未映射这类报文", "the profile maps no such message")
        message = self.profile.message(out)
        made = [Call(self.words.calls[name], self._params(_part(message, name, calls))) for name in calls]
        return Wire(id=out.id, operation=calls[-1], body=msgspec.json.encode(made))

    def _params(self, params: Mapping[str, Any]) -> msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode({self.words.params: params}))

    # --- answers -----------------------------------------------------------------------------------------------------

    def reply_ok(self, act: Act, receipt: dict[str, str]) -> bytes:
        return self.answer("ok", receipt)

    def reply_refused(self, problem: dict[str, str]) -> bytes:
        return self.answer("refused", problem)

    def answer(self, kind: str, told: Mapping[str, str], more: Mapping[str, Any] | None = None) -> bytes:
        """``kind``: ``ok``, ``refused`` or ``busy`` of ``[reply]``; ``more``: dotted place -> value."""
        output = msgspec.json.decode(msgspec.json.encode(self.profile.text.reply.get(kind, {})))
        names: Mapping[str, str] = self.profile.text.reply.get("names", {})
        for name, value in told.items():
            if name in names and value:
                put(output, tuple(names[name].split(".")), value)
        for place, value in (more or {}).items():
            put(output, tuple(place.split(".")), value)
        return msgspec.json.encode(output)


def _part(message: Mapping[str, Any], name: str, calls: Sequence[str]) -> dict[str, Any]:
    """What one of several calls says: what stands under its own name, beside the head that all of them say."""
    if len(calls) == 1:
        return dict(message)
    head = {key: value for key, value in message.items() if key not in calls}
    own = message.get(name, {})
    if type(own) is not dict:
        raise Untranslatable("value-type", "应为对象", "an object is expected", name)
    return head | own


def _asked(place: str, entry: Any, message: dict[str, Any]) -> str:
    value = reader(place)(entry, message)
    if type(value) is not str or not 1 <= len(value) <= 128 or not value.isprintable():
        raise Untranslatable(
            "id-form", "编号须为 1 至 128 个可见字符", "an id has 1 to 128 printable characters", place
        )
    return value


def _listed(entry: Any, id_: str, name: str, size: str, sm3: str) -> Listed:
    if type(entry) is not dict:
        raise Untranslatable("value-type", "应为对象", "an object is expected", FILES)
    guid, count = _asked(id_, entry, entry), reader(size)(entry, entry)
    count = int(count) if type(count) is str and count.isascii() and count.isdigit() and len(count) < 14 else count
    if type(count) is not int or count < 1:
        raise Untranslatable("value-type", "长度应为正整数", "the length is a positive integer", size)
    if not all(letter.isascii() and (letter.isalnum() or letter in "{}_-") for letter in guid):
        raise Untranslatable("id-form", "附件编号不合规范", "not the id of a file", id_)
    called, stated = reader(name)(entry, entry), reader(sm3)(entry, entry) if sm3 else ""
    if type(called) is not str:
        raise Untranslatable("value-type", "应为字符串", "a string is expected", name)
    return Listed(guid, called, count, stated.lower() if type(stated) is str else "")


def fetched(entry: Mapping[str, Any], file: Listed, sm3: str) -> dict[str, Any]:
    """A fetched file as tables read it: the words of the entry that referred to it, the list's, and ours with ``@``."""
    ending = file.name.rpartition(".")[2].lower() if "." in file.name else ""
    return {
        **{key: value for key, value in entry.items() if type(value) in (str, int) and not key.startswith("@")},
        "@id": file.id, "@name": file.name, "@size": file.size, "@sm3": sm3, "@ending": ending,
    }  # fmt: skip
