"""A simulated provincial platform (省内通办): cities push to it and fetch from it, and mark what they have fetched.

Not an official interface of any place. Stands alone (``python -I union_province.py --config FILE``), imports nothing of the
gateway. What it is given it works after it has fetched the papers; what it has to say waits in lists until it is marked.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import aiohttp
from aiohttp import web
from simkit import House, now, pdf, read_config, sm3  # type: ignore[import-not-found]
from union_papers import Papers  # type: ignore[import-not-found]

BASE = "/api/sntb/"
LISTS = ("getBaseInfo", "getSupplementNotice", "getSupplementResult", "getProcess", "getResult")
PUSHES = ("pushBaseInfo", "pushAttachment", "pushProcess", "pushResult", "pushSupplementNotice", "pushSupplementResult")
PLANS = {
    "granted": ("getProcess SL", "getProcess HJ", "getResult BJ", "getResult JG"),
    "supplement": ("getSupplementNotice",),
}
AFTER = ("getProcess SL", "getResult BJ", "getResult JG")


def answer(code: str, message: str, **data: Any) -> web.Response:
    """One code for everything, as this family of interfaces does."""
    return web.json_response({"code": code, "message": message, "data": data})


class Province:
    """Its lists, what it was pushed, and the work between."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.house = config, House(config)
        self.session: aiohttp.ClientSession | None = None
        self.forget()

    def forget(self) -> None:
        """As it was in the beginning."""
        self.papers = Papers("fileId")
        self.lists: dict[str, list[tuple[str, str]]] = {name: [] for name in LISTS}
        self.marks: list[dict[str, Any]] = []
        self.pushed: list[list[Any]] = []
        self.seen: set[tuple[str, str]] = set()
        self.fetched: dict[str, list[dict[str, Any]]] = {}
        self.knobs: dict[str, Any] = {}
        self.count = 0

    def guarded(self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
        """Only who shows the token."""

        async def inner(request: web.Request) -> web.StreamResponse:
            if request.query.get("access_token") != self.config["token"]:
                return answer("401", "令牌无效")
            try:
                return await handler(request)
            except (ValueError, KeyError, TypeError):
                return answer("400", "报文格式错误")

        return inner

    # --- called by the gateway ---------------------------------------------------------------------------------------

    async def read(self, request: web.Request) -> web.Response:
        """The catalogue, the items and the handling points."""
        name = request.path.removeprefix(BASE)
        rows = {"getCatalogue": [{"catalogueCode": "11", "catalogueName": "测试目录"}],
                "getItems": [{"itemCode": "360113-0001", "itemName": "测试事项", "itemVersion": "1"}],
                "getHandlingPoints": [{"pointCode": "P1", "pointName": "测试窗口", "areaCode": "360113000000"}]}  # fmt: skip
        return answer("200", "成功", list=rows[name])

    async def push(self, request: web.Request) -> web.Response:
        """Anything that is pushed, and the serial. The same message twice is once."""
        name, params = request.path.removeprefix(BASE), (await request.json())["params"]
        serial = "NC" + hashlib.sha256(params["projectNo"].encode()).hexdigest()[:12]
        if name == "createSerial":
            return answer("200", "成功", serialNo=serial)
        if name == "pushBaseInfo" and not params.get("applicantName"):
            return answer("400", "applicantName 不能为空")
        key = (name, params["messageId"])
        if key in self.seen:
            return answer("208", "重复报送", serialNo=serial)
        self.seen.add(key)
        self.pushed.append([*key, params])
        if not self.config.get("idle"):
            if name == "pushBaseInfo":
                self.house.start(self.work(params, serial, PLANS[self.config.get("plan", "granted")]))
            elif name == "pushSupplementResult":
                self.house.start(self.work(params, serial, AFTER))
        return answer("200", "成功", serialNo=serial)

    async def known(self, request: web.Request) -> web.Response:
        """Whether the last call of a message is here."""
        id_ = (await request.json())["params"]["messageId"]
        last = {one[0] for one in self.pushed if one[1] == id_}
        whole = bool(last) and ("pushAttachment" in last or not last & {"pushBaseInfo", "pushSupplementResult"})
        return answer("200", "已收到") if whole else answer("404", "未收到")

    async def listed(self, request: web.Request) -> web.Response:
        """What waits, oldest first."""
        name, most = request.path.removeprefix(BASE), int((await request.json())["params"].get("pageSize", 10))
        rows = [text for _, text in self.lists[name]][: int(self.knobs.get("most", most))]
        if self.knobs.get("double"):
            rows = [text for text in rows for _ in range(2)]
        text = '{"code":"200","message":"成功","data":{"list":[' + ",".join(rows) + "]}}"
        if self.knobs.get("half") and rows:
            text = text[: len(text) // 2]
        return web.Response(body=text.encode(), content_type="application/json")

    async def mark(self, request: web.Request) -> web.Response:
        """The receipt of a fetch: it leaves its list."""
        params = (await request.json())["params"]
        self.marks.append(params)
        if not self.knobs.get("forgetful"):
            kept = self.lists.get(params["api"], [])
            kept[:] = [one for one in kept if one[0] != params["messageId"]]
        return answer("200", "成功")

    async def attachments(self, request: web.Request) -> web.Response:
        """The files of one message."""
        params = (await request.json())["params"]
        rows = self.papers.lists.get((params["projectNo"], params["messageId"]), [])
        files = [{"fileName": name, "fileSize": str(size), "fileId": id_, "fileSm3": sm3(self.papers.files[id_]).hex().upper()}
                 for name, size, id_ in rows]  # fmt: skip
        return answer("200", "成功", files=files)

    async def give(self, request: web.Request) -> web.StreamResponse:
        """One file."""
        given: web.StreamResponse = await self.papers.give(request)
        return given

    # --- its own work ------------------------------------------------------------------------------------------------

    async def work(self, params: dict[str, Any], serial: str, plan: tuple[str, ...]) -> None:
        """Fetch the papers from the gateway, then say what becomes of the case."""
        if self.config.get("gateway"):
            await self.fetch(params)
        for step in plan:
            self.say(step, params["projectNo"], serial)

    async def fetch(self, params: dict[str, Any]) -> None:
        """The gateway's door, by the same two calls."""
        assert self.session is not None
        base, token = self.config["gateway"] + BASE, {"access_token": self.config["gateway_token"]}
        asked = {"params": {"projectNo": params["projectNo"], "messageId": params["messageId"]}}
        async with self.session.post(base + "getAttachment", json=asked, params=token) as reply:
            files = (await reply.json()).get("data", {}).get("files", [])
        for one in files:
            query = {"fileId": one["fileId"], **token}
            async with self.session.get(base + "downloadAttachment", params=query) as reply:
                content = await reply.read() if reply.status == 200 else b""
            self.fetched.setdefault(params["projectNo"], []).append(
                {**one, "sha256": hashlib.sha256(content).hexdigest()}
            )

    def say(self, step: str, project: str, serial: str) -> None:
        """One more entry of a list."""
        name, _, kind = step.partition(" ")
        at, day = f"{now():%Y%m%d%H%M%S}", f"{now():%Y}1231"
        self.count += 1
        id_ = f"{serial}-{self.count}"
        office = {
            "deptName": "测试审批局",
            "operatorName": "测试官",
            "operateTime": at,
            "docNo": f"洪{serial}-{self.count}",
        }
        said: dict[str, dict[str, Any]] = {
            "SL": {"resultCode": "1", **office}, "HJ": {"nodeName": "审查", "opinion": "符合条件", **office},
            "BJ": {"resultCode": "1", "finishTime": at, **office}, "JG": {"resultName": "测试证书", **office},
            "": {"supplementItems": [{"itemType": "1", "itemName": "章程", "problem": "缺页", "requirement": "补页"}],
                 "dueDate": day, **office},
        }  # fmt: skip
        if kind == "JG":
            self.papers.put(project, id_, "测试证书.pdf", pdf(f"VOID {serial}"))
        row = {
            "messageId": id_,
            "projectNo": project,
            "serialNo": serial,
            "nodeType": kind,
            "sendTime": f"{at}{self.count:06d}",
        }
        self.lists[name].append((id_, json.dumps({**row, **said[kind]}, ensure_ascii=False)))

    # --- control -----------------------------------------------------------------------------------------------------

    async def put(self, request: web.Request) -> web.Response:
        """POST /sim/put {list, id, text | entry, files: [[name, size]]}: an entry as it is given."""
        wanted = await request.json()
        text = wanted.get("text") or json.dumps(wanted["entry"], ensure_ascii=False)
        for name, size in wanted.get("files", []):
            self.papers.put(wanted["entry"]["projectNo"], wanted["id"], name, pdf("PAPER", size))
        self.lists[wanted["list"]].append((wanted["id"], text))
        return web.json_response({"ok": True})

    async def order(self, request: web.Request) -> web.Response:
        """POST /sim/papers: faults of attachments."""
        self.papers.order(await request.json())
        return web.json_response({})

    async def bend(self, request: web.Request) -> web.Response:
        """POST /sim/lists {double, half, forgetful, most}: faults of lists and marks."""
        self.knobs = await request.json()
        return web.json_response(self.knobs)

    async def reset(self, request: web.Request) -> web.Response:
        """POST /sim/reset."""
        self.forget()
        return web.json_response({})

    async def shown(self, request: web.Request) -> web.Response:
        """GET /sim/state: what is really here."""
        waiting = {name: [id_ for id_, _ in rows] for name, rows in self.lists.items()}
        return web.json_response(
            {
                "waiting": waiting,
                "marks": self.marks,
                "pushed": self.pushed,
                "fetched": self.fetched,
                "asked": self.papers.asked,
            }
        )


def listeners(place: Province) -> tuple[web.Application, web.Application]:
    """What the gateway calls, and control."""
    outside, control = web.Application(client_max_size=16 << 20), web.Application(client_max_size=16 << 20)

    def post(name: str, handler: Any) -> None:
        outside.router.add_post(BASE + name, partial(place.house.faults.through, handler=place.guarded(handler)))

    for name in ("getCatalogue", "getItems", "getHandlingPoints"):
        post(name, place.read)
    for name in ("createSerial", *PUSHES):
        post(name, place.push)
    for name in LISTS:
        post(name, place.listed)
    post("queryReceived", place.known)
    post("markFetched", place.mark)
    post("getAttachment", place.attachments)
    outside.router.add_get(BASE + "downloadAttachment", place.guarded(place.give))
    control.router.add_get("/sim/state", place.shown)
    control.router.add_post("/sim/reset", place.reset)
    control.router.add_post("/sim/put", place.put)
    control.router.add_post("/sim/papers", place.order)
    control.router.add_post("/sim/lists", place.bend)
    control.router.add_post("/sim/knobs", place.house.knobs)
    return outside, control


async def main(config: dict[str, Any]) -> None:
    """Stand until told to stop."""
    place = Province(config)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as place.session:
        await place.house.serve(*listeners(place), lambda: None)


if __name__ == "__main__":
    asyncio.run(main(read_config()))
