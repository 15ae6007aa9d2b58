"""The life of a use code: what is released or spent never is again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.use_code import ALIVE, EXPIRED, FAILED, REPLAYED, TABLE, Event, State, advance

RELEASED = {State.HELD, State.OWED, State.USED}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("over", [True, False])
def test_every_pair_has_an_answer(state: State, event: Event, over: bool) -> None:
    outcome = advance(state, event, over=over)
    if (state, event) not in TABLE:
        assert outcome == (FAILED if state is State.FAILED else REPLAYED)
    elif over and event in ALIVE:
        assert outcome == EXPIRED
    else:
        assert outcome is TABLE[state, event]


@given(st.lists(st.tuples(st.sampled_from(Event), st.booleans()), max_size=12))
def test_a_code_is_released_at_most_once_and_spent_at_most_once(events: list[tuple[Event, bool]]) -> None:
    state, releases, spent = State.ISSUED, 0, 0
    for event, over in events:
        following = advance(state, event, over=over)
        if isinstance(following, State):
            releases += event is Event.ARRIVE and following is State.HELD
            spent += event is Event.SPEND
            state = following
    assert releases <= 1 and spent <= 1
    assert not (spent and isinstance(advance(state, Event.FETCH, over=False), State))


def test_an_expired_code_may_still_finish_what_it_began() -> None:
    assert advance(State.OWED, Event.ARRIVE, over=True) is State.USED
    assert advance(State.FETCHING, Event.ARRIVE, over=True) is State.HELD
    assert RELEASED.isdisjoint({TABLE[State.ISSUED, Event.FETCH]})
