"""One loop per destination: at most one round in flight, woken by new work, resting when the destination fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from gateway.flow import outbox
from gateway.flow.outbox import Due
from gateway.problems import Refused
from gateway.store.journal import Journal

log = structlog.get_logger("deliver")
IDLE_S = 30.0


class Round(Protocol):
    """What differs between a partner and a platform: how one round of due messages is sent and settled."""

    async def deliver(self, due: Sequence[Due]) -> bool:
        """Send and settle; False when the destination failed as a whole and rests."""

    def owes(self) -> bool:
        """Whether there is something to bring although no message is due."""


class Loop:
    """Delivers to one destination until cancelled. A crash anywhere is met by the next round: what is due says the store."""

    def __init__(
        self, destination: str, journal: Journal, round_: Round, now_ms: Callable[[], int], limit: int
    ) -> None:
        self.destination = destination
        self._journal = journal
        self._round = round_
        self._now_ms = now_ms
        self._limit = limit
        self._wake = asyncio.Event()
        self._urgent = False
        self._resting = False

    def wake(self, urgent: bool = False) -> None:
        """There is new work; ``urgent``: the destination was heard from, so it need not rest any longer.

        While the destination rests, new work waits for the end of the rest without disturbing it.
        """
        self._urgent = self._urgent or urgent
        if urgent or not self._resting:
            self._wake.set()

    async def run(self) -> None:
        """The loop."""
        while True:
            self._wake.clear()
            wait_s = IDLE_S
            try:
                wait_s = await self._step()
            except Refused as refused:
                log.warning("round refused", destination=self.destination, code=refused.code)
                wait_s = 1.0
            except Exception:
                log.exception("round failed", destination=self.destination)  # a defect must not end the loop
                wait_s = 1.0
            if wait_s > 0:
                await self._pause(wait_s)

    async def _step(self) -> float:
        """One round; how long to wait before the next (0 = at once)."""
        reader, now_ms = self._journal.read(), self._now_ms()
        if self._urgent:
            self._urgent = False
            if outbox.resting_until(reader, self.destination) > now_ms:
                await self._journal.submit(lambda tx: outbox.answers(tx, self.destination))
        rests = outbox.resting_until(reader, self.destination) - now_ms
        self._resting = rests > 0
        if self._resting:
            return rests / 1000
        due = outbox.due(reader, self.destination, now_ms, self._limit)
        if due or self._round.owes():
            await self._round.deliver(due)
            return 0.0
        soonest = outbox.next_due_ms(reader, self.destination, now_ms)
        if soonest is None:
            return IDLE_S  # nothing, or only what waits behind a message that waits for a person
        return min((soonest - now_ms) / 1000, IDLE_S)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return
