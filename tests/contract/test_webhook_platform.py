"""Callbacks against a simulated receiver in its own process, and against endpoints that are traps (attack rows A17, A18)."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from adapters import samples
from adapters.base import Accepted, CannotAsk, NotThere, Refused, Temporary, Unclear, Wire
from adapters.registry import Platform, PlatformSettings, open_platform
from adapters.webhook.channel import WebhookChannel
from tests.contract.platform_support import Sim, sim
from tests.unit.adapters.support import PROFILES, PROVIDER, signer

KEY = PROVIDER.generate()
HERE = ("127.0.0.1",)
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def opened(url: str, change: tuple[str, str] = ("", ""), lookup: Any = None, **settings: Any) -> Platform:
    """A platform of a demonstration node. ``lookup``: what names lead to."""
    text = (PROFILES / "changsha.toml").read_text("utf-8").replace(*change)
    settings = {"addresses": HERE, "timeout_ms": 20_000, "connect_timeout_ms": 20_000, **settings}
    platform = open_platform(
        PlatformSettings(id="cs", profile="changsha", base_url=url, **settings), text.encode(), {}, lambda: signer(KEY), PROVIDER,
        lambda: PROVIDER.random(16).hex(), lambda: time.time_ns() // 1_000_000, {"secret": b"s" * 32}, lab=True,
    )  # fmt: skip
    if lookup is None:
        return platform
    assert isinstance(platform.channel, WebhookChannel)
    return dataclasses.replace(platform, channel=dataclasses.replace(platform.channel, lookup=lookup))


def wire(platform: Platform, type_: str = "acceptance", **change: Any) -> Wire:
    return platform.translator.outbound(msgspec.structs.replace(samples.outbound(type_), **change))


# --- a receiver as they are -------------------------------------------------------------------------------------------


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Sim]:
    config = {
        "database": str(tmp_path / "cs.db"),
        "gateway_public_key": KEY.public.point.hex(),
        "path": "/tongban/events",
    }
    async with aiohttp.ClientSession() as session, sim("changsha.py", config, tmp_path, session) as started:
        yield started


@pytest.mark.processes
async def test_events_are_believed_and_told_apart_by_their_delivery(receiver: Sim, kept: list[Platform]) -> None:
    """The receiver checks each signature with a library of its own; the same delivery twice is one event."""
    platform = opened(f"{receiver.url}/tongban/events")
    kept.append(platform)
    sent = [wire(platform, type_, id=f"D-{type_}") for type_ in platform.translator.words.events]  # type: ignore[attr-defined]
    assert [await platform.channel.send(one) for one in sent] == [Accepted()] * len(sent)
    assert await platform.channel.send(sent[0]) == Accepted()
    state = await receiver.get("/sim/state")
    assert [(one["id"], one["event"]) for one in state["events"]] == [(one.id, one.operation) for one in sent]
    assert [one["times"] for one in state["events"]] == [2] + [1] * (len(sent) - 1) and state["refused"] == []
    assert state["events"][0]["body"]["body"] == msgspec.json.decode(sent[0].body)["body"]


@pytest.mark.processes
async def test_what_another_key_signed_or_somebody_changed_is_not_believed(receiver: Sim, kept: list[Platform]) -> None:
    platform = opened(f"{receiver.url}/tongban/events", ('label = "TONGBAN-EVENT-V1"', 'label = "TONGBAN-EVENT-V2"'))
    kept.append(platform)
    assert await platform.channel.send(wire(platform)) == Temporary("http-401")
    assert await receiver.get("/sim/state") == {"events": [], "refused": ["signature"]}


@pytest.mark.processes
async def test_answers_mean_what_they_say(receiver: Sim, kept: list[Platform]) -> None:
    """410: the endpoint is gone, the message parks with that reason; what its keeper can mend is tried again."""
    platform = opened(f"{receiver.url}/tongban/events")
    kept.append(platform)
    expected = {
        Accepted: (200, 202, 299),
        Refused: (400, 422),
        Temporary: (410, 401, 404, 408, 429, 500, 503, 301, 304),
    }
    for kind, status in [(kind, status) for kind, found in expected.items() for status in found]:
        await receiver.post("/sim/answer", status=status)
        outcome = await platform.channel.send(wire(platform, id=f"S{status}"))
        assert isinstance(outcome, kind), (status, outcome)
        if status == 410:
            assert (
                isinstance(outcome, Temporary)
                and outcome.park
                and "撤销" in outcome.reason
                and "gone" in outcome.reason
            )
    assert {one["id"] for one in (await receiver.get("/sim/state"))["events"]} == {"S200", "S202", "S299"}


@pytest.mark.processes
async def test_A18_an_answer_can_be_neither_too_large_nor_a_bomb(receiver: Sim, kept: list[Platform]) -> None:
    """A18: 100 MB, endless, gzip bomb. The status counts; the body is not read."""
    platform = opened(f"{receiver.url}/tongban/events")
    kept.append(platform)
    tracemalloc.start()
    try:
        for status, expected in ((200, Accepted()), (500, Temporary("http-500"))):
            for body in ("large", "endless", "bomb"):
                await receiver.post("/sim/answer", status=status, body=body)
                outcome = await platform.channel.send(wire(platform, id=f"B-{status}-{body}"))
                assert outcome == expected, (status, body)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.long
@pytest.mark.processes
async def test_A18_a_slow_answer_is_given_up_and_may_be_sent_again(receiver: Sim, kept: list[Platform]) -> None:
    """A18: slow. What became of it is unknown; the receiver tells repetitions, or a person decides."""
    platform = opened(f"{receiver.url}/tongban/events", timeout_ms=2000)
    stern = opened(f"{receiver.url}/tongban/events", ("repeatable = true", "repeatable = false"))
    kept.extend([platform, stern])
    await receiver.post("/sim/answer", status=204, body="slow")
    sent = wire(platform)
    assert await platform.channel.send(sent) == Unclear("time-out")
    await receiver.until(lambda state: bool(state["events"]))
    assert await platform.channel.ask(sent.id) == NotThere() and await stern.channel.ask(sent.id) == CannotAsk()
    await receiver.post("/sim/answer", status=204)
    assert await stern.channel.send(sent) == Accepted()
    [event] = (await receiver.get("/sim/state"))["events"]
    assert (event["id"], event["times"]) == (sent.id, 2)


# --- traps ------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def trap(answer: bytes | Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server on raw sockets: its port, and the heads of the requests it got."""
    seen: list[bytes] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        server.close()


def names(*found: Sequence[str]) -> tuple[Callable[[str], Awaitable[Sequence[str]]], list[str]]:
    """A resolver that answers each time with the next of these, and what it was asked."""
    asked: list[str] = []

    async def lookup(host: str) -> Sequence[str]:
        asked.append(host)
        return found[min(len(asked), len(found)) - 1]

    return lookup, asked


OK = b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n"


async def test_A17_a_redirect_to_the_inside_is_not_followed(kept: list[Platform]) -> None:
    """A17: 301, 302, 303, 307, 308 to an internal address, to another scheme, to another port."""
    async with trap(OK) as (inside, reached):
        for status in (301, 302, 303, 307, 308):
            for place in (
                f"http://127.0.0.1:{inside}/",
                "file:///etc/passwd",
                f"//127.0.0.1:{inside}/",
                "gopher://127.0.0.1/",
            ):
                head = f"HTTP/1.1 {status} X\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
                async with trap(head) as (port, seen):
                    platform = opened(f"http://127.0.0.1:{port}/e")
                    kept.append(platform)
                    assert await platform.channel.send(wire(platform)) == Temporary("redirect-refused")
                    assert len(seen) == 1
        assert reached == []


@pytest.mark.parametrize(
    "bad", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "0.0.0.0", "x"]
)
async def test_A17_a_name_that_leads_inside_gets_nothing(bad: str, kept: list[Platform]) -> None:
    """A17: one forbidden address among good ones spoils all of them."""
    async with trap(OK) as (port, seen):
        for found in ([bad], ["127.0.0.1", bad], [bad, "127.0.0.1"]):
            platform = opened(f"http://hook.example.cn:{port}/e", lookup=names(found)[0])
            kept.append(platform)
            assert await platform.channel.send(wire(platform)) == Temporary("address-not-registered", absent=True)
        assert seen == []


async def test_A17_the_name_is_asked_for_once_and_the_checked_address_is_used(kept: list[Platform]) -> None:
    """A17: DNS rebinding. The second look-up would lead elsewhere; there is none within a delivery, and the next one is judged."""
    async with trap(OK) as (port, seen):
        lookup, asked = names(["127.0.0.1"], ["127.0.0.2"])
        platform = opened(f"http://hook.example.cn:{port}/e", lookup=lookup)
        kept.append(platform)
        assert await platform.channel.send(wire(platform)) == Accepted()
        assert asked == ["hook.example.cn"] and f"host: hook.example.cn:{port}".encode() in seen[0].lower()
        assert await platform.channel.send(wire(platform)) == Temporary("address-not-registered", absent=True)
        assert len(seen) == 1


async def test_A17_without_registration_only_the_public_net_is_tried(kept: list[Platform]) -> None:
    """A17: a name of the inside without ``addresses``."""
    async with trap(OK) as (port, seen):
        platform = opened(f"http://localhost:{port}/e", addresses=())
        kept.append(platform)
        assert await platform.channel.send(wire(platform)) == Temporary("address-not-registered", absent=True)
        assert seen == []


async def test_a_name_that_leads_nowhere_or_hangs_is_absent(kept: list[Platform]) -> None:
    async def nowhere(host: str) -> Sequence[str]:
        raise OSError("no such name")

    async def hangs(host: str) -> Sequence[str]:
        await asyncio.sleep(3600)
        return []

    for lookup in (nowhere, hangs):
        platform = opened("http://hook.example.cn/e", lookup=lookup, connect_timeout_ms=300)
        kept.append(platform)
        assert await platform.channel.send(wire(platform)) == Temporary("name-not-resolved", absent=True)
    async with trap(OK) as (port, _):
        pass
    closed = opened(f"http://hook.example.cn:{port}/e", lookup=names(["127.0.0.1"])[0])
    kept.append(closed)
    assert await closed.channel.send(wire(closed)) == Temporary("no-connection", absent=True)


async def test_another_of_the_names_addresses_is_tried_where_one_is_dead(kept: list[Platform]) -> None:
    async with trap(OK) as (port, seen):
        lookup, _ = names(["127.0.0.2", "127.0.0.1"])
        platform = opened(f"http://hook.example.cn:{port}/e", lookup=lookup, addresses=("127.0.0.0/8",))
        kept.append(platform)
        assert await platform.channel.send(wire(platform)) == Accepted() and len(seen) == 1


async def endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\n")
    for number in range(1 << 20):
        writer.write(b"X-%d: %s\r\n" % (number, b"a" * 1000))
        await writer.drain()


async def endless_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(1 << 16):
        writer.write(b"H" * 65536)
        await writer.drain()


async def always_continue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(1 << 30):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(
    "answer", [silence, endless_head, endless_line, always_continue, b"", b"\x00\xff\r\n\r\n", b"HTTP/1.1 20"]
)
async def test_A18_silence_an_endless_head_or_garbage_is_unclear_within_its_time(
    answer: Any, kept: list[Platform]
) -> None:
    """A18: slow, endless, before any status counts."""
    async with trap(answer) as (port, _):
        platform = opened(f"http://127.0.0.1:{port}/e", timeout_ms=700)
        kept.append(platform)
        outcome = await asyncio.wait_for(platform.channel.send(wire(platform)), 60)
        assert isinstance(outcome, Unclear), outcome


async def test_a_shared_secret_serves_as_well(kept: list[Platform]) -> None:
    async with trap(OK) as (port, seen):
        platform = opened(f"http://127.0.0.1:{port}/e", ('algorithm = "SM2"', 'algorithm = "HMAC-SM3"'))
        kept.append(platform)
        assert await platform.channel.send(wire(platform)) == Accepted()
        signature = next(line for line in seen[0].split(b"\r\n") if line.lower().startswith(b"x-cs-signature:"))
        assert len(signature.split(b":")[1].strip()) == 64


async def test_over_tls_the_certificate_is_that_of_the_name_though_the_address_is_called(
    kept: list[Platform], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A17: who answers at the checked address still has to be the registered host."""
    trusted = ssl.create_default_context()
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusted)
    for name, expected in (
        ("hook.example.cn", Accepted()),
        ("other.example.cn", Temporary("no-connection", absent=True)),
    ):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate(tmp_path / name, name))
        trusted.load_verify_locations(tmp_path / name)
        async with trap(OK, tls=server) as (port, seen):
            platform = opened(f"https://hook.example.cn:{port}/e", lookup=names(["127.0.0.1"])[0])
            kept.append(platform)
            assert await platform.channel.send(wire(platform)) == expected and len(seen) == (expected == Accepted())


def certificate(place: Path, name: str) -> Path:
    """A certificate and its key in one PEM file, signed by itself."""
    key, named = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(named).issuer_name(named).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False).sign(key, SHA256())
    )  # fmt: skip
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    place.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return place
