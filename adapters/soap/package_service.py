"""The SOAP door of a platform whose documents travel as text: a code inside the answer for whatever is wrong inside.

Only what is no call of this service at all is a fault. Order: envelope, operation, licence (before the document is looked
at), document, required parts, schema, then the records one by one: one that is refused does not hold up its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.base import Backend, Problem, Untranslatable
from adapters.soap import door
from adapters.soap.door import Answer, Call, Tell
from adapters.soap.fault import Fault, SoapRefused, refuse
from adapters.soap.package import Lacking, PackageTranslator, PackageWords, Told, build_xsd
from adapters.soap.translate import check
from adapters.soap.tree import to_value
from adapters.soap.wsdl import Described, build_wsdl
from schemas.errors import Invalid
from schemas.validate import Schema
from signing.sm3 import same

WRONG_LICENCE = Fault("Client", "wrong-credential", "授权码不符", "the licence is wrong")


@dataclass(frozen=True, slots=True)
class PackageService:
    """``licence``: what the platform must show; empty: nobody is let in. ``calls``: the XSD of the operations."""

    translator: PackageTranslator
    licence: str
    calls: Schema
    max_bytes: int

    @property
    def words(self) -> PackageWords:
        return self.translator.words

    def wsdl(self, address: str) -> bytes:
        """The description served at ``?wsdl``, with this address."""
        text = self.translator.profile.text
        described = Described(self.words, text.doors, f"{text.title}。{text.notice}")
        return build_wsdl(described, build_xsd(self.words, text.doors), address)

    async def serve(
        self, payload: bytes, content_type: str, soap_action: str, backend: Backend, tell: Tell = lambda fault: fault
    ) -> Answer:
        """Answer one request; see ``adapters.soap.service.Service.serve``."""
        call: Call | None = None
        try:
            call = door.read(payload, content_type, soap_action, (), self.max_bytes)
            door.check_operation(call, self.words)
            if call.operation not in self.translator.profile.text.doors:
                raise refuse("operation-unknown", "没有这个操作", "no such operation")
            check(self.calls, call.envelope.body)
            said = await self._answer(call.operation, to_value(call.envelope.body), backend, tell)
            body = self.translator.writing(call.envelope.encoding).answer(call.operation, said)
            return door.answer(body, call, self.words)
        except SoapRefused as refused:
            fault = refused.fault
        except (Invalid, Untranslatable) as bad:
            fault = Fault("Client", bad.code, bad.zh, bad.en, bad.path)
        return door.fault_answer(fault, door.asked(payload, content_type, self.translator.encoding), call, tell)

    async def _answer(self, operation: str, given: Mapping[str, str], backend: Backend, tell: Tell) -> str:
        """The document of the answer."""
        shown = given.get(self.words.licence, "").encode()
        if not self.licence or not same(shown, self.licence.encode()):
            return self.translator.reply(None, [self._told(WRONG_LICENCE, tell, code=self.words.codes.licence)])
        try:
            package = self.translator.read(given.get(self.words.document, ""))
        except (Invalid, Untranslatable) as bad:
            return self.translator.reply(bad.head if isinstance(bad, Lacking) else None, [self._refused(bad, tell)])
        told = [await self._record(one, backend, tell) for one in self.translator.acts(operation, package)]
        return self.translator.reply(_head(package, self.words.head), told)

    async def _record(self, one: tuple[str, str, Any], backend: Backend, tell: Tell) -> Told:
        no, sid, acts = one
        if isinstance(acts, Untranslatable | Invalid):
            return self._refused(acts, tell, no, sid)
        text = ""
        for act in acts:
            found = await backend.accept(act)
            if isinstance(found, Problem):
                return self._problem(found, no, sid)
            text = found.get("text", "")
        return Told(self.words.codes.ok, text, no, sid)

    def _problem(self, problem: Problem, no: str, sid: str) -> Told:
        fields, codes = problem.fields, self.words.codes
        parts = [fields.get("detail") or fields.get("title", ""), fields.get("code", ""), fields.get("trace_id", "")]
        return Told(codes.busy if problem.busy else codes.refused, _sentence(parts), no, sid)

    def _refused(self, bad: Untranslatable | Invalid, tell: Tell, no: str = "", sid: str = "") -> Told:
        fault = Fault("Client", bad.code, bad.zh, bad.en, bad.path)
        return self._told(fault, tell, no, sid, bad.answer if isinstance(bad, Lacking) else "")

    def _told(self, fault: Fault, tell: Tell, no: str = "", sid: str = "", code: str = "") -> Told:
        """A refusal in the platform's own code; ``tell`` adds our number and where it stands in the log."""
        full = tell(fault)
        said = fault.zh if not fault.path or fault.path in fault.zh else f"{fault.path}：{fault.zh}"
        chosen = code or self.words.codes.reasons.get(fault.code, self.words.codes.refused)
        return Told(chosen, _sentence([said, full.code if full.code != fault.code else "", full.trace_id]), no, sid)


def _sentence(parts: list[str]) -> str:
    said, *more = parts
    known = "，".join(one for one in more if one)
    return (f"{said}（{known}）" if known else said)[:200]


def _head(package: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    head = package.get(name)
    return head if isinstance(head, Mapping) else None
