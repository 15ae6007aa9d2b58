"""A simulated window system of a collecting place (综合窗口系统, 收件地), modelled on signed JSON interfaces.

Not an official interface of any place. Stands alone (``python -I qiaokou.py --config FILE``), imports nothing of the
gateway, keeps its own records in its own SQLite file. It makes applicants who do not exist, uploads their materials in
ranges, hands the case in until it holds a signed receipt, completes corrections, fetches results, and reports arrival
(到件) and delivery (送达) as two acts. All work is written down before it is tried and taken up again after a restart.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import aiohttp
import qiaokou_case as paper  # type: ignore[import-not-found]
from aiohttp import web
from qiaokou_gate import Gate, Gone  # type: ignore[import-not-found]
from qiaokou_permits import TABLE as PERMITS  # type: ignore[import-not-found]
from qiaokou_permits import Permits
from simkit import Faults, House, Records, now, read_config, sm3  # type: ignore[import-not-found]

TABLES = """
CREATE TABLE IF NOT EXISTS cases (bjbh TEXT PRIMARY KEY, n INTEGER, application TEXT, receipt TEXT, tbbh TEXT, state TEXT);
CREATE TABLE IF NOT EXISTS events (lsh TEXT PRIMARY KEY, n INTEGER, bjbh TEXT, lx TEXT, body TEXT, times INTEGER);
CREATE TABLE IF NOT EXISTS work (id TEXT PRIMARY KEY, bjbh TEXT, kind TEXT, ref TEXT, act TEXT, state TEXT, said TEXT);
CREATE TABLE IF NOT EXISTS documents (sm3 TEXT PRIMARY KEY, bjbh TEXT, name TEXT, data BLOB);
CREATE TABLE IF NOT EXISTS receipts (act TEXT PRIMARY KEY, bjbh TEXT, sent TEXT, answer TEXT);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, n INTEGER);
"""
STATES = {
    "SH": "forwarded", "BZTZ": "correction_requested", "SLTZ": "accepted", "HJ": "in_review", "TSKS": "special_procedure",
    "TSJS": "in_review", "JD": "granted", "CJ": "result_issued",
}  # fmt: skip


class Window:
    """The window system: its records, its way to the gateway, its work."""

    def __init__(self, config: dict[str, Any], gate: Gate) -> None:
        self.config = config
        self.house = House(config)
        self.records = Records(config["database"], TABLES + PERMITS)
        self.gate = gate
        self.turns = asyncio.Semaphore(int(config.get("parallel", 4)))

    # --- cases -------------------------------------------------------------------------------------------------------

    async def post_cases(self, request: web.Request) -> web.Response:
        """POST /sim/cases: make cases and hand them in."""
        wanted = await request.json()
        made = [self._make(wanted) for _ in range(int(wanted.get("count", 1)))]
        return web.json_response({"cases": made})

    def _make(self, wanted: dict[str, Any]) -> str:
        number = (self.records.one("SELECT max(n) FROM cases") or 0) + 1
        size = int(wanted.get("pdf_bytes", self.config.get("pdf_bytes", 5 << 20)))
        application = paper.application(self.config, number, size, wanted.get("item", ""))
        bjbh = application["bjbh"]
        self.records.run(
            (
                "INSERT INTO cases VALUES (?,?,?,'','','made')",
                (bjbh, number, json.dumps({**application, "_pdf": size}, ensure_ascii=False)),
            ),
            ("INSERT INTO work VALUES (?,?,'submit','','','open','')", (f"{bjbh}-SB", bjbh)),
        )
        self.house.start(self.do(f"{bjbh}-SB"))
        return str(bjbh)

    # --- work: each row is done once, and again after a restart until it is done ------------------------------------------

    async def do(self, work: str) -> None:
        """Do one row of work to its end."""
        bjbh, kind, ref = self.records.rows("SELECT bjbh, kind, ref FROM work WHERE id = ?", work)[0]
        try:
            if kind == "submit":
                async with self.turns:
                    await self._submit(work, bjbh)
            elif kind == "correct":
                await self._correct(work, bjbh, ref)
            elif kind == "collect":
                await self._collect(work, bjbh, ref)
            else:
                await self._act(work, bjbh, kind, json.loads(ref))
        except Gone as gone:
            self.records.run(
                ("UPDATE work SET state = 'refused', said = ? WHERE id = ?", (gone.said, work)),
                ("UPDATE cases SET state = 'refused' WHERE bjbh = ? AND receipt = ''", (bjbh,)),
            )

    async def _submit(self, work: str, bjbh: str) -> None:
        stored = json.loads(self.records.one("SELECT application FROM cases WHERE bjbh = ?", bjbh))
        size = stored.pop("_pdf")
        files = paper.materials(stored, size)
        for material in stored["cl"]:
            await self.gate.upload(material["zy"], files[material["zy"]])
        answer = await self.gate.post("/platform/v1/cases", stored, want="hz")
        self.records.run(
            (
                "UPDATE cases SET receipt = ?, tbbh = ?, state = CASE state WHEN 'made' THEN 'collected' ELSE state END"
                " WHERE bjbh = ?",
                (answer["hz"], answer.get("tbbh", ""), bjbh),
            ),
            self._receipt(bjbh, stored, answer),
            ("UPDATE work SET state = 'done', said = ? WHERE id = ?", (answer.get("sm", ""), work)),
        )

    async def _correct(self, work: str, bjbh: str, event: str) -> None:
        asked = json.loads(self.records.one("SELECT body FROM events WHERE lsh = ?", event))["nr"]
        body, data = paper.correction(self.config, bjbh, asked)
        for digest, content in data.items():
            await self.gate.upload(digest, content)
        await self._act(work, bjbh, "BZ", body)

    async def _collect(self, work: str, bjbh: str, event: str) -> None:
        """Fetch the result and its stamp, keep them, then report arrival; delivery is work of its own."""
        result = json.loads(self.records.one("SELECT body FROM events WHERE lsh = ?", event))["nr"]
        files = [document[part] for document in result["wj"] for part in ("zw", "qz") if part in document]
        for file in files:
            data = await self.gate.fetch(file["zy"], int(file["dx"]))
            if sm3(data).hex() != file["zy"]:
                raise Gone("fetched document differs from its digest")
            self.records.run(
                ("INSERT OR REPLACE INTO documents VALUES (?,?,?,?)", (file["zy"], bjbh, file["wjm"], data))
            )
        await self._act(work, bjbh, "DD", paper.arrival(self.config, [file["zy"] for file in files]), "open")
        await asyncio.sleep(int(self.config.get("deliver_ms", 50)) / 1000)
        self._hand_over(event, bjbh)
        self.records.run(("UPDATE work SET state = 'done' WHERE id = ?", (work,)))

    def _hand_over(self, event: str, bjbh: str) -> None:
        body = paper.delivery(self.config, self._name(bjbh))
        self.add(f"{event}-SD", bjbh, "SD", json.dumps(body, ensure_ascii=False))

    async def _act(self, work: str, bjbh: str, lx: str, body: dict[str, Any], then: str = "done") -> None:
        """Report one act. Its bytes are written down before the first attempt and stay the same."""
        kept = self.records.one("SELECT act FROM work WHERE id = ?", work)
        act = json.loads(kept) if kept else {"lsh": work, "bjbh": bjbh, "lx": lx, "sj": _stamp(), "nr": body}
        if not kept:
            self.records.run(("UPDATE work SET act = ? WHERE id = ?", (json.dumps(act, ensure_ascii=False), work)))
        answer = await self.gate.post(f"/platform/v1/cases/{bjbh}/events", act)
        state = {"SD": "delivered", "DD": "at_window", "CH": "withdrawal_sent", "BZ": "corrected"}[lx]
        self.records.run(
            ("UPDATE cases SET state = ? WHERE bjbh = ?", (state, bjbh)),
            self._receipt(bjbh, act, answer),
            ("UPDATE work SET state = ?, said = ? WHERE id = ?", (then, answer.get("sm", ""), work)),
        )

    def _receipt(self, bjbh: str, sent: dict[str, Any], answer: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
        """The gateway's signed answer, kept with the very text that it answers: who holds both can prove it to anybody."""
        texts = (json.dumps(value, ensure_ascii=False) for value in (sent, answer))
        return "INSERT OR IGNORE INTO receipts VALUES (?,?,?,?)", (sent["lsh"], bjbh, *texts)

    def add(self, work: str, bjbh: str, kind: str, ref: str) -> None:
        """Write work down, once, and begin it."""
        if self.records.run(("INSERT OR IGNORE INTO work VALUES (?,?,?,?,'','open','')", (work, bjbh, kind, ref))):
            self.house.start(self.do(work))

    def resume(self) -> None:
        """After a start: what is open is taken up again."""
        for (work,) in self.records.rows("SELECT id FROM work WHERE state = 'open' ORDER BY rowid"):
            self.house.start(self.do(work))

    def _name(self, bjbh: str) -> str:
        application = json.loads(self.records.one("SELECT application FROM cases WHERE bjbh = ?", bjbh))
        return str(application["sqr"]["xm"])

    # --- callbacks of the gateway ------------------------------------------------------------------------------------

    async def receive(self, request: web.Request) -> web.Response:
        """POST /tongban/events: one event, taken once however often it comes."""
        body = await request.read()
        if not self.gate.signed(request, body):
            self._count("bad_signatures")
            return web.json_response({"code": 401, "msg": "签名验证未通过"}, status=401)
        try:
            event = json.loads(body)
            lsh, bjbh, lx = event["lsh"], event["bjbh"], event["lx"]
        except (ValueError, KeyError, TypeError):
            return web.json_response({"code": 400, "msg": "报文格式不符"}, status=400)
        if not self.config.get("any_case") and self.records.one("SELECT 1 FROM cases WHERE bjbh = ?", bjbh) is None:
            return web.json_response({"code": 44, "msg": "没有这个办件"}, status=404)
        number = (self.records.one("SELECT max(n) FROM events") or 0) + 1
        kept = ("INSERT OR IGNORE INTO events VALUES (?,?,?,?,?,0)", (lsh, number, bjbh, lx, body.decode("utf-8")))
        fresh = self.records.run(kept) == 1
        self.records.run(("UPDATE events SET times = times + 1 WHERE lsh = ?", (lsh,)))
        reference = f"QK{self.records.one('SELECT n FROM events WHERE lsh = ?', lsh):08d}"
        if not fresh:
            return web.json_response({"code": 2, "msg": "重复报送", "bh": reference})
        self._follow(event)
        return web.json_response({"code": 0, "msg": "已收到", "bh": reference})

    def _follow(self, event: dict[str, Any]) -> None:
        """What an event makes the window do."""
        lsh, bjbh, lx, content = event["lsh"], event["bjbh"], event["lx"], event.get("nr", {})
        refused = content.get("jg") == "0" and lx in ("JD", "SLTZ")
        state = ("denied" if lx == "JD" else "not_accepted") if refused else STATES.get(lx, "")
        early = "('made', 'collected')" if lx == "SH" else "(state)"
        move = f"UPDATE cases SET state = ? WHERE bjbh = ? AND ? <> '' AND state <> 'delivered' AND state IN {early}"
        self.records.run((move, (state, bjbh, state)))
        if lx == "BZTZ":
            self.add(f"{lsh}-BZ", bjbh, "correct", lsh)
        elif lx == "CJ":
            self.add(f"{lsh}-DD", bjbh, "collect", lsh)
        elif refused:  # the letter is handed over: 送达
            self._hand_over(lsh, bjbh)

    async def known(self, request: web.Request) -> web.Response:
        """GET /tongban/events/{id}: whether an event has arrived."""
        if not self.gate.signed(request, b""):
            return web.json_response({"code": 401, "msg": "签名验证未通过"}, status=401)
        number = self.records.one("SELECT n FROM events WHERE lsh = ?", request.match_info["lsh"])
        if number is None:
            return web.json_response({"code": 404, "msg": "未收到"}, status=404)
        return web.json_response({"code": 0, "bh": f"QK{number:08d}"})

    def _count(self, name: str) -> None:
        self.records.run(("INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET n = n + 1", (name,)))

    # --- control -----------------------------------------------------------------------------------------------------

    async def state(self, request: web.Request) -> web.Response:
        """GET /sim/state: what really happened here."""
        one = self.records.one
        states = dict(self.records.rows("SELECT bjbh, state FROM cases ORDER BY n"))

        def cases(lx: str, more: str = "") -> int:
            return int(one(f"SELECT count(DISTINCT bjbh) FROM events WHERE lx = ? {more}", lx))

        def acts(ending: str) -> int:
            return int(one("SELECT count(*) FROM work WHERE state = 'done' AND id LIKE ?", f"%-{ending}"))

        ended = {"delivered", "refused"}
        told = {
            "cases": len(states), "collected": one("SELECT count(*) FROM cases WHERE receipt <> ''"),
            "forwarded": cases("SH"), "accepted": cases("SLTZ"), "corrected": acts("BZ"), "special": cases("TSKS"),
            "granted": cases("JD", "AND json_extract(body, '$.nr.jg') = '1'"),
            "denied": cases("JD", "AND json_extract(body, '$.nr.jg') = '0'"),
            "results": cases("CJ"), "arrived": acts("DD"), "delivered": acts("SD"),
            "refused": one("SELECT count(*) FROM work WHERE state = 'refused'"),
            "finished": sum(state in ended for state in states.values()),
            "open": one("SELECT count(*) FROM work WHERE state = 'open'"),
            "events": one("SELECT count(*) FROM events"),
            "duplicates": one("SELECT coalesce(sum(times - 1), 0) FROM events"),
            "bad_signatures": one("SELECT n FROM counters WHERE name = 'bad_signatures'") or 0, "states": states,
        }  # fmt: skip
        return web.json_response(told)

    async def case(self, request: web.Request) -> web.Response:
        """GET /sim/cases/{bjbh}: all that is on record about one case."""
        bjbh = request.match_info["bjbh"]
        rows = self.records.rows("SELECT application, receipt, tbbh, state FROM cases WHERE bjbh = ?", bjbh)
        if not rows:
            raise web.HTTPNotFound
        application, receipt, tbbh, state = rows[0]
        events = self.records.rows("SELECT lx, body, times FROM events WHERE bjbh = ? ORDER BY n", bjbh)
        documents = self.records.rows("SELECT sm3, name, length(data) FROM documents WHERE bjbh = ?", bjbh)
        work = self.records.rows("SELECT id, kind, state, said FROM work WHERE bjbh = ? ORDER BY rowid", bjbh)
        receipts = self.records.rows("SELECT sent, answer FROM receipts WHERE bjbh = ? ORDER BY rowid", bjbh)
        return web.json_response(
            {
                "application": json.loads(application), "receipt": receipt, "tbbh": tbbh, "state": state,
                "events": [{"lx": lx, "body": json.loads(body), "times": times} for lx, body, times in events],
                "documents": [{"sm3": digest, "name": name, "size": size} for digest, name, size in documents],
                "receipts": [{"sent": sent, "answer": json.loads(answer)} for sent, answer in receipts],
                "work": [dict(zip(("id", "kind", "state", "said"), row, strict=True)) for row in work],
            }
        )  # fmt: skip

    async def document(self, request: web.Request) -> web.Response:
        """GET /sim/documents/{sm3}: the bytes of a fetched document."""
        data = self.records.one("SELECT data FROM documents WHERE sm3 = ?", request.match_info["sm3"])
        if data is None:
            raise web.HTTPNotFound
        return web.Response(body=data, content_type="application/octet-stream")

    async def withdraw(self, request: web.Request) -> web.Response:
        """POST /sim/withdraw {"case","reason"}."""
        wanted = await request.json()
        body = {"yy": wanted.get("reason", "申请人不再办理"), "sj": _stamp()}
        self.add(f"{wanted['case']}-CH", wanted["case"], "CH", json.dumps(body, ensure_ascii=False))
        return web.json_response({"case": wanted["case"]})


def _stamp() -> str:
    return str(now().strftime("%Y%m%d%H%M%S"))


def listeners(window: Window) -> tuple[web.Application, web.Application]:
    """The callback listener and the control listener."""
    outside, control, faults = web.Application(), web.Application(), window.house.faults
    assert isinstance(faults, Faults)
    outside.router.add_post("/tongban/events", partial(faults.through, handler=window.receive))
    outside.router.add_get("/tongban/events/{lsh}", partial(faults.through, handler=window.known))
    control.router.add_post("/sim/cases", window.post_cases)
    control.router.add_get("/sim/state", window.state)
    control.router.add_get("/sim/cases/{bjbh}", window.case)
    control.router.add_get("/sim/documents/{sm3}", window.document)
    control.router.add_post("/sim/knobs", window.house.knobs)
    control.router.add_post("/sim/withdraw", window.withdraw)
    control.router.add_routes(Permits(window.config, window.gate, window.records).routes())
    return outside, control


async def main(config: dict[str, Any]) -> None:
    """Stand until told to stop."""
    connector = aiohttp.TCPConnector(limit=int(config.get("parallel", 4)) * 4)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        window = Window(config, Gate(config, session))
        await window.house.serve(*listeners(window), window.resume)
        window.records.close()


if __name__ == "__main__":
    if "--keygen" in sys.argv:
        from sm2sign import keygen  # type: ignore[import-not-found]

        print(json.dumps(keygen()))
    else:
        asyncio.run(main(read_config()))
