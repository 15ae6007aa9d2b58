"""Databases whose driver waits (``sqlite3``, PyMySQL): each front database has a thread of its own, so that a slow one is slow
for nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from adapters.front_db.database import Connection, Trouble

R = TypeVar("R")


class Ways(NamedTuple):
    """What a driver does in its own way. ``sorted``: the database's code where one row is at fault, ``Trouble`` for all else;
    ``interrupt``: makes what the thread waits for end, called from outside the thread."""

    begin: str
    open: Callable[[], Any]
    sorted: Callable[[Exception], str | Trouble]
    interrupt: Callable[[Any], None]


class ThreadedConnection:
    """A DB-API connection in autocommit mode; see ``Connection``. Used by its thread alone."""

    def __init__(self, thread: ThreadPoolExecutor, raw: Any, ways: Ways) -> None:
        self._thread, self._raw, self._ways = thread, raw, ways

    async def begin(self) -> None:
        await self._in_thread(lambda: self._execute(self._ways.begin))

    async def commit(self) -> None:
        await self._in_thread(lambda: self._execute("COMMIT"))

    async def rows(self, sql: str, values: Sequence[object]) -> Sequence[Sequence[Any]]:
        return await self._in_thread(lambda: self._execute(sql, values).fetchall())

    async def insert(self, sql: str, rows: Sequence[Sequence[object]]) -> list[str]:
        return await self._in_thread(lambda: [self._inserted(sql, row) for row in rows])

    def _inserted(self, sql: str, row: Sequence[object]) -> str:
        """A statement that fails is undone by itself; its transaction goes on."""
        try:
            self._execute(sql, row)
        except Exception as error:
            found = self._ways.sorted(error)
            if isinstance(found, Trouble):
                raise
            return found
        return ""

    def _execute(self, sql: str, values: Sequence[object] = ()) -> Any:
        cursor = self._raw.cursor()
        cursor.execute(sql, tuple(values))
        return cursor

    async def _in_thread(self, work: Callable[[], R]) -> R:
        return await in_thread(self._thread, work, self._ways)

    def cut(self) -> None:
        self._ways.interrupt(self._raw)
        self._thread.submit(self._raw.close)


def opener(ways: Ways) -> Callable[[], Any]:
    """Opens connections in one thread of their own (a coroutine function, for ``Database``)."""
    thread = ThreadPoolExecutor(1, "front-db")

    async def connect() -> Connection:
        return ThreadedConnection(thread, await in_thread(thread, ways.open, ways), ways)

    return connect


async def in_thread(thread: ThreadPoolExecutor, work: Callable[[], R], ways: Ways) -> R:
    """Raises ``Trouble`` for whatever the driver raises."""
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, work)
    except Exception as error:
        found = ways.sorted(error)
        raise (found if isinstance(found, Trouble) else Trouble("other", found)) from None
