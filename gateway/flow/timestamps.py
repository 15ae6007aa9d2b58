"""Time stamps over our checkpoints (账本时间戳): asked for now and then, kept beside the ledger, never waited for.

While the authority is away, cases go on and their evidence is 待补时间戳; the next time stamp covers all that was written
meanwhile, because a checkpoint covers everything before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from gateway.core import backoff
from gateway.ledger.checkpoint import SignedCheckpoint, stamped_bytes
from gateway.store.journal import Journal
from gateway.timestamping import TsaClient, Unstamped

log = structlog.get_logger("timestamps")
FIRST_MS = 5_000


@dataclass
class Timestamps:
    """One node's time stamps. ``every_ms``: how often at most; ``jitter``: a number in 0..1 each time."""

    journal: Journal
    client: TsaClient
    every_ms: int
    jitter: Callable[[], float]
    _failed: int = field(default=0, init=False)

    async def run(self) -> None:
        """Ask now and then, for ever."""
        while True:
            try:
                wait_ms = await self.step()
            except Exception:
                log.exception("could not keep a time stamp")  # a store that is full today must not end this for ever
                wait_ms = self.every_ms
            await asyncio.sleep(wait_ms / 1000)

    async def step(self) -> int:
        """Have the newest checkpoint stamped if it is not yet; ms until the next look."""
        row = self.journal.read().one(
            "SELECT size, text, key, signature FROM checkpoint "
            "WHERE size > (SELECT coalesce(max(size), 0) FROM checkpoint_time) ORDER BY size DESC LIMIT 1"
        )
        if row is None:
            return self.every_ms
        size, text, key, signature = row
        token = await self.client.stamp(stamped_bytes(SignedCheckpoint(text=text, key=key, signature=signature)))
        if isinstance(token, Unstamped):
            self._failed += 1
            log.warning("no time stamp", reason=token.reason, attempt=self._failed)
            return backoff.delay_ms(self._failed, self.jitter(), FIRST_MS, self.every_ms)
        self._failed = 0
        kept = await self.journal.submit(
            lambda tx: tx.run(
                "INSERT OR IGNORE INTO checkpoint_time (size, at_ms, token) VALUES (?,?,?)", size, tx.now_ms, token
            )
        )
        kept.only()
        return self.every_ms
