"""What the two simulated platforms share (模拟平台公用): a stand-alone helper that imports nothing of the gateway.

Configuration, a SQLite file of their own, listeners with a line of JSON when they stand, faults that can be ordered over
the control port, and retries with back-off.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import random
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives import hashes

BEIJING = timezone(timedelta(hours=8))
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def sm3(data: bytes) -> bytes:
    """SM3 of these bytes; OpenSSL's through hashlib, else the one in ``cryptography``."""
    try:
        return hashlib.new("sm3", data).digest()
    except ValueError:
        running = hashes.Hash(hashes.SM3())
        running.update(data)
        return running.finalize()


def now() -> datetime:
    """Beijing time, whole seconds."""
    return datetime.now(BEIJING).replace(microsecond=0)


def read_config() -> dict[str, Any]:
    """The JSON file named after ``--config``."""
    if "--config" not in sys.argv[:-1]:
        sys.exit("usage: --config FILE.json")
    config: dict[str, Any] = json.loads(Path(sys.argv[sys.argv.index("--config") + 1]).read_text("utf-8"))
    return config


class Records:
    """The platform's own database. Every call is one transaction."""

    def __init__(self, path: str, tables: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(tables)

    def run(self, *statements: tuple[str, tuple[Any, ...]]) -> int:
        """Run statements together; how many rows the last one changed."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for sql, arguments in statements:
                changed = self._db.execute(sql, arguments).rowcount
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return changed

    def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """All rows."""
        return self._db.execute(sql, arguments).fetchall()

    def one(self, sql: str, *arguments: Any) -> Any:
        """The first column of the first row, or None."""
        row = self._db.execute(sql, arguments).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        self._db.close()


class Faults:
    """How the side that the gateway calls misbehaves: ok, dark, 500, garbage, slow, twice, drop; for ``times`` requests."""

    def __init__(self) -> None:
        self.mode, self.times, self.slow_ms = "ok", -1, 500

    def order(self, wanted: dict[str, Any]) -> None:
        """Take an order from the control port."""
        mode = wanted.get("mode", "ok")
        if mode not in {"ok", "dark", "500", "garbage", "slow", "twice", "drop"}:
            raise web.HTTPBadRequest(text="unknown mode")
        self.mode, self.times = mode, int(wanted.get("times", -1))
        self.slow_ms = int(wanted.get("slow_ms", 500))

    def _take(self) -> str:
        mode = self.mode
        if self.times > 0:
            self.times -= 1
            if self.times == 0:
                self.mode = "ok"
        return mode

    async def through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request of the gateway, well or badly. What is spoilt after the handler has happened has happened."""
        mode = self._take()
        if mode == "dark" and request.transport is not None:  # connections from before are dead too
            request.transport.abort()
            return web.Response(status=503)
        if mode == "500":
            return web.Response(status=500, text="internal error")
        await request.read()  # a caller that gives up must not undo what has arrived
        if mode == "slow":
            await asyncio.sleep(self.slow_ms / 1000)
        answer = await handler(request)
        transport = request.transport
        if mode == "drop" and transport is not None:
            transport.abort()
        if mode == "garbage":
            return web.Response(body=b"\x00\xff<html>\xb2\xe2{]", content_type="text/html")
        if mode == "twice" and transport is not None and isinstance(answer, web.Response):
            body = answer.body if isinstance(answer.body, bytes) else b""
            head = f"HTTP/1.1 {answer.status} OK\r\nContent-Type: {answer.headers.get('Content-Type', '')}\r\n"
            transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return answer


class House:
    """Two listeners, one for the gateway and one for control, and the tasks that work in between."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.faults = Faults()
        self.tasks: set[asyncio.Task[None]] = set()
        self._site: web.TCPSite | None = None
        self._runner: web.AppRunner | None = None
        self._address = ("", 0)

    def start(self, work: Awaitable[None]) -> None:
        """Run something beside the listeners."""

        async def run() -> None:
            await work

        task = asyncio.get_running_loop().create_task(run())
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            print(f"task failed: {task.exception()!r}", file=sys.stderr, flush=True)

    async def knobs(self, request: web.Request) -> web.Response:
        """POST /sim/knobs."""
        self.faults.order(await request.json())
        await (self._close() if self.faults.mode == "dark" else self._open())
        return web.json_response({"mode": self.faults.mode})

    async def _open(self) -> None:
        if self._site is None and self._runner is not None:
            self._site = web.TCPSite(self._runner, *self._address, reuse_address=True)
            await self._site.start()

    async def _close(self) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None

    async def serve(self, outside: web.Application, control: web.Application, begin: Callable[[], None]) -> None:
        """Stand until SIGTERM or SIGINT."""
        logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # connections cut on order are no news
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        self._runner = web.AppRunner(outside, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        self._address = _address(self.config.get("listen", "127.0.0.1:0"))
        await self._open()
        port = self._runner.addresses[0][1]
        self._address = (self._address[0], port)
        inside = web.AppRunner(control, access_log=None, shutdown_timeout=0.2)
        await inside.setup()
        await web.TCPSite(inside, *_address(self.config.get("control", "127.0.0.1:0"))).start()
        begin()
        print(json.dumps({"ready": True, "port": port, "control": inside.addresses[0][1]}), flush=True)
        await stop.wait()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await inside.cleanup()
        await self._runner.cleanup()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


async def pause(attempt: int) -> None:
    """Back-off with jitter: 50 ms doubling to 2 s."""
    await asyncio.sleep(min(0.05 * 2**attempt, 2.0) * random.uniform(0.5, 1.0))


def citizen_id(division: str, born: str, sequence: int) -> str:
    """A number of GB 11643-1999 with its check digit, for people who do not exist."""
    body = f"{division}{born}{sequence % 1000:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def pdf(title: str, size: int = 0) -> bytes:
    """A valid one-page PDF that shows an ASCII title; a padding stream brings it to ``size`` bytes if that is more."""
    text = f"BT /F1 16 Tf 72 720 Td ({title}) Tj ET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    bare = len(_assemble([*objects, _padding(title, 0)]))
    return _assemble([*objects, _padding(title, max(0, size - bare))])


def _padding(title: str, size: int) -> bytes:
    """Lengths and offsets are written with ten digits, so that the size of the file is known beforehand."""
    line = (title + "\n").encode("ascii")
    filling = (line * (size // len(line) + 1))[:size]
    return b"<< /Length %010d >>\nstream\n%s\nendstream" % (size, filling)


def _assemble(objects: Iterable[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%010d\n%%%%EOF\n" % (len(places) + 1, table)
    return bytes(out)
