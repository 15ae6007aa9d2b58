"""Servers that misbehave byte by byte, a small gateway over our own doors, and the simulated platforms as processes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from adapters.base import Act, Attachment, Chunk, Interrupted, Kept, Pieces, Problem
from signing.sm3 import sm3
from tests.unit.adapters.support import ROOT, open_test

SIMS = ROOT / "gateway" / "demo" / "platforms"
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def http(status: int, body: bytes, media: str = "application/json", *more: str, length: int | None = None) -> bytes:
    """An HTTP/1.1 answer; ``length`` states another Content-Length than the body has."""
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Type: {media}",
        f"Content-Length: {len(body) if length is None else length}",
    ]
    return "\r\n".join([*lines, "Connection: close", *more]).encode() + b"\r\n\r\n" + body


class Scripted:
    """A server that reads one request per connection, notes it, and does what the script says."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.answer: bytes = b""
        self.delay = 0.0
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            self.requests.append(head + await reader.readexactly(length))
            await asyncio.sleep(self.delay)
            writer.write(self.answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """A scripted server on a free port."""
    script = Scripted()
    server = await asyncio.start_server(script.handle, "127.0.0.1", 0, limit=1 << 24)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield script
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def site(app: web.Application) -> AsyncIterator[str]:
    """An aiohttp application on a free port: its base URL."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Backend:
    """What our SOAP door asks of a gateway, kept in memory."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.materials: dict[str, bytes] = {}
        self.partial: dict[str, bytearray] = {}
        self.problem: Problem | None = None

    async def accept(self, act: Act) -> dict[str, str] | Problem:
        if self.problem is not None:
            return self.problem
        if act.id not in {known.id for known in self.acts}:
            self.acts.append(act)
        return {"case_id": act.case, "message_id": f"M{len(self.acts)}", "receipt": "cmVj", "text": "已收到"}

    async def material(self, case: str, sm3: str, offset: int, length: int) -> Chunk | Problem:
        data = self.materials.get(sm3)
        if data is None:
            return Problem({"code": "TB-6004", "title": "没有这份材料", "title_en": "no such material"})
        return Chunk(data[offset : offset + length], len(data))

    async def status(self, case: str) -> dict[str, str] | Problem:
        return {"case_id": case, "case_number": "1", "state": "accepted", "text": "已受理"}

    async def keep(self, name: str, size: int, pieces: Pieces) -> Kept | Problem:
        held = self.partial.setdefault(name, bytearray())
        async for piece in pieces(len(held)):
            held += piece
        if len(held) < size:
            raise Interrupted("附件未传完", "the file ended before its end")
        data = bytes(self.partial.pop(name))
        self.materials[digest := sm3(data).hex()] = data
        return Kept(digest, size)

    async def attachments(self, case: str, sm3: str) -> tuple[Attachment, ...] | Problem:
        found = [(digest, data) for digest, data in self.materials.items() if sm3 in ("", digest)]
        return tuple(Attachment(digest[:32], digest, len(data), "文件.pdf") for digest, data in found)


class Door:
    """A SOAP service of ours behind HTTP, with its WSDL."""

    def __init__(self, service: Any = None) -> None:
        self.backend = Backend()
        service = service or open_test("honggutan").service
        assert service is not None
        self.service = service
        self.url, self.said = "", b""

    async def post(self, request: web.Request) -> web.Response:
        headers = request.headers
        self.said = await request.read()
        answer = await self.service.serve(
            self.said, headers.get("Content-Type", ""), headers.get("SOAPAction", ""), self.backend
        )
        return web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type})

    async def get(self, request: web.Request) -> web.Response:
        return web.Response(body=self.service.wsdl(self.url), content_type="text/xml", charset="utf-8")


class Sim:
    """A simulated platform in its own process."""

    def __init__(
        self, process: asyncio.subprocess.Process, ready: dict[str, Any], session: aiohttp.ClientSession
    ) -> None:
        self.process, self.session = process, session
        self.url = f"http://127.0.0.1:{ready['port']}"
        self._control = f"http://127.0.0.1:{ready['control']}"

    async def get(self, path: str, **query: str) -> Any:
        async with self.session.get(self._control + path, params=query) as answer:
            return await answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        async with self.session.post(self._control + path, json=body) as answer:
            return await answer.json()

    async def until(self, done: Callable[[dict[str, Any]], bool], seconds: float = 20.0) -> dict[str, Any]:
        """The state once it is as wanted."""
        state: dict[str, Any] = {}
        for _ in range(int(seconds / 0.05)):
            state = await self.get("/sim/state")
            if done(state):
                return state
            await asyncio.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {state}")


@asynccontextmanager
async def sim(script: str, config: dict[str, Any], folder: Path, session: aiohttp.ClientSession) -> AsyncIterator[Sim]:
    """Start ``python -I script --config …``; it is told to stop at the end and must stop at once."""
    path = folder / f"{script}.json"
    path.write_text(json.dumps(config), "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(SIMS / script), "--config", str(path), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        yield Sim(process, json.loads(line), session)
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), 5)
