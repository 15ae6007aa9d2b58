"""One HTTP exchange with a platform (shared by the channels), and the honest sorting of what can go wrong in it.

``Unsent``: no connection was made, so nothing can have happened there. ``Lost``: the request may have arrived; whether
it did is unknown. Redirects are not followed, no proxy of the environment is used, answers are cut off at a size.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

import aiohttp
import msgspec
from yarl import URL

from adapters.base import Untranslatable


@dataclass(frozen=True, slots=True)
class Request:
    """``url`` is already encoded: its path and query go out as they are. ``server_name``: whose certificate is asked for where
    the URL holds a checked address; ``status_only``: the answer's body says nothing and is not read."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes
    server_name: str = ""
    status_only: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer. ``content_type`` is the whole header, "" when absent."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Unsent:
    """Nothing left this machine."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The request left; no usable answer came."""

    reason: str


class AnswerForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[answer]`` table: where an answer holds its code, and what the codes mean (as text)."""

    code: str = "code"
    message: str = "message"
    reference: str = "reference"
    ok: tuple[str, ...] = ("0",)
    duplicate: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def is_loopback(host: str) -> bool:
    """Whether this address is this very machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def web_address(base_url: str, *, query: bool = False) -> str:
    """A platform's registered address, as it is written. ``query``: whether it may have one; where paths are appended to it, it
    may not. Raises Untranslatable for one that no request can be sent to."""
    try:
        url = URL(base_url, encoded=True)
        whole = url.scheme in {"http", "https"} and bool(url.host) and bool(url.port)
    except ValueError:
        whole = False
    if not whole or url.user or url.password or url.fragment or (url.query_string and not query):
        zh, en = "应为 https://主机/路径", "https://host/path is expected"
        raise Untranslatable("address-form", zh, en, "base_url")
    return base_url


class Line:
    """The way to one platform: a connection for each exchange, opened with the first.

    Kept connections would be cheaper and would lie twice: one that the platform closes while idle looks like a cut in the
    middle, and on one whose platform answers twice the second answer would pass for the answer to the next question.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """The session, made in the running loop."""
        if self._session is None:
            connector = aiohttp.TCPConnector(force_close=True)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()
            self._session = None


Onward = Callable[[Request], Awaitable[Reply | Unsent | Lost]]
BETWEEN: ContextVar[Callable[[Request, Onward], Awaitable[Reply | Unsent | Lost]] | None] = ContextVar(
    "between", default=None
)
"""Who stands between us and platforms in this task: the conformance kit sees every exchange there, bends it or replays it."""


async def exchange(
    session: aiohttp.ClientSession, request: Request, connect_ms: int, total_ms: int, max_answer: int
) -> Reply | Unsent | Lost:
    """Send once. Never raises for the network or the platform."""

    async def onward(request: Request) -> Reply | Unsent | Lost:
        return await _exchange(session, request, connect_ms, total_ms, max_answer)

    between = BETWEEN.get()
    return await (onward(request) if between is None else between(request, onward))


async def _exchange(
    session: aiohttp.ClientSession, request: Request, connect_ms: int, total_ms: int, max_answer: int
) -> Reply | Unsent | Lost:
    timeout = aiohttp.ClientTimeout(total=total_ms / 1000, connect=connect_ms / 1000)
    try:
        async with session.request(
            request.method,
            request.url,
            data=request.body or None,
            headers=request.headers,
            timeout=timeout,
            allow_redirects=False,
            server_hostname=request.server_name or None,
            skip_auto_headers=("User-Agent", "Accept-Encoding", "Content-Type"),  # a header nobody signed
        ) as response:
            if request.status_only:
                response.close()
                return Reply(response.status, "", b"")
            body = await _read(response, max_answer)
            if body is None:
                return Lost("answer-too-large")
            return Reply(response.status, response.headers.get("Content-Type", ""), body)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        return Unsent("no-connection")
    except aiohttp.InvalidURL:
        return Unsent("bad-address")
    except TimeoutError:
        return Lost("time-out")
    except (aiohttp.ClientError, OSError, ValueError):
        return Lost("connection-cut")


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > limit:
            response.close()
            return None
        chunks.append(chunk)
    return b"".join(chunks)
