"""待人工确认: what is known side by side, and a person's word as one act that is recorded; a real answer always wins."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from gateway.demo import world
from gateway.flow import casefile
from gateway.flow.confirm import Operator, Word, confirm, statement_bytes
from gateway.ids import Ids
from gateway.ledger.checkpoint import entry_digest
from gateway.problems import Refused
from schemas import canonical as c
from signing.sm3 import sm3
from tests.flow import resting
from tests.flow.certificates import serve
from tests.flow.nodes import Hall, Running, Window, running, start, until
from tests.flow.test_partner_faults import cannot_ask, port_of
from tests.flow.test_results import act
from tests.scan import scan

NAMES = ("张三丰", "办理员丙")
NEW_ID = Ids()
SAID = '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>{}</soap:Body></soap:Envelope>'


class Answering(Hall):
    """A hall that also says yes, once it is told to."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.mode != "yes":
            return await super().handle(request)
        self.received.append(await request.read())
        name = re.findall(rb"<soap:Body><(\w+)", self.received[-1])[0].decode()
        said = f'<{name}Response xmlns="urn:tongban:sample:honggutan:v1"><JG>0</JG></{name}Response>'
        return web.Response(text=SAID.format(said), content_type="text/xml")


@pytest.fixture
async def hall(places: world.World) -> AsyncIterator[Hall]:
    settings = json.loads(places.b.platform_config.read_bytes())
    stub = Answering(port_of(settings["listen"]))
    await stub.start()
    yield stub
    await stub.stop()


@dataclass
class Unclear:
    """Both gateways, and an application whose fate at B's platform nobody knows."""

    a: Running
    b: Running
    hall: Hall
    message: str
    case: str

    def state(self) -> Any:
        return self.b.one("SELECT state FROM delivery WHERE message = ?", self.message)

    def word(self, there: bool, **more: str) -> Word:
        return Word(id=NEW_ID(), there=there, by="办理员丙", reason="电话核实", **more)

    async def say(self, word: Word, nonce: str = "") -> Any:
        operator = Operator("li", nonce or NEW_ID(), 1 << 50)
        work = confirm(self.b.node.ring.vault(), self.message, word, operator)
        return (await self.b.node.journal.submit(work)).only()

    async def accept(self) -> None:
        body = c.Acceptance("accepted", "S-1", "红谷滩区", "办理员", datetime.now(UTC).replace(microsecond=0))
        await act(self.b, "acceptance", self.case, NEW_ID(), body, local_number="HGT-77")

    def digest(self) -> str:
        """SM3 of what was frozen, opened here by its description."""
        vault = self.b.node.ring.vault()
        frozen, wrapped = self.b.rows(
            "SELECT m.frozen, c.wrapped_key FROM message m JOIN case_file c ON c.id = m.case_id WHERE m.id = ?",
            self.message,
        )[0]
        clear = vault.open(vault.unwrap(wrapped), frozen, b"frozen:" + self.message.encode())
        return sm3(msgspec.msgpack.decode(clear)["body"]).hex()

    def kept(self) -> tuple[int, int]:
        return (
            self.b.one("SELECT count(*) FROM confirmation"),
            self.b.one("SELECT count(*) FROM leaf WHERE kind = 'confirmation'"),
        )


@asynccontextmanager
async def unclear(places: world.World, session: aiohttp.ClientSession, hall: Hall) -> AsyncIterator[Unclear]:
    cannot_ask(places.b)
    hall.mode = "drop"
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        taken = (await window.hand_in(window.papers())).json
        found = Unclear(a, b, hall, taken["lsh"], taken["tbbh"])
        await until(lambda: found.state() == "awaiting_person")
        hall.mode = "yes"
        yield found


async def told(side: world.Side, *words: str, code: int = 0) -> dict[str, Any]:
    """The JSON of a command; nothing personal is in what it prints."""
    found: dict[str, Any] = await asyncio.to_thread(resting.told, side.folder, *words, exit_code=code)
    if "--reveal" not in words:
        assert scan(json.dumps(found, ensure_ascii=False).encode(), named=NAMES) == set()
    return found


async def really(side: world.Side, *words: str, code: int = 0) -> dict[str, Any]:
    """The same in a process of its own."""
    done = await asyncio.to_thread(resting.really, *words, "--config", side.config, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    assert scan((done.stdout + done.stderr).encode(), named=NAMES) == set()
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@pytest.mark.processes
async def test_a_clerk_sees_both_sides_says_not_there_and_the_same_bytes_go_again(
    places: world.World, session: aiohttp.ClientSession, hall: Hall
) -> None:
    async with unclear(places, session, hall) as one:
        seen = await told(places.b, "deadletter", "show", one.message, code=1)
        assert seen["sent"]["sm3"] == one.digest() and seen["sent"]["tries"] == 1
        assert seen["sent"]["tried"] and seen["heard"] == {"said": "connection-cut", "number": "", "acts": []}
        assert seen["case"]["state"] == "received_there" and seen["words"] == []
        word = ("--not-there", "--by", "办理员丙", "--reason", "电话核实，张三丰一案未见", "--operator", "li")
        done = await really(places.b, "deadletter", "resolve", one.message, *word)
        await until(lambda: one.state() == "delivered")
        assert hall.received[1] == hall.received[0] and len(hall.received) == 2, "frozen bytes, once"
        again = await told(places.b, "deadletter", "resolve", one.message, *word, code=1)
        assert again["code"] == "TB-5008" and "li" in again["detail"]
        after = await told(places.b, "deadletter", "show", one.message)
        assert [(w["word"], w["operator"], w["leaf"]) for w in after["words"]] == [("not_there", "li", done["leaf"])]
        shown = await told(places.b, "case", "show", one.case)
        assert [w["message"] for w in shown["confirmations"]] == [one.message]
        opened = await told(places.b, "deadletter", "show", one.message, "--reveal", "--reason", "投诉核查")
        assert opened["statements"][0]["by"] == "办理员丙" and opened["statements"][0]["operator"] == "li"
        assert (await told(places.b, "ledger", "verify"))["ok"] is True


@pytest.mark.processes
async def test_the_word_is_proved_in_the_evidence_of_the_case_and_says_no_name_there(
    places: world.World, session: aiohttp.ClientSession, hall: Hall, tmp_path: Path
) -> None:
    async with unclear(places, session, hall) as one:
        done = await one.say(one.word(True, number="HGT-5"))
        id_, sealed = one.b.rows("SELECT id, sealed FROM confirmation")[0]
        case = casefile.load(one.b.node.journal.read(), one.case)
        assert case is not None and case.local_number == "HGT-5"
        data = statement_bytes(one.b.node.ring.vault(), case, id_, sealed)
        entry = one.b.one("SELECT entry FROM leaf WHERE idx = ?", done.leaf)
        assert entry == entry_digest("confirmation", id_, sm3(data))
        assert json.loads(data)["digest"] == one.digest()
        package = tmp_path / "e.jsonl"
        await told(places.b, "evidence", "export", one.case, "-o", str(package))
        assert sm3(data).hex() in package.read_text() and "办理员丙" not in package.read_text()
        checked = await asyncio.to_thread(resting.really, "evidence", "verify", package, "--json")
        assert checked.returncode == 0, checked.stdout
        changed = package.read_text().replace(sm3(data).hex(), sm3(b"x").hex())
        (tmp_path / "changed").write_text(changed)
        assert (await asyncio.to_thread(resting.really, "evidence", "verify", tmp_path / "changed")).returncode == 1
        await asyncio.sleep(0.3)
        assert len(hall.received) == 1 and one.state() == "delivered", "what is there is not sent again"


async def test_an_order_said_twice_is_done_once_and_a_nonce_is_spent(
    places: world.World, session: aiohttp.ClientSession, hall: Hall
) -> None:
    async with unclear(places, session, hall) as one:
        word = one.word(True)
        first, second = await one.say(word, "N" * 32), await one.say(word)
        assert (first.leaf, first.at_ms) == (second.leaf, second.at_ms) and one.kept() == (1, 1)
        for changed, code in (
            (Word(id=word.id, there=False, by=word.by, reason=word.reason), "TB-5003"),
            (one.word(False), "TB-5008"),
        ):
            with pytest.raises(Refused) as refused:
                await one.say(changed)
            assert refused.value.code == code
        with pytest.raises(Refused) as refused:
            await one.say(word, "N" * 32)
        assert refused.value.code == "TB-2005" and one.kept() == (1, 1)


async def test_a_word_that_cannot_be_kept_whole_changes_nothing(
    places: world.World, session: aiohttp.ClientSession, hall: Hall
) -> None:
    async with unclear(places, session, hall) as one:
        platform = one.b.one("SELECT platform FROM case_file")
        await one.b.node.journal.submit(
            lambda tx: tx.run("INSERT INTO alias (number, platform, case_id) VALUES ('HGT-1', ?, 'x')", platform)
        )
        with pytest.raises(Refused) as refused:
            await one.say(one.word(True, number="HGT-1"))
        assert refused.value.code == "TB-5003"
        assert one.state() == "awaiting_person" and one.kept() == (0, 0)


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("word_first", [True, False])
async def test_the_platforms_own_act_wins_over_a_word_in_either_order(
    places: world.World, session: aiohttp.ClientSession, hall: Hall, there: bool, word_first: bool
) -> None:
    """Both at once: one of them is first in the journal; the message is never sent again once the platform has acted."""
    async with unclear(places, session, hall) as one:
        [loop] = [task for task in one.b._tasks if task.get_name() == "platform:hall"]
        loop.cancel()  # so that nothing is sent between the two
        acts = [one.say(one.word(there)), one.accept()]
        said, acted = (await asyncio.gather(*(acts if word_first else acts[::-1]), return_exceptions=True))[
            :: 1 if word_first else -1
        ]
        assert acted is None and one.state() == "delivered"
        if isinstance(said, Refused):
            assert said.code == "TB-5008" and "平台已就此办件作出行为" in said.detail and one.kept() == (0, 0)
        else:
            assert one.kept() == (1, 1)
        assert len(hall.received) == 1


async def test_an_act_that_came_while_we_waited_for_the_answer_needs_no_person(
    places: world.World, session: aiohttp.ClientSession, hall: Hall
) -> None:
    cannot_ask(places.b)
    hall.mode = "slow"
    places.b.config.write_text(places.b.config.read_text().replace("timeout_ms = 500", "timeout_ms = 1500"))
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        taken = (await window.hand_in(window.papers())).json
        one = Unclear(a, b, hall, taken["lsh"], taken["tbbh"])
        await until(lambda: len(hall.received) == 1)
        await one.accept()
        await until(lambda: one.state() == "delivered")
        assert b.one("SELECT cause FROM delivery WHERE message = ?", one.message) == "answered-by-act"


@pytest.mark.processes
async def test_a_kill_between_the_word_and_the_sending_leaves_the_word_and_one_sending(
    places: world.World, session: aiohttp.ClientSession, hall: Hall
) -> None:
    async with unclear(places, session, hall) as one:
        await one.b.stop()
        still = await start(places.b, deliver=False)
        one.b = still
        await one.say(one.word(False))
        assert one.state() == "frozen" and len(hall.received) == 1
        await still.stop()
        process = await serve(places.b)
        try:
            await until(lambda: len(hall.received) == 2)
            await process.kill()
        finally:
            if process.process.returncode is None:
                await process.kill()
        one.b = await start(places.b)
        try:
            await until(lambda: one.state() == "delivered" or one.state() == "awaiting_person")
            assert hall.received[1] == hall.received[0] and len(hall.received) == 2, "never by itself a third time"
            assert one.kept() == (1, 1)
        finally:
            await one.b.stop()


async def test_the_admin_listener_takes_no_word_without_the_keyrings_mac(
    places: world.World, session: aiohttp.ClientSession, hall: Hall
) -> None:
    async with unclear(places, session, hall) as one:
        url = one.b.url("admin", f"/admin/v1/deliveries/{one.message}/confirmation")
        async with session.post(url, json={"id": NEW_ID(), "there": True, "by": "x", "reason": "y"}) as answer:
            assert answer.status == 401 and (await answer.json())["code"] == "TB-2001"
        assert one.state() == "awaiting_person"
