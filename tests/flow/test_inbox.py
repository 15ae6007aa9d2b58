"""A handling place whose platform exchanges by queues: a case goes out into one, its acts come in by the other, by themselves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import aiohttp
import pytest

from gateway.demo import world
from tests.contract.platform_support import sim
from tests.flow.nodes import Window, running, until

pytestmark = pytest.mark.processes


def by_queue(side: world.Side, url: str) -> str:
    """Give a node the profile ``guangzhou`` in place of its own; the token that its queue knows it by."""
    text = side.config.read_text("utf-8")
    text = text.replace('profile = "honggutan"', 'profile = "guangzhou"')
    text = re.sub(r'base_url = "http://[^"]*/soap"', f'base_url = "{url}"', text)
    side.config.write_text(text, "utf-8")
    return re.findall(r'^our_licence = "(.+)"', text, re.MULTILINE)[0]


async def test_a_case_is_handled_by_an_office_that_never_calls_us(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    token = by_queue(places.b, "http://127.0.0.1:9")
    config = {
        "listen": "127.0.0.1:0", "control": "127.0.0.1:0", "database": str(tmp_path / "office.db"), "token": token,
        "scenarios": {},
    }  # fmt: skip
    async with sim("guangzhou.py", config, tmp_path, session) as office:
        places.b.config.write_text(
            places.b.config.read_text("utf-8").replace("http://127.0.0.1:9", office.url), "utf-8"
        )
        async with running(places.a, places.b) as (a, b):
            window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
            assert (await window.hand_in(window.papers())).json["tbbh"]
            await until(lambda: a.one("SELECT state FROM case_file") == "result_issued", 20)
            kinds = [
                row[0] for row in b.rows("SELECT type FROM message WHERE direction = 'out' ORDER BY created_ms, rowid")
            ]
            assert kinds == ["acceptance", "step", "decision", "result"]
            poison = await office.post("/sim/send", id="P1", body="<ApproveOB><x/></ApproveOB>")
            assert poison["new"]
            state = await office.until(lambda state: bool(state["queues"]["tongban.refused"]))
            assert "TB-" not in state["queues"]["tongban.refused"][0]["text"], (
                "nothing of ours is told of what we cannot read"
            )
        assert state["open"] == 0 or (await office.get("/sim/state"))["open"] == 0
