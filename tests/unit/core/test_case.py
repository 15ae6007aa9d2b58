"""The case table: who may do what, what waits, what is too late."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.case import (
    ENDS,
    EVENT_OF_MESSAGE,
    EVENT_OF_REFUSAL,
    PARKS,
    STARTS,
    TABLE,
    WHO,
    Actor,
    Event,
    Moved,
    NotAllowed,
    Parked,
    State,
    advance,
    moves_on_receipt,
    start,
)
from gateway.core.labels import LABELS
from schemas.canonical import BODIES

COLLECTING, HANDLING, CLOCK = Actor.COLLECTING, Actor.HANDLING, Actor.CLOCK
HANDLING_ONLY = [
    Event.REQUEST_CORRECTION, Event.ACCEPT, Event.NOT_ACCEPT, Event.STEP, Event.START_SPECIAL, Event.END_SPECIAL,
    Event.DECIDE_GRANT, Event.DECIDE_DENY, Event.ISSUE_RESULT, Event.TERMINATE, Event.TRANSFER, Event.CORRECT_DECISION,
    Event.REVOKE, Event.CANCEL, Event.RETURN_PARCEL, Event.DEEM_ACCEPTED, Event.LAPSE_CORRECTION, Event.RECEIVED_THERE,
]  # fmt: skip
AFTER_DECISION = {
    State.GRANTED, State.DENIED, State.RESULT_ISSUED, State.AT_WINDOW, State.DELIVERED, State.CLOSED, State.CORRECTED,
    State.REVOKED, State.CANCELLED, State.RETURNED,
}  # fmt: skip


def walk(events: Iterable[tuple[Event, Actor]], state: State = State.RECEIVED_THERE) -> State:
    for event, by in events:
        outcome = advance(state, event, by)
        assert isinstance(outcome, Moved), (state, event, outcome)
        state = outcome.next
    return state


@pytest.mark.parametrize("event", HANDLING_ONLY)
@pytest.mark.parametrize("state", State)
def test_a_window_that_collects_never_decides(event: Event, state: State) -> None:
    """The power *collect*: whatever the state, the handling place's acts are not the collecting side's."""
    outcome = advance(state, event, COLLECTING)
    assert isinstance(outcome, NotAllowed)
    assert outcome.reason == "not-yours"


@pytest.mark.parametrize("event", [Event.CORRECT, Event.WITHDRAW, Event.ARRIVE_AT_WINDOW, Event.FORWARD])
@pytest.mark.parametrize("state", State)
def test_the_handling_place_does_not_act_for_the_window(event: Event, state: State) -> None:
    outcome = advance(state, event, HANDLING)
    assert isinstance(outcome, NotAllowed)
    assert outcome.reason == "not-yours"


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("by", Actor)
def test_every_question_has_one_answer_and_only_rows_move(state: State, event: Event, by: Actor) -> None:
    outcome = advance(state, event, by)
    row = TABLE.get((state, event))
    if isinstance(outcome, Moved):
        assert row is not None and by in row.by
        assert (outcome.next, outcome.effects) == (row.next, row.effects)
    elif isinstance(outcome, Parked):
        assert row is None and event in PARKS[state] and by in WHO[event]
    else:
        assert outcome.reason in ("not-yours", "late")
        assert outcome.zh and outcome.en


def test_nothing_both_moves_and_waits() -> None:
    assert [(s, e) for s, events in PARKS.items() for e in events if (s, e) in TABLE] == []


def test_what_waits_can_come_true() -> None:
    """An event parks only where some walk leads to a state that has a row for it."""
    for state, events in PARKS.items():
        reachable, frontier = {state}, [state]
        while frontier:
            here = frontier.pop()
            for (origin, _), row in TABLE.items():
                if origin is here and row.next not in reachable:
                    reachable.add(row.next)
                    frontier.append(row.next)
        for event in events:
            assert any((later, event) in TABLE for later in reachable), (state, event)


def test_every_state_is_reached_and_every_end_is_known() -> None:
    reached = {row.next for row in (*TABLE.values(), *STARTS.values())}
    assert reached == set(State)
    assert {
        State.WITHDRAWN, State.CORRECTION_LAPSED, State.TERMINATED, State.TRANSFERRED, State.REVOKED, State.CANCELLED,
    } == ENDS  # fmt: skip


def test_every_event_is_caused_by_somebody_and_has_a_name() -> None:
    assert {event for event in Event if not WHO[event]} == set()
    assert set(LABELS) == {*(s.value for s in State), *(e.value for e in Event)}


def test_no_row_leads_back_before_a_decision() -> None:
    for (state, event), row in TABLE.items():
        if state in AFTER_DECISION:
            assert row.next in AFTER_DECISION, (state, event)


def test_messages_of_the_canonical_model_all_have_their_event() -> None:
    outcomes = {"acceptance": ("accepted", "not_accepted"), "decision": ("granted", "denied")}
    for type_ in BODIES:
        for outcome in outcomes.get(type_, ("",)):
            assert (type_, outcome) in EVENT_OF_MESSAGE
    assert moves_on_receipt("correction") and not moves_on_receipt("delivery")


def test_an_ordinary_grant() -> None:
    assert start(Event.COLLECT, COLLECTING) == Moved(State.COLLECTED, STARTS[Event.COLLECT].effects)
    assert isinstance(start(Event.ACCEPT, HANDLING), NotAllowed)
    assert isinstance(start(Event.COLLECT, HANDLING), NotAllowed)
    steps = [
        (Event.FORWARD, COLLECTING), (Event.RECEIVED_THERE, HANDLING), (Event.ACCEPT, HANDLING), (Event.STEP, HANDLING),
        (Event.DECIDE_GRANT, HANDLING), (Event.ISSUE_RESULT, HANDLING), (Event.ARRIVE_AT_WINDOW, COLLECTING),
        (Event.DELIVER, COLLECTING), (Event.CLOSE, HANDLING),
    ]  # fmt: skip
    assert walk(steps, State.COLLECTED) is State.CLOSED


@pytest.mark.parametrize(("steps", "end"), [
    ([(Event.ACCEPT, HANDLING), (Event.DECIDE_GRANT, HANDLING)], State.GRANTED),  # 即办件
    ([(Event.DEEM_ACCEPTED, CLOCK), (Event.ACCEPT, HANDLING), (Event.STEP, HANDLING)], State.IN_REVIEW),
    ([(Event.NOT_ACCEPT, HANDLING), (Event.DELIVER, COLLECTING), (Event.CLOSE, COLLECTING)], State.CLOSED),
    ([(Event.ACCEPT, HANDLING), (Event.DECIDE_DENY, HANDLING), (Event.ARRIVE_AT_WINDOW, COLLECTING),
      (Event.DELIVER, COLLECTING), (Event.CLOSE, HANDLING)], State.CLOSED),
    ([(Event.REQUEST_CORRECTION, HANDLING), (Event.CORRECT, COLLECTING), (Event.ACCEPT, HANDLING)], State.ACCEPTED),
    ([(Event.REQUEST_CORRECTION, HANDLING), (Event.LAPSE_CORRECTION, CLOCK)], State.CORRECTION_LAPSED),
    ([(Event.ACCEPT, HANDLING), (Event.START_SPECIAL, HANDLING), (Event.STEP, HANDLING), (Event.END_SPECIAL, HANDLING),
      (Event.DECIDE_GRANT, HANDLING), (Event.ISSUE_RESULT, HANDLING), (Event.RETURN_PARCEL, HANDLING),
      (Event.DELIVER, HANDLING)], State.DELIVERED),
    ([(Event.ACCEPT, HANDLING), (Event.DECIDE_GRANT, HANDLING), (Event.ISSUE_RESULT, HANDLING),
      (Event.ISSUE_RESULT, HANDLING), (Event.DELIVER, HANDLING), (Event.CORRECT_DECISION, HANDLING),
      (Event.ISSUE_RESULT, HANDLING), (Event.DELIVER, COLLECTING), (Event.CLOSE, HANDLING)], State.CLOSED),
    ([(Event.ACCEPT, HANDLING), (Event.DECIDE_GRANT, HANDLING), (Event.REVOKE, HANDLING)], State.REVOKED),
])  # fmt: skip
def test_the_walks_of_the_law(steps: list[tuple[Event, Actor]], end: State) -> None:
    assert walk(steps) is end


@pytest.mark.parametrize(("state", "event"), [
    (State.RECEIVED_THERE, Event.DECIDE_GRANT), (State.RECEIVED_THERE, Event.CLOSE), (State.RECEIVED_THERE, Event.ISSUE_RESULT),
    (State.FORWARDED, Event.ACCEPT), (State.GRANTED, Event.DELIVER), (State.SPECIAL_PROCEDURE, Event.DECIDE_GRANT),
    (State.DENIED, Event.CLOSE), (State.CORRECTION_REQUESTED, Event.REQUEST_CORRECTION),
])  # fmt: skip
def test_R11_early_events_wait(state: State, event: Event) -> None:
    assert advance(state, event, HANDLING) == Parked(state, event)


@pytest.mark.parametrize(("state", "event"), [
    (State.CLOSED, Event.ACCEPT), (State.GRANTED, Event.ACCEPT), (State.WITHDRAWN, Event.DECIDE_GRANT),
    (State.DEEMED_ACCEPTED, Event.NOT_ACCEPT), (State.DEEMED_ACCEPTED, Event.REQUEST_CORRECTION),
    (State.DENIED, Event.ISSUE_RESULT), (State.NOT_ACCEPTED, Event.DECIDE_GRANT), (State.DELIVERED, Event.ISSUE_RESULT),
    (State.REVOKED, Event.CLOSE), (State.IN_REVIEW, Event.ACCEPT),
])  # fmt: skip
def test_R11_late_events_are_refused(state: State, event: Event) -> None:
    outcome = advance(state, event, HANDLING)
    assert isinstance(outcome, NotAllowed)
    assert outcome.reason == "late"
    assert LABELS[state][0] in outcome.zh and LABELS[event][1] in outcome.en


@given(st.lists(st.tuples(st.sampled_from(Event), st.sampled_from(Actor)), max_size=40))
def test_R11_a_denied_case_never_gets_a_result(events: list[tuple[Event, Actor]]) -> None:
    """Unless its decision was corrected: whatever order events come in."""
    state, denied, corrected = State.RECEIVED_THERE, False, False
    for event, by in events:
        outcome = advance(state, event, by)
        if isinstance(outcome, Moved):
            state = outcome.next
            denied |= event in (Event.DECIDE_DENY, Event.NOT_ACCEPT)
            corrected |= event is Event.CORRECT_DECISION
            assert not (event is Event.ISSUE_RESULT and denied and not corrected)


def test_a_refused_application_can_be_sent_anew_or_withdrawn() -> None:
    assert EVENT_OF_REFUSAL["application"] is Event.REFUSED_THERE
    assert walk([(Event.REFUSED_THERE, HANDLING), (Event.FORWARD, COLLECTING)], State.FORWARDED) is State.FORWARDED
    assert walk([(Event.REFUSED_THERE, HANDLING), (Event.WITHDRAW, COLLECTING)], State.FORWARDED) is State.WITHDRAWN
