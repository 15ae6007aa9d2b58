"""Our own keys and card while the gateway runs (换钥): what changes on disk takes effect between two commits.

``tongban key`` changes the key register and the card file, then wakes us; we also look by ourselves. The signers that the
card lists are used, the card is kept and shown, and every partner is told: at once, also one that was resting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from gateway.exchange import card as cards
from gateway.exchange.tls import Tls
from gateway.exchange.trail import HeldCard
from gateway.flow.cards import Cards
from gateway.keys.keyring import Keyring
from gateway.keys.signers import Signers

log = structlog.get_logger("rotate")
EVERY_S = 1.0
ASK_S = 600.0
Seen = tuple[object, ...]


@dataclass
class Rotation:
    """Watches the card file and the keys. ``fingerprint``: our own identity key; ``changed`` wakes what tells the partners."""

    ring: Keyring
    signers: Signers
    tls: Tls
    cards: Cards
    file: Path
    fingerprint: str
    changed: Callable[[], None]
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _seen: Seen = ()  # nothing yet: what changed while the node was being wired is looked at first
    _tls_seen: tuple[int, ...] = ()
    _asking: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._tls_seen = self.tls.stamp()

    def wake(self) -> None:
        """Somebody has changed keys or card."""
        self._wake.set()

    async def run(self) -> None:
        """Look now and then, for ever; and ask the partners for their cards at the start, for we may have been away while
        one of their keys was lost, and now and then, for one may not be able to reach us."""
        asked_s, clock = -ASK_S, asyncio.get_running_loop().time
        while True:
            if clock() - asked_s >= ASK_S:
                asked_s, self._asking = clock(), asyncio.create_task(self.cards.fetch_all())
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            if self._stamp() == self._seen:
                continue
            try:
                await self.look()
            except Exception:
                log.exception("keys not changed")  # what we had goes on; the next look tries again

    async def look(self) -> None:
        """Take what lies on disk now."""
        seen = self._stamp()
        if self.tls.stamp() != self._tls_seen:
            stamp = self.tls.stamp()
            self.tls.reload()  # on the loop: OpenSSL gives no promise about a context that another thread is shaking hands with
            self._tls_seen = stamp
            log.info("tls key")
        data = await asyncio.to_thread(self.file.read_bytes)
        try:
            card = cards.read(data, self.fingerprint, self.cards.provider)
        except cards.CardError as error:
            log.error("our card file cannot be used", cause=error.en)
            self._seen = seen
            return
        newer = self.cards.follows(card)
        found = await asyncio.to_thread(self.signers.load)
        switched = self.signers.take(found, card if newer else self.cards.card)
        if newer:
            await self.cards.publish(HeldCard(data, card))
        if switched:
            await self.cards.journal.submit(lambda _: None)  # the next checkpoint is the new key's from here on
        if newer or switched:
            log.info("keys", card=self.cards.card.version, switched=switched)
            self.changed()
        self._seen = seen  # last: what failed half-way is looked at again

    def _stamp(self) -> Seen:
        try:
            status = self.file.stat()
        except OSError:
            return ()
        return (status.st_mtime_ns, status.st_ino, status.st_size, *self.ring.stamp(), *self.tls.stamp())
