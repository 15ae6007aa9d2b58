"""The channel of ``webhook``: one signed POST to the registered endpoint (attack rows A17, A18).

The endpoint's name is resolved once for a delivery, every address it leads to is judged, and the connection goes to one of
these very addresses: what a second look-up would say (DNS rebinding) is never asked. Redirects are not followed. Of the
answer only the status counts: its body is not read, so that it can be neither too large nor a bomb, and may not be late.

2xx -> Accepted. 400, 409, 413, 415, 422 -> Refused. 410 -> parked until a person has looked at the registration. No connection,
all other answers -> Temporary, for the endpoint's keeper can mend them. A request that left without an answer -> Unclear.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from yarl import URL

from adapters.base import Accepted, Answer, CannotAsk, NotThere, Outcome, Refused, Temporary, Unclear, Wire
from adapters.rest_signed.keys import Signing
from adapters.rest_signed.sign import Part, Scheme, sign, split_target
from adapters.transport import Line, Lost, Reply, Request, Unsent, exchange
from adapters.webhook.address import Address, Endpoint, Network, address_of, permitted
from adapters.webhook.translate import ID, Words
from signing.errors import SigningError
from signing.sm3 import sm3

TRIED = 3
"""How many of a name's addresses are tried."""

GONE = Temporary("http-410 回调地址已撤销，核对登记后再送 the endpoint is gone", park=True)
REFUSED = {
    400: ("事件读不懂", "the event cannot be read"),
    409: ("与已有的事件冲突", "the event conflicts with another"),
    413: ("事件过大", "the event is too large"),
    415: ("报文格式不收", "this media type is not taken"),
    422: ("事件内容不收", "the event's content is not taken"),
}

Lookup = Callable[[str], Awaitable[Sequence[str]]]


async def addresses(host: str) -> list[str]:
    """All addresses of a name, in the system's order. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """See ``adapters.base.Channel``. ``registered``: the addresses that the endpoint may have, any public one if empty."""

    line: Line
    endpoint: Endpoint
    registered: tuple[Network, ...]
    lookup: Lookup
    words: Words
    scheme: Scheme
    signer: Callable[[], Signing]
    in_machine: Callable[[], bool]
    app_id: str
    them: str
    new_nonce: Callable[[], str]
    now_ms: Callable[[], int]
    connect_ms: int
    total_ms: int

    async def send(self, wire: Wire) -> Outcome:
        if not ID.fullmatch(wire.id):
            return Refused("id-form", "编号不能作请求头", "the id fits into no header")
        reached = await self._reached()
        if isinstance(reached, Temporary):
            return reached
        try:
            headers = await asyncio.to_thread(self._signed, wire) if self.in_machine() else self._signed(wire)
        except SigningError as error:  # the queue waits until the key can sign again
            return Temporary(error.code, absent=True)
        reply = await self._called(wire.body, headers, reached[:TRIED])
        if isinstance(reply, Unsent):
            return Temporary(reply.reason, absent=True)
        return Unclear(reply.reason) if isinstance(reply, Lost) else judge(reply.status)

    async def ask(self, out_id: str) -> Answer:
        """An endpoint cannot be asked; one that tells repetitions by the delivery's id may get it again."""
        return NotThere() if self.words.repeatable else CannotAsk()

    async def close(self) -> None:
        await self.line.close()

    async def _reached(self) -> list[Address] | Temporary:
        """Where the name leads now, each address judged; one that is not permitted spoils all of them."""
        literal = address_of(self.endpoint.host)
        try:
            async with asyncio.timeout(self.connect_ms / 1000):
                names = [] if literal else await self.lookup(self.endpoint.host)
        except (OSError, TimeoutError, UnicodeError):
            return Temporary("name-not-resolved", absent=True)
        found = [literal] if literal else [address_of(one.partition("%")[0]) for one in names]
        good = [one for one in found if one is not None and permitted(one, self.registered)]
        if len(good) < len(found) or not good:
            return Temporary("address-not-registered", absent=True)
        return good

    def _signed(self, wire: Wire) -> dict[str, str]:
        """The headers of this delivery with their proof."""
        headers = {
            "host": self.endpoint.named,
            "content-type": wire.content_type,
            self.words.delivery: wire.id,
            self.words.event: wire.operation,
        }
        part = Part("POST", *split_target(self.endpoint.target), headers, sm3(wire.body))
        app, time_ms, nonce = self.app_id, self.now_ms(), self.new_nonce()
        return headers | dict(
            sign(self.scheme, self.signer(), part, app=app, time_ms=time_ms, nonce=nonce, them=self.them)
        )

    async def _called(self, body: bytes, headers: dict[str, str], reached: list[Address]) -> Reply | Unsent | Lost:
        """To the first of these addresses that takes a connection; over TLS it has to be the endpoint's host all the same."""
        reply: Reply | Unsent | Lost = Unsent("no-connection")
        for address in reached:
            url, host = URL(self.endpoint.at(address), encoded=True), self.endpoint.host
            request = Request("POST", url, headers, body, server_name=host, status_only=True)
            reply = await exchange(self.line.session(), request, self.connect_ms, self.total_ms, 0)
            if not isinstance(reply, Unsent):
                break
        return reply


def judge(status: int) -> Outcome:
    """What a status means."""
    if 200 <= status < 300:
        return Accepted()
    if status in REFUSED:
        return Refused(f"http-{status}", *REFUSED[status])
    if status == 410:
        return GONE
    return Temporary("redirect-refused" if 300 <= status < 400 else f"http-{status}")
