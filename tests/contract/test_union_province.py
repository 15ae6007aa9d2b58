"""The provincial platform as a process of its own: what waits there is fetched once, marked once, and never holds up another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

from adapters import samples
from adapters.base import Accepted, Inbox, NotThere, Problem, Refused, Temporary, Unclear
from adapters.registry import Platform
from tests.contract.platform_support import Backend, Sim
from tests.contract.union_support import PROVINCE, fresh, opened, standing

pytestmark = pytest.mark.processes


class Place:
    """The province, our platform that is opened to it, and what our gateway would be."""

    def __init__(self, sim: Sim, platform: Platform, backend: Backend) -> None:
        self.sim, self.platform, self.backend = sim, platform, backend

    async def poll(self) -> int:
        inbox: Inbox | None = self.platform.inbox
        assert inbox is not None
        return await inbox.poll(lambda original: self.backend)

    async def put(self, list_: str, id_: str, **changes: Any) -> None:
        entry = {**PROVINCE, "messageId": id_, **changes.pop("entry", {})}
        await self.sim.post("/sim/put", list=list_, id=id_, entry=entry, **changes)

    async def state(self) -> Any:
        return await self.sim.get("/sim/state")


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with standing("union_province.py", tmp_path_factory.mktemp("province")) as ready:
        yield ready


@pytest.fixture
async def place(province: dict[str, Any]) -> AsyncIterator[Place]:
    async with fresh(province) as running:
        platform = opened("nanchang", running.url)
        yield Place(running, platform, Backend())
        await platform.channel.close()


async def test_a_case_is_pushed_in_three_calls_worked_and_fetched_back_in_order(place: Place) -> None:
    wire = place.platform.translator.outbound(samples.outbound("application"))
    outcome = await place.platform.channel.send(wire)
    assert isinstance(outcome, Accepted) and outcome.reference.startswith("NC")
    assert await place.platform.channel.send(wire) == outcome, "a repetition has the same serial"
    await place.sim.until(lambda state: len(state["waiting"]["getResult"]) == 2, 60)
    assert await place.poll() == 4
    assert [act.type for act in place.backend.acts] == ["acceptance", "step", "decision", "result"]
    assert {act.local_number for act in place.backend.acts} == {outcome.reference}
    result = place.backend.acts[-1].body
    assert result.documents[0].document.sm3 in place.backend.materials
    state = await place.state()
    assert [name for name, *_ in state["pushed"]] == ["pushBaseInfo", "pushAttachment"]
    _, (_, _, attached) = state["pushed"]
    assert [one["materialName"] for one in attached["materials"]] == [
        "申请书",
        "章程",
    ] and "applicantName" not in attached
    assert [mark["receiptState"] for mark in state["marks"]] == ["1"] * 4 and not any(state["waiting"].values())


async def test_each_entry_is_marked_exactly_once_whatever_the_lists_go_on_showing(place: Place) -> None:
    await place.sim.post("/sim/lists", double=True, forgetful=True)
    await place.put("getBaseInfo", "N1", files=[["申请书.pdf", 70_000]])
    for _ in range(3):
        await place.poll()
    state = await place.state()
    assert [(mark["messageId"], mark["api"], mark["receiptState"]) for mark in state["marks"]] == [
        ("N1", "getBaseInfo", "1")
    ]
    assert len(place.backend.acts) == 1 and len(state["asked"]) == 1
    assert place.backend.acts[0].body.materials[0].size == 70_000


async def test_a_lost_mark_is_made_again_and_the_act_is_the_same(place: Place) -> None:
    await place.put("getBaseInfo", "N1")
    real = place.platform.channel
    inbox: Any = place.platform.inbox
    calls = []

    class Losing:
        """The channel whose first mark is never answered."""

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        async def call(self, name: str, *args: Any) -> Any:
            calls.append(name)
            lost = name == "markFetched" and calls.count(name) == 1
            return await real.call("queryReceived" if lost else name, *args)  # type: ignore[attr-defined]

    inbox = type(inbox)(Losing(), inbox.collector)
    assert await inbox.poll(lambda original: place.backend) == 0
    assert await inbox.poll(lambda original: place.backend) == 1
    assert len(place.backend.acts) == 1


@pytest.mark.parametrize("fault", ["half", "500", "garbage", "drop", "dark"])
async def test_a_list_that_does_not_come_whole_is_nothing_and_loses_nothing(fault: str, place: Place) -> None:
    await place.put("getBaseInfo", "N1")
    await (place.sim.post("/sim/lists", half=True) if fault == "half" else place.sim.post("/sim/knobs", mode=fault))
    assert await place.poll() == 0 and not place.backend.acts
    await place.sim.post("/sim/lists")
    await place.sim.post("/sim/knobs", mode="ok")
    assert await place.poll() == 1


POISON = [
    ("N01 a key twice", '{"messageId":"P1","projectNo":"1","projectNo":"2"}', "duplicate-key"),
    ("N02 a number beyond", '{"messageId":"P1","projectNo":"1","x":1e999}', "bad-number"),
    ("N04 a lone surrogate", '{"messageId":"P1","projectNo":"1","x":"\\ud800"}', "bad-character"),
    ("N03 a deep one", '{"messageId":"P1","projectNo":"1","x":' + "[" * 100 + "]" * 100 + "}", "too-deep"),
    ("N05 a trailing comma", '{"messageId":"P1","projectNo":"1",}', "bad-json"),
    ("N07 a list for a string", '{"messageId":"P1","projectNo":["1"]}', "id-form"),
    ("a case that is none", '{"messageId":"P1","projectNo":"1"}', ""),
]


@pytest.mark.parametrize(("name", "text", "code"), POISON, ids=[row[0] for row in POISON])
async def test_F10_a_poison_entry_is_refused_with_its_reason_and_its_neighbours_flow(
    name: str, text: str, code: str, place: Place
) -> None:
    await place.put("getBaseInfo", "N1")
    await place.sim.post("/sim/put", list="getBaseInfo", id="P1", text=text)
    await place.put("getBaseInfo", "N2", entry={"projectNo": "3601002026010100002"})
    assert await place.poll() == 3
    assert {act.id for act in place.backend.acts} == {"N1", "N2"}
    (refused,) = [mark for mark in (await place.state())["marks"] if mark["receiptState"] == "2"]
    assert refused["messageId"] == "P1" and refused["receiptReason"].startswith(code)
    assert "测试甲" not in refused["receiptReason"]


PAPERS = [
    ("cut", 2, ["", "bytes=", "bytes="]), ("missing", 2, ["", "", ""]), ("redirect", 2, ["", "", ""]), ("short", 1, ["", "bytes="]),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "times", "ranges"), PAPERS, ids=[row[0] for row in PAPERS])
async def test_a_case_waits_for_its_files_and_its_neighbours_do_not(
    fault: str, times: int, ranges: list[str], place: Place
) -> None:
    await place.put("getBaseInfo", "N1", files=[["申请书.pdf", 900_000]], entry={"sendTime": "1"})
    await place.put("getBaseInfo", "N2", entry={"projectNo": "3601002026010100002", "sendTime": "2"})
    await place.sim.post("/sim/papers", fault=fault, times=times, at=300_000)
    assert await place.poll() == 1 and [act.id for act in place.backend.acts] == ["N2"]
    for _ in range(times):
        await place.poll()
    assert [act.id for act in place.backend.acts] == ["N2", "N1"]
    shown = [one[1][:6] for one in (await place.state())["asked"]]
    assert len(shown) == len(ranges) and shown[0] == "" and (fault == "cut" or shown == ranges)


@pytest.mark.parametrize(("fault", "code"), [("long", "attachment-size")])
async def test_a_file_that_is_not_that_of_its_list_is_refused(fault: str, code: str, place: Place) -> None:
    await place.put("getBaseInfo", "N1", files=[["申请书.pdf", 3000]])
    await place.sim.post("/sim/papers", fault=fault)
    assert await place.poll() == 1 and not place.backend.acts
    (mark,) = (await place.state())["marks"]
    assert mark["receiptState"] == "2" and code in mark["receiptReason"]


async def test_files_that_never_come_are_given_up_with_the_reason(place: Place) -> None:
    platform = opened("nanchang", place.sim.url, change=(b"[union.calls]", b"tries = 3\n[union.calls]"))
    inbox: Any = platform.inbox
    await place.put("getBaseInfo", "N1", files=[["申请书.pdf", 3000]])
    await place.sim.post("/sim/papers", fault="missing")
    for _ in range(3):
        assert not (await place.state())["marks"]
        await inbox.poll(lambda original: place.backend)
    await platform.channel.close()
    (mark,) = (await place.state())["marks"]
    assert mark["receiptState"] == "2" and mark["receiptReason"].startswith("material-missing")


async def test_what_the_gateway_refuses_is_marked_and_what_it_is_busy_for_comes_again(place: Place) -> None:
    await place.put("getBaseInfo", "N1", files=[["申请书.pdf", 3000]])
    await place.put("getProcess", "N2", entry={"nodeType": "CH", "reason": "不办了", "operateTime": "20260101093000"})
    place.backend.problem = Problem({"code": "TB-9001", "title": "忙"}, busy=True)
    assert await place.poll() == 0
    assert (await place.state())["marks"] == []
    place.backend.problem = Problem({"code": "TB-4103", "title": "事项不在通办协议范围内"})
    assert await place.poll() == 2
    state = await place.state()
    assert {mark["receiptReason"] for mark in state["marks"]} == {"TB-4103 事项不在通办协议范围内"}
    assert len(state["asked"]) == 1, "what is here of a case that waits is not fetched again"


async def test_what_is_younger_waits_for_the_case_it_is_about_and_others_go_on(place: Place) -> None:
    """A withdrawal must not be refused for want of a case whose files are still coming."""
    gone = {"nodeType": "CH", "reason": "不办了", "operateTime": "20260101093000"}
    await place.put("getBaseInfo", "N1", files=[["申请书.pdf", 3000]], entry={"sendTime": "1"})
    await place.put("getProcess", "N2", entry={**gone, "sendTime": "2"})
    await place.put("getProcess", "N3", entry={**gone, "projectNo": "3601002026010100002", "sendTime": "3"})
    await place.sim.post("/sim/papers", fault="missing", times=1)
    assert await place.poll() == 1 and [act.id for act in place.backend.acts] == ["N3"]
    assert await place.poll() == 2 and [act.id for act in place.backend.acts] == ["N3", "N1", "N2"]


async def test_an_act_on_a_case_that_is_not_there_yet_comes_again_and_not_for_ever(place: Place) -> None:
    platform = opened("nanchang", place.sim.url, change=(b"[union.calls]", b"tries = 2\n[union.calls]"))
    inbox: Any = platform.inbox
    await place.put("getProcess", "N1", entry={"nodeType": "CH", "reason": "不办了", "operateTime": "20260101093000"})
    place.backend.problem = Problem({"code": "TB-5001", "title": "没有这个办件"})
    assert await inbox.poll(lambda original: place.backend) == 0 and not (await place.state())["marks"]
    assert await inbox.poll(lambda original: place.backend) == 1
    await platform.channel.close()
    assert (await place.state())["marks"][0]["receiptReason"] == "TB-5001 没有这个办件"


async def test_behind_a_full_page_nothing_younger_is_taken(place: Place) -> None:
    """The acceptance may be on the next page of its list while the decision is on the first of its own."""
    platform = opened("nanchang", place.sim.url, change=(b"full = 50", b"full = 2"))
    inbox: Any = platform.inbox
    step = {"nodeType": "HJ", "nodeName": "审查", "operatorName": "测试官", "operateTime": "20260101093000"}
    for number in range(3):
        await place.put("getProcess", f"P{number}", entry={**step, "projectNo": f"{number}", "sendTime": f"{number}"})
    done = {
        "nodeType": "BJ",
        "resultCode": "1",
        "docNo": "1",
        "deptName": "局",
        "operatorName": "官",
        "finishTime": "20260101093000",
    }
    await place.put("getResult", "R", entry={**done, "projectNo": "9", "sendTime": "9"})
    await place.sim.post("/sim/lists", most=2)
    assert await inbox.poll(lambda original: place.backend) == 2
    assert [act.id for act in place.backend.acts] == ["P0", "P1"]
    assert await inbox.poll(lambda original: place.backend) == 2
    assert [act.id for act in place.backend.acts] == ["P0", "P1", "P2", "R"]
    await platform.channel.close()


async def test_a_list_that_fails_holds_the_others_back(place: Place) -> None:
    await place.put("getProcess", "N1", entry={"nodeType": "CH", "reason": "不办了", "operateTime": "20260101093000"})
    await place.sim.post("/sim/knobs", mode="500", times=1)
    assert await place.poll() == 0 and not place.backend.acts
    assert await place.poll() == 1


async def test_a_province_may_push_to_our_door_what_it_could_let_us_fetch(place: Place) -> None:
    service: Any = place.platform.union
    await place.put("getBaseInfo", "N1", files=[["申请书.pdf", 5000]])  # the papers; the entry is pushed as well
    call = json.dumps({"params": {**PROVINCE, "messageId": "N1"}}, ensure_ascii=False).encode()
    said = json.loads(await service.take("pushBaseInfo", call, lambda original: place.backend))
    assert said["code"] == "200" and said["data"]["gatewayNo"] == PROVINCE["projectNo"]
    noted = await service.take("pushAttachment", call, lambda original: place.backend)
    assert json.loads(noted)["code"] == "200"
    assert await place.poll() == 1
    (act,) = place.backend.acts
    assert act.body.materials[0].size == 5000


FAULTS: list[tuple[str, type, type]] = [
    ("500", Temporary, NotThere), ("drop", Unclear, NotThere), ("garbage", Unclear, NotThere), ("dark", Temporary, Temporary),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "outcome", "asked"), FAULTS, ids=[row[0] for row in FAULTS])
async def test_what_a_bad_answer_to_the_first_of_several_calls_means(
    mode: str, outcome: type, asked: type, place: Place
) -> None:
    """The serial alone is not the message: asked, the province has it not, and the whole is pushed again."""
    wire = place.platform.translator.outbound(samples.outbound("application"))
    await place.sim.post("/sim/knobs", mode=mode, times=1)
    assert isinstance(await place.platform.channel.send(wire), outcome)
    assert isinstance(await place.platform.channel.ask(wire.id), asked)
    await place.sim.post("/sim/knobs", mode="ok")
    assert isinstance(await place.platform.channel.send(wire), Accepted)
    assert isinstance(await place.platform.channel.ask(wire.id), Accepted)
    assert [name for name, *_ in (await place.state())["pushed"]] == ["pushBaseInfo", "pushAttachment"]


async def test_a_wrong_token_and_a_bad_message_are_told_apart(place: Place) -> None:
    wrong = opened("nanchang", place.sim.url, secrets={"token": b"x" * 20, "their_token": b"y" * 20})
    said = await wrong.channel.send(wrong.translator.outbound(samples.outbound("step")))
    await wrong.channel.close()
    assert said == Temporary("status-401"), "it is for somebody to mend, and no message's fault"
    body = msgspec.structs.replace(samples.body("application"), applicant=samples.body("application").applicant)
    wire = place.platform.translator.outbound(msgspec.structs.replace(samples.outbound("application"), body=body))
    spoilt = msgspec.structs.replace(wire, body=wire.body.replace("测试甲".encode(), b""))
    assert await place.platform.channel.send(spoilt) == Refused(
        "400", "applicantName 不能为空", "refused by the platform"
    )


async def test_a_slow_platform_costs_only_its_own_time(place: Place) -> None:
    await place.sim.post("/sim/knobs", mode="slow", slow_ms=30_000)
    slow = opened("nanchang", place.sim.url, timeout_ms=100)
    polling = asyncio.create_task(slow.inbox.poll(lambda original: place.backend))  # type: ignore[union-attr]
    assert await polling == 0
    await slow.channel.close()
