"""Whether two sides' messages fit one life of a case: is there an order of both that the case table allows?

Each side's own messages are in the order of their sequence numbers; how the two interleaved at the handling place,
whose table settles, is not written down in any one message. So every interleaving is looked at (at most both lengths
and the number of states multiplied), and what no order can reach is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.case import STARTS, Actor, Event, Moved, State, advance

SHORTEST_TERM_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Act:
    """One message's event. ``seen``: the last sequence number its author held from the other side; ``sure`` False when
    nobody knows whether the handling place took it (no receipt); ``at_ms``: when it was made."""

    event: Event
    seq: int
    seen: int = 0
    sure: bool = True
    label: str = ""
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Fits:
    """The states in which the case can be now, one unless a message without receipt leaves it open."""

    states: frozenset[State]


@dataclass(frozen=True, slots=True)
class Stuck:
    """The message that no order can place, and the states it would have met."""

    act: Act
    states: frozenset[State]


def replay(collecting: Sequence[Act], handling: Sequence[Act]) -> Fits | Stuck:
    """Play the handling place's copy through both lists; ``collecting`` begins with the application's ``receive``."""
    if not (collecting or handling):
        return Fits(frozenset())
    if not collecting or collecting[0].event not in STARTS:
        first = (*collecting, *handling)[0]
        return Stuck(first, frozenset())
    reached: dict[tuple[int, int], frozenset[State]] = {(1, 0): frozenset({STARTS[collecting[0].event].next})}
    furthest = (1, 0)
    for i in range(1, len(collecting) + 1):
        for j in range(len(handling) + 1):
            here = reached.get((i, j), frozenset()) | _arrivals(collecting, handling, reached, i, j)
            if here:
                reached[i, j] = here
                furthest = max(furthest, (i, j), key=sum)
    end = reached.get((len(collecting), len(handling)))
    if end is not None:
        return Fits(end)
    i, j = furthest
    blocked = handling[j] if j < len(handling) else collecting[i]
    return Stuck(blocked, reached[furthest])


def _arrivals(
    collecting: Sequence[Act],
    handling: Sequence[Act],
    reached: dict[tuple[int, int], frozenset[State]],
    i: int,
    j: int,
) -> frozenset[State]:
    """The states at (i, j) that come from the message before it on either side."""
    states: frozenset[State] = frozenset()
    if i > 1 and (before := reached.get((i - 1, j))):
        act = collecting[i - 1]
        if all(other.seq > act.seen for other in handling[j:]):
            states |= _step(before, act, Actor.COLLECTING, _latest(collecting[: i - 1], handling[:j]))
    if j and (before := reached.get((i, j - 1))):
        states |= _step(before, handling[j - 1], Actor.HANDLING, _latest(collecting[:i], handling[: j - 1]))
    return states


def _latest(*acts: Sequence[Act]) -> int:
    return max((act.at_ms for side in acts for act in side), default=0)


def _step(states: frozenset[State], act: Act, by: Actor, since_ms: int) -> frozenset[State]:
    if act.at_ms - since_ms >= SHORTEST_TERM_MS:
        states = _lapses(states)
    moved = frozenset(m.next for s in states if isinstance(m := advance(s, act.event, by), Moved))
    return moved if act.sure else moved | states


def _lapses(states: frozenset[State]) -> frozenset[State]:
    """A term may have run out in between: no message says so."""
    clock = (Event.DEEM_ACCEPTED, Event.LAPSE_CORRECTION)
    return states | {m.next for s in states for e in clock if isinstance(m := advance(s, e, Actor.CLOCK), Moved)}
