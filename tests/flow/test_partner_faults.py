"""The other side, or a platform, is down, slow, wrong or answers twice: nothing is lost and nothing happens twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.demo import world
from tests.flow.nodes import Hall, Running, Window, running, start, until


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


class Broken:
    """Stands at B's address instead of B and misbehaves, then gets out of the way."""

    def __init__(self, port: int) -> None:
        self.port, self.mode, self.calls = port, "500", 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if "card" in request.path:
            raise web.HTTPNotFound  # it knows nothing of cards: the messages are what it breaks
        self.calls += 1
        if self.mode == "garbage":
            return web.Response(body=b"\x00<html>\xff")
        if self.mode == "slow":
            await asyncio.sleep(20)
        if self.mode == "redirect":
            raise web.HTTPFound("http://127.0.0.1:1/elsewhere")
        if self.mode == "huge":
            return web.Response(body=b"x" * (33 << 20))
        return web.Response(status=500, text="boom")


async def delivered(a: Running, case: str) -> Any:
    return await until(lambda: a.one("SELECT state FROM case_file WHERE id = ?", case) == "received_there", 15)


async def test_a_partner_that_is_down_gets_everything_when_it_is_back(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    async with running(places.a) as (a,):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        cases = [(await window.hand_in(window.papers())).json["tbbh"] for _ in range(5)]
        await until(lambda: a.one("SELECT attempt FROM destination WHERE id LIKE 'peer:%'"))
        assert a.one("SELECT count(*) FROM delivery WHERE state = 'delivered'") == 0
        async with running(places.b) as (b,):
            for case in cases:
                await delivered(a, case)
            assert b.one("SELECT count(*) FROM case_file") == 5


@pytest.mark.parametrize("mode", ["500", "garbage", "redirect", "slow", "huge"])
async def test_a_partner_that_answers_wrongly_is_tried_again_with_the_same_bytes(
    places: world.World, session: aiohttp.ClientSession, mode: str
) -> None:
    config = places.a.config.read_text().replace("[delivery]", "[delivery]\ntimeout_ms = 500")
    places.a.config.write_text(config)
    broken = Broken(port_of(places.b.place.exchange))
    broken.mode = mode
    await broken.start()
    async with running(places.a) as (a,):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        taken = (await window.hand_in(window.papers())).json
        await until(lambda: broken.calls >= 2, 15)
        first = a.one("SELECT header FROM message WHERE id = ?", taken["lsh"])
        assert first and a.one("SELECT state FROM case_file") == "forwarded"
        await broken.stop()
        async with running(places.b) as (b,):
            await delivered(a, taken["tbbh"])
            assert a.one("SELECT header FROM message WHERE id = ?", taken["lsh"]) == first
            assert b.one("SELECT header FROM message WHERE id = ?", taken["lsh"]) == first
            assert b.one("SELECT count(*) FROM case_file") == 1


@pytest.fixture
async def hall(places: world.World) -> AsyncIterator[Hall]:
    """B's platform, a stub at the address that B's configuration names."""
    settings = json.loads(places.b.platform_config.read_bytes())
    stub = Hall(port_of(settings["listen"]))
    await stub.start()
    yield stub
    await stub.stop()


def cannot_ask(side: world.Side) -> None:
    """B's platform has no query operation."""
    text = side.config.read_text().replace('id = "hall"', 'id = "hall"\ncan_ask = false\ntimeout_ms = 500')
    side.config.write_text(text)


@pytest.mark.parametrize("mode", ["garbage", "drop", "slow"])
async def test_an_unclear_outcome_at_a_platform_that_cannot_be_asked_waits_for_a_person(
    places: world.World, session: aiohttp.ClientSession, hall: Hall, mode: str
) -> None:
    cannot_ask(places.b)
    hall.mode = mode
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        taken = (await window.hand_in(window.papers())).json
        await until(
            lambda: b.one("SELECT state FROM delivery WHERE message = ?", taken["lsh"]) == "awaiting_person", 15
        )
        count = len(hall.received)
        assert count == 1
        await asyncio.sleep(0.6)
        assert len(hall.received) == count, "never re-sent by itself"
        assert b.one("SELECT cause FROM delivery WHERE message = ?", taken["lsh"]) == "待人工确认"


async def test_a_crash_while_a_platform_is_being_called_is_met_as_an_unclear_outcome(
    places: world.World, session: aiohttp.ClientSession, hall: Hall
) -> None:
    cannot_ask(places.b)
    hall.mode = "slow"
    text = places.b.config.read_text().replace("timeout_ms = 500", "timeout_ms = 20000")
    places.b.config.write_text(text)
    async with running(places.a) as (a,):
        b = await start(places.b)
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        taken = (await window.hand_in(window.papers())).json
        await until(lambda: hall.received, 15)
        await b.stop()
        b = await start(places.b)
        try:
            found = await until(
                lambda: b.one("SELECT state FROM delivery WHERE message = ?", taken["lsh"]) == "awaiting_person"
            )
            assert found and len(hall.received) == 1
        finally:
            await b.stop()


async def test_V01_a_platform_that_fails_blocks_no_partner_and_no_other_case(
    places: world.World, session: aiohttp.ClientSession, hall: Hall
) -> None:
    hall.mode = "500"
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        cases = [(await window.hand_in(window.papers())).json["tbbh"] for _ in range(4)]
        for case in cases:
            await delivered(a, case)
        await until(lambda: b.one("SELECT min(attempt) FROM delivery WHERE destination = 'platform:hall'") >= 1)
        states = {row[0] for row in b.rows("SELECT state FROM delivery WHERE destination = 'platform:hall'")}
        assert states <= {"frozen", "unknown"}


async def test_R14_a_message_answered_twice_is_counted_once(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """B answers, the answer is lost on the way, A asks and gets the first receipt: one case, one leaf for it."""
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        taken = (await window.hand_in(window.papers())).json
        await delivered(a, taken["tbbh"])
        first = a.one("SELECT receipt FROM message WHERE id = ?", taken["lsh"])

        def forget(tx: Any) -> None:
            tx.run("UPDATE delivery SET state = 'unknown' WHERE message = ?", taken["lsh"])

        await a.node.journal.submit(forget)
        a.node.loops[f"peer:{b.node.desk.party}"].wake()
        await until(lambda: a.one("SELECT state FROM delivery WHERE message = ?", taken["lsh"]) == "delivered")
        assert a.one("SELECT receipt FROM message WHERE id = ?", taken["lsh"]) == first
        assert b.one("SELECT count(*) FROM leaf WHERE message = ? AND kind = 'accepted'", taken["lsh"]) == 1


async def test_the_window_system_is_told_again_until_it_answers(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """A's callbacks to the window are kept while it is down, and come in order once it is back."""
    settings = json.loads(places.a.platform_config.read_bytes())
    told: list[dict[str, Any]] = []

    async def events(request: web.Request) -> web.Response:
        told.append(json.loads(await request.read()))
        return web.json_response({"code": 0, "bh": f"E{len(told)}"})

    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, settings)
        taken = (await window.hand_in(window.papers())).json
        await delivered(a, taken["tbbh"])
        assert not told
        application = web.Application()
        application.router.add_post("/tongban/events", events)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port_of(settings["listen"])).start()
        try:
            await until(lambda: told, 15)
            assert await until(lambda: nodes_done(a))
        finally:
            await runner.cleanup()
    assert len({one.get("lsh") for one in told}) == len(told)
    assert b is not None


def nodes_done(a: Running) -> bool:
    return a.one("SELECT count(*) FROM delivery WHERE destination = 'platform:window' AND state <> 'delivered'") == 0


async def test_either_places_number_finds_the_case(places: world.World, session: aiohttp.ClientSession) -> None:
    from datetime import UTC, datetime

    from schemas import canonical as c
    from tests.flow.test_results import act

    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        taken = (await window.hand_in(window.papers())).json
        await until(lambda: b.one("SELECT 1 FROM case_file"))
        body = c.Acceptance("accepted", "S-1", "红谷滩区", "办理员", datetime.now(UTC).replace(microsecond=0))
        await act(b, "acceptance", taken["bjbh"], "s1", body, local_number="HGT-2026-77")
        await until(lambda: a.one("SELECT local_number FROM case_file") == "HGT-2026-77")
        assert (await window.call("GET", "/platform/v1/cases/HGT-2026-77")).json["case_id"] == taken["tbbh"]
