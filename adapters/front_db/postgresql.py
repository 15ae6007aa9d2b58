"""A front database on a PostgreSQL server, or one that speaks its protocol: ``postgresql://user@host:port/database``, by asyncpg.

Values go in and come out as text whatever the columns are (number, time, UUID), as in the other databases. No statement is kept
prepared: a plan made while a table was empty would stay, one made before a column was altered would fail, and a pooler
(PgBouncer) may give each transaction another server.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from adapters.front_db.address import Address, driver, tls_of
from adapters.front_db.database import Connection, Database, Trouble

R = TypeVar("R")
_AS_TEXT = ("int2", "int4", "int8", "numeric", "bool", "date", "timestamp", "timestamptz", "uuid")
_REASONS = {
    "28000": "login-refused", "28P01": "login-refused", "3D000": "no-database", "42P01": "no-table", "42703": "no-table",
    "3F000": "no-table", "42501": "no-rights", "53300": "busy", "55P03": "busy", "40001": "busy", "40P01": "busy", "57P03": "busy",
    "25006": "busy", "57014": "time-out", "57P01": "cut", "57P02": "cut", "57P05": "cut", "25P03": "cut",
}  # fmt: skip
_OF_A_ROW = ("22", "23", "P0", "44")
"""Classes of SQLSTATE: data, integrity, what a trigger raises, a view's own condition."""


def database(address: Address, password: bytes, connect_ms: int, timeout_ms: int) -> Database:
    """Raises Untranslatable where the driver is not installed, or a certificate cannot be read."""
    driver("asyncpg", "postgres")
    open_ = partial(
        _open, address, password.decode("utf-8", "replace"), tls_of(address), connect_ms / 1000, timeout_ms / 1000
    )
    return Database(partial(_guarded, open_, "no-connection"), keep=True)


async def _open(
    address: Address, password: str, tls: ssl.SSLContext | None, connect_s: float, timeout_s: float
) -> Connection:
    import asyncpg

    raw = await asyncpg.connect(
        host=address.socket or address.host, port=address.port or 5432, user=address.user, database=address.database,
        password=password, ssl=tls or False, timeout=connect_s, command_timeout=timeout_s, statement_cache_size=0,
        server_settings={"application_name": "tongban", "timezone": "Asia/Shanghai"},
    )  # fmt: skip
    try:
        for name in _AS_TEXT:
            await raw.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=str, format="text")
    except BaseException:
        raw.terminate()
        raise
    return PostgresConnection(raw)


class PostgresConnection:
    """See ``Connection``."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    async def begin(self) -> None:
        await self._run("BEGIN")

    async def commit(self) -> None:
        await self._run("COMMIT")

    async def rows(self, sql: str, values: Sequence[object]) -> Sequence[Sequence[Any]]:
        found: Sequence[Sequence[Any]] = await _guarded(lambda: self._raw.fetch(sql, *values))
        return found

    async def insert(self, sql: str, rows: Sequence[Sequence[object]]) -> list[str]:
        """All at once; only when that is refused, one by one."""
        if not await self._refused(sql, rows):
            return [""] * len(rows)
        return [await self._refused(sql, [row]) for row in rows]

    async def _refused(self, sql: str, rows: Sequence[Sequence[object]]) -> str:
        """The code of why they cannot all go in, none of them then; "" when they are in. A refusal would end the transaction,
        so there is a point to go back to."""
        await self._run("SAVEPOINT before")
        try:
            await self._raw.executemany(sql, rows)
        except Exception as error:
            found = _sorted(error)
            if isinstance(found, Trouble):
                raise found from None
            await self._run("ROLLBACK TO SAVEPOINT before")
            return found
        return ""

    async def _run(self, sql: str) -> None:
        await _guarded(lambda: self._raw.execute(sql))

    def cut(self) -> None:
        self._raw.terminate()


async def _guarded(work: Callable[[], Awaitable[R]], unknown: str = "other") -> R:
    """Raises ``Trouble`` for whatever the driver raises."""
    try:
        return await work()
    except Exception as error:
        found = _sorted(error, unknown)
        raise (found if isinstance(found, Trouble) else Trouble("other", found)) from None


def _sorted(error: Exception, unknown: str = "cut") -> str | Trouble:
    """The SQLSTATE where a row is at fault, else ``Trouble``; ``unknown``: what an error of the network means."""
    import asyncpg

    if isinstance(error, ssl.SSLError) or "SSL upgrade" in str(error):
        return Trouble("tls-refused", type(error).__name__)
    if isinstance(error, TimeoutError):
        return Trouble("no-connection" if unknown == "no-connection" else "time-out", "")
    state = str(getattr(error, "sqlstate", None) or "")
    if state[:2] in _OF_A_ROW or isinstance(error, asyncpg.DataError):
        return state or "client"
    if state:
        return Trouble("cut" if state.startswith("08") else _REASONS.get(state, "other"), state)
    lost = isinstance(error, OSError | asyncpg.InterfaceError)
    return Trouble(unknown if lost and unknown != "other" else "cut" if lost else "other", type(error).__name__)
