"""Documents handed over side by side: cases do not wait for each other, and within a case the order stands."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters import taking
from adapters.base import Act, Problem


class Words:
    """A translator of documents ``case:number``."""

    def every(self, operation: str, payload: bytes) -> tuple[Act, ...]:
        case, _, number = payload.decode().partition(":")
        return tuple(Act("step", case, f"{number}.{part}", None) for part in range(2))

    def reply_ok(self, act: Act, receipt: dict[str, str]) -> bytes:
        return act.id.encode()


class Slow:
    """A gateway that takes its time, less for each act than for the one before."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, str]] = []
        self.under_way = self.most = 0
        self.busy = ""

    async def accept(self, act: Act) -> dict[str, str] | Problem:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(50 - len(self.acts)):
            await asyncio.sleep(0)
        self.under_way -= 1
        if act.id == self.busy:
            return Problem({}, busy=True)
        self.acts.append((act.case, act.id))
        return {}


async def taken(gateway: Any, documents: list[str]) -> list[str]:
    cases = taking.Cases()

    async def one(document: str) -> taking.Said | None:
        return await taking.take(Words(), "80", document.encode(), gateway, cases)  # type: ignore[arg-type]

    return [said.answer.decode() if said else "" for said in await taking.each(documents, one)]


async def test_cases_go_side_by_side_and_each_in_its_order() -> None:
    gateway = Slow()
    documents = [f"{case}:{number}" for number in range(3) for case in "abcd"]
    assert await taken(gateway, documents) == [f"{number}.1" for number in range(3) for _ in "abcd"]
    for case in "abcd":
        ids = [id_ for of, id_ in gateway.acts if of == case]
        assert ids == ["0.0", "0.1", "1.0", "1.1", "2.0", "2.1"], "also the acts of one document stay together"
    assert gateway.most == 4


async def test_no_more_than_a_few_are_under_way() -> None:
    gateway = Slow()
    await taken(gateway, [f"{case}:1" for case in range(40)])
    assert gateway.most == taking.AT_ONCE


async def test_of_a_case_that_waits_nothing_later_is_taken() -> None:
    gateway = Slow()
    gateway.busy = "1.0"
    assert await taken(gateway, ["a:0", "a:1", "b:5", "a:2"]) == ["0.1", "", "5.1", ""]
    assert ("a", "2.0") not in gateway.acts


async def test_a_fault_is_raised_when_those_beside_it_have_ended() -> None:
    ended: list[int] = []

    async def work(number: int) -> int:
        if number == 0:
            raise RuntimeError("fault")
        await asyncio.sleep(0)
        ended.append(number)
        return number

    with pytest.raises(RuntimeError):
        await taking.each([0, 1, 2], work)
    assert ended == [1, 2]
