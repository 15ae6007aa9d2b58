"""``external:``: results stamped by a city's system that is slow, dies, forgets or cheats: one stamp each, nothing lost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
import stampworks

from gateway.demo import world
from gateway.flow import operate
from signing.sm3 import sm3
from tests.flow.nodes import PROVIDER, Running, running, start, until
from tests.flow.test_results import DOCUMENT, Forge, act, granted, result, state

SECRET = b"a shared secret of at least 16"
TABLE = """[stamp]
uri = "external:http://127.0.0.1:{port}/api"
secret = {{ file = "keys/stamp.secret" }}

[stamp.external]
seal_id = "36011300000001"
app_id = "tongban"
ordering = "/v1/stamps"
asking = "/v1/stamps/{{id}}"
timeout_ms = 600
{more}
"""


def wire(side: world.Side, port: int, more: str = "") -> None:
    """B's configuration with the city's system instead of its own seal key."""
    text = side.config.read_text()
    begin = text.index("[stamp]")
    end = re.compile(r"^\[(?!stamp)|^\[\[", re.MULTILINE).search(text, begin).start()
    side.config.write_text(text[:begin] + TABLE.format(port=port, more=more) + text[end:])
    secret = side.folder / "keys" / "stamp.secret"
    secret.write_bytes(SECRET)
    secret.chmod(0o600)


@pytest.fixture
async def works(places: world.World) -> AsyncIterator[Any]:
    forge = Forge(places.b)
    made = stampworks.Works(
        forge.seal(), "36011300000001", forge.signer_der, f"{forge.signer.private.d:064x}", SECRET,
        other_seal=(places.b.folder / "seals" / "seal.esl").read_bytes(),
    )  # fmt: skip
    await made.start()
    wire(places.b, made.port)
    yield made
    await made.stop()


def delivery(node: Running, message: str) -> tuple[Any, ...]:
    return node.rows("SELECT destination, state, attempt, cause FROM delivery WHERE message = ?", message)[0]


def stamps_at_b(node: Running) -> int:
    return int(node.one("SELECT count(*) FROM part WHERE owner LIKE 'platform:%'")) - 1


async def issue(b: Running, case: str) -> str:
    body, files = result(None)
    return (await act(b, "result", case, "s3", body, *files))["message_id"]


UNCLEAR = {
    "well": [],
    "500 twice": ["500", "500"],
    "500 after it stamped": ["500-after"],
    "slow": ["slow", "slow"],
    "time-out after it stamped": ["lost"],
    "cut after it stamped": ["dark"],
    "garbage after it stamped": ["garbage", "garbage"],
    "takes its time": ["working", "working", "working"],
    "forgets, then calls the number a duplicate": ["500-after", "forgetful", "conflict"],
    "forgets, then stamps no second time": ["lost", "forgetful", "ok"],
}


@pytest.mark.parametrize("fault", UNCLEAR)
async def test_a_result_gets_one_stamp_and_arrives_whatever_the_system_does(
    places: world.World, session: aiohttp.ClientSession, works: Any, fault: str
) -> None:
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        works.misbehave(*UNCLEAR[fault])
        message = await issue(b, case)
        await until(lambda: state(a, case) == "result_issued")
        assert dict(works.made) == {sm3(DOCUMENT).hex(): 1}, works.calls
        await until(lambda: delivery(b, message)[:2] == (f"peer:{places.a.place.party}", "delivered"))
        assert stamps_at_b(b) == 1
        assert await issue(b, case) == message and sum(works.made.values()) == 1, "a repetition is not stamped twice"


async def test_while_the_system_is_away_the_result_waits_and_later_acts_wait_behind_it(
    places: world.World, session: aiohttp.ClientSession, works: Any
) -> None:
    forge = Forge(places.b)
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        await works.stop()
        message = await issue(b, case)
        stamped, files = result(forge.stamp(forge.seal()))  # issued again, by a department with a seal of its own
        later = (await act(b, "result", case, "s4", stamped, *files))["message_id"]
        await until(lambda: b.one("SELECT attempt FROM destination WHERE id = 'stamper'"))
        assert delivery(b, message)[0] == "stamper" and state(a, case) == "granted"
        assert delivery(b, later)[:2] == (f"peer:{places.a.place.party}", "queued")
        await works.start()
        await until(lambda: state(a, case) == "result_issued")
        await until(lambda: delivery(b, later)[1] == "delivered")
        sequence = dict(b.rows("SELECT id, seq FROM message WHERE case_id = ? AND direction = 'out'", case))
        assert sequence[later] == sequence[message] + 1
        assert sum(works.made.values()) == 1


@pytest.mark.parametrize(
    ("mode", "cause"),
    [
        ("wrong-digest", "document-digest"),
        ("other-seal", "other-seal"),
        ("not-a-stamp", "format"),
        ("refuse", "code-7001"),
    ],
)
async def test_a_stamp_that_is_not_the_one_ordered_is_never_used_and_waits_for_a_person(
    places: world.World, session: aiohttp.ClientSession, works: Any, mode: str, cause: str
) -> None:
    """C24: a stamp over another digest; C23: of another seal."""
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        works.misbehave(mode)
        message = await issue(b, case)
        await until(lambda: delivery(b, message)[1] == "parked")
        assert cause in delivery(b, message)[3] and state(a, case) == "granted" and stamps_at_b(b) == 0
        (await b.node.journal.submit(lambda tx: operate.resend(tx, message))).only()
        b.node.loops["stamper"].wake(urgent=True)
        await until(lambda: state(a, case) == "result_issued")
        assert len(works.orders) == (1 if mode == "refuse" else 2), "a number under which a wrong stamp came is spent"
        assert stamps_at_b(b) == 1


async def test_one_bad_stamp_among_several_costs_the_others_no_second_one(
    places: world.World, session: aiohttp.ClientSession, works: Any
) -> None:
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        (first, files), (second, more) = result(None), result(None, b"an annex")
        body = msgspec.structs.replace(first, documents=[*first.documents, *second.documents])
        works.misbehave("ok", "wrong-digest")
        message = (await act(b, "result", case, "s3", body, *files, *more))["message_id"]
        await until(lambda: delivery(b, message)[1] == "parked")
        (await b.node.journal.submit(lambda tx: operate.resend(tx, message))).only()
        b.node.loops["stamper"].wake(urgent=True)
        await until(lambda: state(a, case) == "result_issued")
        assert dict(works.made) == {sm3(DOCUMENT).hex(): 1, sm3(b"an annex").hex(): 2}


async def test_a_crash_after_the_order_left_is_met_by_asking(
    places: world.World, session: aiohttp.ClientSession, works: Any
) -> None:
    async with running(places.a) as (a,):
        b = await start(places.b)
        case = await granted(a, b, session)
        works.misbehave("lost")
        await issue(b, case)
        await until(lambda: sum(works.made.values()) == 1)
        await b.stop()  # the call is cut off: the stamp is made, its answer is lost
        works.calls.clear()
        b = await start(places.b)
        try:
            await until(lambda: state(a, case) == "result_issued")
        finally:
            await b.stop()
        assert sum(works.made.values()) == 1 and [call for call, _ in works.calls] == ["GET"]


async def test_a_caller_without_the_secret_is_turned_away_and_the_result_waits(
    places: world.World, session: aiohttp.ClientSession, works: Any
) -> None:
    (places.b.folder / "keys" / "stamp.secret").write_bytes(b"another secret")
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        message = await issue(b, case)
        await until(lambda: delivery(b, message)[1] == "parked")
        assert "401" in delivery(b, message)[3] and not works.made


async def test_the_whole_file_goes_in_where_the_system_wants_it(
    places: world.World, session: aiohttp.ClientSession, works: Any
) -> None:
    wire(places.b, works.port, 'send = "file"')
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        await issue(b, case)
        await until(lambda: state(a, case) == "result_issued")
        assert sum(works.made.values()) == 1


async def test_calls_signed_by_sm2(places: world.World, session: aiohttp.ClientSession, works: Any) -> None:
    wire(places.b, works.port, 'auth = "sm2"')
    places.b.config.write_text(
        places.b.config.read_text().replace("[stamp.external]", 'key = "platform"\n[stamp.external]')
    )
    works.caller = world._ring(places.b, PROVIDER).signer("platform").public.point.hex()
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        await issue(b, case)
        await until(lambda: state(a, case) == "result_issued")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (("[stamp.external]", "[stamp.exernal]"), "tongban.toml"),
        (('uri = "external:', 'uri = "extern:'), "stamp.uri"),
        (('secret = { file = "keys/stamp.secret" }', ""), "stamp.secret"),
        (("{id}", "id"), "tongban.toml"),
    ],
)
async def test_settings_that_cannot_work_are_named_at_the_start(
    places: world.World, works: Any, change: tuple[str, str], where: str
) -> None:
    from gateway.config import ConfigError

    places.b.config.write_text(places.b.config.read_text().replace(*change))
    with pytest.raises(ConfigError) as error:
        await start(places.b)
    assert where in error.value.where
    await asyncio.sleep(0)


def test_order_numbers_are_made_of_message_and_document() -> None:
    from gateway.flow.to_stamper import order_id

    numbers = {order_id(message, digest) for message in ("m1", "m2") for digest in ("ab" * 32, "cd" * 32)}
    assert len(numbers) == 4 and order_id("m1", "ab" * 32) in numbers
    assert order_id("m1", "ab" * 32, 1) not in numbers
