"""The simulated office and its queues as a process of its own: objects in both directions, and queues that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest

from adapters import samples
from adapters.base import Accepted, CannotAsk, NotThere, Outbound, Problem, Refused, Temporary, Unclear
from adapters.registry import Platform
from tests.contract.platform_support import Backend, Scripted, Sim, http, sim
from tests.unit.adapters.support import OUR_LICENCE, open_test

pytestmark = pytest.mark.processes
KEYS = {"SJBBH": "1", "SBLSH": "S1", "YWLSH": "Y1"}
STEP = {"HJMC": "审查", "SPR": "测试员", "SPSJ": "2026-01-01 09:30:00"}


class Place(NamedTuple):
    backend: Backend
    sim: Sim
    platform: Platform

    async def poll(self) -> int:
        """One round at the inbox."""
        assert self.platform.inbox is not None
        return await self.platform.inbox.poll(lambda original: self.backend)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with aiohttp.ClientSession() as session:
        config = {
            "listen": "127.0.0.1:0", "control": "127.0.0.1:0", "database": str(tmp_path / "office.db"), "token": OUR_LICENCE,
            "step_ms": 1, "lease_s": 0.2,
        }  # fmt: skip
        async with sim("guangzhou.py", config, tmp_path, session) as started:
            platform = open_test("guangzhou", started.url, timeout_ms=1500)
            yield Place(Backend(), started, platform)
            await platform.channel.close()


def application(number: int) -> Outbound:
    serial = f"4201042026010100{number:02d}"
    body = msgspec.structs.replace(samples.body("application"), case_number=serial)
    return msgspec.structs.replace(samples.outbound("application"), id=f"M{number}", case_number=serial, body=body)


async def test_four_requests_are_worked_by_their_scenarios_in_ten_objects(place: Place) -> None:
    translator, backend = place.platform.translator, place.backend
    for number in range(1, 5):
        assert await place.platform.channel.send(translator.outbound(application(number))) == Accepted()
    await place.sim.until(
        lambda state: len(state["requests"]) == 4 and all(row[3] or row[2] > 2 for row in state["requests"])
    )
    while await place.poll():
        pass
    serial = application(1).case_number
    assert [act.type for act in backend.acts if act.case == serial] == ["correction_request"]
    correction = msgspec.structs.replace(samples.outbound("correction"), id="K1", case_number=serial)
    assert await place.platform.channel.send(translator.outbound(correction)) == Accepted()
    await place.sim.until(lambda state: state["requests"][0][2] == 4)
    while await place.poll():
        pass
    told = {n: [act.type for act in backend.acts if act.case == application(n).case_number] for n in range(1, 5)}
    assert told[1] == ["correction_request", "acceptance", "step", "decision", "result"]
    assert told[2] == ["acceptance", "special_start", "special_end", "decision", "result"]
    assert told[3] == ["acceptance", "step", "decision"]
    assert told[4] == ["acceptance", "step", "decision", "result"], "预受理 is taken and is no act"
    result = next(act for act in backend.acts if act.type == "result")
    assert "样章·测试无效" in result.parts[0].data.decode()
    collected = msgspec.structs.replace(samples.outbound("delivery"), id="D1", case_number=serial)
    assert await place.platform.channel.send(translator.outbound(collected)) == Accepted()
    state = await place.sim.get("/sim/state")
    assert (state["open"], state["queues"]["tongban.refused"]) == (0, [])


@pytest.mark.parametrize(
    "type_", ["application", "receipt", "acceptance", "correction_request", "decision", "delivery"]
)
async def test_a_collecting_office_finds_each_object_in_its_queue_once(type_: str, place: Place) -> None:
    wire = place.platform.translator.outbound(samples.outbound(type_))
    for _ in range(2):
        assert await place.platform.channel.send(wire) == Accepted()
    assert await place.platform.channel.ask(wire.id) == Accepted()
    (kept,) = (await place.sim.get("/sim/state"))["queues"]["tongban.to-office"]
    assert (kept["id"], kept["times"]) == (wire.id, 2)


async def test_F10_a_poison_message_is_parked_with_its_reason_and_its_neighbours_flow(place: Place) -> None:
    await place.sim.post("/sim/send", id="P1", object="ApproveOB", keys=KEYS, fields=STEP)
    await place.sim.post("/sim/send", id="P2", body="<!DOCTYPE a><a/>")
    await place.sim.post(
        "/sim/send", id="P3", object="ApproveOB", keys=KEYS, fields={**STEP, "SPSJ": "2026-02-30 09:30:00"}
    )
    await place.sim.post("/sim/send", id="P4", object="ApproveOB", keys=KEYS, fields={**STEP, "HJMC": "复核"})
    assert await place.poll() == 4
    assert [act.id for act in place.backend.acts] == ["P1", "P4"]
    state = await place.sim.get("/sim/state")
    refused = {one["id"]: one["text"] for one in state["queues"]["tongban.refused"]}
    assert "<DM>xml-dtd</DM>" in refused["P2"] and "<WZ>SPSJ</WZ>" in refused["P3"]
    assert state["open"] == 0


async def test_what_the_gateway_refuses_is_parked_and_what_it_is_busy_for_comes_again(place: Place) -> None:
    await place.sim.post("/sim/send", id="P1", object="ApproveOB", keys=KEYS, fields=STEP)
    place.backend.problem = Problem({"code": "TB-9001", "title": "忙"}, busy=True)
    assert await place.poll() == 0
    assert await place.poll() == 0, "leased: nobody else gets it meanwhile"
    await asyncio.sleep(0.25)
    place.backend.problem = Problem({"code": "TB-5002", "title": "办件状态不允许", "detail": "已办结"})
    assert await place.poll() == 1
    (kept,) = (await place.sim.get("/sim/state"))["queues"]["tongban.refused"]
    assert "<DM>TB-5002</DM><YY>已办结</YY>" in kept["text"]


async def test_a_message_whose_acknowledgement_is_lost_is_the_same_message_again(place: Place) -> None:
    await place.sim.post("/sim/send", id="P1", object="ApproveOB", keys=KEYS, fields=STEP)
    channel: Any = place.platform.channel
    (first,) = await channel.take()
    await asyncio.sleep(0.25)
    (again,) = await channel.take()
    assert (first.id, first.body) == (again.id, again.body)
    await channel.acknowledge([again.id])
    assert await channel.take() == []


FAULTS: list[tuple[str, type, bool]] = [
    ("500", Temporary, False), ("drop", Unclear, True), ("slow", Unclear, True), ("garbage", Accepted, True),
    ("twice", Accepted, True),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "outcome", "arrived"), FAULTS, ids=[row[0] for row in FAULTS])
async def test_what_a_bad_answer_means_is_what_happened(mode: str, outcome: type, arrived: bool, place: Place) -> None:
    wire = place.platform.translator.outbound(application(1))
    await place.sim.post("/sim/knobs", mode=mode, times=1, slow_ms=2000)
    assert isinstance(await place.platform.channel.send(wire), outcome)
    await asyncio.sleep(0.8 if mode == "slow" else 0)
    assert isinstance(await place.platform.channel.ask(wire.id), Accepted if arrived else NotThere)
    assert await place.platform.channel.send(wire) == Accepted()
    assert len((await place.sim.get("/sim/state"))["requests"]) <= 1


@pytest.mark.parametrize("mode", ["500", "garbage", "drop", "dark"])
async def test_an_inbox_that_cannot_be_read_gives_nothing_and_loses_nothing(mode: str, place: Place) -> None:
    await place.sim.post("/sim/send", id="P1", object="ApproveOB", keys=KEYS, fields=STEP)
    await place.sim.post("/sim/knobs", mode=mode, times=1)
    assert await place.poll() == 0
    await place.sim.post("/sim/knobs", mode="ok")
    await asyncio.sleep(0.25)
    assert await place.poll() == 1


# --- the queue byte by byte -------------------------------------------------------------------------------------------

PUTS = [
    ("new", 201, Accepted()), ("taken later", 202, Accepted()), ("known", 409, Accepted()), ("a bad one", 400, None),
    ("too large", 413, None), ("not ours", 401, Temporary("http-401")), ("no queue", 404, Temporary("http-404")),
    ("moved", 302, Temporary("http-302")), ("ill", 503, Temporary("http-503")), ("in a hurry", 429, Temporary("http-429")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "expected"), PUTS, ids=[row[0] for row in PUTS])
async def test_answers_to_a_put(
    name: str, status: int, expected: object, server: Scripted, kept: list[Platform]
) -> None:
    server.answer = http(status, b"", "text/plain")
    kept.append(open_test("guangzhou", server.url))
    outcome = await kept[0].channel.send(kept[0].translator.outbound(samples.outbound("step")))
    assert outcome == expected or (expected is None and isinstance(outcome, Refused))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /queues/tongban.to-office/messages HTTP/1.1")
    assert f"authorization: bearer {OUR_LICENCE}".encode() in head.lower()
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')


TAKES = [b"", b"[]", b"{}", b'{"messages":[{"id":"","body":"PGEvPg=="}]}', b'{"messages":[{"id":"a","body":"*"}]}',
         b'{"messages":[{"id":"a"}]}', b'{"messages":[],"messages":[]}', b"\xff", b"[" * 100]  # fmt: skip


@pytest.mark.parametrize("body", TAKES)
async def test_N_a_batch_that_is_no_clean_json_is_nothing(body: bytes, server: Scripted, kept: list[Platform]) -> None:
    server.answer = http(200, body)
    kept.append(open_test("guangzhou", server.url))
    assert kept[0].inbox is not None
    assert await kept[0].inbox.poll(lambda original: Backend()) == 0
    assert len(server.requests) == 1, "nothing is acknowledged"


async def test_a_queue_that_cannot_be_asked(kept: list[Platform]) -> None:
    kept.append(open_test("guangzhou", "http://127.0.0.1:9", can_ask=False))
    assert await kept[0].channel.ask("M1") == CannotAsk()
    assert await kept[0].channel.send(kept[0].translator.outbound(samples.outbound("step"))) == Temporary(
        "no-connection", absent=True
    )
