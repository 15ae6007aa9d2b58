"""The SOAP door of a platform whose messages stand in the Body as XML: one POST in, one envelope out.

Order: envelope, credential, operation, schema, then the act. A wrong credential is told before anything of the message is
looked at. What it asks of the gateway is ``adapters.base.Backend``.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from adapters.base import Backend, Chunk, Problem, Untranslatable
from adapters.soap import door
from adapters.soap.door import Answer, Call, Tell
from adapters.soap.fault import Fault, SoapRefused, fault_of, or_fault
from adapters.soap.translate import SoapTranslator, Words
from adapters.soap.tree import to_value
from adapters.soap.wsdl import build_wsdl, describe
from schemas.errors import Invalid
from signing.sm3 import same

MAX_CHUNK = 1 << 20
WRONG_CREDENTIAL = Fault("Client", "wrong-credential", "单位或许可证不符", "unit or licence is wrong")


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
        return build_wsdl(describe(self.translator.profile, self.words), self.xsd, address)

    async def serve(
        self, payload: bytes, content_type: str, soap_action: str, backend: Backend, tell: Tell = lambda fault: fault
    ) -> Answer:
        """Answer one request. ``tell`` completes a fault (its number, what to do next, where to find it in the log).

        Exceptions of the backend pass through: they are the gateway's to handle.
        """
        call: Call | None = None
        try:
            call = door.read(payload, content_type, soap_action, (self.entry,), self.max_bytes)
            if not self._known(call.envelope.header.get(self.entry)):
                raise SoapRefused(WRONG_CREDENTIAL)
            door.check_operation(call, self.words)
            return door.answer(await self._call(call, backend), call, self.words)
        except SoapRefused as refused:
            fault = refused.fault
        except (Invalid, Untranslatable) as bad:
            fault = Fault("Client", bad.code, bad.zh, bad.en, bad.path)
        return door.fault_answer(fault, door.asked(payload, content_type, self.translator.encoding), call, tell)

    @property
    def entry(self) -> str:
        """Clark name of the header entry with the credential."""
        return f"{{{self.words.namespace}}}{self.words.credential}"

    def _known(self, entry: etree._Element | None) -> bool:
        shown = to_value(entry) if entry is not None else None
        value = shown if type(shown) is dict else {}
        unit = same(_text(value, self.words.unit).encode(), self.unit.encode())
        licence = same(_text(value, self.words.licence).encode(), self.licence.encode())
        return unit and licence and bool(self.unit and self.licence)

    async def _call(self, call: Call, backend: Backend) -> bytes:
        operation = call.operation
        fetch, lookup = self.words.fetch, self.words.lookup
        translator = self.translator.writing(call.envelope.encoding)
        value = translator.value(call.envelope.body)
        if fetch is not None and operation == fetch.operation:
            return await self._fetch(value, backend, translator)
        if lookup is not None and operation == lookup.operation:
            found = or_fault(await backend.status(_text(value, lookup.case)))
            told = {element: found[key] for key, element in lookup.names.items() if found.get(key)}
            return translator.answer(operation, {**lookup.ok, **told})
        receipt: dict[str, str] = {}
        for act in translator.profile.acts(operation, value):
            receipt = or_fault(await backend.accept(act))
        return translator.receipt(operation, receipt)

    async def _fetch(self, value: dict[str, Any], backend: Backend, translator: SoapTranslator) -> bytes:
        fetch = self.words.fetch
        assert fetch is not None  # noqa: S101 - only called when the profile has it
        offset, length = int(_text(value, fetch.offset) or "0"), int(_text(value, fetch.length) or MAX_CHUNK)
        case, digest = _text(value, fetch.case), _text(value, fetch.sm3).lower()
        found = await backend.material(case, digest, offset, min(length, MAX_CHUNK))
        if isinstance(found, Problem):
            raise SoapRefused(fault_of(found))
        shell = translator.answer(fetch.operation, {**fetch.ok, fetch.total: str(found.total), fetch.data: ""})
        return _filled(shell, fetch.data, found)


def _filled(shell: bytes, name: str, found: Chunk) -> bytes:
    """Base64 is ASCII in every encoding we write, so a megabyte of it need not pass through the XML writer (20 ms)."""
    before, empty, after = shell.partition(f"<{name}></{name}>".encode("ascii"))
    if not empty:
        raise Untranslatable("answer-form", "答复没有放置内容的元素", "the answer has no element for the data", name)
    return b"%b<%b>%b</%b>%b" % (before, name.encode(), b64encode(found.data), name.encode(), after)
