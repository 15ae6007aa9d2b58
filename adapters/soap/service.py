"""The SOAP door of the gateway: one POST in, one envelope out. What it asks of the gateway is ``adapters.base.Backend``.

Order: envelope, credential, SOAPAction, schema, then the act. A wrong credential is told before anything of the message is
looked at. Faults go out with status 500, as the SOAP 1.1 HTTP binding wants; nothing of our insides is in them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from adapters.base import Backend, Chunk, Problem, Untranslatable
from adapters.soap import envelope
from adapters.soap.envelope import Envelope, Fault, SoapRefused
from adapters.soap.translate import SoapTranslator, Words
from adapters.soap.tree import local, to_value
from adapters.soap.wsdl import build_wsdl
from schemas.errors import Invalid
from signing.sm3 import same

MAX_CHUNK = 1 << 20
Tell = Callable[[Fault], Fault]
WRONG_CREDENTIAL = Fault("Client", "wrong-credential", "单位或许可证不符", "unit or licence is wrong")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, content type and bytes for the HTTP handler."""

    status: int
    content_type: str
    body: bytes


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name, "")
    return found if type(found) is str else ""


@dataclass(frozen=True, slots=True)
class Service:
    """``unit`` and ``licence`` are what the platform must show; both empty: nobody is let in."""

    translator: SoapTranslator
    unit: str
    licence: str
    xsd: bytes
    max_bytes: int

    @property
    def words(self) -> Words:
        return self.translator.words

    def wsdl(self, address: str) -> bytes:
        """The description served at ``?wsdl``, with this address."""
        return build_wsdl(self.translator.profile, self.words, self.xsd, address)

    async def serve(
        self, payload: bytes, content_type: str, soap_action: str, backend: Backend, tell: Tell = lambda fault: fault
    ) -> Answer:
        """Answer one request. ``tell`` completes a fault (its number, what to do next, where to find it in the log).

        Exceptions of the backend pass through: they are the gateway's to handle.
        """
        try:
            opened = self.open(payload, content_type, soap_action)
            return self._whole(200, envelope.wrap(await self._call(opened, backend), b"", self.translator.encoding))
        except SoapRefused as refused:
            return self.fault(tell(refused.fault))
        except (Invalid, Untranslatable) as bad:
            return self.fault(tell(Fault("Client", bad.code, bad.zh, bad.en, bad.path)))

    def fault(self, fault: Fault) -> Answer:
        """A fault as an answer."""
        return self._whole(500, envelope.build_fault(fault, self.translator.encoding))

    def _whole(self, status: int, body: bytes) -> Answer:
        return Answer(status, f"text/xml; charset={self.translator.encoding}", body)

    def open(self, payload: bytes, content_type: str, soap_action: str) -> Envelope:
        """The envelope of a caller who has shown the right credential, for the operation that SOAPAction names."""
        entry = f"{{{self.words.namespace}}}{self.words.credential}"
        opened = envelope.parse(payload, content_type, frozenset({entry}), max_bytes=self.max_bytes)
        if not self._known(opened.header.get(entry)):
            raise SoapRefused(WRONG_CREDENTIAL)
        name = opened.body.tag
        if not str(name).startswith(f"{{{self.words.namespace}}}"):
            raise SoapRefused(Fault("Client", "operation-unknown", "没有这个操作", "no such operation"))
        action = soap_action.strip().strip('"')
        if action and action not in (local(opened.body), f"{self.words.namespace}/{local(opened.body)}"):
            zh = "SOAPAction 与 Body 里的操作不一致"
            raise SoapRefused(Fault("Client", "action-mismatch", zh, "SOAPAction names another operation"))
        return opened

    def _known(self, entry: etree._Element | None) -> bool:
        shown = to_value(entry) if entry is not None else None
        value = shown if type(shown) is dict else {}
        unit = same(_text(value, self.words.unit).encode(), self.unit.encode())
        licence = same(_text(value, self.words.licence).encode(), self.licence.encode())
        return unit and licence and bool(self.unit and self.licence)

    async def _call(self, opened: Envelope, backend: Backend) -> bytes:
        operation = local(opened.body)
        fetch, lookup = self.words.fetch, self.words.lookup
        value = self.translator.value(opened.body)
        if fetch is not None and operation == fetch.operation:
            return await self._fetch(value, backend)
        if lookup is not None and operation == lookup.operation:
            found = _or_fault(await backend.status(_text(value, lookup.case)))
            told = {element: found[key] for key, element in lookup.names.items() if found.get(key)}
            return self.translator.answer(operation, {**lookup.ok, **told})
        act = self.translator.profile.act(operation, value)
        return self.translator.reply_ok(act, _or_fault(await backend.accept(act)))

    async def _fetch(self, value: dict[str, Any], backend: Backend) -> bytes:
        fetch = self.words.fetch
        assert fetch is not None  # noqa: S101 - only called when the profile has it
        offset, length = int(_text(value, fetch.offset) or "0"), int(_text(value, fetch.length) or MAX_CHUNK)
        case, digest = _text(value, fetch.case), _text(value, fetch.sm3).lower()
        found = await backend.material(case, digest, offset, min(length, MAX_CHUNK))
        if isinstance(found, Problem):
            raise SoapRefused(_fault_of(found))
        shell = self.translator.answer(fetch.operation, {**fetch.ok, fetch.total: str(found.total), fetch.data: ""})
        return _filled(shell, fetch.data, found)


def _filled(shell: bytes, name: str, found: Chunk) -> bytes:
    """Base64 is ASCII in every encoding we write, so a megabyte of it need not pass through the XML writer (20 ms)."""
    before, empty, after = shell.partition(f"<{name}></{name}>".encode("ascii"))
    if not empty:
        raise Untranslatable("answer-form", "答复没有放置内容的元素", "the answer has no element for the data", name)
    return b"%b<%b>%b</%b>%b" % (before, name.encode(), b64encode(found.data), name.encode(), after)


def _or_fault(found: dict[str, str] | Problem) -> dict[str, str]:
    if isinstance(found, Problem):
        raise SoapRefused(_fault_of(found))
    return found


def _fault_of(problem: Problem) -> Fault:
    told = problem.fields
    zh = told.get("detail") or told.get("title", "")
    kind = "Server" if problem.busy else "Client"
    action, trace_id = told.get("action", ""), told.get("trace_id", "")
    return Fault(kind, told.get("code", ""), zh, told.get("title_en", zh), told.get("path", ""), action, trace_id)
