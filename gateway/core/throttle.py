"""How often one caller may ask (限速): a bucket for each, refilled evenly, in bounded memory.

Of public pages: tokens cannot be counted through, so this is against being asked to death. A question for something that
does not exist costs ten times one that is answered, so who guesses is slowed long before a whole town behind one carrier's
address.
"""

from __future__ import annotations

import ipaddress
from math import ceil

GUESS = 10
CALLERS = 1 << 16


class Throttle:
    """``questions`` for one caller in ``period_ms``, as a burst or evenly; the caller longest unheard of is forgotten first."""

    def __init__(self, questions: int, period_ms: int = 60_000, callers: int = CALLERS) -> None:
        self._full = float(questions)
        self._per_ms = questions / period_ms
        self._callers = callers
        self._left: dict[str, tuple[float, int]] = {}

    def admits(self, caller: str, now_ms: int) -> bool:
        """Whether this caller may ask now."""
        return self._level(caller, now_ms) >= 1

    def wait_ms(self, caller: str, now_ms: int) -> int:
        """How long until this caller may ask; 0 if now."""
        return max(0, ceil((1 - self._level(caller, now_ms)) / self._per_ms))

    def spend(self, caller: str, now_ms: int, found: bool) -> None:
        """Charge a question that was answered."""
        level = self._level(caller, now_ms) - (1 if found else GUESS)
        self._left.pop(caller, None)
        while len(self._left) >= self._callers:
            del self._left[next(iter(self._left))]
        self._left[caller] = (level, now_ms)

    def _level(self, caller: str, now_ms: int) -> float:
        level, at_ms = self._left.get(caller, (self._full, now_ms))
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
