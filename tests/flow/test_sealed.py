"""Messages sealed end to end between two real gateways: what travels, what is kept, what is refused, what is proved."""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from gateway import config
from gateway.demo import world
from gateway.exchange import card as cards
from gateway.exchange import message as wireform
from gateway.exchange import sealing, wire
from gateway.files import private_bytes
from gateway.flow.freeze import Frozen, freeze, thaw
from gateway.flow.unseal import Opener
from gateway.ids import now_ms
from gateway.lab import PASSPHRASE
from gateway.ledger import evidence, records, trust
from gateway.ops.doctor import examine
from gateway.ops.patient import Patient
from signing import keys, sealed
from signing.sm2 import Signer
from signing.sm3 import sm3
from tests.flow import walks
from tests.flow.nodes import PROVIDER, Running, Window, running, until
from tests.flow.resting import Rest, ask, really, told
from tests.flow.sending import Sender, bent
from tests.scan import scan

MARK = "只能由办理地读到的话".encode()
FILE = b"%PDF-1.4 " + secrets.token_bytes(5 << 20) + MARK


@pytest.fixture
async def sender(places: world.World, session: aiohttp.ClientSession) -> Any:
    async with running(places.a, places.b, deliver=False) as (a, b):
        yield Sender(a, b, session)


@dataclass
class Tap:
    """A place on the way that hands everything on and keeps it."""

    to: str
    port: int
    heard: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Tap]:
        application = web.Application(client_max_size=64 << 20)
        application.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        async with aiohttp.ClientSession(auto_decompress=False) as self.session:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            try:
                yield self
            finally:
                await runner.cleanup()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name != "Host"}
        async with self.session.request(request.method, self.to + request.raw_path, data=body, headers=headers) as got:
            answer = await got.read()
            told = {name: value for name, value in got.headers.items() if name.startswith(("Upload", "Content-Type"))}
        self.heard += [body, answer, str(headers).encode(), str(told).encode()]
        self.paths.append(f"{request.method} {request.path}")
        return web.Response(status=got.status, body=answer, headers=told)


def through(places: world.World) -> Tap:
    """A tap between A and B."""
    [port] = world.free_ports(1)
    text, there = places.a.config.read_text("utf-8"), f"http://{places.b.place.exchange}"
    assert text.count(f'url = "{there}"') == 1
    places.a.config.write_text(text.replace(f'url = "{there}"', f'url = "http://127.0.0.1:{port}"'), "utf-8")
    return Tap(there, port)


def window_of(a: Running, session: aiohttp.ClientSession) -> Window:
    return Window(a, session, json.loads(a.side.platform_config.read_bytes()))


def named(data: bytes, name: str = "身份证复印件") -> dict[str, Any]:
    return {"mc": name, "zy": sm3(data).hex(), "dx": len(data), "gs": "application/pdf", "wjm": "a.pdf"}


async def test_an_application_with_a_large_file_crosses_and_nobody_on_the_way_reads_it(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """S33, P01: neither bodies, file names, the window's number nor the file's bytes can be read on the wire."""
    tap = through(places)
    async with tap.listening(), running(places.a, places.b) as (a, b):
        window = window_of(a, session)
        assert (await window.upload(FILE)).status == 201
        papers = window.papers(cl=[named(FILE)])
        case = (await window.hand_in(papers)).json["tbbh"]
        await until(lambda: b.one("SELECT state FROM case_file WHERE id = ?", case) == "received_there", 20)
        await until(lambda: a.one("SELECT count(*) FROM message WHERE receipt IS NOT NULL"))
        owner, digest = f"peer:{a.node.desk.party}", sm3(FILE).hex()
        assert b"".join(b.node.desk.parts.read(owner, digest)) == FILE
        assert b.rows("SELECT sm3, size FROM part") == [(digest, len(FILE))], "the sealed form is gone"
        assert b.rows("SELECT sm3 FROM case_part WHERE case_id = ?", case) == [(digest,)]
        assert b.one("SELECT case_id FROM alias WHERE number = ?", papers["bjbh"]) == case
        files = [path for path in (places.b.folder / "data" / "parts").rglob("*") if path.is_file()]
        assert len(files) == 1
        assert b.node.desk.vault.unwrap(b.one("SELECT wrapped_key FROM case_file"))
    people = (papers["sqr"]["xm"], papers["sqr"]["zjhm"], papers["sqr"]["sjh"], papers["bjbh"], "身份证复印件", "%PDF")
    assert any(path.startswith("PUT /exchange/v1/parts/") for path in tap.paths) and digest not in str(tap.paths)
    assert sum(map(len, tap.heard)) > len(FILE)
    assert not [one for one in tap.heard if MARK in one or digest.encode() in one]
    assert not [found for one in tap.heard if len(one) < 1 << 19 for found in scan(one, "wire", people)]


async def test_what_is_frozen_is_the_same_after_a_crash_and_so_are_its_sealed_parts(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    data = FILE[: 3 << 20]
    async with running(places.a, places.b, deliver=False) as (a, b):
        sender = Sender(a, b, session)
        assert (await sender.window.upload(data)).status == 201
        before, _ = await sender.frozen(cl=[named(data)])
    async with running(places.a, deliver=False) as (a,):
        after = thaw(a.node.journal.read(), before.id, a.node.desk.vault)
        assert after == before
        [carried] = after.parts
        sealer = _sealer(a)
        whole = b"".join(sealer.read("platform:window", carried, 0))
        assert (sm3(whole).hex(), len(whole)) == (carried.part.sm3, carried.part.size)
        for start in (0, 1, sealed.SEGMENT, sealed.SEGMENT + 7, len(whole) - 1, len(whole)):
            assert b"".join(sealer.read("platform:window", carried, start)) == whole[start:]


def _sealer(a: Running) -> Any:
    loop = next(loop for name, loop in a.node.loops.items() if name.startswith("peer:"))
    return loop._round.sealer  # type: ignore[attr-defined]


async def test_P06_the_message_key_lies_in_the_store_under_the_cases_key_only(sender: Sender) -> None:
    one, commit = await sender.frozen()
    assert (await sender.one(sender.line(one, commit), commit)).status == "receipt"
    key = sender.content(one).key
    for node in (sender.a, sender.b):
        node.node.journal._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw = (node.side.folder / "data" / "gateway.db").read_bytes()
        assert key not in raw and MARK not in raw
        assert node.one("SELECT secret IS NOT NULL FROM message WHERE id = ?", one.id) == 1
    wrapped = sender.b.one("SELECT wrapped_key FROM case_file")
    assert wrapped != sender.a.one("SELECT wrapped_key FROM case_file")


# --- what is refused --------------------------------------------------------------------------------------------------


async def test_an_open_message_under_such_an_agreement_is_refused_with_its_clause_and_its_neighbour_is_not(
    sender: Sender,
) -> None:
    reply = await sender.window.hand_in(sender.window.papers())
    desk = sender.a.node.desk
    work = freeze(reply.json["lsh"], party=desk.party, vault=desk.vault, expires_ms=60_000, sealed=None)
    bare: Frozen = (await desk.journal.submit(work)).only()
    good, commit = await sender.frozen()
    line = wire.Line(bare.header, bare.body, wire.place(desk.journal.prove_under(bare.leaf, commit.checkpoint)))
    sent = await sender.post(sender.head(commit.checkpoint), line, sender.line(good, commit))
    refused, taken = wire.decode_answer(sent.body)[1]
    assert refused.status == "refused" and refused.proof is not None and refused.problem is not None
    assert (refused.problem.code, refused.problem.clause[-3:]) == ("TB-4111", "第八条")
    assert taken.status == "receipt"
    assert sender.b.one("SELECT count(*) FROM case_file") == 1


def _other_key(one: Frozen, sender: Sender) -> dict[str, Any]:
    told = wireform.decode_header(one.header).sealed
    assert told is not None
    stranger = PROVIDER.generate().public
    wrapped = sealing.wrap(PROVIDER, stranger, sender.content(one).key)
    return {
        "wrapped for somebody else": msgspec.structs.replace(told, wrapped=wrapped),
        "key that is not ours": msgspec.structs.replace(told, key=stranger.thumbprint),
        "commitment to something else": msgspec.structs.replace(told, commitment="00" * 32),
        "wrapped key that is no ciphertext": msgspec.structs.replace(told, wrapped=b"garbage"),
    }


@pytest.mark.parametrize("name", ["wrapped for", "key that", "commitment to", "wrapped key"])
async def test_S30_what_does_not_open_is_refused_with_one_reason_and_proof(sender: Sender, name: str) -> None:
    one, _ = await sender.frozen()
    [told] = [value for key, value in _other_key(one, sender).items() if key.startswith(name)]
    answer = await bent(sender, one, sealed=told)
    assert answer.status == "refused" and answer.proof is not None and answer.problem is not None
    assert (answer.problem.code, answer.problem.detail) == ("TB-2101", "")
    assert sender.b.one("SELECT count(*) FROM case_file") == 0


async def test_a_sealed_body_that_is_refused_for_what_it_says_is_not_told_about_on_the_way(sender: Sender) -> None:
    one, _ = await sender.frozen()
    answer = await bent(sender, one, body=sender.content(one).body.replace(b'"applicant":', b'"aplicant":'))
    assert answer.status == "refused" and answer.problem is not None and answer.problem.detail == ""


async def brought(sender: Sender, travels: bytes) -> wireform.PartRef:
    """A sealed part that B has been brought by A; how a header names it."""
    owner, digest = f"peer:{sender.a.node.desk.party}", sm3(travels).hex()
    _uploads(sender.b)._parts.store(owner, digest, travels)
    await _uploads(sender.b)._complete(owner, digest, len(travels))
    return wireform.PartRef(digest, len(travels), "", "", "")


def sealed_file(sender: Sender, one: Frozen, data: bytes) -> bytes:
    """A file as it travels with this message."""
    return sealed.seal_whole(data, sealing.part_stream(sender.content(one).key, one.id, 0))


def _uploads(node: Running) -> Any:
    return node.node.routes["exchange"][0].handler.__self__.uploads  # type: ignore[attr-defined]


def _opener(node: Running) -> Opener:
    found: Opener = node.node.routes["exchange"][0].handler.__self__.opener  # type: ignore[attr-defined]
    return found


async def test_a_sealed_part_that_says_something_else_is_refused_and_leaves_nothing(sender: Sender) -> None:
    """The sender's ciphertext is what its header names, and what is in it is not what its enclosure names."""
    data = FILE[: 1 << 20]
    assert (await sender.window.upload(data)).status == 201
    one, _ = await sender.frozen(cl=[named(data)])
    lie = await brought(sender, sealed_file(sender, one, data[:-1] + b"x"))
    answer = await bent(sender, one, outer=(lie,))
    assert answer.status == "refused" and answer.problem is not None and answer.problem.code == "TB-2101"
    assert sender.b.rows("SELECT sm3 FROM part") == [(lie.sm3,)], "what was brought stays until it is swept"
    assert sender.b.one("SELECT count(*) FROM case_file") == 0
    assert _uploads(sender.b)._parts.offset(f"peer:{sender.a.node.desk.party}", sm3(data).hex()) == 0


async def test_a_file_that_is_here_already_is_not_lost_to_a_message_that_lies_about_it(sender: Sender) -> None:
    data = FILE[: 1 << 20]
    assert (await sender.window.upload(data)).status == 201
    one, commit = await sender.frozen(cl=[named(data)])
    await brought(sender, sealed_file(sender, one, data))
    assert (await sender.one(sender.line(one, commit), commit)).status == "receipt"
    two, _ = await sender.frozen(cl=[named(data)])
    lie = await brought(sender, sealed_file(sender, two, data[:-1] + b"x"))
    answer = await bent(sender, two, outer=(lie,))
    assert answer.status == "refused" and answer.problem is not None and answer.problem.code == "TB-2101"
    owner = f"peer:{sender.a.node.desk.party}"
    assert b"".join(sender.b.node.desk.parts.read(owner, sm3(data).hex())) == data


async def test_while_a_part_is_being_decrypted_its_sender_is_told_to_come_again(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = FILE[: 1 << 20]
    opener = _opener(sender.b)
    assert (await sender.window.upload(data)).status == 201
    one, commit = await sender.frozen(cl=[named(data)])
    await brought(sender, sealed_file(sender, one, data))
    gate, really_open = asyncio.Event(), opener._open_parts

    async def slow(*arguments: Any) -> Any:
        await gate.wait()
        return await really_open(*arguments)

    slowed = replace(opener, patience_s=0.05)
    object.__setattr__(slowed, "_open_parts", slow)
    monkeypatch.setitem(sender.b.node.routes["exchange"][0].handler.__self__.__dict__, "opener", slowed)  # type: ignore[attr-defined]
    early = await sender.one(sender.line(one, commit), commit)
    assert early.status == "retry_later" and early.problem is not None and early.problem.code == "TB-6006"
    gate.set()
    await asyncio.sleep(0.2)
    assert (await sender.one(sender.line(one, commit), commit)).status == "receipt"


async def test_what_is_sealed_to_a_key_in_overlap_still_opens(sender: Sender) -> None:
    one, _ = await sender.frozen()
    older, told = PROVIDER.generate(), wireform.decode_header(one.header).sealed
    assert told is not None
    wrapped = sealing.wrap(PROVIDER, older.public, sender.content(one).key)
    changed = msgspec.structs.replace(told, key=older.public.thumbprint, wrapped=wrapped)
    assert (answer := await bent(sender, one, sealed=changed)).problem is not None and answer.status == "refused"
    two, _ = await sender.frozen()
    _opener(sender.b).keys[older.public.thumbprint] = older  # type: ignore[index]
    told = wireform.decode_header(two.header).sealed
    assert told is not None
    wrapped = sealing.wrap(PROVIDER, older.public, sender.content(two).key)
    changed = msgspec.structs.replace(told, key=older.public.thumbprint, wrapped=wrapped)
    assert (await bent(sender, two, sealed=changed)).status in ("receipt", "retry_later")


# --- what is sent how -------------------------------------------------------------------------------------------------


def recarded(places: world.World, version: int, uses: set[str]) -> bytes:
    """A card of B with keys of these uses only, signed by B."""
    signed = msgspec.json.decode((places.b.folder / "card.json").read_bytes(), type=cards.SignedCard)
    card = msgspec.json.decode(signed.card, type=cards.Card)
    kept = tuple(key for key in card.keys if key.use in uses)
    phrase = private_bytes(places.b.folder / "keys" / PASSPHRASE).strip()
    identity = Signer(PROVIDER, keys.private_from_pem((places.b.folder / "keys" / "identity.pem").read_bytes(), phrase))
    return cards.sign(msgspec.structs.replace(card, version=version, keys=kept), identity, signed.certificate)


async def test_without_an_encryption_key_on_the_card_a_message_waits_and_goes_once_there_is_one(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    uses = {"checkpoint", "direct", "tls", "seal-anchor"}
    later = recarded(places, 2, uses | {"encryption"})
    for file in (places.a.folder / "peer.card.json", places.b.folder / "card.json"):
        file.write_bytes(recarded(places, 1, uses))
    tap = through(places)
    async with tap.listening(), running(places.a) as (a,):
        async with running(places.b) as (b,):
            case = (await window_of(a, session).hand_in(window_of(a, session).papers())).json["tbbh"]
            cause = await until(lambda: a.one("SELECT cause FROM delivery WHERE destination LIKE 'peer:%'"))
            assert cause.startswith("TB-2102")
            assert a.one("SELECT state FROM delivery WHERE destination LIKE 'peer:%'") == "queued"
            assert a.one("SELECT count(*) FROM message WHERE header IS NOT NULL") == 0
            assert not any("messages" in path for path in tap.paths), "nothing has left"
        (places.b.folder / "card.json").write_bytes(later)
        async with running(places.b) as (b,):
            await until(lambda: b.one("SELECT state FROM case_file WHERE id = ?", case) == "received_there", 20)


def test_the_doctor_says_to_whom_nothing_can_be_sealed(places: world.World) -> None:
    patient = Patient(config.load(places.a.config), places.a.folder, datetime.now(UTC))
    name = f"sealing {places.b.place.party}"
    assert name not in {check.name for check in examine(patient, outside=False)}
    card = recarded(places, 1, {"checkpoint", "direct", "tls", "seal-anchor"})
    (places.a.folder / "peer.card.json").write_bytes(card)
    patient = Patient(patient.config, patient.base, patient.now)
    [found] = [check for check in examine(patient, outside=False) if check.name == name]
    assert found.level == "warn" and "加密" in found.fix_zh


async def test_under_an_agreement_for_transport_only_a_message_travels_open(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    agreement = world._agreement(places.a, places.b, PROVIDER, datetime.now(UTC), "transport")
    for side in (places.a, places.b):
        (side.folder / "agreement.toml").write_bytes(agreement)
    async with running(places.a, places.b) as (a, b):
        window = window_of(a, session)
        assert (await window.upload(FILE[:5000])).status == 201
        case = (await window.hand_in(window.papers(cl=[named(FILE[:5000])]))).json["tbbh"]
        await until(lambda: b.one("SELECT state FROM case_file WHERE id = ?", case) == "received_there")
        header = wireform.decode_header(b.one("SELECT header FROM message WHERE direction = 'in'"))
        assert header.sealed is None and header.parts[0].name == "身份证复印件" and header.alias
        assert b.one("SELECT secret FROM message WHERE direction = 'in'") is None


# --- what is proved ---------------------------------------------------------------------------------------------------


def _changed(data: bytes, change: Any) -> bytes:
    """A package whose records went through ``change``, unsigned."""
    found = [records.read_line(line) for line in data.splitlines()[:-1]]
    return records.build([change(one) for one in found])


def _codes(data: bytes) -> set[str]:
    return {finding.code for finding in evidence.verify(data, trust.compose(PROVIDER, [], now_ms=now_ms())).reasons}


@pytest.mark.parametrize("side", ["a", "b"])
def test_evidence_with_its_keys_proves_what_was_said_and_without_them_only_that(rest: Rest, side: str) -> None:
    folder = getattr(rest, side)
    case = rest.walked
    told(folder, "evidence", "export", case, "-o", folder / "open", "--with-materials")
    told(folder, "evidence", "export", case, "-o", folder / "sealed", "--sealed")
    whole, closed = (folder / "open").read_bytes(), (folder / "sealed").read_bytes()
    assert really("evidence", "verify", folder / "open").returncode == 0
    shut = really("evidence", "verify", folder / "sealed", "--json")
    assert shut.returncode == 2
    told_of = json.loads(shut.stdout.splitlines()[-1])
    assert {reason["code"] for reason in told_of["reasons"]} == {"content-sealed"} and told_of["grade"] == "partial"
    people = (walks.NAME, walks.CITIZEN, walks.MOBILE, walks.ADDRESS)
    assert scan(closed, "sealed evidence", people) == set() != scan(_opened(whole), "opened", people)


def _opened(data: bytes) -> bytes:
    """The bodies that a package's disclosed keys open."""
    found = [records.read_line(line) for line in data.splitlines()[:-1]]
    return b"\n".join(
        sealing.open_(wireform.decode_header(one.header), one.body, one.key).body
        for one in found
        if isinstance(one, records.MessageRecord)
    )


def test_a_disclosed_key_or_document_that_is_not_the_one_is_found_out(rest: Rest) -> None:
    told(rest.a, "evidence", "export", rest.walked, "-o", rest.a / "e", "--with-materials")
    data = (rest.a / "e").read_bytes()
    clean = _codes(_changed(data, lambda one: one))
    assert clean == {"package-unsigned"}

    def other_key(one: Any) -> Any:
        return msgspec.structs.replace(one, key=b"\1" * 16) if isinstance(one, records.MessageRecord) else one

    def short_key(one: Any) -> Any:
        return msgspec.structs.replace(one, key=b"\1" * 3) if isinstance(one, records.MessageRecord) else one

    assert "decrypt-failed" in _codes(_changed(data, other_key))
    assert "decrypt-failed" in _codes(_changed(data, short_key))


def test_destroying_the_cases_key_destroys_its_message_keys(rest: Rest) -> None:
    """P07: without the case's key neither body nor message key can be had, so evidence discloses nothing."""
    connection = sqlite3.connect(rest.b / "data" / "gateway.db")
    connection.execute("UPDATE case_file SET wrapped_key = zeroblob(60) WHERE id = ?", (rest.walked,))
    connection.commit()
    connection.close()
    assert ask(rest.b, "SELECT count(*) FROM message WHERE secret IS NOT NULL")[0][0] > 0
    out = really("evidence", "export", rest.walked, "-o", str(rest.b / "x"), "--config", str(rest.b / "tongban.toml"))
    assert out.returncode not in (0, 2) and "Traceback" not in out.stderr
