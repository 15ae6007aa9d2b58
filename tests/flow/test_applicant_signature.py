"""The applicant's signature through the platform interface: demanded, judged on both sides, kept, and in the evidence."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from agreements import samples
from gateway.demo import world
from schemas import applicant_signature as a
from signing import certs
from signing.sm3 import sm3
from tests import pki
from tests.flow import nodes, resting
from tests.flow.nodes import PROVIDER, Running, Window, running, until
from tests.unit.core.test_applicant_signature import WRITTEN

FORM = b"%PDF-1.4 the form that was signed"
NOW = datetime.now(UTC).replace(microsecond=0)


def trusting(side: world.Side) -> None:
    """The node believes the test CA's certificates about applicants' signatures."""
    (side.folder / "certs" / "pads.pem").write_bytes(certs.to_pem(pki.root().certificate.der))
    text = side.config.read_text()
    side.config.write_text(text + '\n[applicant_signature]\nanchors = ["certs/pads.pem"]\n')


def signed(papers: dict[str, Any], **changes: Any) -> bytes:
    """A record of the papers' own applicant, signed on a pad whose system vouches for it."""
    person = papers["sqr"]
    fields: dict[str, Any] = {
        "v": 1, "signer": person["xm"], "id_number": person["zjhm"], "documents": [a.SignedFile("申请书", sm3(FORM).hex())],
        "at": NOW - timedelta(minutes=1), "where": "3 号窗口", "identity_check": "sight", "evidence": WRITTEN,
    }  # fmt: skip
    one = a.ApplicantSignature(**(fields | changes))
    signature = pki.signer("signer").sign(a.statement(one))
    certificate = pki.leaf("signer", not_after=NOW + timedelta(days=900)).der
    return a.encode(msgspec.structs.replace(one, attestation=a.Attestation(certificate, signature)))


def listed(name: str, data: bytes, media: str, **more: str) -> dict[str, Any]:
    return {"mc": name, "zy": sm3(data).hex(), "dx": len(data), "gs": media, "wjm": f"{name}.bin", **more}


async def handed_in(window: Window, make: Callable[[dict[str, Any]], bytes | None]) -> tuple[nodes.Reply, bytes]:
    papers = window.papers()
    papers["cl"] = [listed("申请书", FORM, "application/pdf")]
    await window.upload(FORM)
    record = make(papers) or b""
    if record:
        papers["cl"].append(listed("申请人签名", record, a.MEDIA_TYPE, lb=a.ROLE))
        await window.upload(record)
    return await window.hand_in(papers), record


def window_of(a_: Running, session: aiohttp.ClientSession) -> Window:
    return Window(a_, session, json.loads(a_.side.platform_config.read_bytes()))


async def test_a_signature_travels_with_the_case_and_is_in_its_evidence(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    for side in (places.a, places.b):
        trusting(side)
    async with running(places.a, places.b) as (one, other):
        reply, record = await handed_in(window_of(one, session), signed)
        case = reply.json["tbbh"]
        await until(lambda: other.one("SELECT state FROM case_file WHERE id = ?", case))
        owner = f"peer:{places.a.place.party}"
        data = b"".join(other.node.desk.parts.read(owner, sm3(record).hex()))
        assert a.decode(data).documents[0].sm3 == sm3(FORM).hex()
    out = tmp_path / "evidence.jsonl"
    assert resting.run(places.b.folder, "evidence", "export", case, "-o", out).exit_code == 0
    assert any(json.loads(line).get("role") == a.ROLE for line in out.read_bytes().splitlines())


WRONG: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "another case's": lambda papers: signed(papers, documents=[a.SignedFile("别的", "ab" * 32)]),
    "another person's": lambda papers: signed(papers, id_number="420104196001020027"),
    "altered": lambda papers: signed(papers).replace("3 号窗口".encode(), "4 号窗口".encode()),
    "not a record": lambda papers: b'{"v":1}',
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_signature_that_does_not_hold_is_refused_at_the_window(
    places: world.World, session: aiohttp.ClientSession, wrong: str
) -> None:
    trusting(places.a)
    async with running(places.a, deliver=False) as (one,):
        reply, _ = await handed_in(window_of(one, session), WRONG[wrong])
        reply.refused("TB-3011", 422)
        assert one.one("SELECT count(*) FROM case_file") == 0


async def test_the_handling_side_judges_for_itself(places: world.World, session: aiohttp.ClientSession) -> None:
    """A takes what cannot be told; B, which believes other certificates, says no with proof."""
    trusting(places.b)
    (places.b.folder / "certs" / "pads.pem").write_bytes(certs.to_pem(pki.root("stranger").certificate.der))
    async with running(places.a, places.b) as (one, other):
        reply, _ = await handed_in(window_of(one, session), signed)
        case = reply.json["tbbh"]
        await until(lambda: one.one("SELECT problem FROM message WHERE case_id = ? AND type = 'application'", case))
        assert one.one("SELECT problem FROM message WHERE case_id = ? AND type = 'application'", case) == "TB-3011"
        assert other.one("SELECT count(*) FROM case_file") == 0


async def test_an_item_that_demands_a_signature_takes_only_the_means_it_lists(
    tmp_path: Path, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F3: the item lists which means suffice."""
    plain = samples.render

    def demanding(*given: Any, **named: Any) -> bytes:
        text: bytes = plain(*given, **named)
        return text.replace(b"[[item]]\n", b'[[item]]\nsignatures = ["event_certificate", "scan"]\n')

    monkeypatch.setattr(samples, "render", demanding)
    places = world.build(tmp_path / "w", PROVIDER, datetime.now(UTC), world.Settings(pdf_bytes=3000))
    trusting(places.a)
    async with running(places.a, deliver=False) as (one,):
        window = window_of(one, session)
        reply, _ = await handed_in(window, lambda papers: None)
        assert "事件证书" in reply.refused("TB-3011", 422)["detail"]
        reply, _ = await handed_in(window, signed)
        assert "handwriting" in reply.refused("TB-3011", 422)["detail"]
        scan = a.Scan(WRITTEN.picture, "窗口员甲")
        reply, _ = await handed_in(window, lambda papers: signed(papers, evidence=scan))
        assert reply.status == 200, reply.body
