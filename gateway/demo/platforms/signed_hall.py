"""A simulated platform with signed headers, tokens or encrypted bodies (模拟平台): its configuration says which of four.

Not an official interface of any place. Stands alone (``python -I signed_hall.py --config FILE``), imports nothing of the
gateway, keeps its own records in its own SQLite file. It hands cases in with their materials until it holds a receipt, takes
the gateway's messages once however often they come, and can be asked which it has.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent))

import aiohttp
from aiohttp import web
from qiaokou_gate import Gate, Gone  # type: ignore[import-not-found]
from signed_hall_words import WORDS, application, withdrawal  # type: ignore[import-not-found]
from signed_speech import SPEECHES, WINDOW_MS  # type: ignore[import-not-found]
from simkit import Faults, House, Records, read_config  # type: ignore[import-not-found]

TABLES = """
CREATE TABLE IF NOT EXISTS cases (id TEXT PRIMARY KEY, n INTEGER, size INTEGER, message TEXT, receipt TEXT, state TEXT);
CREATE TABLE IF NOT EXISTS acts (id TEXT PRIMARY KEY, message TEXT, state TEXT);
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, n INTEGER, body BLOB, times INTEGER);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, n INTEGER);
"""


class SpokenGate(Gate):  # type: ignore[misc]  # a stranger to mypy here
    """One gateway, spoken to as this platform does."""

    def __init__(self, config: dict[str, Any], session: aiohttp.ClientSession) -> None:
        self.config, self.session = config, session
        self._seen: dict[str, int] = {}
        self.words, self.speech = WORDS[config["platform"]], SPEECHES[config["platform"]](config)

    async def call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any, bytes]:
        """One request with its proof."""
        url, now_ms = self.config["gateway"].rstrip("/") + path, time.time_ns() // 1_000_000
        shown = {"host": urlsplit(url).netloc, **headers}
        sent = self.speech.close(body, now_ms) if method == "POST" else body
        shown |= self.speech.prove(method, path, shown, sent, now_ms, secrets.token_hex(16))
        async with self.session.request(
            method, url, data=sent or None, headers=shown, allow_redirects=False, skip_auto_headers=("Content-Type",)
        ) as answer:
            return answer.status, answer.headers, await answer.read()

    def taken(self, answer: dict[str, Any]) -> bool:
        return bool(self.words.said.items() <= answer.items())

    def heard(self, request: web.Request, body: bytes) -> bytes | None:
        """What the gateway says with a request that it proved, lately, and not yet with this nonce."""
        now_ms = time.time_ns() // 1_000_000
        headers = {name.lower(): value for name, value in request.headers.items()}
        nonce = self.speech.proved(request.method, request.raw_path, headers, body, now_ms) if "host" in headers else ""
        self._seen = {known: at for known, at in self._seen.items() if now_ms - at < 2 * WINDOW_MS}
        if not nonce or nonce in self._seen:
            return None
        self._seen[nonce] = now_ms
        return self.speech.open(body) if body else body


class Hall:
    """The platform: its records, its way to the gateway, its work."""

    def __init__(self, config: dict[str, Any], gate: SpokenGate) -> None:
        self.config, self.gate, self.words = config, gate, gate.words
        self.house, self.records = House(config), Records(config["database"], TABLES)

    # --- what it sends -----------------------------------------------------------------------------------------------

    async def post_cases(self, request: web.Request) -> web.Response:
        """POST /sim/cases: make cases and hand them in."""
        wanted = await request.json()
        return web.json_response({"cases": [self._make(wanted) for _ in range(int(wanted.get("count", 1)))]})

    def _make(self, wanted: dict[str, Any]) -> str:
        number = (self.records.one("SELECT max(n) FROM cases") or 0) + 1
        size = int(wanted.get("pdf_bytes", self.config.get("pdf_bytes", 300_000)))
        message, _ = application(self.words, self.config, number, size)
        case, text = message[self.words.names["case"]], json.dumps(message, ensure_ascii=False)
        self.records.run(("INSERT INTO cases VALUES (?,?,?,?,'','made')", (case, number, size, text)))
        self.house.start(self.submit(case))
        return str(case)

    async def submit(self, case: str) -> None:
        """Upload a case's files and hand it in until there is a receipt. Its bytes are written down before the first attempt."""
        number, size, text = self.records.rows("SELECT n, size, message FROM cases WHERE id = ?", case)[0]
        files = application(self.words, self.config, number, size)[1]
        try:
            for digest, data in files.items():
                await self.gate.upload(digest, data)
            answer = await self.gate.post("/platform/v1/cases", json.loads(text), want=self.words.receipt)
        except Gone as gone:
            self.records.run(("UPDATE cases SET state = ? WHERE id = ?", (f"refused {gone.said}", case)))
            return
        kept = (answer[self.words.receipt], "collected", case)
        self.records.run(("UPDATE cases SET receipt = ?, state = ? WHERE id = ?", kept))

    async def withdraw(self, request: web.Request) -> web.Response:
        """POST /sim/withdraw {"case"}."""
        case = (await request.json())["case"]
        message = withdrawal(self.words, case)
        text = json.dumps(message, ensure_ascii=False)
        self.records.run(("INSERT OR IGNORE INTO acts VALUES (?,?,'open')", (case, text)))
        self.house.start(self.act(case))
        return web.json_response({"case": case})

    async def act(self, case: str) -> None:
        """Report what is written down."""
        message = json.loads(self.records.one("SELECT message FROM acts WHERE id = ?", case))
        try:
            await self.gate.post(f"/platform/v1/cases/{case}/events", message)
            said = "done"
        except Gone as gone:
            said = f"refused {gone.said}"
        self.records.run(("UPDATE acts SET state = ? WHERE id = ?", (said, case)))

    def resume(self) -> None:
        """After a start: what is open is taken up again."""
        for (case,) in self.records.rows("SELECT id FROM cases WHERE state = 'made' ORDER BY n"):
            self.house.start(self.submit(case))
        for (case,) in self.records.rows("SELECT id FROM acts WHERE state = 'open'"):
            self.house.start(self.act(case))

    # --- what it is told ---------------------------------------------------------------------------------------------

    def _answer(self, code: Any, message: str, reference: str = "", status: int = 200) -> web.Response:
        name, _, _, _, text, number = self.words.answer
        return web.json_response(
            {name: code, text: message, **({number: reference} if reference else {})}, status=status
        )

    async def receive(self, request: web.Request) -> web.Response:
        """One message, taken once however often it comes."""
        body = self.gate.heard(request, await request.read())
        if body is None:
            count = "INSERT INTO counters VALUES ('bad', 1) ON CONFLICT (name) DO UPDATE SET n = n + 1"
            self.records.run((count, ()))
            return self._answer(401, "签名验证未通过", status=401)
        names = self.words.names
        try:
            event = json.loads(body)
            id_, case = event[names["id"]], event[names["case"]]
        except (ValueError, KeyError, TypeError):
            return self._answer(400, "报文格式不符", status=400)
        if not self.config.get("any_case") and self.records.one("SELECT 1 FROM cases WHERE id = ?", case) is None:
            return self._answer(44, "没有这个办件", status=404)
        number = (self.records.one("SELECT max(n) FROM events") or 0) + 1
        fresh = self.records.run(("INSERT OR IGNORE INTO events VALUES (?,?,?,0)", (id_, number, body))) == 1
        self.records.run(("UPDATE events SET times = times + 1 WHERE id = ?", (id_,)))
        _, taken, known, *_ = self.words.answer
        return self._answer(taken if fresh else known, "已收到", self._reference(id_))

    async def known(self, request: web.Request) -> web.Response:
        """Whether a message has arrived."""
        if self.gate.heard(request, b"") is None:
            return self._answer(401, "签名验证未通过", status=401)
        id_ = request.match_info.get("id") or request.query.get("id", "")
        _, taken, _, absent, *_ = self.words.answer
        if self.records.one("SELECT 1 FROM events WHERE id = ?", id_) is None:
            return self._answer(absent, "未收到", status=404)
        return self._answer(taken, "已收到", self._reference(id_))

    def _reference(self, id_: str) -> str:
        return f"H{self.records.one('SELECT n FROM events WHERE id = ?', id_):08d}"

    async def state(self, request: web.Request) -> web.Response:
        """GET /sim/state: what really happened here."""
        one = self.records.one
        told = {
            "cases": one("SELECT count(*) FROM cases"), "collected": one("SELECT count(*) FROM cases WHERE receipt <> ''"),
            "events": one("SELECT count(*) FROM events"), "acts": one("SELECT count(*) FROM acts WHERE state = 'done'"),
            "duplicates": one("SELECT coalesce(sum(times - 1), 0) FROM events"),
            "bad_signatures": one("SELECT n FROM counters WHERE name = 'bad'") or 0,
            "states": dict(self.records.rows("SELECT id, state FROM cases ORDER BY n")),
        }  # fmt: skip
        return web.json_response(told)


def listeners(hall: Hall) -> tuple[web.Application, web.Application]:
    """The callback listener and the control listener."""
    outside, control, faults = web.Application(), web.Application(), hall.house.faults
    assert isinstance(faults, Faults)
    outside.router.add_post(hall.words.events, partial(faults.through, handler=hall.receive))
    for path in (hall.words.events, f"{hall.words.events}/{{id}}"):
        outside.router.add_get(path, partial(faults.through, handler=hall.known))
    control.router.add_post("/sim/cases", hall.post_cases)
    control.router.add_post("/sim/withdraw", hall.withdraw)
    control.router.add_get("/sim/state", hall.state)
    control.router.add_post("/sim/knobs", hall.house.knobs)
    return outside, control


async def main(config: dict[str, Any]) -> None:
    """Stand until told to stop."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        hall = Hall(config, SpokenGate(config, session))
        await hall.house.serve(*listeners(hall), hall.resume)
        hall.records.close()


if __name__ == "__main__":
    asyncio.run(main(read_config()))
