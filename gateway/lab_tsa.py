"""A laboratory's time-stamp authority (时间戳机构，样章·测试无效): RFC 3161 over HTTP, for demonstrations and tests.

Its clock is this machine's and its key lies in a file: it shows how the parts fit and proves nothing to anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from gateway.timestamping import QUERY, REPLY
from signing.issue import Authority
from signing.timestamp_build import answer

MAX_QUERY = 4 << 10


def application(authority: Authority, now: Callable[[], datetime], serial: Callable[[], int]) -> web.Application:
    """One address, ``POST /``, that answers time-stamp queries."""

    async def stamp(request: web.Request) -> web.Response:
        if request.content_type != QUERY:
            raise web.HTTPUnsupportedMediaType
        reply = answer(await request.read(), authority, at=now(), serial=serial())
        return web.Response(body=reply, content_type=REPLY)

    app = web.Application(client_max_size=MAX_QUERY)
    app.router.add_post("/", stamp)
    return app
