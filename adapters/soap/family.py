"""Opens a ``soap`` platform from its profile: translator, channel and the service its callers reach."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from adapters.base import Denied, Presented, Signed, Untranslatable
from adapters.profile import Profile, compile_profile
from adapters.registry import Opening, Platform
from adapters.soap.caller import Caller
from adapters.soap.channel import SoapChannel
from adapters.soap.door import Endpoint
from adapters.soap.service import Service
from adapters.soap.translate import SoapTranslator, Words
from adapters.transport import AnswerForm, Line
from schemas.errors import Invalid
from schemas.validate import compile_xsd

IN_ENVELOPE = Denied(
    "missing-signature", "此平台在 SOAP 信封内鉴权", "this platform authenticates inside its SOAP envelope"
)


def open_translator(profile: Profile, resources: Mapping[str, bytes], max_bytes: int) -> SoapTranslator:
    """The translator alone. Raises Untranslatable for a ``soap`` table or an XSD that cannot work."""
    try:
        words = msgspec.convert(profile.text.soap, Words)
    except msgspec.ValidationError as error:
        raise Untranslatable("soap-unreadable", f"soap 有误：{error}", f"bad soap table: {error}") from None
    xsd = resources.get(words.schema)
    if xsd is None:
        raise Untranslatable("schema-missing", f"缺少文件 {words.schema}", f"{words.schema} is missing", "soap.schema")
    try:
        return SoapTranslator(profile, words, compile_xsd(xsd), max_bytes)
    except Invalid as bad:
        raise Untranslatable(bad.code, bad.zh, bad.en, "soap.schema") from None


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile, an XSD or settings that cannot work."""
    settings, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    try:
        answer = msgspec.convert(profile.text.answer, AnswerForm)
    except msgspec.ValidationError as error:
        raise Untranslatable("answer-unreadable", f"answer 有误：{error}", f"bad answer table: {error}") from None
    translator = open_translator(profile, opening.resources, settings.max_message_bytes)
    xsd = opening.resources[translator.words.schema]

    def authenticate(shown: Presented, now_ms: int) -> Signed | Denied:
        return IN_ENVELOPE

    channel = SoapChannel(
        caller=calls(opening, translator.words, translator.encoding),
        translator=translator,
        unit=settings.our_unit,
        licence=settings.our_licence,
        answer=answer,
        can_ask=settings.can_ask,
    )
    return Platform(
        id=settings.id,
        family=profile.text.family,
        profile=profile.text.name,
        translator=translator,
        channel=channel,
        authenticate=authenticate,
        service=Service(translator, settings.unit, settings.licence, xsd, settings.max_message_bytes),
    )


def calls(opening: Opening, words: Endpoint, encoding: str) -> Caller:
    """The way to the platform's endpoint."""
    own = opening.settings
    times = (own.connect_timeout_ms, own.timeout_ms, own.max_answer_bytes)
    return Caller(Line(), own.base_url, words, encoding, *times)
