"""Four simulated platforms of other schemes as processes: their requests judged by our door, our callbacks by them."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from adapters import samples
from adapters.base import Accepted, NotThere, Refused, Unclear
from adapters.kit.behaviour import Switch
from adapters.kit.cast import Cast
from adapters.kit.mask import Mask
from adapters.kit.play import Play
from adapters.registry import PlatformSettings, open_platform
from signing.sm2 import Signer
from signing.sm3 import sm3
from tests.contract.kit_support import failures, now_ms, partner, scored, settings, verdicts
from tests.contract.platform_support import Scripted, Sim, http, sim, site
from tests.contract.rest_door import Gate
from tests.contract.test_kit_serve import playing
from tests.contract.test_rest_signed_platform import FAULTS
from tests.unit.adapters.support import PROFILES, PROVIDER

pytestmark = pytest.mark.processes

OURS, THEIRS = PROVIDER.generate(), PROVIDER.generate()
SECRET, BODY_KEY = "contract-secret-that-opens-nothing-03", "5a" * 16
NAMES = ["hubei", "wuhan", "yueyang", "xiamen_yibao"]
EACH = pytest.mark.parametrize("pair", NAMES, indirect=True)
ONE = pytest.mark.parametrize(
    "pair", ["xiamen_yibao", *(pytest.param(name, marks=pytest.mark.long) for name in NAMES[:3])], indirect=True
)
"""One has headers that prove and a body that is encrypted; the others are tried as well with the long tests."""
PDF = (1 << 20) + 300_000
Pair = tuple[Gate, Sim]


def opened(name: str, url: str, **settings: Any) -> Any:
    """Our side of one of them."""
    given = PlatformSettings(
        id=name,
        profile=name,
        base_url=url,
        app_id="hall",
        public_keys=(THEIRS.public.point.hex(),),
        timeout_ms=3000,
        **settings,
    )
    return open_platform(
        given, (PROFILES / f"{name}.toml").read_bytes(), {}, lambda: Signer(PROVIDER, OURS), PROVIDER,
        lambda: PROVIDER.random(16).hex(), lambda: time.time_ns() // 1_000_000,
        {"secret": SECRET.encode(), "body_key": BODY_KEY.encode()},
    )  # fmt: skip


def config(name: str, gateway: str, folder: Path) -> dict[str, Any]:
    return {
        "listen": "127.0.0.1:0", "control": "127.0.0.1:0", "database": str(folder / "hall.db"), "gateway": gateway,
        "platform": name, "app_id": "hall", "gateway_app_id": "tongban", "secret": SECRET, "body_key": BODY_KEY,
        "private_key": f"{THEIRS.d:064x}", "gateway_public_key": OURS.public.point.hex(), "pdf_bytes": PDF,
    }  # fmt: skip


@pytest.fixture
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    gate = Gate()
    async with (
        aiohttp.ClientSession() as session,
        site(gate.app()) as base,
        sim("signed_hall.py", config(request.param, base, tmp_path), tmp_path, session) as started,
    ):
        gate.platform = opened(request.param, started.url)
        yield gate, started
        await gate.platform.channel.close()


def tell(gate: Gate, type_: str, id_: str, case: str) -> Any:
    assert gate.platform is not None
    out = msgspec.structs.replace(samples.outbound(type_), id=id_, case_number=case)
    return gate.platform.translator.outbound(out)


async def handed_in(pair: Pair) -> str:
    (case,) = (await pair[1].post("/sim/cases", count=1))["cases"]
    await pair[1].until(lambda state: state["collected"] == 1)
    return str(case)


@EACH
async def test_a_case_comes_in_goes_on_where_it_was_cut_and_is_withdrawn(pair: Pair) -> None:
    pair[0].fail = ["", "cut", "503", "", "cut"]
    case = await handed_in(pair)
    (act,) = pair[0].acts
    assert (act.type, act.case, len(act.body.materials)) == ("application", case, 2)
    assert act.body.handling == "360113" and act.body.mode == "collect_elsewhere"
    for material in act.body.materials:
        data = bytes(pair[0].uploads[material.sm3])
        assert (sm3(data).hex(), len(data), data[:8]) == (material.sm3, material.size, b"%PDF-1.4")
    await pair[1].post("/sim/withdraw", case=case)
    await pair[1].until(lambda state: state["acts"] == 1)
    assert [act.type for act in pair[0].acts] == ["application", "withdrawal"]


@ONE
@pytest.mark.parametrize("slow", [False, pytest.param(True, marks=pytest.mark.long)], ids=["quick", "slow"])
async def test_what_a_bad_answer_means_is_what_happened(slow: bool, pair: Pair) -> None:
    """Every fault in turn: what we say of it, and what the platform says when it is asked."""
    faults = [row for row in FAULTS if slow or row[0] != "slow"]
    case = await handed_in(pair)
    channel = pair[0].platform.channel  # type: ignore[union-attr]
    for number, (mode, outcome, arrived) in enumerate(faults, 1):
        wire = tell(pair[0], "step", f"E{number}", case)
        before = (await pair[1].get("/sim/state"))["events"]
        await pair[1].post("/sim/knobs", mode=mode, times=1, slow_ms=3500)
        assert isinstance(await channel.send(wire), outcome), mode
        if arrived:
            await pair[1].until(lambda state, before=before: state["events"] == before + 1)
        assert isinstance(await channel.ask(f"E{number}"), Accepted if arrived else NotThere), mode
        assert isinstance(await channel.send(wire), Accepted), mode
    state = await pair[1].get("/sim/state")
    assert (state["events"], state["duplicates"]) == (len(faults), sum(row[2] for row in faults))
    assert state["bad_signatures"] == 0


@ONE
async def test_every_type_reaches_it_and_a_message_for_no_case_of_theirs_is_refused(pair: Pair) -> None:
    case = await handed_in(pair)
    platform = pair[0].platform
    assert platform is not None
    types = [name for name in samples._BODIES if platform.translator.can_send(name)]
    for number, type_ in enumerate(types):
        outcome = await platform.channel.send(tell(pair[0], type_, f"T{number}", case))
        assert isinstance(outcome, Accepted) and outcome.reference.startswith("H"), (type_, outcome)
    assert len(types) > 10
    outcome = await platform.channel.send(tell(pair[0], "step", "E1", "nobody"))
    assert outcome == Refused("44", "没有这个办件", "refused by the platform")


@ONE
async def test_a_callback_that_we_did_not_prove_is_not_taken_nor_one_that_comes_again(pair: Pair) -> None:
    case = await handed_in(pair)
    platform = pair[0].platform
    assert platform is not None
    wire = tell(pair[0], "step", "E1", case)
    async with pair[1].session.post(f"{pair[1].url}{wire.path}", data=wire.body) as answer:
        assert answer.status == 401
    caught: list[Any] = []
    real = platform.channel.line.session().request  # type: ignore[attr-defined]

    def noted(method: str, url: Any, **more: Any) -> Any:
        caught.append((method, url, more))
        return real(method, url, **more)

    platform.channel.line.session().request = noted  # type: ignore[attr-defined]
    assert isinstance(await platform.channel.send(wire), Accepted)
    method, url, more = caught[0]
    async with pair[1].session.request(method, url, data=more["data"], headers=more["headers"]) as answer:
        assert answer.status == 401, "the same request once more"
    state = await pair[1].get("/sim/state")
    assert (state["events"], state["bad_signatures"]) == (1, 2)


@ONE
async def test_one_that_is_killed_goes_on_after_its_restart(pair: Pair, tmp_path: Path) -> None:
    pair[0].fail = ["503"] * 1000
    (case,) = (await pair[1].post("/sim/cases", count=1))["cases"]
    pair[1].process.kill()
    await pair[1].process.wait()
    pair[0].fail = []
    settings = json.loads((tmp_path / "signed_hall.py.json").read_text("utf-8"))
    async with sim("signed_hall.py", settings, tmp_path, pair[1].session) as again:
        await again.until(lambda state: state["collected"] == 1)
    assert [act.case for act in pair[0].acts] == [case]


SECRETS = {"secret": SECRET.encode(), "body_key": BODY_KEY.encode()}
PROVED = ("good", "repeat", "ask", "wrong_key", "tampered", "unknown_app", "skewed_clock", "replay")


@ONE
async def test_the_kit_finds_nothing_wrong_with_any_of_them(pair: Pair) -> None:
    """Another key, changed bytes, an unknown id, a wrong clock, a replay: each platform refuses what its profile promises."""
    case, name = await handed_in(pair), pair[0].platform.profile  # type: ignore[union-attr]
    about, keys = {"case_number": case, "secrets": SECRETS}, (THEIRS.public.point.hex(),)
    one = partner(name, pair[1].url, key=OURS, about=about, app_id="hall", public_keys=keys)
    ran = await scored(one, *PROVED)
    assert failures(ran) == []
    assert {one.result.name for one in ran} == set(PROVED)


@pytest.mark.parametrize("name", NAMES)
async def test_the_kit_plays_each_of_them(name: str) -> None:
    given = settings(name, "", app_id="hall", public_keys=())
    toml, signer = (PROFILES / f"{name}.toml").read_bytes(), Signer(PROVIDER, THEIRS)
    cast = Cast(
        given, toml, {}, PROVIDER, signer, OURS.public.point.hex(), "", now_ms, Mask((SECRET, BODY_KEY)), SECRETS
    )
    keys = (THEIRS.public.point.hex(),)
    async with playing(Play(cast, Switch("good"), lambda line: None)) as url:
        one = partner(name, url, key=OURS, about={"secrets": SECRETS}, app_id="hall", public_keys=keys)
        found = await verdicts(one, *PROVED)
    assert found == dict.fromkeys(PROVED, "pass")


# --- what leaves, looked at by hand -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
async def test_what_leaves_is_proved_afresh_each_time_and_names_nothing_secret(name: str, server: Scripted) -> None:
    server.answer = http(200, b"{}")
    platform = opened(name, server.url)
    wire = platform.translator.outbound(samples.outbound("decision"))
    for _ in range(2):
        assert isinstance(await platform.channel.send(wire), Unclear)
    await platform.channel.close()
    first, second = (request.partition(b"\r\n\r\n") for request in server.requests)
    assert first[0] != second[0], "another nonce"
    assert all(word not in server.requests[0] for word in (SECRET.encode(), BODY_KEY.encode()))
    if name == "xiamen_yibao":
        assert first[2] != second[2] and wire.body not in first[2]
        told = json.loads(first[2])
        assert told.keys() == {"data", "appCode", "version", "encType", "signType", "timestamp", "signData"}
        assert (told["encType"], told["signType"], set(told["data"])) == ("SM4", "SM2", {"encData"})
    else:
        assert first[2] == second[2] == wire.body
    assert SECRET not in repr(platform.channel) + repr(platform)
