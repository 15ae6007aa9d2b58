"""A simulated certificate service with use codes in the manner of DB44/T 2167.3 (模拟：用证服务). Not an official one.

Stand-alone: imports nothing of the gateway. A use code opens the data, then the file once; after that it is used.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from aiohttp import web
from sharing_kit import Shelf  # type: ignore[import-not-found]
from simkit import read_config  # type: ignore[import-not-found]

STATUS = {"01": "ISSUED", "02": "SUSPENDED", "05": "EXPIRED", "07": "ABOLISHED"}


class LicenseApp(Shelf):  # type: ignore[misc]
    """``secret``: the access token."""

    def routes(self) -> web.Application:
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post("/license/holder", self.through(self.holder))
        application.router.add_get("/license/get_license", self.through(self.data))
        application.router.add_get("/license/archive", self.through(self.archive))
        return application

    def _known(self, request: web.Request) -> bool:
        return bool(request.query.get("access_token") == self.config["secret"])

    async def holder(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.note(request.path, **body)
        if not self._known(request) or not all(body.get(name) for name in ("service_item_code", "biz_num")):
            return _answer("FORBIDDEN")
        rows = self.of_holder(body["credential"], body.get("cas_no", ""))
        return _answer("SUCCESS", data=[{**_shown(one), "auth_code": self.mint(one["identifier"])} for one in rows])

    def _opened(self, request: web.Request, spend: bool) -> dict[str, Any] | str:
        code = request.query.get("auth_code", "")
        identifier, used = self.codes.get(code, ("", True))
        if not self._known(request) or not identifier:
            return "FORBIDDEN"
        if used or self.wrong == "expired":
            return "AUTH_CODE_USED" if used else "AUTH_CODE_EXPIRED"
        self.codes[code] = (identifier, spend)
        return self.by_identifier(identifier) or "NOT_FOUND"

    async def data(self, request: web.Request) -> web.Response:
        self.note(request.path)
        one = self._opened(request, spend=False)
        return _answer(one) if isinstance(one, str) else _answer("SUCCESS", data=_shown(one))

    async def archive(self, request: web.Request) -> web.Response:
        self.note(request.path)
        one = self._opened(request, spend=True)
        return _answer(one) if isinstance(one, str) else _answer("SUCCESS", file_data=self.file(one))


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "license_code": one["identifier"], "license_type_code": one["type_code"], "name": one["type_name"],
        "id_code": one["number"], "holder_identity_num": one["holder_code"],
        "license_status": STATUS.get(one["status"], "OTHER"), "data_fields": one["surface"],
    }  # fmt: skip


def _answer(code: str, **more: Any) -> web.Response:
    return web.json_response({"ack_code": code, "errors": [], **more})


if __name__ == "__main__":
    shelf = LicenseApp(read_config())
    asyncio.run(shelf.stand(shelf.routes()))
