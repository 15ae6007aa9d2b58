"""Why a case stands where it stands (``case why``): whose desk, which clock under which clause and law, what it waits for.

The clocks are wound from the recorded events by the case table's own effects, with the terms of the agreement version
that the case was collected under and the handling place's calendar. Terms that come with a notice (补正 and 特别程序) are
read from that notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from agreements.calendar import Calendar, china_date
from agreements.model import Agreement, ClockRule
from gateway.core import case as machine
from gateway.core import clocks
from gateway.core.clocks import Clock, Rule, Term
from gateway.flow import show
from gateway.flow.casefile import CaseFile
from gateway.flow.show import Entry, Owed
from gateway.ledger.checkpoint import LedgerProof, checkpoint_of
from gateway.store.journal import Reader

Opened = Callable[[str], Any]
"""Message id -> its canonical body, None when it cannot be read."""


@dataclass(frozen=True, slots=True)
class Running:
    """The clock that runs: its rule in days, the agreement's clause, the law or notice it comes from, and its end."""

    clock: Clock
    days: int
    working: bool
    clause: str
    source: str
    due: date
    left: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """The answer. ``running`` None where no clock runs; ``known`` False when the agreement version is not held here."""

    why: clocks.Why
    running: Running | None
    known: bool
    clause: str
    waits: Sequence[Owed]
    paused: bool


def explain(
    reader: Reader, case: CaseFile, agreement: Agreement | None, calendar: Calendar, opened: Opened, now_ms: int
) -> Explained:
    """Explain a case at a time (ms). ``calendar`` is the handling place's."""
    state, today = machine.State(case.state), _day(now_ms)
    wound = wind(reader, case, agreement, calendar, opened) if agreement is not None else {}
    _, clock = clocks.DESKS[state]
    term = wound.get(clock) if clock is not None else None
    running = _running(term, agreement, calendar, today)
    counted = calendar.is_working_day if running is not None and running.working else None
    answer = clocks.why(state, today, running.due if running else None, counted, running.clause if running else "")
    waits = [
        letter.delivery
        for letter in show.letters(reader, case.id)
        if letter.delivery is not None and not letter.delivery.done_ms
    ]
    paused = reader.one("SELECT 1 FROM peer WHERE id = ? AND state = 'paused'", case.counterpart) is not None
    return Explained(answer, running, agreement is not None, case.clause, waits, paused)


def wind(reader: Reader, case: CaseFile, agreement: Agreement, calendar: Calendar, opened: Opened) -> dict[Clock, Term]:
    """The case's clocks after all its recorded events."""
    terms: dict[Clock, Term] = {}
    state: machine.State | None = None
    entries = show.timeline(reader, case.id)
    decide_days = _decide_days(agreement, case, entries, opened)
    days: dict[str, date] = {}
    for entry in entries:
        event, today = machine.Event(entry.event), _happened(reader, entry)
        row = machine.STARTS.get(event) if state is None else machine.TABLE.get((state, event))
        if state is None:
            days["collected"] = _day(entry.act_ms)
        state = machine.State(entry.state)
        if state is machine.State.RECEIVED_THERE:
            days["received_there"] = today  # after a correction the term begins anew
        if row is not None:
            rules = _rules(agreement, decide_days) | _noticed(event, entry, opened)
            start = _start(row.effects, agreement, event, days) or today
            terms = clocks.wind(terms, row.effects, start, rules, calendar.is_working_day)
    return terms


def _start(
    effects: Sequence[machine.Effect], agreement: Agreement, event: machine.Event, days: Mapping[str, date]
) -> date | None:
    """The day that the agreement counts from, where that is not the day of the event itself."""
    if event is machine.Event.CORRECT:
        return None
    for clock, effect in _STARTS.items():
        if effect in effects:
            return days.get(_CLAUSED[clock](agreement).starts)
    return None


def _rules(agreement: Agreement, decide_days: int) -> dict[Clock, Rule]:
    found = agreement.clocks
    return {
        Clock.NOTIFY: _rule(found.notify),
        Clock.DECIDE: replace(_rule(found.decide), days=decide_days),
        Clock.DELIVER: _rule(found.deliver),
    }


def _rule(found: ClockRule) -> Rule:
    return Rule(found.days, found.unit == "working", found.source)


def _noticed(event: machine.Event, entry: Entry, opened: Opened) -> dict[Clock, Rule]:
    """The term that this event's own notice sets."""
    if event is machine.Event.REQUEST_CORRECTION and (body := opened(entry.message)) is not None:
        days = (body.due - _day(entry.act_ms)).days
        return {Clock.CORRECTION: Rule(min(max(days, 0), clocks.MAX_DAYS), False, f"补正通知书 {body.number}")}
    if event is machine.Event.START_SPECIAL and (body := opened(entry.message)) is not None:
        return {Clock.SPECIAL: Rule(body.limit_days, True, body.legal_basis)}
    return {}


def _decide_days(agreement: Agreement, case: CaseFile, entries: Sequence[Entry], opened: Opened) -> int:
    """The item's own promised limit, else the agreement's."""
    body = opened(entries[0].message) if entries else None
    item = agreement.item(case.item, body.item_version) if body is not None else None
    return item.decide_days if item is not None and item.decide_days else agreement.clocks.decide.days


def _happened(reader: Reader, entry: Entry) -> date:
    """The day of an event: what is received counts from its receipt, as its checkpoint proves; other acts from the act."""
    if entry.event not in (machine.Event.RECEIVE, machine.Event.RECEIVED_THERE, machine.Event.CORRECT):
        return _day(entry.act_ms)
    row = reader.one("SELECT receipt FROM message WHERE id = ?", entry.message)
    if row is None or row[0] is None:
        return _day(entry.at_ms)  # ours is the receipt
    checkpoint = checkpoint_of(msgspec.json.decode(row[0], type=LedgerProof))
    return _day(checkpoint.time_ms if checkpoint is not None else entry.at_ms)


def _running(term: Term | None, agreement: Agreement | None, calendar: Calendar, today: date) -> Running | None:
    if term is None or term.due is None or agreement is None:
        return None
    due, working = term.due, term.rule.working
    if not working and term.clock in _CLAUSED:
        while not calendar.is_working_day(due):  # 民法典 203: a last day that is a day off moves on
            due = date.fromordinal(due.toordinal() + 1)
    left = clocks.days_left(today, due, calendar.is_working_day if working else None)
    clause = _CLAUSED[term.clock](agreement).clause if term.clock in _CLAUSED else ""
    estimated = not (calendar.covers(due.year) and calendar.covers(today.year))
    return Running(term.clock, term.rule.days, working, clause, term.rule.source, due, left, estimated)


_STARTS = {
    Clock.NOTIFY: machine.Effect.START_NOTIFY,
    Clock.DECIDE: machine.Effect.START_DECIDE,
    Clock.DELIVER: machine.Effect.START_DELIVER,
}
_CLAUSED: dict[Clock, Callable[[Agreement], ClockRule]] = {
    Clock.NOTIFY: lambda agreement: agreement.clocks.notify,
    Clock.DECIDE: lambda agreement: agreement.clocks.decide,
    Clock.DELIVER: lambda agreement: agreement.clocks.deliver,
}


def _day(ms: int) -> date:
    return china_date(datetime.fromtimestamp(ms / 1000, UTC))
