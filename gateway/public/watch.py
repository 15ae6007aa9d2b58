"""A snapshot and its issuer's card as files that are replaced now and then (G2): the newest believed one answers.

What cannot be believed (another issuer's, badly signed, older) is reported once and changes nothing; the answers then grow
old, and the page says so. A card file that follows the one held takes its place, so its issuer's keys may change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from gateway.exchange import card as cards
from gateway.exchange.card import Card, CardError, Next
from gateway.public import snapshot
from gateway.public.shown import Shown
from gateway.public.snapshot import Snapshot
from gateway.public.source import News
from signing.errors import Malformed, Rejected
from signing.providers import Provider

log = structlog.get_logger("public")
EVERY_S = 1.0
Stamp = tuple[int, int, int]


@dataclass
class Watched:
    """``Source`` over two files. ``refresh`` reads what has changed; ``run`` does so until cancelled."""

    path: Path
    card_path: Path
    fingerprint: str
    provider: Provider
    now_ms: Callable[[], int]
    card: Card | None = None
    held: Snapshot | None = None
    _seen: dict[Path, Stamp] = field(default_factory=dict)

    def look(self, digest: bytes) -> Shown | None:
        """By the snapshot held."""
        return self._snapshot.look(digest)

    def news(self, now_ms: int) -> News:
        """Of the snapshot held."""
        return self._snapshot.news(now_ms)

    async def run(self) -> None:
        """Look once a second whether either file is another one; what is wrong is said when it changes."""
        told = ""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                refused = await asyncio.to_thread(self.refresh)
            except Exception:
                log.exception("snapshot not read")  # a defect must not end the loop
            else:
                code = refused.code if refused is not None else ""
                if code and code != told:
                    log.warning("snapshot refused", code=code)
                told = code

    def refresh(self) -> Rejected | None:
        """Take in what has changed since the last look; why not, where it cannot be believed."""
        card_changed = self._changed(self.card_path)
        if not self._changed(self.path) and not card_changed:
            return None
        try:
            refused = self._read_card() if card_changed or self.card is None else None
            if self.card is None:
                return refused
            return self._read_snapshot(self.card) or refused
        except OSError as error:
            self._seen.clear()  # who mends the rights or the disk changes no file: the next look tries again
            return Rejected(
                "snapshot-unreadable", f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})"
            )
        except Malformed as error:
            return Rejected(error.code, error.zh, error.en)

    def _read_card(self) -> Rejected | None:
        try:
            offered = cards.read(_bytes(self.card_path, cards.MAX_SIZE), self.fingerprint, self.provider)
        except CardError as error:
            return Rejected("card", error.zh, error.en)
        if self.card is not None and cards.follow(self.card, offered) not in (Next.SAME, Next.NEWER, Next.JUMP):
            return Rejected("card-rollback", "名片比已有的旧或与之矛盾", "the card goes back behind the one held")
        self.card = offered
        return None

    def _read_snapshot(self, card: Card) -> Rejected | None:
        found = snapshot.read(_bytes(self.path, snapshot.MAX_SIZE), card, self.provider, self.now_ms(), self.held)
        if isinstance(found, Rejected):
            return found
        self.held = found
        return None

    def _changed(self, path: Path) -> bool:
        """Whether the file is another one than at the last look."""
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            stamp = (0, 0, 0)  # reading it will say why
        changed = self._seen.get(path) != stamp
        self._seen[path] = stamp
        return changed

    @property
    def _snapshot(self) -> Snapshot:
        if self.held is None:
            raise AssertionError("nobody is answered before a snapshot was believed")
        return self.held


def _bytes(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Malformed("snapshot-size", "文件过大", "the file is too large")
    return data
