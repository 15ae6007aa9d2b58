"""The simulated window system as a process of its own: its requests verified by our door, our callbacks by it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from adapters import samples
from adapters.base import Accepted, NotThere, Outbound, Refused, Temporary, Unclear
from adapters.registry import PlatformSettings, open_platform
from schemas import canonical as c
from signing.sm2 import Signer
from signing.sm3 import sm3
from tests.contract.platform_support import Sim, sim, site
from tests.contract.rest_door import Gate
from tests.unit.adapters.support import PROFILES, PROVIDER

pytestmark = pytest.mark.processes

OURS, THEIRS = PROVIDER.generate(), PROVIDER.generate()
PDF = 3 * (1 << 20) + 77


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[tuple[Gate, Sim]]:
    made = Gate()
    async with aiohttp.ClientSession() as session, site(made.app()) as base:
        config = {
            "listen": "127.0.0.1:0", "control": "127.0.0.1:0", "database": str(tmp_path / "window.db"), "gateway": base,
            "app_id": "qk-window", "private_key": f"{THEIRS.d:064x}", "gateway_public_key": OURS.public.point.hex(),
            "pdf_bytes": PDF, "deliver_ms": 5,
        }  # fmt: skip
        async with sim("qiaokou.py", config, tmp_path, session) as started:
            settings = PlatformSettings(
                id="q", profile="qiaokou", base_url=started.url, app_id="qk-window", timeout_ms=1500,
                public_keys=(THEIRS.public.point.hex(),),
            )  # fmt: skip
            made.platform = open_platform(
                settings, (PROFILES / "qiaokou.toml").read_bytes(), {}, lambda: Signer(PROVIDER, OURS), PROVIDER,
                lambda: PROVIDER.random(16).hex(), lambda: time.time_ns() // 1_000_000,
            )  # fmt: skip
            yield made, started
            await made.platform.channel.close()


def tell(gate: Gate, type_: str, id_: str, case: str, body: Any = None) -> Any:
    assert gate.platform is not None
    out: Outbound = msgspec.structs.replace(
        samples.outbound(type_), id=id_, case_number=case, body=body or samples.body(type_)
    )  # fmt: skip
    return gate.platform.translator.outbound(out)


async def handed_in(gate: tuple[Gate, Sim]) -> str:
    (case,) = (await gate[1].post("/sim/cases", count=1))["cases"]
    await gate[1].until(lambda state: state["collected"] == 1)
    return str(case)


async def test_a_case_with_three_materials_comes_in(gate: tuple[Gate, Sim]) -> None:
    case = await handed_in(gate)
    (act,) = gate[0].acts
    assert (act.type, act.case, len(act.body.materials)) == ("application", case, 3)
    large = act.body.materials[0]
    assert large.size == PDF
    for material in act.body.materials:
        data = bytes(gate[0].uploads[material.sm3])
        assert (sm3(data).hex(), len(data), data[:8]) == (material.sm3, material.size, b"%PDF-1.4")
    assert (await gate[1].get(f"/sim/cases/{case}"))["receipt"] == "cmVj"


async def test_an_upload_goes_on_where_it_was_cut(gate: tuple[Gate, Sim]) -> None:
    gate[0].fail = ["", "cut", "503", "", "cut", "", "503", "", "cut", "503", "cut"]
    await handed_in(gate)
    assert len(gate[0].acts) == 1
    assert all(sm3(bytes(data)).hex() == digest for digest, data in gate[0].uploads.items())


async def test_a_correction_is_completed_and_a_result_fetched_and_delivered_in_two_acts(gate: tuple[Gate, Sim]) -> None:
    case = await handed_in(gate)
    channel = gate[0].platform.channel  # type: ignore[union-attr]
    assert isinstance(await channel.send(tell(gate[0], "correction_request", "E1", case)), Accepted)
    await gate[1].until(lambda state: state["corrected"] == 1)
    document, stamp = b"<svg/>" * 300_000, b"stamp"
    gate[0].uploads |= {sm3(data).hex(): bytearray(data) for data in (document, stamp)}
    files = [
        c.Material("结果", sm3(data).hex(), len(data), "image/svg+xml", "a.svg", role)  # type: ignore[arg-type]
        for data, role in ((document, "result"), (stamp, "stamp"))
    ]
    body = msgspec.structs.replace(samples.body("result"), documents=[c.ResultDocument("结果", files[0], files[1])])
    assert isinstance(await channel.send(tell(gate[0], "result", "E2", case, body)), Accepted)
    state = await gate[1].until(lambda state: state["delivered"] == 1)
    assert [act.type for act in gate[0].acts] == ["application", "correction", "arrival", "delivery"]
    assert gate[0].acts[1].body.materials[0].name == "章程"
    assert set(gate[0].acts[2].body.documents) == {sm3(document).hex(), sm3(stamp).hex()}
    assert state["finished"] == 1


FAULTS: list[tuple[str, type, bool]] = [
    ("500", Temporary, False), ("garbage", Unclear, True), ("drop", Unclear, True),
    ("slow", Unclear, True), ("twice", Accepted, True),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "outcome", "arrived"), FAULTS, ids=[row[0] for row in FAULTS])
async def test_what_a_bad_answer_means_is_what_happened(
    mode: str, outcome: type, arrived: bool, gate: tuple[Gate, Sim]
) -> None:
    case = await handed_in(gate)
    channel, wire = gate[0].platform.channel, tell(gate[0], "step", "E1", case)  # type: ignore[union-attr]
    await gate[1].post("/sim/knobs", mode=mode, times=1, slow_ms=2000)
    assert isinstance(await channel.send(wire), outcome)
    await asyncio.sleep(1.0 if mode == "slow" else 0)
    assert isinstance(await channel.ask("E1"), Accepted if arrived else NotThere)
    assert isinstance(await channel.send(wire), Accepted)
    state = await gate[1].get("/sim/state")
    assert (state["events"], state["duplicates"]) == (1, int(arrived))


async def test_a_callback_for_no_case_of_theirs_is_refused(gate: tuple[Gate, Sim]) -> None:
    outcome = await gate[0].platform.channel.send(tell(gate[0], "step", "E1", "nobody"))  # type: ignore[union-attr]
    assert outcome == Refused("44", "没有这个办件", "refused by the platform")


async def test_a_callback_that_we_did_not_sign_is_not_taken(gate: tuple[Gate, Sim]) -> None:
    case = await handed_in(gate)
    wire = tell(gate[0], "step", "E1", case)
    headers = {"x-qk-appid": "tongban", "x-qk-timestamp": "1", "x-qk-nonce": "n" * 16, "x-qk-sign": "0" * 128}
    async with gate[1].session.post(f"{gate[1].url}/tongban/events", data=wire.body, headers=headers) as answer:
        assert (answer.status, json.loads(await answer.read())["code"]) == (401, 401)
    state = await gate[1].get("/sim/state")
    assert (state["events"], state["bad_signatures"]) == (0, 1)


async def test_a_window_that_is_killed_goes_on_after_its_restart(gate: tuple[Gate, Sim], tmp_path: Path) -> None:
    gate[0].fail = ["503"] * 1000
    (case,) = (await gate[1].post("/sim/cases", count=1))["cases"]
    gate[1].process.kill()
    await gate[1].process.wait()
    gate[0].fail = []
    config = json.loads((tmp_path / "qiaokou.py.json").read_text("utf-8"))
    async with sim("qiaokou.py", config, tmp_path, gate[1].session) as again:
        await again.until(lambda state: state["collected"] == 1)
    assert [act.case for act in gate[0].acts] == [case]
