"""The channel of ``rest_signed``: our signed POST to the platform's callback, and the signed question after silence.

What an answer means: 2xx and an ok or duplicate code -> Accepted; 2xx and another code, or 4xx with a problem body ->
Refused; no connection, 5xx, 408, 425, 429, 3xx (never followed) -> Temporary; a request that left without a usable
answer (time-out, cut, garbage, an answer larger than allowed) -> Unclear.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from yarl import URL

from adapters.base import Accepted, Answer, CannotAsk, NotThere, Outcome, Refused, Temporary, Unclear, Wire
from adapters.rest_signed.keys import Signing
from adapters.rest_signed.sign import Part, Scheme, sign, split_target
from adapters.transport import AnswerForm, Line, Lost, Reply, Request, Unsent, exchange
from schemas.codec import strict_json
from schemas.errors import Invalid
from signing.errors import SigningError
from signing.sm3 import sm3

TRY_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class RestChannel:
    """See ``adapters.base.Channel``. ``ask_path`` holds ``{id}``; "" = this platform cannot be asked.

    ``signer`` gives what signs now, ``wrap`` encrypts a body where the platform wants that; ``app_id`` is ours, ``them`` theirs.
    """

    line: Line
    base_url: str
    scheme: Scheme
    signer: Callable[[], Signing]
    wrap: Callable[[bytes], bytes]
    in_machine: Callable[[], bool]
    app_id: str
    them: str
    answer: AnswerForm
    ask_path: str
    new_nonce: Callable[[], str]
    now_ms: Callable[[], int]
    connect_ms: int
    total_ms: int
    max_answer: int

    async def send(self, wire: Wire) -> Outcome:
        reply = await self._call(wire.method, wire.path, wire.body, wire.content_type)
        if isinstance(reply, Unsent):
            return Temporary(reply.reason, absent=True)
        if isinstance(reply, Lost):
            return Unclear(reply.reason)
        return judge_send(self.answer, reply)

    async def ask(self, out_id: str) -> Answer:
        if not self.ask_path:
            return CannotAsk()
        path = self.ask_path.replace("{id}", quote(out_id, safe=""))
        reply = await self._call("GET", path, b"", "")
        if isinstance(reply, Unsent | Lost):
            return Temporary(reply.reason, absent=isinstance(reply, Unsent))
        return judge_ask(self.answer, reply)

    async def close(self) -> None:
        await self.line.close()

    async def _call(self, method: str, path: str, body: bytes, media: str) -> Reply | Unsent | Lost:
        try:
            signed = self._signed(method, path, body, media)
            request = await asyncio.to_thread(signed) if self.in_machine() else signed()
        except SigningError as error:  # nothing was sent: the platform's queue waits until the key can sign again
            return Unsent(error.code)
        return await exchange(self.line.session(), request, self.connect_ms, self.total_ms, self.max_answer)

    def _signed(self, method: str, path: str, body: bytes, media: str) -> Callable[[], Request]:
        """The request with its proof, once somebody calls: a key in a machine is waited for off the loop."""
        url = URL(self.base_url.rstrip("/") + path, encoded=True)
        headers = {"host": url.host_port_subcomponent or "", "accept": "application/json"}
        if media:
            headers["content-type"] = media

        def made() -> Request:
            content = self.wrap(body) if body else body
            part = Part(method, *split_target(url.raw_path_qs), headers, sm3(content))
            proof = sign(
                self.scheme,
                self.signer(),
                part,
                app=self.app_id,
                time_ms=self.now_ms(),
                nonce=self.new_nonce(),
                them=self.them,
            )
            return Request(method, url, {**headers, **dict(proof)}, content)

        return made


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = strict_json(body, max_bytes=len(body))
    except Invalid:
        return None
    return value if type(value) is dict else None


def _code(form: AnswerForm, value: dict[str, Any] | None) -> str | None:
    code = value.get(form.code) if value is not None else None
    return str(code) if type(code) in (int, str) else None


def judge_send(form: AnswerForm, reply: Reply) -> Outcome:
    """What the answer to a send means."""
    if reply.status >= 500 or reply.status in TRY_LATER:
        return Temporary(f"http-{reply.status}")
    if 300 <= reply.status < 400:
        return Temporary("redirect-refused")
    value = _object(reply.body)
    code = _code(form, value)
    if reply.status >= 400:
        if value is None or not (code or value.get("title")):
            return Temporary(f"http-{reply.status}")
        return _refused(form, value, code or f"http-{reply.status}")
    if value is None or code is None:
        return Unclear("answer-unreadable")
    if code in form.ok or code in form.duplicate:
        reference = value.get(form.reference, "")
        return Accepted(reference if type(reference) is str else "")
    return Temporary(f"busy-{code}") if code in form.busy else _refused(form, value, code)


def _refused(form: AnswerForm, value: dict[str, Any], code: str) -> Refused:
    """Their words, shortened: they are shown to operators and never trusted further."""
    said = value.get(form.message) or value.get("detail") or value.get("title")
    zh = said[:200] if type(said) is str else "平台未说明原因"
    english = value.get("title_en")
    return Refused(code[:64], zh, english[:200] if type(english) is str else "refused by the platform")


def judge_ask(form: AnswerForm, reply: Reply) -> Answer:
    """What the answer to a question means: only a plain yes or a plain no counts."""
    value = _object(reply.body)
    code = _code(form, value)
    if reply.status == 404 or (reply.status < 300 and code is not None and code in form.absent):
        return NotThere() if code is not None and code in form.absent else Temporary("answer-unreadable")
    if value is not None and reply.status < 300 and code is not None and (code in form.ok or code in form.duplicate):
        reference = value.get(form.reference, "")
        return Accepted(reference if type(reference) is str else "")
    return Temporary(f"http-{reply.status}" if reply.status >= 300 else "answer-unreadable")
