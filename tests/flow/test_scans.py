"""A certificate issued in one place and scanned in another (W7): the issuer knows at once, the inspector sees what is agreed."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
import pytest
from click.testing import CliRunner

from agreements import samples
from gateway.cli import root
from gateway.config import ConfigError
from gateway.core.ecert import State
from gateway.demo import world
from gateway.exchange import message as wireform
from gateway.flow import inquiries
from gateway.ledger.checkpoint import LedgerProof, check_proof, entry_digest
from signing.ecert import Holder
from tests.flow import issuing
from tests.flow.nodes import Reply, Running, Window, running, until
from tests.unit.public.shown import NAME, NUMBER, metadata

PAGE = "https://zz.issuer.example"
SCAN = "/platform/v1/certificates/scan"


def run(*arguments: str, code: int = 0) -> dict[str, Any]:
    """One command of ours; its JSON."""
    done = CliRunner().invoke(root, arguments)
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    return found


@dataclass
class Places:
    """Issuer A with its window; inspector B with its own; both windows sign alike."""

    a: Running
    b: Running
    issuer: Window
    inspector: Window

    async def issue(self, **changes: object) -> tuple[str, str]:
        """A certificate that A's window had issued; its id and the address in its QR code."""
        of = metadata(**({"type_code": samples.LICENCE} | changes))
        certificate, token = await issuing.put(self.a.node.journal, self.a.node.desk.vault, of)
        return certificate, f"{PAGE}/v/{token}"

    async def scan(self, qr: str, **changes: object) -> Reply:
        """B's inspector scans."""
        body = {"qr": qr, "purpose": samples.INSPECTION, "place": "测试路检查点", "officer": "Z017"} | changes
        return await self.inspector.call("POST", SCAN, json.dumps(body).encode(), {"content-type": "application/json"})

    async def seen(self, after: int = 0, wait: int = 0) -> list[dict[str, object]]:
        """What A's platform learns of scans."""
        reply = await self.issuer.call("GET", f"{SCAN}s?after={after}&wait={wait}")
        assert reply.status == 200, reply.body
        found: list[dict[str, object]] = reply.json["scans"]
        return found


def prepare(places: world.World) -> None:
    """A's pages are known to B, and B has a window system of its own."""
    issuing.with_public(places.a, f'url = "{PAGE}"\n')
    text = places.b.config.read_text("utf-8").replace('crl = "peer.crl"', f'crl = "peer.crl"\npublic = "{PAGE}"')
    block = places.a.config.read_text("utf-8").split("[[platform]]")[1].split("[[")[0]
    places.b.config.write_text(f"{text}\n[[platform]]{block}", "utf-8")


@pytest.fixture
async def two(places: world.World, session: aiohttp.ClientSession) -> AsyncIterator[Places]:
    prepare(places)
    settings = json.loads(places.a.platform_config.read_bytes())
    async with running(places.a, places.b) as (a, b):
        yield Places(a, b, Window(a, session, settings), Window(b, session, settings))


async def test_W7_a_scan_elsewhere_is_in_the_issuers_record_within_seconds(two: Places) -> None:
    certificate, qr = await two.issue(number="硚建渣字第7号")
    began = time.monotonic()
    reply = await two.scan(qr)
    assert reply.status == 200, reply.body
    told = reply.json
    assert (told["state"], told["outcome"], told["standing"], told["valid"]) == ("answered", "released", "valid", True)
    assert [(one["name"], one["value"]) for one in told["fields"]] == [("ZZBH", "硚建渣字第7号"), ("CZZT", NAME)]
    assert NUMBER not in str(told), "the line does not name the holder's code"
    assert "无名路" not in str(told)
    (event,) = await two.seen()
    assert time.monotonic() - began < 20
    assert (event["officer"], event["place"], event["purpose"], event["by"], event["outcome"]) == (
        "Z017", "测试路检查点", samples.INSPECTION, two.b.side.place.party, "released",
    )  # fmt: skip
    assert two.a.one("SELECT count(*) FROM inquiry WHERE certificate = ? AND side = 'heard'", certificate) == 1


async def test_W7_question_and_answer_are_proved_in_both_ledgers(two: Places) -> None:
    _, qr = await two.issue()
    id_ = (await two.scan(qr)).json["id"]
    answer = two.a.one("SELECT id FROM message WHERE type = 'certificate_answer'")
    await until(lambda: two.a.one("SELECT state FROM delivery WHERE message = ?", answer) == "delivered")
    for asked, heard, message in ((two.b, two.a, id_), (two.a, two.b, answer)):
        header, receipt, leaf = asked.rows("SELECT header, receipt, sent_leaf FROM message WHERE id = ?", message)[0]
        found = wireform.decode_header(header)
        assert (found.case, found.seq, found.sealed is not None) == ("", 0, True)
        digest = wireform.digest(header)
        partner = asked.node.cards.clients[heard.side.place.party]._partner
        proof = msgspec.json.decode(receipt, type=LedgerProof)
        assert check_proof(entry_digest("accepted", message, digest), proof, verify=partner.verify) is None
        sent = entry_digest("sent", message, digest)
        assert asked.one("SELECT entry FROM leaf WHERE idx = ?", leaf) == sent
        assert heard.one("SELECT entry FROM leaf WHERE message = ? AND kind = 'accepted'", message) == entry_digest(
            "accepted", message, digest
        )


async def test_W7_a_revoked_certificate_stops_everywhere(two: Places, session: aiohttp.ClientSession) -> None:
    certificate, qr = await two.issue()
    await issuing.move(two.a.node.journal, certificate, State.REVOKED)
    told = (await two.scan(qr)).json
    assert (told["standing"], told["valid"], told["text"]) == ("revoked", False, "已撤销")
    async with session.get(two.a.url("public", qr.removeprefix(PAGE))) as answer:
        assert "已撤销" in await answer.text()


async def test_W7_what_is_not_agreed_is_withheld_with_its_clause_and_known_all_the_same(two: Places) -> None:
    _, qr = await two.issue(type_code="11100000000013338W999")
    told = (await two.scan(qr)).json
    assert (told["outcome"], told["code"]) == ("withheld", "TB-7011")
    assert told["clause"] and told["reason"]
    assert not {"fields", "standing", "type_name", "permits"} & told.keys()
    assert [one["outcome"] for one in await two.seen()] == ["withheld"]
    reply = await two.scan(qr, purpose="好奇")
    assert reply.refused("TB-4109", 403)["clause"]
    assert len(await two.seen()) == 1, "what our own agreement refuses is not even asked"


async def test_what_no_message_can_carry_is_withheld_and_the_standing_told(two: Places) -> None:
    """A text of an older system with a bidirectional override: the inspector is answered all the same."""
    _, qr = await two.issue(number="渣运\u202e1号")
    told = (await two.scan(qr)).json
    assert (told["outcome"], told["code"], told["standing"]) == ("withheld", "TB-1005", "valid")
    assert "fields" not in told


async def test_a_code_that_nobody_issued_and_one_that_leads_nowhere(two: Places) -> None:
    assert (await two.scan(f"{PAGE}/v/{'0' * 26}")).json["outcome"] == "unknown"
    (await two.scan("https://elsewhere.example/v/" + "0" * 26)).refused("TB-7042", 422)
    (await two.scan(f"{PAGE}/v/short")).refused("TB-1005", 400)
    for bad in (b'{"qr":1}', b'{"qr":"x","qr":"y"}', b"[" * 10_000, b"\xff"):
        reply = await two.inspector.call("POST", SCAN, bad, {"content-type": "application/json"})
        assert reply.status == 400 and reply.json["code"].startswith("TB-10")
    (await two.inspector.call("GET", f"{SCAN}/{'0' * 26}")).refused("TB-7043", 404)


async def test_our_own_inspector_sees_all_and_is_recorded_too(two: Places) -> None:
    _, qr = await two.issue()
    body = {"qr": qr, "purpose": "巡查", "place": "测试路", "officer": "A001"}
    reply = await two.issuer.call("POST", SCAN, json.dumps(body).encode(), {"content-type": "application/json"})
    assert {one["name"] for one in reply.json["fields"]} == {"ZZBH", "CZZT", "CZZTDM", "KZ_ADDR"}
    assert [one["officer"] for one in await two.seen()] == ["A001"]


async def test_another_platform_of_the_issuer_sees_no_more_than_the_public(two: Places) -> None:
    certificate, qr = await two.issue()
    await two.a.node.journal.submit(
        lambda tx: tx.run("UPDATE certificate SET platform = 'bureau' WHERE id = ?", certificate)
    )
    body = {"qr": qr, "purpose": "巡查", "place": "测试路", "officer": "A001"}
    told = (await two.issuer.call("POST", SCAN, json.dumps(body).encode(), {"content-type": "application/json"})).json
    assert (told["outcome"], told["standing"]) == ("released", "valid")
    assert "fields" not in told
    assert await two.seen() == [], "and the scan is told to the platform that had it issued"


async def test_the_feed_goes_on_from_where_it_was_and_waits(two: Places) -> None:
    import asyncio

    _, qr = await two.issue()
    waiting = asyncio.create_task(two.seen(0, wait=8))
    await asyncio.sleep(0.2)
    await two.scan(qr)
    (first,) = await waiting
    await two.scan(qr, officer="Z018")
    assert [one["officer"] for one in await two.seen(int(str(first["leaf"])))] == ["Z018"]
    assert await two.inspector.call("GET", f"{SCAN}s?after=0") is not None
    (await two.issuer.call("GET", f"{SCAN}s?after=-1")).refused("TB-1005", 400)


async def test_nobody_scans_without_signing_and_no_call_counts_twice(two: Places) -> None:
    _, qr = await two.issue()
    body = json.dumps({"qr": qr, "purpose": samples.INSPECTION, "place": "某地", "officer": "Z1"}).encode()
    extra = {"content-type": "application/json"}
    (await two.inspector.call("POST", SCAN, body, extra, drop="x-qk-sign")).refused("TB-2001", 401)
    assert (await two.inspector.call("POST", SCAN, body, extra, nonce="a" * 32)).status == 200
    (await two.inspector.call("POST", SCAN, body, extra, nonce="a" * 32)).refused("TB-2005", 409)


async def test_W7_an_issuer_that_is_away_answers_later(
    places: world.World, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.scans.ANSWER_S", 0.3)
    prepare(places)
    settings = json.loads(places.a.platform_config.read_bytes())
    async with running(places.b) as (b,):
        inspector = Window(b, session, settings)
        async with running(places.a, deliver=False) as (a,):
            one = Places(a, b, Window(a, session, settings), inspector)
            _, qr = await one.issue()
        reply = await one.scan(qr)
        assert (reply.status, reply.json["state"]) == (202, "pending")
        id_ = reply.json["id"]
        async with running(places.a):
            await until(lambda: b.one("SELECT state FROM inquiry WHERE id = ?", id_) == "answered")
        told = (await inspector.call("GET", f"{SCAN}/{id_}")).json
        assert (told["state"], told["outcome"]) == ("answered", "released")


async def test_what_is_kept_of_a_scan_is_sealed(two: Places) -> None:
    _, qr = await two.issue(holder=Holder(NAME, NUMBER, "111"))
    await two.scan(qr)
    for side in (two.a, two.b):
        for column in ("question", "answer"):
            (data,) = side.rows(f"SELECT {column} FROM inquiry")[0]
            assert data
            assert NAME.encode() not in data and b"Z017" not in data
    row = inquiries.load(two.b.node.journal.read(), two.b.one("SELECT id FROM inquiry"))
    assert row is not None
    assert "Z017" in str(inquiries.read(two.b.node.desk.vault, row, "certificate_query"))


async def test_two_parties_cannot_have_one_address(places: world.World) -> None:
    prepare(places)
    with places.b.config.open("a") as config:
        config.write(f'\n[public]\nurl = "{PAGE}"\n')
    with pytest.raises(ConfigError, match="one address"):
        async with running(places.b):
            raise AssertionError("it must not start")


async def test_an_operator_sees_who_scanned(two: Places) -> None:
    _, qr = await two.issue()
    await two.scan(qr)
    identifier = two.a.one("SELECT identifier FROM certificate")
    config = ("--config", str(two.a.side.config), "--json")
    for arguments in ((identifier,), ()):
        (one,) = run("ecert", "scans", *arguments, *config)["scans"]
        assert (one["officer"], one["place"], one["outcome"]) == ("Z017", "测试路检查点", "released")
        assert (one["by"], one["identifier"]) == (two.b.side.place.party, identifier)
    assert run("ecert", "scans", "1.2.3", *config, code=1)["code"] == "TB-7001"
    messages = run("msg", "list", *config)["messages"]
    assert {message["type"] for message in messages} == {"certificate_query", "certificate_answer"}
    for message in messages:
        shown = run("msg", "show", message["id"], "--reveal", "--reason", "核对查验", *config)
        assert shown["body"].get("officer", "Z017") == "Z017" and shown["header"]["case"] == ""
    assert run("doctor", "--offline", *config)["ok"]
