"""Raw bytes at the listeners of a running gateway (rows H01-H09, H16): refused, never served, never a 5xx, never echoed.

``./run test --all`` repeats this file with aiohttp's pure-Python parser (AIOHTTP_NO_EXTENSIONS=1), which is what a machine
without a compiled wheel uses.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.demo import world
from gateway.keys import keyring
from tests.flow import issuing

pytestmark = [pytest.mark.http, pytest.mark.processes]

CANARY = b"420104199003071234-canary"
PATH, PAGE = b"/platform/v1/cases", b"/v/AAAAAAAAAAAAAAAAAAAAAAAAAA"
HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST " + PATH + b" HTTP/1.1\r\n" + HOST + b"X-Canary: " + CANARY + b"\r\n"
GET = b"GET /platform/v1/cases/1 HTTP/1.1\r\n"

# name: (bytes, statuses that are a refusal; 0 is a closed connection without an answer)
REFUSED: dict[str, tuple[bytes, set[int]]] = {
    "H01 length and chunked": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    "H01 chunked and length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", {400}),
    "H01 two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", {400}),
    "H01 two equal lengths": (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", {400}),
    "H01 signed length": (POST + b"Content-Length: +2\r\n\r\n{}", {400}),
    "H01 length with underscore": (POST + b"Content-Length: 1_0\r\n\r\n{}", {400}),
    "H01 unknown transfer coding": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400}),
    "H01 chunked twice": (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", {400}),
    "H02 chunk size overflows": (POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", {400, 413}),
    "H02 chunk size with prefix": (POST + b"Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", {400}),
    "H02 huge chunk extension": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 100_000 + b"\r\nx\r\n0\r\n\r\n", {400, 401, 413},
    ),
    "H03 folded header": (POST + b"X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n", {400}),
    "H03 bare line feed": (b"POST " + PATH + b" HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 0\n\n", {400}),
    "H03 NUL in a value": (POST + b"X-A: a\0b\r\nContent-Length: 0\r\n\r\n", {400}),
    "H03 space before colon": (POST + b"X-A : 1\r\nContent-Length: 0\r\n\r\n", {400}),
    "H03 name that is no token": (POST + b"X(A): 1\r\nContent-Length: 0\r\n\r\n", {400}),
    "H04 HTTP/0.9": (b"GET /platform/v1/cases/1\r\n\r\n", {400, 505, 0}),
    "H04 HTTP/1.0 with chunked": (
        b"POST " + PATH + b" HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, 505},
    ),
    "H04 HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 404, 405, 505}),
    "H04 upgrade h2c": (GET + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", {400, 401, 426}),
    "H05 absolute form": (b"GET http://evil.example/platform/v1/cases/1 HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "H05 no host": (GET + b"\r\n", {400}),
    "H05 two hosts": (GET + HOST + b"Host: evil.example\r\n\r\n", {400}),
    "H06 dots": (b"GET /platform/v1/cases/../../healthz HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "H06 encoded dots": (b"GET /platform/v1/cases/%2e%2e/%2e%2e/healthz HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "H06 encoded slash": (b"GET /platform/v1/cases%2f1 HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "H06 double encoded": (b"GET /platform/v1/cases/%252e%252e/x HTTP/1.1\r\n" + HOST + b"\r\n", {400, 401}),
    "H06 overlong UTF-8": (b"GET /platform/v1/cases/%c0%ae%c0%ae/x HTTP/1.1\r\n" + HOST + b"\r\n", {400, 401}),
    "H06 backslash": (b"GET /platform/v1\\cases HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "H06 semicolon": (b"GET /platform/v1/cases/1;a=b HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "H07 header of 9 KiB": (GET + HOST + b"X-A: " + b"a" * 9216 + b"\r\n\r\n", {400, 431}),
    "H07 20,000 headers": (GET + HOST + b"X-A: b\r\n" * 20_000 + b"\r\n", {400, 401, 431, 0}),
    "H08 length above the cap": (POST + b"Content-Length: 99999999999\r\n\r\n", {413}),
    "H09 gzip bomb": (
        POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", {400, 413, 415},
    ),
    "H09 unknown encoding": (POST + b"Content-Encoding: zstd\r\nContent-Length: 2\r\n\r\n{}", {400, 415}),
    "H16 method override": (GET + HOST + b"X-HTTP-Method-Override: DELETE\r\n\r\n", {401}),
    "H16 TRACE": (b"TRACE " + PATH + b" HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404, 405, 501}),
    "H16 CONNECT": (b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404, 405, 501}),
}  # fmt: skip


@dataclass(frozen=True)
class Gate:
    """A gateway in a process of its own, its ports and its log."""

    ports: dict[str, int]
    log: Path
    pid: int


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    folder = tmp_path_factory.mktemp("gate")
    provider, _ = keyring.provider("auto", True)
    made = world.build(folder / "world", provider, datetime.now(UTC), world.Settings(tls=False))
    issuing.with_public(made.a)
    command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(made.a.config)]
    log = folder / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert process.stdout is not None
            yield Gate(json.loads(process.stdout.readline()), log, process.pid)
        finally:
            process.terminate()
            process.wait(20)


def exchange(port: int, data: bytes, patience: float = 5.0) -> tuple[int, bytes, float]:
    """Send, read until the end or until patience is over: status (0 without one), all bytes, seconds to the answer."""
    began = time.perf_counter()
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        try:
            connection.sendall(data)
            while b"\r\n\r\n" not in received:
                piece = connection.recv(65536)
                if not piece:
                    break
                received += piece
        except (TimeoutError, ConnectionError):
            pass
    status = int(received[9:12]) if received[:5] == b"HTTP/" else 0
    return status, received, time.perf_counter() - began


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """50 MB of zeros, packed."""
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packed.compress(bytes(50 << 20)) + packed.flush()


@pytest.mark.parametrize("listener", ["platform", "public"])
@pytest.mark.parametrize("name", REFUSED)
def test_raw_request_is_refused(gate: Gate, name: str, listener: str, bomb: bytes) -> None:
    data, allowed = REFUSED[name]
    if name == "H09 gzip bomb":
        data = data % len(bomb) + bomb
    if listener == "public":  # whose every address that leads nowhere is one page, and which takes nothing in
        data, allowed = data.replace(PATH, PAGE), allowed | {404, 405}
    status, received, seconds = exchange(gate.ports[listener], data)
    if (name, listener) == ("H02 chunk size overflows", "platform") and os.environ.get("AIOHTTP_NO_EXTENSIONS"):
        assert status == 0, "this parser knows no largest size: it waits, until the deadline for a body ends it"
        return
    assert status in allowed, (status, received[:300])
    assert seconds < 4, "an answer, not a hang"
    assert CANARY not in received, "the answer echoes the request"


def test_H05_a_foreign_host_reaches_nothing(gate: Gate) -> None:
    status, received, _ = exchange(gate.ports["platform"], GET + b"Host: evil.example\r\n\r\n")
    assert status in {400, 401, 421}
    assert b"evil.example" not in received


@pytest.mark.parametrize("listener", ["platform", "public"])
def test_P03_server_and_versions_are_not_told(gate: Gate, listener: str) -> None:
    for data in (
        POST + b"Content-Length: 2\r\n\r\n{}",
        b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n",
        b"garbage\r\n\r\n",
    ):
        _, received, _ = exchange(gate.ports[listener], data)
        head = received.split(b"\r\n\r\n")[0].lower()
        assert b"python/" not in head and b"aiohttp/" not in head, head


def test_H13_no_header_splitting_by_reflected_values(gate: Gate) -> None:
    path = b"/platform/v1/cases/a%0d%0aSet-Cookie:%20x=1"
    _, received, _ = exchange(gate.ports["platform"], b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    assert b"set-cookie" not in received.lower()


def test_P01_the_log_keeps_no_request_bytes(gate: Gate) -> None:
    """Runs after the rows above in this module: what they sent must not stand in the log, nor a traceback of the server."""
    exchange(gate.ports["platform"], POST + b"Content-Length: x\r\n\r\n")
    text = gate.log.read_bytes()
    assert CANARY not in text
    assert b"Traceback" not in text


def test_health_after_all_that(gate: Gate) -> None:
    status, _, _ = exchange(gate.ports["admin"], b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
    assert status == 200
    os.kill(gate.pid, 0)
