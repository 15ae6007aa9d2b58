"""A person's word on an unclear outcome (人工确认), over the admin listener; who merely reaches the port can say nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.flow import confirm, operators
from gateway.flow.certificate_orders import read
from gateway.flow.confirm import Confirmed, Operator, Word
from gateway.store.journal import Journal
from gateway.store.vault import Vault
from gateway.web.guard import read_body
from signing.sm3 import sm3


@dataclass(frozen=True)
class DeliveryOffice:
    """Handlers on the admin listener."""

    journal: Journal
    vault: Vault
    window_ms: int
    now_ms: Callable[[], int]
    wake: Callable[[str], None]

    def routes(self) -> list[web.RouteDef]:
        """The listener's paths."""
        return [web.post("/admin/v1/deliveries/{message:[0-9A-Z]{26}}/confirmation", self.confirm)]

    async def confirm(self, request: web.Request) -> web.Response:
        """The word is durable, and a leaf, before this answers."""
        body = await read_body(request, 1 << 16)
        shown = operators.Call(request.method, request.raw_path, sm3(body))
        header = request.headers.get(operators.HEADER, "")
        name, nonce = operators.check(self.vault, shown, header, self.now_ms(), self.window_ms)
        operator = Operator(name, nonce, self.now_ms() + 2 * self.window_ms)
        message = request.match_info["message"]
        work = confirm.confirm(self.vault, message, read(body, Word, 1 << 16), operator)
        done: Confirmed = (await self.journal.submit(work)).only()
        self.wake(done.destination)
        return web.json_response(
            {"message": message, "destination": done.destination, "state": done.state.value, "leaf": done.leaf,
             "at_ms": done.at_ms}
        )  # fmt: skip
