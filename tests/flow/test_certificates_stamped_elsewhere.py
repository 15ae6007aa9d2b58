"""Certificates that the city's stamping system seals: one stamp each, whatever that system or a kill does in between."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import stampworks

from gateway.demo import world
from gateway.flow import operate
from tests.flow.certificates import act, content, events, file, issue, issuing, order, proved, say, serve, status
from tests.flow.nodes import Running, Window, running, start, until
from tests.flow.test_certificates import copy, read
from tests.flow.test_external_stamper import SECRET, wire
from tests.flow.test_results import Forge


@pytest.fixture
async def works(places: world.World) -> AsyncIterator[Any]:
    """The city's system beside A, which issues certificates through it."""
    forge = Forge(places.a)
    made = stampworks.Works(
        forge.seal(), "36011300000001", forge.signer_der, f"{forge.signer.private.d:064x}", SECRET,
        other_seal=(places.a.folder / "seals" / "seal.esl").read_bytes(),
    )  # fmt: skip
    await made.start()
    wire(places.a, made.port)
    issuing(places.a)
    yield made
    await made.stop()


@pytest.fixture
async def a(places: world.World, works: Any) -> AsyncIterator[Running]:
    async with running(places.a) as (node,):
        yield node


async def becomes(window: Window, identifier: str, wanted: str) -> dict[str, Any]:
    """Wait until a certificate stands so."""
    async with asyncio.timeout(8):
        while (found := await status(window, identifier))["status"] != wanted:
            await asyncio.sleep(0.03)
    return found


RARE = ["500 500", "slow slow", "garbage garbage", "working working", "500-after forgetful conflict"]
FAULTS = ["", "500-after", "lost", "dark", *(pytest.param(one, marks=pytest.mark.long) for one in RARE)]


@pytest.mark.parametrize("faults", FAULTS)
async def test_a_certificate_gets_one_stamp(a: Running, window: Window, works: Any, faults: str) -> None:
    works.misbehave(*faults.split())
    made = await issue(window)
    assert (made["status"], made["file"]) == ("stamping", None) and proved(a, made)["state"] == "stamping"
    if faults:
        (await file(window, made["identifier"])).refused("TB-7006", 409)
    found = await becomes(window, made["identifier"], "valid")
    assert sum(works.made.values()) == 1 and [row[0] for row in events(a, made["identifier"])] == ["issue", "stamp"]
    reply = await file(window, made["identifier"])
    assert read(a, reply.body).identifier == made["identifier"] and found["file"]["size"] == len(reply.body)
    again = await issue(window)
    assert again["act"] == made["act"] and again["status"] == "valid" and sum(works.made.values()) == 1


async def test_a_stamp_that_is_not_the_one_ordered_is_never_used(a: Running, window: Window, works: Any) -> None:
    """C24: over another digest. The certificate waits for a person, who lets it go on under the next number."""
    works.misbehave("wrong-digest")
    made = await issue(window)
    (message,) = await until(lambda: [row[0] for row in a.rows("SELECT message FROM delivery WHERE state = 'parked'")])
    assert (await status(window, made["identifier"]))["status"] == "stamping"
    (await a.node.journal.submit(lambda tx: operate.resend(tx, message))).only()
    a.node.loops["stamper"].wake(urgent=True)
    await becomes(window, made["identifier"], "valid")
    assert len(works.orders) == 2


async def test_what_the_system_refuses_is_given_up_by_the_issuer_and_never_was_one(
    a: Running, window: Window, works: Any
) -> None:
    works.misbehave("refuse")
    name = (await issue(window))["identifier"]
    await until(lambda: a.rows("SELECT message FROM delivery WHERE state = 'parked'"))
    (await act(window, name, "1", "revoke", "fraud")).refused("TB-7004", 409)
    (await act(window, name, "2", "drop", "fraud")).refused("TB-7010", 422)
    gone = (await act(window, name, "3", "drop", "stamp-refused")).json
    assert gone["status"] == "dropped" and a.one("SELECT state FROM delivery") == "given_up"
    (await file(window, name)).refused("TB-7006", 409)


async def test_one_given_up_while_its_stamp_is_on_the_way_stays_so(a: Running, window: Window, works: Any) -> None:
    works.misbehave("slow")
    name = (await issue(window))["identifier"]
    await until(lambda: works.calls)
    assert (await act(window, name, "1", "drop", "wrong-data")).json["status"] == "dropped"
    await asyncio.sleep(0.6)
    assert (await status(window, name))["status"] == "dropped" and len(events(a, name)) == 2


async def test_the_version_before_holds_until_the_new_one_is_stamped(a: Running, window: Window, works: Any) -> None:
    first = (await issue(window))["identifier"]
    await becomes(window, first, "valid")
    works.misbehave("refuse")
    second = (await act(window, first, "r1", "reissue", "change", content=content())).json["identifier"]
    (message,) = await until(lambda: [row[0] for row in a.rows("SELECT message FROM delivery WHERE state = 'parked'")])
    assert (await status(window, first))["status"] == "valid"
    (await act(window, first, "r2", "reissue", "change", content=content())).refused("TB-7005", 409)
    (await a.node.journal.submit(lambda tx: operate.resend(tx, message))).only()
    a.node.loops["stamper"].wake(urgent=True)
    await becomes(window, second, "valid")
    assert (await status(window, first))["status"] == "superseded"


async def test_what_was_to_replace_a_certificate_that_is_revoked_meanwhile_never_comes(
    a: Running, window: Window, works: Any
) -> None:
    first = (await issue(window))["identifier"]
    await becomes(window, first, "valid")
    works.misbehave("working", "working", "working")
    second = (await act(window, first, "r1", "reissue", "change", content=content())).json["identifier"]
    assert (await act(window, first, "x", "revoke", "fraud")).json["status"] == "revoked"
    await becomes(window, second, "dropped")
    assert (await status(window, first))["status"] == "revoked"
    third = await act(window, first, "r2", "reissue", "change", content=content())
    third.refused("TB-7004", 409)


async def test_after_one_was_given_up_the_next_version_has_the_next_number(
    a: Running, window: Window, works: Any
) -> None:
    first = (await issue(window))["identifier"]
    await becomes(window, first, "valid")
    works.misbehave("refuse")
    second = (await act(window, first, "r1", "reissue", "change", content=content())).json["identifier"]
    await until(lambda: a.rows("SELECT message FROM delivery WHERE state = 'parked'"))
    assert (await act(window, second, "d", "drop", "stamp-refused")).json["status"] == "dropped"
    third = (await act(window, first, "r2", "reissue", "change", content=content())).json["identifier"]
    assert [name.split(".")[-2] for name in (first, second, third)] == ["001", "002", "003"]
    await becomes(window, third, "valid")
    assert (await status(window, first))["status"] == "superseded"
    assert (await status(window, second))["status"] == "dropped"


async def test_a_copy_waits_for_its_own_stamp_and_is_none_where_the_certificate_fell(
    a: Running, window: Window, works: Any
) -> None:
    name = (await issue(window))["identifier"]
    await becomes(window, name, "valid")
    first = (await act(window, name, "c1", "annotate", **copy())).json["act"]
    await until(lambda: a.one("SELECT state FROM certificate_copy WHERE id = ?", first) == "valid")
    printed = read(a, (await file(window, name, first)).body)
    assert printed.annotation is not None and printed.annotation.relying_party == "汉川市城管局"
    works.misbehave("working", "working", "working")
    second = (await act(window, name, "c2", "annotate", **copy())).json["act"]
    (await file(window, name, second)).refused("TB-7006", 409)
    await act(window, name, "x", "revoke", "fraud")
    await until(lambda: a.one("SELECT state FROM certificate_copy WHERE id = ?", second) == "dropped")
    (await file(window, name, second)).refused("TB-7006", 409)


@pytest.mark.processes
@pytest.mark.parametrize("fault", ["lost", "working"])
async def test_killed_between_intent_and_stamp_it_makes_exactly_one_certificate(
    places: world.World, session: aiohttp.ClientSession, works: Any, fault: str
) -> None:
    """SIGKILL after the order left; the next start asks, the platform says it again, and there is one."""
    settings = json.loads(places.a.platform_config.read_bytes())
    works.misbehave(fault)
    first = await serve(places.a)
    try:
        made = await issue(Window(first, session, settings))  # type: ignore[arg-type]
        await until(lambda: works.calls)
    finally:
        await first.kill()
    asked = len(works.calls)
    second = await serve(places.a)
    try:
        window = Window(second, session, settings)  # type: ignore[arg-type]
        again = await issue(window)
        assert again["act"] == made["act"] and again["identifier"] == made["identifier"]
        found = await becomes(window, made["identifier"], "valid")
        assert found["file"]["sm3"] and sum(works.made.values()) == 1
        assert works.calls[asked][0] == "GET", "asked before it is ordered again"
        assert len((await file(window, made["identifier"])).body) == found["file"]["size"]
    finally:
        await second.kill()


async def test_killed_before_anything_was_stored_it_is_as_if_nothing_had_been_said(
    places: world.World, session: aiohttp.ClientSession, works: Any
) -> None:
    settings = json.loads(places.a.platform_config.read_bytes())
    node = await start(places.a, deliver=False)
    window = Window(node, session, settings)
    made = await issue(window)
    await node.stop()
    assert not works.calls
    node = await start(places.a)
    try:
        window = Window(node, session, settings)
        assert (await issue(window))["act"] == made["act"]
        await becomes(window, made["identifier"], "valid")
        assert sum(works.made.values()) == 1
        (await say(window, "", order(type="0" * 21))).refused("TB-5003", 409)
    finally:
        await node.stop()


@pytest.mark.processes
async def test_a_parked_one_is_seen_and_let_go_on_by_the_operators_commands(
    a: Running, window: Window, works: Any
) -> None:
    works.misbehave("refuse")
    name = (await issue(window))["identifier"]
    (message,) = await until(lambda: [row[0] for row in a.rows("SELECT message FROM delivery WHERE state = 'parked'")])
    shown = []
    for arguments in (["deadletter", "list"], ["msg", "list"], ["msg", "show", message], ["msg", "resend", message]):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.cli", *arguments, "--config", str(a.side.config), stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        out, _ = await process.communicate()
        assert "Traceback" not in out.decode(), out.decode()
        shown.append((arguments[-1], process.returncode, message in out.decode()))
    assert [found for _, _, found in shown] == [True, True, True, True], shown
    assert [code for _, code, _ in shown] == [1, 0, 0, 0], shown
    await becomes(window, name, "valid")
