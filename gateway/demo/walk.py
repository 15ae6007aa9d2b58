"""One case as both gateways have it on record (两侧的办件经过): every message once, with both sides' times and ledger entries.

Read-only, from the two stores of the demo, opened with each node's own keys. A message has the same id on both sides, so
the two copies of the story fall into place row by row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec

from agreements import load as agreements
from agreements.calendar import Calendar, china_date
from agreements.model import Agreement, ClockRule
from gateway import config as settings
from gateway.core import case as machine
from gateway.core import clocks
from gateway.core.clocks import Clock, Rule, Term
from gateway.flow import post
from gateway.keys import keyring
from gateway.ledger.checkpoint import LedgerProof, Proof, checkpoint_of
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import CorrectionRequest, SpecialStart


@dataclass(frozen=True)
class Entry:
    """One side's record of a message: when taken in, our ledger's leaf for it, when the local platform had it (0 = never)."""

    at_ms: int
    leaf: int
    done_ms: int


@dataclass(frozen=True)
class Message:
    """A message between the gateways. ``origin``: the side that sent it; ``sealed_by``: size of the receiver's checkpoint
    under which its receipt lies."""

    id: str
    type: str
    origin: str
    body: Any
    sent: Entry
    taken: Entry | None
    sealed_by: int


@dataclass(frozen=True)
class Clocked:
    """A clock of the case: its rule, when it was due, and when it stopped (None: it did not run out, it still runs)."""

    clock: Clock
    rule: Rule
    started: date
    due: date
    stopped: date | None


@dataclass(frozen=True)
class Walk:
    """The case on both sides. ``states``: (at_ms, side, state) in order; ``clocks`` as the handling side's table ran them."""

    id: str
    number: str
    local_number: str
    item: str
    item_name: str
    agreement: Agreement
    clause: str
    messages: list[Message]
    states: list[tuple[int, str, str]]
    clocks: list[Clocked]
    leaves: dict[str, list[int]]


@contextmanager
def opened(config: Path) -> Iterator[sqlite3.Connection]:
    """A node's store, read-only."""
    path = config.parent / "data" / "gateway.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        yield connection


def vault(config: Path) -> Vault:
    """The node's content vault."""
    ring, _ = keyring.open_ring(settings.load(config), config.parent)
    return ring.vault()


@dataclass(frozen=True)
class Reader:
    """Both stores, with the keys to read them. ``holidays``: the calendar's bytes."""

    a: sqlite3.Connection
    b: sqlite3.Connection
    vault_a: Vault
    agreement: bytes
    calendar: Calendar

    def walk(self, case_id: str) -> Walk:
        """The walk of one case. KeyError if A does not have it."""
        row = self.a.execute(
            "SELECT case_number, item, item_name, clause, wrapped_key FROM case_file WHERE id = ?", (case_id,)
        ).fetchone()
        if row is None:
            raise KeyError(case_id)
        number, item, item_name, clause, wrapped = row
        there = self.b.execute("SELECT local_number FROM case_file WHERE id = ?", (case_id,)).fetchone()
        messages = list(self._messages(case_id, self.vault_a.unwrap(wrapped)))
        agreement = agreements.parse(self.agreement).agreement
        leaves = {
            side: [one.sent.leaf if one.origin == side else one.taken.leaf for one in messages if one.taken]
            for side in "ab"
        }
        return Walk(
            case_id, number, there[0] if there else "", item, item_name, agreement, clause, messages,
            sorted(self._states(case_id)), self._clocks(case_id, agreement, item, messages), leaves,
        )  # fmt: skip

    def _messages(self, case_id: str, key: bytes) -> Iterator[Message]:
        there = {row[0]: row for row in self._rows(self.b, case_id)}
        for here in self._rows(self.a, case_id):
            id_, type_, direction, sealed, *_ = here
            if direction == post.NOTE:
                continue
            body = codec.decode(type_, self.vault_a.open(key, sealed, post.body_label(id_)))
            mine, other = _entry(here), _entry(there[id_]) if id_ in there else None
            if direction == post.OUT:
                yield Message(id_, type_, "a", body, mine, other, _sealed_by(here[7]))
            elif other is not None:
                yield Message(id_, type_, "b", body, other, mine, _sealed_by(there[id_][7]))

    @staticmethod
    def _rows(connection: sqlite3.Connection, case_id: str) -> list[Any]:
        return connection.execute(
            "SELECT m.id, m.type, m.direction, m.sealed, m.created_ms, m.leaf, d.done_ms, m.receipt FROM message m "
            "LEFT JOIN delivery d ON d.message = m.id WHERE m.case_id = ? ORDER BY m.created_ms, m.id",
            (case_id,),
        ).fetchall()

    def _states(self, case_id: str) -> Iterator[tuple[int, str, str]]:
        for side, connection in (("a", self.a), ("b", self.b)):
            for at_ms, state in connection.execute(
                "SELECT at_ms, state FROM case_event WHERE case_id = ? ORDER BY n", (case_id,)
            ):
                yield at_ms, side, state

    def _clocks(self, case_id: str, agreement: Agreement, item: str, messages: list[Message]) -> list[Clocked]:
        """The clocks as the case table's effects wind them at the handling side."""
        rules = _rules(agreement, item)
        bodies = {one.id: one.body for one in messages}
        running: dict[Clock, Term] = {}
        found: dict[Clock, Clocked] = {}
        state: machine.State | None = None
        for event, by, at_ms, message in self.b.execute(
            "SELECT event, by, at_ms, message FROM case_event WHERE case_id = ? ORDER BY n", (case_id,)
        ):
            today = china_date(datetime.fromtimestamp(at_ms / 1000, UTC))
            body = bodies.get(message)
            moved = (
                machine.start(machine.Event(event), machine.Actor(by))
                if state is None
                else machine.advance(state, machine.Event(event), machine.Actor(by))
            )
            if not isinstance(moved, machine.Moved):
                continue
            state = moved.next
            now = clocks.wind(
                running, moved.effects, today, {**rules, **_own(body, today)}, self.calendar.is_working_day
            )
            _note(found, running, now, today)
            running = now
        return list(found.values())


def _note(found: dict[Clock, Clocked], before: dict[Clock, Term], now: dict[Clock, Term], today: date) -> None:
    """What the effects started, moved and stopped."""
    for clock, term in now.items():
        if term.due is not None:
            started = found[clock].started if clock in found and clock in before else today
            found[clock] = Clocked(clock, term.rule, started, term.due, None)
    for clock in before.keys() - now.keys():
        known = found[clock]
        found[clock] = Clocked(clock, known.rule, known.started, known.due, today)


def _rules(agreement: Agreement, code: str) -> dict[Clock, Rule]:
    item = next((one for one in agreement.items if one.code == code), None)
    decide = _rule(agreement.clocks.decide)
    if item is not None and item.decide_days:
        decide = Rule(item.decide_days, decide.working, f"{decide.source}（事项承诺 {item.decide_days} 日）")
    return {
        Clock.NOTIFY: _rule(agreement.clocks.notify),
        Clock.DECIDE: decide,
        Clock.DELIVER: _rule(agreement.clocks.deliver),
    }


def _rule(rule: ClockRule) -> Rule:
    return Rule(rule.days, rule.unit == "working", f"{rule.clause} · {rule.source}")


def _own(body: Any, today: date) -> dict[Clock, Rule]:
    """The limits that a notice sets for itself."""
    if isinstance(body, CorrectionRequest):
        return {Clock.CORRECTION: Rule((body.due - today).days, False, f"补正通知 {body.number}")}
    if isinstance(body, SpecialStart):
        return {Clock.SPECIAL: Rule(body.limit_days, True, body.legal_basis)}
    return {}


def _entry(row: Any) -> Entry:
    return Entry(row[4], -1 if row[5] is None else row[5], row[6] or 0)


def _sealed_by(receipt: bytes | None) -> int:
    if receipt is None:
        return 0
    proof = msgspec.json.decode(receipt, type=Proof)
    checkpoint = checkpoint_of(proof) if isinstance(proof, LedgerProof) else None
    return checkpoint.size if checkpoint is not None else 0
