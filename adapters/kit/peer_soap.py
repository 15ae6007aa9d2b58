"""A platform of ``soap``, played (扮演 SOAP 平台): both dialects, by the profile's own envelope, XSD and words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any, Final

import msgspec

from adapters.base import Outbound, Outcome, Untranslatable, Wire
from adapters.kit.behaviour import BEHAVIOURS, Behaviour
from adapters.kit.cast import Answer, Cast, Heard, NotLooking
from adapters.registry import Platform
from adapters.soap import door
from adapters.soap.fault import Fault, SoapRefused, refuse
from adapters.soap.package import PackageTranslator, Told
from adapters.soap.translate import SoapTranslator
from adapters.soap.tree import to_bytes, to_element, to_value
from adapters.transport import AnswerForm
from schemas.errors import Invalid

MAX_BODY: Final = 8 << 20


class SoapPeer(NotLooking):
    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.form: AnswerForm = msgspec.convert(cast.profile.text.answer, AnswerForm)
        self._opened: dict[bool, Platform] = {}

    @property
    def translator(self) -> SoapTranslator | PackageTranslator:
        """The profile's, whichever dialect it is."""
        found = self._platform(False).translator
        assert isinstance(found, SoapTranslator | PackageTranslator)  # noqa: S101 - the family's two
        return found

    async def hear(self, heard: Heard, how: Behaviour) -> Answer:
        media, call = heard.header("content-type"), None
        translator = self.translator
        try:
            understood = () if isinstance(translator, PackageTranslator) else (self._entry(translator),)
            call = door.read(heard.body, media, heard.header("soapaction"), understood, MAX_BODY)
            door.check_operation(call, translator.words)
            said = (
                self._package(call, translator, how)
                if isinstance(translator, PackageTranslator)
                else self._element(call, translator, how)
            )
            answer = door.answer(said, call, translator.words)
        except SoapRefused as refused:
            answer = door.fault_answer(refused.fault, door.asked(heard.body, media, translator.encoding), call)
        except (Invalid, Untranslatable) as bad:
            fault = Fault("Client", bad.code, bad.zh, bad.en, bad.path)
            answer = door.fault_answer(fault, door.asked(heard.body, media, translator.encoding), call)
        return Answer(answer.status, answer.content_type, answer.body)

    # --- messages in the Body --------------------------------------------------------------------------------------------

    @staticmethod
    def _entry(translator: SoapTranslator) -> str:
        return f"{{{translator.words.namespace}}}{translator.words.credential}"

    def _element(self, call: door.Call, translator: SoapTranslator, how: Behaviour) -> bytes:
        words, own = translator.words, self.cast.settings
        entry = call.envelope.header.get(self._entry(translator))
        shown = to_value(entry) if entry is not None else {}
        if type(shown) is not dict or (shown.get(words.unit), shown.get(words.licence)) != (
            own.our_unit,
            own.our_licence,
        ):
            raise refuse("wrong-credential", "单位或许可证不符", "unit or licence is wrong")
        operation, value = call.operation, translator.value(call.envelope.body)
        answering = translator.writing(call.envelope.encoding)
        if words.query is not None and operation == words.query.operation:
            if how.moved:
                raise refuse("operation-unknown", "没有这个操作", "no such operation")
            kept = self.cast.desk.find(str(value.get(words.query.id, "")))
            absent = self.form.absent[0] if self.form.absent else ""
            return self._said(answering, operation, self.form.ok[0] if kept else absent, kept.reference if kept else "")
        if operation not in translator.profile.text.send.operations.values():
            raise refuse("operation-unknown", "没有这个操作", "no such operation")
        id_ = self.cast.mirror.told("id", value)
        kept, before = self.cast.desk.take(
            self.cast.note(id_, operation, to_bytes(call.envelope.body, "utf-8"), value), how
        )
        code = self.form.duplicate[0] if before and self.form.duplicate else self.form.ok[0]
        return self._said(answering, operation, code, kept.reference)

    def _said(self, translator: SoapTranslator, operation: str, code: str, reference: str) -> bytes:
        """The answer, its elements in the order that the XSD wants."""
        told = {self.form.code: code, self.form.message: "已收到" if reference else "没有"}
        told |= {self.form.reference: reference} if reference else {}
        for order in permutations(told):
            try:
                return translator.answer(operation, {name: told[name] for name in order})
            except Untranslatable:
                continue
        return translator.answer(operation, {self.form.code: code})

    # --- packages --------------------------------------------------------------------------------------------------------

    def _package(self, call: door.Call, translator: PackageTranslator, how: Behaviour) -> bytes:
        given, words = to_value(call.envelope.body), translator.words
        parts = given if type(given) is dict else {}
        if how.moved and call.operation not in translator.profile.text.doors[::2]:
            raise refuse("operation-unknown", "没有这个操作", "no such operation")
        answering = translator.writing(call.envelope.encoding)
        if parts.get(words.licence) != self.cast.settings.our_licence:
            return answering.answer(call.operation, translator.reply(None, [Told(words.codes.licence, "授权码不符")]))
        try:
            package = translator.read(str(parts.get(words.document, "")))
        except (Invalid, Untranslatable) as bad:
            return answering.answer(call.operation, translator.reply(None, [Told(words.codes.refused, bad.zh[:200])]))
        told = [self._record(call.operation, one, translator, how) for one in translator.records(package)]
        return answering.answer(call.operation, translator.reply(package.get(words.head), told))

    def _record(self, operation: str, one: Mapping[str, Any], translator: PackageTranslator, how: Behaviour) -> Told:
        record = one["DATA"]["RECORD"]
        no, sid = record.get("@no", ""), record.get("@sid", "")
        data = to_bytes(to_element("", translator.words.root, dict(one)), "utf-8")
        self.cast.desk.take(self.cast.note(f"{operation}/{sid}", operation, data, one), how)
        return Told(translator.words.codes.ok, "已收到", no, sid)

    # --- to the gateway --------------------------------------------------------------------------------------------------

    async def tell(self, out: Outbound, case: str, how: Behaviour) -> Outcome:
        operation, message = self.cast.mirror.message(out, case)
        name = f"V2{operation}" if how.moved else operation
        translator = self.translator
        if isinstance(translator, PackageTranslator):
            body = to_bytes(to_element("", translator.words.root, message), "utf-8")
        else:
            body = translator.written_as(name, message).encoded(translator.encoding)
        wire = Wire(id=out.id, operation=name, body=body, content_type=f"text/xml; charset={translator.encoding}")
        return await self._platform(how.foreign_id).channel.send(wire)

    def _platform(self, foreign: bool) -> Platform:
        if foreign not in self._opened:
            how = BEHAVIOURS["wrong-signer-id" if foreign else "good"]
            base = self.cast.gateway.rstrip("/") or "http://127.0.0.1:9"
            self._opened[foreign] = self.cast.exchanged(f"{base}/platform/v1/soap/{self.cast.profile.text.name}", how)
        return self._opened[foreign]

    async def close(self) -> None:
        for platform in self._opened.values():
            await platform.channel.close()
