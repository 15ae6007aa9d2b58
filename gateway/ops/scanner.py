"""An antivirus scanner outside (clamd) asked about a file: INSTREAM over a Unix socket or TCP. Its protocol: the command, then
chunks of four bytes of length and the data, a chunk of length zero, one line as the answer.

Whatever goes wrong is a value in bounded time: ``None``, nobody can tell now. A scanner that failed is left alone for a
while, so that intake does not wait for it file by file.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from typing import Any, Final, Literal

import structlog

Verdict = Literal["clean", "found", "too-large"]
REST_S: Final = 10.0
_CHUNK: Final = 1 << 20
_ANSWER: Final = 4096
log = structlog.get_logger("scanner")


class Scanner:
    """``address``: ``unix:/path`` or ``tcp:host:port``; ``timeout_s``: for the whole of one file."""

    def __init__(self, address: str, timeout_s: float) -> None:
        self._scheme, _, self._where = address.partition(":")
        self._timeout = timeout_s
        self._rests_until = 0.0

    async def scan(self, pieces: AsyncIterator[bytes]) -> Verdict | None:
        """What the scanner says of the bytes; None: it cannot be asked."""
        if time.monotonic() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(self._timeout):
                return _verdict(await self._ask(pieces))
        except (OSError, TimeoutError, ValueError) as error:
            log.warning("scanner_down", error=type(error).__name__)
            self._rests_until = time.monotonic() + REST_S
            return None

    async def _ask(self, pieces: AsyncIterator[bytes]) -> bytes:
        """On a bare socket: a stream that breaks while it is written to forgets what it had still to read."""
        with await self._connected() as sock:
            sending = asyncio.create_task(_send(sock, pieces))
            answer = asyncio.create_task(_answer(sock))  # it may come before the end, where a limit is reached
            try:
                await asyncio.wait({sending, answer}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
                return await answer
            finally:
                sending.cancel()
                answer.cancel()
                await asyncio.gather(sending, answer, return_exceptions=True)

    async def _connected(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        family: int = socket.AF_UNIX
        address: Any = self._where
        if self._scheme == "tcp":
            host, _, port = self._where.rpartition(":")
            found = await loop.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
            family, address = found[0][0], found[0][4]
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        return sock


async def _send(sock: socket.socket, pieces: AsyncIterator[bytes]) -> None:
    """The whole file, or as much as is listened to: what the scanner makes of it is in its answer."""
    send = asyncio.get_running_loop().sock_sendall
    with contextlib.suppress(ConnectionError):
        await send(sock, b"zINSTREAM\0")
        async for piece in pieces:
            for start in range(0, len(piece), _CHUNK):
                chunk = piece[start : start + _CHUNK]
                await send(sock, len(chunk).to_bytes(4, "big") + chunk)
        await send(sock, bytes(4))


async def _answer(sock: socket.socket) -> bytes:
    """One line; ValueError for a connection that ends before it does, or an answer without end."""
    line = b""
    while b"\0" not in line:
        some = await asyncio.get_running_loop().sock_recv(sock, _ANSWER)
        line += some
        if not some or len(line) > _ANSWER:
            raise ValueError
    return line.partition(b"\0")[0]


def _verdict(answer: bytes) -> Verdict:
    """ValueError for an answer that is none."""
    line = answer.rstrip(b"\r\n ")
    if line.endswith(b": OK"):
        return "clean"
    if line.endswith(b" FOUND"):
        return "found"
    if b"size limit exceeded" in line:
        return "too-large"
    raise ValueError
