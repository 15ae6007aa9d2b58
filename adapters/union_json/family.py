"""Opens a ``union_json`` platform from its profile: its calls, our door for its calls, and what we fetch where it gives lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.base import Denied, Presented, Signed, Untranslatable
from adapters.profile import Profile, compile_profile
from adapters.registry import Opening, Platform
from adapters.rest_signed import family as signed
from adapters.rest_signed import keys, sign
from adapters.transport import Line, web_address
from adapters.union_json.answers import read_form
from adapters.union_json.attachments import Collector
from adapters.union_json.channel import UnionChannel
from adapters.union_json.credentials import Credentials, Signing, query_of
from adapters.union_json.inbox import UnionInbox
from adapters.union_json.service import UnionService
from adapters.union_json.translate import UnionTranslator
from adapters.union_json.words import read_words


def open_translator(profile: Profile, resources: Mapping[str, bytes], max_bytes: int = 1 << 20) -> UnionTranslator:
    """The translator alone. Raises Untranslatable."""
    read_form(profile)
    return UnionTranslator(profile, read_words(profile), max_bytes)


def needs_tls(profile: Mapping[str, Any]) -> bool:
    """See ``adapters.registry.needs_tls``: a token covers nothing."""
    signing = profile.get("signing")
    return "token" in profile.get("union", {}) or (bool(signing) and signed.needs_tls(profile))


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile or settings that cannot work."""
    own, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    translator = open_translator(profile, opening.resources, own.max_message_bytes)
    credentials = _credentials(opening, translator)
    channel = UnionChannel(
        line=Line(),
        translator=translator,
        form=read_form(profile),
        base_url=web_address(own.base_url),
        credentials=credentials,
        can_ask=own.can_ask,
        connect_ms=own.connect_timeout_ms,
        total_ms=own.timeout_ms,
        max_answer=own.max_answer_bytes,
    )
    collector = Collector(channel)

    def authenticate(shown: Presented, now_ms: int) -> Signed | Denied:
        return credentials.judge(shown, query_of(shown.raw_query), now_ms)

    return Platform(
        id=own.id, family=profile.text.family, profile=profile.text.name, translator=translator, channel=channel,
        authenticate=authenticate, union=UnionService(translator, collector),
        inbox=UnionInbox(channel, collector) if translator.words.fetch else None,
    )  # fmt: skip


def _credentials(opening: Opening, translator: UnionTranslator) -> Credentials:
    """Raises Untranslatable where nothing would tell who calls."""
    own, token, table = opening.settings, translator.words.token, translator.profile.text.signing
    ours, theirs = (opening.secrets.get(name, b"").decode("utf-8", "replace") for name in ("token", "their_token"))
    if token is None and not table:
        raise _bad("union.token", "须有令牌或签名", "a token or a signature is needed")
    if token is not None and not (16 <= len(theirs) <= 512 and 1 <= len(ours) <= 512 and (ours + theirs).isprintable()):
        zh = "secrets 里须有 token 与 their_token（后者至少十六字）"
        raise _bad("secrets", zh, "secrets need token and their_token (sixteen characters or more)")
    signing = None
    if table:
        scheme = sign.read_scheme(table)
        known = {own.app_id: keys.verifying(scheme.algorithm, own.public_keys, opening.secrets)}
        signing = Signing(
            scheme, keys.signing(scheme.algorithm, opening.secrets, opening.signer), opening.provider, known,
            own.our_app_id, own.app_id, own.window_ms, opening.new_nonce, opening.now_ms,
        )  # fmt: skip
    return Credentials(token, ours, theirs, signing)


def _bad(where: str, zh: str, en: str) -> Untranslatable:
    return Untranslatable("union-unreadable", f"{where}：{zh}", f"{where}: {en}", where)
