"""A certificate as a case's result: the handling place issues it, the result's document is its OFD, and the other side has it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.demo import world
from gateway.flow import reveal
from gateway.flow.casefile import load
from gateway.problems import Refused
from schemas import canonical as c
from tests.flow.certificates import issuing, order, say
from tests.flow.nodes import Running, Window, running, until
from tests.flow.test_certificates import read
from tests.flow.test_results import NOW, act, granted, state

ROOT = str(Path(__file__).parents[2])
pytestmark = pytest.mark.processes


async def requested(b: Running, said: dict[str, Any], platform: str = "") -> tuple[int, dict[str, Any]]:
    """``tongban ecert request``: B's own platform speaks SOAP and has no other way."""
    path = b.side.folder / "order.json"
    path.write_text(json.dumps(said, ensure_ascii=False))
    platform = platform or next(iter(b.node.platforms))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "ecert", "request", str(path), "--platform", platform, "--json",
        "--config", str(b.side.config), stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": ROOT},
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, json.loads(out.decode().strip().splitlines()[-1])


def paper(made: dict[str, Any], identifier: str = "") -> c.Result:
    """The result that names the certificate's file, which nobody has uploaded."""
    file = made["file"]
    document = c.Material("核准证", file["sm3"], file["size"], "application/ofd", "permit.ofd", "result")
    return c.Result("R-1", "建筑垃圾运输核准证", [c.ResultDocument("核准证", document, None, identifier)], NOW)


async def test_the_result_is_the_certificate_and_says_which(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    issuing(places.b)
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        code, made = await requested(b, order(case=case))
        assert (code, made["status"]) == (0, "valid")
        assert (await requested(b, order(case=case)))[1]["identifier"] == made["identifier"]
        with pytest.raises(Refused, match="TB-7003"):
            await act(b, "result", case, "s2x", paper(made, made["identifier"][:-1] + "?"))
        await act(b, "result", case, "s3", paper(made))
        await until(lambda: state(a, case) == "result_issued")
        message = a.one("SELECT id FROM message WHERE case_id = ? AND type = 'result'", case)
        file = load(a.node.journal.read(), case)
        assert file is not None
        body = reveal.body(a.node.journal.read(), a.node.ring.vault(), file, message)
        assert body.documents[0].identifier == made["identifier"]
        data = b"".join(a.node.desk.parts.read(f"peer:{b.side.place.party}", body.documents[0].document.sm3))
        assert read(b, data).identifier == made["identifier"], "the very bytes, their seal whole"


async def test_a_certificate_that_is_not_valid_is_no_result(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    issuing(places.b)
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        _, made = await requested(b, order(case=case))
        for state_, code in (("suspended", "TB-7015"), ("revoked", "TB-7016")):
            await _put(b, state_)
            with pytest.raises(Refused, match=code):
                await act(b, "result", case, f"s-{state_}", paper(made))
        assert state(a, case) == "granted"


async def test_nobody_issues_for_a_platform_or_a_case_that_there_is_not(places: world.World) -> None:
    issuing(places.b)
    async with running(places.b) as (b,):
        assert (await requested(b, order(), "nobody"))[1]["code"] == "TB-7003"
        assert (await requested(b, order(case="no-such-case")))[1]["code"] == "TB-5001"


async def test_there_is_no_result_before_the_decision(places: world.World, session: aiohttp.ClientSession) -> None:
    issuing(places.a)
    async with running(places.a) as (a,):
        window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
        case = (await window.hand_in(window.papers())).json["tbbh"]
        (await say(window, "", order(case=case))).refused("TB-5004", 403)


async def _put(b: Running, state_: str) -> None:
    def work(tx: Any) -> None:
        tx.run("UPDATE certificate_event SET state = ?", state_)
        tx.run("UPDATE certificate SET state = ?", state_)

    (await b.node.journal.submit(work)).only()
