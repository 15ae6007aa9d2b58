"""The SOAP channel against servers that misbehave, in GBK and UTF-8: each outcome."""

from __future__ import annotations

import socket

import pytest

from adapters import samples
from adapters.base import Accepted, CannotAsk, NotThere, Refused, Temporary, Unclear
from adapters.registry import Platform
from schemas.xml import parse_xml
from tests.contract.platform_support import Scripted, http
from tests.unit.adapters.support import OUR_LICENCE, OUR_UNIT, open_test

NS = "urn:tongban:sample:honggutan:v1"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
GBK = "text/xml; charset=GBK"


def platform(kept: list[Platform], url: str, **settings: object) -> Platform:
    kept.append(
        open_test("honggutan", url + "/soap", timeout_ms=400, connect_timeout_ms=300, max_answer_bytes=8192, **settings)
    )
    return kept[-1]


def said(body: str, encoding: str = "GBK") -> bytes:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><s:Envelope xmlns:s="{SOAP}"><s:Body>{body}</s:Body></s:Envelope>'
    )
    return text.encode(encoding)


def answer(code: str, name: str = "SubmitCase", more: str = "") -> str:
    return f'<{name}Response xmlns="{NS}"><JG>{code}</JG>{more}</{name}Response>'


def fault(code: str, text: str = "许可证不符") -> str:
    return f"<s:Fault><faultcode>s:{code}</faultcode><faultstring>{text}</faultstring></s:Fault>"


KEPT = http(200, said(answer("0", more="<YWLSH>H1</YWLSH>")), GBK).replace(b"Connection: close\r\n", b"")
SENDS = [
    ("taken", http(200, said(answer("0", more="<YWLSH>H1</YWLSH><SM>已收到</SM>")), GBK), Accepted("H1")),
    ("taken, in UTF-8", http(200, said(answer("0", more="<YWLSH>H1</YWLSH>"), "UTF-8"), "text/xml; charset=utf-8"),
     Accepted("H1")),
    ("taken before", http(200, said(answer("1", more="<YWLSH>H1</YWLSH>")), GBK), Accepted("H1")),
    ("busy", http(200, said(answer("2")), GBK), Temporary("busy-2")),
    ("refused by code", http(200, said(answer("9", more="<SM>不予接收</SM>")), GBK), Refused("9", "不予接收", "不予接收")),
    ("a fault that blames us", http(500, said(fault("Client")), GBK), Refused("fault", "许可证不符", "许可证不符")),
    ("the same with 200", http(200, said(fault("Client.Auth")), GBK), Refused("fault", "许可证不符", "许可证不符")),
    ("a fault that blames them", http(500, said(fault("Server")), GBK), Temporary("fault-fault")),
    ("500 without a fault", http(500, b"<html>", "text/html"), Temporary("http-500")),
    ("404", http(404, b"", "text/html"), Temporary("http-404")),
    ("302", http(302, b"", "text/plain", "Location: http://127.0.0.1:9/"), Temporary("redirect-refused")),
    ("garbage", http(200, b"\x00\xff<a", GBK), Unclear("answer-unreadable")),
    ("empty", http(200, b"", GBK), Unclear("answer-unreadable")),
    ("JSON", http(200, b'{"JG":"0"}', "application/json"), Unclear("answer-unreadable")),
    ("the answer to something else", http(200, said(answer("0", "Withdraw")), GBK), Unclear("answer-unreadable")),
    ("not valid by the XSD", http(200, said(answer("0", more="<XX/>")), GBK), Unclear("answer-unreadable")),
    ("X01 a DOCTYPE", http(200, said(answer("0")).replace(b"?>", b"?><!DOCTYPE x>", 1), GBK), Unclear("answer-unreadable")),
    ("GBK said, UTF-8 sent", http(200, said(answer("0", more="<SM>好好好</SM>"), "UTF-8"), GBK), Unclear("answer-unreadable")),
    ("cut", http(200, said(answer("0"))[:80], GBK, length=400), Unclear("connection-cut")),
    ("closed", b"", Unclear("connection-cut")),
    ("too large", http(200, said(answer("0", more="<SM>" + "好" * 9000 + "</SM>")), GBK), Unclear("answer-too-large")),
    ("twice", KEPT * 2, Accepted("H1")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "reply", "expected"), SENDS, ids=[row[0] for row in SENDS])
async def test_send(name: str, reply: bytes, expected: object, server: Scripted, kept: list[Platform]) -> None:
    server.answer = reply
    opened = platform(kept, server.url)
    assert await opened.channel.send(opened.translator.outbound(samples.outbound("application"))) == expected
    assert len(server.requests) == 1


async def test_no_connection_is_temporary(kept: list[Platform]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        opened = platform(kept, f"http://127.0.0.1:{taken.getsockname()[1]}")
        outcome = await opened.channel.send(opened.translator.outbound(samples.outbound("arrival")))
    assert outcome == Temporary("no-connection", absent=True)


async def test_a_time_out_after_the_request_left_is_unclear(server: Scripted, kept: list[Platform]) -> None:
    server.delay, server.answer = 2.0, http(200, said(answer("0")), GBK)
    opened = platform(kept, server.url)
    outcome = await opened.channel.send(opened.translator.outbound(samples.outbound("application")))
    assert outcome == Unclear("time-out")


async def test_what_leaves_is_gbk_with_the_credential_and_the_frozen_body(
    server: Scripted, kept: list[Platform]
) -> None:
    server.answer = http(200, said(answer("0")), GBK)
    opened = platform(kept, server.url)
    wire = opened.translator.outbound(samples.outbound("application"))
    assert OUR_LICENCE.encode() not in wire.body, "frozen bytes hold no secret"
    await opened.channel.send(wire)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"content-type: text/xml; charset=gbk" in head.lower()
    assert f'soapaction: "{NS}/submitcase"'.encode() in head.lower()
    assert wire.body in body
    root = parse_xml(body, charset="GBK")
    assert [root.findtext(f".//{{{NS}}}{name}") for name in ("DWBM", "XKZ")] == [OUR_UNIT, OUR_LICENCE]


ASKS = [
    ("it has it", http(200, said(answer("0", "QueryCase", "<YWLSH>H1</YWLSH>")), GBK), Accepted("H1")),
    ("it has not", http(200, said(answer("4", "QueryCase")), GBK), NotThere()),
    ("another code", http(200, said(answer("9", "QueryCase")), GBK), Temporary("answer-9")),
    ("a fault", http(500, said(fault("Client")), GBK), Temporary("fault-fault")),
    ("garbage", http(200, b"x", GBK), Temporary("answer-unreadable")), ("closed", b"", Temporary("connection-cut")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "reply", "expected"), ASKS, ids=[row[0] for row in ASKS])
async def test_ask(name: str, reply: bytes, expected: object, server: Scripted, kept: list[Platform]) -> None:
    server.answer = reply
    assert await platform(kept, server.url).channel.ask("L1") == expected


async def test_a_platform_that_cannot_be_asked_says_so(server: Scripted, kept: list[Platform]) -> None:
    opened = platform(kept, server.url, can_ask=False)
    assert await opened.channel.ask("L1") == CannotAsk()
    assert not server.requests
