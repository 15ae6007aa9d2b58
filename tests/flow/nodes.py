"""Two real gateways on real ports and real SQLite files, in one process so that a test can also look inside.

The window's requests are made here by hand from the profile's description (not with the gateway's own signing code), so a
test can bend any part of them. The other side's platform is a stub that takes everything, or misbehaves as told.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from gateway import compose, config, service
from gateway.demo import world
from gateway.keys import keyring
from signing import sm2
from signing.sm3 import sm3

PLATFORMS = Path(world.__file__).parent / "platforms"
sys.path.insert(0, str(PLATFORMS))
import qiaokou_case  # noqa: E402  (the simulated window's own papers)

PROVIDER = keyring.provider("auto", True)[0]


@dataclass
class Running:
    """A gateway that runs in this process."""

    side: world.Side
    node: compose.Node
    ports: dict[str, int]
    _runners: list[web.AppRunner]
    _tasks: list[asyncio.Task[None]]

    def url(self, listener: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[listener]}{path}"

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self.node.journal.read().all(sql, *values)

    def one(self, sql: str, *values: object) -> Any:
        row = self.node.journal.read().one(sql, *values)
        return None if row is None else row[0]

    async def stop(self) -> None:
        await service.shut_down(self.node, self._runners, self._tasks)


async def start(side: world.Side, deliver: bool = True) -> Running:
    """Start a gateway; ``deliver`` False leaves its loops out, so nothing leaves by itself."""
    node = await compose.build(config.load(side.config), side.folder)
    runners, ports = await service.listen(node)
    return Running(side, node, ports, runners, service.start(node) if deliver else [])


@asynccontextmanager
async def running(*sides: world.Side, deliver: bool = True) -> AsyncIterator[list[Running]]:
    """Gateways for the length of a test."""
    async with AsyncExitStack() as stack:
        nodes = []
        for side in sides:
            nodes.append(await start(side, deliver))
            stack.push_async_callback(nodes[-1].stop)
        yield nodes


def copy_world(template: world.World, root: Path) -> world.World:
    """A fresh copy of a template world; ports are free again once the last test has ended."""
    shutil.copytree(template.root, root)

    def moved(side: world.Side) -> world.Side:
        def under(path: Path) -> Path:
            return root / path.relative_to(template.root)

        return world.Side(side.place, under(side.folder), under(side.platform_config))

    return world.World(root, moved(template.a), moved(template.b))


@dataclass
class Window:
    """A window system that signs by the profile's words; every part can be overridden per call."""

    gateway: Running
    session: aiohttp.ClientSession
    settings: dict[str, Any]
    count: int = 0

    def papers(self, **changes: Any) -> dict[str, Any]:
        """A sound application in the window's own names, without materials unless given."""
        self.count += 1
        message: dict[str, Any] = qiaokou_case.application(
            self.settings, self.count, 1000, self.settings["items"][0]["code"]
        )
        message["cl"] = []
        return message | changes

    def headers(self, method: str, path: str, body: bytes, extra: dict[str, str], **bend: Any) -> dict[str, str]:
        """The signed headers. ``bend``: key, signer_id, time_ms, nonce, signed_body, signed_path, drop."""
        private = PROVIDER.load(int(bend.get("key", self.settings["private_key"]), 16))
        moment = str(bend.get("time_ms", time.time_ns() // 1_000_000))
        nonce = bend.get("nonce", secrets.token_hex(16))
        target, _, query = bend.get("signed_path", path).partition("?")
        covered = [f"{name}:{extra[name]}" if name in extra else name for name in ("content-type", "content-range")]
        lines = [
            "TONGBAN-SM2-V1", method, f"127.0.0.1:{self.gateway.ports['platform']}", target, query, *covered,
            sm3(bend.get("signed_body", body)).hex(), self.settings["app_id"], moment, nonce,
        ]  # fmt: skip
        signer_id = bend.get("signer_id", sm2.DEFAULT_ID)
        signature = sm2.sign(
            PROVIDER, private, "\n".join(lines).encode(), signer_id=signer_id, encoding=sm2.Encoding.RAW
        )
        shown = {
            **extra, "x-qk-appid": bend.get("app", self.settings["app_id"]), "x-qk-timestamp": moment, "x-qk-nonce": nonce,
            "x-qk-sign": signature.hex(),
        }  # fmt: skip
        shown.pop(bend.get("drop", ""), None)
        return shown

    async def call(
        self, method: str, path: str, body: bytes = b"", extra: dict[str, str] | None = None, **bend: Any
    ) -> Reply:
        headers = self.headers(method, path, body, dict(extra or {}), **bend)
        url = self.gateway.url("platform", path)
        async with self.session.request(method, url, data=body or None, headers=headers) as answer:
            return Reply(answer.status, dict(answer.headers), await answer.read())

    async def hand_in(self, message: dict[str, Any] | bytes, **bend: Any) -> Reply:
        """POST an application."""
        body = message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()
        return await self.call("POST", "/platform/v1/cases", body, {"content-type": "application/json"}, **bend)

    async def tell(self, case: str, message: dict[str, Any]) -> Reply:
        """POST an act on a case."""
        body = json.dumps(message, ensure_ascii=False).encode()
        return await self.call("POST", f"/platform/v1/cases/{case}/events", body, {"content-type": "application/json"})

    async def upload(self, data: bytes, size: int = 1 << 20, digest: str = "") -> Reply:
        """PUT a material in ranges; the last answer."""
        digest = digest or sm3(data).hex()
        for start in range(0, len(data), size):
            reply = await self.put(digest, data[start : start + size], start, len(data))
        return reply

    async def put(self, digest: str, data: bytes, start: int, total: int) -> Reply:
        extra = {"content-type": "application/pdf", "content-range": f"bytes {start}-{start + len(data) - 1}/{total}"}
        return await self.call("PUT", f"/platform/v1/materials/{digest}", data, extra)


@dataclass
class Reply:
    """An answer, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def refused(self, code: str, status: int) -> dict[str, Any]:
        """Assert a well-formed refusal of this code; its document."""
        assert self.status == status, (self.status, self.body)
        assert self.headers["Content-Type"].startswith("application/problem+json")
        document = self.json
        assert document["code"] == code, document
        for name in ("title", "title_en", "detail", "action", "trace_id"):
            assert name in document
        assert any("\u4e00" <= letter <= "\u9fff" for letter in document["title"])
        return document


@dataclass
class Hall:
    """The handling side's platform as a stub: a SOAP endpoint that takes everything, or does as told."""

    port: int
    mode: str = "ok"
    received: list[bytes] = field(default_factory=list)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post("/soap", self.handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.received.append(body)
        if self.mode == "500":
            return web.Response(status=500, text="<html>boom</html>")
        if self.mode == "garbage":
            return web.Response(body=b"\x00\xff garbage", content_type="text/xml")
        if self.mode == "drop":
            assert request.transport is not None
            request.transport.abort()
        if self.mode == "slow":
            await asyncio.sleep(30)
        return web.Response(body=b"", content_type="text/xml")


async def until(check: Any, seconds: float = 20.0) -> Any:
    """Poll until ``check()`` is true; its value. Fails when it stays false."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {check}")
