"""When to try again: a pure function; what it needs (the attempt's number) is stored with the destination."""

from __future__ import annotations

BASE_MS = 500
CAP_MS = 15 * 60 * 1000


def delay_ms(attempt: int, jitter: float, base: int = BASE_MS, cap: int = CAP_MS) -> int:
    """Milliseconds to wait after failed attempt ``attempt`` (1 is the first), for a ``jitter`` in 0..1.

    The ceiling doubles from ``base`` to ``cap``; the wait lies in its upper half, so that many waiters spread out and
    none comes back at once. Values outside their ranges are moved to the nearest end: a stored oddity must not stop
    delivery.
    """
    doublings = min(max(attempt, 1) - 1, 40)
    ceiling = min(cap, base << doublings)
    return ceiling - round(ceiling * (1 - min(max(jitter, 0.0), 1.0)) / 2)
