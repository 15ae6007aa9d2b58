"""Opens a ``front_db`` platform from its profile: ``base_url`` is ``sqlite:///`` and the absolute path of the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapters.base import Denied, Presented, Signed, Untranslatable
from adapters.documents import DocumentTranslator, read_form
from adapters.front_db.channel import FrontDb
from adapters.front_db.translate import read_words, statements, types_of
from adapters.profile import Profile, compile_profile
from adapters.registry import Opening, Platform

SCHEME = "sqlite://"
IN_ROWS = Denied(
    "missing-signature", "此平台经前置库交换，不直接调用", "this platform exchanges rows and makes no calls"
)


def open_translator(profile: Profile, resources: Mapping[str, bytes], max_bytes: int = 16 << 20) -> DocumentTranslator:
    """The translator alone. Raises Untranslatable."""
    return DocumentTranslator(profile, read_form(profile), max_bytes)


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile or settings that cannot work."""
    settings, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    path = settings.base_url.removeprefix(SCHEME)
    if path == settings.base_url or not path.startswith("/"):
        raise Untranslatable("front-address", f"base_url 应为 {SCHEME}/路径", f"base_url is {SCHEME}/path", "base_url")
    words, types = read_words(profile), types_of(profile)
    translator = open_translator(profile, opening.resources, settings.max_message_bytes)
    front = FrontDb(
        Path(path), words, statements(words, len(types)), types, translator, opening.now_ms, settings.can_ask,
        settings.connect_timeout_ms,
    )  # fmt: skip

    def authenticate(shown: Presented, now_ms: int) -> Signed | Denied:
        return IN_ROWS

    return Platform(
        id=settings.id, family=profile.text.family, profile=profile.text.name, translator=translator, channel=front,
        authenticate=authenticate, inbox=front,
    )  # fmt: skip
