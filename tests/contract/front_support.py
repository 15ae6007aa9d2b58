"""Front databases for tests: the same two tables on SQLite, PostgreSQL and MariaDB, the city's own hands on them, and ours with no
more rights than docs/howto/rows-and-files.md grants."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.base import Act, Problem, Wire
from adapters.front_db.channel import FrontDb
from adapters.registry import Platform, PlatformSettings, open_platform
from gateway.demo import world
from tests.contract import front_servers, front_stores
from tests.unit.adapters.support import PROFILES, PROVIDER

sys.path.insert(0, str(Path(world.__file__).parent / "platforms"))
import front_hall

ONE = Wire(id="M1", operation="10", body=b"<Case/>")
CASE = "420104.11420104MB0000000X/0195-1"
TEXT = {"sqlite": "CLOB", "postgresql": "TEXT", "mariadb": "LONGTEXT"}
LOCK = {
    "sqlite": "BEGIN EXCLUSIVE",
    "postgresql": "BEGIN; LOCK TABLE provinceinfo IN ACCESS EXCLUSIVE MODE",
    "mariadb": "LOCK TABLES provinceinfo WRITE, provinceinfosync WRITE",
}
UNLOCK = {"sqlite": "ROLLBACK", "postgresql": "ROLLBACK", "mariadb": "UNLOCK TABLES"}


class Desk:
    """What the gateway does with acts: remembers them, or does as told."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.originals: list[bytes] = []
        self.answers: Callable[[Act], Problem | None] = lambda act: None

    def __call__(self, original: bytes) -> Any:
        self.originals.append(original)
        return self

    async def accept(self, act: Act) -> dict[str, str] | Problem:
        found = self.answers(act)
        if found is None:
            self.acts.append(act)
        return found or {"case_id": act.case, "message_id": f"M{len(self.acts)}", "received_at": "t", "text": "已收件"}


def opened(url: str, secret: bytes = b"", profile: bytes | None = None, **settings: Any) -> Platform:
    given = PlatformSettings(id="fz", profile="fujian_front", base_url=url, **settings)
    data = profile or (PROFILES / "fujian_front.toml").read_bytes()
    secrets = {"password": secret} if secret else {}
    return open_platform(given, data, {}, lambda: None, PROVIDER, str, lambda: 1_740_965_400_000, secrets)  # type: ignore[arg-type,return-value]


@dataclass
class Place:
    """One front database. ``store`` are the city's hands."""

    kind: str
    url: str
    store: front_stores.Store
    server: front_servers.Server | None = None

    def hall(self) -> front_hall.Hall:
        return front_hall.Hall(self.store)

    def front(self, profile: bytes | None = None, **settings: Any) -> FrontDb:
        """Ours."""
        given = {"url": self.url, "secret": front_servers.PASSWORD.encode()} | settings
        found = opened(profile=profile, **given).channel
        assert isinstance(found, FrontDb)
        return found

    def lock(self) -> None:
        for statement in LOCK[self.kind].split("; "):
            self.store.execute(statement)

    def unlock(self) -> None:
        self.store.execute(UNLOCK[self.kind])

    def tables(self) -> None:
        """Empty ones, with the rights that a gateway needs."""
        for table in ("provinceinfo", "provinceinfosync"):
            self.store.execute(f"DROP TABLE IF EXISTS {table}")
        for statement in front_stores.TABLES.format(text=TEXT[self.kind]).split(";"):
            self.store.execute(statement.strip())
        if self.server is not None:
            for statement in front_stores.GRANTS.format(user="tongban").split("; "):
                self.store.execute(statement)


def in_file(folder: Path) -> Place:
    place = Place("sqlite", f"sqlite://{folder / 'front.db'}", front_stores.Sqlite(str(folder / "front.db")))
    place.tables()
    return place


def on_server(server: front_servers.Server) -> Place:
    """The database, its user, and empty tables."""
    admin = server.admin()
    quoted = front_servers.PASSWORD.replace("'", "''")
    try:
        if server.kind == "postgresql":
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = 'front'"):
                admin.execute("CREATE DATABASE front")
                admin.execute(f"CREATE USER tongban PASSWORD '{quoted}'")
        else:
            slashed = quoted.replace("\\", "\\\\")
            admin.execute("CREATE DATABASE IF NOT EXISTS front CHARACTER SET utf8mb4")
            admin.execute(f"CREATE USER IF NOT EXISTS tongban IDENTIFIED BY '{slashed}'")
    finally:
        admin.close()
    place = Place(server.kind, server.url(), server.admin("front"), server)
    place.tables()
    return place


@asynccontextmanager
async def fronted(place: Place, **settings: Any) -> AsyncIterator[FrontDb]:
    """Ours, closed at the end."""
    front = place.front(**settings)
    try:
        yield front
    finally:
        await front.close()


def profile(*pairs: tuple[str, str]) -> bytes:
    """The profile with some words replaced."""
    text = (PROFILES / "fujian_front.toml").read_text("utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text.encode()
