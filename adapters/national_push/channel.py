"""The collector's tables as they are reached: rows written, each report whole and once; and what stands there, for 对账.

Reports that wait for the same disk are one transaction. What stands there already is left, and has to be the same: a report
that was written before a crash, or is sent again, changes nothing. A report with a row that the database refuses is refused
whole, and its neighbours are written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from adapters.base import (
    Accepted,
    Answer,
    CannotAsk,
    NotThere,
    Outcome,
    Refused,
    Temporary,
    Unclear,
    Untranslatable,
    Wire,
)
from adapters.front_db.database import REASONS, Connection, Database, Trouble
from adapters.front_db.translate import DIALECTS
from adapters.national_push.statements import Statements
from adapters.national_push.translate import Filled, Words, key_of, rows_of
from adapters.together import Together

PAGE: Final = 500
GROUP: Final = 64


class Held(NamedTuple):
    """A row that stands there: its table, and the columns asked about that hold something, as text."""

    table: str
    values: Mapping[str, str]


class _No(Exception):
    """Ends a transaction, so that nothing of it is done."""


class Collector:
    """``Channel`` over one database. ``columns``: of each table those that we may fill."""

    def __init__(
        self, database: Database, kind: str, words: Words, columns: Mapping[str, Sequence[str]], can_ask: bool
    ) -> None:
        self._database, self._words, self._columns, self._can_ask = database, words, columns, can_ask
        self._sql = Statements(words, DIALECTS[kind].mark)
        self._sends = Together(self._write, GROUP)

    # --- writing -----------------------------------------------------------------------------------------------------

    async def send(self, wire: Wire) -> Outcome:
        """All rows of a report or none; those that stand there already count."""
        try:
            rows = rows_of(wire.body)
        except Untranslatable as bad:
            return Refused(bad.code, bad.zh, bad.en)
        return await self._sends(rows)

    async def _write(self, reports: Sequence[Sequence[Filled]]) -> Sequence[Outcome]:
        """As one transaction. Where a row is in the way, or is more than the database can bear, each report for itself."""
        try:
            async with self._database.writing() as db:
                refused = await self._fill(db, [row for rows in reports for row in rows])
                if refused is not None:
                    raise _No(refused)
        except _No as no:
            return await self._one_by_one(reports) if len(reports) > 1 else [_refusal(str(no))]
        except Trouble as trouble:
            if len(reports) > 1 and trouble.reason in ("cut", "other") and not trouble.maybe:
                return await self._one_by_one(reports)
            outcome = Unclear(_named(trouble)) if trouble.maybe else Temporary(_named(trouble), trouble.absent)
            return [outcome] * len(reports)
        return [Accepted()] * len(reports)

    async def _one_by_one(self, reports: Sequence[Sequence[Filled]]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for one in reports:
            gone = bool(outcomes) and isinstance(outcomes[-1], Temporary) and outcomes[-1].absent
            outcomes.append(outcomes[-1] if gone else (await self._write([one]))[0])
        return outcomes

    async def _fill(self, db: Connection, rows: Sequence[Filled]) -> str | None:
        """Write what is not there; the code of what is in the way."""
        for (table, names), group in _alike(rows).items():
            wanted = {row[self._words.key]: row for row in group}
            there = await self._standing(db, table, names, list(wanted))
            if any((there.get(key) or wanted[key]) != row for row in group for key in [row[self._words.key]]):
                return "row-differs"
            given = [[row[name] for name in names] for key, row in wanted.items() if key not in there]
            codes = await db.insert(self._sql.insert(table, names), given) if given else []
            if bad := next(filter(None, codes), ""):
                return bad
        return None

    async def _standing(
        self, db: Connection, table: str, names: Sequence[str], keys: Sequence[str]
    ) -> dict[str, dict[str, str]]:
        """Rows with these keys, by key."""
        found: dict[str, dict[str, str]] = {}
        for start in range(0, len(keys), PAGE):
            some = keys[start : start + PAGE]
            for row in await db.rows(self._sql.standing(table, names, len(some)), some):
                values = _values(names, row)
                found[values[self._words.key]] = values
        return found

    # --- asking ------------------------------------------------------------------------------------------------------

    async def ask(self, out_id: str) -> Answer:
        """Whether a report's first row stands in any of the tables."""
        if not self._can_ask:
            return CannotAsk()
        try:
            async with self._database.reading() as db:
                for table in self._words.tables:
                    if await self._standing(db, table, [self._words.key], [key_of(out_id, 0)]):
                        return Accepted()
        except Trouble as trouble:
            return Temporary(_named(trouble), trouble.absent)
        return NotThere()

    async def reach(self) -> tuple[str, str] | None:
        """Whether all tables can be read: None, or what is wrong, in Chinese and in English."""
        try:
            async with self._database.reading() as db:
                for table in self._words.tables:
                    await self._standing(db, table, self._columns[table], [""])
        except Trouble as trouble:
            zh, en = REASONS[trouble.reason]
            return f"{zh}（{trouble.code}）", f"{en} ({trouble.code})"
        return None

    async def held(self, first: str, last: str) -> list[Held]:
        """Our rows of the days from ``first`` to ``last`` (``yyyy-MM-dd``), as they stand there. Raises ``Trouble``."""
        found: list[Held] = []
        async with self._database.reading() as db:
            for table, names in self._columns.items():
                found += [
                    Held(table, _values(names, row)) for row in await self._of_days(db, table, names, first, last)
                ]
        return found

    async def _of_days(
        self, db: Connection, table: str, names: Sequence[str], first: str, last: str
    ) -> Sequence[Sequence[object]]:
        ours = self._words.ours.values()
        return await db.rows(self._sql.of_days(table, names), (f"{first} 00:00:00", f"{last} 23:59:59", *ours))

    async def close(self) -> None:
        """Stop, and close the connection."""
        await self._sends.close()
        await self._database.close()


def _alike(rows: Sequence[Filled]) -> dict[tuple[str, tuple[str, ...]], list[dict[str, str]]]:
    """Rows of one table with the same columns, which one statement writes."""
    found: dict[tuple[str, tuple[str, ...]], list[dict[str, str]]] = {}
    for row in rows:
        found.setdefault((row.table, tuple(row.values)), []).append(row.values)
    return found


def _values(names: Sequence[str], row: Sequence[object]) -> dict[str, str]:
    return {name: str(value) for name, value in zip(names, row, strict=True) if value not in (None, "")}


def _refusal(code: str) -> Refused:
    if code == "row-differs":
        return Refused(code, "同一编号的行内容不同", "a row with this id holds something else")
    return Refused("row-refused", f"归集库拒绝这一行（{code}）", f"the table refuses the row ({code})")


def _named(trouble: Trouble) -> str:
    return f"collector: {trouble}"
