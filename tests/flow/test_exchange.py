"""What a partner's gateway sends: judged message by message; what does not hold together leaves no trace."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import aiohttp
import msgspec
import pytest

from agreements import load as agreements
from agreements import samples
from gateway.demo import world
from gateway.exchange import message as wireform
from gateway.exchange import request as signed
from gateway.exchange import wire
from gateway.flow.freeze import Frozen
from gateway.ids import now_ms
from gateway.ledger.checkpoint import SignedCheckpoint, parse_text
from gateway.store.journal import Commit
from schemas import codec
from schemas.canonical import Material
from tests.flow.nodes import Reply, Running, Window, running, until
from tests.flow.sending import Sender, bent


@pytest.fixture
async def sender(places: world.World, session: aiohttp.ClientSession) -> Any:
    async with running(places.a, places.b, deliver=False) as (a, b):
        yield Sender(a, b, session)


def nothing_there(b: Running) -> None:
    for table in ("case_file", "delivery"):
        assert b.one(f"SELECT count(*) FROM {table}") == 0


async def test_a_message_is_taken_once_and_a_repetition_gets_the_same_receipt(sender: Sender) -> None:
    one, commit = await sender.frozen()
    first = await sender.one(sender.line(one, commit), commit)
    assert first.status == "receipt" and first.proof is not None
    again = await sender.one(sender.line(one, commit), commit)
    assert again.status == "receipt" and again.proof == first.proof
    assert sender.b.one("SELECT count(*) FROM case_file") == 1
    assert sender.b.one("SELECT count(*) FROM delivery") == 1


async def test_a_message_under_a_forged_checkpoint_is_refused_whole(sender: Sender) -> None:
    one, commit = await sender.frozen()
    bad = SignedCheckpoint(commit.checkpoint.text, commit.checkpoint.key, b"0" * 70)
    (await sender.post(sender.head(bad), sender.line(one, commit))).refused("TB-2007", 401)
    other = SignedCheckpoint(
        commit.checkpoint.text.replace("\n", "\r\n"), commit.checkpoint.key, commit.checkpoint.signature
    )
    (await sender.post(sender.head(other), sender.line(one, commit))).refused("TB-2007", 401)
    nothing_there(sender.b)


async def test_an_unknown_party_is_refused(sender: Sender) -> None:
    one, commit = await sender.frozen()
    head = msgspec.structs.replace(sender.head(commit.checkpoint), sender="110101." + "1" * 18)
    (await sender.post(head, sender.line(one, commit))).refused("TB-2003", 401)


async def test_A11_a_batch_for_another_party_is_refused(sender: Sender) -> None:
    one, commit = await sender.frozen()
    head = msgspec.structs.replace(sender.head(commit.checkpoint), to="110101." + "1" * 18)
    (await sender.post(head, sender.line(one, commit))).refused("TB-2009", 403)


async def test_a_changed_header_fails_its_ledger_proof_and_leaves_its_neighbour_alone(sender: Sender) -> None:
    one, _ = await sender.frozen()
    two, commit = await sender.frozen()
    line = wire.Line(one.header.replace(b'"item":"QX', b'"item":"XX'), one.body, _place(sender, one, commit))
    reply = await sender.post(sender.head(commit.checkpoint), line, sender.line(two, commit))
    answers = wire.decode_answer(reply.body)[1]
    assert [answer.status for answer in answers] == ["refused", "receipt"]
    assert answers[0].problem is not None and answers[0].problem.code == "TB-2006"
    assert sender.b.one("SELECT count(*) FROM case_file") == 1


async def test_K01_S34_a_header_not_in_canonical_form_is_refused(sender: Sender) -> None:
    one, commit = await sender.frozen()
    line = wire.Line(one.header.replace(b'{"', b'{ "', 1), one.body, sender.line(one, commit).proof)
    answer = await sender.one(line, commit)
    assert answer.problem is not None and answer.problem.code == "TB-1001"
    nothing_there(sender.b)


async def test_a_body_that_is_not_the_headers_is_refused(sender: Sender) -> None:
    one, commit = await sender.frozen()
    line = wire.Line(one.header, one.body + b" ", sender.line(one, commit).proof)
    answer = await sender.one(line, commit)
    assert answer.problem is not None and answer.problem.code == "TB-6002"
    nothing_there(sender.b)


async def test_R07_the_same_id_with_other_content_is_a_conflict(sender: Sender) -> None:
    one, commit = await sender.frozen()
    assert (await sender.one(sender.line(one, commit), commit)).status == "receipt"
    answer = await bent(sender, one, purpose="别的用途")
    assert answer.status == "refused" and answer.problem is not None and answer.problem.code == "TB-5003"
    assert sender.b.one("SELECT count(*) FROM case_file") == 1


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "expired message": ({"expires": 1}, "TB-5005"),
    "agreement version not registered A02": ({"agreement_version": 9}, "TB-4101"),
    "unknown agreement": ({"agreement": "TB-nobody"}, "TB-4101"),
    "case id of another party A05": ({"case": "110101." + "1" * 18 + "/" + "0" * 26}, "TB-2009"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_message_that_may_not_be_is_refused_with_a_signed_refusal(sender: Sender, name: str) -> None:
    changes, code = REFUSALS[name]
    one, _ = await sender.frozen()
    answer = await bent(sender, one, **changes)
    assert answer.status == "refused" and answer.problem is not None
    assert answer.problem.code == code and answer.proof is not None
    again = await sender.b.node.journal.submit()
    assert again.results == []
    nothing_there(sender.b)


async def test_A04_a_place_that_only_handles_cannot_hand_in_here(sender: Sender) -> None:
    """B hands in for B's own division at A: the application's handling place is not A."""
    one, _ = await sender.frozen()
    body = codec.encode(
        msgspec.structs.replace(codec.decode("application", sender.content(one).body), handling="420104")
    )
    answer = await bent(sender, one, body=body)
    assert answer.problem is not None and answer.problem.code in ("TB-4106", "TB-4101")


async def test_A01_an_item_outside_the_agreement_is_refused_with_its_clause(sender: Sender) -> None:
    one, _ = await sender.frozen()
    body = codec.encode(
        msgspec.structs.replace(codec.decode("application", sender.content(one).body), item="QX-TB-999")
    )
    answer = await bent(sender, one, body=body, item="QX-TB-999")
    assert answer.problem is not None and (answer.problem.code, bool(answer.problem.clause)) == ("TB-4103", True)


async def test_N01_a_body_with_duplicate_keys_is_refused(sender: Sender) -> None:
    one, _ = await sender.frozen()
    answer = await bent(sender, one, body=sender.content(one).body[:-1] + b',"item":"QX-TB-001"}')
    assert answer.status == "refused" and answer.proof is not None


async def test_R11_a_gap_in_the_sequence_waits_with_its_sender(sender: Sender) -> None:
    one, _ = await sender.frozen()
    answer = await bent(sender, one, seq=3)
    assert (answer.status, answer.expected) == ("retry_later", 1)
    nothing_there(sender.b)


async def test_F05_missing_parts_are_named_and_nothing_is_taken(sender: Sender) -> None:
    one, _ = await sender.frozen()
    answer = await bent(sender, one, naming(sender.content(one).body, "ab" * 32), parts=(part("ab" * 32),))
    assert (answer.status, answer.missing) == ("awaiting_parts", ["ab" * 32])
    nothing_there(sender.b)


def part(digest: str) -> wireform.PartRef:
    return wireform.PartRef(digest, 10, "application/pdf", "x", "material")


def naming(body: bytes, *digests: str) -> bytes:
    """The application with these files among its materials."""
    told = codec.decode("application", body)
    files = [Material("x", digest, 10, "application/pdf", "x.pdf") for digest in digests]
    return codec.encode(msgspec.structs.replace(told, materials=files))


@pytest.mark.parametrize(
    ("named", "brought"),
    [(("ab",), ()), ((), ("ab",)), (("ab",), ("cd",)), (("ab",), ("ab", "cd")), (("ab", "cd"), ("ab",))],
)
async def test_F05_parts_that_the_body_does_not_name_or_that_it_names_in_vain_refuse_the_message(
    sender: Sender, named: tuple[str, ...], brought: tuple[str, ...]
) -> None:
    """Neither hides a file behind a message nor takes a case whose material will never come."""
    one, _ = await sender.frozen()
    body = naming(sender.content(one).body, *(name * 32 for name in named))
    answer = await bent(sender, one, body, parts=tuple(part(name * 32) for name in brought))
    assert answer.status == "refused" and answer.problem is not None and answer.proof is not None
    assert answer.problem.code == "TB-6015"
    nothing_there(sender.b)


async def test_F05_a_part_of_another_size_is_not_the_one_that_the_body_names(sender: Sender) -> None:
    one, _ = await sender.frozen()
    other = msgspec.structs.replace(part("ab" * 32), size=11)
    answer = await bent(sender, one, naming(sender.content(one).body, "ab" * 32), parts=(other,))
    assert answer.problem is not None and answer.problem.code == "TB-6015"
    nothing_there(sender.b)


async def test_L03_a_partner_that_shows_another_history_is_paused(sender: Sender) -> None:
    one, commit = await sender.frozen()
    assert (await sender.one(sender.line(one, commit), commit)).status == "receipt"
    fork = replace_size(commit.checkpoint, sender)
    (await sender.post(sender.head(fork))).refused("TB-2008", 409)
    (await sender.post(sender.head(commit.checkpoint))).refused("TB-2010", 403)
    assert sender.b.one("SELECT state FROM peer") == "paused"


def replace_size(checkpoint: SignedCheckpoint, sender: Sender) -> SignedCheckpoint:
    """Another root for the same size, signed by A's real checkpoint key."""
    from gateway.ledger.checkpoint import text

    found = parse_text(checkpoint.text.encode())
    assert found is not None
    form = text(replace(found, root=b"\x11" * 32))
    signer = sender.a.node.rotation.signers.of("checkpoint")()
    return SignedCheckpoint(form.decode(), signer.key_id, signer.sign(form))


@pytest.mark.parametrize("data", [b"", b"\n", b"{}", b"[1]\n", b'{"tongban":2}', b"\xff\xfe", b"{" * 1000])
async def test_a_batch_that_cannot_be_read_is_refused(sender: Sender, data: bytes) -> None:
    (await sender.post(data)).refused("TB-1001", 400)


async def test_a_batch_of_too_many_messages_is_refused_whole(sender: Sender) -> None:
    one, commit = await sender.frozen()
    lines = [sender.line(one, commit)] * 257
    (await sender.post(sender.head(commit.checkpoint), *lines)).refused("TB-1002", 413)
    nothing_there(sender.b)


async def test_signed_calls_refuse_wrong_time_nonce_and_signature(sender: Sender) -> None:
    a, b = sender.a.node.desk.party, sender.b.node.desk.party
    path = "/exchange/v1/checkpoint"
    signer = sender.a.node.rotation.signers.of("direct")()

    async def call(**bend: Any) -> Reply:
        headers = (
            signed.sign(signer, "GET", path, b"", bend.pop("at", now_ms()), bend.pop("nonce", "ab" * 16), a, b) | bend
        )
        async with sender.session.get(sender.b.url("exchange", path), headers=headers) as answer:
            return Reply(answer.status, dict(answer.headers), await answer.read())

    assert (await call()).status == 200
    (await call(at=now_ms() - 600_000)).refused("TB-2004", 401)
    (await call(nonce="zz")).refused("TB-2011", 401)
    (await call(**{signed.SIGNATURE: "AAAA"})).refused("TB-2002", 401)
    (await call(**{signed.TO: a})).refused("TB-2002", 401)


async def _with_agreement(places: world.World, session: aiohttp.ClientSession, data: bytes) -> Reply:
    (places.a.folder / "agreement.toml").write_bytes(data)
    async with running(places.a) as (a,):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        return await window.hand_in(window.papers())


async def test_A02_an_agreement_that_is_unsigned_or_signed_by_one_side_carries_nothing(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    whole = (places.a.folder / "agreement.toml").read_bytes()
    unsigned = agreements.parse(whole).text
    (await _with_agreement(places, session, unsigned)).refused("TB-4105", 403)
    one_side = unsigned + whole[len(unsigned) :].splitlines(keepends=True)[0]
    (await _with_agreement(places, session, one_side)).refused("TB-4105", 403)


async def test_A12_a_changed_agreement_is_signed_by_nobody(places: world.World, session: aiohttp.ClientSession) -> None:
    whole = (places.a.folder / "agreement.toml").read_bytes()
    changed = (
        whole.replace("政务服务".encode(), "政务眼务".encode(), 1)
        if "政务服务".encode() in whole
        else whole.replace(b"2030", b"2031", 1)
    )
    assert changed != whole
    (await _with_agreement(places, session, changed)).refused("TB-4105", 403)


@pytest.mark.parametrize(
    ("term", "code"),
    [(("2020-01-01", "2021-12-31"), "TB-4102"), (("2029-01-01", "2030-12-31"), "TB-4104")],
    ids=["expired", "not yet in force"],
)
async def test_A02_an_agreement_outside_its_term_is_refused(
    places: world.World, session: aiohttp.ClientSession, term: tuple[str, str], code: str
) -> None:
    from datetime import UTC, datetime

    from tests.flow.nodes import PROVIDER

    a, b = places.a, places.b
    original = samples.render
    try:
        samples.render = lambda *args, **kw: original(*args, **kw, in_force=term[0], expires=term[1])  # type: ignore[assignment]
        data = world._agreement(a, b, PROVIDER, datetime.now(UTC))
    finally:
        samples.render = original
    (await _with_agreement(places, session, data)).refused(code, 403)


async def test_a_version_that_comes_into_force_on_the_way_does_not_turn_a_case_back(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """B holds version 2 since today; A still sends under version 1: refused if sent today, taken if sent yesterday."""
    from datetime import UTC, datetime

    from agreements.calendar import china_date
    from tests.flow.nodes import PROVIDER

    today = china_date(datetime.now(UTC)).isoformat()
    original = samples.render
    try:
        samples.render = lambda *args, **kw: original(*args, **kw, version=2, in_force=today)  # type: ignore[assignment]
        newer = world._agreement(places.a, places.b, PROVIDER, datetime.now(UTC))
    finally:
        samples.render = original
    (places.b.folder / "newer.toml").write_bytes(newer)
    places.b.config.write_text(places.b.config.read_text() + '\n[[agreement]]\nfile = "newer.toml"\n')
    async with running(places.a, places.b, deliver=False) as (a, b):
        sender = Sender(a, b, session)
        fresh, _ = await sender.frozen()
        answer = await bent(sender, fresh)
        assert answer.status == "refused" and answer.problem is not None and answer.problem.code == "TB-4110"
        on_its_way, _ = await sender.frozen()
        answer = await bent(sender, on_its_way, created=now_ms() - 2 * 86_400_000)
        assert answer.status == "receipt"
        assert b.rows("SELECT agreement_version FROM case_file") == [(1,)]


def _place(sender: Sender, one: Frozen, commit: Commit) -> wire.Place:
    return wire.place(sender.a.node.journal.prove_under(one.leaf, commit.checkpoint))


async def test_the_loops_bring_a_case_across_by_themselves(places: world.World, session: aiohttp.ClientSession) -> None:
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        taken = (await window.hand_in(window.papers())).json
        await until(lambda: b.one("SELECT state FROM case_file WHERE id = ?", taken["tbbh"]) == "received_there")
        await until(lambda: a.one("SELECT state FROM case_file WHERE id = ?", taken["tbbh"]) == "received_there")
        assert a.one("SELECT receipt IS NOT NULL FROM message WHERE id = ?", taken["lsh"]) == 1
