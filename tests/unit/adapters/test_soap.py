"""The SOAP door: messages by foreign code and by zeep get in, attacks get a fault and nothing else happens."""

from __future__ import annotations

import json
import socket
import time
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.base import Act, Chunk, Problem, Untranslatable
from adapters.soap import envelope
from adapters.soap.door import Answer, Asked, asked, fault_answer
from adapters.soap.fault import Fault, SoapRefused, read_fault
from adapters.soap.service import Service
from adapters.soap.tree import to_bytes, to_element, to_value
from adapters.soap.versions import SOAP_11, SOAP_12, media, version_of
from adapters.soap.written import write
from adapters.soap.wsdl import build_wsdl, describe
from schemas.validate import compile_xsd
from schemas.xml import parse_xml
from tests.unit.adapters.support import LICENCE, ROOT, UNIT, XSD, soap_translator

VECTORS = json.loads((ROOT / "tests" / "vectors" / "soap" / "vectors.json").read_text("utf-8"))
NS = "urn:tongban:sample:honggutan:v1"
TRANSLATOR = soap_translator()
SERVICE = Service(TRANSLATOR, UNIT, LICENCE, XSD, 4 << 20)
RECEIPT = {
    "case_id": "420104.X/1",
    "message_id": "M1",
    "received_at": "2026-01-01T01:30:00Z",
    "receipt": "cmVj",
    "text": "已收到",
}


class Gateway:
    """A backend that notes what it is asked."""

    def __init__(self, answer: dict[str, str] | Problem | None = None) -> None:
        self.acts: list[Act] = []
        self.asked: list[Any] = []
        self.answer = RECEIPT if answer is None else answer

    async def accept(self, act: Act) -> dict[str, str] | Problem:
        self.acts.append(act)
        return self.answer

    async def material(self, case: str, sm3: str, offset: int, length: int) -> Chunk | Problem:
        self.asked.append((case, sm3, offset, length))
        return Chunk(b"\x00\xff" * 8, 1 << 21) if not isinstance(self.answer, Problem) else self.answer

    async def status(self, case: str) -> dict[str, str] | Problem:
        self.asked.append(case)
        return (
            {"case_id": case, "state": "accepted", "text": "已受理"}
            if not isinstance(self.answer, Problem)
            else self.answer
        )


def fault_of(answer: Answer) -> Fault:
    root = parse_xml(answer.body, charset=media(answer.content_type)[1]["charset"])
    fault = read_fault(root[-1][0])
    assert fault is not None, answer.body
    return fault


async def serve(vector: dict[str, str], gateway: Gateway) -> Answer:
    return await SERVICE.serve(b64decode(vector["body"]), vector["content_type"], vector["action"], gateway)


def of(expected: bool) -> list[Any]:
    return [pytest.param(v, id=v["name"]) for v in VECTORS if (v["expect"] == "ok") is expected]


@pytest.mark.parametrize("vector", of(True))
async def test_a_message_by_foreign_code_is_taken(vector: dict[str, str]) -> None:
    gateway = Gateway()
    answer = await serve(vector, gateway)
    encoding = asked(b64decode(vector["body"]), vector["content_type"], "").encoding
    assert (answer.status, answer.content_type) == (200, f"text/xml; charset={encoding}"), answer.body.decode(encoding)
    assert answer.body.startswith(f'<?xml version="1.0" encoding="{encoding}"?>'.encode())
    body = parse_xml(answer.body, charset=encoding)[-1][0]
    assert TRANSLATOR.schema.check(body) == []
    assert len(gateway.acts) + len(gateway.asked) == 1
    assert all(act.case == "420104.X/1" for act in gateway.acts)


@pytest.mark.parametrize("vector", of(False))
async def test_a_bad_message_gets_its_fault_and_does_nothing(vector: dict[str, str], monkeypatch: Any) -> None:
    connected: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: connected.append(address))
    gateway = Gateway()
    started = time.perf_counter()
    answer = await serve(vector, gateway)
    took = time.perf_counter() - started
    assert answer.status == 500
    fault = fault_of(answer)
    assert fault.code == vector["expect"] or not vector["expect"]
    assert fault.kind in ("Client", "VersionMismatch", "MustUnderstand")
    assert not gateway.acts and not gateway.asked and not connected
    assert took < 2, "an attack costs no time"
    said = answer.body.decode(media(answer.content_type)[1]["charset"])
    assert "Traceback" not in said
    assert "root:" not in said


async def test_X07_a_million_elements_are_refused_quickly() -> None:
    good = next(v for v in VECTORS if v["name"] == "UTF-8")
    body = b64decode(good["body"]).replace("审查".encode(), b"<a/>" * 250_000)
    answer = await SERVICE.serve(body, "text/xml", "", Gateway())
    assert fault_of(answer).code == "too-many"


async def test_a_body_that_is_too_large_is_refused_before_parsing() -> None:
    answer = await SERVICE.serve(b"<" * (SERVICE.max_bytes + 1), "text/xml", "", Gateway())
    assert fault_of(answer).code == "too-large"


async def test_a_fault_names_path_and_reason_in_chinese_and_not_the_value() -> None:
    good = next(v for v in VECTORS if v["name"] == "UTF-8")
    body = b64decode(good["body"]).decode().replace("2026-01-01T09:30:00", "昨天上午")
    answer = await SERVICE.serve(body.encode(), "text/xml; charset=utf-8", "", Gateway())
    fault = fault_of(answer)
    assert fault.path.endswith("SJ")
    assert "SJ" in fault.zh and "昨天上午" not in answer.body.decode()


async def test_a_refusal_of_the_gateway_becomes_a_fault_and_a_busy_one_blames_the_server() -> None:
    good = next(v for v in VECTORS if v["expect"] == "ok")
    problem = {"code": "TB-5002", "title": "办件状态不允许", "title_en": "not allowed", "detail": "已办结"}
    answer = await serve(good, Gateway(Problem(problem)))
    fault = fault_of(answer)
    assert (fault.kind, fault.code, fault.zh, fault.en) == ("Client", "TB-5002", "已办结", "not allowed")
    assert fault_of(await serve(good, Gateway(Problem(problem, busy=True)))).kind == "Server"


async def test_a_service_without_a_licence_lets_nobody_in() -> None:
    shut = Service(TRANSLATOR, "", "", XSD, 4 << 20)
    good = next(v for v in VECTORS if v["name"] == "UTF-8")
    empty = b64decode(good["body"]).decode().replace(LICENCE, "").replace(UNIT, "")
    answer = await shut.serve(empty.encode(), "text/xml", "", Gateway())
    assert fault_of(answer).code == "wrong-credential"


async def test_a_material_goes_out_in_pieces_of_at_most_a_mebibyte() -> None:
    vector = next(v for v in VECTORS if v["name"] == "CLHQ by zeep")
    gateway = Gateway()
    answer = await serve(vector, gateway)
    assert gateway.asked == [("420104.X/1", "0" * 64, 0, 1024)]
    body = parse_xml(answer.body)[-1][0]
    assert b64decode(body.findtext(f"{{{NS}}}NR") or "") == b"\x00\xff" * 8
    assert body.findtext(f"{{{NS}}}ZCD") == str(1 << 21)


def test_the_wsdl_stands_alone_and_names_every_operation() -> None:
    wsdl = parse_xml(build_wsdl(describe(TRANSLATOR.profile, TRANSLATOR.words), XSD, "https://g.example/soap"))
    names = {node.get("name") for node in wsdl.iter("{http://schemas.xmlsoap.org/wsdl/}operation")}
    assert names == {*TRANSLATOR.profile.text.operations, "CLHQ", "BJCX"}
    schema = wsdl.find(".//{http://www.w3.org/2001/XMLSchema}schema")
    assert schema is not None
    compile_xsd(etree.tostring(schema))
    assert b"https://g.example/soap" in etree.tostring(wsdl)
    assert "非官方接口" in "".join(wsdl.itertext())


def test_K03_a_fault_can_say_what_gbk_cannot() -> None:
    answer = fault_answer(Fault("Client", "c", "缺𠀀", "en", "p"), Asked(SOAP_11, "GBK"))
    assert "缺𠀀" in fault_of(answer).zh


def test_a_strangers_fault_is_read() -> None:
    text = f'<e:Fault xmlns:e="{SOAP_11.namespace}"><faultcode>e:Server.Busy</faultcode><faultstring>忙</faultstring></e:Fault>'
    fault = read_fault(parse_xml(text.encode()))
    assert fault is not None
    assert (fault.kind, fault.zh) == ("Server", "忙")
    assert read_fault(parse_xml(b"<a/>")) is None


def test_content_types() -> None:
    assert media('text/xml; charset="GBK"') == ("text/xml", {"charset": "GBK"})
    assert media("Text/XML") == ("text/xml", {})
    assert media('a/b; x="1;2" ;y=3;') == ("a/b", {"x": "1;2", "y": "3"})
    for bad in ("text/xml; charset=a; charset=b", "text/xml; charset", 'text/xml; a="x'):
        assert media(bad) == ("", {})
    assert version_of('multipart/related; start-info="application/soap+xml"; type="application/xop+xml"') is SOAP_12
    with pytest.raises(SoapRefused):
        envelope.parse(b"<a/>", "application/json", frozenset(), max_bytes=100)


# --- elements and values ----------------------------------------------------------------------------------------------

_NAMES = st.text("ABCDEFXYZ", min_size=1, max_size=4)
_TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1)
_VALUES = st.recursive(
    _TEXTS,
    lambda inner: st.dictionaries(_NAMES, inner | st.lists(inner, min_size=2, max_size=3), min_size=1, max_size=3),
    max_leaves=12,
)


@given(_VALUES, st.sampled_from(["GBK", "GB18030", "UTF-8"]))
def test_any_value_is_the_same_after_xml(value: Any, encoding: str) -> None:
    data = f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + to_bytes(to_element("urn:x", "A", value), encoding)
    assert to_value(parse_xml(data)) == value


@pytest.mark.parametrize("rare", ["\U000e0000", "\U000e0041", "𠀀", "€", "é", "\ue000", "\U0010fffd", "①", "\u2028"])
def test_K03_no_rare_character_is_lost_in_gbk(rare: str) -> None:
    data = b'<?xml version="1.0" encoding="GBK"?>' + to_bytes(to_element("urn:x", "A", f"a{rare}b"), "GBK")
    assert to_value(parse_xml(data)) == f"a{rare}b"


@pytest.mark.parametrize("bad", ["\x00", "a\x0bb", 1.5, None, b"x", "\ud800"])
def test_a_value_that_xml_cannot_hold_is_refused(bad: Any) -> None:
    with pytest.raises(Untranslatable):
        to_element("urn:x", "A", {"B": bad})


@pytest.mark.parametrize("bad", ["a b", "a>", "a:b", "{u}a", "", "1a", "a=''"])
def test_a_name_that_is_none_in_xml_is_refused(bad: str) -> None:
    for value in ({bad: "x"}, {f"@{bad}": "x"}, {"B": [{bad: {}}]}):
        with pytest.raises(Untranslatable) as told:
            to_element("urn:x", "A", value)
        assert told.value.code == "xml-name"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_judged_is_what_goes_out(text: str, attribute: str) -> None:
    """The text of an element reads back as its tree, and markup in a value stays text."""
    value = {"B": {"@c": attribute, "#": text, "D": [text, {}, True, 7]}}
    try:
        made = write("urn:x&y", "A", value, qualified=False)
    except Untranslatable as refused:
        assert refused.code == "xml-value"
        assert refused.path in ("A.B.@c", "A.B.#", "A.B.D")
        return
    b = made.element[0]
    assert (b.get("c"), b.text or "") == (attribute, text)
    assert [one.text or "" for one in b] == [text, "", "true", "7"]
    assert etree.canonicalize(made.text) == etree.canonicalize(etree.tostring(made.element, encoding="unicode"))


def test_attributes_and_the_text_beside_them_are_kept() -> None:
    assert to_value(parse_xml(b'<a><r no="1">x</r><r no="2"/></a>')) == {
        "r": [{"@no": "1", "#": "x"}, {"@no": "2", "#": ""}]
    }
