"""The front-exchange database as it is reached: rows written for the platform, rows of the platform taken in.

Rows go out in groups, each group one transaction; who sent one hears that it is accepted once the group is durable.

Taking a row in is: read it, hand it to the gateway, and acknowledge it once the gateway has it. A crash in between reads it
again, and the gateway knows the act by its id. The acknowledgement is one row under the message's id: of two readers one
writes it. A row that changed between reading and acknowledging is not acknowledged; it is read again, and the gateway
refuses other words under the same id. What cannot be read is acknowledged as refused, and its neighbours flow on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

import structlog

from adapters.base import (
    Accepted,
    Answer,
    Backend,
    CannotAsk,
    NotThere,
    Outcome,
    Refused,
    Temporary,
    Untranslatable,
    Wire,
)  # fmt: skip
from adapters.documents import DocumentTranslator
from adapters.front_db.database import Database, Trouble
from adapters.front_db.translate import PAGE, Statements, Words, ack_values, padded, values
from adapters.taking import Cases, Said, each, refused, take
from adapters.together import Together
from signing.sm3 import sm3

MAX_PAGES: Final = 10
MAX_TOLD: Final = 1000
MAX_BYTES: Final = 32 << 20
"""How much is read at once, beyond the first row."""
_BEIJING: Final = timezone(timedelta(hours=8))
log = structlog.get_logger("front_db")


class Row(NamedTuple):
    """A message of the platform; ``content`` is None where it is too large or no text. ``id`` is what the column holds."""

    id: Any
    type: str
    content: bytes | None

    @property
    def digest(self) -> str:
        """SM3 of the content in hexadecimal."""
        return sm3(self.content).hex() if self.content is not None else ""


class Told(NamedTuple):
    """What a row's reader says of it."""

    row: Row
    said: Said


@dataclass
class Scan:
    """How far a walk through what waits has come: rows passed over, and the cases that have to wait."""

    left: int = 0
    cases: Cases = field(default_factory=Cases)


class FrontDb:
    """``Channel`` and ``Inbox`` over one database. ``types`` are the row types that are read."""

    def __init__(
        self,
        platform: str,
        database: Database,
        words: Words,
        sql: Statements,
        types: tuple[str, ...],
        translator: DocumentTranslator,
        now_ms: Callable[[], int],
        can_ask: bool = True,
    ) -> None:
        self.database, self.words, self.sql, self.types, self.translator = database, words, sql, types, translator
        self._now_ms, self._can_ask = now_ms, can_ask
        self._log = log.bind(platform=platform)
        self._sends, self._asks = Together(self._write, PAGE), Together(self._look_for, PAGE)
        self._scan, self._ails, self._told = Scan(), "", set[tuple[str, str, str]]()
        self._look_ms = 0

    # --- ours to the platform ------------------------------------------------------------------------------------

    async def send(self, wire: Wire) -> Outcome:
        """Insert the row, together with those that are sent at the same time; the same row twice is once."""
        try:
            self._cell(wire.body)
        except UnicodeDecodeError:
            return Refused("row-encoding", "报文不是 UTF-8，写不进文字列", "not UTF-8, for a column of text")
        return await self._sends(wire)

    async def _write(self, wires: Sequence[Wire]) -> Sequence[Outcome]:
        try:
            return await self._written(wires)
        except Trouble as trouble:
            if len(wires) > 1 and trouble.reason in ("cut", "other") and not trouble.maybe:
                return await self._one_by_one(wires)
            return [trouble.outcome] * len(wires)

    async def _one_by_one(self, wires: Sequence[Wire]) -> list[Outcome]:
        """One of a group may be what the database cannot bear: it shall be the only one that suffers."""
        outcomes: list[Outcome] = []
        for one in wires:
            gone = bool(outcomes) and isinstance(outcomes[-1], Temporary) and outcomes[-1].absent
            outcomes.append(outcomes[-1] if gone else (await self._write([one]))[0])
        return outcomes

    async def _written(self, wires: Sequence[Wire]) -> list[Outcome]:
        now = self._now()
        given = [values(self.words, one.id, one.operation, self._cell(one.body), now) for one in wires]
        async with self.database.writing() as db:
            codes = await db.insert(self.sql.write, given)
            known = [one.id for one, code in zip(wires, codes, strict=True) if code]
            there = _contents(await db.rows(self.sql.written, padded(known))) if known else {}
        return [
            Accepted() if not code or there.get(one.id) == one.body else self._no(one, code, one.id in there)
            for one, code in zip(wires, codes, strict=True)
        ]

    def _no(self, wire: Wire, code: str, taken: bool) -> Refused:
        self._log.warning("row refused", message=wire.id, code=code, taken=taken)
        if taken:
            return Refused("id-taken", "编号已被另一行占用", "another row has this id")
        return Refused("row-refused", f"前置库拒绝这一行（{code}）", f"the table refuses the row ({code})")

    async def ask(self, out_id: str) -> Answer:
        """Whether our row stands there."""
        return await self._asks(out_id) if self._can_ask else CannotAsk()

    async def _look_for(self, ids: Sequence[str]) -> Sequence[Answer]:
        try:
            async with self.database.reading() as db:
                there = _contents(await db.rows(self.sql.written, padded(ids)))
        except Trouble as trouble:
            return [trouble.temporary] * len(ids)
        return [Accepted() if one in there else NotThere() for one in ids]

    async def reach(self) -> tuple[str, str] | None:
        """Whether everything that the profile names can be read: None, or what is wrong, in Chinese and in English."""
        try:
            async with self.database.reading() as db:
                await db.rows(self.sql.look, (*self.types, *self.words.come.fixed.values(), 1, 0))
                await db.rows(self.sql.acked, padded([""]))
                await db.rows(self.sql.written, padded([""]))
        except Trouble as trouble:
            return trouble.said
        return None

    async def close(self) -> None:
        """Stop, and close the connection."""
        await self._sends.close()
        await self._asks.close()
        await self.database.close()

    # --- the platform's to us ------------------------------------------------------------------------------------

    @property
    def pause_ms(self) -> int:
        """How often rows are looked for: seldom enough that looking is a tenth of a database's time at most."""
        return max(self.words.poll_ms, 9 * self._look_ms)

    async def poll(self, door: Callable[[bytes], Backend]) -> int:
        """Take in rows, in order, a hundred at a time; how many were dealt with. Rows that have to wait hold up no others:
        where there are very many, the next call goes on behind them.

        A database that is away gives none, and is looked for again.
        """
        done = 0
        for _ in range(MAX_PAGES):
            try:
                rows, last = await self._read(self._scan.left)
                told = [one for one in await each(rows, lambda row: self._take(row, door)) if one is not None]
                written, elsewhere = await self._acknowledge(told)
            except Trouble as trouble:
                self._hear(trouble)
                break
            self._hear(None)
            done += written
            self._scan.left += len(rows) - written - elsewhere
            if last:
                self._scan = Scan()
                break
        return done

    async def _take(self, row: Row, door: Callable[[bytes], Backend]) -> Told | None:
        """What to say of a row; None while its case has to wait."""
        if row.content is None:
            said: Said | None = refused(
                self.translator, Untranslatable("too-large", "内容缺失或过大", "no content, or too large")
            )
        else:
            said = await take(self.translator, row.type, row.content, door(row.content), self._scan.cases)
        if said is None:
            return None
        if not said.ok:
            self._log.warning("row taken as refused", code=said.code, digest=row.digest)
        return Told(row, said)

    async def _read(self, left: int) -> tuple[list[Row], bool]:
        """The next rows after those that were left, and whether they are the last. A row whose id cannot be said again is
        passed over."""
        async with self.database.reading() as db:
            given, began = (*self.types, *self.words.come.fixed.values(), PAGE, left), time.monotonic()
            looked = [tuple(row) for row in await db.rows(self.sql.look, given)]
            self._look_ms = int(1000 * (time.monotonic() - began))
            page = _within(looked, MAX_BYTES, self.translator.max_bytes)
            ids = [row[0] for row in page if _sayable(row[0])]
            found = await self._contents(db, ids)
        for _ in range(len(page) - len(ids)):
            self._scan.left += 1
            self._once("a row has no usable id", code="", digest="")
        return [found[one] for one in ids if one in found], len(page) == len(looked) < PAGE

    async def _contents(self, db: Any, ids: Sequence[Any]) -> dict[Any, Row]:
        if not ids:
            return {}
        rows = await db.rows(self.sql.contents, (self.translator.max_bytes, *padded(ids)))
        return {id_: Row(id_, str(type_), _bytes(content)) for id_, type_, content in rows}

    async def _acknowledge(self, told: Sequence[Told]) -> tuple[int, int]:
        """All in one transaction; a row that changed meanwhile is left out. How many we acknowledged, and how many were already."""
        if not told:
            return 0, 0
        async with self.database.writing() as db:
            now = await self._contents(db, [one.row.id for one in told])
            same = [one for one in told if now.get(one.row.id) == one.row]
            codes = await db.insert(self.sql.ack, [self._ack(one) for one in same])
            broken = [(one.row, code) for one, code in zip(same, codes, strict=True) if code]
            there = (
                {row[0] for row in await db.rows(self.sql.acked, padded([row.id for row, _ in broken]))}
                if broken
                else set()
            )
        for row, code in broken:
            if row.id not in there:
                self._once("a row cannot be acknowledged", code=code, digest=row.digest)
        return len(same) - len(broken), len(there)

    def _ack(self, one: Told) -> tuple[object, ...]:
        return ack_values(self.words, one.row.id, one.said.ok, self._cell(one.said.answer), self._now(), one.row.digest)

    def _once(self, event: str, code: str, digest: str) -> None:
        """Into the log, but not at every look."""
        if len(self._told) > MAX_TOLD:
            self._told.clear()
        if (event, code, digest) not in self._told:
            self._told.add((event, code, digest))
            self._log.error(event, code=code, digest=digest)

    def _hear(self, trouble: Trouble | None) -> None:
        """Into the log when it changes, not at every look."""
        ails = str(trouble or "")
        if ails != self._ails:
            self._ails = ails
            if trouble:
                zh, en = trouble.said
                self._log.error("front database", reason=trouble.reason, code=trouble.code, zh=zh, en=en)
            else:
                self._log.info("front database answers again")

    # --- small things --------------------------------------------------------------------------------------------

    def _cell(self, document: bytes) -> str | bytes:
        return document.decode() if self.translator.form.column == "text" else document

    def _now(self) -> str:
        return datetime.fromtimestamp(self._now_ms() / 1000, _BEIJING).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _within(looked: Sequence[tuple[Any, ...]], budget: int, limit: int) -> Sequence[tuple[Any, ...]]:
    """The first rows (id, type, size) whose contents together stay within a number of bytes; one at least. A content beyond the
    limit is not read and weighs nothing."""
    total = 0
    for number, (_, _, size) in enumerate(looked):
        weight = int(size or 0)
        total += weight if weight <= limit else 0
        if total > budget and number:
            return looked[:number]
    return looked


def _contents(rows: Iterable[Sequence[Any]]) -> Mapping[str, bytes | None]:
    return {str(id_): _bytes(content) for id_, content in rows}


def _sayable(id_: object) -> bool:
    """Whether a row can be named by its id: it has one, of characters that can be written."""
    return id_ is not None and not (isinstance(id_, str) and any("\ud800" <= char <= "\udfff" for char in id_))


def _bytes(content: object) -> bytes | None:
    if isinstance(content, str):
        return content.encode("utf-8", "surrogateescape")
    return bytes(content) if isinstance(content, bytes | memoryview) else None
