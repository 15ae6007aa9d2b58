"""Housekeeping: what is spent or abandoned goes, within stated times. Nothing that belongs to a case is touched here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.flow import shared
from gateway.store.journal import Journal, Tx
from gateway.store.parts import Parts

log = structlog.get_logger("housekeeping")
EVERY_S = 600.0


@dataclass(frozen=True)
class Housekeeping:
    """Drops nonces whose window is over, and uploads nobody has continued and use codes nobody has spent for ``idle_ms``."""

    journal: Journal
    parts: Parts
    idle_ms: int
    now_ms: Callable[[], int]

    async def run(self) -> None:
        """Tidy now and then, for ever."""
        while True:
            try:
                await self.tidy()
            except Exception:
                log.exception("could not tidy")  # what cannot be done now is done next time
            await asyncio.sleep(EVERY_S)

    async def tidy(self) -> int:
        """One round; how many abandoned uploads went."""
        await self.journal.submit(lambda tx: tx.run("DELETE FROM nonce WHERE expires_ms < ?", tx.now_ms))
        before_ms = self.now_ms() - self.idle_ms
        await self.journal.submit(lambda tx: shared.forget(tx, before_ms))
        await self.journal.submit(lambda tx: self._forget_unused(tx, before_ms))
        known = {self.parts.path(owner, sm3) for owner, sm3 in self.journal.read().all("SELECT owner, sm3 FROM part")}
        return await asyncio.to_thread(self._sweep, known, before_ms / 1000)

    def _forget_unused(self, tx: Tx, before_ms: int) -> None:
        """Whole uploads that no act ever named count as abandoned too."""
        tx.run(
            "DELETE FROM part WHERE created_ms < ? AND NOT EXISTS "
            "(SELECT 1 FROM case_part c WHERE c.sm3 = part.sm3 AND c.owner = part.owner)",
            before_ms,
        )

    def _sweep(self, known: set[Path], before_s: float) -> int:
        gone = 0
        for path in self.parts.idle(before_s):
            if path not in known:
                self.parts.destroy(path)
                gone += 1
        if gone:
            log.info("abandoned uploads removed", size=gone)
        return gone
