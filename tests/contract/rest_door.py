"""The REST door of a small gateway, whatever the platform's scheme: uploads, cases, events; with faults to order."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from adapters.base import Act, Presented, Signed
from adapters.registry import Platform
from adapters.rest_signed.sign import split_target
from signing.sm3 import sm3


class Gate:
    """The REST door of a small gateway: uploads, cases, events; with faults to order."""

    def __init__(self) -> None:
        self.platform: Platform | None = None
        self.uploads: dict[str, bytearray] = {}
        self.acts: list[Act] = []
        self.nonces: set[str] = set()
        self.fail: list[str] = []
        self.clock = asyncio.get_running_loop()

    async def check(self, request: web.Request) -> bytes:
        """The body of a request that the window really signed."""
        if self.fail and (kind := self.fail.pop(0)):
            if kind == "cut" and request.transport is not None:
                request.transport.abort()
            raise web.HTTPServiceUnavailable
        body = await request.read()
        shown = Presented(
            request.method, *split_target(request.raw_path), tuple(request.headers.items()), sm3(body), body
        )
        assert self.platform is not None
        who = self.platform.authenticate(shown, time.time_ns() // 1_000_000)
        assert isinstance(who, Signed), who
        assert who.nonce not in self.nonces
        self.nonces.add(who.nonce)
        return who.message(body)

    async def put(self, request: web.Request) -> web.Response:
        body = await self.check(request)
        kept = self.uploads.setdefault(request.match_info["sm3"], bytearray())
        unit, _, rest = request.headers["Content-Range"].partition(" ")
        first, last, total = (int(part) for part in rest.replace("/", "-").split("-"))
        assert (unit, last - first + 1) == ("bytes", len(body))
        if first != len(kept):
            return web.Response(status=409, headers={"Upload-Offset": str(len(kept))})
        kept.extend(body)
        return web.Response(status=201 if len(kept) == total else 200, headers={"Upload-Offset": str(len(kept))})

    async def head(self, request: web.Request) -> web.Response:
        await self.check(request)
        kept = self.uploads.get(request.match_info["sm3"])
        return web.Response(status=404) if kept is None else web.Response(headers={"Upload-Offset": str(len(kept))})

    async def get(self, request: web.Request) -> web.Response:
        await self.check(request)
        data = bytes(self.uploads[request.match_info["sm3"]])
        first, last = request.headers["Range"].removeprefix("bytes=").split("-")
        return web.Response(status=206, body=data[int(first) : int(last) + 1])

    def app(self) -> web.Application:
        """The paths of the door."""
        app = web.Application(client_max_size=1 << 24)
        app.router.add_put("/platform/v1/materials/{sm3}", self.put)
        app.router.add_head("/platform/v1/materials/{sm3}", self.head)
        app.router.add_get("/platform/v1/materials/{sm3}", self.get, allow_head=False)
        app.router.add_post("/platform/v1/cases", self.act)
        app.router.add_post("/platform/v1/cases/{id}/events", self.act)
        return app

    async def act(self, request: web.Request) -> web.Response:
        body = await self.check(request)
        case = request.match_info.get("id", "")
        assert self.platform is not None
        act = self.platform.translator.inbound("event" if case else "case", body, case=case)
        if act.id not in {known.id for known in self.acts}:
            self.acts.append(act)
        receipt = {"case_id": f"T/{act.case}", "message_id": "M1", "receipt": "cmVj", "text": "已收件"}
        return web.Response(body=self.platform.translator.reply_ok(act, receipt), content_type="application/json")
