"""What a partner's question or answer about a certificate is refused for: a leaf and a code each time, and nothing else happens."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
import pytest

from agreements import samples
from gateway.demo import world
from gateway.exchange import message as wireform
from gateway.exchange import sealing
from gateway.exchange.message import Header, PartRef
from gateway.flow.receive import Answered, Incoming
from gateway.flow.scans import Scans
from gateway.ids import Ids, now_ms
from gateway.problems import Refused
from gateway.store.journal import Tx
from schemas import codec
from schemas.canonical import Body
from schemas.inquiry import CertificateAnswer, CertificateQuery
from signing.sm3 import sm3
from tests.flow.nodes import Running, Window, running
from tests.flow.test_scans import PAGE, SCAN, Places, prepare

NOW = datetime.now(UTC).replace(microsecond=0)
QUERY = CertificateQuery("0" * 26, samples.INSPECTION, "测试路", "Z1", NOW)
PART = PartRef("0" * 64, 1, "", "", "")
new_id = Ids()


@pytest.fixture
def scans(a: Running) -> Scans:
    desk = a.node.desk
    return Scans(desk.party, desk.vault, desk.agreed, desk.new_id)


def incoming(a: Running, body: Body | Refused, type_: str = "certificate_query", **changes: Any) -> Incoming:
    data = b"?" if isinstance(body, Refused) else codec.encode(body)
    header = Header(
        id=new_id(), type=type_, sender=a.node.config.peer[0].id, to=a.node.desk.party, agreement=samples.AGREEMENT_ID,
        agreement_version=1, item="", case="", seq=0, seen=0, key="k", created=now_ms(), expires=now_ms() + 60_000,
        purpose=samples.INSPECTION, body=sm3(data).hex(), body_size=len(data),
    )  # fmt: skip
    header = msgspec.structs.replace(header, **changes)
    head = wireform.encode_header(header)
    return Incoming(head_of(head), head, wireform.digest(head), sealing.clear(header, data), body, b"{}", True)


def head_of(data: bytes) -> Header:
    return wireform.decode_header(data)


async def take(a: Running, scans: Scans, one: Incoming) -> Answered:
    answered: Answered = (await a.node.journal.submit(scans.take(one))).only()
    return answered


def answer(query: str) -> CertificateAnswer:
    return CertificateAnswer(query, "unknown", NOW)


BAD: dict[str, tuple[Body | Refused, str, dict[str, Any], str]] = {
    "it came too late": (QUERY, "certificate_query", {"expires": 1}, "TB-5005"),
    "no agreement of ours": (QUERY, "certificate_query", {"agreement": "XX"}, "TB-4101"),
    "a version that we never held": (QUERY, "certificate_query", {"agreement_version": 9}, "TB-4101"),
    "another purpose outside than inside": (QUERY, "certificate_query", {"purpose": "其他"}, "TB-1005"),
    "a question with files": (QUERY, "certificate_query", {"parts": (PART,)}, "TB-1005"),
    "a body that cannot be read": (Refused("TB-1003"), "certificate_query", {}, "TB-1003"),
    "an answer to nothing": (answer("0" * 26), "certificate_answer", {}, "TB-7043"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_message_is_refused_with_a_leaf_and_nothing_else(a: Running, scans: Scans, name: str) -> None:
    body, type_, changes, code = BAD[name]
    answered = await take(a, scans, incoming(a, body, type_, **changes))
    assert (answered.status, answered.problem.code if answered.problem else "") == ("refused", code)
    assert a.one("SELECT kind FROM leaf WHERE idx = ?", answered.leaf) == "refused"
    assert a.one("SELECT count(*) FROM inquiry") == 0
    assert a.rows("SELECT status, problem FROM message") == [("refused", code)]
    assert a.one("SELECT count(*) FROM delivery") == 0


async def test_a_repetition_gets_its_first_answer_and_another_content_is_a_conflict(a: Running, scans: Scans) -> None:
    first = incoming(a, QUERY)
    answered = await take(a, scans, first)
    again = await take(a, scans, first)
    assert (again.status, again.leaf, again.stored) == ("receipt", answered.leaf, True)
    other = incoming(a, QUERY, id=first.header.id, created=1)
    refused = await take(a, scans, other)
    assert refused.problem is not None and refused.problem.code == "TB-5003"
    assert a.one("SELECT count(*) FROM inquiry") == 1
    assert a.one("SELECT count(*) FROM message WHERE type = 'certificate_answer'") == 1


async def test_only_who_was_asked_answers_and_once(a: Running, scans: Scans) -> None:
    issuer = a.node.config.peer[0].id

    def nothing(_: Tx) -> None: ...

    id_ = (await a.node.journal.submit(scans.ask("window", issuer, QUERY, b"{}", nothing))).only()
    stranger = incoming(a, answer(id_), "certificate_answer", sender="110000.11110000000000000X")
    refused = await take(a, scans, stranger)
    assert refused.problem is not None and refused.problem.code == "TB-7043"
    assert (await take(a, scans, incoming(a, answer(id_), "certificate_answer"))).status == "receipt"
    late = await take(a, scans, incoming(a, answer(id_), "certificate_answer"))
    assert late.problem is not None and late.problem.code == "TB-5002"
    assert a.rows("SELECT state, outcome FROM inquiry") == [("answered", "unknown")]


async def test_a_question_that_we_heard_cannot_be_answered_by_others(a: Running, scans: Scans) -> None:
    heard = incoming(a, QUERY)
    await take(a, scans, heard)
    refused = await take(a, scans, incoming(a, answer(heard.header.id), "certificate_answer"))
    assert refused.problem is not None and refused.problem.code == "TB-7043"


async def test_the_inspector_is_told_that_the_other_gateway_refused(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    prepare(places)
    text = places.a.config.read_text("utf-8")
    places.a.config.write_text(re.sub(r"\[\[agreement\]\]\nfile = [^\n]+\n", "", text), "utf-8")
    settings = json.loads(places.a.platform_config.read_bytes())
    async with running(places.a, places.b) as (a, b):
        two = Places(a, b, Window(a, session, settings), Window(b, session, settings))
        told = (await two.scan(f"{PAGE}/v/{'0' * 26}")).json
        assert (told["state"], told["code"]) == ("refused", "TB-4101")
        assert told["reason"]
        again = (await two.inspector.call("GET", f"{SCAN}/{told['id']}")).json
        assert again == told
