"""Locks by key that exist only while they are wanted."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class WeakLocks:
    """One lock per key for as long as somebody holds or awaits it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def __getitem__(self, key: tuple[str, str]) -> asyncio.Lock:
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock
