"""S4: handed in once, asked for anywhere: status and result by one number, either place's, for the right person only (A06)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp

from gateway.demo import world
from gateway.web.lookups import GUESSES
from signing.sm3 import sm3
from tests.flow import places
from tests.flow.nodes import PROVIDER, Reply, Running, Window, running, until
from tests.flow.places import Pact, case_of, file_office, platform, settled, state

HERE, THERE = ("420104", "武汉市硚口区"), ("360113", "南昌市红谷滩区")
ITEM = {"item": "QX-TB-004", "item_name": "残疾人证换领"}


def entry(id_: str, key: Any, more: str = "") -> str:
    """An entry that only asks: an app, a terminal."""
    return platform(
        id_,
        "qiaokou",
        "http://127.0.0.1:9",
        more=f'app_id = "{id_}"\npublic_keys = ["{key.public.point.hex()}"]\n{more}',
    )


def asker(node: Running, session: aiohttp.ClientSession, id_: str, key: Any) -> Window:
    return Window(node, session, {"private_key": f"{key.d:064x}", "app_id": id_})


def citizen(system: Any) -> str:
    """The identity number that its applicants have."""
    return str(file_office.application(system.config, "1", {**ITEM, "handling": THERE[0]})["sqrzjhm"])


async def ask(window: Window, number: str, person: str, path: str = "", **more: str) -> Reply:
    body = json.dumps({"number": number, "id_number": person, **more}).encode()
    return await window.call("POST", f"/platform/v1/lookups{path}", body, {"content-type": "application/json"})


async def test_S4_any_entry_tells_the_person_where_it_stands_and_gives_the_result(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    key = PROVIDER.generate()
    guest = f'party = "{world.samples.lab_party("360123")}"\n'
    sides = places.build(
        tmp_path, {"here": HERE, "there": THERE}, [Pact("here", "there")],
        {
            "here": places.files(tmp_path / "here-files") + entry("app", key) + entry("guest", key, guest),
            "there": places.files(tmp_path / "there-files") + entry("app", key),
        },
    )  # fmt: skip
    here = places.file_system(tmp_path / "here-files", HERE[0])
    there = places.file_system(tmp_path / "there-files", THERE[0])
    async with running(*sides.values()) as (a, b), places.working(here, there):
        number = here.hand_in({**ITEM, "handling": THERE[0]})
        case = await until(lambda: case_of(a, number), 60)
        await until(lambda: state(a, case) == state(b, case) == "delivered", 60)
        await until(lambda: settled(a, b), 60)
        person, local = citizen(here), str(b.one("SELECT local_number FROM case_file"))
        entries = [asker(node, session, "app", key) for node in (a, b)]
        for window in entries:
            for by in (case, number, local):
                said = (await ask(window, by, person)).json
                assert (said["case_id"], said["state"], said["text"]) == (case, "delivered", "已送达")
            document, stamp = said["documents"]
            for one in (document, stamp):
                got = await ask(window, number, person, "/file", sm3=one["sm3"])
                assert (got.status, sm3(got.body).hex(), len(got.body)) == (200, one["sm3"], one["size"])
            assert "样章·测试无效" in (await ask(window, local, person, "/file", sm3=document["sm3"])).body.decode()
            (await ask(window, number, person, "/file", sm3="0" * 64)).refused("TB-6004", 404)
        await _nobody_else_learns_anything(entries[0], asker(a, session, "guest", key), number, person)


async def _nobody_else_learns_anything(app: Window, guest: Window, number: str, person: str) -> None:
    """The wrong identity, no such number, another party's entry: one answer, word for word but for the ids in it."""
    answers = [
        await ask(app, number, "11010519491231002X"),
        await ask(app, "420104209901010001", person),
        await ask(guest, number, person),
    ]
    told = [{**one.refused("TB-5001", 404), "trace_id": ""} for one in answers]
    assert told[0] == told[1] == told[2]
    guesses = [(await ask(app, "420104209901010002", person)).status for _ in range(GUESSES + 1)]
    assert guesses == [404] * GUESSES + [429], "who guesses is slowed down"
    replayed = {"nonce": "n" * 32}
    body = json.dumps({"number": number, "id_number": person}).encode()
    extra = {"content-type": "application/json"}
    first, second = [await app.call("POST", "/platform/v1/lookups", body, extra, **replayed) for _ in range(2)]
    assert first.status == 200
    second.refused("TB-2005", 409)
    for bad in (
        b"{",
        b'{"number":"1"}',
        b'{"number":"1","id_number":"2","more":1}',
        b'{"number":"1","number":"1","id_number":"2"}',
    ):
        (await app.call("POST", "/platform/v1/lookups", bad, extra)).refused("TB-1003", 400)
