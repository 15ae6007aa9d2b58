"""Materials in ranges: resumable, checked, never another's, swept when abandoned, encrypted on disk."""

from __future__ import annotations

import os
import secrets
import time

import aiohttp

from gateway.demo import world
from gateway.ids import now_ms
from signing.sm3 import sm3
from tests.flow.nodes import Running, Window, running, until

DATA = b"%PDF-1.4 " + secrets.token_bytes(300_000) + b"PLAIN-WORDS-THAT-MUST-NOT-LIE-ON-DISK"


async def test_F06_a_range_gap_is_refused_and_the_offset_told(a: Running, window: Window) -> None:
    digest = sm3(DATA).hex()
    assert (await window.put(digest, DATA[:1000], 0, len(DATA))).status == 200
    reply = await window.put(digest, DATA[2000:3000], 2000, len(DATA))
    reply.refused("TB-6001", 409)
    assert reply.headers["Upload-Offset"] == "1000"
    head = await window.call("HEAD", f"/platform/v1/materials/{digest}")
    assert head.headers["Upload-Offset"] == "1000"
    assert (await window.put(digest, DATA[:1000], 0, len(DATA))).status == 409, "an overlap is a gap too"
    assert (await window.put(digest, DATA[1000:], 1000, len(DATA))).status == 201


async def test_F05_a_wrong_digest_is_refused_and_the_upload_starts_anew(a: Running, window: Window) -> None:
    digest = sm3(b"something else").hex()
    (await window.put(digest, DATA, 0, len(DATA))).refused("TB-6002", 422)
    head = await window.call("HEAD", f"/platform/v1/materials/{digest}")
    assert head.headers["Upload-Offset"] == "0"
    assert a.one("SELECT count(*) FROM part") == 0


async def test_impossible_ranges_are_refused(a: Running, window: Window) -> None:
    digest = sm3(DATA).hex()
    path = f"/platform/v1/materials/{digest}"
    for content_range in ("bytes 0-9/5", "bytes 5-3/10", "bytes */10", "items 0-9/10", "bytes 0-99999999999999/1"):
        extra = {"content-type": "application/pdf", "content-range": content_range}
        (await window.call("PUT", path, DATA[:10], extra)).refused("TB-6005", 416)
    (await window.put(digest, b"x" * (3 << 20), 0, 3 << 20)).refused("TB-1002", 413)
    (await window.put(digest, b"x" * 10, 0, 2 << 30)).refused("TB-1002", 413)
    assert (await window.call("HEAD", "/platform/v1/materials/..%2f")).status in (400, 404)


async def test_an_upload_goes_on_after_the_gateway_was_restarted(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    import json

    digest = sm3(DATA).hex()
    settings = json.loads(places.a.platform_config.read_bytes())
    async with running(places.a) as (a,):
        assert (await Window(a, session, settings).put(digest, DATA[:100_000], 0, len(DATA))).status == 200
    path = next((places.a.folder / "data" / "parts").glob("??/*"))
    path.write_bytes(path.read_bytes() + b"\x00\x00\x40\x00torn by a crash")
    async with running(places.a) as (a,):
        window = Window(a, session, settings)
        head = await window.call("HEAD", f"/platform/v1/materials/{digest}")
        assert head.headers["Upload-Offset"] == "100000"
        assert (await window.put(digest, DATA[100_000:], 100_000, len(DATA))).status == 201
        assert b"".join(a.node.desk.parts.read("platform:window", digest)) == DATA
        assert b"".join(a.node.desk.parts.read("platform:window", digest, 99_990, 20)) == DATA[99_990:100_010]


async def test_P06_content_on_disk_is_ciphertext(a: Running, window: Window) -> None:
    papers = window.papers()
    assert (await window.upload(DATA)).status == 201
    papers["cl"] = [{"mc": "申请书", "zy": sm3(DATA).hex(), "dx": len(DATA), "gs": "application/pdf", "wjm": "a.pdf"}]
    assert (await window.hand_in(papers)).status == 200
    secrets_ = [
        b"PLAIN-WORDS",
        papers["sqr"]["zjhm"].encode(),
        papers["sqr"]["xm"].encode(),
        papers["sqr"]["sjh"].encode(),
    ]
    for path in (a.side.folder / "data").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(word in content for word in secrets_), path.name


async def test_F07_abandoned_uploads_are_swept_and_used_ones_stay(a: Running, window: Window) -> None:
    assert (await window.upload(DATA)).status == 201
    papers = window.papers()
    papers["cl"] = [{"mc": "申请书", "zy": sm3(DATA).hex(), "dx": len(DATA), "gs": "application/pdf", "wjm": "a.pdf"}]
    assert (await window.hand_in(papers)).status == 200
    for n in range(5):
        data = DATA + bytes([n])
        await window.put(sm3(data).hex(), data[:5000], 0, len(data))
    parts = a.side.folder / "data" / "parts"
    assert len(list(parts.glob("??/*"))) == 6
    assert await a.node.housekeeping.tidy() == 0, "nothing is abandoned yet"
    old = time.time() - 3 * 86_400
    for path in parts.glob("??/*"):
        os.utime(path, (old, old))
    assert await a.node.housekeeping.tidy() == 5
    assert a.one("SELECT count(*) FROM part") == 1
    assert b"".join(a.node.desk.parts.read("platform:window", sm3(DATA).hex())) == DATA


async def test_another_sender_cannot_learn_what_was_uploaded(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """No existence oracle: a partner's HEAD for a digest that our platform has uploaded says nothing is there."""
    import json

    from gateway.exchange import request as signed

    async with running(places.a, places.b, deliver=False) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        assert (await window.upload(DATA)).status == 201
        partner, us = b.node.desk.party, a.node.desk.party
        signer = b.node.rotation.signers.of("direct")()
        path = f"/exchange/v1/parts/{sm3(DATA).hex()}"
        headers = signed.sign(signer, "HEAD", path, b"", now_ms(), "cd" * 16, partner, us)
        async with session.head(a.url("exchange", path), headers=headers) as answer:
            assert (answer.status, answer.headers["Upload-Offset"], answer.headers["Upload-Complete"]) == (
                200,
                "0",
                "0",
            )


async def test_a_case_with_a_large_material_arrives_whole(places: world.World, session: aiohttp.ClientSession) -> None:
    import json

    data = DATA * 8  # 2.4 MB: several ranges
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        assert (await window.upload(data)).status == 201
        papers = window.papers()
        papers["cl"] = [
            {"mc": "申请书", "zy": sm3(data).hex(), "dx": len(data), "gs": "application/pdf", "wjm": "a.pdf"}
        ]
        case = (await window.hand_in(papers)).json["tbbh"]
        await until(lambda: b.one("SELECT state FROM case_file WHERE id = ?", case) == "received_there")
        owner = f"peer:{a.node.desk.party}"
        assert b"".join(b.node.desk.parts.read(owner, sm3(data).hex())) == data
        assert b.one("SELECT case_id FROM case_part WHERE sm3 = ?", sm3(data).hex()) == case


async def test_an_upload_caught_by_a_crash_between_its_last_byte_and_its_row_is_completed_when_asked_about(
    a: Running, window: Window
) -> None:
    digest = sm3(DATA).hex()
    a.node.desk.parts.append("platform:window", digest, 0, DATA)  # and the crash: no row, no fsync, no answer
    assert a.one("SELECT count(*) FROM part") == 0
    head = await window.call("HEAD", f"/platform/v1/materials/{digest}")
    assert (head.headers["Upload-Offset"], head.headers["Upload-Complete"]) == (str(len(DATA)), "1")
    assert a.one("SELECT size FROM part WHERE sm3 = ?", digest) == len(DATA)


async def test_one_file_serves_two_cases_and_can_be_fetched_for_each(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    import json

    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        assert (await window.upload(DATA)).status == 201
        material = {"mc": "申请书", "zy": sm3(DATA).hex(), "dx": len(DATA), "gs": "application/pdf", "wjm": "a.pdf"}
        cases = [(await window.hand_in(window.papers(cl=[material]))).json["tbbh"] for _ in range(2)]
        for case in cases:
            await until(lambda case=case: b.one("SELECT state FROM case_file WHERE id = ?", case))
        doors = next(route.handler.__self__ for route in b.node.routes["platform"])  # type: ignore[attr-defined]
        for case in cases:
            assert (await doors.chunk("hall", case, sm3(DATA).hex(), 0, 100)).data == DATA[:100]


async def test_a_file_damaged_on_disk_is_cut_off_and_never_given_as_whole(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    import json

    import pytest

    data = DATA * 8
    async with running(places.a) as (a,):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        assert (await window.upload(data)).status == 201
        material = {"mc": "申请书", "zy": sm3(data).hex(), "dx": len(data), "gs": "application/pdf", "wjm": "a.pdf"}
        assert (await window.hand_in(window.papers(cl=[material]))).status == 200
        path = f"/platform/v1/materials/{sm3(data).hex()}"
        whole = await window.call("GET", path)
        assert (whole.status, whole.body) == (200, data)
        file = next((places.a.folder / "data" / "parts").glob("??/*"))
        broken = bytearray(file.read_bytes())
        broken[-100] ^= 1
        file.write_bytes(broken)
        with pytest.raises(aiohttp.ClientPayloadError):
            await window.call("GET", path)
        file.write_bytes(b"\0" * 100)
        (await window.call("GET", path)).refused("TB-6004", 404)
