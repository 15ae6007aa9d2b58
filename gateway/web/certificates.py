"""The certificate paths of the platform listener (``/platform/v1/certificates/…``): a signed question in, the flow's answer out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from gateway.flow.accept import spend_nonce
from gateway.flow.sharing import Guard, Shares
from gateway.sharing.questions import Authorise, Fetch, Query, Verify, read
from gateway.web.guard import read_body
from gateway.web.platforms import Platforms

T = TypeVar("T", Query, Authorise, Fetch, Verify)


@dataclass(frozen=True)
class Certificates:
    """Handlers of the four acts. ``doors``: who calls, and by what right."""

    doors: Platforms
    shares: Shares

    def routes(self) -> list[web.RouteDef]:
        """The paths (contract)."""
        acts = {
            "query": self._handler(Query, self.shares.query), "authorize": self._handler(Authorise, self.shares.authorise),
            "fetch": self._handler(Fetch, self.shares.fetch), "verify": self._handler(Verify, self.shares.verify),
        }  # fmt: skip
        return [web.post(f"/platform/v1/certificates/{name}", handler) for name, handler in acts.items()]

    def _handler(
        self, kind: type[T], act: Callable[[str, T, Guard], Awaitable[dict[str, Any]]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            body = await read_body(request, self.doors.body_limit)
            platform, signed = self.doors.caller(request, body)
            owner, until = f"platform:{platform.id}", self.doors.until()
            answer = await act(
                platform.id, read(kind, signed.message(body)), lambda tx: spend_nonce(tx, owner, signed.nonce, until)
            )
            return web.json_response(answer)

        return handle
