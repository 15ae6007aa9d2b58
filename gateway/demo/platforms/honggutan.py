"""A simulated approval system of a handling place (审批系统, 办理地): SOAP 1.1, its own element names, GBK.

Not an official interface of any place. Stands alone (``python -I honggutan.py --config FILE``), imports nothing of the
gateway, keeps its own records in its own SQLite file. It takes cases in (XSD-checked), fetches their materials in chunks
and checks their SM3, works each case by a scenario that follows from its order of arrival, and reports each act until it
is acknowledged. Plans are written down, so a restart goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import aiohttp
import honggutan_case as papers  # type: ignore[import-not-found]
from aiohttp import web
from honggutan_soap import Bad, Caller, Door, Gone, element, envelope, fault, text  # type: ignore[import-not-found]
from lxml import etree
from simkit import Faults, House, Records, now, read_config, sm3  # type: ignore[import-not-found]

TABLES = """
CREATE TABLE IF NOT EXISTS cases
  (tbbh TEXT PRIMARY KEY, ywlsh TEXT UNIQUE, n INTEGER, sjbjbh TEXT, item TEXT, scenario TEXT, state TEXT, submitted TEXT);
CREATE TABLE IF NOT EXISTS received
  (lsh TEXT PRIMARY KEY, n INTEGER, tbbh TEXT, operation TEXT, times INTEGER, at TEXT);
CREATE TABLE IF NOT EXISTS materials (tbbh TEXT, sm3 TEXT, name TEXT, size INTEGER, fetched TEXT, PRIMARY KEY (tbbh, sm3));
CREATE TABLE IF NOT EXISTS plan
  (tbbh TEXT, n INTEGER, kind TEXT, message BLOB, state TEXT, said TEXT, PRIMARY KEY (tbbh, n));
"""
OVER = ("withdrawn", "stopped")
DONE_STATES = {
    "BZTZ": "correction_requested", "SLTZ": "accepted", "BLHJ": "in_review", "TSCXKS": "special_procedure",
    "TSCXJS": "in_review", "BLJD": "decided", "BLJG": "result_issued",
}  # fmt: skip


class Office:
    """The approval system: its records, its way to the gateway, its plans."""

    def __init__(self, config: dict[str, Any], session: aiohttp.ClientSession) -> None:
        self.config = config
        self.house = House(config)
        self.records = Records(config["database"], TABLES)
        self.door = Door(config)
        self.caller = Caller(config, session, self.door.schema)
        self.desks = asyncio.Semaphore(int(config.get("parallel", 4)))
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.faulty = 0

    # --- what the gateway calls --------------------------------------------------------------------------------------

    async def soap(self, request: web.Request) -> web.Response:
        """POST /soap."""
        try:
            body = self.door.open(await request.read())
            operation = etree.QName(body).localname
            answer = self._query(body) if operation == "QueryCase" else self._take(operation, body)
            data, status = envelope(element(f"{operation}Response", **answer)), 200
        except Bad as bad:
            self.faulty += 1
            data, status = fault(bad.kind, bad.said), 500
        return web.Response(status=status, body=data, headers={"Content-Type": "text/xml; charset=GBK"})

    def _query(self, body: Any) -> dict[str, str]:
        rows = self.records.rows("SELECT tbbh FROM received WHERE lsh = ?", text(body, "LSH"))
        return {"JG": "0", "YWLSH": self._number(rows[0][0]), "SM": "已收到"} if rows else {"JG": "4", "SM": "未收到"}

    def _number(self, tbbh: str) -> str:
        return str(self.records.one("SELECT ywlsh FROM cases WHERE tbbh = ?", tbbh) or "")

    def _take(self, operation: str, body: Any) -> dict[str, str]:
        lsh, tbbh = text(body, "BWT/LSH"), text(body, "BWT/TBBH")
        if operation not in ("SubmitCase", "SubmitCorrection", "Withdraw", "Notify"):
            raise Bad("Client", "没有这个操作")
        known = self.records.one("SELECT count(*) FROM cases WHERE tbbh = ?", tbbh)
        if operation != "SubmitCase" and not known:
            raise Bad("Client", "没有这个办件")
        seen = ("UPDATE received SET times = times + 1 WHERE lsh = ?", (lsh,))
        if self.records.one("SELECT 1 FROM received WHERE lsh = ?", lsh):
            self.records.run(seen)
            return {"JG": "1", "YWLSH": self._number(tbbh), "SM": "重复报送"}
        number = (self.records.one("SELECT max(n) FROM received") or 0) + 1
        told = f"Notify:{'DJ' if body.find('{*}DJ') is not None else 'SD'}" if operation == "Notify" else operation
        row = ("INSERT INTO received VALUES (?,?,?,?,1,?)", (lsh, number, tbbh, told, _moment()))
        if operation == "SubmitCase":
            self.records.run(row, *([] if known else self._opening(tbbh, body)), *self._materials(tbbh, body))
        else:
            state = ("UPDATE cases SET state = ? WHERE tbbh = ?", (_state_of(operation, body), tbbh))
            self.records.run(row, *self._materials(tbbh, body), state)
        if operation in ("SubmitCase", "SubmitCorrection"):
            self.house.start(self.work(tbbh))
        return {"JG": "0", "YWLSH": self._number(tbbh), "SM": "已收到"}

    def _opening(self, tbbh: str, body: Any) -> list[tuple[str, tuple[Any, ...]]]:
        number = (self.records.one("SELECT max(n) FROM cases") or 0) + 1
        scenario = self.config.get("scenarios", {"1": "correction", "2": "special", "3": "denied"})
        chosen = scenario.get(str(number), "granted")
        ywlsh = f"HGT{now():%Y%m%d}{number:06d}"
        row = (
            tbbh, ywlsh, number, text(body, "BWT/SJBJBH"), text(body, "BJXX/SXMC"), chosen, "received",
            etree.tostring(body, encoding="unicode"),
        )  # fmt: skip
        plan = [
            ("INSERT INTO plan VALUES (?,?,?,NULL,'open','')", (tbbh, place, kind))
            for place, kind in enumerate(papers.PLANS[chosen])
        ]
        return [("INSERT INTO cases VALUES (?,?,?,?,?,?,?,?)", row), *plan]

    def _materials(self, tbbh: str, body: Any) -> list[tuple[str, tuple[Any, ...]]]:
        return [
            (
                "INSERT OR IGNORE INTO materials VALUES (?,?,?,?,'')",
                (tbbh, text(material, "ZY").lower(), text(material, "MC"), int(text(material, "DX"))),
            )
            for material in body.iter("{*}CL")
        ]

    def _state(self, tbbh: str, state: str) -> None:
        self.records.run(("UPDATE cases SET state = ? WHERE tbbh = ? AND state <> 'withdrawn'", (state, tbbh)))

    # --- working a case ----------------------------------------------------------------------------------------------

    async def work(self, tbbh: str) -> None:
        """Fetch what is not fetched, then the plan's open steps; after a correction request wait for the correction."""
        async with self.desks, self.locks[tbbh]:
            try:
                await self._fetch(tbbh)
                while (step := self._next(tbbh)) is not None and not self._waiting(tbbh):
                    await asyncio.sleep(int(self.config.get("step_ms", 30)) / 1000)
                    if self.records.one("SELECT state FROM cases WHERE tbbh = ?", tbbh) in OVER:
                        return
                    await self._report(tbbh, *step)
            except Gone as gone:
                self.records.run(
                    (
                        "UPDATE plan SET state = 'refused', said = ? WHERE tbbh = ? AND state = 'open'",
                        (gone.said, tbbh),
                    ),
                    ("UPDATE cases SET state = 'stopped' WHERE tbbh = ? AND state <> 'withdrawn'", (tbbh,)),
                )

    def _waiting(self, tbbh: str) -> bool:
        """Whether a correction was asked for and has not come."""
        asked = self.records.one("SELECT 1 FROM plan WHERE tbbh = ? AND kind = 'BZTZ' AND state = 'done'", tbbh)
        come = "SELECT 1 FROM received WHERE tbbh = ? AND operation = 'SubmitCorrection'"
        return bool(asked) and not self.records.one(come, tbbh)

    def _next(self, tbbh: str) -> tuple[int, str] | None:
        rows = self.records.rows("SELECT n, kind FROM plan WHERE tbbh = ? AND state = 'open' ORDER BY n LIMIT 1", tbbh)
        return (rows[0][0], rows[0][1]) if rows else None

    async def _fetch(self, tbbh: str) -> None:
        wanted = self.records.rows("SELECT sm3, size FROM materials WHERE tbbh = ? AND fetched = ''", tbbh)
        for digest, size in wanted:
            data = await self.caller.fetch(tbbh, digest, size)
            good = "ok" if sm3(data).hex() == digest and len(data) == size else "differs"
            self.records.run(("UPDATE materials SET fetched = ? WHERE tbbh = ? AND sm3 = ?", (good, tbbh, digest)))
            if good != "ok":
                raise Gone("a material differs from its digest")

    async def _report(self, tbbh: str, place: int, kind: str) -> None:
        """Send one message until it is acknowledged; its bytes are kept before the first attempt."""
        kept = self.records.one("SELECT message FROM plan WHERE tbbh = ? AND n = ?", tbbh, place)
        if kept is None:
            message = papers.paper(kind, self._case(tbbh))
            kept = etree.tostring(message)
            self.records.run(("UPDATE plan SET message = ? WHERE tbbh = ? AND n = ?", (kept, tbbh, place)))
        answer = await self.caller.call(etree.fromstring(kept))
        self.records.run(
            ("UPDATE plan SET state = 'done', said = ? WHERE tbbh = ? AND n = ?", (text(answer, "HZBH"), tbbh, place))
        )
        decided = "denied" if self._case(tbbh)["scenario"] == "denied" else "granted"
        self._state(tbbh, decided if kind == "BLJD" else DONE_STATES[kind])

    def _case(self, tbbh: str) -> dict[str, str]:
        row = self.records.rows("SELECT ywlsh, scenario, item FROM cases WHERE tbbh = ?", tbbh)[0]
        material = self.records.one("SELECT name FROM materials WHERE tbbh = ? ORDER BY rowid", tbbh) or "申请书"
        return {"tbbh": tbbh, "ywlsh": row[0], "scenario": row[1], "item": row[2], "material": material}

    def resume(self) -> None:
        """After a start: cases whose plan is open go on."""
        over = "SELECT tbbh FROM cases WHERE state IN ('withdrawn', 'stopped')"
        for (tbbh,) in self.records.rows(
            f"SELECT DISTINCT tbbh FROM plan WHERE state = 'open' AND tbbh NOT IN ({over})"
        ):
            self.house.start(self.work(tbbh))

    # --- control -----------------------------------------------------------------------------------------------------

    async def state(self, request: web.Request) -> web.Response:
        """GET /sim/state: what really happened here."""
        one = self.records.one

        def told(operation: str) -> int:
            return int(one("SELECT count(*) FROM received WHERE operation = ?", operation))

        def done(kind: str, more: str = "") -> int:
            query = "SELECT count(*) FROM plan JOIN cases USING (tbbh) WHERE kind = ? AND plan.state = 'done'"
            return int(one(f"{query} {more}", kind))

        ended = ("delivered", "withdrawn", "stopped")
        states = dict(self.records.rows("SELECT tbbh, state FROM cases ORDER BY n"))
        return web.json_response(
            {
                "cases": len(states), "accepted": done("SLTZ"), "corrections": told("SubmitCorrection"),
                "special": done("TSCXJS"), "granted": done("BLJD", "AND scenario <> 'denied'"),
                "denied": done("BLJD", "AND scenario = 'denied'"), "results": done("BLJG"),
                "arrived": one("SELECT count(*) FROM received WHERE operation = 'Notify:DJ'"),
                "delivered": one("SELECT count(*) FROM received WHERE operation = 'Notify:SD'"),
                "withdrawn": told("Withdraw"), "refused": one("SELECT count(*) FROM plan WHERE state = 'refused'"),
                "materials": one("SELECT count(*) FROM materials WHERE fetched = 'ok'"),
                "received_messages": one("SELECT count(*) FROM received"),
                "duplicates": one("SELECT coalesce(sum(times - 1), 0) FROM received"), "faults": self.faulty,
                "finished": sum(state in ended for state in states.values()), "states": states,
            }
        )  # fmt: skip

    async def case(self, request: web.Request) -> web.Response:
        """GET /sim/case?tbbh=…: all that is on record about one case."""
        tbbh = request.query.get("tbbh", "")
        rows = self.records.rows(
            "SELECT ywlsh, sjbjbh, item, scenario, state, submitted FROM cases WHERE tbbh = ?", tbbh
        )
        if not rows:
            raise web.HTTPNotFound
        names = ("ywlsh", "sjbjbh", "item", "scenario", "state", "submitted")
        received = self.records.rows("SELECT lsh, operation, times FROM received WHERE tbbh = ? ORDER BY n", tbbh)
        plan = self.records.rows("SELECT kind, state, said FROM plan WHERE tbbh = ? ORDER BY n", tbbh)
        materials = self.records.rows("SELECT sm3, name, size, fetched FROM materials WHERE tbbh = ?", tbbh)
        return web.json_response(
            {**dict(zip(names, rows[0], strict=True)), "received": received, "plan": plan, "materials": materials}
        )


def _state_of(operation: str, body: Any) -> str:
    if operation != "Notify":
        return {"Withdraw": "withdrawn", "SubmitCorrection": "corrected"}[operation]
    return "at_window" if body.find("{*}DJ") is not None else "delivered"


def _moment() -> str:
    return str(now().strftime("%Y-%m-%dT%H:%M:%S"))


def listeners(office: Office) -> tuple[web.Application, web.Application]:
    """The SOAP listener and the control listener."""
    outside, control, faults = web.Application(client_max_size=8 << 20), web.Application(), office.house.faults
    assert isinstance(faults, Faults)
    outside.router.add_post("/soap", partial(faults.through, handler=office.soap))
    control.router.add_get("/sim/state", office.state)
    control.router.add_get("/sim/case", office.case)
    control.router.add_post("/sim/knobs", office.house.knobs)
    return outside, control


async def main(config: dict[str, Any]) -> None:
    """Stand until told to stop."""
    connector = aiohttp.TCPConnector(limit=int(config.get("parallel", 4)) * 2)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        office = Office(config, session)
        await office.house.serve(*listeners(office), office.resume)
        office.records.close()


if __name__ == "__main__":
    asyncio.run(main(read_config()))
