"""Replay: finds an order that the table allows, and names the message that fits none."""

from __future__ import annotations

from gateway.core.case import Event, State
from gateway.core.replay import SHORTEST_TERM_MS, Act, Fits, Stuck, replay

RECEIVE = Act(Event.RECEIVE, 1)


def acts(*events: Event) -> list[Act]:
    return [Act(event, n, label=event.value) for n, event in enumerate(events, 1)]


def test_one_sided_walks() -> None:
    assert replay([RECEIVE], []) == Fits(frozenset({State.RECEIVED_THERE}))
    assert replay([RECEIVE], acts(Event.ACCEPT, Event.DECIDE_DENY)) == Fits(frozenset({State.DENIED}))


def test_the_interleaving_is_found() -> None:
    window = [RECEIVE, Act(Event.CORRECT, 2, seen=1), Act(Event.ARRIVE_AT_WINDOW, 3, seen=4)]
    handling = acts(Event.REQUEST_CORRECTION, Event.ACCEPT, Event.DECIDE_GRANT, Event.ISSUE_RESULT)
    assert replay(window, handling) == Fits(frozenset({State.AT_WINDOW}))


def test_nothing_fits_before_what_its_author_had_seen() -> None:
    handling = acts(Event.ACCEPT, Event.DECIDE_GRANT)
    outcome = replay([RECEIVE, Act(Event.WITHDRAW, 2, seen=2, label="w")], handling)
    assert isinstance(outcome, Stuck)
    assert outcome.act.label == "w"
    assert outcome.states == {State.GRANTED}


def test_a_message_without_receipt_leaves_it_open() -> None:
    window = [RECEIVE, Act(Event.WITHDRAW, 2, sure=False)]
    assert replay(window, acts(Event.ACCEPT)) == Fits(frozenset({State.ACCEPTED, State.WITHDRAWN}))


def test_a_term_can_run_out_only_where_time_went_by() -> None:
    def after(gap_ms: int) -> object:
        return replay([Act(Event.RECEIVE, 1, at_ms=0)], [Act(Event.STEP, 1, at_ms=gap_ms)])

    assert after(SHORTEST_TERM_MS) == Fits(frozenset({State.IN_REVIEW}))
    assert isinstance(after(SHORTEST_TERM_MS - 1), Stuck)


def test_a_terms_length_counts_from_the_latest_message_of_either_side() -> None:
    window = [Act(Event.RECEIVE, 1, at_ms=0), Act(Event.CORRECT, 2, seen=1, at_ms=SHORTEST_TERM_MS)]
    handling = [Act(Event.REQUEST_CORRECTION, 1, at_ms=10), Act(Event.STEP, 2, seen=2, at_ms=SHORTEST_TERM_MS + 10)]
    assert isinstance(replay(window, handling), Stuck)
    handling[1] = Act(Event.STEP, 2, seen=2, at_ms=2 * SHORTEST_TERM_MS)
    assert replay(window, handling) == Fits(frozenset({State.IN_REVIEW}))


def test_no_application_no_case() -> None:
    assert replay([], []) == Fits(frozenset())
    assert isinstance(replay([], acts(Event.ACCEPT)), Stuck)
    assert isinstance(replay(acts(Event.WITHDRAW), []), Stuck)
