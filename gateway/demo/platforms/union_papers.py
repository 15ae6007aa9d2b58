"""Attachments that a simulated platform keeps for the gateway, and the ways in which it hands them out badly (模拟附件).

Imports nothing of the gateway.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from aiohttp import web


class Papers:
    """Files by id, lists of (name, size, id) by project and material; ``parameter``: the query's name for an id."""

    def __init__(self, parameter: str) -> None:
        self.parameter = parameter
        self.lists: dict[tuple[str, str], list[tuple[str, int, str]]] = {}
        self.files: dict[str, bytes] = {}
        self.fault, self.times, self.at = "", 0, 0
        self.asked: list[list[Any]] = []

    def put(self, project: str, material: str, name: str, content: bytes) -> None:
        """One more file of a material."""
        guid = str(uuid.uuid4())
        self.files[guid] = content
        self.lists.setdefault((project, material), []).append((name, len(content), guid))

    def order(self, wanted: dict[str, Any]) -> None:
        """``cut`` and ``stall`` after ``at`` bytes, ``norange``, ``short``, ``long``, ``missing``, ``redirect``, ``wrongrange``."""
        self.fault, self.times, self.at = (
            wanted.get("fault", ""),
            int(wanted.get("times", -1)),
            int(wanted.get("at", 0)),
        )

    def now(self) -> str:
        """The fault of this request."""
        if not self.times:
            return ""
        self.times -= self.times > 0
        return self.fault

    async def give(self, request: web.Request) -> web.StreamResponse:
        """GET one file, from where it is asked for."""
        guid, fault = request.query.get(self.parameter, ""), self.now()
        content = self.files.get(guid)
        self.asked.append([guid, request.headers.get("Range", ""), fault])
        if content is None or fault == "missing":
            return web.json_response({"status": {"code": 0, "text": "附件不存在"}}, status=404)
        if fault == "redirect":
            return web.Response(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"})
        start = int(request.headers.get("Range", "bytes=0-")[6:].rstrip("-")) if fault != "norange" else 0
        status, total = (206, len(content)) if start else (200, len(content))
        content = {"short": content[:-1], "long": content + b"\n"}.get(fault, content)[start:]
        response = web.StreamResponse(status=status)
        if start:
            first = start + 1 if fault == "wrongrange" else start
            response.headers["Content-Range"] = f"bytes {first}-{total - 1}/{total}"
        response.content_length = len(content)
        await response.prepare(request)
        if fault in ("cut", "stall"):
            await response.write(content[: self.at])
            await asyncio.sleep(0 if fault == "cut" else 3600)
            assert request.transport is not None
            request.transport.close()
            return response
        for begin in range(0, len(content), 1 << 16):
            await response.write(content[begin : begin + (1 << 16)])
        await response.write_eof()
        return response
