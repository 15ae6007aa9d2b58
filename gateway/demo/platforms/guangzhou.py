"""A simulated office that exchanges ten XML objects over queues (十对象报文交换), with the queue server in the same process.

Not an official interface of any place. Stands alone (``python -I guangzhou.py --config FILE``), imports nothing of the
gateway. The queues are rows of its own SQLite file: put once per message id, leased when taken, gone when acknowledged. The
office works each application by a scenario that follows from its order of arrival; after a supplement notice it waits.
"""

from __future__ import annotations

import asyncio
import sys
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import guangzhou_objects as objects  # type: ignore[import-not-found]
from aiohttp import web
from simkit import House, Records, now, read_config  # type: ignore[import-not-found]

TABLES = """
CREATE TABLE IF NOT EXISTS message (n INTEGER PRIMARY KEY, queue TEXT, id TEXT, body BLOB, until REAL, done INTEGER, times INTEGER,
  UNIQUE (queue, id));
CREATE TABLE IF NOT EXISTS request (serial TEXT PRIMARY KEY, n INTEGER, scenario TEXT, keys TEXT, step INTEGER, waits INTEGER);
"""
IN, OUT, REFUSED = "tongban.to-office", "tongban.from-office", "tongban.refused"
LEASE_S = 30.0


class Queues:
    """The queue server: what a broker behind an HTTP bridge does."""

    def __init__(self, records: Any, token: str, lease_s: float) -> None:
        self.records, self.token, self.lease_s = records, token, lease_s
        self.arrived: Callable[[], None] = lambda: None

    def guarded(self, handler: Callable[[web.Request], Awaitable[web.Response]]) -> Any:
        """Only who shows the token."""

        async def inner(request: web.Request) -> web.StreamResponse:
            if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
                return web.Response(status=401)
            return await handler(request)

        return inner

    async def put(self, request: web.Request) -> web.Response:
        """POST: 201, or 409 when this id is here already."""
        id_, body = request.headers.get("X-Message-Id", ""), await request.read()
        if not id_ or not body.lstrip().startswith(b"<"):
            return web.Response(status=400)
        return web.Response(status=201 if self.add(request.match_info["queue"], id_, body) else 409)

    def add(self, queue: str, id_: str, body: bytes) -> bool:
        """Whether it is new."""
        if self.records.one("SELECT 1 FROM message WHERE queue = ? AND id = ?", queue, id_):
            self.records.run(("UPDATE message SET times = times + 1 WHERE queue = ? AND id = ?", (queue, id_)))
            return False
        self.records.run(
            ("INSERT INTO message (queue, id, body, until, done, times) VALUES (?,?,?,0,0,1)", (queue, id_, body))
        )
        self.arrived()
        return True

    async def take(self, request: web.Request) -> web.Response:
        """GET: the oldest that nobody works on; each is leased."""
        queue, most = request.match_info["queue"], int(request.query.get("max", "1"))
        waiting = "SELECT n, id, body FROM message WHERE queue = ? AND done = 0 AND until < ? ORDER BY n LIMIT ?"
        rows = self.records.rows(waiting, queue, time.monotonic(), most)
        if rows:
            until = time.monotonic() + self.lease_s
            self.records.run(*[("UPDATE message SET until = ? WHERE n = ?", (until, row[0])) for row in rows])
        return web.json_response(
            {"messages": [{"id": row[1], "body": b64encode(row[2]).decode("ascii")} for row in rows]}
        )

    async def acknowledge(self, request: web.Request) -> web.Response:
        """POST {ids}: these are done."""
        queue, ids = request.match_info["queue"], (await request.json())["ids"]
        done = "UPDATE message SET done = 1 WHERE queue = ? AND id = ?"
        self.records.run(*[(done, (queue, one)) for one in ids])
        return web.Response(status=204)

    async def known(self, request: web.Request) -> web.Response:
        """GET one: 200 or 404, also when it has been taken."""
        found = "SELECT 1 FROM message WHERE queue = ? AND id = ?"
        here = self.records.one(found, request.match_info["queue"], request.match_info["id"])
        return web.Response(status=200 if here else 404)


class Office:
    """Reads its queue and works."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.house = config, House(config)
        self.records = Records(config["database"], TABLES)
        self.queues = Queues(self.records, config.get("token", ""), float(config.get("lease_s", LEASE_S)))
        self.queues.arrived = self.wake
        self.awake = asyncio.Event()

    def wake(self) -> None:
        self.awake.set()

    async def run(self) -> None:
        """Take what came, then go on with what is under way."""
        while True:
            self.awake.clear()
            for n, id_, body in self.records.rows(
                "SELECT n, id, body FROM message WHERE queue = ? AND done = 0 ORDER BY n", IN
            ):
                self.records.run(("UPDATE message SET done = 1 WHERE n = ?", (n,)))
                self.receive(id_, body)
            if not self.config.get("idle"):
                await self.work()
            await self.awake.wait()

    def receive(self, id_: str, body: bytes) -> None:
        """One object from the gateway."""
        name, keys = objects.read(body)
        serial = keys.get("SBLSH", "")
        if name == "ApplyOB":
            count = self.records.one("SELECT count(*) FROM request") + 1
            plans = self.config.get("scenarios", {"1": "correction", "2": "special", "3": "denied"})
            chosen = plans.get(str(count), "granted")
            kept = "\x1f".join(f"{key}={value}" for key, value in keys.items())
            new = "INSERT OR IGNORE INTO request VALUES (?,?,?,?,0,0)"
            self.records.run((new, (serial, count, chosen, kept)))
        elif name == "SupplementReceivedOB":
            self.records.run(("UPDATE request SET waits = 0 WHERE serial = ?", (serial,)))

    async def work(self) -> None:
        """The open steps of all requests; each is a message in the queue to the gateway."""
        for serial, _, scenario, kept, step in self.records.rows(
            "SELECT serial, n, scenario, keys, step FROM request WHERE waits = 0 ORDER BY n"
        ):
            plan = objects.PLANS[scenario]
            keys = dict(pair.split("=", 1) for pair in kept.split("\x1f")) | {"YWLSH": f"GZ{serial[-12:]}"}
            for place in range(step, len(plan)):
                name = plan[place]
                await asyncio.sleep(int(self.config.get("step_ms", 5)) / 1000)
                body = objects.document(
                    name, {**keys, "SJBBH": str(place + 1)}, objects.said(name, scenario, serial[-6:])
                )
                self.queues.add(OUT, f"{serial}-{place}-{name}", body)
                waits = int(name == "SupplementOB")
                moved = "UPDATE request SET step = ?, waits = ? WHERE serial = ?"
                self.records.run((moved, (place + 1, waits, serial)))
                if waits:
                    break

    # --- control -----------------------------------------------------------------------------------------------------

    async def send(self, request: web.Request) -> web.Response:
        """POST /sim/send {id, body | object, keys, fields}: put an object into the queue to the gateway."""
        wanted = await request.json()
        body = wanted.get("body", "").encode() or objects.document(wanted["object"], wanted["keys"], wanted["fields"])
        return web.json_response({"new": self.queues.add(OUT, wanted["id"], body)})

    async def state(self, request: web.Request) -> web.Response:
        """GET /sim/state: what really lies here."""
        rows = self.records.rows("SELECT queue, id, body, done, times FROM message ORDER BY n")
        listed: dict[str, list[Any]] = {IN: [], OUT: [], REFUSED: []}
        for queue, id_, body, done, times in rows:
            listed.setdefault(queue, []).append(
                {"id": id_, "done": done, "times": times, "text": body.decode("utf-8", "replace")[:2000]}
            )
        open_ = sum(not row["done"] for row in listed[OUT])
        requests = self.records.rows("SELECT serial, scenario, step, waits FROM request ORDER BY n")
        return web.json_response({"queues": listed, "open": open_, "requests": requests, "at": f"{now():%H:%M:%S}"})


def listeners(office: Office) -> tuple[web.Application, web.Application]:
    """The queue's listener and the control listener."""
    outside, control, faults = web.Application(client_max_size=16 << 20), web.Application(), office.house.faults
    queues = office.queues

    def through(handler: Any) -> Any:
        return partial(faults.through, handler=queues.guarded(handler))

    outside.router.add_post("/queues/{queue}/messages", through(queues.put))
    outside.router.add_get("/queues/{queue}/messages", through(queues.take))
    outside.router.add_get("/queues/{queue}/messages/{id}", through(queues.known))
    outside.router.add_post("/queues/{queue}/acknowledgements", through(queues.acknowledge))
    control.router.add_get("/sim/state", office.state)
    control.router.add_post("/sim/send", office.send)
    control.router.add_post("/sim/knobs", office.house.knobs)
    return outside, control


async def main(config: dict[str, Any]) -> None:
    """Stand until told to stop."""
    office = Office(config)
    await office.house.serve(*listeners(office), lambda: office.house.start(office.run()))
    office.records.close()


if __name__ == "__main__":
    asyncio.run(main(read_config()))
