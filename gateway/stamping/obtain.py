"""One stamp from a system elsewhere: asked before it is ordered again, judged before it is used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from gateway.stamping.external import Expected, Stamping
from gateway.stamping.family import Order, Unstamped


async def obtain(
    stamping: Stamping, expected: Expected, order: Order, *, asked_first: bool, now: Callable[[], datetime]
) -> bytes | Unstamped:
    """The judged stamp of an order. ``asked_first``: it may have been ordered before, so the system is asked about it."""
    found = await stamping.ask(order) if asked_first else await stamping.stamp(order)
    if asked_first and isinstance(found, Unstamped) and found.kind == "absent":
        found = await stamping.stamp(order)
    if isinstance(found, Unstamped):
        return found
    wrong = await asyncio.to_thread(expected.objection, found.stamp, order.digest, now())
    return Unstamped("unusable", " ".join(wrong)) if wrong is not None else found.stamp
