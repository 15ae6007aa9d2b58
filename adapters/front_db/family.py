"""Opens a ``front_db`` platform from its profile; ``base_url`` says which database (see ``address``), ``secrets.password`` is its
user's password."""

from __future__ import annotations

from pathlib import Path

from adapters.documents import open_translator
from adapters.front_db import mariadb, postgresql, sqlite
from adapters.front_db.address import read_address
from adapters.front_db.channel import FrontDb
from adapters.front_db.database import Database
from adapters.front_db.translate import read_words, statements, types_of
from adapters.profile import compile_profile
from adapters.registry import Opening, Platform
from adapters.taking import never_calls

SERVERS = {"postgresql": postgresql.database, "mariadb": mariadb.database}


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile or settings that cannot work."""
    settings, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    kind, database = database_of(opening)
    words, types = read_words(profile), types_of(profile)
    translator = open_translator(profile, opening.resources, settings.max_message_bytes)
    sql = statements(words, len(types), kind, translator.form.column)
    front = FrontDb(settings.id, database, words, sql, types, translator, opening.now_ms, settings.can_ask)
    return Platform(
        id=settings.id, family=profile.text.family, profile=profile.text.name, translator=translator, channel=front,
        authenticate=never_calls, inbox=front, reach=front.reach,
    )  # fmt: skip


def database_of(opening: Opening) -> tuple[str, Database]:
    """The kind of database that ``base_url`` names, and the way to it. Raises Untranslatable."""
    settings, address = opening.settings, read_address(opening.settings.base_url)
    if address.kind == "sqlite":
        return address.kind, sqlite.database(Path(address.database), settings.connect_timeout_ms)
    password = opening.secrets.get("password", b"")
    connect = SERVERS[address.kind]
    return address.kind, connect(address, password, settings.connect_timeout_ms, settings.timeout_ms)
