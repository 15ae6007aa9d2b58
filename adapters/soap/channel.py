"""The channel of ``soap``: our message to the platform's endpoint, and the question after silence.

A fault that blames the caller (Client, MustUnderstand, VersionMismatch) -> Refused; one that blames the server, 5xx
without a fault, no connection -> Temporary; a time-out, a cut, garbage, an answer that the XSD refuses -> Unclear.
The credential is added at each send: frozen bytes hold no secret, and a changed licence needs no new message.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from adapters.base import Accepted, Answer, CannotAsk, NotThere, Outcome, Refused, Temporary, Wire
from adapters.soap.caller import Caller, unanswered, unasked
from adapters.soap.translate import SoapTranslator
from adapters.soap.tree import local, to_value
from adapters.soap.written import write
from adapters.transport import AnswerForm


@dataclass(frozen=True, slots=True)
class SoapChannel:
    """See ``adapters.base.Channel``. ``unit`` and ``licence`` are what we show the platform."""

    caller: Caller
    translator: SoapTranslator
    unit: str
    licence: str
    answer: AnswerForm
    can_ask: bool

    async def send(self, wire: Wire) -> Outcome:
        found = await self.caller.call(wire.operation, wire.body, wire.id, self._credential())
        if not isinstance(found, etree._Element):
            return unanswered(found)
        read = self._read(found)
        if read is None:
            return unanswered(None)
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
        encoding = self.translator.encoding
        wire = self.translator.wire(
            out_id, query.operation, self.translator.written_as(query.operation, {query.id: out_id}).encoded(encoding)
        )
        found = await self.caller.call(wire.operation, wire.body, wire.id, self._credential())
        if not isinstance(found, etree._Element):
            return unasked(found)
        read = self._read(found)
        if read is None:
            return unasked(None)
        code, reference, _ = read
        if code in self.answer.absent:
            return NotThere()
        return Accepted(reference) if code in self.answer.ok else Temporary(f"answer-{code}")

    async def close(self) -> None:
        await self.caller.line.close()

    def _credential(self) -> bytes:
        words = self.translator.words
        shown = write(words.namespace, words.credential, {words.unit: self.unit, words.licence: self.licence})
        return shown.encoded(self.translator.encoding)

    def _read(self, body: etree._Element) -> tuple[str, str, str] | None:
        """(code, reference, message), or None for what the XSD refuses."""
        if not self.translator.schema.valid(body):
            return None
        value = to_value(body)
        plain = value if type(value) is dict else {local(body): value}
        told = [plain.get(name, "") for name in (self.answer.code, self.answer.reference, self.answer.message)]
        code, reference, message = (one if type(one) is str else "" for one in told)
        return code, reference, message[:200]
