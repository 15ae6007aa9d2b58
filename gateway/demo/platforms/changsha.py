"""A simulated receiver of event callbacks (事件订阅方), modelled on webhooks as they are commonly done.

Not an official interface of any place. Stands alone (``python -I changsha.py --config FILE``), imports nothing of the gateway: it
checks each call with PyPI ``gmssl`` (lines joined by line feeds, SM2 with the common signer id, r||s in hex), keeps what it was
told in its own SQLite file, and tells repetitions by the delivery's id. ``POST /sim/answer`` orders what it answers with.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from aiohttp import web
from simkit import House, Records, read_config, sm3  # type: ignore[import-not-found]
from sm2sign import bare, verify  # type: ignore[import-not-found]

TABLES = "CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, n INTEGER, event TEXT, body TEXT, times INTEGER);"
COVERED = ("content-type", "x-cs-delivery", "x-cs-event")
WINDOW_MS = 300_000


def signed_lines(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
    """The lines under a call's signature. ``headers``: lower-case names."""
    path, _, query = target.partition("?")
    lines = ["TONGBAN-EVENT-V1", method, headers.get("host", "").lower(), path, query]
    lines += [f"{name}:{headers[name]}" if name in headers else name for name in COVERED]
    lines += [sm3(body).hex(), *(headers.get(f"x-cs-{name}", "") for name in ("app", "timestamp", "nonce"))]
    return "\n".join(lines).encode()


class Receiver:
    """The subscriber: what it was told, and what it answers."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.house = config, House(config)
        self.records = Records(config["database"], TABLES)
        self.public = bare(config["gateway_public_key"])
        self.nonces: set[str] = set()
        self.refused: list[str] = []
        self.answer: dict[str, Any] = {"status": 204}

    def fault(self, headers: dict[str, str], lines: bytes) -> str:
        """Why a call is not believed; "" when it is."""
        moment, nonce = headers.get("x-cs-timestamp", ""), headers.get("x-cs-nonce", "")
        if not moment.isdigit() or abs(time.time() * 1000 - int(moment)) > WINDOW_MS:
            return "time"
        if not nonce or nonce in self.nonces:
            return "nonce"
        if headers.get("x-cs-app") != self.config.get("app", "tongban"):
            return "app"
        if not verify(self.public, lines, headers.get("x-cs-signature", "")):
            return "signature"
        self.nonces.add(nonce)
        return ""

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """POST the registered path."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        why = self.fault(headers, signed_lines(request.method, request.raw_path, headers, body))
        if why:
            self.refused.append(why)
            return web.json_response({"error": why}, status=401)
        event = self.event(headers, body)
        if event is None:
            self.refused.append("event")
            return web.json_response({"error": "event"}, status=400)
        if self.answer["status"] < 300:
            self.keep(event)
        return await self.say(request)

    def event(self, headers: dict[str, str], body: bytes) -> dict[str, Any] | None:
        """What a believed call says; None where that is no event, or not the one of its headers."""
        try:
            event: dict[str, Any] = json.loads(body.decode("utf-8"))
            named = (event["id"], event["event"]) == (headers["x-cs-delivery"], headers["x-cs-event"])
        except (ValueError, KeyError, TypeError):
            return None
        return event if named else None

    def keep(self, event: dict[str, Any]) -> None:
        count = self.records.one("SELECT count(*) FROM events")
        self.records.run(
            ("INSERT INTO events VALUES (?, ?, ?, ?, 1) ON CONFLICT (id) DO UPDATE SET times = times + 1",
             (event["id"], count, event["event"], json.dumps(event, ensure_ascii=False))),
        )  # fmt: skip

    async def say(self, request: web.Request) -> web.StreamResponse:
        """What was ordered: a status, a place to go to, and a body that is ``large``, ``endless``, a ``bomb``, ``slow`` or none."""
        kind, headers = self.answer.get("body", ""), {}
        if "location" in self.answer:
            headers["Location"] = self.answer["location"]
        if kind == "bomb":
            headers["Content-Encoding"] = "gzip"
        if kind == "slow":
            await asyncio.sleep(3600)
        answer = web.StreamResponse(status=self.answer["status"], headers=headers)
        await answer.prepare(request)
        pieces = {"large": 1600, "endless": 1 << 40, "bomb": 1}.get(kind, 0)
        piece = gzip.compress(bytes(100 << 20)) if kind == "bomb" else bytes(65536)
        for _ in range(pieces):
            await answer.write(piece)
        return answer

    async def order(self, request: web.Request) -> web.Response:
        """POST /sim/answer {"status", "location", "body"}."""
        self.answer = {"status": 204} | await request.json()
        return web.json_response(self.answer)

    async def state(self, request: web.Request) -> web.Response:
        """GET /sim/state."""
        rows = self.records.rows("SELECT id, event, body, times FROM events ORDER BY n")
        events = [
            {"id": id_, "event": event, "body": json.loads(body), "times": times} for id_, event, body, times in rows
        ]
        return web.json_response({"events": events, "refused": self.refused})


def listeners(receiver: Receiver) -> tuple[web.Application, web.Application]:
    """The callback listener and the control listener."""
    outside, control = web.Application(client_max_size=1 << 20), web.Application()
    path = receiver.config.get("path", "/tongban/events")
    outside.router.add_post(path, partial(receiver.house.faults.through, handler=receiver.receive))
    control.router.add_get("/sim/state", receiver.state)
    control.router.add_post("/sim/answer", receiver.order)
    control.router.add_post("/sim/knobs", receiver.house.knobs)
    return outside, control


async def main(config: dict[str, Any]) -> None:
    """Stand until told to stop."""
    receiver = Receiver(config)
    await receiver.house.serve(*listeners(receiver), lambda: None)
    receiver.records.close()


if __name__ == "__main__":
    asyncio.run(main(read_config()))
