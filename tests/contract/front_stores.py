"""How the simulated city reaches its own database: raw drivers, nothing of ours. ``?`` stands for a value, as in SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from itertools import count
from typing import Any, Protocol

TABLES = """
CREATE TABLE provinceinfo (
  unid VARCHAR(64) PRIMARY KEY, type VARCHAR(8) NOT NULL, content {text}, createtime VARCHAR(32) NOT NULL,
  fromareacode VARCHAR(16), fromareaname VARCHAR(64), toareacode VARCHAR(16), toareaname VARCHAR(64));
CREATE TABLE provinceinfosync (
  unid VARCHAR(64) PRIMARY KEY, type VARCHAR(8), updatetime VARCHAR(32), content {text}, createtime VARCHAR(32),
  fromareacode VARCHAR(16), toareacode VARCHAR(16), etype VARCHAR(8))
"""
GRANTS = "GRANT SELECT, INSERT ON provinceinfo TO {user}; GRANT SELECT, INSERT ON provinceinfosync TO {user}"


class Rows(list[tuple[Any, ...]]):
    """What a statement gave, asked for as sqlite3 has it."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        return self[0] if self else None


class Store(Protocol):
    def execute(self, sql: str, values: Sequence[object] = ()) -> Any: ...
    def close(self) -> None: ...


class Sqlite:
    def __init__(self, path: str) -> None:
        self.raw = sqlite3.connect(path, isolation_level=None, timeout=10)
        self.raw.execute("PRAGMA synchronous = OFF")

    def execute(self, sql: str, values: Sequence[object] = ()) -> Any:
        return self.raw.execute(sql, tuple(values))

    def close(self) -> None:
        self.raw.close()


class Postgres:
    """asyncpg in a thread of its own."""

    def __init__(self, host: str, port: int, user: str, password: str, database: str = "postgres") -> None:
        import asyncpg

        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        try:
            self.raw = self._do(asyncpg.connect(host=host, port=port, user=user, password=password, database=database))
        except BaseException:
            self._end()
            raise

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def execute(self, sql: str, values: Sequence[object] = ()) -> Rows:
        numbers = count(1)
        marked = "".join(f"${next(numbers)}" if char == "?" else char for char in sql)
        given = [str(one) if isinstance(one, int) else one for one in values]
        return Rows(tuple(row) for row in self._do(self.raw.fetch(marked, *given)))

    def close(self) -> None:
        self._do(self.raw.close())
        self._end()

    def _end(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)
        self.loop.close()


class MariaDb:
    def __init__(self, socket: str, database: str = "") -> None:
        import pymysql

        given = {"database": database} if database else {}
        self.raw = pymysql.connect(
            unix_socket=socket, user="root", charset="utf8mb4", autocommit=True, ssl_disabled=True, **given
        )

    def execute(self, sql: str, values: Sequence[object] = ()) -> Rows:
        cursor = self.raw.cursor()
        cursor.execute(sql.replace("%", "%%").replace("?", "%s") if values else sql, tuple(values) or None)
        return Rows(cursor.fetchall())

    def close(self) -> None:
        self.raw.close()
