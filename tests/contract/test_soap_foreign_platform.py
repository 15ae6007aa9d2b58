"""The simulated approval system as a process of its own, with our channel in front and our SOAP door behind it."""

from __future__ import annotations

import ast
import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest

from adapters import samples
from adapters.base import Accepted, NotThere, Outbound, Refused, Temporary, Unclear
from adapters.registry import Platform
from schemas import canonical as c
from signing.sm3 import sm3
from tests.contract.platform_support import SIMS, Door, Sim, sim, site
from tests.unit.adapters.support import LICENCE, OUR_LICENCE, OUR_UNIT, PROFILES, UNIT, open_test

pytestmark = pytest.mark.processes


class Place(NamedTuple):
    door: Door
    sim: Sim
    platform: Platform


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    from aiohttp import web

    door = Door()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/soap", door.post)
    async with aiohttp.ClientSession() as session, site(app) as base:
        config = {
            "listen": "127.0.0.1:0", "control": "127.0.0.1:0", "database": str(tmp_path / "office.db"), "gateway": f"{base}/soap",
            "unit": UNIT, "licence": LICENCE, "gateway_unit": OUR_UNIT, "gateway_licence": OUR_LICENCE,
            "xsd": str(PROFILES / "honggutan.xsd"), "step_ms": 5,
        }  # fmt: skip
        async with sim("honggutan.py", config, tmp_path, session) as started:
            platform = open_test("honggutan", started.url + "/soap", timeout_ms=1500)
            yield Place(door, started, platform)
            await platform.channel.close()


def application(door: Door, number: int) -> Outbound:
    data = [f"material {number} {position}".encode() * 1000 for position in range(3)]
    door.backend.materials |= {sm3(one).hex(): one for one in data}
    materials = [
        c.Material(f"材料{n}", sm3(one).hex(), len(one), "application/pdf", f"{n}.pdf") for n, one in enumerate(data)
    ]
    body = msgspec.structs.replace(samples.body("application"), materials=materials)
    return msgspec.structs.replace(
        samples.outbound("application"), id=f"M{number}", case_id=f"420104.X/{number}", body=body
    )


def told(place: Place, number: int) -> list[str]:
    return [act.type for act in place.door.backend.acts if act.case == f"420104.X/{number}"]


GRANT = ["acceptance", "step", "decision", "result"]


async def test_four_cases_are_worked_by_their_scenarios(place: Place) -> None:
    for number in range(1, 5):
        outcome = await place.platform.channel.send(place.platform.translator.outbound(application(place.door, number)))
        assert isinstance(outcome, Accepted)
        assert outcome.reference.endswith(f"{number:06d}")
    await place.sim.until(lambda state: state["results"] == 2)
    asked = next(act for act in place.door.backend.acts if act.type == "correction_request")
    assert (asked.case, told(place, 1)) == ("420104.X/1", ["correction_request"])
    correction = msgspec.structs.replace(
        samples.outbound("correction"), id="K1", case_id="420104.X/1",
        body=msgspec.structs.replace(samples.body("correction"), materials=[]),
    )  # fmt: skip
    assert isinstance(await place.platform.channel.send(place.platform.translator.outbound(correction)), Accepted)
    state = await place.sim.until(lambda state: state["results"] == 3)
    assert told(place, 1) == ["correction_request", *GRANT]
    assert told(place, 2) == ["acceptance", "step", "special_start", "special_end", "decision", "result"]
    assert told(place, 3) == ["acceptance", "step", "decision"]
    assert told(place, 4) == GRANT
    denied = next(act.body for act in place.door.backend.acts if act.type == "decision" and act.case.endswith("/3"))
    assert (denied.outcome, bool(denied.reason), "复议" in denied.redress) == ("denied", True, True)
    result = next(act for act in place.door.backend.acts if act.type == "result")
    assert "样章·测试无效" in result.parts[0].data.decode("utf-8")
    assert result.body.documents[0].stamp is None
    assert (state["materials"], state["denied"], state["special"], state["faults"]) == (12, 1, 1, 0)


async def test_arrival_and_delivery_are_two_notices(place: Place) -> None:
    await place.platform.channel.send(place.platform.translator.outbound(application(place.door, 1)))
    for type_ in ("arrival", "delivery"):
        out = msgspec.structs.replace(samples.outbound(type_), id=type_, case_id="420104.X/1")
        assert isinstance(await place.platform.channel.send(place.platform.translator.outbound(out)), Accepted)
    state = await place.sim.get("/sim/state")
    assert (state["arrived"], state["delivered"]) == (1, 1)


async def test_a_withdrawn_case_is_not_worked_on(place: Place) -> None:
    await place.platform.channel.send(place.platform.translator.outbound(application(place.door, 1)))
    await place.sim.until(lambda state: "correction_requested" in state["states"].values())
    out = msgspec.structs.replace(samples.outbound("withdrawal"), id="W1", case_id="420104.X/1")
    assert isinstance(await place.platform.channel.send(place.platform.translator.outbound(out)), Accepted)
    assert (await place.sim.get("/sim/state"))["states"] == {"420104.X/1": "withdrawn"}


FAULTS: list[tuple[str, type, bool]] = [
    ("500", Temporary, False), ("garbage", Unclear, True), ("drop", Unclear, True),
    ("slow", Unclear, True), ("twice", Accepted, True),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "outcome", "arrived"), FAULTS, ids=[row[0] for row in FAULTS])
async def test_what_a_bad_answer_means_is_what_happened(mode: str, outcome: type, arrived: bool, place: Place) -> None:
    wire = place.platform.translator.outbound(application(place.door, 1))
    await place.sim.post("/sim/knobs", mode=mode, times=1, slow_ms=2000)
    assert isinstance(await place.platform.channel.send(wire), outcome)
    await asyncio.sleep(1.0 if mode == "slow" else 0)
    known = await place.platform.channel.ask(wire.id)
    assert isinstance(known, Accepted if arrived else NotThere)
    assert isinstance(await place.platform.channel.send(wire), Accepted)
    state = await place.sim.get("/sim/state")
    assert (state["cases"], state["received_messages"]) == (1, 1), "once in effect, however often it was sent"
    assert state["duplicates"] == int(arrived)


async def test_a_dark_platform_is_temporary_and_comes_back(place: Place) -> None:
    wire = place.platform.translator.outbound(application(place.door, 1))
    await place.sim.post("/sim/knobs", mode="dark")
    assert isinstance(await place.platform.channel.send(wire), Temporary | Unclear)
    assert isinstance(await place.platform.channel.send(wire), Temporary)
    await place.sim.post("/sim/knobs", mode="ok")
    assert isinstance(await place.platform.channel.send(wire), Accepted)


async def test_the_platform_refuses_what_its_xsd_refuses(place: Place) -> None:
    wire = place.platform.translator.outbound(application(place.door, 1))
    bad = msgspec.structs.replace(wire, body=wire.body.replace(b"<SXBB>1</SXBB>", b"<SXBB>0</SXBB>"))
    outcome = await place.platform.channel.send(bad)
    assert isinstance(outcome, Refused)
    assert "XSD" in outcome.zh


# --- the simulated platforms stand alone ------------------------------------------------------------------------------

ALLOWED = {"aiohttp", "lxml", "gmssl", "cryptography"} | sys.stdlib_module_names


@pytest.mark.parametrize("script", sorted(SIMS.glob("*.py")), ids=lambda path: path.name)
def test_a_simulated_platform_imports_nothing_of_ours(script: Path) -> None:
    allowed = ALLOWED | {path.stem for path in SIMS.glob("*.py")}
    for node in ast.walk(ast.parse(script.read_text("utf-8"))):
        names: list[Any] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module]
        assert {str(name).split(".")[0] for name in names} <= allowed
