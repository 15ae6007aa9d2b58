"""Cards on their way and keys that change in running gateways: pushed, acknowledged, judged, re-proved, refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from gateway.demo import world
from gateway.drill.custodian import Custodian, open_custodian
from gateway.exchange.card import STEP
from gateway.ledger.checkpoint import parse_text
from tests.flow.nodes import Running, Window, running, until

USES = ("checkpoint", "direct", "encryption")


async def prepared(custodian: Custodian, use: str) -> str:
    return await asyncio.to_thread(custodian.prepare, use)


async def rotated(custodian: Custodian, use: str) -> tuple[str, str]:
    """Announce, wait until every partner has the card, switch; the new key and the one it replaced."""
    key = await prepared(custodian, use)
    await until(lambda: not custodian.behind(key))
    return key, await asyncio.to_thread(custodian.activate, key)


@asynccontextmanager
async def pair(places: world.World, **more: Any) -> AsyncIterator[tuple[Running, Running]]:
    async with running(places.a, places.b, **more) as (a, b):
        await until(lambda: a.rows("SELECT 1 FROM card_told") and b.rows("SELECT 1 FROM card_told"))
        yield a, b


def window(a: Running, session: aiohttp.ClientSession) -> Window:
    return Window(a, session, json.loads(a.side.platform_config.read_bytes()))


def partner(of: Running) -> Any:
    """The one partner that a node holds."""
    return next(iter(of.node.cards.partners.values()))


def newest(of: Running) -> tuple[str, int, str]:
    """Key, size and root of a node's newest checkpoint."""
    held = of.node.journal.head.checkpoint
    assert held is not None
    stated = parse_text(held.text.encode())
    assert stated is not None
    return held.key, stated.size, stated.root.hex()


async def delivered(a: Running, number: int) -> None:
    await until(
        lambda: a.one("SELECT count(*) FROM delivery WHERE destination LIKE 'peer:%' AND state = 'delivered'") == number
    )


# --- cards ------------------------------------------------------------------------------------------------------------


async def test_each_side_gets_the_others_card_and_proves_it_by_its_ledger(places: world.World) -> None:
    async with pair(places) as (a, b):
        assert a.rows("SELECT version FROM card_told WHERE proof IS NOT NULL") == [(1,)]
        party = a.node.config.node.party
        assert b.rows("SELECT version FROM card WHERE party = ?", party) == [(1,)]
        assert b.one("SELECT count(*) FROM leaf WHERE kind = 'card'") == 2


async def test_a_new_card_is_pushed_kept_and_outlives_a_restart(places: world.World) -> None:
    custodian = open_custodian(places.a.folder)
    async with pair(places) as (_, b):
        key = await prepared(custodian, "direct")
        await until(lambda: not custodian.behind(key))
        assert key in partner(b).direct_keys and partner(b).card.version == 2
    async with running(places.b, deliver=False) as (b,):
        assert partner(b).card.version == 2 and key in partner(b).direct_keys


async def test_a_partner_that_was_away_fetches_every_step_and_then_takes_the_batch(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """B is down while A changes all its keys and signs more cards than one step allows."""
    custodian = open_custodian(places.a.folder)
    async with running(places.a) as (a,):
        for use in ("checkpoint", "direct"):
            key = await prepared(custodian, use)
            await until(lambda: a.node.cards.card.version == custodian.version)
            await asyncio.to_thread(custodian.activate, key, True)
        for _ in range(STEP + 2):
            await asyncio.to_thread(custodian.sign_card)
            await until(lambda: a.node.cards.card.version == custodian.version)
        await window(a, session).hand_in(window(a, session).papers())
        async with running(places.b, deliver=False) as (b,):
            await delivered(a, 1)
            assert partner(b).card.version == a.node.cards.card.version > STEP
            assert newest(a)[0] == b.one("SELECT held_key FROM peer")
