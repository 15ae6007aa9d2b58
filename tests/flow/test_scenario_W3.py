"""W3: an app opens online items through an open application platform: signed REST, 全程网办, decided elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from agreements import samples
from gateway.demo import world
from tests.flow import places
from tests.flow.nodes import PROVIDER, Window, running, until
from tests.flow.places import Pact, case_of, platform, proved, settled, state

APP, THERE = ("420000", "湖北省"), ("360113", "南昌市红谷滩区")
ITEM = "QX-TB-011"


async def test_W3_an_item_of_the_list_is_applied_for_online_and_decided_elsewhere(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    [port], key = world.free_ports(1), PROVIDER.generate()
    entry = platform(
        "app",
        "qiaokou",
        f"http://127.0.0.1:{port}",
        more=f'app_id = "app"\npublic_keys = ["{key.public.point.hex()}"]\n',
    )
    sides = places.build(
        tmp_path, {"app": APP, "there": THERE}, [Pact("app", "there", mode="full_online")],
        {"app": entry, "there": places.files(tmp_path / "hall")},
    )  # fmt: skip
    hall = places.file_system(tmp_path / "hall", THERE[0])
    settings: dict[str, Any] = {
        "private_key": f"{key.d:064x}", "app_id": "app", "division": APP[0], "handling": THERE[0], "purpose": samples.PURPOSE,
        "items": [{"code": ITEM, "name": "失业登记", "version": 1, "materials": []}],
    }  # fmt: skip
    async with (
        places.app_platform(f"127.0.0.1:{port}") as heard,
        running(*sides.values()) as (a, b),
        places.working(hall),
    ):
        window = Window(a, session, settings)
        online = window.papers(blfs="1")
        del online["hy"]  # nobody at a window has seen anybody
        taken = (await window.hand_in(online)).json
        case, number = taken["tbbh"], online["bjbh"]
        assert case == case_of(a, number) and taken["hz"]
        await until(lambda: state(a, case) == state(b, case) == "result_issued", 60)
        await until(lambda: heard.get(number, [])[-1:] == ["CJ"] and settled(a, b), 60)
        assert heard[number] == ["SH", "SLTZ", "HJ", "JD", "CJ"]
        assert hall.known()["states"][case] == "result_issued"
        assert proved(a, case) == proved(b, case) == (True, "result_issued")
        await _refusals(window)
        assert len(hall.known()["states"]) == 1 == b.one("SELECT count(*) FROM case_file")


async def _refusals(window: Window) -> None:
    """Not in this mode, not this item, not without a signature: each told why, with its clause where one decides."""
    collected = await window.hand_in(window.papers(blfs="2"))
    assert collected.refused("TB-4107", 403)["clause"].endswith("第三条")
    stranger = await window.hand_in({**window.papers(blfs="1"), "sxbm": "QX-TB-999"})
    assert stranger.refused("TB-4103", 403)["clause"].endswith("第二条")
    (await window.hand_in(window.papers(blfs="1"), drop="x-qk-sign")).refused("TB-2001", 401)
