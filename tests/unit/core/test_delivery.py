"""The delivery table: at least once on the wire, once in effect, and never a second try where nobody can be asked."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gateway.core.delivery import DONE, START, TABLE, Effect, Event, Moved, NotAllowed, State, advance


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_only_rows_move(state: State, event: Event) -> None:
    outcome = advance(state, event)
    row = TABLE.get((state, event))
    if row is None:
        assert outcome == NotAllowed(state, event, state in DONE)
    else:
        assert outcome == Moved(row.next, row.effects)


def test_ends_are_ends_and_all_else_can_end() -> None:
    assert {state for state, _ in TABLE} == set(State) - DONE
    for begin in set(State) - DONE:
        reached, waiting = {begin}, [begin]
        while waiting:
            here = waiting.pop()
            following = {row.next for (state, _), row in TABLE.items() if state is here} - reached
            reached |= following
            waiting += following
        assert {State.DELIVERED, State.GIVEN_UP} & reached, begin


def test_nothing_is_sent_from_a_state_whose_outcome_is_unknown() -> None:
    """Sending again takes an answer first: not there, or a person's word."""
    allowed = {Event.NOT_THERE, Event.CONFIRMED_NOT_THERE, Event.FREEZE}
    assert {event for (_, event), row in TABLE.items() if Effect.SEND in row.effects} == allowed


def test_a_dropped_message_was_never_sent() -> None:
    assert {state for state, event in TABLE if event is Event.DROP} == {State.QUEUED, State.HELD}


def test_an_answer_is_stored_where_it_ends_the_message() -> None:
    for (_, event), row in TABLE.items():
        if row.next in DONE and event is not Event.DROP:
            assert Effect.STORE_ANSWER in row.effects


def test_the_unanswering_platform_goes_to_a_person() -> None:
    state = START
    for event in (Event.FREEZE, Event.ATTEMPT, Event.UNCLEAR, Event.CANNOT_ASK):
        outcome = advance(state, event)
        assert isinstance(outcome, Moved)
        state = outcome.next
    assert state is State.AWAITING_PERSON
    assert isinstance(advance(state, Event.RESEND), NotAllowed)


class OneMessage(RuleBasedStateMachine):
    """A sender that only follows the table, a destination that may be asked and de-duplicates, or neither; crashes between
    any two steps; answers lost on the way. The model counts what the destination took."""

    @initialize(askable=st.booleans())
    def begin(self, askable: bool) -> None:
        self.askable = askable
        self.state = START
        self.taken = 0
        self.wanted: set[Effect] = set()
        self.sent = 0

    def feed(self, event: Event) -> None:
        outcome = advance(self.state, event)
        if isinstance(outcome, Moved):
            self.state, self.wanted = outcome.next, set(outcome.effects)

    @precondition(lambda self: self.state is State.QUEUED)
    @rule(works=st.booleans())
    def freeze(self, works: bool) -> None:
        self.feed(Event.FREEZE if works else Event.EXHAUSTED)

    @precondition(lambda self: self.state is State.FROZEN)
    @rule(reaches=st.booleans(), answer=st.sampled_from(["receipt", "lost", "garbage", "crash"]))
    def send(self, reaches: bool, answer: str) -> None:
        if not self.askable:
            self.feed(Event.ATTEMPT)  # persisted before the call: a crash from here on leaves it unknown
        self.sent += 1
        if reaches:
            self.taken = 1 if self.askable else self.taken + 1
        if answer == "crash":
            return
        if not reaches:
            self.feed(Event.TEMPORARY if self.askable else Event.UNCLEAR)
        else:
            self.feed(Event.RECEIPT if answer == "receipt" else Event.UNCLEAR)

    @precondition(lambda self: self.state is State.UNKNOWN)
    @rule(works=st.booleans())
    def ask(self, works: bool) -> None:
        if not self.askable:
            self.feed(Event.CANNOT_ASK)
        elif works:
            self.feed(Event.RECEIPT if self.taken else Event.NOT_THERE)
        else:
            self.feed(Event.TEMPORARY)

    @precondition(lambda self: self.state is State.AWAITING_PERSON)
    @rule()
    def person_looks(self) -> None:
        self.feed(Event.CONFIRMED_THERE if self.taken else Event.CONFIRMED_NOT_THERE)

    @rule(event=st.sampled_from([Event.EXHAUSTED, Event.RESEND, Event.DROP]))
    def operator(self, event: Event) -> None:
        self.feed(event)

    def teardown(self) -> None:
        if not hasattr(self, "state"):
            return
        for _ in range(10):
            if self.state in (State.PARKED, State.HELD):
                self.feed(Event.RESEND)
            elif self.state is State.QUEUED:
                self.freeze(True)
            elif self.state is State.FROZEN:
                self.send(True, "receipt")
            elif self.state is State.UNKNOWN:
                self.ask(True)
            elif self.state is State.AWAITING_PERSON:
                self.person_looks()
        assert self.state in DONE
        assert self.taken == (1 if self.state is State.DELIVERED else 0), "once in effect, or never sent at all"
        if self.state is State.GIVEN_UP:
            assert self.sent == 0


OneMessage.TestCase.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)
test_once_in_effect = OneMessage.TestCase
