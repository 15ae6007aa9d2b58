"""The life of a use code (用证码) as a literal table: ``(state, event): next``. A missing row is refused and nothing moves.

A code is good for one certificate, one case, one item and one requester, once: either its file is fetched and then stands in
that case for a material, or it goes into the case unfetched and the gateway brings the file. What was begun and cut off by a
crash is begun again; what was released or spent never is. When it runs out is no state: ``ALIVE`` says for which acts it must
still be alive. Pure.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    ISSUED = "issued"
    FETCHING = "fetching"  # the requester asked for the file; nothing was released yet
    HELD = "held"  # the file was released and lies here for the requester
    OWED = "owed"  # spent on a case whose certificate is still to come
    USED = "used"  # spent on a case, its certificate is here
    FAILED = "failed"  # the certificate could not be had or does not hold


class Event(StrEnum):
    FETCH = "fetch"
    ARRIVE = "arrive"  # the file came and holds
    FAIL = "fail"
    SPEND = "spend"  # an application names the code in place of a material


TABLE: Final[dict[tuple[State, Event], State]] = {
    (State.ISSUED, Event.FETCH): State.FETCHING,
    (State.ISSUED, Event.SPEND): State.OWED,
    (State.FETCHING, Event.FETCH): State.FETCHING,
    (State.FETCHING, Event.ARRIVE): State.HELD,
    (State.FETCHING, Event.FAIL): State.FAILED,
    (State.FETCHING, Event.SPEND): State.OWED,
    (State.HELD, Event.SPEND): State.USED,
    (State.OWED, Event.ARRIVE): State.USED,
    (State.OWED, Event.FAIL): State.FAILED,
}

NAMES: Final[dict[State, str]] = {
    State.ISSUED: "已签发",
    State.FETCHING: "取证中",
    State.HELD: "已取，证照在此",
    State.OWED: "已用，待补取",
    State.USED: "已用，证照在案",
    State.FAILED: "未能取得",
}
ACTS: Final[dict[Event, str]] = {
    Event.FETCH: "取证",
    Event.ARRIVE: "证照到齐",
    Event.FAIL: "取不到",
    Event.SPEND: "代替材料",
}
ALIVE: Final = frozenset({Event.FETCH, Event.SPEND})  # acts of the requester need a code that has not run out
REPLAYED, EXPIRED, FAILED = "replayed", "expired", "failed"


def advance(state: State, event: Event, *, over: bool) -> State | str:
    """The next state; or why not: ``replayed`` (used up), ``expired``, ``failed``. ``over``: its time has passed."""
    following = TABLE.get((state, event))
    if following is None:
        return FAILED if state is State.FAILED else REPLAYED
    return EXPIRED if over and event in ALIVE else following
