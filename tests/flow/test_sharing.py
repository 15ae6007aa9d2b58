"""Certificates instead of paper, by the window's door: query, authorise, fetch, verify against a platform in its own process;
one refusal for each way it can go wrong, and all of it on record."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from gateway.demo import world
from gateway.flow import shared
from signing.ecert import Annotation
from signing.sm3 import sm3
from tests.flow import sharing_support as support
from tests.flow.nodes import Running, Window, running, start
from tests.flow.sharing_support import CARD, LICENCE, OTHER, PERSON, Asking, Shared, card, why

pytestmark = pytest.mark.processes
CASE = "420104202611200001"


@asynccontextmanager
async def asking(
    places: world.World,
    session: aiohttp.ClientSession,
    dialect: str,
    *shelf: Any,
    more: dict[str, Any] | None = None,
    settings: str = "",
) -> AsyncIterator[tuple[Running, Asking, Shared]]:
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(
            support.platform(places.a, dialect, session, *shelf, settings=settings, **more or {})
        )
        (a,) = await stack.enter_async_context(running(places.a))
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        yield a, Asking(window), there


def record(a: Running, holder: str = PERSON) -> list[dict[str, Any]]:
    vault = a.node.desk.vault
    return shared.about(a.node.journal.read(), vault, holder)  # type: ignore[return-value]


DIALECTS = [pytest.param(one, marks=pytest.mark.long) for one in support.PROFILES if one != "guangdong"]


@pytest.mark.parametrize("dialect", ["guangdong", *DIALECTS])
async def test_W5_a_certificate_comes_through_every_dialect_and_everything_is_on_record(
    places: world.World, session: aiohttp.ClientSession, dialect: str
) -> None:
    mine = card()
    async with asking(places, session, dialect, mine, card("0000000002", OTHER)) as (a, window, there):
        (found,) = (await window.query(CASE)).json["certificates"]
        assert (found["identifier"], found["status"], found["source"]) == (mine.identifier, "valid", dialect)
        asked = {"why": why(CASE), "holder": {"code": PERSON, "code_type": "111"}, "type_code": CARD}
        (await window.post("authorize", asked | {"identifier": mine.identifier, "source": "own"})).refused(
            "TB-7030", 404
        )
        code = await window.code(CASE, mine)
        assert len(base64.urlsafe_b64decode(code)) == 24, "192 random bits"
        got = (await window.fetch(CASE, code)).json
        assert got["verified"] is True and got["status"] == "valid" and got["identifier"] == mine.identifier
        file = base64.b64decode(got["file"])
        assert sm3(file).hex() == got["sm3"] and file == (there.folder / "0.ofd").read_bytes()
        assert got["form"] == {"姓名": "甄无名", "公民身份号码": PERSON, "住址": "试验大道一百零一号"}
        acts = record(a)
        assert [one["asked"]["act"] for one in acts] == ["query", "authorise", "authorise", "fetch"]
        assert acts.pop(1)["answered"]["outcome"] == "TB-7030"
        for one in acts:
            assert (
                one["asked"]["cause"]["case_number"] == CASE and one["asked"]["cause"]["basis_text"] == "授权书2026-1"
            )
            assert one["answered"]["outcome"] == "ok" and one["answered"]["certificates"] == [mine.identifier]
            for leaf in (one["leaf"], one["answer_leaf"]):
                assert a.one("SELECT kind FROM leaf WHERE idx = ?", leaf) == "sharing"
        assert acts[-1]["answered"]["status"] == "valid" and acts[-1]["answered"]["file"] == got["sm3"]
        assert record(a, OTHER) == []
        rest = "".join(
            str(row) for table in ("use_code", "certificate_use") for row in a.rows(f"SELECT * FROM {table}")
        )
        assert code not in rest and PERSON not in rest and "甄无名" not in rest, "no code and no person in the clear"


async def test_a_use_code_serves_once_its_requester_its_case_its_item(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """The replayed use code, and the code that somebody photographed."""
    mine = card()
    async with asking(places, session, "guangdong", mine) as (a, window, there):
        code = await window.code(CASE, mine)
        (await window.fetch("420104202611209999", code)).refused("TB-7024", 403)
        (await window.fetch(CASE, code, item="QX-TB-002")).refused("TB-7024", 403)
        (await window.fetch(CASE, "x" * 32)).refused("TB-7021", 404)
        await a.node.journal.submit(lambda tx: tx.run("UPDATE use_code SET platform = 'another'"))
        unknown = (await window.fetch(CASE, code)).refused("TB-7021", 404)
        assert "detail" in unknown and not unknown["detail"], "a stranger's code is no code"
        await a.node.journal.submit(lambda tx: tx.run("UPDATE use_code SET platform = ?", next(iter(a.node.platforms))))
        assert (await window.fetch(CASE, code)).status == 200
        (await window.fetch(CASE, code)).refused("TB-7022", 409)
        assert await there.calls("archive") == 1, "the platform was asked for one file"
        assert [one["answered"]["outcome"] for one in record(a)] == ["ok", "ok", "TB-7022"]


async def test_two_fetches_at_once_release_one_file(places: world.World, session: aiohttp.ClientSession) -> None:
    mine = card()
    async with asking(places, session, "shandong", mine) as (_, window, _there):
        code = await window.code(CASE, mine)
        replies = await asyncio.gather(*[window.fetch(CASE, code) for _ in range(5)])
        assert sorted(one.status for one in replies) == [200, 409, 409, 409, 409]


async def test_an_expired_code_is_refused(places: world.World, session: aiohttp.ClientSession) -> None:
    """A screenshot of an expired code."""
    mine = card()
    async with asking(places, session, "shanghai", mine) as (a, window, _):
        code = await window.code(CASE, mine)
        await a.node.journal.submit(lambda tx: tx.run("UPDATE use_code SET expires_ms = ?", tx.now_ms - 1))
        (await window.fetch(CASE, code)).refused("TB-7023", 410)


async def test_another_holders_certificate_is_refused_at_every_step(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """A certificate for another holder: told so by the platform's list, or only by the file itself."""
    mine, theirs = card(), card("0000000002", OTHER)
    async with asking(places, session, "guangdong", mine, theirs) as (a, window, there):
        await there.sim.post("/sim/knobs", mode="ok", wrong="holder")
        (await window.query(CASE)).refused("TB-7025", 422)
        (await window.authorize(CASE, mine)).refused("TB-7025", 422)
        await there.sim.post("/sim/knobs", mode="ok")
        (await window.authorize(CASE, theirs)).refused("TB-7030", 404)
        code = await window.code(CASE, mine)
        await there.sim.post("/sim/knobs", mode="ok", wrong="file")
        (await window.fetch(CASE, code)).refused("TB-7025", 422)
        assert a.rows("SELECT state, reason FROM use_code") == [("failed", "TB-7025")]
        assert a.one("SELECT count(*) FROM part WHERE owner LIKE 'platform:%'") == 0, "nothing of it was released"
        (await window.fetch(CASE, code)).refused("TB-7029", 422)


BAD_FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "rubbish": (lambda _: b"not an OFD", "TB-7027"),
    "cut": (lambda data: data[: len(data) // 2], "TB-7027"),
    "one byte changed": (lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:], "TB-7027"),
    "another workshop's seal": (lambda _: support.Workshop().make(card()), "TB-7027"),
}


async def test_F05_a_file_that_does_not_hold_is_not_used(places: world.World, session: aiohttp.ClientSession) -> None:
    """Each defect of ``BAD_FILES``, and a good file at the end."""
    mine = card()
    async with asking(places, session, "shandong", mine) as (a, window, there):
        path = there.folder / "0.ofd"
        good = path.read_bytes()
        for defect, (spoil, code) in BAD_FILES.items():
            path.write_bytes(spoil(good))
            reply = await window.fetch(CASE, await window.code(CASE, mine))
            assert (reply.status, reply.json["code"]) == (422, code), defect
            assert record(a)[-1]["answered"]["outcome"] == code
        path.write_bytes(good)
        assert (await window.fetch(CASE, await window.code(CASE, mine))).status == 200


YESTERDAY, TOMORROW = (datetime.now(UTC) + timedelta(days=n) for n in (-1, 1))
NOT_VALID = {
    "expired": ({"valid_to": date(2026, 2, 1)}, "expired"),
    "not yet": ({"valid_from": TOMORROW.date() + timedelta(days=1)}, "not_yet_valid"),
    "a copy that ran out": (
        {"annotation": Annotation("别处", datetime(2026, 1, 1, tzinfo=UTC), "办事", "硚口", YESTERDAY.replace(microsecond=0))},
        "copy-expired",
    ),
}  # fmt: skip


async def test_a_certificate_out_of_its_dates_is_not_used(places: world.World, session: aiohttp.ClientSession) -> None:
    shelf = [card(f"000000001{n}", **changed) for n, (changed, _) in enumerate(NOT_VALID.values())]
    async with asking(places, session, "shanghai", *shelf) as (_, window, _there):
        for mine, (_, reason) in zip(shelf, NOT_VALID.values(), strict=True):
            found = (await window.fetch(CASE, await window.code(CASE, mine))).refused("TB-7026", 422)
            assert found["detail"] == reason


async def test_a_revoked_certificate_is_not_authorised_and_one_revoked_meanwhile_not_used(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine, later = card(), card("0000000003")
    async with asking(places, session, "guangdong", mine, later) as (_, window, there):
        for status, word in (("07", "revoked"), ("02", "suspended"), ("99", "other")):
            await there.sim.post("/sim/certificate", identifier=later.identifier, status="01")
            code = await window.code(CASE, later)
            for one in (mine, later):
                await there.sim.post("/sim/certificate", identifier=one.identifier, status=status)
            assert (await window.authorize(CASE, mine)).refused("TB-7026", 422)["detail"] == word
            assert (await window.fetch(CASE, code)).refused("TB-7026", 422)["detail"] == word


async def test_a_platform_that_is_away_leaves_the_code_good(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine = card()
    async with asking(places, session, "guangdong", mine) as (a, window, there):
        code = await window.code(CASE, mine)
        for mode in ("500", "garbage", "drop", "slow"):  # a GET that was cut is sent again by the client itself
            await there.sim.post("/sim/knobs", mode=mode, times=2 if mode == "drop" else 1, slow_ms=1500)
            (await window.fetch(CASE, code)).refused("TB-7028", 503)
        await there.sim.post("/sim/knobs", mode="dark")
        assert (await window.query(CASE)).json["unavailable"] == ["guangdong"]
        (await window.authorize(CASE, mine)).refused("TB-7028", 503)
        (await window.fetch(CASE, code)).refused("TB-7028", 503)
        await there.sim.post("/sim/knobs", mode="ok")
        assert (await window.fetch(CASE, code)).status == 200, "what the platform counts as used is authorised anew"
        assert a.one("SELECT state FROM use_code") == "held"


async def test_a_crash_between_asking_and_the_answer_loses_no_record_and_no_code(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine = card()
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(support.platform(places.a, "guangdong", session, mine))
        a = await start(places.a)
        window = Asking(Window(a, session, json.loads(places.a.platform_config.read_bytes())))
        code = await window.code(CASE, mine)
        await there.sim.post("/sim/knobs", mode="slow", slow_ms=3000, times=1)
        hanging = asyncio.create_task(window.fetch(CASE, code))
        while a.one("SELECT state FROM use_code") != "fetching":
            await asyncio.sleep(0.01)
        await a.stop()
        await asyncio.gather(hanging, return_exceptions=True)
        (b,) = await stack.enter_async_context(running(places.a))
        window.window.gateway = b
        assert (await window.fetch(CASE, code)).status == 200
        assert [one["asked"]["act"] for one in record(b)] == ["authorise", "fetch", "fetch"]


async def test_a_file_is_judged_by_the_seals_that_are_recognised(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine = card()
    async with asking(places, session, "shandong", mine) as (_, window, there):
        file = (there.folder / "0.ofd").read_bytes()
        await window.window.upload(file)
        asked = {"why": why(CASE), "sm3": sm3(file).hex(), "holder": {"code": PERSON, "code_type": "111"}}
        good = (await window.post("verify", asked)).json
        assert good["ok"] is True and good["identifier"] == mine.identifier and good["source_says"] is True
        foreign = support.Workshop().make(mine)
        await window.window.upload(foreign)
        bad = (await window.post("verify", asked | {"sm3": sm3(foreign).hex()})).json
        assert bad["ok"] is False and bad["reason"]
        other = (await window.post("verify", asked | {"holder": {"code": OTHER, "code_type": "111"}})).json
        assert other["ok"] is False and other["reason"] == "another-holder"
        (await window.post("verify", asked | {"sm3": "0" * 64})).refused("TB-6004", 404)


ILL_FORMED = {
    "no JSON": (b"{", "TB-1003"),
    "a key twice": (b'{"why": 1, "why": 2}', "TB-1003"),
    "no cause": ({"holder": {"code": PERSON, "code_type": "111"}, "type_code": CARD}, "TB-1005"),
    "no ground": (
        {"why": why(CASE, basis="habit"), "holder": {"code": PERSON, "code_type": "111"}, "type_code": CARD}, "TB-1005",
    ),
    "no such number": (
        {"why": why(CASE), "holder": {"code": PERSON[:-1] + "0", "code_type": "111"}, "type_code": CARD}, "TB-1102",
    ),
    "something more": (
        {"why": why(CASE), "holder": {"code": PERSON, "code_type": "111"}, "type_code": CARD, "all": True}, "TB-1005",
    ),
}  # fmt: skip


async def test_questions_that_are_not_in_order_ask_nobody(window: Window) -> None:
    asking_ = Asking(window)
    for name, (body, code) in ILL_FORMED.items():
        reply = await asking_.post("query", body)
        reply.refused(code, 400)
        assert PERSON[:-1] not in reply.body.decode(), name
    for act in ("query", "authorize", "fetch", "verify"):
        path = f"/platform/v1/certificates/{act}"
        headers = {"content-type": "application/json"}
        (await window.call("POST", path, b"{}", headers, drop="x-qk-sign")).refused("TB-2001", 401)
    assert window.gateway.one("SELECT count(*) FROM certificate_use") == 0


async def test_a_code_nobody_spent_goes_and_its_file_with_it(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine = card()
    async with asking(places, session, "shandong", mine) as (a, window, _):
        await window.fetch(CASE, await window.code(CASE, mine))
        house = a.node.housekeeping
        await a.node.journal.submit(lambda tx: tx.run("UPDATE part SET created_ms = 0"))
        await house.tidy()
        assert a.one("SELECT count(*) FROM use_code") == a.one("SELECT count(*) FROM part") == 1, (
            "alive: its file is kept"
        )
        await a.node.journal.submit(lambda tx: tx.run("UPDATE use_code SET expires_ms = 1"))
        await house.tidy()
        assert a.one("SELECT count(*) FROM use_code") == a.one("SELECT count(*) FROM part") == 0
        assert len(record(a)) == 2, "the record stays"


async def test_a_node_without_a_platform_still_has_its_own_register(window: Window) -> None:
    reply = await Asking(window).query(CASE, type_code=LICENCE)
    assert reply.json["certificates"] == [] and reply.json["unavailable"] == []
