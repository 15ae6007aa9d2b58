"""Opens a ``soap`` platform from its profile: translator, channel and the service its callers reach.

Two dialects: messages stand in the Body as XML, or travel as the text argument of an operation (``[soap] document``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from adapters.base import Denied, Presented, Signed, Untranslatable
from adapters.inlined import inlined
from adapters.profile import Profile, compile_profile
from adapters.registry import Opening, Platform
from adapters.soap.caller import Caller
from adapters.soap.channel import SoapChannel
from adapters.soap.door import Endpoint
from adapters.soap.package import PackageTranslator, PackageWords, build_xsd
from adapters.soap.package_channel import PackageChannel
from adapters.soap.package_service import PackageService
from adapters.soap.service import Service
from adapters.soap.translate import SoapTranslator, Words
from adapters.stylesheet import named, none_named
from adapters.transport import AnswerForm, Line, web_address
from schemas.errors import Invalid
from schemas.validate import Schema, compile_xsd

IN_ENVELOPE = Denied(
    "missing-signature", "此平台在 SOAP 信封内鉴权", "this platform authenticates inside its SOAP envelope"
)
_Table = TypeVar("_Table")


def _table(given: Mapping[str, Any], kind: type[_Table], name: str) -> _Table:
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise Untranslatable("soap-unreadable", f"{name} 有误：{error}", f"bad table {name}: {error}", name) from None


def open_translator(
    profile: Profile, resources: Mapping[str, bytes], max_bytes: int = 16 << 20
) -> SoapTranslator | PackageTranslator:
    """The translator of a profile, with its XSD compiled. Raises Untranslatable."""
    table, transform = profile.text.soap, profile.text.transform
    if "document" in table:
        none_named(transform.inward, transform.outward)
        package = _table(table, PackageWords, "soap")
        return PackageTranslator(profile, package, _schema(resources, package), max_bytes)
    words = _table(table, Words, "soap")
    coming, going = (named(name, resources) for name in (transform.inward, transform.outward))
    return SoapTranslator(profile, words, _schema(resources, words), max_bytes, coming, going)


def _schema(resources: Mapping[str, bytes], words: Endpoint) -> Schema:
    xsd = resources.get(words.schema)
    if xsd is None:
        raise Untranslatable("schema-missing", f"缺少文件 {words.schema}", f"{words.schema} is missing", "soap.schema")
    return _compiled(xsd)


def _compiled(xsd: bytes) -> Schema:
    try:
        return compile_xsd(xsd)
    except Invalid as bad:
        raise Untranslatable(bad.code, bad.zh, bad.en, "soap.schema") from None


def service_of(
    translator: SoapTranslator | PackageTranslator, resources: Mapping[str, bytes], unit: str = "", licence: str = ""
) -> Service | PackageService:
    """The door for the platform's calls; without a licence nobody is let in."""
    if isinstance(translator, PackageTranslator):
        calls = _compiled(build_xsd(translator.words, translator.profile.text.doors))
        return PackageService(translator, licence, calls, translator.max_bytes)
    return Service(translator, unit, licence, resources[translator.words.schema], translator.max_bytes)


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile, an XSD or settings that cannot work."""
    settings, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    translator = open_translator(profile, opening.resources, settings.max_message_bytes)
    answer = _table(profile.text.answer, AnswerForm, "answer")
    caller = _caller(opening, translator.words, translator.encoding)
    channel: SoapChannel | PackageChannel
    files = None
    if isinstance(translator, PackageTranslator):
        files = inlined(profile, "UTF-8", settings.max_message_bytes)
        channel = PackageChannel(caller, translator, settings.our_licence, answer)
    else:
        channel = SoapChannel(caller, translator, settings.our_unit, settings.our_licence, answer, settings.can_ask)

    def authenticate(shown: Presented, now_ms: int) -> Signed | Denied:
        return IN_ENVELOPE

    return Platform(
        id=settings.id,
        family=profile.text.family,
        profile=profile.text.name,
        translator=translator,
        channel=channel,
        authenticate=authenticate,
        inlined=files,
        service=service_of(translator, opening.resources, settings.unit, settings.licence),
    )


def _caller(opening: Opening, words: Endpoint, encoding: str) -> Caller:
    """The way to the platform's endpoint."""
    own = opening.settings
    times = (own.connect_timeout_ms, own.timeout_ms, own.max_answer_bytes)
    return Caller(Line(), web_address(own.base_url, query=True), words, encoding, *times)
