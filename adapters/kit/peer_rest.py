"""A platform of ``rest_signed``, played (扮演签名接口平台): checks our signature and nonce, keeps, answers, and calls us signed."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec

from adapters.base import Denied, Outbound, Outcome, Presented, Signed, Wire
from adapters.base import Untranslatable as Bad
from adapters.kit.behaviour import Behaviour
from adapters.kit.cast import Answer, Cast, Heard, NotLooking
from adapters.registry import Platform
from adapters.transport import AnswerForm
from schemas.errors import Invalid
from signing.sm3 import sm3

MAX_BODY: Final = 4 << 20
HALF: Final = ("correction_request", "step", "special_start", "decision", "correction", "delivery")
"""What lives in the new system of a half-migrated platform."""


class RestPeer(NotLooking):
    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.form: AnswerForm = msgspec.convert(cast.profile.text.answer, AnswerForm)
        self._opened: dict[tuple[bool, int], Platform] = {}
        self._nonces: set[str] = set()

    async def hear(self, heard: Heard, how: Behaviour) -> Answer:
        send, path = self.cast.profile.text.send, heard.target.partition("?")[0]
        asking = send.ask.partition("{id}")
        if heard.method == "GET" and how.moved:
            return Answer(301, "text/plain", b"moved", (("Location", "/v2" + path),))
        if len(heard.body) > MAX_BODY:
            return self._no(413, "too large")
        who = self._caller(heard, how)
        if isinstance(who, Denied):
            return self._no(401, who.zh)
        target = heard.target  # a profile may ask by the query
        if heard.method == "GET" and target.startswith(asking[0]) and target.endswith(asking[2]):
            return self._asked(unquote(target[len(asking[0]) : len(target) - len(asking[2])]))
        if heard.method != "POST" or path != send.path:
            return self._no(404, "no such path")
        return self._kept(heard._replace(body=who.message(heard.body)), how)

    def _caller(self, heard: Heard, how: Behaviour) -> Signed | Denied:
        path, _, query = heard.target.partition("?")
        shown = Presented(heard.method, path, query, heard.headers, sm3(heard.body), heard.body)
        who = self._platform(how).authenticate(shown, self.cast.now_ms() + how.skew_ms)
        if isinstance(who, Denied):
            return who
        if who.nonce and who.nonce in self._nonces:
            return Denied("nonce-used", "随机数已用过", "the nonce was used before")
        self._nonces.add(who.nonce)
        return who

    def _kept(self, heard: Heard, how: Behaviour) -> Answer:
        try:
            message = self._platform(how).translator.decode(heard.body)  # type: ignore[attr-defined]
        except (Invalid, Bad) as bad:
            return self._no(400, bad.zh)
        id_ = self.cast.mirror.told("id", message)
        if not id_:
            return self._no(400, "缺少报文编号")
        note = self.cast.note(id_, "", heard.body, message)
        if how.moved and note.type in HALF:
            return Answer(301, "text/plain", b"moved", (("Location", "/v2" + heard.target),))
        kept, before = self.cast.desk.take(note, how)
        code = self.form.duplicate[0] if before and self.form.duplicate else self.form.ok[0]
        return self._said(200, code, "重复报送" if before else "已收到", kept.reference)

    def _asked(self, id_: str) -> Answer:
        kept = self.cast.desk.find(id_)
        if kept is not None:
            return self._said(200, self.form.ok[0], "已收到", kept.reference)
        return self._said(404, self.form.absent[0] if self.form.absent else "404", "未收到", "")

    def _no(self, status: int, why: str) -> Answer:
        return self._said(status, str(status), why, "")

    def _said(self, status: int, code: str, text: str, reference: str) -> Answer:
        said: dict[str, Any] = {self.form.code: code, self.form.message: text}
        if reference:
            said[self.form.reference] = reference
        return Answer(status, "application/json; charset=utf-8", msgspec.json.encode(said))

    async def tell(self, out: Outbound, case: str, how: Behaviour) -> Outcome:
        operation, message = self.cast.mirror.message(out, case)
        rule = self.cast.profile.text.operations[operation]
        if how.moved and rule.type_at:
            message[rule.type_at] = f"V2-{message[rule.type_at]}"
        path = "/platform/v1/cases" if operation == "case" else f"/platform/v1/cases/{quote(case, safe='')}/events"
        wire = Wire(id=out.id, operation=operation, body=msgspec.json.encode(message), path=path)
        return await self._platform(how).channel.send(wire)

    def _platform(self, how: Behaviour) -> Platform:
        key = (how.foreign_id, how.skew_ms)
        if key not in self._opened:
            self._opened[key] = self.cast.exchanged(self.cast.gateway or "http://127.0.0.1:9", how)
        return self._opened[key]

    async def close(self) -> None:
        for platform in self._opened.values():
            await platform.channel.close()
