"""Calls that wait for the same disk go on together (成组): what comes while one group is under way is the next group.

A flush to the disk costs the same for one message and for a hundred. Each caller gets its own answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """``work`` takes a group of at most ``most``, in the order of the calls, and gives an answer for each.

    A caller that is cancelled before its group starts is left out of it; afterwards the group goes on without it.
    """

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[Sequence[R]]], most: int) -> None:
        self._work, self._most = work, most
        self._queue: list[tuple[T, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, one: T) -> R:
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queue.append((one, answer))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        """Group after group until nobody waits. The task starts when its first caller rests: who calls beside it comes along."""
        try:
            while self._queue:
                group, self._queue = self._queue[: self._most], self._queue[self._most :]
                await self._answer([(one, answer) for one, answer in group if not answer.done()])
        finally:
            self._running = None

    async def _answer(self, group: list[tuple[T, asyncio.Future[R]]]) -> None:
        waiting = [answer for _, answer in group]
        try:
            results = await self._work([one for one, _ in group]) if group else []
        except BaseException as error:
            for answer in waiting:
                if not answer.done():
                    answer.set_exception(error) if isinstance(error, Exception) else answer.cancel()
            if not isinstance(error, Exception):
                raise
            return
        for answer, result in zip(waiting, results, strict=True):
            if not answer.done():
                answer.set_result(result)

    async def close(self) -> None:
        """Stop; who still waits is cancelled."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        for _, answer in self._queue:
            answer.cancel()
        self._queue.clear()
