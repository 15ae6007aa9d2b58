"""A simulated city that exchanges cases by "union" calls (市际联办): JSON, codes in the body, attachments by list and GET.

Not an official interface of any place. Stands alone (``python -I union_city.py --config FILE``), imports nothing of the gateway.
It collects cases and handles others': what it is given it works after it has fetched the papers, what it gives it keeps papers
for. Faults of the calls are the house's; those of attachments are ordered with ``/sim/papers``.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import aiohttp
from aiohttp import web
from simkit import House, now, pause, pdf, read_config  # type: ignore[import-not-found]
from union_papers import Papers  # type: ignore[import-not-found]

BASE = "/rest/unionProject/"
PLAN = ("20", "30", "50", "60")
NEEDED = ("rowguid", "projectguid", "task_id", "applyername", "certnum", "applydate")


def answer(code: int, text: str, outer: int = 1, **custom: Any) -> web.Response:
    """An answer of this family: HTTP says 200, the body says what is so."""
    said = {1: "请求成功", 401: "token 无效", 0: "系统异常"}.get(outer, "")
    return web.json_response(
        {"status": {"code": outer, "text": said}, "custom": {"code": code, "text": text, **custom}}
    )


class City:
    """What it has been given, what it has given, and the work between."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.house = config, House(config)
        self.session: aiohttp.ClientSession | None = None
        self.forget()

    def forget(self) -> None:
        """As it was in the beginning."""
        self.papers = Papers("attachguid")
        self.messages: dict[str, dict[str, Any]] = {}
        self.times: dict[str, int] = {}
        self.fetched: dict[str, list[dict[str, Any]]] = {}
        self.sent: list[dict[str, Any]] = []

    # --- called by the gateway ---------------------------------------------------------------------------------------

    def guarded(self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
        """Only who shows the token."""

        async def inner(request: web.Request) -> web.StreamResponse:
            if request.headers.get("token") != self.config["token"]:
                return answer(0, "", 401)
            try:
                return await handler(request)
            except (ValueError, KeyError, TypeError):
                return answer(0, "报文格式错误")

        return inner

    async def push(self, request: web.Request) -> web.Response:
        """A case or a status from the gateway; the same twice is once."""
        params = (await request.json())["params"]
        guid = params["rowguid"]
        self.times[guid] = self.times.get(guid, 0) + 1
        if request.path.endswith("pushProject"):
            missing = [name for name in NEEDED if not params.get(name)]
            if missing:
                return answer(0, f"缺少字段 {'、'.join(missing)}")
        flow = "ZZ" + hashlib.sha256(params["projectguid"].encode()).hexdigest()[:12]
        if guid in self.messages:
            return answer(2, "重复推送", flowsn=flow)
        self.messages[guid] = params
        self.house.start(self.receive(params, flow))
        return answer(1, "成功", flowsn=flow)

    async def state(self, request: web.Request) -> web.Response:
        """Whether a push is here."""
        guid = (await request.json())["params"]["rowguid"]
        return answer(1, "已收到") if guid in self.messages else answer(4, "无此记录")

    async def detail(self, request: web.Request) -> web.Response:
        """The files of a material."""
        params = (await request.json())["params"]
        listed = self.papers.lists.get((params.get("projectguid"), params.get("taskmaterialguid")))
        if listed is None:
            return answer(0, "无此材料")
        return answer(
            1, "成功", filelist=[dict(zip(("filename", "length", "attachguid"), one, strict=True)) for one in listed]
        )

    async def give(self, request: web.Request) -> web.StreamResponse:
        """One file."""
        given: web.StreamResponse = await self.papers.give(request)
        return given

    # --- calls to the gateway ----------------------------------------------------------------------------------------

    async def call(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        """POST to the gateway's door; {} where it does not answer."""
        assert self.session is not None
        headers = {"token": self.config["gateway_token"]}
        try:
            async with self.session.post(
                self.config["gateway"] + BASE + name, json={"params": params}, headers=headers
            ) as reply:
                found: dict[str, Any] = await reply.json(content_type=None)
                return found
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {}

    async def receive(self, params: dict[str, Any], flow: str) -> None:
        """Fetch the papers of what came, then work the case."""
        project = params["projectguid"]
        for material in params.get("materiallist", []):
            asked = {"projectguid": project, "taskmaterialguid": material["taskmaterialguid"]}
            listed = (await self.call("getMaterialDetail", asked)).get("custom", {}).get("filelist", [])
            for one in listed:
                content = await self.get(one["attachguid"])
                self.fetched.setdefault(project, []).append(
                    {**one, "got": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                )
        if params.get("status") == "05" and not self.config.get("idle"):
            for status in PLAN:
                await self.tell(project, flow, status)

    async def get(self, guid: str) -> bytes:
        """One file from the gateway."""
        assert self.session is not None
        url = f"{self.config['gateway']}{BASE}getAttach"
        async with self.session.get(
            url, params={"attachguid": guid}, headers={"token": self.config["gateway_token"]}
        ) as reply:
            return await reply.read() if reply.status == 200 else b""

    async def tell(self, project: str, flow: str, status: str) -> None:
        """One status to the gateway, until it is taken or refused."""
        at, serial = f"{now():%Y-%m-%d %H:%M:%S}", f"{project[-12:]}-{status}"
        plan: dict[str, dict[str, Any]] = {
            "20": {"result": "1", "docnumber": f"郑受{serial}", "ouname": "测试审批局", "handler": "测试官", "operatedate": at},
            "30": {"activityname": "审查", "handler": "测试官", "remark": "符合条件", "operatedate": at},
            "50": {"result": "1", "docnumber": f"郑决{serial}", "ouname": "测试审批局", "handler": "测试官", "banjiedate": at},
            "60": {"docnumber": f"郑果{serial}", "resultname": "测试证书", "operatedate": at,
                   "materiallist": [{"taskmaterialguid": "RESULT", "taskmaterialname": "测试证书"}]},
        }  # fmt: skip
        said = plan[status]
        if status == "60":
            self.papers.put(project, "RESULT", "测试证书.pdf", pdf(f"VOID {project[-8:]}"))
        params = {"rowguid": f"{project}-{status}", "projectguid": project, "flowsn": flow, "status": status, **said}
        await self.push_until("pushStatus", params)

    async def push_until(self, name: str, params: dict[str, Any]) -> None:
        """Again while nobody answers or they are busy."""
        row: dict[str, Any] = {"call": name, "rowguid": params["rowguid"], "tries": 0, "said": {}}
        self.sent.append(row)
        while row["tries"] < 200:
            row["said"] = await self.call(name, params)
            row["tries"] += 1
            code = row["said"].get("custom", {}).get("code")
            if code == 1 and self.config.get("twice") and not row.get("again"):
                row["again"] = True
                continue
            if code in (0, 1):
                return
            await pause(min(row["tries"], 3))

    # --- control -----------------------------------------------------------------------------------------------------

    async def collect(self, request: web.Request) -> web.Response:
        """POST /sim/collect {params, files: [[material, name, size]]}: push a case of its own, papers ready."""
        wanted = await request.json()
        params = wanted["params"]
        for material, name, size in wanted["files"]:
            self.papers.put(params["projectguid"], material, name, pdf(f"PAPER {material}", size))
        self.house.start(self.push_until("pushProject", params))
        return web.json_response({"ok": True})

    async def reset(self, request: web.Request) -> web.Response:
        """POST /sim/reset."""
        self.forget()
        return web.json_response({})

    async def shown(self, request: web.Request) -> web.Response:
        """GET /sim/state: what is really here."""
        return web.json_response(
            {"messages": list(self.messages.values()), "times": self.times, "fetched": self.fetched, "sent": self.sent,
             "asked": self.papers.asked}
        )  # fmt: skip

    async def order(self, request: web.Request) -> web.Response:
        """POST /sim/papers: faults, materials without a file, papers."""
        wanted = await request.json()
        self.papers.order(wanted)
        for project, material in wanted.get("empty", []):
            self.papers.lists[(project, material)] = []
        for project, material, name, size in wanted.get("put", []):
            self.papers.put(project, material, name, pdf("PAPER", size))
        return web.json_response({"fault": self.papers.fault})


def listeners(city: City) -> tuple[web.Application, web.Application]:
    """What the gateway calls, and control."""
    outside, control = web.Application(client_max_size=16 << 20), web.Application(client_max_size=16 << 20)

    def through(handler: Any) -> Any:
        return partial(city.house.faults.through, handler=city.guarded(handler))

    outside.router.add_post(BASE + "pushProject", through(city.push))
    outside.router.add_post(BASE + "pushStatus", through(city.push))
    outside.router.add_post(BASE + "getPushState", through(city.state))
    outside.router.add_post(BASE + "getMaterialDetail", through(city.detail))
    outside.router.add_get(BASE + "getAttach", city.guarded(city.give))
    control.router.add_get("/sim/state", city.shown)
    control.router.add_post("/sim/reset", city.reset)
    control.router.add_post("/sim/collect", city.collect)
    control.router.add_post("/sim/papers", city.order)
    control.router.add_post("/sim/knobs", city.house.knobs)
    return outside, control


async def main(config: dict[str, Any]) -> None:
    """Stand until told to stop."""
    city = City(config)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as city.session:
        await city.house.serve(*listeners(city), lambda: None)


if __name__ == "__main__":
    asyncio.run(main(read_config()))
