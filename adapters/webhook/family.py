"""Opens a ``webhook`` platform from its profile: ``base_url`` is the registered endpoint, ``addresses`` where it may be."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.base import Untranslatable
from adapters.profile import Profile, compile_profile
from adapters.registry import Opening, Platform
from adapters.rest_signed import keys, sign
from adapters.taking import never_calls
from adapters.transport import Line
from adapters.webhook.address import address_of, permitted, read_endpoint, read_registered
from adapters.webhook.channel import WebhookChannel, addresses
from adapters.webhook.translate import WebhookTranslator, Words, read_words


def open_translator(profile: Profile, resources: Mapping[str, bytes], max_bytes: int = 16 << 20) -> WebhookTranslator:
    """The translator alone. Raises Untranslatable."""
    return WebhookTranslator(profile, read_words(profile))


def read_signing(profile: Profile, words: Words) -> sign.Scheme:
    """The scheme, which has to cover body, delivery and event. Raises Untranslatable."""
    scheme = sign.read_scheme(profile.text.signing)
    bare = {words.delivery, words.event, "content-type"} - set(scheme.covered)
    if bare or sign.SCHEMES[scheme.scheme].tls or scheme.envelope is not None:
        zh, en = (
            f"签名须覆盖报文与请求头 {'、'.join(sorted(bare))}",
            f"the signature must cover the body and {', '.join(sorted(bare))}",
        )
        raise Untranslatable("signing-uncovered", zh, en, "signing.covered")
    return scheme


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile or settings that cannot work."""
    settings, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    words = read_words(profile)
    scheme = read_signing(profile, words)
    endpoint, registered = read_endpoint(settings.base_url, lab=opening.lab), read_registered(settings.addresses)
    literal = address_of(endpoint.host)
    if literal and not permitted(literal, registered):
        zh, en = "此地址不是公网地址，须在 addresses 中登记", "no public address: register it under addresses"
        raise Untranslatable("address-not-registered", zh, en, "base_url")

    channel = WebhookChannel(
        line=Line(),
        endpoint=endpoint,
        registered=registered,
        lookup=addresses,
        words=words,
        scheme=scheme,
        signer=keys.signing(scheme.algorithm, opening.secrets, opening.signer),
        in_machine=lambda: scheme.algorithm == "SM2" and opening.signer().kind == "machine",
        app_id=settings.our_app_id,
        them=settings.app_id,
        new_nonce=opening.new_nonce,
        now_ms=opening.now_ms,
        connect_ms=settings.connect_timeout_ms,
        total_ms=settings.timeout_ms,
    )
    return Platform(
        id=settings.id, family=profile.text.family, profile=profile.text.name, translator=WebhookTranslator(profile, words),
        channel=channel, authenticate=never_calls,
    )  # fmt: skip
