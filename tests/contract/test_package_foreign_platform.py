"""The simulated public-security service as a process of its own, with our channel in front and our door behind it; zeep too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest
import zeep
from aiohttp import web

from adapters import samples
from adapters.base import Accepted, CannotAsk, Outbound, Problem, Refused, Temporary, Unclear
from adapters.registry import Platform
from schemas.xml import parse_text
from tests.contract.platform_support import Door, Scripted, Sim, http, sim, site
from tests.unit.adapters.support import LICENCE, OUR_LICENCE, open_test
from tests.unit.adapters.test_package import GROUPS, HEAD_FIELDS, NS, SLXX, TEN, opened, package, request

pytestmark = pytest.mark.processes
KIND = {"QC": "360113-0001", "CSRH": "360113-0002", "SFZ": "360113-0003", "KJHJZM": "360113-0004"}
FORMS = {
    "QC": {"迁出地址": "测试路1号"}, "CSRH": {"新生儿姓名": "测试婴", "父亲姓名": "测试父"}, "SFZ": {"申领原因": "首次申领"},
    "KJHJZM": {"证明类型": "亲属关系", "别的": "甲"},
}  # fmt: skip


class Place(NamedTuple):
    door: Door
    sim: Sim
    platform: Platform


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    door = Door(opened()[1])
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/soap", door.post)
    async with aiohttp.ClientSession() as session, site(app) as base:
        config = {
            "listen": "127.0.0.1:0", "control": "127.0.0.1:0", "database": str(tmp_path / "station.db"),
            "gateway": f"{base}/soap", "licence": LICENCE, "gateway_licence": OUR_LICENCE, "step_ms": 5,
        }  # fmt: skip
        async with sim("gongan.py", config, tmp_path, session) as started:
            platform = open_test("gongan", started.url + "/soap", timeout_ms=1500)
            yield Place(door, started, platform)
            await platform.channel.close()


def application(kind: str, number: str = "420104202601010001") -> Outbound:
    body = msgspec.structs.replace(samples.body("application"), form=FORMS[kind], case_number=number)
    return msgspec.structs.replace(
        samples.outbound("application"), item=KIND[kind], body=body, case_number=number, id=f"M-{number}"
    )


@pytest.mark.parametrize("kind", KIND)
async def test_each_business_is_requested_and_fed_back_in_its_pair_of_operations(kind: str, place: Place) -> None:
    translator = place.platform.translator
    assert await place.platform.channel.send(translator.outbound(application(kind))) == Accepted()
    state = await place.sim.until(lambda state: state["states"].get("420104202601010001") in ("jg", "stopped"))
    assert state["said"] == []
    acts = place.door.backend.acts
    assert [act.type for act in acts] == ["acceptance", "decision", "result"]
    assert {act.case for act in acts} == {"420104202601010001"}
    assert acts[0].local_number.startswith("GA")
    assert "样章·测试无效" in acts[2].parts[0].data.decode()


@pytest.mark.parametrize("kind", KIND)
async def test_each_business_is_collected_there_and_the_feedback_arrives(kind: str, place: Place) -> None:
    head = {**HEAD_FIELDS, "ZAGLYWFLDM": kind, "YWXTBH": "KS9"}
    answer = await place.sim.post("/sim/submit", **{"class": kind, "head": head, "sid": "S9", "groups": GROUPS[kind]})
    assert answer["codes"] == [["0", "已收到"]]
    (act,) = place.door.backend.acts
    assert (act.type, act.case, act.body.item) == ("application", "KS9", KIND[kind])
    for type_ in ("acceptance", "decision", "result"):
        out = msgspec.structs.replace(samples.outbound(type_), item=KIND[kind], case_number="KS9", id=f"F-{type_}")
        assert await place.platform.channel.send(place.platform.translator.outbound(out)) == Accepted()
    received = (await place.sim.get("/sim/state"))["received"]
    operations = [place.platform.translator.words.classes[kind][t] for t in ("acceptance", "decision", "result")]  # type: ignore[attr-defined]
    assert [row[:2] for row in received] == [[operation, "KS9"] for operation in operations]


async def test_what_the_service_refuses_is_refused_with_its_code_and_words(place: Place) -> None:
    translator = place.platform.translator
    no_move = msgspec.structs.replace(samples.body("application"), form={"别的": "甲"})
    wire = translator.outbound(msgspec.structs.replace(samples.outbound("application"), body=no_move))
    assert await place.platform.channel.send(wire) == Refused("-905", "缺少 QYXX", "缺少 QYXX")
    nameless = msgspec.structs.replace(wire, body=wire.body.replace(b"420104202503030001", b""))
    assert (await place.platform.channel.send(nameless)).code == "-901"  # type: ignore[union-attr]
    stranger = open_test("gongan", place.sim.url + "/soap")
    object.__setattr__(stranger.channel, "licence", "wrong")
    outcome = await stranger.channel.send(wire)
    await stranger.channel.close()
    assert isinstance(outcome, Refused) and outcome.code == "-50" and "授权码" in outcome.zh
    assert (await place.sim.get("/sim/state"))["refused"] == {"-905": 1, "-901": 1, "-50": 1}


async def test_a_busy_gateway_is_tried_again_and_a_refusal_stops_the_service(place: Place) -> None:
    place.door.backend.problem = Problem({"code": "TB-9001", "title": "忙"}, busy=True)
    await place.platform.channel.send(place.platform.translator.outbound(application("QC")))
    await asyncio.sleep(0.3)
    place.door.backend.problem = None
    await place.sim.until(lambda state: "jg" in state["states"].values())
    place.door.backend.problem = Problem({"code": "TB-5002", "title": "不允许"})
    await place.platform.channel.send(place.platform.translator.outbound(application("SFZ", "420104202601010002")))
    state = await place.sim.until(lambda state: "stopped" in state["states"].values())
    assert "-999 不允许（TB-5002）" in state["said"][0]


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [("500", Temporary), ("garbage", Unclear), ("drop", Unclear), ("twice", Accepted), ("slow", Unclear)],
)
async def test_a_bad_answer_of_a_service_that_cannot_be_asked_is_for_a_person(
    mode: str, outcome: type, place: Place
) -> None:
    wire = place.platform.translator.outbound(application("QC"))
    await place.sim.post("/sim/knobs", mode=mode, times=1, slow_ms=2000)
    assert isinstance(await place.platform.channel.send(wire), outcome)
    assert await place.platform.channel.ask(wire.id) == CannotAsk()
    assert isinstance(await place.platform.channel.send(wire), Accepted)
    state = await place.sim.get("/sim/state")
    assert len(state["states"]) == 1, "once in effect, however often it was sent"


# --- answers byte by byte ---------------------------------------------------------------------------------------------


def told(text: str, operation: str = "ZAGL_QCFKJSFW") -> bytes:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    body = (
        f'<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><n:{operation}Response xmlns:n="{NS}">'
        f"<return>{escaped}</return></n:{operation}Response></S:Body></S:Envelope>"
    )
    return http(200, body.encode(), "text/xml; charset=utf-8")


def coded(code: str, text: str = "") -> str:
    return f"<PACKAGE><DATA><CODE>{code}</CODE><MSG>{text}</MSG></DATA></PACKAGE>"


MEANT = {
    "-50": "授权码", "-42": "发送单位", "-901": "业务协同编号", "-902": "基本信息", "-903": "申请人", "-904": "核验",
    "-905": "迁移", "-906": "新生儿", "-907": "父母", "-908": "身份证", "-909": "证明", "-910": "反馈", "-911": "登记表",
    "-912": "制证",
}  # fmt: skip


@pytest.mark.parametrize("code", MEANT)
async def test_each_code_is_reported_in_words_even_when_the_service_says_none(
    code: str, server: Scripted, kept: list[Platform]
) -> None:
    server.answer = told(coded(code))
    kept.append(open_test("gongan", server.url + "/soap"))
    outcome = await kept[0].channel.send(kept[0].translator.outbound(samples.outbound("acceptance")))
    assert isinstance(outcome, Refused) and outcome.code == code and MEANT[code] in outcome.zh


HEADED = (
    "<PACKAGE><PACKAGEHEAD><BBH>1</BBH><FSDW_SJGSDWDM>000000</FSDW_SJGSDWDM><ZAGLYWFLDM>QC</ZAGLYWFLDM><YWXTBH>{}</YWXTBH>"
    "<FSSJ>20260101000000</FSSJ></PACKAGEHEAD><DATA>{}</DATA></PACKAGE>"
)
ANSWERS = [
    ("by record", told(HEADED.format("420104202503030001", '<RECORD no="1" sid="x" code="0" msg="ok"/>')), Accepted()),
    ("by record, refused", told(HEADED.format("420104202503030001", '<RECORD no="1" code="-903" msg="缺人"/>')),
     Refused("-903", "缺人", "缺人")),
    ("for the package", told(coded("0")), Accepted()), ("busy", told(coded("-998", "忙")), Temporary("busy--998")),
    ("of another case", told(HEADED.format("OTHER", '<RECORD code="0"/>')), Unclear("answer-of-another")),
    ("without any code", told(HEADED.format("420104202503030001", "<RECORD/>")), Unclear("answer-unreadable")),
    ("no package", told("<a/>"), Unclear("answer-unreadable")), ("no XML", told("ok"), Unclear("answer-unreadable")),
    ("X01 a DOCTYPE", told("<!DOCTYPE a>" + coded("0")), Unclear("answer-unreadable")),
    ("of another operation", told(coded("0"), "ZAGL_ZJZZFKJSFW"), Unclear("answer-unreadable")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "reply", "expected"), ANSWERS, ids=[row[0] for row in ANSWERS])
async def test_answers(name: str, reply: bytes, expected: object, server: Scripted, kept: list[Platform]) -> None:
    server.answer = reply
    kept.append(open_test("gongan", server.url + "/soap"))
    outcome = await kept[0].channel.send(kept[0].translator.outbound(samples.outbound("acceptance")))
    assert outcome == expected


# --- zeep reads our WSDL in both styles -------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["document", "rpc"])
async def test_zeep_calls_all_ten_operations_in_both_styles(style: str) -> None:
    door = Door(opened(style=style)[1])
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/soap", door.post)
    app.router.add_get("/soap", door.get)
    async with site(app) as base:
        door.url = f"{base}/soap"

        def run() -> list[Any]:
            client = zeep.Client(f"{door.url}?wsdl")
            said = [client.service[name](sqzcm=LICENCE, information=package(request(name))) for name in TEN]
            return [*said, client.service.ZAGL_QCFKJSFW(sqzcm="wrong", information=package(SLXX))]

        *said, wrong = await asyncio.to_thread(run)
    assert [parse_text(one).find("DATA/RECORD").get("code") for one in said] == ["0"] * 10  # type: ignore[union-attr]
    assert parse_text(wrong).findtext("DATA/CODE") == "-50"
