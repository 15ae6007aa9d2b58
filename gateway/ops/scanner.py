"""An antivirus scanner outside (clamd) asked about a file: INSTREAM over a Unix socket or TCP. Its protocol: the command, then
chunks of four bytes of length and the data, a chunk of length zero, one line as the answer.

Whatever goes wrong is a value in bounded time: ``None``, nobody can tell now. A scanner that failed is left alone for a
while, so that intake does not wait for it file by file.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final, Literal

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
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            log.warning("scanner_down", error=type(error).__name__)
            self._rests_until = time.monotonic() + REST_S
            return None

    async def _ask(self, pieces: AsyncIterator[bytes]) -> bytes:
        if self._scheme == "unix":
            reader, writer = await asyncio.open_unix_connection(self._where, limit=_ANSWER)
        else:
            host, _, port = self._where.rpartition(":")
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port), limit=_ANSWER)
        answer = asyncio.ensure_future(reader.readuntil(b"\0"))  # it may come before the end, where a limit is reached
        try:
            await _send(writer, pieces, answer)
            return await answer
        except asyncio.LimitOverrunError:
            raise ValueError from None
        finally:
            answer.cancel()
            writer.close()


async def _send(writer: asyncio.StreamWriter, pieces: AsyncIterator[bytes], answer: asyncio.Future[bytes]) -> None:
    writer.write(b"zINSTREAM\0")
    async for piece in pieces:
        for start in range(0, len(piece), _CHUNK):
            if answer.done():
                return
            chunk = piece[start : start + _CHUNK]
            writer.write(len(chunk).to_bytes(4, "big") + chunk)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
    writer.write(bytes(4))


def _verdict(answer: bytes) -> Verdict:
    """ValueError for an answer that is none."""
    line = answer.rstrip(b"\0\r\n ")
    if line.endswith(b": OK"):
        return "clean"
    if line.endswith(b" FOUND"):
        return "found"
    if b"size limit exceeded" in line:
        return "too-large"
    raise ValueError
