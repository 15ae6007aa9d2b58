"""The simulated window system's permits (建筑垃圾运输核准证): it orders one of its gateway, fetches the file, revokes it.

On its control listener; what it has is in its own records. Only the signed interface of the gateway is used.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from aiohttp import web
from qiaokou_gate import Gate, Gone  # type: ignore[import-not-found]
from simkit import Records, now  # type: ignore[import-not-found]

TABLE = "CREATE TABLE IF NOT EXISTS permits (zzbs TEXT PRIMARY KEY, n INTEGER, answer TEXT, file BLOB);"
TYPE = "TONGBANLAB00000000003"  # the gateway's name for this type: a laboratory code
PATH = "/platform/v1/certificates"


class Permits:
    """Permits that this window system had issued."""

    def __init__(self, config: dict[str, Any], gate: Gate, records: Records) -> None:
        self.config, self.gate, self.records = config, gate, records

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/sim/permits", self.order),
            web.get("/sim/permits/{zzbs}/file", self.file),
            web.post("/sim/permits/{zzbs}/revoke", self.revoke),
        ]

    async def order(self, _: web.Request) -> web.Response:
        """POST /sim/permits: have the next one issued and fetch it."""
        number = (self.records.one("SELECT max(n) FROM permits") or 0) + 1
        answer = await self._say("", _permit(number, self.config["permit_holder"]))
        status, _headers, data = await self.gate.call("GET", f"{PATH}/{answer['identifier']}/file", b"", {})
        if status != 200:
            raise Gone(f"file {status}")
        self.records.run(
            ("INSERT INTO permits VALUES (?,?,?,?)", (answer["identifier"], number, json.dumps(answer), data))
        )
        return web.json_response({"zzbs": answer["identifier"], "said": answer})

    async def file(self, request: web.Request) -> web.Response:
        """GET /sim/permits/{zzbs}/file: the OFD as it was fetched."""
        data = self.records.one("SELECT file FROM permits WHERE zzbs = ?", request.match_info["zzbs"])
        if data is None:
            raise web.HTTPNotFound
        return web.Response(body=data, content_type="application/octet-stream")

    async def revoke(self, request: web.Request) -> web.Response:
        """POST /sim/permits/{zzbs}/revoke."""
        number = request.match_info["zzbs"]
        order = {
            "id": f"CX-{number[-12:]}",
            "event": "revoke",
            "reason": "fraud",
            "note": "申报的消纳场所不存在（模拟）",
        }
        return web.json_response(await self._say(f"/{number}/events", order))

    async def _say(self, path: str, order: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(order, ensure_ascii=False).encode()
        status, _, said = await self.gate.call("POST", PATH + path, body, {"content-type": "application/json"})
        if status != 200:
            raise Gone(f"{status} {said[:300].decode('utf-8', 'replace')}")
        answer: dict[str, Any] = json.loads(said)
        return answer


def _permit(number: int, holder: str) -> dict[str, Any]:
    begin = now().date()
    return {
        "id": f"YSZ-{number}", "type": TYPE,
        "content": {
            "holder": {"name": "测试渣土运输有限公司", "code": holder, "code_type": "001"},
            "number": f"硚模渣运〔{begin:%Y}〕{number}号", "valid_from": begin.isoformat(),
            "valid_to": (begin + timedelta(days=180)).isoformat(),
            "fields": {
                "CPH": f"鄂A·测{number:04d}", "GDMC": "测试大道1号工地", "YSLX": "硚口区—东西湖区—汉川市",
                "XNCS": "测试消纳场", "HZL": "1000立方米",
            },
        },
    }  # fmt: skip
