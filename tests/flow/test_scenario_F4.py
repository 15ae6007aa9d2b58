"""F4: one simple form for several items; the gateway fills three systems, each by its own adapter, under one number and status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from agreements import samples
from gateway.demo import systems, world
from signing.sm3 import sm3
from tests.flow import places
from tests.flow.nodes import PROVIDER, Reply, Running, Window, running, until
from tests.flow.places import Pact, platform, proved, settled, state

COUNTER, CITY = ("420104", "武汉市硚口区"), ("360113", "南昌市红谷滩区")
POLICE, SOCIAL, MEDICAL = systems.IDENTITY_CARD, systems.SOCIAL_CARD, systems.CARE_ELSEWHERE
WHOLE = "YJ-0001"
FORM = f"""
format = "tongban/one-form/1"
item = "{WHOLE}"
name = "新市民一件事"
version = 1
[[part]]
item = "{POLICE}"
name = "居民身份证换领补领异地受理"
version = 1
handling = "{CITY[0]}"
fields = {{ "申领原因" = "办理原因" }}
materials = ["登记照"]
[[part]]
item = "{SOCIAL}"
name = "社会保障卡申领"
version = 1
handling = "{CITY[0]}"
fields = {{ "联系地址" = "居住地址", "性别" = "性别" }}
materials = ["登记照"]
[[part]]
item = "{MEDICAL}"
name = "异地就医结算备案"
version = 1
handling = "{CITY[0]}"
fields = {{ "就医地" = "居住地址", "备案原因" = "办理原因" }}
"""
FORMS = '\n[[one_form]]\nfile = "form.toml"\n[[one_form]]\nfile = "third.toml"\n'
FILLED = {"办理原因": "到外地工作", "居住地址": "测试路1号"}
PHOTO = b"%PDF-1.4 a photograph of nobody " + bytes(range(256)) * 40


async def test_F4_one_form_reaches_three_systems_and_has_one_status(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    gongan, queue, own = (f"127.0.0.1:{port}" for port in world.free_ports(3))
    key = PROVIDER.generate()
    counter = platform(
        "counter", "qiaokou", f"http://{own}", more=f'app_id = "qk"\npublic_keys = ["{key.public.point.hex()}"]\n'
    )
    sides = places.build(
        tmp_path, {"counter": COUNTER, "city": CITY}, [Pact("counter", "city", systems.listed(systems.SYSTEMS))],
        {"counter": counter + FORMS, "city": places.four(tmp_path, gongan, queue)},
    )  # fmt: skip
    (sides["counter"].folder / "form.toml").write_text(FORM, "utf-8")
    unlisted = FORM.replace(WHOLE, "YJ-0002").replace(
        MEDICAL, "QX-NOT-LISTED"
    )  # the third part is refused, the others not
    (sides["counter"].folder / "third.toml").write_text(unlisted, "utf-8")
    settings: dict[str, Any] = {
        "private_key": f"{key.d:064x}", "app_id": "qk", "division": COUNTER[0], "handling": CITY[0],
        "items": [{"code": WHOLE, "name": "新市民一件事", "version": 1, "materials": []}], "purpose": samples.PURPOSE,
    }  # fmt: skip
    front = places.front_system(tmp_path / "social")
    soap = f"http://{sides['city'].place.platform}/platform/v1/soap/gongan"
    async with (
        places.app_platform(own) as heard,
        places.queue_system(tmp_path / "medical", queue) as medical,
        places.police_system(tmp_path / "police", gongan, soap) as police,
    ):
        async with running(sides["counter"]) as (a,):  # the city's gateway is away
            window = Window(a, session, settings)
            await _nothing_is_taken_by_halves(window)
            message, first = await _hand_in(window)
            assert await _status(window, message) == ("under_way", ["collected"] * 3)
        async with running(*sides.values()) as (a, b), places.working(front, medical):
            window = Window(a, session, settings)
            again = await window.hand_in(message)
            assert again.status == 200 and again.json["hz"] == first["hz"], "the same receipts after the restart"
            cases = [f"{message['bjbh']}~{place}" for place in (1, 2, 3)]
            await until(lambda: _states(a, cases) == ["result_issued", "granted", "result_issued"], 60)
            assert (await _status(window, message))[0] == "granted"
            assert police.records.one("SELECT count(*) FROM request") == 1
            assert police.files == {"good": 1, "bad": 0}
            assert [row[0] for row in medical.records.rows("SELECT serial FROM request")] == [cases[2]]
            assert list(front.known()["numbers"]) == [cases[1]]
            await until(lambda: all(heard.get(case, [])[-1:] in (["CJ"], ["JD"]) for case in cases), 60)
            await until(lambda: settled(a, b), 60)
            assert a.one("SELECT count(*) FROM case_file") == 3 == b.one("SELECT count(*) FROM case_file")
            for (case,) in a.rows("SELECT id FROM case_file"):
                assert proved(a, case)[0] is proved(b, case)[0] is True


def _states(node: Running, numbers: list[str]) -> list[str]:
    return [state(node, places.case_of(node, number)) for number in numbers]


def _message(window: Window, **changes: Any) -> dict[str, Any]:
    photo = {"mc": "登记照", "zy": sm3(PHOTO).hex(), "dx": len(PHOTO), "gs": "application/pdf", "wjm": "photo.pdf"}
    return window.papers(**{"bd": FILLED, "cl": [photo], **changes})


async def _hand_in(window: Window) -> tuple[dict[str, Any], dict[str, Any]]:
    """The form, once; what the receipt says."""
    await window.upload(PHOTO)
    message = _message(window)
    told = (await window.hand_in(message)).json
    assert told["tbbh"] == message["bjbh"] and "3 件" in told["sm"]
    return message, told


async def _nothing_is_taken_by_halves(window: Window) -> None:
    """What is missing is named at once; what nobody asks for, and a file that has not come, refuse the whole."""
    bad: tuple[tuple[dict[str, Any], str], ...] = (
        ({"bd": {}, "cl": []}, "办理原因、居住地址、登记照"), ({"bd": {**FILLED, "多余": "1"}}, "多余"), ({}, "登记照"),
    )  # fmt: skip
    for changes, named in bad:
        reply: Reply = await window.hand_in(_message(window, **changes))
        assert reply.status in (400, 422) and named in reply.json["detail"], str(reply.json)
    assert (
        window.gateway.one("SELECT count(*) FROM case_file") == 0 == window.gateway.one("SELECT count(*) FROM message")
    )


async def _status(window: Window, message: dict[str, Any]) -> tuple[str, list[str]]:
    """By the one number: the overall state, and that of each part."""
    told = (await window.call("GET", f"/platform/v1/cases/{message['bjbh']}")).json
    assert "3 件中" in told["text"] and [part["case_number"][-2:] for part in told["parts"]] == ["~1", "~2", "~3"]
    return told["state"], [part["state"] for part in told["parts"]]
