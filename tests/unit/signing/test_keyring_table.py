"""The life of our keys: what leads where, who it takes, what must hold; nothing leads back (rows L09, S29 beside it)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import keyring
from signing.errors import Malformed, Rejected
from signing.keyring import ROWS, Act, By, Entry, Facts, Moved, Need, Power, Register, State

GOOD = Facts(at_ms=10, by=("wang", "li"), reason="轮换", certified=True, listed=True)
# how far along a key is; overlap and what follows is never left for an earlier stage
ORDER = (*State,)


def register(state: State = State.ANNOUNCED, **particulars: int) -> Register:
    """One key that came to this state by the shortest way, beside an active one of the same use."""
    path: dict[State, list[State]] = {State.GENERATED: []}
    for _ in State:
        for (origin, _act), row in ROWS.items():
            if origin in path and row.next not in path:
                path[row.next] = [*path[origin], row.next]
    moves = tuple(Moved(1, to, ("wang", "li"), "r") for to in [State.GENERATED, *path[state]])
    old = Entry("old", "direct", "direct.pem", (Moved(0, State.ACTIVE, ("adopted",)),))
    entries = (Entry("new", "direct", "n.pem", moves, **particulars), *(() if state is State.ACTIVE else (old,)))
    found = Register(3, entries)
    keyring.check(found)
    return found


def state_of(found: Register | Rejected, key_id: str) -> State:
    assert isinstance(found, Register)
    entry = found.entry(key_id)
    assert entry is not None
    return entry.state


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("act", Act)
def test_L09_every_pair_follows_the_table_or_is_refused(state: State, act: Act) -> None:
    before = register(state)
    row = ROWS.get((state, act))
    after = keyring.move(before, "new", act, GOOD)
    if row is None or row.by is By.NODE:
        assert isinstance(after, Rejected) and after.code == "key-move" and after.zh and after.en
    else:
        assert isinstance(after, Register) and after.version == before.version + 1
        assert state_of(after, "new") is row.next
        keyring.check(after)


def test_L09_no_row_leads_back() -> None:
    for (state, _), row in ROWS.items():
        assert ORDER.index(row.next) >= ORDER.index(state)
    ends = {state for state in State if not any(origin is state for origin, _ in ROWS)}
    assert ends == {State.ARCHIVED, State.REVOKED}
    assert {state for state, act in ROWS if act is Act.REVOKE} == set(State) - {State.ARCHIVED, State.REVOKED}


def test_two_persons_for_activate_and_revoke_alone() -> None:
    assert {act for (_, act), row in ROWS.items() if row.by is By.TWO} == {Act.ACTIVATE, Act.REVOKE}


@pytest.mark.parametrize(("by", "quorum", "ok"), [((), 1, False), (("wang",), 2, False), (("wang", "wang"), 2, False),
    (("wang",), 1, True), (("wang", "li"), 2, True)])  # fmt: skip
def test_one_person_twice_is_one_person(by: tuple[str, ...], quorum: int, ok: bool) -> None:
    for act in (Act.ACTIVATE, Act.REVOKE):
        after = keyring.move(register(), "new", act, replace(GOOD, by=by, quorum=quorum))
        assert isinstance(after, Register) is ok
        assert ok or (isinstance(after, Rejected) and after.code == "key-persons")


@pytest.mark.parametrize(
    ("state", "act", "changes", "code"),
    [
        (State.CSR, Act.IMPORT, {"certified": False}, "key-certificate"),
        (State.CERTIFIED, Act.ANNOUNCE, {"certified": False}, "key-certificate"),
        (State.ANNOUNCED, Act.ACTIVATE, {"certified": False}, "key-certificate"),
        (State.ANNOUNCED, Act.ACTIVATE, {"listed": False}, "key-not-on-card"),
        (State.ANNOUNCED, Act.ACTIVATE, {"behind": ("360111",)}, "key-behind"),
        (State.OVERLAP, Act.RETIRE, {"depends": 3}, "key-depends"),
        (State.ACTIVE, Act.REVOKE, {"reason": " "}, "key-reason"),
        (State.GENERATED, Act.RETIRE, {"reason": ""}, "key-reason"),
        (State.RETIRED, Act.ARCHIVE, {"reason": ""}, "key-reason"),
        (State.CSR, Act.IMPORT, {"by": ()}, "key-persons"),
    ],
)
def test_what_does_not_hold_is_refused(state: State, act: Act, changes: dict[str, Any], code: str) -> None:
    answer = keyring.move(register(state), "new", act, replace(GOOD, **changes))
    assert isinstance(answer, Rejected) and answer.code == code and answer.zh and answer.en


def test_every_need_has_a_refusal_above_or_here() -> None:
    early = keyring.move(register(since_ms=11), "new", Act.ACTIVATE, GOOD)
    assert isinstance(early, Rejected) and early.code == "key-not-yet"
    assert isinstance(keyring.move(register(since_ms=10), "new", Act.ACTIVATE, GOOD), Register)
    assert {need for row in ROWS.values() for need in row.needs} == set(Need)


def test_asked_twice_goes_on_although_a_partner_is_behind() -> None:
    facts = replace(GOOD, behind=("360111",), depends=1, although=True)
    assert state_of(keyring.move(register(), "new", Act.ACTIVATE, facts), "new") is State.ACTIVE
    assert state_of(keyring.move(register(State.OVERLAP), "new", Act.RETIRE, facts), "new") is State.RETIRED


def test_activating_moves_the_former_into_overlap_at_the_same_moment() -> None:
    after = keyring.move(register(), "new", Act.ACTIVATE, GOOD)
    assert state_of(after, "old") is State.OVERLAP
    assert isinstance(after, Register)
    active = after.active("direct")
    assert active is not None and active.id == "new"
    assert after.active("checkpoint") is None
    assert [entry.moves[-1].at_ms for entry in after.entries] == [10, 10]


def test_only_the_active_key_signs_and_a_revoked_one_does_nothing() -> None:
    assert [state for state in State if Power.SIGN in keyring.MAY[state]] == [State.ACTIVE]
    assert [state for state in State if Power.DECRYPT in keyring.MAY[state]] == [
        State.ANNOUNCED, State.ACTIVE, State.OVERLAP,
    ]  # fmt: skip
    assert keyring.MAY[State.REVOKED] == frozenset()


def test_L09_a_key_is_registered_once() -> None:
    again = Entry("new", "checkpoint", "x.pem", (Moved(9, State.GENERATED, ("wang",)),))
    for state in State:
        answer = keyring.add(register(state), again)
        assert isinstance(answer, Rejected) and answer.code == "key-known"
    before, other = register(), msgspec.structs.replace(again, id="other")
    after = keyring.add(before, other)
    assert isinstance(after, Register) and after.entry("other") == other
    assert (after.version, after.entries[:-1]) == (before.version + 1, before.entries)


@pytest.mark.parametrize("act", Act)
def test_which_acts_take_two_is_known_before_they_are_asked_for(act: Act) -> None:
    two = {state for state in State if keyring.takes_two(register(state), "new", act)}
    assert two == {state for (state, asked), row in ROWS.items() if asked is act and row.by is By.TWO}
    assert not keyring.takes_two(register(), "nobody's", act)


@pytest.mark.parametrize("state", State)
def test_a_key_says_what_it_may_and_whether_it_lives(state: State) -> None:
    entry = register(state).entry("new")
    assert entry is not None
    assert {power for power in Power if entry.may(power)} == keyring.MAY[state]
    assert entry.alive is (state not in (State.RETIRED, State.ARCHIVED, State.REVOKED))


def test_a_clock_that_was_set_back_does_not_turn_the_moves_round() -> None:
    after = keyring.move(register(), "new", Act.REVOKE, replace(GOOD, at_ms=-5))
    assert isinstance(after, Register)
    keyring.check(after)


def test_particulars_change_without_the_moves() -> None:
    before = register()
    changed = keyring.change(before, Entry("new", "direct", "n.pem", (), "direct.der", 7))
    assert changed.entries[0].moves == before.entries[0].moves
    assert (changed.entries[0].certificate, changed.entries[0].since_ms, changed.version) == ("direct.der", 7, 4)


@pytest.mark.parametrize(
    "states",
    [
        (), (State.CSR,), (State.RETIRED,), (State.ACTIVE, State.ACTIVE), (State.ACTIVE, State.OVERLAP, State.ACTIVE),
        (State.GENERATED, State.ACTIVE), (State.ACTIVE, State.OVERLAP, State.RETIRED, State.OVERLAP),
        (State.ACTIVE, State.REVOKED, State.ACTIVE),
    ],
)  # fmt: skip
def test_L09_a_life_that_the_table_does_not_know_is_refused(states: tuple[State, ...]) -> None:
    entry = Entry("k", "direct", "k.pem", tuple(Moved(1, state, ("wang",)) for state in states))
    with pytest.raises(Malformed, match=r"^key-register:"):
        keyring.check(Register(1, (entry,)))


def test_a_register_with_a_key_twice_or_two_active_ones_is_refused() -> None:
    one = Entry("k", "direct", "k.pem", (Moved(1, State.ACTIVE, ("wang",)),))
    for second in (one, msgspec.structs.replace(one, id="other")):
        with pytest.raises(Malformed, match=r"^key-register:"):
            keyring.check(Register(1, (one, second)))
    keyring.check(Register(1, (one, msgspec.structs.replace(one, id="other", use="checkpoint"))))
    back = Entry("k", "direct", "k.pem", (Moved(2, State.ACTIVE, ("wang",)), Moved(1, State.OVERLAP, ("wang",))))
    with pytest.raises(Malformed, match=r"^key-register:"):
        keyring.check(Register(1, (back,)))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(Act)), max_size=40))
def test_whatever_is_asked_one_key_signs_at_most_and_lives_go_forward(asked: list[tuple[str, Act]]) -> None:
    found = Register(0, tuple(Entry(k, "direct", k, (Moved(0, State.GENERATED, ("wang",)),)) for k in "abc"))
    for number, (key_id, act) in enumerate(asked):
        before = found
        after = keyring.move(found, key_id, act, replace(GOOD, at_ms=number))
        found = after if isinstance(after, Register) else found
        keyring.check(found)
        assert sum(entry.may(Power.SIGN) for entry in found.entries) <= 1
        for old, new in zip(before.entries, found.entries, strict=True):
            assert ORDER.index(new.state) >= ORDER.index(old.state)
