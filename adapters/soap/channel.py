"""The channel of ``soap``: our message to the platform's endpoint, and the question after silence.

A fault that blames the caller (Client, MustUnderstand, VersionMismatch) -> Refused; one that blames the server, 5xx
without a fault, no connection -> Temporary; a time-out, a cut, garbage, an answer that the XSD refuses -> Unclear.
The credential is added at each send: frozen bytes hold no secret, and a changed licence needs no new message.
"""

from __future__ import annotations

from dataclasses import dataclass

from yarl import URL

from adapters.base import Accepted, Answer, CannotAsk, NotThere, Outcome, Refused, Temporary, Unclear, Wire
from adapters.soap import envelope
from adapters.soap.envelope import Fault, SoapRefused
from adapters.soap.translate import SoapTranslator
from adapters.soap.tree import local, to_bytes, to_element, to_value
from adapters.transport import AnswerForm, Line, Lost, Reply, Request, Unsent, exchange


@dataclass(frozen=True, slots=True)
class SoapChannel:
    """See ``adapters.base.Channel``. ``unit`` and ``licence`` are what we show the platform."""

    line: Line
    translator: SoapTranslator
    url: str
    unit: str
    licence: str
    answer: AnswerForm
    can_ask: bool
    connect_ms: int
    total_ms: int
    max_answer: int

    async def send(self, wire: Wire) -> Outcome:
        reply = await self._call(wire)
        if isinstance(reply, Unsent):
            return Temporary(reply.reason, absent=True)
        if isinstance(reply, Lost):
            return Unclear(reply.reason)
        read = self._read(reply, wire.operation)
        if isinstance(read, Fault):
            if read.kind == "Server":
                return Temporary(f"fault-{read.code}"[:80])
            return Refused(read.code[:64], read.zh, read.en)
        if read is None:
            return _without_answer(reply)
        code, reference, message = read
        if code in self.answer.ok or code in self.answer.duplicate:
            return Accepted(reference)
        if code in self.answer.busy:
            return Temporary(f"busy-{code}")
        return Refused(code[:64], message or "平台未说明原因", message or "refused by the platform")

    async def ask(self, out_id: str) -> Answer:
        query = self.translator.words.query
        if query is None or not self.can_ask:
            return CannotAsk()
        element = to_element(self.translator.words.namespace, query.operation, {query.id: out_id})
        reply = await self._call(self.translator.wire(out_id, query.operation, element))
        if isinstance(reply, Unsent | Lost):
            return Temporary(reply.reason, absent=isinstance(reply, Unsent))
        read = self._read(reply, query.operation)
        if read is None or isinstance(read, Fault):
            return Temporary(f"fault-{read.code}"[:80] if read else "answer-unreadable")
        code, reference, _ = read
        if code in self.answer.absent:
            return NotThere()
        return Accepted(reference) if code in self.answer.ok else Temporary(f"answer-{code}")

    async def close(self) -> None:
        await self.line.close()

    async def _call(self, wire: Wire) -> Reply | Unsent | Lost:
        words = self.translator.words
        shown = to_element(words.namespace, words.credential, {words.unit: self.unit, words.licence: self.licence})
        encoding = self.translator.encoding
        body = envelope.wrap(wire.body, to_bytes(shown, encoding), encoding)
        headers = {"Content-Type": wire.content_type, "SOAPAction": f'"{words.namespace}/{wire.operation}"'}
        request = Request("POST", URL(self.url, encoded=True), headers, body)
        return await exchange(self.line.session(), request, self.connect_ms, self.total_ms, self.max_answer)

    def _read(self, reply: Reply, operation: str) -> tuple[str, str, str] | Fault | None:
        """(code, reference, message), a fault, or None for what is neither."""
        try:
            opened = envelope.parse(reply.body, reply.content_type, frozenset(), max_bytes=self.max_answer)
        except SoapRefused:
            return None
        fault = envelope.read_fault(opened.body)
        if fault is not None:
            return fault if reply.status in (200, 400, 500) else None
        expected = f"{{{self.translator.words.namespace}}}{operation}Response"
        if reply.status != 200 or opened.body.tag != expected or not self.translator.schema.valid(opened.body):
            return None
        value = to_value(opened.body)
        plain = value if type(value) is dict else {local(opened.body): value}
        told = [plain.get(name, "") for name in (self.answer.code, self.answer.reference, self.answer.message)]
        code, reference, message = (one if type(one) is str else "" for one in told)
        return code, reference, message[:200]


def _without_answer(reply: Reply) -> Outcome:
    if reply.status >= 500:
        return Temporary(f"http-{reply.status}")
    if 300 <= reply.status < 400:
        return Temporary("redirect-refused")
    return Temporary(f"http-{reply.status}") if reply.status >= 400 else Unclear("answer-unreadable")
