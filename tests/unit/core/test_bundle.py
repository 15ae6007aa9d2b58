"""One status of several cases (F4): every mixture of states has exactly one word, and it is the right one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import bundle
from gateway.core.case import State
from gateway.core.labels import LABELS

STATES = [state.value for state in State]


@pytest.mark.parametrize(
    ("states", "code", "ended"),
    [
        (["collected"], "under_way", 0),
        (["granted", "in_review"], "under_way", 1),
        (["granted", "correction_requested"], "waiting", 1),
        (["granted", "delivered", "closed"], "granted", 3),
        (["granted", "denied"], "partly_granted", 2),
        (["denied", "withdrawn"], "not_granted", 2),
        (["refused_there", "in_review"], "under_way", 1),
    ],
)
def test_the_overall_status(states: list[str], code: str, ended: int) -> None:
    found = bundle.overall(states)
    assert (found.code, found.ended, found.parts) == (code, ended, len(states))
    assert f"{len(states)} 件中 {ended} 件" in found.zh and f"{ended} of {len(states)}" in found.en


def test_every_state_is_of_one_kind() -> None:
    kinds = (bundle.GOOD, bundle.BAD, bundle.WAITING)
    assert set().union(*kinds) <= set(STATES) and sum(map(len, kinds)) == len(set().union(*kinds))
    for state in STATES:
        if "deni" in state or "not_" in state or state in ("revoked", "withdrawn"):
            assert state in bundle.BAD
    assert set(LABELS) >= set(STATES)


@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=20))
def test_granted_means_all_and_nothing_ended_is_forgotten(states: list[str]) -> None:
    found = bundle.overall(states)
    assert found.code in bundle.WORDS
    assert (found.code == "granted") is all(state in bundle.GOOD for state in states)
    assert found.ended == sum(state in bundle.GOOD | bundle.BAD for state in states)
    assert bundle.overall(states[::-1]) == found
