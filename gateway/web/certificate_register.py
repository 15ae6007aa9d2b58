"""Certificates over HTTP: the counter where local platforms have them issued, and the office where the node's operators act.

Platforms sign as they do everywhere. An operator's call on the admin listener bears a MAC under a key that only the keyring's
passphrase opens: who merely reaches the port can neither read nor change a certificate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass, replace
from datetime import MAXYEAR, datetime
from typing import Any

from aiohttp import web

from gateway.flow import operators
from gateway.flow.certificate_acts import Caller, Once
from gateway.flow.certificate_orders import Change, Disclose, Issue, read
from gateway.flow.certificates import Certificates
from gateway.flow.issued import Issued
from gateway.ops import metrics
from gateway.problems import Refused
from gateway.store.vault import Vault
from gateway.web import guard
from gateway.web.guard import read_body
from gateway.web.platforms import Platforms
from signing.sm3 import sm3

OFD = "application/ofd"
ONE = "certificates/{identifier:[0-9][0-9A-Z.]+}"  # an identifier begins with its root, so that no other path looks like one


@dataclass(frozen=True)
class CertificateDoor:
    """Handlers on the platform listener. ``doors``: who calls, and by what right."""

    doors: Platforms
    certificates: Certificates | None

    def routes(self) -> list[web.RouteDef]:
        """The listener's paths."""
        return [
            web.post("/platform/v1/certificates", self.issue),
            web.post(f"/platform/v1/{ONE}/events", self.act),
            web.post(f"/platform/v1/{ONE}/releases", self.release),
            web.get(f"/platform/v1/{ONE}", self.status),
            web.get(f"/platform/v1/{ONE}/file", self.file),
        ]

    async def issue(self, request: web.Request) -> web.Response:
        """Have a certificate issued."""
        caller, body, flows = await self._said(request)
        return await _done(flows, caller, body, lambda: _issue(flows, caller, body, self.doors.body_limit))

    async def act(self, request: web.Request) -> web.Response:
        """Suspend, resume, revoke, withdraw, cancel, drop, re-issue, annotate."""
        caller, body, flows = await self._said(request)
        identifier = request.match_info["identifier"]
        return await _done(flows, caller, body, lambda: _act(flows, caller, body, identifier, self.doors.body_limit))

    async def release(self, request: web.Request) -> web.Response:
        """What a partner may see of it by an agreement, to be given to that partner."""
        caller, body, flows = await self._said(request)
        identifier = request.match_info["identifier"]
        return await _done(
            flows, caller, body, lambda: _release(flows, caller, body, identifier, self.doors.body_limit)
        )

    async def status(self, request: web.Request) -> web.Response:
        """How it stands, or stood (``?at=``, RFC 3339), for the platform that had it issued."""
        caller, _, flows = await self._said(request)
        row = flows.find(caller, request.match_info["identifier"])
        return web.json_response(flows.status(row, _at(request) or self.doors.now_ms()))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Its OFD; of an annotated copy with ``?copy=`` the act that made it."""
        caller, _, flows = await self._said(request)
        return await _file(request, flows, flows.find(caller, request.match_info["identifier"]))

    async def _said(self, request: web.Request) -> tuple[Caller, bytes, Certificates]:
        body = await read_body(request, self.doors.body_limit)
        platform, signed = self.doors.caller(request, body)
        if request.method == "GET":  # an act spends its nonce with what it does
            await self.doors.spend(platform, signed)
        return (
            Caller(f"platform:{platform.id}", platform.id, signed.nonce, self.doors.until()),
            signed.message(body),
            _open(self.certificates),
        )


@dataclass(frozen=True)
class CertificateOffice:
    """Handlers on the admin listener. ``platforms``: ids of the local ones, for which an operator may have one issued."""

    certificates: Certificates | None
    platforms: Container[str]
    vault: Vault
    body_limit: int
    window_ms: int
    now_ms: Callable[[], int]

    def routes(self) -> list[web.RouteDef]:
        """The listener's paths."""
        return [
            web.post("/admin/v1/certificates", self.issue),
            web.post(f"/admin/v1/{ONE}/events", self.act),
            web.get(f"/admin/v1/{ONE}/file", self.file),
        ]

    async def issue(self, request: web.Request) -> web.Response:
        """A certificate for a local platform that cannot ask for it itself (``?platform=``)."""
        body = await read_body(request, self.body_limit)
        caller, flows = self._operator(request, body), _open(self.certificates)
        platform = request.query.get("platform", "")
        if platform not in self.platforms:
            raise Refused("TB-7003", "没有这个本地平台")
        own = replace(caller, platform=platform)
        return await _done(flows, caller, body, lambda: _issue(flows, own, body, self.body_limit))

    async def act(self, request: web.Request) -> web.Response:
        """What an operator orders, on any certificate of the node."""
        body = await read_body(request, self.body_limit)
        caller, flows = self._operator(request, body), _open(self.certificates)
        identifier = request.match_info["identifier"]
        return await _done(flows, caller, body, lambda: _act(flows, caller, body, identifier, self.body_limit))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """The OFD of a certificate or of a copy."""
        caller, flows = self._operator(request, b""), _open(self.certificates)
        return await _file(request, flows, flows.find(caller, request.match_info["identifier"]))

    def _operator(self, request: web.Request, body: bytes) -> Caller:
        shown = operators.Call(request.method, request.raw_path, sm3(body))
        header = request.headers.get(operators.HEADER, "")
        name, nonce = operators.check(self.vault, shown, header, self.now_ms(), self.window_ms)
        return Caller(f"operator:{name}", "", nonce, self.now_ms() + 2 * self.window_ms)


def _at(request: web.Request) -> int | None:
    """The time that is asked about, ms; None for now."""
    said = request.query.get("at", "")
    try:
        at = datetime.fromisoformat(said) if said else None
    except ValueError:
        at = None
    if said and (
        at is None or at.tzinfo is None or at.year == MAXYEAR
    ):  # that year's last day may have no name in China
        raise Refused("TB-1005", "at 应为带时区的时间（RFC 3339）")
    return int(at.timestamp() * 1000) if at else None


def _open(certificates: Certificates | None) -> Certificates:
    if certificates is None:
        raise Refused("TB-7007")
    return certificates


async def _issue(flows: Certificates, caller: Caller, body: bytes, limit: int) -> dict[str, Any]:
    order = read(body, Issue, limit)
    return await flows.issue(order, Once(caller, order.id, sm3(b"issue\n", body)))


async def _act(flows: Certificates, caller: Caller, body: bytes, identifier: str, limit: int) -> dict[str, Any]:
    order = read(body, Change, limit)
    return await flows.act(identifier, order, Once(caller, order.id, sm3(f"{identifier}\n".encode(), body)))


async def _release(flows: Certificates, caller: Caller, body: bytes, identifier: str, limit: int) -> dict[str, Any]:
    order = read(body, Disclose, limit)
    return await flows.release(
        identifier, order, Once(caller, order.id, sm3(f"{identifier}\nrelease\n".encode(), body))
    )


async def _done(
    flows: Certificates, caller: Caller, body: bytes, act: Callable[[], Awaitable[dict[str, Any]]]
) -> web.Response:
    try:
        answer = await act()
        metrics.CERTIFICATES.inc()
        return web.json_response(answer)
    except Refused as refused:
        if not refused.code.startswith("TB-9") and not refused.extra.get("early"):
            await flows.refuse(caller, body, refused)
        raise


async def _file(request: web.Request, flows: Certificates, row: Issued) -> web.StreamResponse:
    pieces, size = flows.file(row, request.query.get("copy", ""))
    piece = await asyncio.to_thread(next, pieces, None)  # one that is not there is refused before anything is said
    headers = {"Content-Type": OFD, "Content-Length": str(size)} | guard.HEADERS
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    try:
        while piece is not None:
            await response.write(piece)
            piece = await asyncio.to_thread(next, pieces, None)
    except Refused:
        raise ConnectionResetError from None  # damaged on disk, and half is sent: the reader must see a cut, not an end
    await response.write_eof()
    return response
