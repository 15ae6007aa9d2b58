"""One SOAP request of ours and what its answer is: the part of a channel that all SOAP platforms share."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree
from yarl import URL

from adapters.base import Outcome, Refused, Temporary, Unclear
from adapters.soap import addressing, door, envelope
from adapters.soap.door import Endpoint
from adapters.soap.fault import Fault, SoapRefused, read_fault
from adapters.soap.versions import BY_NAME
from adapters.transport import Line, Lost, Reply, Request, Unsent, exchange


@dataclass(frozen=True, slots=True)
class Caller:
    """``url``: the platform's endpoint; times in ms, the answer's size in bytes."""

    line: Line
    url: str
    words: Endpoint
    encoding: str
    connect_ms: int
    total_ms: int
    max_answer: int

    async def call(
        self, operation: str, body: bytes, message_id: str, header: bytes = b""
    ) -> etree._Element | Fault | Reply | Unsent | Lost:
        """The element of the answer, a fault, the reply as it came where it is neither, or why there is none."""
        words, version = self.words, BY_NAME[self.words.version]
        action, related = words.action(operation), f"urn:tongban:{message_id}"
        if words.addressing:
            header += envelope.written(addressing.asking(self.url, action, related), self.encoding)
        whole = envelope.wrap(body, header, self.encoding, version)
        headers = {"Content-Type": door.content_type(version, self.encoding, action)}
        if version.name == "1.1":
            headers["SOAPAction"] = f'"{action}"'
        request = Request("POST", URL(self.url, encoded=True), headers, whole)
        reply = await exchange(self.line.session(), request, self.connect_ms, self.total_ms, self.max_answer)
        if isinstance(reply, Unsent | Lost):
            return reply
        found = self._read(reply, operation, related)
        return reply if found is None else found

    def _read(self, reply: Reply, operation: str, related: str) -> etree._Element | Fault | None:
        try:
            opened = envelope.parse(reply.body, reply.content_type, addressing.UNDERSTOOD, max_bytes=self.max_answer)
            told = addressing.read(opened.header)
        except SoapRefused:
            return None
        if told is not None and self.words.addressing and told.relates_to not in ("", related):
            return None  # the answer to something else
        fault = read_fault(opened.body)
        if fault is not None:
            return fault if reply.status in (200, 400, 500) else None
        expected = f"{{{self.words.namespace}}}{operation}Response"
        return opened.body if reply.status == 200 and opened.body.tag == expected else None


def unanswered(found: Fault | Reply | Unsent | Lost | None) -> Outcome:
    """What a send has come to that brought no answer of the platform's own; None: an answer that cannot be read."""
    if isinstance(found, Unsent):
        return Temporary(found.reason, absent=True)
    if isinstance(found, Lost):
        return Unclear(found.reason)
    if isinstance(found, Fault):
        blames_us = found.kind != "Server"
        return Refused(found.code[:64], found.zh, found.en) if blames_us else Temporary(f"fault-{found.code}"[:80])
    if found is None or found.status < 300:
        return Unclear("answer-unreadable")
    return Temporary("redirect-refused" if found.status < 400 else f"http-{found.status}")


def unasked(found: Fault | Reply | Unsent | Lost | None) -> Temporary:
    """The same for a question, which may always be put again."""
    if isinstance(found, Unsent | Lost):
        return Temporary(found.reason, absent=isinstance(found, Unsent))
    return Temporary(f"fault-{found.code}"[:80] if isinstance(found, Fault) else "answer-unreadable")
