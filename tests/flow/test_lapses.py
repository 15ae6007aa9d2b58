"""视为受理: a handling place that says nothing in time has accepted, and both sides know it; nobody else decides that."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import aiohttp
import pytest

from agreements.calendar import Calendar, china_date
from gateway.demo import world
from gateway.ground import read_file
from schemas import canonical as c
from tests.flow.nodes import Running, Window, running, until
from tests.flow.test_results import act, state

DAY_MS = 86_400_000


@dataclass
class Waiting:
    """A case that waits for its acceptance at B."""

    a: Running
    b: Running
    case: str

    def days_to_the_end(self) -> int:
        """Calendar days from today until the last day of the notify term, counted here by hand."""
        from importlib import resources

        calendar = Calendar.from_csv(read_file(resources.files("schemas") / "data" / "holidays-cn.csv"))  # type: ignore[arg-type]
        today, left, days = china_date(datetime.now(UTC)), 5, 0
        while left:
            days += 1
            left -= calendar.is_working_day(today.fromordinal(today.toordinal() + days))
        return days

    async def look(self, days: int) -> int:
        """B looks at its clocks as if so many days had gone by."""
        lapses = self.b.node.lapses
        later = lapses.now_ms() + days * DAY_MS
        return await replace(lapses, now_ms=lambda: later).look()


@pytest.fixture
async def waiting(places: world.World, session: aiohttp.ClientSession) -> AsyncIterator[Waiting]:
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        case = (await window.hand_in(window.papers())).json["tbbh"]
        await until(lambda: state(a, case) == "received_there")
        yield Waiting(a, b, case)


async def test_the_last_day_of_the_term_is_still_in_time(waiting: Waiting) -> None:
    assert await waiting.look(waiting.days_to_the_end()) == 0
    assert state(waiting.b, waiting.case) == "received_there"


async def test_the_day_after_it_the_case_is_deemed_accepted_on_both_sides(waiting: Waiting) -> None:
    after = waiting.days_to_the_end() + 1
    assert await waiting.look(after) == 1
    await until(lambda: state(waiting.a, waiting.case) == "deemed_accepted")
    assert state(waiting.b, waiting.case) == "deemed_accepted"
    assert waiting.b.one("SELECT by FROM case_event WHERE event = 'deem_accepted'") == "clock"
    assert waiting.a.one("SELECT receipt IS NOT NULL FROM message WHERE type = 'application'") == 1
    assert await waiting.look(after) == 0, "once"
    # the department's paper follows; the clock that runs since then is not turned back
    body = c.Acceptance("accepted", "S-1", "红谷滩区", "办理员", datetime.now(UTC).replace(microsecond=0))
    await act(waiting.b, "acceptance", waiting.case, "s1", body)
    await until(lambda: state(waiting.a, waiting.case) == "accepted")


async def test_an_acceptance_in_time_leaves_nothing_to_deem(waiting: Waiting) -> None:
    body = c.Acceptance("accepted", "S-1", "红谷滩区", "办理员", datetime.now(UTC).replace(microsecond=0))
    await act(waiting.b, "acceptance", waiting.case, "s1", body)
    assert await waiting.look(60) == 0


async def test_the_collecting_side_never_deems(waiting: Waiting) -> None:
    later = waiting.a.node.lapses.now_ms() + 20 * DAY_MS
    assert await replace(waiting.a.node.lapses, now_ms=lambda: later).look() == 0
    assert state(waiting.a, waiting.case) == "received_there"


async def test_a_day_that_the_calendar_only_estimates_settles_nothing(waiting: Waiting) -> None:
    """A case received in a year whose holidays nobody has announced yet."""
    received = int(datetime(2031, 3, 3, tzinfo=UTC).timestamp() * 1000)
    await waiting.b.node.journal.submit(
        lambda tx: tx.run(
            "UPDATE case_event SET at_ms = ?, act_ms = ? WHERE case_id = ?", received, received, waiting.case
        )
    )
    later = received + 60 * DAY_MS
    assert await replace(waiting.b.node.lapses, now_ms=lambda: later).look() == 0
