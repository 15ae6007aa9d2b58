"""Messages of platforms that do not call us (轮询): taken from where they wait, in order, for as long as the node runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import structlog

from adapters.base import Backend, Inbox
from adapters.registry import Platform

log = structlog.get_logger("polling")


@dataclass(frozen=True)
class Polling:
    """One platform's inbox. ``door`` gives the backend for a message of these original bytes."""

    platform: str
    inbox: Inbox
    door: Callable[[bytes], Backend]

    async def run(self) -> None:
        """Take what waits; rest when nothing does. A fault of ours is logged and tried again after the same rest."""
        while True:
            try:
                done = await self.inbox.poll(self.door)
            except Exception:
                log.exception("could not take from the inbox", platform=self.platform)
                done = 0
            if not done:
                await asyncio.sleep(self.inbox.pause_ms / 1000)


def polling(platforms: Iterable[Platform], door: Callable[[Platform, bytes], Backend]) -> list[Polling]:
    """One for each platform that has an inbox."""
    return [Polling(one.id, one.inbox, partial(door, one)) for one in platforms if one.inbox is not None]
