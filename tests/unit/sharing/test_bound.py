"""A13: a platform that walks through holders is stopped, told when to come back, and the others are not."""

from __future__ import annotations

import pytest

from gateway.problems import Refused
from gateway.sharing.bound import HOUR_MS, Bound


def taken(bound: Bound, platform: str, now_ms: int, times: int) -> int:
    """How many of so many questions at one moment are let through."""
    done = 0
    for _ in range(times):
        try:
            bound.take(platform, now_ms)
        except Refused as refused:
            assert refused.code == "TB-7033"
        else:
            done += 1
    return done


def test_A13_so_many_an_hour_and_no_more_however_they_are_spread() -> None:
    bound = Bound(60)
    assert taken(bound, "a", 0, 100) == 60
    with pytest.raises(Refused) as caught:
        bound.take("a", 30_000)
    assert caught.value.extra["retry_after"] == 30, "one a minute, and half a minute is over"
    assert taken(bound, "a", 59_999, 1) == 0 and taken(bound, "a", 60_000, 5) == 1
    assert taken(bound, "b", 0, 100) == 60, "another platform has its own"
    assert taken(bound, "a", 2 * HOUR_MS, 100) == 60, "what was not asked is not saved up"
    assert sum(taken(bound, "c", 60_000 * minute, 5) for minute in range(120)) == 60 + 119


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bound = Bound(60)
    assert taken(bound, "a", HOUR_MS, 60) == 60 and taken(bound, "a", 0, 5) == 0
