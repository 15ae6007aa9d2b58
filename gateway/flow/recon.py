"""Reconciliation (对账): what a collector of case data holds, against what this node reported and what its cases say.

Both sides count by the day that stands in a row. Everything is compared row by row under the row's own key, so that a number
that happens to be right hides nothing. What is missing may be sent again: the very bytes of the report, as a new message that
waits its turn once and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from adapters.base import Wire
from adapters.registry import Collecting, Row
from agreements.calendar import china_date
from gateway.core.case import Actor
from gateway.core.delivery import Event, State
from gateway.flow import casefile, outbox, post
from gateway.flow.casefile import CaseFile
from gateway.flow.reports import TYPE
from gateway.problems import Refused
from gateway.store.journal import Reader, Tx
from gateway.store.vault import Vault

Kind = Literal["missing", "differs", "doubled", "foreign", "stuck", "unreported"]
DAY_MS: Final = 86_400_000
STUCK: Final = frozenset({State.HELD, State.PARKED, State.REFUSED, State.GIVEN_UP, State.AWAITING_PERSON})


@dataclass(frozen=True, slots=True)
class Said:
    """A report of ours: whose, how its delivery stands, and its rows by table and key; none while it is not frozen."""

    message: str
    act: str
    case_id: str
    case_number: str
    state: State
    day: str
    rows: Mapping[tuple[str, str], Row]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree. ``columns``: names of those that hold something else; ``message``: the report of ours that
    says otherwise, "" where there is none."""

    kind: Kind
    day: str
    case: str
    case_number: str
    table: str = ""
    key: str = ""
    message: str = ""
    columns: tuple[str, ...] = ()


@dataclass
class Compared:
    """``ours`` and ``theirs``: rows by (day, table); ``waiting``: reports under way; ``behind``: events not yet looked at."""

    differences: list[Difference] = field(default_factory=list)
    ours: Counter[tuple[str, str]] = field(default_factory=Counter)
    theirs: Counter[tuple[str, str]] = field(default_factory=Counter)
    waiting: int = 0
    behind: int = 0

    def add(self, other: Compared) -> None:
        """Another day's."""
        self.differences += other.differences
        self.ours += other.ours
        self.theirs += other.theirs
        self.waiting += other.waiting
        self.behind += other.behind


def said(reader: Reader, vault: Vault, collector: str, collecting: Collecting, day: str) -> list[Said]:
    """The reports of a day (``yyyy-MM-dd``), oldest first. One that is sent again is still of its first day."""
    found: list[Said] = []
    first_ms = day_ms(day)
    rows = reader.all(
        "SELECT m.id, m.act, m.case_id, m.frozen, d.state FROM message m JOIN delivery d ON d.message = m.id "
        "WHERE m.direction = ? AND m.created_ms >= ? AND m.created_ms < ? AND d.destination = ? ORDER BY m.id",
        post.REPORT, first_ms, first_ms + DAY_MS, f"platform:{collector}",
    )  # fmt: skip
    opened: tuple[str, CaseFile, bytes] | None = None
    for message, act, case_id, frozen, state in rows:
        if opened is None or opened[0] != case_id:  # a case's reports mostly follow each other
            opened = (case_id, *_opened(reader, vault, case_id))
        _, case, key = opened
        made = collecting.rows(_wire(vault, key, message, frozen).body) if frozen is not None else ()
        kept = {(row.table, row.values[collecting.key]): row for row in made}
        found.append(Said(message, act, case_id, case.case_number, State(state), day, kept))
    return found


def compare(ours: Sequence[Said], held: Sequence[Row], collecting: Collecting) -> Compared:
    """Every row of both sides once."""
    found = Compared()
    there: dict[tuple[str, str], list[Row]] = {}
    for row in held:
        there.setdefault((row.table, row.values[collecting.key]), []).append(row)
        found.theirs[(row.values[collecting.time][:10], row.table)] += 1
    known: set[tuple[str, str]] = set()
    cases: dict[str, Said] = {}
    for one in _latest(ours):
        for key, row in one.rows.items():
            cases[row.values[collecting.case]] = one
            known.add(key)
            found.ours[(one.day, row.table)] += 1
            found.differences += _row(one, key, row, there.get(key, []))
        if one.state not in STUCK | {State.DELIVERED}:
            found.waiting += 1
        elif one.state in STUCK and not (one.rows and all(key in there for key in one.rows)):
            found.differences.append(Difference("stuck", one.day, one.case_id, one.case_number, message=one.message))
    found.differences += _unknown(there, known, cases, collecting)
    return found


def unreported(
    reader: Reader, collector: str, collecting: Collecting, first_ms: int, last_ms: int
) -> tuple[list[Difference], int]:
    """Events of cases handled here that no report tells of, and how many only wait to be looked at."""
    marks = ",".join("?" * len(collecting.events))
    rows = reader.all(
        "SELECT c.id, c.case_number, e.n, e.at_ms, coalesce(r.events, 0) FROM case_file c JOIN case_event e ON e.case_id = c.id "
        "LEFT JOIN reported r ON r.collector = ? AND r.case_id = c.id "
        f"WHERE c.role = ? AND c.updated_ms >= ? AND e.at_ms >= ? AND e.at_ms <= ? AND e.event IN ({marks}) "
        "AND NOT EXISTS (SELECT 1 FROM message m WHERE m.case_id = c.id AND m.direction = ? AND m.act = ? || '#' || e.n)",
        collector, Actor.HANDLING.value, first_ms, first_ms, last_ms, *sorted(collecting.events), post.REPORT, collector,
    )  # fmt: skip
    lost = [
        Difference("unreported", china_day(at_ms), case, number)
        for case, number, n, at_ms, done in rows
        if n <= done
    ]  # fmt: skip
    return lost, len(rows) - len(lost)


def just_made(reader: Reader, one: Difference) -> bool:
    """Whether a row that nobody seemed to have reported is of a report made since we looked."""
    made = "SELECT 1 FROM message WHERE id = ? AND direction = ?"
    return one.kind == "foreign" and reader.one(made, one.key.rpartition("-")[0], post.REPORT) is not None


def again(tx: Tx, vault: Vault, collector: str, found: Sequence[Difference], new_id: Callable[[], str]) -> int:
    """Send what is missing, or was refused, again, the same bytes; how many reports. One that still waits is not queued twice."""
    reports = dict.fromkeys(one.message for one in found if one.kind in ("missing", "stuck") and one.message)
    return sum(_again(tx, vault, collector, message, new_id()) for message in reports)


def _again(tx: Tx, vault: Vault, collector: str, message: str, new_id: str) -> int:
    row = tx.one("SELECT case_id, act, seq, sealed, frozen, mapping, created_ms FROM message WHERE id = ?", message)
    if row is None or row[4] is None:
        return 0
    case_id, act, seq, sealed, frozen, mapping, created_ms = row
    open_ = tx.one(
        "SELECT 1 FROM message m JOIN delivery d ON d.message = m.id WHERE m.case_id = ? AND m.act = ? AND m.direction = ? "
        "AND d.state NOT IN ('delivered','refused','given_up')", case_id, act, post.REPORT,
    )  # fmt: skip
    if open_ is not None:
        return 0
    _, key = _opened(tx, vault, case_id)
    wire, due = (vault.open(key, frozen, post.frozen_label(message)), vault.open(key, sealed, post.body_label(message)))
    post.put(
        tx, id=new_id, case_id=case_id, direction=post.REPORT, type=TYPE, act=act, seq=seq, leaf=None, mapping=mapping,
        sealed=vault.seal(key, due, post.body_label(new_id)),
    )  # fmt: skip
    tx.run(
        "UPDATE message SET frozen = ?, created_ms = ? WHERE id = ?",
        vault.seal(key, wire, post.frozen_label(new_id)), created_ms, new_id,
    )  # fmt: skip
    post.queue(tx, new_id, f"platform:{collector}", case_id)
    outbox.move(tx, new_id, Event.FREEZE)
    return 1


# --- small things -----------------------------------------------------------------------------------------------------


def _latest(ours: Sequence[Said]) -> Iterator[Said]:
    """Each report once: of one that was sent again the sending that is under way, else the newest that arrived."""
    found: dict[str, Said] = {}
    for one in ours:
        before = found.get(one.act + one.case_id)
        if before is None or before.state in STUCK or one.state not in STUCK:
            found[one.act + one.case_id] = one
    yield from found.values()


def _row(one: Said, key: tuple[str, str], row: Row, there: Sequence[Row]) -> Iterator[Difference]:
    where = (one.day, one.case_id, one.case_number, row.table, key[1], one.message)
    if not there and one.state is State.DELIVERED:
        yield Difference("missing", *where)
    if len(there) > 1:
        yield Difference("doubled", *where)
    for other in there[:1]:
        names = row.values.keys() | other.values.keys()
        columns = tuple(sorted(name for name in names if row.values.get(name) != other.values.get(name)))
        if columns:
            yield Difference("differs", *where, columns)


def _unknown(
    there: Mapping[tuple[str, str], Sequence[Row]],
    known: set[tuple[str, str]],
    cases: Mapping[str, Said],
    collecting: Collecting,
) -> Iterator[Difference]:
    """Rows in our name that no report of ours made; where the case is ours and has one row there, it stands there twice."""
    for (table, key), rows in there.items():
        if (table, key) in known:
            continue
        number, day = rows[0].values.get(collecting.case, ""), rows[0].values[collecting.time][:10]
        case = cases.get(number)
        kind: Kind = "doubled" if case is not None and table in collecting.once else "foreign"
        yield Difference(
            kind, day, case.case_id if case else number, case.case_number if case else "", table, key,
            case.message if case else "",
        )  # fmt: skip


def day_ms(day: str) -> int:
    """The first moment of a day in China, ms."""
    return int(datetime.fromisoformat(f"{day}T00:00:00+08:00").timestamp() * 1000)


def china_day(at_ms: int) -> str:
    """The day in China of a time in ms, ``yyyy-MM-dd``."""
    return china_date(datetime.fromtimestamp(at_ms / 1000, UTC)).isoformat()


def _opened(reader: Reader, vault: Vault, case_id: str) -> tuple[CaseFile, bytes]:
    case = casefile.load(reader, case_id)
    if case is None:
        raise Refused("TB-5001")
    return case, vault.unwrap(case.wrapped_key)


def _wire(vault: Vault, key: bytes, message: str, frozen: bytes) -> Wire:
    return msgspec.msgpack.decode(vault.open(key, frozen, post.frozen_label(message)), type=Wire)
