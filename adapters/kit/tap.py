"""What the kit sees of an exchange with a platform, and how it bends one on its way (旁听与改动).

It stands where every channel that speaks HTTP sends its requests (``adapters.transport.BETWEEN``), so a family needs nothing
of its own for this. Channels that write rows or files have no exchanges; there is nothing to see and nothing to bend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters.transport import BETWEEN, Lost, Onward, Reply, Request, Unsent

Answered = Reply | Unsent | Lost


class Exchange(NamedTuple):
    """What really went out, and what really came back."""

    request: Request
    answer: Answered


@dataclass
class Tap:
    """``bend`` changes what a channel has made ready, after it was signed; ``lose``: which of the coming answers is thrown
    away on its way to the channel, 1 the next, 0 none; ``given``: answers from a recording, in order, instead of any network."""

    bend: Callable[[Request], Request] | None = None
    lose: int = 0
    given: list[Answered] | None = None
    seen: list[Exchange] = field(default_factory=list)

    async def __call__(self, request: Request, onward: Onward) -> Answered:
        sent = self.bend(request) if self.bend else request
        if self.given is not None:
            answer: Answered = self.given.pop(0) if self.given else Unsent("not-recorded")
        else:
            answer = await onward(sent)
        self.seen.append(Exchange(sent, answer))
        self.lose, thrown = max(self.lose - 1, 0), self.lose == 1
        return Lost("answer-thrown-away") if thrown and isinstance(answer, Reply) else answer

    @property
    def last(self) -> Answered | None:
        """The last answer; None where nothing was exchanged."""
        return self.seen[-1].answer if self.seen else None


@contextmanager
def tapped(tap: Tap) -> Iterator[Tap]:
    """This task's exchanges go through the tap."""
    token = BETWEEN.set(tap)
    try:
        yield tap
    finally:
        BETWEEN.reset(token)
