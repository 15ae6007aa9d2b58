"""Cards on their way and keys that change in running gateways: pushed, acknowledged, judged, re-proved, refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from gateway.demo import world
from gateway.drill.custodian import Custodian, open_custodian
from gateway.exchange import card as cards
from gateway.exchange import message as wireform
from gateway.exchange import request as signed
from gateway.exchange import wire
from gateway.exchange.card import STEP, Card
from gateway.ids import now_ms
from gateway.ledger.checkpoint import SignedCheckpoint, parse_text
from gateway.problems import Refused
from signing.errors import Unavailable
from tests.flow.nodes import Reply, Running, Window, running, until
from tests.flow.sending import Sender

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


async def test_each_side_gets_the_others_card_and_logs_it_in_its_ledger(places: world.World) -> None:
    async with pair(places) as (a, b):
        assert a.rows("SELECT version FROM card_told") == [(1,)]
        party = a.node.config.node.party
        assert b.rows("SELECT version FROM card WHERE party = ?", party) == [(1,)]
        assert b.one("SELECT count(*) FROM leaf WHERE kind = 'card'") == 2


async def test_a_new_card_is_pushed_proved_kept_and_outlives_a_restart(places: world.World) -> None:
    custodian = open_custodian(places.a.folder)
    async with pair(places) as (a, b):
        key = await prepared(custodian, "direct")
        await until(lambda: not custodian.behind(key))
        [(version, proof)] = a.rows("SELECT version, proof FROM card_told")
        assert version == 2 and msgspec.json.decode(proof)["checkpoint"]["key"] == newest(b)[0]
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
            await until(lambda: a.node.cards.card.version == custodian.version, 30)
            await asyncio.to_thread(custodian.activate, key, True)
        for _ in range(STEP + 2):
            await asyncio.to_thread(custodian.sign_card)
            await until(lambda: a.node.cards.card.version == custodian.version, 30)
        await window(a, session).hand_in(window(a, session).papers())
        async with running(places.b, deliver=False) as (b,):
            await delivered(a, 1)
            assert partner(b).card.version == a.node.cards.card.version > STEP
            assert newest(a)[0] == b.one("SELECT held_key FROM peer")


async def test_a_node_that_starts_asks_for_the_cards_it_missed(places: world.World) -> None:
    """B was away while A lost a key: it knows of it before A has anything to send, and A hears that it does."""
    custodian = open_custodian(places.a.folder)
    async with running(places.a, deliver=False) as (a,):
        rotation = asyncio.create_task(a.node.rotation.run())
        key = await prepared(custodian, "direct")
        await until(lambda: a.node.cards.card.version == 2)
        lost = await asyncio.to_thread(custodian.activate, key, True)
        await asyncio.to_thread(custodian.revoke, lost)
        await until(lambda: a.node.cards.card.revoked)
        async with running(places.b) as (b,):
            await until(lambda: partner(b).card.revoked)
            assert lost not in partner(b).direct_keys and key in partner(b).direct_keys
        rotation.cancel()


async def test_a_batch_that_names_a_card_which_cannot_be_had_is_refused_for_now(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    async with running(places.a, places.b, deliver=False) as (a, b):
        sender = Sender(a, b, session)
        one, commit = await sender.frozen()
        head = msgspec.structs.replace(sender.head(commit.checkpoint), card=9)
        (await sender.post(head, sender.line(one, commit))).refused("TB-2018", 503)
        assert b.one("SELECT count(*) FROM case_file") == 0
        assert (await sender.one(sender.line(one, commit), commit)).status == "receipt"


async def test_what_changed_while_the_node_was_being_wired_is_not_missed(places: world.World) -> None:
    custodian = open_custodian(places.a.folder)
    async with running(places.a, deliver=False) as (a,):
        custodian.prepare("direct")
        rotation = asyncio.create_task(a.node.rotation.run())
        await until(lambda: a.node.cards.card.version == 2)
        rotation.cancel()


# --- what a partner may bring -----------------------------------------------------------------------------------------


class Bringer:
    """A's custodian with its identity key in the wrong hands: any card, signed rightly, brought to B as A would."""

    def __init__(self, places: world.World, b: Running, session: aiohttp.ClientSession) -> None:
        self.custodian, self.b, self.session = open_custodian(places.a.folder), b, session
        self.ring = self.custodian.ring
        self.held = (places.a.folder / "card.json").read_bytes()

    def card(self, **changes: Any) -> bytes:
        changed = msgspec.structs.replace(cards.content(self.held), **changes)
        return cards.sign(changed, self.ring.signer("identity"), self.ring.certificate("identity"))

    async def carried(self, data: bytes) -> Reply:
        """Brought unsigned, by whoever came upon it."""
        url, party = self.b.url("exchange", "/exchange/v1/card"), self.custodian.settings.node.party
        async with self.session.put(url, data=data, headers={signed.PARTY: party}) as answer:
            return Reply(answer.status, dict(answer.headers), await answer.read())

    async def put(self, data: bytes, signer: Any = None) -> Reply:
        us, path = self.b.node.config.node.party, "/exchange/v1/card"
        signer = signer or self.ring.signer("direct")
        a = self.custodian.settings.node.party
        headers = signed.sign(signer, "PUT", path, data, now_ms(), "ab" * 16, a, us)
        async with self.session.put(self.b.url("exchange", path), data=data, headers=headers) as answer:
            return Reply(answer.status, dict(answer.headers), await answer.read())


@pytest.fixture
async def bringer(places: world.World, session: aiohttp.ClientSession) -> AsyncIterator[Bringer]:
    async with running(places.b, deliver=False) as (b,):
        yield Bringer(places, b, session)


async def test_the_same_card_is_acknowledged_as_often_as_it_comes_with_the_same_proof(bringer: Bringer) -> None:
    first, again = (await bringer.put(bringer.held)).json, (await bringer.put(bringer.held)).json
    assert first == again and first["version"] == 1


async def test_C26_a_card_that_may_not_follow_is_refused_and_the_held_version_told(bringer: Bringer) -> None:
    assert (await bringer.put(bringer.card(version=5))).status == 200
    for name, data in {
        "rollback": bringer.card(version=4), "jump": bringer.card(version=6 + STEP),
        "other": bringer.card(version=6, party="110101." + "1" * 18),
    }.items():  # fmt: skip
        document = (await bringer.put(data)).refused("TB-2015", 409)
        assert document["detail"] == name, document
        assert document.get("held", 5) == 5
    (await bringer.put(b"{}")).refused("TB-2015", 409)
    (await bringer.put(b"x" * (cards.MAX_SIZE + 1))).refused("TB-1002", 413)
    assert partner(bringer.b).card.version == 5


async def test_C26_a_card_that_a_stranger_carries_proves_itself_and_shows_the_stranger_nothing(
    bringer: Bringer,
) -> None:
    assert (await bringer.carried(bringer.card(version=5))).json == {"version": 5, "proof": None}
    assert partner(bringer.b).card.version == 5
    (await bringer.carried(bringer.card(version=4))).refused("TB-2015", 409)
    ring = bringer.ring
    forged = cards.sign(cards.content(bringer.card(version=6)), ring.signer("direct"), ring.certificate("direct"))
    (await bringer.carried(forged)).refused("TB-2015", 409)
    assert partner(bringer.b).card.version == 5


async def test_two_cards_of_one_version_pause_the_partner_but_a_later_card_still_comes_in(bringer: Bringer) -> None:
    (await bringer.put(bringer.card(name="另一个名字"))).refused("TB-2016", 409)
    assert bringer.b.rows("SELECT state, cause FROM peer") == [("paused", "TB-2016")]
    assert (await bringer.put(bringer.card(version=2))).status == 200, "a revocation must always arrive"


async def test_a_card_under_another_identity_or_brought_by_a_key_it_does_not_name_is_refused(bringer: Bringer) -> None:
    ring = bringer.ring
    other = cards.sign(cards.content(bringer.held), ring.signer("direct"), ring.certificate("direct"))
    (await bringer.put(other)).refused("TB-2015", 409)
    (await bringer.put(bringer.card(version=2), ring.signer("platform"))).refused("TB-2002", 401)
    direct = ring.signer("direct").key_id
    gone = bringer.card(version=2, revoked=(cards.Revoked(direct, now_ms()),))
    assert (await bringer.put(gone)).status == 200, "its last call: the card that revokes it"
    (await bringer.put(bringer.card(version=3, revoked=cards.content(gone).revoked))).refused("TB-2002", 401)


async def test_L03_a_revocation_that_names_another_past_pauses_the_partner(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    async with pair(places) as (a, b):
        await window(a, session).hand_in(window(a, session).papers())
        await delivered(a, 1)
        bringer = Bringer(places, b, session)
        key, size = b.rows("SELECT held_key, held_size FROM peer")[0]
        lie = cards.Revoked(key, now_ms(), size, "11" * 32)
        (await bringer.put(bringer.card(version=2, revoked=(lie,)))).refused("TB-2008", 409)
        assert b.one("SELECT state FROM peer") == "paused"


# --- keys that change -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", USES)
async def test_L07_a_key_changes_while_messages_flow_and_none_fails(
    places: world.World, session: aiohttp.ClientSession, use: str
) -> None:
    custodian = open_custodian(places.a.folder)
    async with pair(places) as (a, b):
        at = window(a, session)
        await at.hand_in(at.papers())
        new, old = await rotated(custodian, use)
        signers = a.node.rotation.signers
        if use != "encryption":
            await until(lambda: signers.of(use)().key_id == new != old)
        else:
            await until(lambda: new in signers.openers)
        await at.hand_in(at.papers())
        await delivered(a, 2)
        await asyncio.to_thread(custodian.retire, old)
        await until(lambda: not any(key.id == old for key in partner(b).card.keys))
        await at.hand_in(at.papers())
        await delivered(a, 3)
        assert b.one("SELECT count(*) FROM case_file") == 3


async def test_no_size_is_signed_with_two_keys_and_neither_size_nor_time_goes_back(places: world.World) -> None:
    custodian = open_custodian(places.a.folder)
    async with pair(places) as (a, _):
        new, old = await rotated(custodian, "checkpoint")
        await until(lambda: newest(a)[0] == new)
        rows = a.rows("SELECT size, time_ms, key FROM checkpoint ORDER BY size")
        assert [key for _, _, key in rows] == sorted((key for _, _, key in rows), key=[old, new].index)
        assert [time for _, time, _ in rows] == sorted(time for _, time, _ in rows)
        last_old = max(size for size, _, key in rows if key == old)
        assert a.rows("SELECT idx, message FROM leaf WHERE kind = 'key'") == [(last_old, new)], (
            "it begins with its own name"
        )


async def test_L06_a_change_that_a_crash_cut_in_two_is_finished_at_the_next_start(places: world.World) -> None:
    """The register had switched, the gateway had not: its first group begins with the new key's leaf."""
    custodian = open_custodian(places.a.folder)
    async with running(places.a, deliver=False) as (a,):
        old, size, _ = newest(a)
    key = custodian.prepare("checkpoint")
    custodian.activate(key, True)
    async with running(places.a, deliver=False) as (a,):
        assert a.rows("SELECT key, min(size), max(size) FROM checkpoint GROUP BY key ORDER BY 2")[0] == (old, 0, size)
        assert newest(a)[0] == key
        assert a.rows("SELECT idx, message FROM leaf WHERE kind = 'key'") == [(size, key)]


@pytest.mark.parametrize("after", ["x", "-1", "1" * 16, "", "%00"])
async def test_a_card_asked_for_after_nonsense_is_refused(bringer: Bringer, after: str) -> None:
    url = bringer.b.url("exchange", f"/.well-known/tongban/card?after={after}")
    async with bringer.session.get(url, ssl=False) as answer:
        assert answer.status == 400, await answer.text()


async def test_queued_messages_keep_bytes_and_leaf_and_are_proved_again_under_the_new_key(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    custodian = open_custodian(places.a.folder)
    sql = "SELECT m.id, m.header, m.sent_leaf, l.salt, l.entry FROM message m JOIN leaf l ON l.idx = m.sent_leaf ORDER BY 1"
    async with running(places.a) as (a,):
        at = window(a, session)
        for _ in range(3):
            await at.hand_in(at.papers())
        await until(lambda: len(a.rows(sql)) == 3)
        frozen, old = a.rows(sql), newest(a)[0]
        key = await prepared(custodian, "checkpoint")
        await until(lambda: a.node.cards.card.version == 2)
        await asyncio.to_thread(custodian.activate, key, True)
        await until(lambda: newest(a)[0] == key)
        await asyncio.to_thread(custodian.revoke, old)  # even that: what waited is not lost with its first proof
        await until(lambda: a.node.cards.card.revoked)
        async with running(places.b) as (b,):
            await delivered(a, 3)
            assert a.rows(sql) == frozen
            proofs = [json.loads(proof) for (proof,) in b.rows("SELECT proof FROM message WHERE direction = 'in'")]
            assert [proof["checkpoint"]["key"] for proof in proofs] == [key] * 3
            assert {proof["index"] for proof in proofs} == {row[2] for row in frozen}


async def test_L08_a_revoked_key_is_refused_at_once_and_its_receipts_are_given_again_under_the_next(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """B's checkpoint and direct keys are lost. A refuses them within seconds, in an open connection too."""
    custodian = open_custodian(places.b.folder)
    async with pair(places) as (a, b):
        at = window(a, session)
        message = (await at.hand_in(at.papers())).json["lsh"]
        await delivered(a, 1)
        lost = {use: b.node.rotation.signers.of(use)() for use in ("checkpoint", "direct")}
        good = SignedCheckpoint(*b.rows("SELECT text, key, signature FROM checkpoint ORDER BY size DESC LIMIT 1")[0])
        assert partner(a).believe(good)
        assert (await _ask(a, b, session, lost["direct"])).status == 200
        for use in lost:
            _, old = await rotated(custodian, use)
            await asyncio.to_thread(custodian.revoke, old)
        await until(lambda: len(partner(a).card.revoked) == 2, 5)
        (await _ask(a, b, session, lost["direct"])).refused("TB-2002", 401)
        with pytest.raises(Refused, match="TB-2017"):
            partner(a).believe(good)
        answer = await a.node.cards.clients[b.node.config.node.party].ask(message)
        assert isinstance(answer, wire.Answer) and answer.checkpoint is not None
        assert answer.checkpoint.key == newest(b)[0] != lost["checkpoint"].key_id
        digest = wireform.digest(a.one("SELECT header FROM message WHERE id = ?", message))
        round_ = a.node.loops[f"peer:{b.node.config.node.party}"]._round
        assert round_.proof_of(message, digest, answer, None) is not None  # type: ignore[attr-defined]


async def _ask(to: Running, of: Running, session: aiohttp.ClientSession, signer: Any) -> Reply:
    """A signed question by this key of ``of``, over one kept-alive session."""
    path = "/exchange/v1/checkpoint"
    parties = of.node.config.node.party, to.node.config.node.party
    headers = signed.sign(signer, "GET", path, b"", now_ms(), "cd" * 16, *parties)
    async with session.get(to.url("exchange", path), headers=headers) as answer:
        return Reply(answer.status, dict(answer.headers), await answer.read())


async def test_a_node_whose_checkpoint_key_is_lost_stores_nothing_until_it_has_another(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    custodian = open_custodian(places.a.folder)
    async with running(places.a, deliver=False) as (a,):
        rotation = asyncio.create_task(a.node.rotation.run())
        at = window(a, session)
        key = await prepared(custodian, "checkpoint")
        await until(lambda: a.node.cards.card.version == 2)
        await asyncio.to_thread(custodian.revoke, newest(a)[0])
        await until(lambda: not _signs(a))
        (await at.hand_in(at.papers())).refused("TB-9004", 503)
        await asyncio.to_thread(custodian.activate, key, True)
        await until(lambda: _signs(a))
        assert (await at.hand_in(at.papers())).status == 200
        await until(lambda: a.node.cards.card.revoked)
        rotation.cancel()


def _signs(node: Running) -> bool:
    try:
        return bool(node.node.rotation.signers.of("checkpoint")())
    except Unavailable:
        return False


async def test_a_lost_direct_key_without_a_spare_is_told_all_the_same(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """The card proves itself, so its push needs no key of ours; the proof of the partner's ledger is not shown to it."""
    custodian = open_custodian(places.a.folder)
    async with pair(places) as (a, b):
        lost = a.node.rotation.signers.of("direct")().key_id
        await asyncio.to_thread(custodian.revoke, lost)
        await until(lambda: [one.id for one in partner(b).card.revoked] == [lost], 5.0)
        assert partner(b).direct_keys == {}
        await until(lambda: not a.node.cards.owed(b.node.config.node.party))
        assert a.one("SELECT proof FROM card_told") is None
        at = window(a, session)
        await at.hand_in(at.papers())
        await delivered(a, 1)
    async with running(places.a, deliver=False) as (a,):
        at = window(a, session)
        at.count = 7
        assert (await at.hand_in(at.papers())).status == 200, "it starts without that key"
        with pytest.raises(Unavailable):
            a.node.rotation.signers.of("direct")()


async def test_an_active_key_that_our_card_does_not_list_does_not_sign(places: world.World) -> None:
    custodian = open_custodian(places.a.folder)
    async with running(places.a, deliver=False) as (a,):
        key = await prepared(custodian, "direct")
        await a.node.rotation.look()
        old = a.node.rotation.signers.of("direct")().key_id
        await asyncio.to_thread(custodian.activate, key, True)
        (places.a.folder / "card.json").write_bytes(b"{}")
        await a.node.rotation.look()
        assert a.node.rotation.signers.of("direct")().key_id == old
        found = await asyncio.to_thread(a.node.rotation.signers.load)
        card: Card = msgspec.structs.replace(a.node.cards.card, keys=())
        assert a.node.rotation.signers.take(found, card) == []
