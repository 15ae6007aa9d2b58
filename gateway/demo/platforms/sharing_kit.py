"""What the simulated sharing platforms share (模拟证照共享平台公用): a shelf of certificates, use codes, and how to misbehave.

Stand-alone: imports nothing of the gateway. Certificates are given by configuration, their files ready made. Over the control
port a certificate's status can be changed, and beside the faults of ``simkit`` the platform can be told to answer with
another holder's certificate (``wrong = "holder"``), with another file (``"file"``), or to let use codes run out (``"expired"``).
"""

from __future__ import annotations

import base64
import secrets
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from aiohttp import web
from simkit import House  # type: ignore[import-not-found]


class Shelf(House):  # type: ignore[misc]
    """Certificates of one platform. ``calls``: path and asked-for elements of every question, for a test to look at."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.certificates: list[dict[str, Any]] = config["certificates"]
        self.wrong = ""
        self.calls: list[dict[str, Any]] = []
        self.codes: dict[str, tuple[str, bool]] = {}

    def of_holder(self, code: str, type_code: str) -> list[dict[str, Any]]:
        """A holder's certificates, of one type where it is given."""
        other = self.wrong == "holder"
        return [
            one for one in self.certificates
            if (one["holder_code"] == code) != other and type_code in ("", one["type_code"])
        ]  # fmt: skip

    def by_identifier(self, identifier: str) -> dict[str, Any] | None:
        """One certificate."""
        return next((one for one in self.certificates if one["identifier"] == identifier), None)

    def file(self, one: dict[str, Any]) -> str:
        """Its file, Base64; another one's, or rubbish, when told so."""
        shown = one
        if self.wrong == "file":
            shown = next((other for other in self.certificates if other is not one), one)
        data = b"not an OFD at all" if self.wrong == "rubbish" else Path(shown["file"]).read_bytes()
        return base64.b64encode(data).decode()

    def mint(self, identifier: str) -> str:
        """A use code for one certificate."""
        code = secrets.token_urlsafe(24)
        self.codes[code] = (identifier, False)
        return code

    def note(self, path: str, **asked: Any) -> None:
        """Remember a question."""
        self.calls.append({"path": path, **asked})

    async def knobs(self, request: web.Request) -> web.Response:
        """POST /sim/knobs: as in ``simkit``, and ``wrong``."""
        self.wrong = (await request.json()).get("wrong", "")
        answer: web.Response = await super().knobs(request)
        return answer

    async def change(self, request: web.Request) -> web.Response:
        """POST /sim/certificate {identifier, status}."""
        wanted = await request.json()
        one = self.by_identifier(wanted["identifier"])
        if one is not None:
            one.update(wanted)
        return web.json_response({"changed": one is not None})

    async def asked(self, _: web.Request) -> web.Response:
        """GET /sim/calls."""
        return web.json_response(self.calls)

    def through(self, handler: Any) -> Any:
        """A handler that the ordered fault stands before."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            answer: web.StreamResponse = await self.faults.through(request, handler)
            return answer

        return guarded

    async def stand(self, outside: web.Application) -> None:
        """Serve until told to stop."""
        control = web.Application()
        control.router.add_post("/sim/knobs", self.knobs)
        control.router.add_post("/sim/certificate", self.change)
        control.router.add_get("/sim/calls", self.asked)
        await self.serve(outside, control, lambda: None)
