"""A platform of ``union_json``, played (扮演市际联办平台): takes calls and lists files as its profile says, and calls our door.

Files are the sample's. A message of several calls is on record with its last; lists that we might fetch from are empty, for it
tells by pushing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from adapters.base import Denied, Outbound, Outcome, Presented, Untranslatable, Wire
from adapters.kit.behaviour import BEHAVIOURS, Behaviour
from adapters.kit.cast import Answer, Cast, Heard, NotLooking
from adapters.kit.peer_rest import HALF
from adapters.registry import Platform
from adapters.rules import put, reader
from adapters.samples import FILE
from adapters.union_json.answers import read_form
from adapters.union_json.translate import Call
from adapters.union_json.words import read_words
from schemas.codec import strict_json
from schemas.errors import Invalid
from signing.sm3 import sm3

JSON = "application/json; charset=utf-8"
MAX_BODY = 4 << 20


class UnionPeer(NotLooking):
    """See ``adapters.kit.cast.Peer``."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.words, self.form = cast, read_words(cast.profile), read_form(cast.profile)
        self._opened: dict[bool, Platform] = {}
        self._parts: dict[str, dict[str, Any]] = {}

    async def hear(self, heard: Heard, how: Behaviour) -> Answer:
        path, _, query = heard.target.partition("?")
        if len(heard.body) > MAX_BODY:
            return self._no("too large")
        shown = Presented(heard.method, path, query, heard.headers, sm3(heard.body))
        if isinstance(self._platform(how).authenticate(shown, self.cast.now_ms()), Denied):
            return self._said((self.form.before or ("401",))[0], "身份不符")
        if heard.method == "GET":
            file = self.words.file
            there = file is not None and file.path == path
            return Answer(200, "text/plain", FILE) if there else Answer(404, "text/plain", b"")
        try:
            message = strict_json(heard.body, max_bytes=MAX_BODY)
        except Invalid as bad:
            return self._no(bad.zh)
        params = message.get(self.words.params) if type(message) is dict else None
        return self._called(path, params, heard.body, how) if type(params) is dict else self._no("缺少报文内容")

    def _called(self, path: str, params: dict[str, Any], body: bytes, how: Behaviour) -> Answer:
        words = self.words
        name = next((name for name, at in words.calls.items() if at == path), "")
        if words.detail is not None and path == words.detail.path:
            return self._list(words.detail.list, [self._file()])
        if name in words.read or name in {one.call for one in words.fetch}:
            place = words.read.get(name) or next(one.list for one in words.fetch if one.call == name)
            return self._list(place, [])
        if words.ask and name == words.ask:
            return self._asked(str(params.get(words.ask_id, "")), how)
        if name in {call for calls in self.cast.profile.text.send.operations.values() for call in calls.split()}:
            return self._kept(name, params, body, how)
        return (
            self._said(self.form.ok[0], "")
            if words.mark and name == words.mark.call
            else Answer(404, "text/plain", b"")
        )

    def _kept(self, name: str, params: dict[str, Any], body: bytes, how: Behaviour) -> Answer:
        id_ = self.cast.mirror.told("id", params)
        if not id_:
            return self._no("缺少报文编号")
        calls = self._calls(name, params)
        parts = self._parts.setdefault(id_, {})
        parts[name] = params
        if name != calls[-1]:
            return self._said(self.form.ok[0], "已收到")
        whole = params if len(calls) == 1 else {**params, **{one: parts.get(one, {}) for one in calls}}
        note = self.cast.note(id_, name, body, whole)
        if how.moved and note.type in HALF:
            return Answer(301, "text/plain", b"moved", (("Location", "/v2"),))
        kept, before = self.cast.desk.take(note, how)
        again = before and self.form.duplicate
        return self._said(self.form.duplicate[0] if again else self.form.ok[0], "已收到", kept.reference)

    def _calls(self, name: str, params: dict[str, Any]) -> list[str]:
        """The calls that a message of ours takes which this call is of."""
        steps = self.cast.profile.text.send.operations
        type_ = self.cast.mirror.type_of(name, params)
        return steps.get(type_, name).split()

    def _asked(self, id_: str, how: Behaviour) -> Answer:
        if how.moved:
            return Answer(301, "text/plain", b"moved", (("Location", "/v2"),))
        kept = self.cast.desk.find(id_)
        if kept is not None:
            return self._said(self.form.ok[0], "已收到", kept.reference)
        return self._said((self.form.absent or ("404",))[0], "未收到")

    def _file(self) -> dict[str, Any]:
        file = self.words.file
        assert file is not None  # noqa: S101 - a list goes with files
        return {file.id: "KIT-1", file.name: "测试.txt", file.size: len(FILE)}

    # --- answers -----------------------------------------------------------------------------------------------------

    def _no(self, why: str) -> Answer:
        known = {*self.form.ok, *self.form.duplicate, *self.form.busy, *self.form.absent, *self.form.before}
        return self._said(next(code for code in ("0", "400", "9999") if code not in known), why)

    def _said(self, code: str, text: str, reference: str = "") -> Answer:
        """An outer code, where there is one, is good unless this one belongs there."""
        outer = bool(self.form.outer)
        words: dict[str, Any] = {self.form.outer: self.form.outer_ok[0]} if outer else {}
        words |= {self.form.outer if outer and code in self.form.before else self.form.code: code}
        words |= {self.form.message: text} if self.form.message else {}
        words |= {self.form.reference: reference} if self.form.reference and reference else {}
        return self._json(words)

    def _list(self, place: str, entries: list[Any]) -> Answer:
        words: dict[str, Any] = {self.form.outer: self.form.outer_ok[0]} if self.form.outer else {}
        return self._json({**words, self.form.code: self.form.ok[0], place: entries})

    def _json(self, words: dict[str, Any]) -> Answer:
        said: dict[str, Any] = {}
        for place, value in words.items():
            put(said, tuple(place.split(".")), value)
        return Answer(200, JSON, msgspec.json.encode(said))

    # --- to the gateway ----------------------------------------------------------------------------------------------

    async def tell(self, out: Outbound, case: str, how: Behaviour) -> Outcome:
        operation, message = self.cast.mirror.message(out, case)
        if operation not in self.words.push:
            raise Untranslatable("type-not-mapped", "平台不推送这类报文", "the platform does not push such a message")
        inner = message.pop(self.words.params, {})
        params = {**message, **inner}
        rule = self.cast.profile.text.operations[operation]
        if how.moved and rule.type_at:
            word = reader(rule.type_at)({self.words.params: params}, None)
            params[rule.type_at.rpartition(".")[2]] = f"V2-{word}"
        body = msgspec.Raw(msgspec.json.encode({self.words.params: params}))
        frozen = msgspec.json.encode([Call(self.words.calls[operation], body)])
        return await self._platform(how).channel.send(Wire(id=out.id, operation=operation, body=frozen))

    def _platform(self, how: Behaviour) -> Platform:
        """The gateway as the platform sees it: the two tokens have changed places, too."""
        if how.foreign_id not in self._opened:
            theirs, ours = (self.cast.secrets.get(name, b"") for name in ("their_token", "token"))
            swapped = {"token": theirs + b"-another" * how.foreign_id, "their_token": ours}
            like = BEHAVIOURS["wrong-signer-id" if how.foreign_id else "good"]
            base = self.cast.gateway.rstrip("/") or "http://127.0.0.1:9"
            cast = replace(self.cast, secrets={**self.cast.secrets, **swapped})
            self._opened[how.foreign_id] = cast.exchanged(f"{base}/platform/v1/union/{self.cast.settings.id}", like)
        return self._opened[how.foreign_id]

    async def close(self) -> None:
        for platform in self._opened.values():
            await platform.channel.close()
