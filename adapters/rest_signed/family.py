"""Opens a ``rest_signed`` platform from its profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from adapters.base import Denied, Presented, Signed, Untranslatable
from adapters.profile import Profile, compile_profile
from adapters.registry import Opening, Platform
from adapters.rest_signed import envelope, keys, sign
from adapters.rest_signed.channel import RestChannel
from adapters.rest_signed.scheme import Envelope
from adapters.rest_signed.translate import RestTranslator
from adapters.transport import AnswerForm, Line, web_address
from signing.sm2 import PublicKey

Authenticate = Callable[[Presented, int], Signed | Denied]


def open_translator(profile: Profile, resources: Mapping[str, bytes], max_bytes: int) -> RestTranslator:
    """The translator alone: it needs nothing but the profile."""
    return RestTranslator(profile, max_bytes)


def needs_tls(profile: Mapping[str, Any]) -> bool:
    """See ``adapters.registry.needs_tls``."""
    return sign.SCHEMES[sign.read_scheme(profile.get("signing", {})).scheme].tls


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile or settings that cannot work."""
    settings, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    scheme = sign.read_scheme(profile.text.signing)
    try:
        answer = msgspec.convert(profile.text.answer, AnswerForm)
    except msgspec.ValidationError as error:
        raise Untranslatable("answer-unreadable", f"answer 有误：{error}", f"bad answer table: {error}") from None
    channel = RestChannel(
        line=Line(),
        base_url=web_address(settings.base_url),
        scheme=scheme,
        signer=keys.signing(scheme.algorithm, opening.secrets, opening.signer),
        wrap=_wrap(opening, scheme.envelope) if scheme.envelope else lambda body: body,
        in_machine=_in_machine(opening, scheme.algorithm == "SM2" or scheme.envelope is not None),
        app_id=settings.our_app_id,
        them=settings.app_id,
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
        authenticate=_authenticate(opening, scheme),
        app_of=lambda headers: sign.app_of(scheme, headers),
        app_id=settings.app_id,
    )


def _in_machine(opening: Opening, ours: bool) -> Callable[[], bool]:
    """Whether what signs now lives in a cryptographic machine."""
    return lambda: ours and opening.signer().kind == "machine"


def _authenticate(opening: Opening, scheme: sign.Scheme) -> Authenticate:
    settings, provider = opening.settings, opening.provider
    known = {settings.app_id: keys.verifying(scheme.algorithm, settings.public_keys, opening.secrets)}

    def who(shown: Presented, now_ms: int) -> Signed | Denied:
        return sign.verify(scheme, provider, shown, known, now_ms, settings.window_ms, settings.our_app_id)

    return _opening(opening, scheme.envelope, who) if scheme.envelope else who


# --- encrypted bodies -------------------------------------------------------------------------------------------------


def _body_key(opening: Opening) -> bytes:
    """The 16 bytes of SM4 behind ``secrets.body_key``, written as 32 hex digits."""
    written = keys.secret_of(opening.secrets, "body_key")
    try:
        key = bytes.fromhex(written.decode())
    except ValueError:
        key = b""
    if len(key) != envelope.KEY:
        zh, en = "secrets.body_key 须为 32 位十六进制的 SM4 密钥", "secrets.body_key is an SM4 key of 32 hex digits"
        raise Untranslatable("secret-short", zh, en, "secrets.body_key")
    return key


def _wrap(opening: Opening, form: Envelope) -> Callable[[bytes], bytes]:
    """Puts a body of ours into an envelope, each time with a fresh IV."""
    key, app = _body_key(opening), opening.settings.our_app_id

    def wrap(body: bytes) -> bytes:
        now_ms, random = opening.now_ms(), opening.provider.random(envelope.IV)
        return envelope.close(form, opening.signer(), key, body, app=app, time_ms=now_ms, random=random)

    return wrap


def _opening(opening: Opening, form: Envelope, who: Authenticate) -> Authenticate:
    """Who sent a request, and for a POST what its envelope holds. Ranges of files go as they are, proved by their headers."""
    settings, key = opening.settings, _body_key(opening)
    theirs = cast("tuple[PublicKey, ...]", keys.verifying("SM2", settings.public_keys, {}))

    def opened(shown: Presented, now_ms: int) -> Signed | Denied:
        signed = who(shown, now_ms)
        if isinstance(signed, Denied) or shown.method != "POST":
            return signed
        window_ms, body = settings.window_ms, shown.body
        clear = envelope.open_(
            form, opening.provider, theirs, key, body, app=signed.app_id, now_ms=now_ms, window_ms=window_ms
        )
        return clear if isinstance(clear, Denied) else msgspec.structs.replace(signed, content=clear)

    return opened
