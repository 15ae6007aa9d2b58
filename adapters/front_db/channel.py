"""The front-exchange database as it is reached: rows written for the platform, rows of the platform taken in (SQLite).

Taking a row in is: read it, hand it to the gateway, and acknowledge it once the gateway has it. A crash in between reads it
again, and the gateway knows the act by its id. The acknowledgement is one row under the message's id: of two readers one
writes it. A row that changed between reading and acknowledging is not acknowledged; it is read again, and the gateway
refuses other words under the same id. What cannot be read is acknowledged as refused, and its neighbours flow on.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from adapters.base import (
    Accepted,
    Answer,
    Backend,
    CannotAsk,
    NotThere,
    Outcome,
    Refused,
    Temporary,
    Unclear,
    Untranslatable,
    Wire,
)  # fmt: skip
from adapters.documents import DocumentTranslator
from adapters.front_db.translate import PAGE, Statements, Words, ack_values, values
from adapters.taking import Said, refused, take
from signing.sm3 import sm3

MAX_PAGES = 10
_BEIJING = timezone(timedelta(hours=8))


class Row(NamedTuple):
    """A message of the platform; ``content`` is None where it is too large or no text."""

    id: str
    operation: str
    content: bytes | None


class Told(NamedTuple):
    """What a row's reader says of it."""

    row: Row
    said: Said


@dataclass(frozen=True)
class FrontDb:
    """``Channel`` and ``Inbox`` over one SQLite file. ``types`` are the row types that are read."""

    path: Path
    words: Words
    sql: Statements
    types: tuple[str, ...]
    translator: DocumentTranslator
    now_ms: Callable[[], int]
    can_ask: bool = True
    busy_ms: int = 5_000

    # --- ours to the platform ------------------------------------------------------------------------------------

    async def send(self, wire: Wire) -> Outcome:
        """Insert the row; the same row twice is once."""
        return await asyncio.to_thread(self._send, wire)

    def _send(self, wire: Wire) -> Outcome:
        try:
            with closing(self._open()) as db:
                given = values(self.words, wire.id, wire.operation, self._cell(wire.body), self._now())
                try:
                    db.execute(self.sql.write, given)
                except sqlite3.IntegrityError:
                    return self._known(db, wire)
                return Accepted()
        except sqlite3.Error as error:
            trouble = _trouble(error)
            return Unclear(trouble.reason) if "IOERR" in trouble.reason else trouble  # the disk may have it or not

    def _known(self, db: sqlite3.Connection, wire: Wire) -> Outcome:
        row = db.execute(self.sql.written, (wire.id,)).fetchone()
        if row is not None and _bytes(row[0]) == wire.body:
            return Accepted()
        return Refused(
            "row-refused", "前置库拒绝这一行，或编号已被占用", "the table refuses the row, or its id is taken"
        )

    async def ask(self, out_id: str) -> Answer:
        """Whether our row stands there."""
        return await asyncio.to_thread(self._ask, out_id) if self.can_ask else CannotAsk()

    def _ask(self, out_id: str) -> Answer:
        try:
            with closing(self._open()) as db:
                return Accepted() if db.execute(self.sql.written, (out_id,)).fetchone() is not None else NotThere()
        except sqlite3.Error as error:
            return _trouble(error)

    async def close(self) -> None:
        """Nothing is kept open."""

    # --- the platform's to us ------------------------------------------------------------------------------------

    @property
    def pause_ms(self) -> int:
        """How often rows are looked for."""
        return self.words.poll_ms

    async def poll(self, door: Callable[[bytes], Backend]) -> int:
        """Take in rows, in order, a hundred at a time; how many were dealt with. Rows that have to wait hold up no others.

        A database that is away gives none, and is looked for again.
        """
        done, waiting, left = 0, set[str](), 0
        for _ in range(MAX_PAGES):
            try:
                rows = await asyncio.to_thread(self._read, left)
                told = [one for row in rows if (one := await self._take(row, door, waiting)) is not None]
                acknowledged = await asyncio.to_thread(self._acknowledge, told)
            except sqlite3.Error:
                break
            done, left = done + acknowledged, left + len(rows) - acknowledged
            if len(rows) < PAGE:
                break
        return done

    async def _take(self, row: Row, door: Callable[[bytes], Backend], waiting: set[str]) -> Told | None:
        """What to say of a row; None while its case has to wait."""
        if row.content is None:
            bad = Untranslatable("too-large", "内容缺失或过大", "no content, or too large")
            return Told(row, refused(self.translator, bad))
        said = await take(self.translator, row.operation, row.content, door(row.content), waiting)
        return None if said is None else Told(row, said)

    def _read(self, left: int) -> list[Row]:
        limit = self.translator.max_bytes
        with closing(self._open()) as db:
            given = (limit, *self.types, *self.words.come.fixed.values(), PAGE, left)
            rows = db.execute(self.sql.read, given).fetchall()
        return [Row(str(row), str(type_), _bytes(content)) for row, type_, content in rows]

    def _acknowledge(self, told: list[Told]) -> int:
        """All in one transaction; a row that changed meanwhile, or that another reader has, is left out."""
        if not told:
            return 0
        done = 0
        with closing(self._open()) as db:
            db.execute("BEGIN IMMEDIATE")
            for one in told:
                now = db.execute(self.sql.again, (one.row.id,)).fetchone()
                if now is None or (one.row.content is not None and _bytes(now[0]) != one.row.content):
                    continue
                digest = sm3(one.row.content).hex() if one.row.content is not None else ""
                given = ack_values(
                    self.words, one.row.id, one.said.ok, self._cell(one.said.answer), self._now(), digest
                )
                try:
                    db.execute(self.sql.ack, given)
                except sqlite3.IntegrityError:
                    continue
                done += 1
            db.execute("COMMIT")
        return done

    # --- small things --------------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        """An existing file only: a wrong path must not make an empty database."""
        uri = f"{self.path.absolute().as_uri()}?mode=rw"
        db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=self.busy_ms / 1000)
        db.text_factory = lambda data: data.decode("utf-8", "surrogateescape")  # bad characters are one row's trouble
        db.execute("PRAGMA synchronous = FULL")
        return db

    def _cell(self, document: bytes) -> str | bytes:
        return document.decode() if self.translator.form.column == "text" else document

    def _now(self) -> str:
        return datetime.fromtimestamp(self.now_ms() / 1000, _BEIJING).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _bytes(content: object) -> bytes | None:
    if isinstance(content, str):
        return content.encode("utf-8", "surrogateescape")
    return content if isinstance(content, bytes) else None


def _trouble(error: sqlite3.Error) -> Temporary:
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    return Temporary(f"front database: {name}", absent=name in ("SQLITE_CANTOPEN", "SQLITE_NOTADB"))
