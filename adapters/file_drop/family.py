"""Opens a ``file_drop`` platform from its profile: ``base_url`` is ``file://`` and the absolute path of the folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapters.base import Denied, Presented, Signed, Untranslatable
from adapters.documents import DocumentTranslator, read_form
from adapters.file_drop.channel import FileDrop
from adapters.file_drop.translate import read_words
from adapters.profile import Profile, compile_profile
from adapters.registry import Opening, Platform

SCHEME = "file://"
IN_FILES = Denied(
    "missing-signature", "此平台经文件交换，不直接调用", "this platform exchanges files and makes no calls"
)


def open_translator(profile: Profile, resources: Mapping[str, bytes], max_bytes: int = 16 << 20) -> DocumentTranslator:
    """The translator alone. Raises Untranslatable."""
    return DocumentTranslator(profile, read_form(profile), max_bytes)


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile or settings that cannot work."""
    settings, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    path = settings.base_url.removeprefix(SCHEME)
    if path == settings.base_url or not path.startswith("/"):
        raise Untranslatable("drop-address", f"base_url 应为 {SCHEME}/路径", f"base_url is {SCHEME}/path", "base_url")
    translator = open_translator(profile, opening.resources, settings.max_message_bytes)
    drop = FileDrop(Path(path), read_words(profile), translator, settings.can_ask)

    def authenticate(shown: Presented, now_ms: int) -> Signed | Denied:
        return IN_FILES

    return Platform(
        id=settings.id, family=profile.text.family, profile=profile.text.name, translator=translator, channel=drop,
        authenticate=authenticate, inbox=drop,
    )  # fmt: skip
