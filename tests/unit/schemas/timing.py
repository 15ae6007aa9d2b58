"""Bounds of a catalogue row that are so small that a neighbour on the machine may be mistaken for a slow pattern."""

from __future__ import annotations

import time
from collections.abc import Callable


def within(limit_s: float, work: Callable[[], object]) -> bool:
    """Whether ``work`` takes less than this of the processor's time, once of three tries."""
    for _ in range(3):
        began = time.process_time()
        work()
        if time.process_time() - began < limit_s:
            return True
    return False
