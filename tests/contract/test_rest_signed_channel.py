"""The REST channel against servers that misbehave: each outcome, and nothing that is claimed without knowing it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest

from adapters import samples
from adapters.base import Accepted, CannotAsk, NotThere, Presented, Refused, Signed, Temporary, Unclear
from adapters.registry import Platform, find_caller
from adapters.rest_signed.sign import read_scheme, split_target, verify
from signing.errors import Unavailable
from signing.sm2 import PrivateKey, Signer
from signing.sm3 import sm3
from tests.contract.platform_support import Scripted, http, scripted
from tests.unit.adapters.support import PROVIDER, open_test, toml

KEY: PrivateKey = PROVIDER.generate()
NOW = 1_740_965_400_000


def platform(kept: list[Platform], url: str, **settings: object) -> Platform:
    kept.append(
        open_test("qiaokou", url, key=KEY, timeout_ms=400, connect_timeout_ms=300, max_answer_bytes=4096, **settings)
    )
    return kept[-1]


KEPT = http(200, b'{"code":0,"bh":"A"}').replace(b"Connection: close\r\n", b"")
SENDS = [
    ("taken", http(200, b'{"code":0,"bh":"QK1"}'), Accepted("QK1")),
    ("taken, code as text", http(201, b'{"code":"0"}'), Accepted("")),
    ("taken before", http(200, b'{"code":2,"bh":"QK1"}'), Accepted("QK1")),
    ("busy by code", http(200, b'{"code":5}'), Temporary("busy-5")),
    ("refused by code", http(200, '{"code":7,"msg":"办件已办结"}'.encode()), Refused("7", "办件已办结", "refused by the platform")),
    ("refused by problem", http(422, b'{"title":"t","title_en":"e","detail":"d"}', "application/problem+json"),
     Refused("http-422", "d", "e")),
    ("refused by status and code", http(404, b'{"code":44,"msg":"m"}'), Refused("44", "m", "refused by the platform")),
    ("4xx of a proxy", http(403, b"<html>", "text/html"), Temporary("http-403")),
    ("429", http(429, b'{"code":1}'), Temporary("http-429")), ("408", http(408, b""), Temporary("http-408")),
    ("500", http(500, b'{"code":0}'), Temporary("http-500")), ("502", http(502, b""), Temporary("http-502")),
    ("503", http(503, b""), Temporary("http-503")),
    ("garbage", http(200, b"\x00\xff{", "text/html"), Unclear("answer-unreadable")),
    ("empty", http(200, b""), Unclear("answer-unreadable")), ("a list", http(200, b"[]"), Unclear("answer-unreadable")),
    ("no code", http(200, b"{}"), Unclear("answer-unreadable")),
    ("a code that is true", http(200, b'{"code":true}'), Unclear("answer-unreadable")),
    ("N01 two codes", http(200, b'{"code":7,"code":0}'), Unclear("answer-unreadable")),
    ("GBK where UTF-8 is agreed", http(200, '{"code":0,"msg":"好"}'.encode("gbk")), Unclear("answer-unreadable")),
    ("not HTTP", b"\x16\x03\x01 hello\r\n\r\n", Unclear("connection-cut")),
    ("closed without a word", b"", Unclear("connection-cut")),
    ("cut in the middle", http(200, b'{"code":0', length=500), Unclear("connection-cut")),
    ("too large", http(200, b'{"code":0,"x":"' + b"a" * 5000 + b'"}'), Unclear("answer-too-large")),
    ("answered twice", KEPT * 2, Accepted("A")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "expected"), SENDS, ids=[row[0] for row in SENDS])
async def test_send(name: str, answer: bytes, expected: object, server: Scripted, kept: list[Platform]) -> None:
    server.answer = answer
    opened = platform(kept, server.url)
    outcome = await opened.channel.send(opened.translator.outbound(samples.outbound("step")))
    assert outcome == expected
    assert len(server.requests) == 1, "a POST is never repeated by itself"


async def test_no_connection_is_temporary(kept: list[Platform]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        opened = platform(kept, f"http://127.0.0.1:{taken.getsockname()[1]}")
        outcome = await opened.channel.send(opened.translator.outbound(samples.outbound("step")))
    assert outcome == Temporary("no-connection", absent=True)


class Away:
    """A machine's key while the machine does not answer."""

    public = KEY.public

    def sign_digest(self, e: bytes) -> tuple[int, int]:
        raise Unavailable("sdf-resting", "密码机停用", "the machine rests")


async def test_L11_without_its_key_nothing_is_sent_and_the_platform_rests(
    server: Scripted, kept: list[Platform]
) -> None:
    """Not unclear: what was never sent must not wait for a person."""
    opened = platform(kept, server.url)
    channel = replace(opened.channel, signer=lambda: Signer(PROVIDER, Away()))  # type: ignore[type-var]
    outcome = await channel.send(opened.translator.outbound(samples.outbound("step")))
    assert outcome == Temporary("sdf-resting", absent=True)
    assert await channel.ask("m1") == Temporary("sdf-resting", absent=True)
    assert not server.requests


async def test_a_time_out_after_the_request_left_is_unclear(server: Scripted, kept: list[Platform]) -> None:
    server.delay, server.answer = 2.0, http(200, b'{"code":0}')
    opened = platform(kept, server.url)
    assert await opened.channel.send(opened.translator.outbound(samples.outbound("step"))) == Unclear("time-out")
    assert len(server.requests) == 1


async def test_a_redirect_is_not_followed(server: Scripted, kept: list[Platform]) -> None:
    async with scripted() as elsewhere:
        server.answer = http(307, b"", "text/plain", f"Location: {elsewhere.url}/x")
        opened = platform(kept, server.url)
        outcome = await opened.channel.send(opened.translator.outbound(samples.outbound("step")))
        assert outcome == Temporary("redirect-refused")
        assert not elsewhere.requests


ASKS = [
    ("it has it", http(200, b'{"code":0,"bh":"QK1"}'), Accepted("QK1")), ("it has not", http(404, b'{"code":404}'), NotThere()),
    ("it has not, with 200", http(200, b'{"code":404}'), NotThere()),
    ("404 of a proxy", http(404, b"<html>", "text/html"), Temporary("answer-unreadable")),
    ("500", http(500, b""), Temporary("http-500")), ("garbage", http(200, b"{"), Temporary("answer-unreadable")),
    ("another code", http(200, b'{"code":9}'), Temporary("answer-unreadable")),
    ("302", http(302, b"", "text/plain", "Location: http://127.0.0.1:9/"), Temporary("http-302")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "expected"), ASKS, ids=[row[0] for row in ASKS])
async def test_ask(name: str, answer: bytes, expected: object, server: Scripted, kept: list[Platform]) -> None:
    server.answer = answer
    assert await platform(kept, server.url).channel.ask("id/1 ?") == expected
    assert server.requests[0].startswith(b"GET /tongban/events/id%2F1%20%3F HTTP/1.1\r\n")


async def test_a_platform_that_cannot_be_asked_says_so(server: Scripted, kept: list[Platform]) -> None:
    opened = platform(kept, server.url, can_ask=False)
    assert await opened.channel.ask("x") == CannotAsk()
    assert not server.requests


async def test_what_leaves_is_signed_as_the_profile_says(server: Scripted, kept: list[Platform]) -> None:
    server.answer = http(200, b'{"code":0}')
    opened = platform(kept, server.url + "/base%20path/")
    wire = opened.translator.outbound(samples.outbound("decision"))
    await opened.channel.send(wire)
    await opened.channel.send(wire)
    scheme = read_scheme(toml("qiaokou")["signing"])
    nonces = set()
    for request in server.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        method, target, _ = first.split(" ")
        headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in rest))
        assert target == "/base%20path/tongban/events"
        assert body == wire.body, "every retry sends the frozen bytes"
        shown = Presented(method, *split_target(target), headers, sm3(body))
        outcome = verify(scheme, PROVIDER, shown, {"tongban": (KEY.public,)}, NOW, 300_000)
        assert isinstance(outcome, Signed)
        nonces.add(outcome.nonce)
    assert len(nonces) == 2


async def test_the_caller_is_found_by_its_app_id(kept: list[Platform]) -> None:
    opened = platform(kept, "http://127.0.0.1:9")
    assert find_caller([opened], [("X-QK-AppId", "qk-window")]) is opened
    assert find_caller([opened], [("x-qk-appid", "other")]) is None
    assert find_caller([opened], [("x-qk-appid", "qk-window"), ("X-Qk-Appid", "qk-window")]) is None
    assert find_caller([opened], []) is None


async def test_a_connection_that_was_closed_while_idle_is_no_doubt(server: Scripted, kept: list[Platform]) -> None:
    server.answer = KEPT  # kept, so it says, and then closed
    opened = platform(kept, server.url)
    wire = opened.translator.outbound(samples.outbound("step"))
    assert [await opened.channel.send(wire) for _ in range(3)] == [Accepted("A")] * 3


async def test_a_second_answer_does_not_pass_for_the_answer_to_the_next_question(kept: list[Platform]) -> None:
    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keeps the connection, answers every request twice, the second time a little later."""
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            await reader.readexactly(length)
            absent = b'{"code":404}'
            writer.write(KEPT if head.startswith(b"POST") else http(404, absent).replace(b"Connection: close\r\n", b""))
            await asyncio.sleep(0.02)
            writer.write(KEPT)

    server = await asyncio.start_server(twice, "127.0.0.1", 0)
    opened = platform(kept, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert await opened.channel.send(opened.translator.outbound(samples.outbound("step"))) == Accepted("A")
    await asyncio.sleep(0.1)
    assert await opened.channel.ask("another") == NotThere()
    server.close()
