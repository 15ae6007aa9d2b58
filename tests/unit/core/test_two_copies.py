"""Two gateways, each with its copy of one case: whatever happens in whatever order, at rest both say the same.

Lines are at least once and in order per direction, answers may be lost, both sides act at any moment. All of it is walked
exhaustively for queues of bounded length; longer queues are walked by chance. Some tables that look harmless and are not
show that the walk would find them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gateway.core import case
from gateway.core.case import EVENT_OF_RECEIPT, Actor, Event, Moved, NotAllowed, Row, State, advance

COLLECTING, HANDLING = Actor.COLLECTING, Actor.HANDLING
ON_RECEIPT = frozenset(EVENT_OF_RECEIPT.values())
WINDOW_ACTS = (Event.CORRECT, Event.WITHDRAW, Event.ARRIVE_AT_WINDOW, Event.DELIVER, Event.CLOSE)
HANDLING_ACTS = tuple(
    event for event in Event if HANDLING in case.WHO[event] and event not in (Event.RECEIVED_THERE, Event.REFUSED_THERE)
)


class Pair(NamedTuple):
    """Both copies, what each still has to send, and what the head of each queue was answered if that answer is lost."""

    window: State
    handling: State
    from_window: tuple[Event, ...] = ()
    from_handling: tuple[Event, ...] = ()
    answer_to_window: str = ""
    answer_to_handling: str = ""


START = Pair(State.FORWARDED, State.RECEIVED_THERE)


def window_acts(pair: Pair) -> Iterator[Pair]:
    for event in WINDOW_ACTS:
        outcome = advance(pair.window, event, COLLECTING)
        if not isinstance(outcome, Moved):
            continue
        queued = (*pair.from_window, event)
        if event not in ON_RECEIPT:
            yield pair._replace(window=outcome.next, from_window=queued)
        elif event not in pair.from_window:  # one of a kind at a time
            yield pair._replace(from_window=queued)


def handling_acts(pair: Pair) -> Iterator[Pair]:
    for event in HANDLING_ACTS:
        outcome = advance(pair.handling, event, HANDLING)
        if isinstance(outcome, Moved):
            yield pair._replace(handling=outcome.next, from_handling=(*pair.from_handling, event))


def to_window(pair: Pair) -> Iterator[Pair]:
    """The window's gateway takes the next message, or its answer reaches the handling place's gateway."""
    if pair.answer_to_handling:
        yield pair._replace(from_handling=pair.from_handling[1:], answer_to_handling="")
    elif pair.from_handling:
        outcome = advance(pair.window, pair.from_handling[0], HANDLING)
        if isinstance(outcome, Moved):
            yield pair._replace(window=outcome.next, answer_to_handling="receipt")
        elif isinstance(outcome, NotAllowed):
            yield pair._replace(answer_to_handling="refused")


def to_handling(pair: Pair) -> Iterator[Pair]:
    """The handling place's gateway takes the next message, or its answer reaches the window's gateway."""
    if pair.answer_to_window:
        event, window = pair.from_window[0], pair.window
        if pair.answer_to_window == "receipt" and event in ON_RECEIPT:
            outcome = advance(window, event, COLLECTING)
            window = outcome.next if isinstance(outcome, Moved) else window  # else overtaken
        yield pair._replace(window=window, from_window=pair.from_window[1:], answer_to_window="")
    elif pair.from_window:
        outcome = advance(pair.handling, pair.from_window[0], COLLECTING)
        if isinstance(outcome, Moved):
            yield pair._replace(handling=outcome.next, answer_to_window="receipt")
        elif isinstance(outcome, NotAllowed):
            yield pair._replace(answer_to_window="refused")


def lines(pair: Pair) -> Iterator[Pair]:
    if pair.window is State.FORWARDED:  # the receipt of the application arrives
        yield pair._replace(window=State.RECEIVED_THERE)
    yield from to_window(pair)
    yield from to_handling(pair)


def explore(queue: int) -> tuple[int, list[Pair]]:
    """All pairs reachable with at most ``queue`` messages waiting on each side; those at rest that differ or are stuck."""
    seen, waiting, wrong = {START}, deque([START]), []
    while waiting:
        pair = waiting.popleft()
        carried = list(lines(pair))
        if not carried and (pair.from_window or pair.from_handling or pair.window is not pair.handling):
            wrong.append(pair)
        following = [*carried]
        if len(pair.from_window) < queue:
            following += window_acts(pair)
        if len(pair.from_handling) < queue:
            following += handling_acts(pair)
        for other in following:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return len(seen), wrong


def test_copies_agree_at_rest_whatever_happened() -> None:
    count, wrong = explore(queue=2)
    assert wrong == []
    assert count > 5_000, "the walk went somewhere"


@pytest.mark.long
def test_copies_agree_at_rest_with_longer_queues() -> None:
    assert explore(queue=4)[1] == []


HARMLESS_LOOKING = {
    "a revoked case is closed": ((State.REVOKED, Event.CLOSE), Row(State.CLOSED, case.BY_EITHER)),
    "a corrected case is delivered": ((State.CORRECTED, Event.DELIVER), Row(State.DELIVERED, case.BY_EITHER)),
    "the window closes a corrected case": ((State.CORRECTED, Event.CLOSE), Row(State.CLOSED, case.BY_EITHER)),
    "a corrected result is issued anew": (
        (State.CORRECTED, Event.ISSUE_RESULT),
        Row(State.RESULT_ISSUED, case.BY_HANDLING),
    ),
    "a second result at the window": (
        (State.AT_WINDOW, Event.ISSUE_RESULT),
        Row(State.RESULT_ISSUED, case.BY_HANDLING),
    ),
    "a correction while none is asked": (
        (State.RECEIVED_THERE, Event.CORRECT),
        Row(State.CORRECTED, case.BY_COLLECTING),
    ),
}


@pytest.mark.parametrize("name", HARMLESS_LOOKING)
def test_the_walk_finds_a_bad_row(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, row = HARMLESS_LOOKING[name]
    monkeypatch.setitem(case.TABLE, place, row)
    assert explore(queue=2)[1]


def test_the_walk_finds_a_missing_park(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = case.PARKS[State.CORRECTION_REQUESTED] - {Event.REQUEST_CORRECTION}
    monkeypatch.setitem(case.PARKS, State.CORRECTION_REQUESTED, waits)
    assert explore(queue=2)[1]


def test_moving_at_once_on_a_withdrawal_would_part_the_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why withdrawal and correction wait for the receipt."""
    monkeypatch.setattr(f"{__name__}.ON_RECEIPT", frozenset({Event.RECEIVED_THERE}))
    assert explore(queue=2)[1]


class TwoCopies(RuleBasedStateMachine):
    """The same by chance with long queues, beside a model that knows nothing but the law's order of acts."""

    @initialize()
    def begin(self) -> None:
        self.pair = START
        self.history: list[Event] = []

    @rule(pick=st.integers(0, 63))
    def window(self, pick: int) -> None:
        self.choose(list(window_acts(self.pair)), pick)

    @rule(pick=st.integers(0, 63))
    def handling(self, pick: int) -> None:
        before = len(self.pair.from_handling)
        self.choose(list(handling_acts(self.pair)), pick)
        self.history += self.pair.from_handling[before:]
        lawful(self.history)

    @precondition(lambda self: list(lines(self.pair)))
    @rule(pick=st.integers(0, 3))
    def carry(self, pick: int) -> None:
        before = self.pair
        self.choose(list(lines(self.pair)), pick)
        if self.pair.answer_to_window == "receipt" != before.answer_to_window:
            self.history.append(before.from_window[0])
            lawful(self.history)

    def choose(self, possible: list[Pair], pick: int) -> None:
        if possible:
            self.pair = possible[pick % len(possible)]

    def teardown(self) -> None:
        if not hasattr(self, "pair"):
            return
        while following := list(lines(self.pair)):
            self.pair = following[-1]
        assert not self.pair.from_window and not self.pair.from_handling, "nothing waits for ever"
        assert self.pair.window is self.pair.handling


def lawful(history: list[Event]) -> None:
    """The reference model: what must have come before the latest event, and what must not."""
    latest, earlier = history[-1], history[:-1]
    accepted = {Event.ACCEPT, Event.DEEM_ACCEPTED} & set(earlier)
    decided = {Event.DECIDE_GRANT, Event.DECIDE_DENY} & set(earlier)
    over = {Event.WITHDRAW, Event.TERMINATE, Event.TRANSFER, Event.LAPSE_CORRECTION, Event.REVOKE, Event.CANCEL}
    assert not over & set(earlier), "nothing follows an end"
    if latest in (Event.STEP, Event.START_SPECIAL, Event.DECIDE_GRANT, Event.DECIDE_DENY):
        assert accepted and not decided and Event.NOT_ACCEPT not in earlier
        assert earlier.count(Event.START_SPECIAL) == earlier.count(Event.END_SPECIAL) or latest is Event.STEP
    if latest is Event.NOT_ACCEPT:
        assert not accepted and not decided
    if latest is Event.ISSUE_RESULT:
        assert Event.DECIDE_GRANT in earlier or Event.CORRECT_DECISION in earlier
    if latest in (Event.DELIVER, Event.ARRIVE_AT_WINDOW):
        assert decided or Event.NOT_ACCEPT in earlier
    if latest is Event.CORRECT:
        assert earlier.count(Event.REQUEST_CORRECTION) == earlier.count(Event.CORRECT) + 1
    if latest is Event.WITHDRAW:
        assert not decided


TwoCopies.TestCase.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
test_two_copies_by_chance = TwoCopies.TestCase
