"""The public listener: what anybody sees who scans the QR code of a certificate (``/v/{token}``). It knows no caller.

Neither token nor address goes into a log or a metric. Every address that leads nowhere, readable or not, gets the one
page 查无此证, after the same work (row P08).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.core.throttle import Throttle, network
from gateway.problems import Refused
from gateway.public import token
from gateway.public.page import HEADERS, Page
from gateway.public.shown import BUSY
from gateway.public.source import Source
from gateway.web.guard import problem

PATH = "/v/"
ASTRAY = frozenset({"TB-1009", "TB-1011"})  # an address that is not one of ours, or no address at all


@dataclass(frozen=True)
class Public:
    """Handlers of the public listener. ``proxies``: whose word (``address_header``) about a caller's address is taken."""

    source: Source
    throttle: Throttle
    now_ms: Callable[[], int]
    sample: bool = False
    proxies: frozenset[str] = frozenset()
    address_header: str = "X-Real-IP"

    def routes(self) -> list[web.RouteDef]:
        """The listener's paths (contract)."""
        return [web.get(PATH + "{token:.*}", self.get_certificate)]

    async def get_certificate(self, request: web.Request) -> web.Response:
        """The page of the certificate that the token in the address stands for; HEAD as well."""
        return self._answer(request)

    def refuse(self, request: web.Request, refused: Refused) -> web.Response:
        """What the guard refuses here: an address that leads nowhere is answered like a token that nobody has."""
        return self._answer(request) if refused.code in ASTRAY else problem(request, refused)

    def _answer(self, request: web.Request) -> web.Response:
        now_ms, address = self.now_ms(), self._address(request)
        if not self.throttle.admits(address, now_ms):
            return self._page(request, 429, Page(None, self.source.news(now_ms), now_ms, self.sample, BUSY))
        found = self.source.look(token.digest(request.raw_path.partition("?")[0].removeprefix(PATH)))
        self.throttle.spend(address, now_ms, found is not None)
        page = Page(found, self.source.news(now_ms), now_ms, self.sample)
        return self._page(request, 404 if found is None else 200, page)

    def _page(self, request: web.Request, status: int, page: Page) -> web.Response:
        wants_json = "application/json" in request.headers.get("Accept", "")
        return web.Response(
            status=status,
            body=page.json() if wants_json else page.html(),
            content_type="application/json" if wants_json else "text/html",
            charset="utf-8",
            headers=HEADERS | ({"Retry-After": "30"} if status == 429 else {}),
        )

    def _address(self, request: web.Request) -> str:
        address = request.remote or ""
        return network(request.headers.get(self.address_header, address) if address in self.proxies else address)
