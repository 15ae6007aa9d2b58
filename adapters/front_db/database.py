"""The way to a front database: one connection, kept while it is sound, one transaction at a time.

What differs between databases is a ``Dialect`` (see ``translate``) and a ``Connection``; what can go wrong there is sorted
into ``Trouble`` with a reason of ours, so that neither SQL, values nor passwords get into a log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from adapters.base import Temporary, Unclear

REASONS: Final = {
    "no-connection": ("连不上数据库", "the database cannot be reached"),
    "tls-refused": ("加密连接建立不了：核对证书与 tls", "no TLS connection: look at the certificate and tls"),
    "login-refused": ("数据库拒绝登录：核对用户与口令", "the database refuses the login: look at user and password"),
    "no-database": ("没有这个库", "there is no such database"),
    "no-table": ("缺少方案所写的表或列", "a table or column that the profile names is missing"),
    "no-rights": ("用户没有所需的权限", "the user lacks a right that is needed"),
    "busy": ("数据库忙", "the database is busy"),
    "time-out": ("数据库没有按时答复", "the database did not answer in time"),
    "cut": ("连接断了", "the connection was cut"),
    "other": ("数据库报错", "the database reports an error"),
}
_FOR_ALL: Final = ("no-connection", "tls-refused", "login-refused", "no-database", "no-table", "no-rights")
"""Reasons that meet every message alike."""


class Trouble(Exception):
    """Not done, whatever it was. ``reason`` is a key of ``REASONS``, ``code`` the database's own code for it; ``maybe``: it was
    the commit that went unanswered, so it may have been done."""

    def __init__(self, reason: str, code: str = "", maybe: bool = False) -> None:
        super().__init__(f"{reason} {code}".rstrip())
        self.reason, self.code, self.maybe = reason, code, maybe

    @property
    def absent(self) -> bool:
        """Whether nothing at all can be done there now."""
        return self.reason in _FOR_ALL

    @property
    def said(self) -> tuple[str, str]:
        """For people, in Chinese and in English, with the database's code."""
        zh, en = REASONS[self.reason]
        return (f"{zh}（{self.code}）", f"{en} ({self.code})") if self.code else (zh, en)

    @property
    def temporary(self) -> Temporary:
        """As what became of a question."""
        return Temporary(f"front database: {self}", self.absent)

    @property
    def outcome(self) -> Temporary | Unclear:
        """As what became of a message."""
        return Unclear(self.temporary.reason) if self.maybe else self.temporary


class Connection(Protocol):
    """An open connection. Everything raises ``Trouble``."""

    async def begin(self) -> None:
        """Start a transaction that will write."""

    async def commit(self) -> None:
        """Make it durable."""

    async def rows(self, sql: str, values: Sequence[object]) -> Sequence[Sequence[Any]]:
        """What a query gives."""

    async def insert(self, sql: str, rows: Sequence[Sequence[object]]) -> list[str]:
        """Insert each row for itself: "" where it went in, else the database's code for why it cannot; the others go in."""

    def cut(self) -> None:
        """Close at once, without waiting; what was not committed is undone."""


class Database:
    """``connect`` opens a connection; ``keep``: whether one is kept for the next use."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], keep: bool) -> None:
        self._connect, self._keep = connect, keep
        self._turn = asyncio.Lock()
        self._kept: Connection | None = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """For queries that need not agree with each other."""
        async with self._turn:
            connection = self._kept or await self._connect()
            try:
                yield connection
            except BaseException:
                self._drop(connection)
                raise
            self._done_with(connection)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """One transaction: durable when the block has been left, undone if it raises."""
        async with self._turn:
            connection = await self._begun()
            try:
                yield connection
                try:
                    await connection.commit()
                except Trouble as trouble:
                    unanswered = trouble.maybe or trouble.reason in ("cut", "time-out")
                    raise Trouble(trouble.reason, trouble.code, unanswered) from None
            except BaseException:
                self._drop(connection)
                raise
            self._done_with(connection)

    async def _begun(self) -> Connection:
        """A connection in a transaction. One that died while it was kept is nobody's trouble: a new one takes its place."""
        if self._kept is not None:
            try:
                await self._kept.begin()
            except Trouble:
                self._drop(self._kept)
            else:
                return self._kept
        connection = await self._connect()
        try:
            await connection.begin()
        except BaseException:
            connection.cut()
            raise
        return connection

    def _done_with(self, connection: Connection) -> None:
        if self._keep:
            self._kept = connection
        else:
            connection.cut()

    def _drop(self, connection: Connection) -> None:
        self._kept = None
        connection.cut()

    async def close(self) -> None:
        """Close what is kept."""
        if self._kept is not None:
            self._drop(self._kept)
