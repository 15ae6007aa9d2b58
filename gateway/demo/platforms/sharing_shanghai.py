"""A simulated relay to the national certificate store after a public family of interfaces (模拟：证照中转). Not official.

Stand-alone: imports nothing of the gateway. A session lasts for ``session_calls`` calls.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from aiohttp import web
from sharing_kit import Shelf  # type: ignore[import-not-found]
from simkit import read_config  # type: ignore[import-not-found]

AUDIT = ("orgName", "username", "itemName", "itemCode", "businessCode", "UseFor")


class Relay(Shelf):  # type: ignore[misc]
    """``account`` and ``secret``: of the login."""

    sessions: dict[str, int]

    def routes(self) -> web.Application:
        self.sessions = {}
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post("/login.do", self.through(self.login))
        for path, handler in {
            "/gb/secGetCertificateDataByHolder": self.by_holder, "/gb/getCertificateDataByCertificateID": self.info,
            "/gb/getCertificateFileByCertificateID": self.place, "/gb/getCertFile": self.download,
        }.items():  # fmt: skip
            application.router.add_post(path, self.through(self._in_session(handler)))
        return application

    async def login(self, request: web.Request) -> web.Response:
        body = await request.json()
        if (body.get("account"), body.get("password")) != (self.config["account"], self.config["secret"]):
            return _answer(403, "账号或密码错误")
        session = secrets.token_hex(16)
        self.sessions[session] = int(self.config.get("session_calls", 1000))
        return _answer(200, "ok", {"sessionId": session})

    def _in_session(self, handler: Any) -> Any:
        async def guarded(request: web.Request) -> web.Response:
            body = await request.json()
            left = self.sessions.get(body.get("sessionId", ""), 0)
            if left <= 0:
                return _answer(401, "会话失效")
            self.sessions[body["sessionId"]] = left - 1
            self.note(request.path, **{name: value for name, value in body.items() if name != "sessionId"})
            if not all(body.get(name) for name in AUDIT):
                return _answer(400, "缺少审计要素")
            answer: web.Response = handler(body)
            return answer

        return guarded

    def by_holder(self, body: dict[str, Any]) -> web.Response:
        rows = self.of_holder(body["certificateHolderCode"], body["certificateType"])
        return _answer(200, "ok", {"list": [_shown(one) for one in rows]})

    def info(self, body: dict[str, Any]) -> web.Response:
        one = self.by_identifier(body["certificateID"])
        return _answer(200, "ok", _shown(one)) if one else _answer(404, "无此证照")

    def place(self, body: dict[str, Any]) -> web.Response:
        one = self.by_identifier(body["certificateID"])
        return _answer(200, "ok", {"url": f"store://{one['identifier']}"}) if one else _answer(404, "无此证照")

    def download(self, body: dict[str, Any]) -> web.Response:
        one = self.by_identifier(body["url"].removeprefix("store://"))
        return _answer(200, "ok", {"fileData": self.file(one)}) if one else _answer(404, "无此文件")


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "certificateID": one["identifier"], "certificateTypeCode": one["type_code"], "certificateName": one["type_name"],
        "certificateNumber": one["number"], "certificateHolderCode": one["holder_code"], "certificateStatus": one["status"],
        "surfaceData": one["surface"],
    }  # fmt: skip


def _answer(code: int, message: str, data: dict[str, Any] | None = None) -> web.Response:
    return web.json_response({"code": code, "msg": message, "data": data or {}})


if __name__ == "__main__":
    shelf = Relay(read_config())
    asyncio.run(shelf.stand(shelf.routes()))
