"""A simulated sharing service in the manner of the public "CertShare" family (模拟：某市电子证照共享服务). Not an official one.

Stand-alone: imports nothing of the gateway; SM2 encryption is PyPI ``gmssl``'s.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from aiohttp import web
from gmssl import sm2 as gm
from sharing_kit import Shelf  # type: ignore[import-not-found]
from simkit import read_config  # type: ignore[import-not-found]


class CertShare(Shelf):  # type: ignore[misc]
    """``account`` and ``secret``: accessId and accessToken; ``asker_key``: x||y (hex) to which data is encrypted."""

    def routes(self) -> web.Application:
        application = web.Application(client_max_size=64 << 20)
        for path, handler in {
            "/queryCertInfoByHolderCode": self.by_holder, "/queryCertInfo": self.info, "/downloadFile": self.download,
            "/verifyFile": self.verify,
        }.items():  # fmt: skip
            application.router.add_post(path, self.through(handler))
        return application

    async def _data(self, request: web.Request) -> dict[str, Any] | None:
        body = await request.json()
        head = body.get("head", {})
        known = head.get("accessId") == self.config["account"] and head.get("accessToken") == self.config["secret"]
        data: dict[str, Any] = body["data"]
        self.note(request.path, **{name: value for name, value in data.items() if name != "fileData"})
        return data if known and len(data.get("useCause", "")) <= 200 else None

    async def by_holder(self, request: web.Request) -> web.Response:
        data = await self._data(request)
        if data is None:
            return _answer(99, "无权访问")
        rows = self.of_holder(data["holderCode"], data["certTypeCode"])
        return (
            _answer(0, "成功", {"certData": self._sealed([_shown(one) for one in rows])})
            if rows
            else _answer(1, "无证照")
        )

    async def info(self, request: web.Request) -> web.Response:
        data = await self._data(request)
        one = self.by_identifier(data["certIdentifier"]) if data else None
        return _answer(0, "成功", {"certData": self._sealed(_shown(one))}) if one else _answer(1, "无证照")

    async def download(self, request: web.Request) -> web.Response:
        data = await self._data(request)
        one = self.by_identifier(data["certificateIdentifier"]) if data else None
        if data is None or one is None or not data["certificateCopyCause"] or not data["certificateCopyExpiringTime"]:
            return _answer(99, "不能下载")
        return _answer(0, "成功", {"fileData": self.file(one)})

    async def verify(self, request: web.Request) -> web.Response:
        data = await self._data(request)
        shown = base64.b64decode(data["fileData"]) if data else b""
        known = base64.b64encode(shown).decode() in [self.file(one) for one in self.certificates]
        return _answer(
            0, "成功", {"result": "true" if known else "false", "message": "真实" if known else "不是本平台的证照"}
        )

    def _sealed(self, value: Any) -> str:
        tool = gm.CryptSM2(private_key="", public_key="", mode=1)  # C1 C3 C2
        tool.public_key = self.config["asker_key"]
        sealed: bytes = tool.encrypt(json.dumps(value, ensure_ascii=False).encode())
        return sealed.hex()


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "certificateIdentifier": one["identifier"], "certificateTypeCode": one["type_code"],
        "certificateType": one["type_name"], "certificateNumber": one["number"],
        "certificateHolderCode": one["holder_code"], "certificateStatus": one["status"],
        "surface": [
            {"name": name, "columnName": name, "value": value, "valueType": "text"} for name, value in one["surface"].items()
        ],
    }  # fmt: skip


def _answer(status: int, message: str, data: dict[str, Any] | None = None) -> web.Response:
    return web.json_response({"head": {"status": status, "message": message}, "data": data or {}})


if __name__ == "__main__":
    shelf = CertShare(read_config())
    asyncio.run(shelf.stand(shelf.routes()))
