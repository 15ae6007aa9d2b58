"""Opens a collector of case data (办件归集) from its profile; ``base_url`` says which database (see ``front_db``),
``secrets.password`` is its user's password."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.base import Denied, Presented, Signed
from adapters.front_db.family import database_of
from adapters.national_push.channel import Collector
from adapters.national_push.translate import PIECE, RowsTranslator, columns, read_words, rows_of
from adapters.profile import Profile, compile_profile
from adapters.registry import Collecting, Opening, Platform

SAYS_NOTHING = Denied("missing-signature", "归集库只接收数据，不调用网关", "a collector of case data makes no calls")


def open_translator(profile: Profile, resources: Mapping[str, bytes], max_bytes: int = 0) -> RowsTranslator:
    """The translator alone. Raises Untranslatable."""
    return RowsTranslator(profile, read_words(profile))


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile or settings that cannot work."""
    settings, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    translator = open_translator(profile, opening.resources)
    words, (kind, database) = translator.words, database_of(opening)
    own = (words.key, *columns(profile.outward[PIECE]), *words.ours)
    names = {name: tuple(dict.fromkeys((*own, *columns(profile.outward[name])))) for name in words.tables}
    collector = Collector(database, kind, words, names, settings.can_ask)

    def authenticate(shown: Presented, now_ms: int) -> Signed | Denied:
        return SAYS_NOTHING

    return Platform(
        id=settings.id, family=profile.text.family, profile=profile.text.name, translator=translator, channel=collector,
        authenticate=authenticate, reach=collector.reach,
        collecting=Collecting(
            frozenset(words.events), words.every_ms / 1000, collector.held, rows_of, words.key, words.case, words.time,
            frozenset(name for name, table in words.tables.items() if table.once),
        ),
    )  # fmt: skip
