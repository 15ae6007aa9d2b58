"""The certificate's table: no way back from an end, told apart at every time, by nobody but the issuer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.core.ecert import (
    ACTS,
    ENDS,
    NAMES,
    OF_A_PERMIT,
    REASONS,
    STARTS,
    STATUS_CODES,
    TABLE,
    By,
    Event,
    Moved,
    Need,
    NotAllowed,
    Standing,
    State,
    Term,
    advance,
    of_permit,
    of_sheet,
    standing,
    state_at,
)

DAY = date(2026, 11, 20)
DAYS = st.dates(DAY - timedelta(400), DAY + timedelta(400))
TERMS = st.builds(
    lambda begin, length: Term(begin, None if length is None else begin + timedelta(length)),
    DAYS,
    st.none() | st.integers(0, 400),
)


def reason_for(event: Event) -> str:
    return next((code for code, (_, _, events) in REASONS.items() if event in events), "")


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("by", By)
def test_only_rows_move_and_only_by_whom_they_say(state: State, event: Event, by: By) -> None:
    outcome = advance(state, event, by, reason=reason_for(event))
    row = TABLE.get((state, event))
    if row is None:
        assert outcome == NotAllowed(state, event, "late")
    elif row.by is not by:
        assert outcome == NotAllowed(state, event, "not-yours")
    else:
        assert outcome == Moved(row.next)


def test_ends_are_ends_and_every_state_is_reached() -> None:
    assert {State.REVOKED, State.WITHDRAWN, State.CANCELLED, State.SUPERSEDED, State.DROPPED} == ENDS
    assert {row.next for row in TABLE.values()} | set(STARTS) == set(State)


@pytest.mark.parametrize(("state", "event"), [key for key, row in TABLE.items() if Need.REASON in row.needs])
def test_a_reason_is_one_of_the_events_own(state: State, event: Event) -> None:
    """No free words in its place, and none of another act."""
    for code in ("", "because", *(code for code, (_, _, events) in REASONS.items() if event not in events)):
        assert advance(state, event, By.ISSUER, reason=code) == NotAllowed(state, event, "reason-needed")
    assert reason_for(event)


@pytest.mark.parametrize(("state", "event"), [key for key, row in TABLE.items() if Need.IN_TERM in row.needs])
def test_what_has_expired_is_neither_suspended_nor_copied(state: State, event: Event) -> None:
    refused = advance(state, event, By.ISSUER, reason=reason_for(event), in_term=False)
    assert refused == NotAllowed(state, event, "expired") and "有效期" in refused.zh and "expired" in refused.en


def test_every_refusal_speaks_both_languages() -> None:
    for state in State:
        for event in Event:
            for reason in ("late", "not-yours", "reason-needed", "expired"):
                told = NotAllowed(state, event, reason)
                assert ACTS[event][0] in told.zh and ACTS[event][1] in told.en and "{" not in told.zh + told.en


def test_all_that_is_shown_has_a_name_and_a_code() -> None:
    assert set(NAMES) == {*State, *Standing} and set(ACTS) == {*Event, "issue"} and set(STATUS_CODES) == set(Standing)
    assert {STATUS_CODES[one] for one in (Standing.EXPIRED, Standing.SUSPENDED, Standing.REVOKED)} == {"05", "02", "07"}


@given(st.sampled_from(State), TERMS, DAYS)
def test_expired_suspended_and_revoked_are_never_confused(state: State, term: Term, day: date) -> None:
    seen = standing(state, term, day)
    if state in ENDS or state is State.STAMPING:
        assert seen.value == state.value
    elif term.end is not None and day > term.end:
        assert seen is Standing.EXPIRED
    elif state is State.SUSPENDED:
        assert seen is Standing.SUSPENDED
    else:
        assert seen is (Standing.VALID if day >= term.begin else Standing.NOT_YET)


def test_the_last_day_counts() -> None:
    term = Term(DAY, DAY + timedelta(3))
    assert [standing(State.VALID, term, DAY + timedelta(n)).value for n in (-1, 0, 3, 4)] == [
        "not_yet_valid", "valid", "valid", "expired",
    ]  # fmt: skip


OWN = st.sampled_from([one for one in Standing if one is not Standing.LAPSED])


@given(OWN, st.lists(OWN, max_size=4))
def test_a_permit_stands_no_better_than_its_sheet(own: Standing, permits: list[Standing]) -> None:
    sheet = of_sheet(own, permits)
    if own is not Standing.VALID:
        assert sheet is own
    for permit in permits:
        if of_permit(permit, sheet) is Standing.VALID:
            assert sheet is Standing.VALID and permit is Standing.VALID


@pytest.mark.parametrize(
    ("permits", "sheet"),
    [
        ([], "valid"),
        (["revoked", "valid"], "valid"),
        (["revoked", "suspended"], "valid"),
        (["revoked", "not_yet_valid"], "valid"),
        (["expired", "expired"], "expired"),
        (["revoked", "expired"], "lapsed"),
        (["revoked"], "lapsed"),
    ],
)
def test_W9_a_sheet_holds_as_long_as_one_of_its_permits_does(permits: list[str], sheet: str) -> None:
    assert of_sheet(Standing.VALID, [Standing(one) for one in permits]).value == sheet


def test_W9_a_revoked_permit_is_still_told_as_revoked_when_its_sheet_expires() -> None:
    assert of_permit(Standing.REVOKED, Standing.EXPIRED) is Standing.REVOKED
    assert of_permit(Standing.VALID, Standing.EXPIRED) is Standing.EXPIRED
    assert of_permit(Standing.VALID, Standing.SUSPENDED) is Standing.SUSPENDED


def test_a_permit_has_no_sheets_of_its_own() -> None:
    assert OF_A_PERMIT.isdisjoint(
        {Event.REISSUE, Event.SUPERSEDE, Event.ANNOTATE, Event.RELEASE, Event.STAMP, Event.DROP}
    )


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(State)), max_size=8), st.integers(-1, 51))
def test_the_state_at_a_time_is_that_of_the_last_step_before_it(moves: list[tuple[int, State]], at: int) -> None:
    moves.sort(key=lambda one: one[0])
    found = state_at(moves, at)
    assert found == next((state for ms, state in reversed(moves) if ms <= at), None)


class Life(RuleBasedStateMachine):
    """Any acts in any order: an end holds for ever, and what was never stamped was never valid."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.moves = State.STAMPING, [State.STAMPING]

    @rule(
        event=st.sampled_from(Event), by=st.sampled_from(By), reason=st.sampled_from(["", *REASONS]), term=st.booleans()
    )
    def act(self, event: Event, by: By, reason: str, term: bool) -> None:
        outcome = advance(self.state, event, by, reason=reason, in_term=term)
        if isinstance(outcome, Moved):
            assert self.state not in ENDS
            if outcome.next is not self.state:
                self.moves.append(outcome.next)
            self.state = outcome.next

    @invariant()
    def no_way_leads_back(self) -> None:
        assert self.moves.count(State.STAMPING) == 1
        ends = [one for one in self.moves if one in ENDS]
        assert len(ends) <= 1 and (not ends or self.moves[-1] in ENDS)
        if State.DROPPED in self.moves:
            assert self.moves == [State.STAMPING, State.DROPPED]


TestLife = Life.TestCase
