"""Baseline: the gateway one would write first. aiohttp, a signature check, one SQLite commit per message, a signed receipt.

``--sm2 gmssl`` is PyPI gmssl with SQLite as it comes; ``--sm2 libcrypto`` is ctypes to libcrypto with WAL and
synchronous=FULL. With ``--peer URL`` each accepted message is signed again and sent to a second one of the same kind, which
verifies, commits and signs its receipt; that receipt is checked and stored. Nothing of ours is imported.

POST /cases: JSON body; headers X-Key, X-Time, X-Nonce, X-Signature over method, path, SM3 of the body, time and nonce.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sqlite3
import time

import aiohttp
from aiohttp import web

from tests.bench import serve
from tests.bench.sm2_plain import Sm2, make

SCHEMA = """
CREATE TABLE message(id TEXT PRIMARY KEY, key TEXT NOT NULL, nonce TEXT NOT NULL, body BLOB NOT NULL, receipt TEXT NOT NULL,
                     far TEXT, UNIQUE(key, nonce))
"""


def canonical(method: str, path: str, digest: str, at: str, nonce: str) -> bytes:
    return "\n".join([method, path, digest, at, nonce]).encode()


class Plain:
    """The whole gateway: one object, one database connection, one commit per message."""

    def __init__(self, sm2: Sm2, database: str, wal: bool, peer: str, trusted: list[str]) -> None:
        self.sm2, self.peer, self.trusted = sm2, peer, set(trusted)
        self.db = sqlite3.connect(database)
        if wal:
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=FULL")
        self.db.execute(SCHEMA)
        self.received = self.delivered = 0
        self.queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def accept(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = request.headers
        digest = self.sm2.digest(body)
        signed = canonical("POST", request.path, digest, headers["X-Time"], headers["X-Nonce"])
        if self.trusted and headers["X-Key"] not in self.trusted:
            return web.json_response({"error": "unknown key"}, status=401)
        if abs(time.time() - float(headers["X-Time"])) > 300:
            return web.json_response({"error": "time"}, status=401)
        key = headers["X-Key"].replace("|", "\n")
        if not self.sm2.verify(key, signed, headers["X-Signature"]):
            return web.json_response({"error": "signature"}, status=401)
        case = json.loads(body)
        receipt = {"id": case["case_number"], "digest": digest, "at": time.time()}
        receipt["signature"] = self.sm2.sign(json.dumps(receipt, sort_keys=True).encode())
        try:
            with self.db:
                self.db.execute(
                    "INSERT INTO message(id, key, nonce, body, receipt) VALUES (?,?,?,?,?)",
                    (case["case_number"], headers["X-Key"], headers["X-Nonce"], body, json.dumps(receipt)),
                )
        except sqlite3.IntegrityError:
            return web.json_response({"error": "duplicate"}, status=409)
        self.received += 1
        if self.peer:
            self.queue.put_nowait((case["case_number"], body))
        return web.json_response(receipt, status=201)

    async def forward(self, session: aiohttp.ClientSession, peer_key: str) -> None:
        while True:
            number, body = await self.queue.get()
            at, nonce = str(time.time()), secrets.token_hex(16)
            signature = self.sm2.sign(canonical("POST", "/cases", self.sm2.digest(body), at, nonce))
            headers = {
                "X-Key": self.sm2.public.replace("\n", "|"),
                "X-Time": at,
                "X-Nonce": nonce,
                "X-Signature": signature,
            }
            async with session.post(f"{self.peer}/cases", data=body, headers=headers) as answer:
                receipt = await answer.json()
            far = receipt.pop("signature")
            if self.sm2.verify(peer_key, json.dumps(receipt, sort_keys=True).encode(), far):
                with self.db:
                    self.db.execute("UPDATE message SET far = ? WHERE id = ?", (json.dumps(receipt), number))
                self.delivered += 1

    async def count(self, request: web.Request) -> web.Response:
        return web.json_response({"received": self.received, "delivered": self.delivered})

    async def key(self, request: web.Request) -> web.Response:
        return web.Response(text=self.sm2.public)

    async def background(self, app: web.Application) -> None:
        if not self.peer:
            return
        app["session"] = aiohttp.ClientSession()
        async with app["session"].get(f"{self.peer}/key") as answer:
            peer_key = await answer.text()
        app["workers"] = [asyncio.create_task(self.forward(app["session"], peer_key)) for _ in range(8)]

    async def close(self, app: web.Application) -> None:
        for worker in app.get("workers", []):
            worker.cancel()
        if "session" in app:
            await app["session"].close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sm2", choices=["gmssl", "libcrypto"], required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--peer", default="")
    parser.add_argument("--trust", action="append", default=[])
    options = parser.parse_args()
    wal = options.sm2 == "libcrypto"
    gateway = Plain(make(options.sm2), options.database, wal, options.peer, options.trust)
    app = web.Application(client_max_size=1 << 20)
    app.router.add_post("/cases", gateway.accept)
    app.router.add_get("/count", gateway.count)
    app.router.add_get("/key", gateway.key)
    app.on_startup.append(gateway.background)
    app.on_cleanup.append(gateway.close)
    serve.run(app)


if __name__ == "__main__":
    main()
