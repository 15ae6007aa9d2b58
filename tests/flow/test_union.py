"""A case and its papers by "union" calls: collected here and handled in a city that calls by JSON, and collected there."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.demo import world
from gateway.demo.platforms import simkit
from tests.contract.platform_support import sim
from tests.contract.test_union_kit import play
from tests.flow.nodes import Running, Window, running, until

pytestmark = pytest.mark.processes
OURS, THEIRS = "token-of-the-gateway-0001", "token-of-the-city-000001"
NEVER = "http://127.0.0.1:9"


def becomes_city(side: world.Side, profile: str = "zhengzhou") -> str:
    """Give a node a platform of this family in place of its own; the platform's id."""
    for name, token in (("token", OURS), ("their_token", THEIRS)):
        (side.folder / f"{name}.txt").write_text(token + "\n")
    text = side.config.read_text("utf-8")
    begin = text.index("[[platform]]")
    end = next((begin + 2 + found.start() for found in re.finditer(r"^\[", text[begin + 2 :], re.MULTILINE)), len(text))
    block = (
        f'[[platform]]\nid = "city"\nprofile = "{profile}"\nbase_url = "{NEVER}"\ntimeout_ms = 5000\n'
        'secrets = { token = { file = "token.txt" }, their_token = { file = "their_token.txt" } }\n\n'
    )
    side.config.write_text(text[:begin] + block + text[end:], "utf-8")
    return "city"


def at(side: world.Side, url: str) -> None:
    side.config.write_text(side.config.read_text("utf-8").replace(NEVER, url), "utf-8")


def city(folder: Path, side: world.Side, **more: Any) -> dict[str, Any]:
    gateway = f"http://{side.place.platform}/platform/v1/union/city"
    listen = {"listen": "127.0.0.1:0", "control": "127.0.0.1:0"}
    return {**listen, "token": OURS, "gateway": gateway, "gateway_token": THEIRS, **more}


def state(node: Running) -> Any:
    return node.one("SELECT state FROM case_file")


async def test_a_case_collected_here_is_handled_there_with_its_papers_and_back_once(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Every status is pushed twice, our push loses its answer, the result's file is cut in the middle: once in effect."""
    becomes_city(places.b)
    async with sim("union_city.py", city(tmp_path, places.b, twice=True), tmp_path, session) as there:
        at(places.b, there.url)
        await there.post("/sim/knobs", mode="drop", times=1)
        await there.post("/sim/papers", fault="cut", at=300, times=2)
        async with running(places.a, places.b) as (a, b):
            window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
            paper = simkit.pdf("PAPER", 2_500_000)
            await window.upload(paper)
            material = {
                "mc": "申请书",
                "zy": simkit.sm3(paper).hex(),
                "dx": len(paper),
                "gs": "application/pdf",
                "wjm": "申请书.pdf",
            }
            assert (await window.hand_in(window.papers(cl=[material]))).json["tbbh"]
            await until(lambda: state(a) == "result_issued", 60)
            kinds = [
                row[0] for row in b.rows("SELECT type FROM message WHERE direction = 'out' ORDER BY created_ms, rowid")
            ]
            assert kinds == ["acceptance", "step", "decision", "result"]
            seen = await there.until(
                lambda seen: all(row.get("again") for row in seen["sent"]) and len(seen["sent"]) == 4
            )
            (fetched,) = next(iter(seen["fetched"].values()))
            assert (fetched["filename"], fetched["got"]) == ("申请书.pdf", len(paper))
            assert fetched["sha256"] == hashlib.sha256(paper).hexdigest()
            assert max(seen["times"].values()) <= 2 and len(seen["messages"]) == 1 + len(
                [one for one in seen["messages"] if one["status"] in ("01", "02")]
            )
            assert [fault for _, _, fault in seen["asked"]][:3] == ["cut", "cut", ""]
            assert not b.rows("SELECT 1 FROM part p WHERE NOT EXISTS (SELECT 1 FROM case_part k WHERE k.sm3 = p.sm3)")


async def test_a_case_goes_to_a_province_and_what_waits_there_is_fetched_and_marked_once(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Its lists show everything twice, also what has been marked, and the result's file is cut: each act once, each mark once."""
    becomes_city(places.b, "nanchang")
    async with sim("union_province.py", city(tmp_path, places.b), tmp_path, session) as there:
        at(places.b, there.url)
        await there.post("/sim/lists", double=True, forgetful=True)
        await there.post("/sim/papers", fault="cut", at=300, times=2)
        async with running(places.a, places.b) as (a, b):
            window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
            paper = simkit.pdf("PAPER", 200_000)
            await window.upload(paper)
            material = {
                "mc": "申请书",
                "zy": simkit.sm3(paper).hex(),
                "dx": len(paper),
                "gs": "application/pdf",
                "wjm": "申请书.pdf",
            }
            case = (await window.hand_in(window.papers(cl=[material]))).json["tbbh"]
            await until(lambda: state(a) == "result_issued", 60)
            seen = await there.until(lambda seen: len(seen["marks"]) == 4, 60)
            kinds = [
                row[0] for row in b.rows("SELECT type FROM message WHERE direction = 'out' ORDER BY created_ms, rowid")
            ]
            assert kinds == ["acceptance", "step", "decision", "result"]
            assert {mark["receiptState"] for mark in seen["marks"]} == {"1"}
            assert len({mark["messageId"] for mark in seen["marks"]}) == 4
            assert [name for name, *_ in seen["pushed"]] == ["pushBaseInfo", "pushAttachment"]
            ((fetched,),) = seen["fetched"].values()
            assert fetched["sha256"] == hashlib.sha256(paper).hexdigest()
            serial = b.one("SELECT local_number FROM case_file WHERE id = ?", case)
            assert serial and serial.startswith("NC")


async def test_a_case_collected_by_a_city_waits_for_its_papers_and_is_then_in_effect_once(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    becomes_city(places.a)
    async with sim("union_city.py", city(tmp_path, places.a, twice=True), tmp_path, session) as there:
        at(places.a, there.url)
        async with running(places.a, places.b) as (a, b):
            await there.post("/sim/papers", fault="cut", at=1_500_000, times=1)
            params = project(json.loads(places.a.platform_config.read_bytes()))
            await there.post(
                "/sim/collect", params=params, files=[["M1", "申请书.pdf", 3_000_000], ["M2", "章程.pdf", 4000]]
            )
            await until(lambda: state(a) is not None, 60)
            seen = await there.until(
                lambda seen: bool(seen["sent"][0].get("again")) and seen["sent"][0]["tries"] >= 3, 60
            )
            assert seen["sent"][0]["said"]["custom"]["taskguid"] == a.one("SELECT id FROM case_file")
            await until(lambda: state(b) is not None, 60)
            assert len(a.rows("SELECT 1 FROM message WHERE type = 'application'")) == 1
            sizes = [row[0] for row in b.rows("SELECT size FROM part ORDER BY size")]
            assert sizes == [4000, 3_000_000]
            first, again, *_ = [shown for _, shown, _ in seen["asked"]]
            assert (first, again[:6]) == ("", "bytes="), "a cut file goes on where it was cut"


@pytest.mark.parametrize("profile", ["zhengzhou", pytest.param("nanchang", marks=pytest.mark.long)])
async def test_the_kit_plays_the_city_to_a_real_gateway(
    profile: str, places: world.World, session: aiohttp.ClientSession
) -> None:
    becomes_city(places.b, profile)
    made = play(profile, gateway=f"http://{places.b.place.platform}")
    port, _ = await made.start()
    try:
        at(places.b, f"http://127.0.0.1:{port}")
        async with running(places.a, places.b) as (a, b):
            window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
            case = (await window.hand_in(window.papers())).json["tbbh"]
            await until(lambda: a.one("SELECT state FROM case_file WHERE id = ?", case) == "denied", 60)
            kinds = [
                row[0] for row in b.rows("SELECT type FROM message WHERE direction = 'out' ORDER BY created_ms, rowid")
            ]
            assert kinds == ["acceptance", "step", "decision"]
    finally:
        await made.stop()


def project(settings: dict[str, Any]) -> dict[str, Any]:
    """A case in the city's own names."""
    item = settings["items"][0]
    at = f"{simkit.now():%Y-%m-%d %H:%M:%S}"
    return {
        "rowguid": "ZZ-0001", "projectguid": "4101002026112000001", "task_id": item["code"], "taskname": item["name"],
        "taskversion": "1", "applymode": "2", "belongxiaqucode": "360113000000", "applyertype": "10",
        "applyername": "测试甲", "certtype": "10", "certnum": "11010519491231002X", "contactphone": "13800000000",
        "address": "测试路1号", "formdata": {"申请事由": "测试用例"}, "applydate": at, "purpose": settings["purpose"],
        "windowcheck": {"clerkname": "测试窗口员", "clerkno": "K001", "windowname": "3号窗口", "checktype": "1",
                        "originals": ["居民身份证"], "checkdate": at},
        "materiallist": [{"taskmaterialguid": "M1", "taskmaterialname": "申请书"},
                         {"taskmaterialguid": "M2", "taskmaterialname": "章程"}],
    }  # fmt: skip
