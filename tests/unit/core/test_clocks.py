"""Terms: the starting day is not counted, pauses keep what was left, and everybody is told in days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import case
from gateway.core.case import Actor, Event, Moved, State, advance
from gateway.core.clocks import (
    DESKS,
    Clock,
    Desk,
    Level,
    Rule,
    Term,
    days_left,
    due_date,
    level,
    overdue,
    why,
    wind,
)

FRIDAY = date(2026, 1, 9)
MONDAY = date(2026, 1, 12)
RULES = {
    Clock.NOTIFY: Rule(5, source="第九条"), Clock.DECIDE: Rule(20), Clock.DELIVER: Rule(10),
    Clock.CORRECTION: Rule(30, working=False), Clock.SPECIAL: Rule(45, working=False),
}  # fmt: skip


def weekday(day: date) -> bool:
    return day.weekday() < 5


def test_the_starting_day_is_not_counted() -> None:
    assert due_date(FRIDAY, 1, weekday) == MONDAY
    assert due_date(FRIDAY, 5, weekday) == FRIDAY + timedelta(days=7)
    assert due_date(FRIDAY, 5) == FRIDAY + timedelta(days=5)
    assert due_date(FRIDAY, 0, weekday) == FRIDAY


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 200), st.booleans())
def test_days_left_undoes_due_date(start: date, days: int, working: bool) -> None:
    counted = weekday if working else None
    due = due_date(start, days, counted)
    assert days_left(start, due, counted) == days
    assert not overdue(due, due)
    assert overdue(due + timedelta(days=1), due)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 400))
def test_overdue_days_are_counted_from_the_day_after(due: date, later: int) -> None:
    assert days_left(due + timedelta(days=later), due) == -later
    assert days_left(due + timedelta(days=later), due, weekday) <= 0


@pytest.mark.parametrize("days", [-1, 10**6])
def test_a_term_that_cannot_be_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="term"):
        due_date(FRIDAY, days)


def test_cards_turn_yellow_near_the_end_and_red_after_it() -> None:
    due = date(2026, 1, 30)  # a Friday
    assert level(date(2026, 1, 20), due, weekday) is Level.NORMAL
    assert level(date(2026, 1, 28), due, weekday) is Level.YELLOW
    assert level(due, due, weekday) is Level.YELLOW
    assert level(date(2026, 1, 31), due, weekday) is Level.RED
    assert level(date(2026, 1, 20), due, weekday, warn=10) is Level.YELLOW


def test_every_state_has_a_desk_and_running_terms_are_where_they_should_be() -> None:
    assert set(DESKS) == set(State)
    assert {state for state, (desk, _) in DESKS.items() if desk is Desk.NOBODY} == case.ENDS | {State.CLOSED}


def play(*steps: tuple[Event, int]) -> tuple[State, dict[Clock, Term]]:
    """Play handling acts on a case received on FRIDAY; each step so many days after the one before."""
    state, today = State.RECEIVED_THERE, FRIDAY
    terms = wind({}, case.STARTS[Event.RECEIVE].effects, today, RULES, weekday)
    for event, days in steps:
        today += timedelta(days=days)
        by = Actor.COLLECTING if event in (Event.CORRECT, Event.WITHDRAW) else Actor.HANDLING
        outcome = advance(state, event, by)
        assert isinstance(outcome, Moved)
        state = outcome.next
        terms = wind(terms, outcome.effects, today, RULES, weekday)
    return state, terms


def test_notice_then_decision_then_delivery() -> None:
    _, terms = play()
    assert terms[Clock.NOTIFY].due == due_date(FRIDAY, 5, weekday)
    _, terms = play((Event.ACCEPT, 3))
    assert set(terms) == {Clock.DECIDE}
    assert terms[Clock.DECIDE].due == due_date(MONDAY, 20, weekday)
    _, terms = play((Event.ACCEPT, 3), (Event.DECIDE_GRANT, 4))
    assert set(terms) == {Clock.DELIVER}
    _, terms = play((Event.ACCEPT, 3), (Event.DECIDE_GRANT, 4), (Event.ISSUE_RESULT, 0), (Event.DELIVER, 1))
    assert terms == {}


def test_a_correction_stops_the_notice_clock_and_starts_it_anew() -> None:
    _, terms = play((Event.REQUEST_CORRECTION, 3))
    assert set(terms) == {Clock.CORRECTION}
    _, terms = play((Event.REQUEST_CORRECTION, 3), (Event.CORRECT, 10))
    assert set(terms) == {Clock.NOTIFY}
    assert terms[Clock.NOTIFY].due == due_date(FRIDAY + timedelta(days=13), 5, weekday)


def test_a_special_procedure_keeps_the_days_that_were_left() -> None:
    _, paused = play((Event.ACCEPT, 3), (Event.START_SPECIAL, 7))
    assert paused[Clock.DECIDE] == Term(Clock.DECIDE, RULES[Clock.DECIDE], due=None, left=15)
    assert paused[Clock.SPECIAL].due == MONDAY + timedelta(days=7 + 45)
    _, resumed = play((Event.ACCEPT, 3), (Event.START_SPECIAL, 7), (Event.END_SPECIAL, 30))
    back = MONDAY + timedelta(days=37)
    assert resumed[Clock.DECIDE].due == due_date(back, 15, weekday)
    assert Clock.SPECIAL not in resumed


def test_a_pause_does_not_heal_a_term_that_was_over() -> None:
    _, terms = play((Event.ACCEPT, 3), (Event.START_SPECIAL, 60), (Event.END_SPECIAL, 5))
    assert terms[Clock.DECIDE].due == due_date(MONDAY, 20, weekday)


def test_every_end_stops_every_clock_but_delivery() -> None:
    for event in (Event.NOT_ACCEPT, Event.TERMINATE, Event.TRANSFER, Event.WITHDRAW):
        assert play((event, 1))[1] == {}
        assert play((Event.REQUEST_CORRECTION, 1), (event, 1))[1] == {}
    for event in (Event.TERMINATE, Event.TRANSFER, Event.WITHDRAW):
        assert play((Event.ACCEPT, 1), (event, 1))[1] == {}
        assert play((Event.ACCEPT, 1), (Event.START_SPECIAL, 1), (event, 1))[1] == {}, event


def test_a_clock_without_a_rule_does_not_run() -> None:
    assert wind({}, case.STARTS[Event.RECEIVE].effects, FRIDAY, {}, weekday) == {}


def test_why_says_desk_clock_clause_and_days() -> None:
    due = due_date(FRIDAY, 5, weekday)
    told = why(State.RECEIVED_THERE, MONDAY, due, weekday, clause="第九条")
    assert (told.desk, told.clock, told.left, told.level) == (Desk.HANDLING, Clock.NOTIFY, 4, Level.NORMAL)
    assert told.zh == "办理地已签收，在办理部门；受理告知时限（第九条）至 2026-01-16，还剩 4 个工作日。"
    assert told.en.endswith("notice of acceptance (第九条) due 2026-01-16, 4 working days left.")
    late = why(State.RECEIVED_THERE, due + timedelta(days=3), due, weekday)
    assert late.level is Level.RED and "已超期 1 个工作日" in late.zh
    assert why(State.COLLECTED, MONDAY).zh == "已收件，在收件窗口。"
    assert why(State.ACCEPTED, MONDAY) == why(State.ACCEPTED, MONDAY, None, weekday)
    assert why(State.ACCEPTED, MONDAY).zh == "已受理，在办理部门。"
    assert why(State.WITHDRAWN, MONDAY).en == "withdrawn."
    assert "还剩 4 日" in why(State.CORRECTION_REQUESTED, MONDAY, MONDAY + timedelta(days=4)).zh
