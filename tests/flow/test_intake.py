"""What the window hands in: taken once with a signed receipt, or refused with a clear reason and nothing half-done."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

import aiohttp
import msgspec
import pytest

from gateway.demo import world
from gateway.exchange import card as cards
from gateway.flow import post
from gateway.ledger.checkpoint import LedgerProof, check_proof, entry_digest
from gateway.web import listener as ports
from signing import sm2
from signing.sm3 import sm3
from tests.flow.nodes import PROVIDER, Reply, Running, Window, running, until


def nothing_left(a: Running) -> None:
    """A refusal leaves no case, no message, no delivery."""
    for table in ("case_file", "message", "delivery", "idempotency"):
        assert a.one(f"SELECT count(*) FROM {table}") == 0


def proof_holds(a: Running, kind: str, message: str, digest: bytes, receipt: str) -> bool:
    card = cards.read((a.side.folder / "card.json").read_bytes(), (a.side.folder / "fingerprint").read_text(), PROVIDER)
    keys = cards.public_keys(card, "checkpoint")
    proof = msgspec.json.decode(base64.b64decode(receipt), type=LedgerProof)

    def verify(key: str, data: bytes, signature: bytes) -> bool | None:
        return sm2.verify(PROVIDER, keys[key], data, signature, signer_id=sm2.DEFAULT_ID) if key in keys else None

    return check_proof(entry_digest(kind, message, digest), proof, verify=verify) is None


async def test_an_application_is_taken_with_a_receipt_that_verifies(a: Running, window: Window) -> None:
    message = window.papers()
    reply = await window.hand_in(message)
    assert reply.status == 200, reply.body
    answer = reply.json
    assert "不代表受理" in answer["sm"]
    digest = sm3(json.dumps(message, ensure_ascii=False).encode())
    assert proof_holds(a, "platform", answer["lsh"], digest, answer["hz"])
    assert not proof_holds(a, "platform", answer["lsh"], sm3(b"another"), answer["hz"])
    assert a.one("SELECT count(*) FROM case_file WHERE id = ?", answer["tbbh"]) == 1


async def test_R01_R09_the_same_application_again_gets_the_same_receipt(a: Running, window: Window) -> None:
    message = window.papers()
    first, second = (await window.hand_in(message)).json, (await window.hand_in(message)).json
    assert first == second
    assert a.one("SELECT count(*) FROM case_file") == 1


async def test_R08_a_hundred_at_once_are_taken_once(a: Running, window: Window) -> None:
    message = window.papers()
    replies = await asyncio.gather(*(window.hand_in(message) for _ in range(100)))
    assert {(reply.status, reply.json["hz"]) for reply in replies} == {(200, replies[0].json["hz"])}
    for table in ("case_file", "message", "idempotency"):
        assert a.one(f"SELECT count(*) FROM {table}") == 1


async def test_R07_the_same_number_with_other_content_is_a_conflict(a: Running, window: Window) -> None:
    message = window.papers()
    assert (await window.hand_in(message)).status == 200
    message["sqr"] = message["sqr"] | {"xm": "测试另一人"}
    (await window.hand_in(message)).refused("TB-5003", 409)
    assert a.one("SELECT count(*) FROM case_file") == 1


async def test_a_missing_signature_is_refused(a: Running, window: Window) -> None:
    (await window.hand_in(window.papers(), drop="x-qk-sign")).refused("TB-2001", 401)
    nothing_left(a)


async def test_a_wrong_key_is_refused(a: Running, window: Window) -> None:
    (await window.hand_in(window.papers(), key="1f" * 32)).refused("TB-2002", 401)
    nothing_left(a)


async def test_S15_a_wrong_signer_id_is_refused(a: Running, window: Window) -> None:
    (await window.hand_in(window.papers(), signer_id=b"ALICE123@YAHOO.COM")).refused("TB-2002", 401)


async def test_J18_a_signature_for_another_path_or_body_is_refused(a: Running, window: Window) -> None:
    (await window.hand_in(window.papers(), signed_path="/platform/v1/other")).refused("TB-2002", 401)
    (await window.hand_in(window.papers(), signed_body=b"{}")).refused("TB-2002", 401)
    nothing_left(a)


async def test_an_unknown_app_is_refused_like_a_bad_signature_class(a: Running, window: Window) -> None:
    (await window.hand_in(window.papers(), app="nobody")).refused("TB-2003", 401)


async def test_a_replayed_nonce_is_refused(a: Running, window: Window) -> None:
    nonce = "ab" * 16
    assert (await window.hand_in(window.papers(), nonce=nonce)).status == 200
    (await window.hand_in(window.papers(), nonce=nonce)).refused("TB-2005", 409)
    assert a.one("SELECT count(*) FROM case_file") == 1


@pytest.mark.parametrize("nonce", ["", "ab" * 7, "ab" * 33, "ab" * 16 + ".", "ａｂ" * 16, "ab " * 8])
async def test_R05_a_nonce_of_another_form_is_refused(a: Running, window: Window, nonce: str) -> None:
    reply = await window.hand_in(window.papers(), nonce=nonce)
    assert reply.status in (400, 401), reply.body
    nothing_left(a)


async def test_R03_a_nonce_stays_spent_over_a_restart(places: world.World, session: aiohttp.ClientSession) -> None:
    settings, nonce = json.loads(places.a.platform_config.read_bytes()), "ab" * 16
    async with running(places.a) as (a,):
        assert (
            await Window(a, session, settings).hand_in(Window(a, session, settings).papers(), nonce=nonce)
        ).status == 200
    async with running(places.a) as (a,):
        window = Window(a, session, settings, count=1)
        (await window.hand_in(window.papers(), nonce=nonce)).refused("TB-2005", 409)
        assert a.one("SELECT count(*) FROM case_file") == 1


@pytest.mark.parametrize("path", ["/admin/v1/cases", "/metrics", "/readyz", "/healthz", "/admin/v1/queues"])
@pytest.mark.parametrize("listener", ["platform", "exchange"])
async def test_O11_what_operators_ask_is_not_found_at_other_listeners(
    a: Running, session: aiohttp.ClientSession, listener: str, path: str
) -> None:
    async with session.get(a.url(listener, path)) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_R02_a_time_outside_the_window_is_refused(a: Running, window: Window, minutes: int) -> None:
    moment = time.time_ns() // 1_000_000 + minutes * 60_000
    (await window.hand_in(window.papers(), time_ms=moment)).refused("TB-2004", 401)
    nothing_left(a)


async def test_A01_an_item_outside_the_agreement_is_refused_with_its_clause_and_proof(
    a: Running, window: Window
) -> None:
    message = window.papers(sxbm="QX-TB-999")
    document = (await window.hand_in(message)).refused("TB-4103", 403)
    assert document["clause"]
    digest = sm3(sm3(json.dumps(message, ensure_ascii=False).encode()), b"TB-4103")
    assert proof_holds(a, "refused", document["message_id"], digest, document["receipt"])
    nothing_left(a)


async def test_A07_an_unknown_division_is_refused(a: Running, window: Window) -> None:
    (await window.hand_in(window.papers(bldq="999999000000"))).refused("TB-1101", 400)
    nothing_left(a)


async def test_a_division_without_an_agreement_is_refused(a: Running, window: Window) -> None:
    (await window.hand_in(window.papers(bldq="110101000000"))).refused("TB-4101", 403)


async def test_a_citizen_id_with_a_wrong_check_digit_is_refused(a: Running, window: Window) -> None:
    message = window.papers()
    number = message["sqr"]["zjhm"]
    message["sqr"]["zjhm"] = number[:-1] + ("0" if number[-1] != "0" else "1")
    document = (await window.hand_in(message)).refused("TB-1102", 400)
    assert number[:-1] not in json.dumps(document)
    nothing_left(a)


BAD_BODIES: dict[str, tuple[Any, str, int]] = {
    "too large": (b'{"a":"' + b"x" * (2 << 20) + b'"}', "TB-1002", 413),
    "broken utf-8": (b'{"bjbh":"\xff\xfe"}', "TB-1007", 400),
    "gbk instead of utf-8": ('{"bjbh":"测试"}'.encode("gbk"), "TB-1007", 400),
    "duplicate keys N01": (b'{"bjbh":"1","bjbh":"2"}', "TB-1003", 400),
    "nan N02": (b'{"bjbh":NaN}', "TB-1003", 400),
    "nesting N03": (b"[" * 5000 + b"]" * 5000, "TB-1003", 400),
    "not json N05": (b"{'a':1}", "TB-1003", 400),
    "a list N07": (b"[]", "TB-1005", 400),
    "empty": (b"", "TB-1003", 400),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_body_that_cannot_be_read_is_refused(a: Running, window: Window, name: str) -> None:
    body, code, status = BAD_BODIES[name]
    reply: Reply = await window.hand_in(body)
    reply.refused(code, status)
    nothing_left(a)


async def test_A08_N09_an_unknown_field_is_dropped_before_anything_is_signed_onward(a: Running, window: Window) -> None:
    taken = (await window.hand_in(window.papers(operatorRole="admin"))).json
    header, leaf = (await until(lambda: a.rows("SELECT header, sent_leaf FROM message WHERE sent_leaf IS NOT NULL")))[0]
    assert leaf is not None and b"operatorRole" not in header
    case, sealed = a.rows("SELECT case_id, sealed FROM message WHERE id = ?", taken["lsh"])[0]
    wrapped = a.one("SELECT wrapped_key FROM case_file WHERE id = ?", case)
    vault = a.node.desk.vault
    body = vault.open(vault.unwrap(wrapped), sealed, post.body_label(taken["lsh"]))
    assert b"operatorRole" not in body and taken["bjbh"].encode() in body


async def test_A06_a_case_of_nobody_is_not_found(a: Running, window: Window) -> None:
    (await window.call("GET", "/platform/v1/cases/1234")).refused("TB-5001", 404)
    taken = (await window.hand_in(window.papers())).json
    reply = await window.call("GET", f"/platform/v1/cases/{taken['bjbh']}")
    assert reply.json["case_id"] == taken["tbbh"]


async def test_P08_a_case_of_another_platform_looks_like_none(a: Running, window: Window) -> None:
    """Whether somebody has a case cannot be asked: the same answer, of the same size, for a case of others and for no case."""
    taken = (await window.hand_in(window.papers())).json
    for table in ("case_file", "alias"):
        (await a.node.journal.submit(lambda tx, table=table: tx.run(f"UPDATE {table} SET platform = 'other'"))).only()
    shapes = set()
    for number in (taken["bjbh"], taken["bjbh"][::-1], "1234"):
        reply = await window.call("GET", f"/platform/v1/cases/{number}")
        document = reply.refused("TB-5001", 404)
        shapes.add((tuple(document), document["title"], document["detail"], len(reply.body), tuple(reply.headers)))
    assert len(shapes) == 1


async def test_a_material_that_was_not_uploaded_is_named(a: Running, window: Window) -> None:
    data = b"%PDF-1.4 not uploaded"
    message = window.papers()
    message["cl"] = [{"mc": "申请书", "zy": sm3(data).hex(), "dx": len(data), "gs": "application/pdf", "wjm": "a.pdf"}]
    document = (await window.hand_in(message)).refused("TB-6003", 422)
    assert "申请书" in document["detail"]
    nothing_left(a)
    assert (await window.upload(data)).status == 201
    assert (await window.hand_in(message)).status == 200


@pytest.mark.parametrize("path", ["/platform/v1/../admin", "/platform//v1/cases", "/platform/v1/%2e%2e/x", "/nowhere"])
async def test_H06_strange_targets_are_refused(a: Running, window: Window, path: str) -> None:
    import asyncio

    reader, writer = await asyncio.open_connection("127.0.0.1", a.ports["platform"])
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    status = int(answer.split(b" ", 2)[1])
    assert status in (400, 404)
    assert b"problem+json" in answer


@pytest.mark.parametrize("listener", ["platform", "exchange", "admin"])
async def test_H10_headers_that_trickle_in_are_cut_off(
    places: world.World, monkeypatch: pytest.MonkeyPatch, listener: str
) -> None:
    assert ports.IDLE_S <= 30
    monkeypatch.setattr(ports, "IDLE_S", 0.5)
    async with running(places.a) as (a,), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", a.ports[listener])
        writer.write(b"GET /platform/v1/cases/1 HTTP/1.1\r\n")

        async def trickle() -> None:
            while True:
                writer.write(b"X")
                await asyncio.sleep(0.05)

        drip = asyncio.create_task(trickle())
        assert await reader.read() == b""
        drip.cancel()
        writer.close()
