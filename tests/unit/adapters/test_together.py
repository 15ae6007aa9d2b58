"""Calls that go on together: each has its own answer, and what befalls one group or one caller befalls no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from adapters.together import Together


async def test_what_comes_side_by_side_is_one_group_in_its_order_and_no_larger_than_said() -> None:
    groups: list[list[int]] = []

    async def work(group: Sequence[int]) -> list[int]:
        groups.append(list(group))
        await asyncio.sleep(0)
        return [-one for one in group]

    together = Together(work, 4)
    assert await asyncio.gather(*[together(n) for n in range(6)]) == [0, -1, -2, -3, -4, -5]
    assert groups == [[0, 1, 2, 3], [4, 5]]
    assert await together(7) == -7


async def test_a_group_that_fails_tells_its_callers_and_the_next_goes_on() -> None:
    async def work(group: Sequence[int]) -> list[int]:
        if 1 in group:
            raise OSError("disk")
        return list(group)

    together = Together(work, 2)
    found = await asyncio.gather(*[together(n) for n in range(4)], return_exceptions=True)
    assert [type(one) for one in found[:2]] == [OSError, OSError] and found[2:] == [2, 3]


async def test_a_caller_that_is_cancelled_takes_nobody_along() -> None:
    let_go, seen = asyncio.Event(), list[int]()

    async def work(group: Sequence[int]) -> list[int]:
        await let_go.wait()
        seen.extend(group)
        return list(group)

    together = Together(work, 1)
    calls = [asyncio.create_task(together(n)) for n in range(3)]
    await asyncio.sleep(0.01)
    calls[0].cancel()
    calls[1].cancel()
    await asyncio.sleep(0)
    let_go.set()
    assert await calls[2] == 2
    assert seen == [0, 2], "the first was under way, the second had not begun"


async def test_closing_lets_nobody_wait_for_ever() -> None:
    async def work(group: Sequence[int]) -> list[int]:
        await asyncio.Event().wait()
        return []

    together = Together(work, 1)
    calls = [asyncio.create_task(together(n)) for n in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await together.close()
    for one in calls:
        with pytest.raises(asyncio.CancelledError):
            await one
