"""Watches for a signing nonce used twice under one key: two such signatures give the private key away (row S25).

In SM2 r = e + x1 mod n, so two signatures with one nonce have different r unless their digests are equal; what repeats is
x1 = r - e mod n. From (r, s) and (r', s') with equal x1 follows d = (s' - s) / (s + r - s' - r') mod n. The same signature
seen again is no reuse.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from signing.curve import N

if TYPE_CHECKING:
    from signing.sm2 import PublicKey

CAPACITY: Final = 65_536  # some 20 MB when full


class NonceWatch:
    """Remembers the last signatures that verified. Threads that share one may miss a reuse, and nothing worse."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._seen: OrderedDict[tuple[int, int], int] = OrderedDict()

    def reused(self, public: PublicKey, e: bytes, r: int) -> bool:
        """Whether this verified signature shares its nonce with one of another digest: the key is compromised."""
        mark = (public.x, (r - int.from_bytes(e)) % N)
        earlier = self._seen.pop(mark, r)
        self._seen[mark] = earlier
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return earlier != r
