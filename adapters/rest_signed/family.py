"""Opens a ``rest_signed`` platform from its profile."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from adapters.base import Denied, Presented, Signed, Untranslatable
from adapters.profile import Profile, compile_profile
from adapters.registry import Opening, Platform
from adapters.rest_signed import sign
from adapters.rest_signed.channel import RestChannel
from adapters.rest_signed.translate import RestTranslator
from adapters.transport import AnswerForm, Line
from signing.errors import Malformed
from signing.keys import public_from_pem
from signing.sm2 import PublicKey


def _key(text: str) -> PublicKey:
    try:
        if text.lstrip().startswith("-----"):
            return public_from_pem(text.encode())
        return PublicKey.from_bytes(bytes.fromhex(text))
    except (Malformed, ValueError):
        raise Untranslatable("public-key-unreadable", "平台公钥读不出来", "a platform key cannot be read") from None


def open_translator(profile: Profile, resources: Mapping[str, bytes], max_bytes: int) -> RestTranslator:
    """The translator alone: it needs nothing but the profile."""
    return RestTranslator(profile, max_bytes)


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile or settings that cannot work."""
    settings, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    scheme = sign.read_scheme(profile.text.signing)
    try:
        answer = msgspec.convert(profile.text.answer, AnswerForm)
    except msgspec.ValidationError as error:
        raise Untranslatable("answer-unreadable", f"answer 有误：{error}", f"bad answer table: {error}") from None
    keys = {settings.app_id: tuple(_key(text) for text in settings.public_keys)}

    def authenticate(shown: Presented, now_ms: int) -> Signed | Denied:
        return sign.verify(scheme, opening.provider, shown, keys, now_ms, settings.window_ms)

    channel = RestChannel(
        line=Line(),
        base_url=settings.base_url,
        scheme=scheme,
        signer=opening.signer,
        app_id=settings.our_app_id,
        answer=answer,
        ask_path=profile.text.send.ask if settings.can_ask else "",
        new_nonce=opening.new_nonce,
        now_ms=opening.now_ms,
        connect_ms=settings.connect_timeout_ms,
        total_ms=settings.timeout_ms,
        max_answer=settings.max_answer_bytes,
    )
    return Platform(
        id=settings.id,
        family=profile.text.family,
        profile=profile.text.name,
        translator=open_translator(profile, opening.resources, settings.max_message_bytes),
        channel=channel,
        authenticate=authenticate,
        app_of=lambda headers: sign.app_of(scheme, headers),
        app_id=settings.app_id,
    )
