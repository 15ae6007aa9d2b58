"""The calling side of the exchange protocol: batches, questions about an outcome, parts in ranges.

Outcomes are values: a failed connection is ``Unreachable``; what may have arrived and was not answered is ``Unclear``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import aiohttp
import msgspec

from gateway.exchange import request, wire
from gateway.exchange.message import PartRef
from gateway.exchange.tls import Tls
from gateway.exchange.trust import Partner
from gateway.ledger.checkpoint import LedgerProof
from signing.errors import SigningError
from signing.sm2 import Signer

MAX_ANSWER = 32 << 20
QUICK_S = 3.0  # for a partner's card: others wait for it
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nothing happened there: no connection, a 5xx that says so, or no key here that could sign the call."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """The call left and no usable answer came."""

    reason: str


@dataclass(frozen=True, slots=True)
class Denied:
    """The other side's gateway refused the whole call: its problem code and what it said it holds."""

    code: str
    held: int | None


class _Problem(msgspec.Struct):
    code: str = ""
    held: int | None = None


class _Path(msgspec.Struct):
    path: list[bytes]


class CardTaken(msgspec.Struct, frozen=True):
    """A partner's acknowledgement of our card: the version, and its ledger's proof of having taken it in, which it shows
    only to a call that our direct key signed."""

    version: int
    proof: LedgerProof | None = None


class PeerClient:
    """Calls to one partner, signed by our direct key."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        partner: Partner,
        us: str,
        signer: Callable[[], Signer],
        now_ms: Callable[[], int],
        new_nonce: Callable[[], str],
        timeout_ms: int,
        tls: Tls,
    ) -> None:
        self._session = session
        self._partner = partner
        self._us = us
        self._signer = signer
        self._now_ms = now_ms
        self._new_nonce = new_nonce
        self._tls = tls
        self._quick = aiohttp.ClientTimeout(total=QUICK_S)
        self._timeout = aiohttp.ClientTimeout(total=timeout_ms / 1000, connect=min(timeout_ms / 1000, 5))

    async def _headers(self, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        signer, stamp, nonce = self._signer(), self._now_ms(), self._new_nonce()
        sign = partial(request.sign, signer, method, target, body, stamp, nonce, self._us, self._partner.id)
        return await asyncio.to_thread(sign) if signer.kind == "machine" else sign()

    def _trusted(self) -> ssl.SSLContext | bool:
        """What a call is secured with. Reading the system's roots takes 25 ms: without TLS (a laboratory) it is not done."""
        return True if self._partner.url.startswith("http:") else self._tls.client(self._partner.card)

    async def send(
        self, head: wire.BatchHead, lines: list[wire.Line]
    ) -> tuple[wire.BatchHead, list[wire.Answer]] | Unreachable | Unclear | Denied:
        """Send a batch; head and answers of the other side, or what became of the call."""
        target = "/exchange/v1/messages"
        try:
            async with self._session.post(
                self._partner.url + target,
                data=wire.encode(head, lines),
                headers={"Content-Type": wire.CONTENT_TYPE},
                timeout=self._timeout,
                allow_redirects=False,
                ssl=self._trusted(),
            ) as response:
                data = await _limited(response)
                if response.status == 200:
                    return wire.decode_answer(data)
                return _denied(response.status, data)
        except aiohttp.ClientConnectorError as error:
            return Unreachable(type(error).__name__)
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError, ValueError) as error:
            return Unclear(type(error).__name__)

    async def ask(self, message: str) -> wire.Answer | Unreachable | None:
        """The other side's stored answer to a message of ours; None when it does not have it."""
        return await self._get(f"/exchange/v1/messages/{message}", wire.Answer)

    async def consistency(self, old: int, new: int) -> list[bytes] | Unreachable:
        """The path between two sizes of the partner's ledger."""
        found = await self._get(f"/exchange/v1/consistency?from={old}&to={new}", _Path)
        if found is None:
            return Unreachable("HTTP 404")
        return found if isinstance(found, Unreachable) else found.path

    async def send_card(self, data: bytes) -> CardTaken | Unreachable | Denied:
        """Bring our signed card. The card proves itself: while no key of ours can sign the call, it goes unsigned."""
        target = "/exchange/v1/card"
        try:
            headers = await self._headers("PUT", target, data)
        except SigningError:
            headers = {request.PARTY: self._us}
        try:
            async with self._session.put(
                self._partner.url + target,
                data=data,
                headers=headers | {"Content-Type": "application/json"},
                timeout=self._quick,
                allow_redirects=False,
                ssl=self._trusted(),
            ) as response:
                body = await _limited(response)
                if response.status != 200:
                    return _denied(response.status, body)
                return msgspec.json.decode(body, type=CardTaken)
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError, ValueError) as error:
            return Unreachable(type(error).__name__)

    async def card(self, after: int) -> bytes | Unreachable:
        """The partner's signed card that comes after this version, or its newest. The card proves itself: where the
        partner does not know our key (yet), the public page serves as well."""
        for target in (f"/exchange/v1/card?after={after}", f"/.well-known/tongban/card?after={after}"):
            try:
                signed = await self._headers("GET", target) if target.startswith("/exchange/") else {}
                async with self._session.get(
                    self._partner.url + target,
                    headers=signed,
                    timeout=self._quick,
                    allow_redirects=False,
                    ssl=self._trusted(),
                ) as response:
                    if response.status == 200:
                        return await _limited(response)
                    reason = f"HTTP {response.status}"
            except (aiohttp.ClientError, TimeoutError, ValueError, SigningError) as error:
                reason = type(error).__name__
        return Unreachable(reason)

    async def _get(self, target: str, form: type[T]) -> T | Unreachable | None:
        """One signed question; None for 404."""
        try:
            async with self._session.get(
                self._partner.url + target,
                headers=await self._headers("GET", target),
                timeout=self._timeout,
                allow_redirects=False,
                ssl=self._trusted(),
            ) as response:
                data = await _limited(response)
                if response.status == 404:
                    return None
                if response.status != 200:
                    return Unreachable(f"HTTP {response.status}")
                return msgspec.json.decode(data, type=form)
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError, ValueError, SigningError) as error:
            return Unreachable(type(error).__name__)

    async def send_part(
        self, part: PartRef, read: Callable[[int], AsyncIterator[bytes]]
    ) -> Unreachable | Denied | None:
        """Bring a part to the other side, from where its upload stands; None when it is there whole.

        ``read(start)`` yields the part's bytes from ``start`` in segments of at most the range limit.
        """
        target = f"/exchange/v1/parts/{part.sm3}"
        try:
            async with self._session.head(
                self._partner.url + target,
                headers=await self._headers("HEAD", target),
                timeout=self._timeout,
                ssl=self._trusted(),
            ) as response:
                if response.status == 200 and response.headers.get("Upload-Complete") == "1":
                    return None
                offset = int(response.headers.get("Upload-Offset", "0")) if response.status == 200 else 0
            async for data in read(offset):
                refused = await self._put(target, part, offset, data)
                if refused is not None:
                    return refused
                offset += len(data)
            return None if offset == part.size else Unreachable("incomplete")
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, ValueError, SigningError) as error:
            return Unreachable(type(error).__name__)

    async def _put(self, target: str, part: PartRef, offset: int, data: bytes) -> Unreachable | Denied | None:
        headers = await self._headers("PUT", target, data) | {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {offset}-{offset + len(data) - 1}/{part.size}",
        }
        async with self._session.put(
            self._partner.url + target,
            data=data,
            headers=headers,
            timeout=self._timeout,
            allow_redirects=False,
            ssl=self._trusted(),
        ) as response:
            body = await _limited(response)
            return None if response.status in (200, 201) else _denied(response.status, body)


def _denied(status: int, data: bytes) -> Unreachable | Denied:
    if status >= 500:
        return Unreachable(f"HTTP {status}")
    try:
        problem = msgspec.json.decode(data, type=_Problem)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        problem = _Problem()
    return Denied(problem.code or f"HTTP {status}", problem.held)


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    """The body of an answer, refused above the cap: the other side is not trusted with our memory."""
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MAX_ANSWER:
            raise ValueError("the answer is larger than allowed")
        chunks.append(chunk)
    return b"".join(chunks)
