"""A handling place whose platform is the public-security service: a request goes out as a package, feedback comes in by some."""

from __future__ import annotations

import json
import re
from pathlib import Path

import aiohttp
import pytest

from gateway.demo import world
from signing.sm3 import sm3
from tests.contract.platform_support import sim
from tests.flow.nodes import Window, running, until
from tests.unit.adapters.support import PROFILES

pytestmark = pytest.mark.processes


def by_packages(side: world.Side, item: str, url: str) -> tuple[str, str]:
    """Give a node a profile file of its own, ``gongan`` for this item; (its licence to us, ours to it)."""
    profile = (PROFILES / "gongan.toml").read_text("utf-8").replace("360113-0001", item)
    (side.config.parent / "ours.toml").write_text(profile, "utf-8")
    (side.config.parent / "gongan.xsd").write_bytes((PROFILES / "gongan.xsd").read_bytes())
    text = side.config.read_text("utf-8").replace('profile = "honggutan"', 'profile = "ours.toml"')
    side.config.write_text(re.sub(r'base_url = "http://[^"]*/soap"', f'base_url = "{url}/soap"', text), "utf-8")
    found = [re.findall(rf'^{name} = "(.+)"', text, re.MULTILINE)[0] for name in ("licence", "our_licence")]
    return found[0], found[1]


async def test_a_request_and_its_feedback_are_a_case_from_window_to_result(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    settings = json.loads(places.a.platform_config.read_bytes())
    item = settings["items"][0]["code"]
    to_us, to_them = by_packages(places.b, item, "http://127.0.0.1:9")
    config = {
        "listen": "127.0.0.1:0", "control": "127.0.0.1:0", "database": str(tmp_path / "station.db"), "licence": to_us,
        "gateway": f"http://{places.b.place.platform}/platform/v1/soap/gongan", "gateway_licence": to_them,
    }  # fmt: skip
    async with sim("gongan.py", config, tmp_path, session) as station:
        by_packages(places.b, item, station.url)
        text = places.b.config.read_text("utf-8").replace("http://127.0.0.1:9", station.url)
        places.b.config.write_text(text, "utf-8")
        async with running(places.a, places.b) as (a, b):
            window = Window(a, session, settings)
            data = b"%PDF-1.4 " + bytes(range(256)) * 500
            await window.upload(data)
            paper = {"mc": "迁移申请", "zy": sm3(data).hex(), "dx": len(data), "gs": "application/pdf", "wjm": "a.pdf"}
            assert (await window.hand_in(window.papers(bd={"迁出地址": "测试路1号"}, cl=[paper]))).json["tbbh"]
            await until(lambda: a.one("SELECT state FROM case_file") == "result_issued", 20)
            assert a.one("SELECT local_number FROM case_file").startswith("GA")
            sent = [
                row[0] for row in b.rows("SELECT type FROM message WHERE direction = 'out' ORDER BY created_ms, rowid")
            ]
            assert sent == ["acceptance", "decision", "result"]
        state = await station.get("/sim/state")
    assert state["files"] == {"good": 1, "bad": 0}, "the file went inside the package"
    assert state["refused"] == {} and list(state["states"].values()) == ["jg"]
    assert [row[0] for row in state["received"]] == ["ZAGL_SQQCJSFW"]
