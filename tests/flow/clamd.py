"""A stand-in for clamd: the INSTREAM protocol as its manual tells it, finding one word in a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

WORD = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


@dataclass
class Clamd:
    """``mode``: ok, limit, garbage, hang, drop."""

    path: Path
    mode: str = "ok"
    seen: list[bytes] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "drop":
            writer.close()
            return
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        content = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(size)
            if self.mode == "limit":
                break
        self.seen.append(content)
        if self.mode == "hang":
            await asyncio.sleep(60)
        said = {
            "limit": b"INSTREAM size limit exceeded. ERROR\0",
            "garbage": b"?" * 5000,
            "error": b"stream: no. ERROR\0",
        }
        plain = b"stream: Eicar-Test-Signature FOUND\0" if WORD in content else b"stream: OK\0"
        writer.write(said.get(self.mode, plain))
        await writer.drain()
        writer.close()


@asynccontextmanager
async def clamd(path: Path, mode: str = "ok") -> AsyncIterator[Clamd]:
    """A scanner that listens on a Unix socket."""
    made = Clamd(path, mode)
    server = await asyncio.start_unix_server(made.handle, path)
    try:
        yield made
    finally:
        server.close()
        path.unlink(missing_ok=True)
