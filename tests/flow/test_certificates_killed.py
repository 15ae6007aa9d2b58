"""SIGKILL while a node issues and stamps here: what was acknowledged is there once, the rest is as if never said."""

from __future__ import annotations

import asyncio
import json
import random

import aiohttp
import pytest

from gateway.demo import world
from gateway.store.beside import snapshot
from gateway.store.journal import Reader
from gateway.store.schema import DATABASE
from tests.flow.certificates import file, issue, issuing, order, serve
from tests.flow.nodes import Window

MANY = 40


@pytest.mark.processes
async def test_every_number_has_one_certificate_after_a_kill(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    issuing(places.a)
    settings = json.loads(places.a.platform_config.read_bytes())
    known: dict[int, str] = {}

    async def say(window: Window, number: int) -> None:
        try:
            made = await issue(window, order(f"n{number}"))
        except (aiohttp.ClientError, OSError):
            return
        assert known.setdefault(number, made["identifier"]) == made["identifier"]

    for _ in range(2):
        node = await serve(places.a)
        window = Window(node, session, settings)  # type: ignore[arg-type]
        orders = [asyncio.create_task(say(window, number)) for number in range(MANY)]
        await asyncio.sleep(random.uniform(0.05, 0.35))
        await node.kill()
        await asyncio.gather(*orders)
    node = await serve(places.a)
    try:
        window = Window(node, session, settings)  # type: ignore[arg-type]
        await asyncio.gather(*[say(window, number) for number in range(MANY)])
        assert len(set(known.values())) == len(known) == MANY
        sizes = [len((await file(window, name)).body) for name in list(known.values())[:8]]
        assert min(sizes) > 1000
        store = Reader(snapshot(places.a.folder / "data" / DATABASE))
        assert store.one("SELECT count(*), count(DISTINCT identifier), min(state), max(state) FROM certificate") == (
            MANY, MANY, "valid", "valid",
        )  # fmt: skip
        assert store.one("SELECT count(*) FROM leaf WHERE kind = 'certificate'") == (MANY,)
    finally:
        await node.kill()
