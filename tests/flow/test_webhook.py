"""A platform that is only told, behind a real gateway: events go out by the delivery machine, one that is gone is parked with its
reason and sent again by a person's word."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest

from gateway.demo import world
from gateway.flow import operate
from tests.contract.platform_support import sim
from tests.flow.nodes import PROVIDER, Window, running, until

pytestmark = [pytest.mark.long, pytest.mark.processes]


def behind(side: world.Side, url: str) -> None:
    """The same node with a receiver of events as its platform."""
    text = side.config.read_text("utf-8")
    address = next(line for line in text.splitlines() if line.startswith("base_url") and "/soap" in line)
    text = text.replace(address, f'base_url = "{url}"\naddresses = ["127.0.0.1"]')
    side.config.write_text(text.replace('profile = "honggutan"', 'profile = "changsha"'), "utf-8")


async def test_A17_an_endpoint_that_is_gone_parks_its_events_until_a_person_sends_them_again(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    key = world._ring(places.b, PROVIDER).signer("platform").public.point.hex()
    config = {"database": str(tmp_path / "cs.db"), "gateway_public_key": key}
    async with sim("changsha.py", config, tmp_path, session) as receiver:
        behind(places.b, f"{receiver.url}/tongban/events")
        await receiver.post("/sim/answer", status=410)
        async with running(places.a, places.b) as (a, b):
            window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
            case = (await window.hand_in(window.papers())).json["tbbh"]
            query = "SELECT cause, message FROM delivery WHERE destination = 'platform:hall' AND state = 'parked'"
            [(cause, message)] = await until(lambda: b.rows(query), 60)
            assert "http-410" in cause and "撤销" in cause
            assert (await receiver.get("/sim/state"))["events"] == []
            await receiver.post("/sim/answer", status=204)
            (await b.node.journal.submit(lambda tx: operate.resend(tx, message))).only()
            b.node.loops["platform:hall"].wake(urgent=True)
            state = await receiver.until(lambda found: bool(found["events"]), 60)
            [event] = [one for one in state["events"] if one["event"] == "case.application"]
            assert event["id"] == message and event["body"]["case_id"] == case and state["refused"] == []
