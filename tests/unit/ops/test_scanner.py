"""A scanner outside, asked in its own protocol; whatever it does, an answer or none in bounded time (F04)."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ops.scanner import Scanner
from tests.flow.clamd import WORD, clamd


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for one in data:
        yield one


@pytest.mark.parametrize(
    ("mode", "content", "verdict"),
    [
        ("ok", b"clean", "clean"),
        ("ok", WORD, "found"),
        ("limit", bytes(3 << 20), "too-large"),
        ("error", b"x", None),
        ("garbage", b"x", None),
        ("drop", b"x", None),
        ("hang", b"x", None),
    ],
)
async def test_F04_every_answer_of_a_scanner(tmp_path: Path, mode: str, content: bytes, verdict: str | None) -> None:
    async with clamd(tmp_path / "s", mode) as made:
        began = time.perf_counter()
        assert await Scanner(f"unix:{made.path}", 0.5).scan(pieces(content[:2], content[2:])) == verdict
        assert time.perf_counter() - began < 20
        if mode == "ok":
            assert made.seen == [content]


async def test_F04_an_answer_is_heard_although_the_scanner_hung_up_in_the_middle_of_a_file(tmp_path: Path) -> None:
    """It answers and hangs up while we are busy reading the next piece: our write fails before its answer is read."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "s"))
        door.listen()

        we_are_busy = threading.Event()

        def refuse() -> None:
            with door.accept()[0] as guest:
                guest.recv(4096)
                we_are_busy.wait(5)
                guest.sendall(b"INSTREAM size limit exceeded. ERROR\0")

        scanner = threading.Thread(target=refuse)
        scanner.start()

        async def busy() -> AsyncIterator[bytes]:
            yield b"a"
            we_are_busy.set()
            scanner.join()
            yield bytes(1 << 20)

        assert await Scanner(f"unix:{tmp_path / 's'}", 1).scan(busy()) == "too-large"


async def test_a_file_that_cannot_be_read_is_no_answer_of_the_scanner(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"a"
        raise OSError("gone")

    async with clamd(tmp_path / "s") as made:
        began = time.perf_counter()
        assert await Scanner(f"unix:{made.path}", 30).scan(broken()) is None and made.seen == []
        assert time.perf_counter() - began < 15, "the scanner's silence is not waited for"


async def test_a_scanner_that_failed_is_left_alone_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = Scanner(f"unix:{tmp_path / 's'}", 0.5)
    assert await scanner.scan(pieces(b"x")) is None
    async with clamd(tmp_path / "s") as made:
        assert await scanner.scan(pieces(b"x")) is None and made.seen == []
        monkeypatch.setattr("gateway.ops.scanner.REST_S", 0.0)
        scanner = Scanner(f"unix:{made.path}", 0.5)
        assert await scanner.scan(pieces(b"x")) == "clean"


async def test_over_tcp(tmp_path: Path) -> None:
    async with clamd(tmp_path / "s") as made:
        server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        assert await Scanner(f"tcp:127.0.0.1:{port}", 1).scan(pieces(b"x")) == "clean"
        server.close()
    assert await Scanner("tcp:127.0.0.1:1", 1).scan(pieces(b"x")) is None
