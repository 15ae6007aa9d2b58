"""Time-ordered ids (ULID form: 48 bits of milliseconds, 80 random bits, Crockford Base32, 26 characters).

Within one process they strictly increase, so the order of ids is the order of making.
"""

from __future__ import annotations

import os
import threading
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]  # ten bits at a time


class Ids:
    """Makes ids; safe to call from the event loop and the writer thread."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            fresh = (now_ms() << 80) | int.from_bytes(os.urandom(10), "big")
            self._last = fresh if fresh >> 80 > self._last >> 80 else self._last + 1
            value = self._last
        return _PAIRS[value >> 120] + "".join([_PAIRS[value >> shift & 1023] for shift in range(110, -1, -10)])


def now_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000
