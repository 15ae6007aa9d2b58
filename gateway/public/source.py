"""Where the public page has its news from (状态来源): a port, implemented by the node's register and by signed snapshots."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from gateway.public.shown import Shown


class News(NamedTuple):
    """Of when the status is (ms since 1970), and whether that is too long ago to vouch for now."""

    as_of_ms: int
    stale: bool


class Source(Protocol):
    """Answers about certificates by the SM3 digest of the token in their QR code."""

    def look(self, digest: bytes) -> Shown | None:
        """The certificate, or None. It takes as long for a digest that nobody has as for one that is merely near."""

    def news(self, now_ms: int) -> News:
        """How fresh the answers are at this moment."""
