"""A13: nobody walks through holders by a platform's credentials. Beyond its bound it is refused before anybody is asked."""

from __future__ import annotations

import json
from typing import Any

from gateway.demo import world
from tests.flow.nodes import Window, running
from tests.flow.sharing_support import CARD, PERSON, Asking, why


async def test_A13_a_platform_that_asks_too_often_is_told_when_to_come_back(places: world.World, session: Any) -> None:
    config = places.a.config
    config.write_text(config.read_text() + "\n[limits]\nsharing_per_hour = 3\n")
    async with running(places.a) as (a,):
        window = Asking(Window(a, session, json.loads(places.a.platform_config.read_bytes())))
        holder = {"code": PERSON, "code_type": "111"}
        asked = {"why": why("c-1"), "holder": holder, "type_code": CARD}
        for n in range(2):
            assert (await window.query(f"c-{n}")).status == 200
        (await window.post("query", b"{")).refused("TB-1003", 400)
        (await window.post("authorize", asked | {"identifier": "1.2"})).refused("TB-7030", 404)
        for act, more in (("query", {}), ("authorize", {"identifier": "1.2"})):
            told = await window.post(act, asked | more)
            told.refused("TB-7033", 429)
            assert 1100 < int(told.headers["Retry-After"]) <= 1200
        assert a.one("SELECT count(*) FROM certificate_use") == 3, "nobody was asked about the others"
        (await window.fetch("c-1", "x" * 32)).refused("TB-7021", 404)


async def test_A13_a_question_that_somebody_repeats_is_not_counted(places: world.World, session: Any) -> None:
    """A recorded request cannot use up its platform's bound."""
    config = places.a.config
    config.write_text(config.read_text() + "\n[limits]\nsharing_per_hour = 2\n")
    async with running(places.a) as (a,):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        holder = {"code": PERSON, "code_type": "111"}
        body = json.dumps({"why": why("c-1"), "holder": holder, "type_code": CARD}, ensure_ascii=False).encode()
        path, kind = "/platform/v1/certificates/query", {"content-type": "application/json"}
        headers = window.headers("POST", path, body, kind)
        for status in (200, 409, 409, 409):
            async with session.post(a.url("platform", path), data=body, headers=headers) as answer:
                assert answer.status == status, await answer.text()
        assert (await Asking(window).query("c-2")).status == 200
        (await Asking(window).query("c-3")).refused("TB-7033", 429)
