"""The platform listener: signed JSON REST and SOAP for the local platforms of this place.

A handler authenticates over the bytes on the wire, lets the platform's translator read them, and hands the act to the
desk. What the desk says goes back in the platform's own words.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog
from aiohttp import web

from adapters.base import (
    Act,
    Attachment,
    Chunk,
    Denied,
    Interrupted,
    Kept,
    Pieces,
    Presented,
    Problem,
    Signed,
    Untranslatable,
)
from adapters.registry import Platform, find_caller
from adapters.soap.fault import Fault
from gateway import problems
from gateway.core.bundle import overall
from gateway.core.labels import LABELS
from gateway.flow import attachments, bundles, casefile
from gateway.flow.accept import deed_of, spend_nonce
from gateway.flow.casefile import CaseFile
from gateway.flow.desk import Desk
from gateway.ops import metrics
from gateway.problems import Refused, of_reason
from gateway.store.parts import Parts
from gateway.web import guard
from gateway.web.guard import TRACE, read_body
from gateway.web.uploads import Uploads, content_range, digest_of, wanted_range
from schemas.errors import Invalid
from signing.sm3 import sm3

log = structlog.get_logger("platforms")
NOBODY = Refused("TB-2003")


@dataclass(frozen=True)
class Platforms:
    """Handlers of the platform listener."""

    platforms: Mapping[str, Platform]
    desk: Desk
    uploads: Uploads
    parts: Parts
    body_limit: int
    range_limit: int
    window_ms: int
    now_ms: Callable[[], int]

    def routes(self) -> list[web.RouteDef]:
        """The listener's paths (contract); ``{id}`` may hold the slash of our case ids."""
        return [
            web.post("/platform/v1/cases", self.post_case),
            web.post("/platform/v1/cases/{id:.+}/events", self.post_event),
            web.get("/platform/v1/cases/{id:.+}", self.get_case),
            web.head("/platform/v1/materials/{sm3}", self.head_material),
            web.put("/platform/v1/materials/{sm3}", self.put_material),
            web.get("/platform/v1/materials/{sm3}", self.get_material, allow_head=False),
            web.get("/platform/v1/soap/{profile}", self.get_wsdl),
            web.post("/platform/v1/soap/{profile}", self.post_soap),
        ]

    # --- signed JSON REST --------------------------------------------------------------------------------------------

    def caller(self, request: web.Request, body: bytes) -> tuple[Platform, Signed]:
        """Who signed this very request; raises ``Refused`` with a reason that does not tell one unknown from another."""
        path, _, query = request.raw_path.partition("?")
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
        platform = find_caller(self.platforms.values(), headers)
        shown = Presented(request.method, path, query, headers, sm3(body), body)
        if platform is None:
            some = next((one for one in self.platforms.values() if one.app_of is not None), None)
            outcome: Signed | Denied = some.authenticate(shown, self.now_ms()) if some is not None else _unknown()
        else:
            outcome = platform.authenticate(shown, self.now_ms())
        if isinstance(outcome, Denied):
            raise Refused(of_reason(outcome.code), outcome.zh)
        if platform is None:
            raise NOBODY
        return platform, outcome

    def until(self) -> int:
        return self.now_ms() + 2 * self.window_ms

    async def spend(self, platform: Platform, signed: Signed) -> None:
        """A signed request is good for one time, also one that only reads; raises ``Refused`` on a replay (J11)."""
        owner, nonce, until = f"platform:{platform.id}", signed.nonce, self.until()
        (await self.desk.journal.submit(lambda tx: spend_nonce(tx, owner, nonce, until))).only()

    async def post_case(self, request: web.Request) -> web.Response:
        """Hand in a case: the signed 收件回执, or a refusal."""
        return await self._act(request, "case", "")

    async def post_event(self, request: web.Request) -> web.Response:
        """Report an act on a case: correction, arrival, delivery, withdrawal."""
        return await self._act(request, "event", request.match_info["id"])

    async def _act(self, request: web.Request, operation: str, case: str) -> web.Response:
        body = await read_body(request, self.body_limit)
        platform, signed = self.caller(request, body)
        said = signed.message(body)
        act = read_act(platform, operation, said, case)
        deed = deed_of(platform.id, act, said, signed.nonce, self.until(), platform.mapping)
        receipt = await self.desk.take(deed)
        metrics.TAKEN.labels("platform", "receipt").inc()
        return web.Response(body=platform.translator.reply_ok(act, receipt), content_type="application/json")

    async def get_case(self, request: web.Request) -> web.Response:
        """Where a case of this platform stands."""
        platform, signed = self.caller(request, b"")
        await self.spend(platform, signed)
        number = request.match_info["id"]
        parts = [self._told(one) for one in bundles.find(self.desk.journal.read(), platform.id, number)]
        return web.json_response({**self.status(platform.id, number), **({"parts": parts} if parts else {})})

    def status(self, platform: str, number: str) -> dict[str, str]:
        """State in words, of a case or of several that were handed in as one; a case of another platform is no case (A06)."""
        reader = self.desk.journal.read()
        parts = bundles.find(reader, platform, number)
        if not parts:
            return self._told(self._case(platform, number))
        found = overall([one.state for one in parts])
        return {"case_id": number, "case_number": number, "local_number": "", "state": found.code, "text": found.zh}

    @staticmethod
    def _told(case: CaseFile) -> dict[str, str]:
        return {
            "case_id": case.id,
            "case_number": case.case_number,
            "local_number": case.local_number,
            "state": case.state,
            "text": LABELS[case.state][0],
        }

    def _case(self, platform: str, number: str) -> CaseFile:
        case = casefile.find(self.desk.journal.read(), platform, number)
        if case is None:
            raise Refused("TB-5001")
        return case

    # --- materials ---------------------------------------------------------------------------------------------------

    async def head_material(self, request: web.Request) -> web.Response:
        """How far an upload of this platform is."""
        platform, signed = self.caller(request, b"")
        await self.spend(platform, signed)
        return await self.uploads.head(f"platform:{platform.id}", digest_of(request))

    async def put_material(self, request: web.Request) -> web.Response:
        """One range of a material."""
        data = await read_body(request, self.range_limit)
        platform, signed = self.caller(request, data)
        await self.spend(platform, signed)
        return await self.uploads.put(f"platform:{platform.id}", digest_of(request), content_range(request), data)

    async def get_material(self, request: web.Request) -> web.StreamResponse:
        """A file of one of this platform's cases, streamed from where it is asked for."""
        platform, signed = self.caller(request, b"")
        await self.spend(platform, signed)
        digest = digest_of(request)
        owner, size = self._owner(platform.id, digest)
        return await self.stream(request, owner, digest, size)

    async def stream(self, request: web.Request, owner: str, digest: str, size: int) -> web.StreamResponse:
        """A file, whole or the range that is asked for."""
        start, length = wanted_range(request, size)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)} | guard.HEADERS
        if length != size:
            headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
        response = web.StreamResponse(status=206 if length != size else 200, headers=headers)
        pieces = self.parts.read(owner, digest, start, length)
        piece = await asyncio.to_thread(
            next, pieces, None
        )  # a file that is not there is refused before anything is said
        await response.prepare(request)
        try:
            while piece is not None:
                await response.write(piece)
                piece = await asyncio.to_thread(next, pieces, None)
        except Refused:
            raise ConnectionResetError from None  # damaged on disk, and half is sent: the reader must see a cut, not an end
        await response.write_eof()
        return response

    def _owner(self, platform: str, digest: str, case: str = "") -> tuple[str, int]:
        """Under whose name a file of this platform's cases lies, and its size."""
        row = self.desk.journal.read().one(
            "SELECT p.owner, p.size FROM case_part k JOIN part p ON p.owner = k.owner AND p.sm3 = k.sm3 "
            "JOIN case_file c ON c.id = k.case_id WHERE k.sm3 = ? AND c.platform = ? AND (? = '' OR c.id = ?)",
            digest, platform, case, case,
        )  # fmt: skip
        if row is None:
            raise Refused("TB-6004")
        return row[0], int(row[1])

    # --- SOAP --------------------------------------------------------------------------------------------------------

    def _soap(self, request: web.Request) -> Platform:
        for platform in self.platforms.values():
            if platform.service is not None and platform.profile == request.match_info["profile"]:
                return platform
        raise Refused("TB-1009")

    async def get_wsdl(self, request: web.Request) -> web.Response:
        """The WSDL of a SOAP profile, with this listener's address in it."""
        platform = self._soap(request)
        assert platform.service is not None  # noqa: S101 - _soap found one that has it
        body = platform.service.wsdl(f"http://{request.host}{request.path}")
        return web.Response(body=body, content_type="text/xml", charset="utf-8")

    async def post_soap(self, request: web.Request) -> web.Response:
        """One SOAP call of a platform."""
        platform = self._soap(request)
        assert platform.service is not None  # noqa: S101
        body = await read_body(request, max(self.body_limit, platform.service.max_bytes))
        backend = SoapDoor(self, platform, body, request[TRACE])
        answer = await platform.service.serve(
            body, request.headers.get("Content-Type", ""), request.headers.get("SOAPAction", ""), backend, backend.tell
        )
        return web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type})

    def door(self, platform: Platform, original: bytes) -> SoapDoor:
        """The backend for one message of a platform that did not come by a request."""
        return SoapDoor(self, platform, original, secrets.token_hex(8))

    async def chunk(self, platform: str, case: str, digest: str, offset: int, length: int) -> Chunk:
        """A piece of a case's file for a platform that fetches by message."""
        owner, size = self._owner(platform, digest, self._case(platform, case).id)
        if not 0 <= offset < size:
            raise Refused("TB-6005")
        pieces = self.parts.read(owner, digest, offset, min(length, size - offset))
        return Chunk(await asyncio.to_thread(b"".join, pieces), size)


@dataclass(frozen=True)
class SoapDoor:
    """``adapters.base.Backend`` for a SOAP request or a message out of an inbox: the desk and the files; refusals are values."""

    doors: Platforms
    platform: Platform
    original: bytes
    trace_id: str

    async def accept(self, act: Act) -> dict[str, str] | Problem:
        """Take an act."""
        try:
            receipt = await self.doors.desk.take(
                deed_of(self.platform.id, act, self.original, mapping=self.platform.mapping)
            )
        except Refused as refused:
            return self._problem(refused)
        metrics.TAKEN.labels("platform", "receipt").inc()
        return receipt

    async def material(self, case: str, sm3: str, offset: int, length: int) -> Chunk | Problem:
        """A piece of a material of this case."""
        try:
            return await self.doors.chunk(self.platform.id, case, sm3, offset, length)
        except Refused as refused:
            return self._problem(refused)

    async def status(self, case: str) -> dict[str, str] | Problem:
        """Where a case stands."""
        try:
            return self.doors.status(self.platform.id, case)
        except Refused as refused:
            return self._problem(refused)

    async def keep(self, name: str, size: int, pieces: Pieces) -> Kept | Problem:
        """A file that we fetch from this platform."""
        try:
            return await self.doors.uploads.fetch(f"platform:{self.platform.id}", name, size, pieces)
        except Refused as refused:
            return self._problem(refused)
        except Interrupted as cut:
            log.info("file interrupted", trace_id=self.trace_id, platform=self.platform.id, cause=cut.en)
            raise

    async def attachments(self, case: str, sm3: str) -> tuple[Attachment, ...] | Problem:
        """The files of a case of this platform."""
        desk = self.doors.desk
        try:
            commit = await desk.journal.submit(attachments.listing(desk.vault, self.platform.id, case, sm3))
            shown: tuple[Attachment, ...] = commit.only()
            return shown
        except Refused as refused:
            return self._problem(refused)

    def tell(self, fault: Fault) -> Fault:
        """A fault of the door itself with our number for it, the next action and the trace id."""
        if fault.trace_id:
            return fault
        code = of_reason(fault.code).replace("TB-1003", "TB-1004")  # at this door bad form is bad XML
        log.info("refused", trace_id=self.trace_id, code=code, reason=fault.code, platform=self.platform.id)
        return replace(fault, code=code, action=problems.CATALOGUE[code].action_zh, trace_id=self.trace_id)

    def _problem(self, refused: Refused) -> Problem:
        log.info("refused", trace_id=self.trace_id, code=refused.code, platform=self.platform.id)
        fields = {name: str(value) for name, value in problems.document(refused, self.trace_id).items()}
        busy = problems.CATALOGUE[refused.code].status == 503 or bool(refused.extra.get("early"))
        return Problem(fields, busy=busy)


def read_act(platform: Platform, operation: str, body: bytes, case: str) -> Act:
    """The act in a platform's bytes; raises ``Refused`` with the platform's own field path."""
    try:
        return platform.translator.inbound(operation, body, case=case)
    except (Untranslatable, Invalid) as error:
        raise Refused(of_reason(error.code), f"{error.path} {error.zh}".strip()) from None


def _unknown() -> Denied:
    return Denied("unknown-app", "应用标识未登记", "this app id is not registered")
