"""A simulated public-security service for 跨省通办 (公安业务系统): ten operations, each a licence and a package as text.

Not an official interface of any place. Stands alone (``python -I gongan.py --config FILE``), imports nothing of the gateway,
keeps its own records. As the handling place it takes requests, checks them with the codes of the published service and feeds
back: acceptance, decision, then the register or the finished card. As the collecting place it sends a request on order
(``POST /sim/submit``) and takes the feedback.
"""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64decode
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import aiohttp
import gongan_package as papers  # type: ignore[import-not-found]
from aiohttp import web
from lxml import etree
from simkit import House, Records, now, read_config, sm3  # type: ignore[import-not-found]

TABLES = """
CREATE TABLE IF NOT EXISTS request (number TEXT PRIMARY KEY, class TEXT, head TEXT, state TEXT, said TEXT);
CREATE TABLE IF NOT EXISTS received (operation TEXT, number TEXT, sid TEXT, groups TEXT, times INTEGER,
  PRIMARY KEY (operation, sid));
"""


class Station:
    """The service, its records, its way to the gateway."""

    def __init__(self, config: dict[str, Any], session: aiohttp.ClientSession) -> None:
        self.config, self.house = config, House(config)
        self.records = Records(config["database"], TABLES)
        self.caller = papers.Caller(config, session)
        self.refused: dict[str, int] = {}
        self.files = {"good": 0, "bad": 0}

    # --- what the gateway calls --------------------------------------------------------------------------------------

    async def soap(self, request: web.Request) -> web.Response:
        """POST /soap."""
        try:
            body = papers.opened(await request.read())
        except (ValueError, etree.XMLSyntaxError):
            return self._fault("报文不是合法的 SOAP")
        operation = etree.QName(body).localname
        if operation not in papers.OPERATIONS:
            return self._fault("没有这个操作")
        said = self.answer(operation, body.findtext("sqzcm") or "", body.findtext("information") or "")
        data = papers.envelope(f"{operation}Response", {"return": said})
        return web.Response(body=data, headers={"Content-Type": "text/xml; charset=utf-8"})

    def _fault(self, said: str) -> web.Response:
        """What is no call of this service at all: the caller's fault, so that it does not come again."""
        return web.Response(status=500, body=papers.fault(said), headers={"Content-Type": "text/xml; charset=utf-8"})

    def answer(self, operation: str, licence: str, text: str) -> str:
        """The package that answers a package."""
        if licence != self.config["gateway_licence"]:
            return self._no(None, "-50", "授权码错误")
        try:
            package = papers.parse(text)
        except (ValueError, etree.XMLSyntaxError):
            return self._no(None, "-999", "报文不是合法的 XML")
        head = package.find("PACKAGEHEAD")
        if head is None or not head.findtext("FSDW_SJGSDWDM"):
            return self._no(head, "-42", "发送单位为空")
        if not head.findtext("YWXTBH"):
            return self._no(head, "-901", "业务协同编号为空")
        codes = [self._record(operation, head, record) for record in package.iterfind("DATA/RECORD")]
        return str(papers.answer(head, codes))

    def _no(self, head: Any, code: str, text: str) -> str:
        self.refused[code] = self.refused.get(code, 0) + 1
        return str(papers.answer(head, [], (code, text)))

    def _record(self, operation: str, head: Any, record: Any) -> tuple[str, str, str, str]:
        no, sid = record.get("no", ""), record.get("sid", "")
        for group, code in papers.GROUPS.get(operation, {}).items():
            if record.find(group) is None:
                self.refused[code] = self.refused.get(code, 0) + 1
                return no, sid, code, f"缺少 {group}"
        for content in record.iter("NR"):
            same = sm3(b64decode(content.text or "")).hex() == (content.getparent().findtext("ZY") or "").lower()
            self.files["good" if same else "bad"] += 1
        number, groups = head.findtext("YWXTBH"), ",".join(child.tag for child in record)
        kept = "INSERT INTO received VALUES (?,?,?,?,1) ON CONFLICT DO UPDATE SET times = times + 1"
        self.records.run((kept, (operation, number, sid, groups)))
        if operation in papers.REQUEST.values():
            told = json.dumps({child.tag: child.text for child in head})
            new = "INSERT OR IGNORE INTO request VALUES (?,?,?,'received','')"
            if self.records.run((new, (number, head.findtext("ZAGLYWFLDM"), told))):
                self.house.start(self.work(number))
        return no, sid, "0", "成功"

    # --- handling ----------------------------------------------------------------------------------------------------

    async def work(self, number: str) -> None:
        """Feed back: accepted, decided, and the result by the operation that this business has for it."""
        row = self.records.rows("SELECT class, head FROM request WHERE number = ?", number)[0]
        kind, head = row[0], self._back(json.loads(row[1]))
        common = {"WH": f"公模〔{number[-6:]}〕", "DW": papers.UNIT, "RY": papers.OFFICER}
        at = f"{now():%Y%m%d%H%M%S}"
        local = {"YWLSH": f"GA{number[-12:]}"}
        said = {"BLJG": "1"} if not self.config.get("deny") else {"BLJG": "0"}
        why = (
            {} if not self.config.get("deny") else {"LY": "不符合条件（模拟）", "JJTJ": "可申请行政复议或提起行政诉讼"}
        )
        steps = [
            (papers.FEEDBACK[kind], "sl", {"SLXX": {"SLJG": "1", **common, "SJ": at, **local}}),
            (papers.FEEDBACK[kind], "bl", {"BLXX": {**said, **common, "SJ": at, **why}}),
            (papers.RESULT[kind], "jg", papers.certificate(kind, number)),
        ]
        try:
            for operation, mark, groups in steps[: 2 if self.config.get("deny") else 3]:
                await asyncio.sleep(int(self.config.get("step_ms", 10)) / 1000)
                await self.caller.until(operation, papers.package(head, f"{number}-{mark}", groups))
                self._state(number, mark, "")
        except papers.Refused as refused:
            self._state(number, "stopped", str(refused))

    def _back(self, head: dict[str, str]) -> dict[str, str]:
        """The head of an answer of ours: sender and receiver change places."""
        sides = {"FSDW_SJGSDWDM": "JSDW_SJGSDWDM", "FSDW_SJGSDWMC": "JSDW_SJGSDWMC"}
        turned = {**head, "FSSJ": f"{now():%Y%m%d%H%M%S}"}
        for one, other in sides.items():
            turned[one], turned[other] = head.get(other) or "360113000000", head.get(one) or "000000000000"
        return turned

    def _state(self, number: str, state: str, said: str) -> None:
        self.records.run(("UPDATE request SET state = ?, said = ? WHERE number = ?", (state, said, number)))

    # --- control -----------------------------------------------------------------------------------------------------

    async def submit(self, request: web.Request) -> web.Response:
        """POST /sim/submit {class, head, sid, groups}: send a request as the collecting place; the codes that came back."""
        wanted = await request.json()
        operation = wanted.get("operation") or papers.REQUEST[wanted["class"]]
        text = wanted.get("text") or papers.package(wanted["head"], wanted["sid"], wanted["groups"])
        return web.json_response({"codes": await self.caller.once(operation, text)})

    async def state(self, request: web.Request) -> web.Response:
        """GET /sim/state: what really happened here."""
        rows = self.records.rows("SELECT number, state, said FROM request")
        received = self.records.rows("SELECT operation, number, groups, times FROM received ORDER BY rowid")
        states = {number: state for number, state, _ in rows}
        said = [text for *_, text in rows if text]
        return web.json_response(
            {"states": states, "said": said, "received": received, "refused": self.refused, "files": self.files}
        )

    def resume(self) -> None:
        """After a start: requests that are not fed back to the end go on."""
        for (number,) in self.records.rows("SELECT number FROM request WHERE state NOT IN ('jg', 'stopped')"):
            self.house.start(self.work(number))


async def main(config: dict[str, Any]) -> None:
    """Stand until told to stop."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        station = Station(config, session)
        outside, control = web.Application(client_max_size=8 << 20), web.Application()
        outside.router.add_post("/soap", partial(station.house.faults.through, handler=station.soap))
        control.router.add_get("/sim/state", station.state)
        control.router.add_post("/sim/submit", station.submit)
        control.router.add_post("/sim/knobs", station.house.knobs)
        await station.house.serve(outside, control, station.resume)
        station.records.close()


if __name__ == "__main__":
    asyncio.run(main(read_config()))
