"""How often one address may ask (限速): a bucket for each, refilled evenly, in bounded memory.

Tokens cannot be counted through, so this is against being asked to death. A question for something that does not exist
costs ten times one that is answered, so who guesses is slowed long before a whole town behind one carrier's address.
"""

from __future__ import annotations

import ipaddress

GUESS = 10
ADDRESSES = 1 << 16


class Throttle:
    """``per_minute`` questions for one address, as a burst or evenly; the address longest unheard of is forgotten first."""

    def __init__(self, per_minute: int, addresses: int = ADDRESSES) -> None:
        self._full = float(per_minute)
        self._per_ms = per_minute / 60_000
        self._addresses = addresses
        self._left: dict[str, tuple[float, int]] = {}

    def admits(self, address: str, now_ms: int) -> bool:
        """Whether this address may ask now."""
        return self._level(address, now_ms) >= 1

    def spend(self, address: str, now_ms: int, found: bool) -> None:
        """Charge a question that was answered."""
        level = self._level(address, now_ms) - (1 if found else GUESS)
        self._left.pop(address, None)
        while len(self._left) >= self._addresses:
            del self._left[next(iter(self._left))]
        self._left[address] = (level, now_ms)

    def _level(self, address: str, now_ms: int) -> float:
        level, at_ms = self._left.get(address, (self._full, now_ms))
        return min(self._full, level + max(0, now_ms - at_ms) * self._per_ms)


def network(address: str) -> str:
    """Whom an address belongs to: itself, or the /64 of an IPv6 address, in which one household has 2^64 of them."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "?"
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(found) >> 64 << 64))
