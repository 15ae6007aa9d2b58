"""Evidence and ledgers whose keys have changed since, or were lost: what was said before still proves itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from click.testing import CliRunner

from gateway import config
from gateway.cli import root as command
from gateway.demo import world
from gateway.drill.custodian import open_custodian
from gateway.flow.export import export_case
from gateway.ids import now_ms
from gateway.ledger.evidence import verify
from gateway.ledger.records import CardRecord, ProofRecord, read_line
from gateway.ledger.trust import compose
from tests.flow import nodes
from tests.flow.nodes import running, until
from tests.flow.test_cards import newest, pair, rotated, window
from tests.flow.test_results import granted


def ledger(place: world.Side) -> tuple[int, dict[str, Any]]:
    words = ["ledger", "verify", "--config", str(place.config), "--json"]
    result = CliRunner().invoke(command, words, catch_exceptions=False)
    return result.exit_code, json.loads(result.output.splitlines()[-1])


async def test_L08_L12_a_case_proves_itself_after_every_key_was_changed_and_one_was_lost(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    custodians = {place.folder: open_custodian(place.folder) for place in (places.a, places.b)}
    async with pair(places) as (a, b):
        case = await granted(a, b, session)
        old_a, old_b = newest(a)[0], newest(b)[0]
        for custodian in custodians.values():
            for use in ("checkpoint", "direct"):
                _, before = await rotated(custodian, use)
                if use == "direct":
                    await asyncio.to_thread(custodian.retire, before)
        await until(lambda: newest(a)[0] != old_a and newest(b)[0] != old_b)
        await asyncio.to_thread(custodians[places.b.folder].revoke, old_b)
        await until(lambda: a.node.cards.partners[b.node.config.node.party].card.revoked)
        await until(lambda: b.node.cards.card.revoked)
    for place in (places.a, places.b):
        package = export_case(config.load(place.config), place.folder, case)
        records = [read_line(line) for line in package.splitlines()]
        assert len([one for one in records if isinstance(one, CardRecord)]) > 2, (
            "earlier cards that named the keys used"
        )
        seen = [one for one in records if isinstance(one, ProofRecord) and one.kind == "observed"]
        assert bool(seen) is (place is places.a), "A saw the checkpoints of B's lost key when they were made"
        report = verify(package, compose(nodes.PROVIDER, now_ms=now_ms()))
        assert (report.ok, report.grade) == (True, "full"), report.reasons
        assert ledger(place) == (0, ledger(place)[1])
    async with running(places.a, places.b, deliver=False) as (a, b):
        assert a.node.cards.card.version > 1 and b.node.cards.card.revoked, "a restart knows the newest cards"
        at = window(a, session)
        at.count = 7
        taken = await at.hand_in(at.papers())
        assert taken.status == 200, "an agreement signed by a key that was changed since is in force"
