"""Scanning on the platform listener (``/platform/v1/certificates/scan``, W7): inspectors ask; issuers' platforms see who scanned.

The answer comes with the call where the issuer's gateway is there, which takes well under a second; where it is away the
call says ``pending`` and the answer is fetched later. ``…/scans`` gives a platform every scan of the certificates it had issued,
in the order of our ledger, and waits for the next one if it is asked to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from adapters.base import Signed
from adapters.registry import Platform
from gateway.core import ecert
from gateway.flow import inquiries, issued
from gateway.flow.accept import spend_nonce
from gateway.flow.inquiries import ASKED, PENDING, REFUSED, Inquiry
from gateway.flow.scans import ANSWER, QUERY, Scans
from gateway.problems import CATALOGUE, Refused, of_reason
from gateway.store.journal import Journal, Tx
from gateway.web.guard import read_body
from schemas import codec
from schemas.errors import Invalid
from schemas.inquiry import CertificateAnswer, CertificateQuery

ANSWER_S = 3.0  # how long a scan waits for the issuer before it says: pending
WAIT_S = 25.0  # how long at most a platform waits for the next scan
LOOK_S = 0.05
PAGE = 200
T = TypeVar("T")


class Scanned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a platform posts. ``qr``: what the code says, its whole address, or its token where ``issuer`` names the party."""

    qr: str
    purpose: str
    place: str
    officer: str
    issuer: str = ""


@dataclass(frozen=True)
class ScanDoor:
    """Handlers. ``pages``: the address that QR codes lead to -> its party."""

    authenticate: Callable[[web.Request, bytes], tuple[Platform, Signed]]
    scans: Scans
    journal: Journal
    pages: Mapping[str, str]
    names: Mapping[str, str]
    body_limit: int
    window_ms: int
    now_ms: Callable[[], int]
    wake: Callable[[str], None]

    def routes(self) -> list[web.RouteDef]:
        """The paths."""
        return [
            web.post("/platform/v1/certificates/scan", self.post_scan),
            web.get("/platform/v1/certificates/scan/{id}", self.get_scan),
            web.get("/platform/v1/certificates/scans", self.get_scans),
        ]

    async def post_scan(self, request: web.Request) -> web.Response:
        """Ask the issuer about a scanned code: 200 with its answer, 202 while it is pending."""
        body = await read_body(request, self.body_limit)
        platform, signed = self.authenticate(request, body)
        body = signed.message(body)
        issuer, query = self._read(body)
        id_ = (
            await self.journal.submit(self.scans.ask(platform.id, issuer, query, body, self._spend(platform, signed)))
        ).only()
        self.wake(f"peer:{issuer}")
        found = await self._settled(id_)
        assert found is not None  # noqa: S101 - committed before
        return web.json_response(self._told(found), status=202 if found.state == PENDING else 200)

    async def get_scan(self, request: web.Request) -> web.Response:
        """A scan that this platform made."""
        platform = await self._reader(request)
        found = inquiries.load(self.journal.read(), request.match_info["id"])
        if found is None or found.side != ASKED or found.platform != platform.id:
            raise Refused("TB-7043")
        return web.json_response(self._told(found))

    async def get_scans(self, request: web.Request) -> web.Response:
        """Scans of this platform's certificates after ``after``; with ``wait`` (seconds) not before there is one."""
        platform = await self._reader(request)
        after, wait = _number(request, "after"), min(_number(request, "wait"), WAIT_S)
        reader = self.journal.read()
        rows = await _until(lambda: inquiries.heard(reader, platform.id, after, PAGE), bool, wait)
        return web.json_response(
            {"scans": [self._event(row) for row in rows], "next": rows[-1].leaf if rows else after}
        )

    async def _reader(self, request: web.Request) -> Platform:
        """Who asks, once: a signed request is good for one time, also one that only reads (J11)."""
        platform, signed = self.authenticate(request, b"")
        (await self.journal.submit(self._spend(platform, signed))).only()
        return platform

    def _spend(self, platform: Platform, signed: Signed) -> Callable[[Tx], None]:
        owner, until = f"platform:{platform.id}", self.now_ms() + 2 * self.window_ms
        return lambda tx: spend_nonce(tx, owner, signed.nonce, until)

    def _read(self, body: bytes) -> tuple[str, CertificateQuery]:
        """The issuer's party, and the question in canonical form."""
        try:
            said = msgspec.convert(codec.strict_json(body), Scanned)
        except Invalid as invalid:
            raise Refused(of_reason(invalid.code), invalid.zh) from None
        except msgspec.ValidationError:
            raise Refused("TB-1003") from None
        page, _, token = said.qr.partition("?")[0].rpartition("/v/")
        issuer = self.pages.get(page, "") if page else said.issuer
        if not issuer:
            raise Refused("TB-7042")
        fields = {"token": token, "purpose": said.purpose, "place": said.place, "officer": said.officer}
        at = datetime.fromtimestamp(self.now_ms() // 1000, UTC)
        try:
            query = codec.build(QUERY, fields | {"at": at})
        except Invalid as invalid:
            raise Refused(of_reason(invalid.code), f"{invalid.path} {invalid.zh}".strip()) from None
        assert isinstance(query, CertificateQuery)  # noqa: S101 - by its type's name
        return issuer, query

    async def _settled(self, id_: str) -> Inquiry | None:
        """The inquiry once it is answered, or as it is when patience ends."""
        reader = self.journal.read()
        return await _until(lambda: inquiries.load(reader, id_), _is_settled, ANSWER_S)

    # --- in words ----------------------------------------------------------------------------------------------------

    def _told(self, found: Inquiry) -> dict[str, Any]:
        """What the inspector's platform is told."""
        issuer = found.counterpart
        told: dict[str, Any] = {
            "id": found.id,
            "state": found.state,
            "issuer": issuer,
            "issuer_name": self._name(issuer),
        }
        if found.state == REFUSED:
            problem = CATALOGUE[found.problem] if found.problem in CATALOGUE else CATALOGUE["TB-5002"]
            told |= {"code": found.problem, "reason": problem.zh, "reason_en": problem.en}
        elif found.state != PENDING:
            told |= self._answer(found)
        return told

    def _answer(self, found: Inquiry) -> dict[str, Any]:
        answer = inquiries.read(self.scans.vault, found, ANSWER)
        assert isinstance(answer, CertificateAnswer)  # noqa: S101
        told: dict[str, Any] = msgspec.to_builtins(answer)
        del told["query"]
        zh, en = ecert.NAMES.get(answer.standing, ("", ""))
        return told | {"valid": answer.standing == ecert.Standing.VALID, "text": zh, "text_en": en}

    def _event(self, found: Inquiry) -> dict[str, Any]:
        """One scan, for the platform that had the certificate issued."""
        query = inquiries.read(self.scans.vault, found, QUERY)
        assert isinstance(query, CertificateQuery)  # noqa: S101
        certificate = issued.by_id(self.journal.read(), found.certificate)
        return {
            "id": found.id, "leaf": found.leaf, "identifier": certificate.identifier if certificate else "",
            "by": found.counterpart, "by_name": self._name(found.counterpart), "officer": query.officer, "place": query.place,
            "purpose": query.purpose, "at": query.at.strftime("%Y-%m-%dT%H:%M:%SZ"), "outcome": found.outcome,
        }  # fmt: skip

    def _name(self, party: str) -> str:
        return self.names.get(party, "")


async def _until(look: Callable[[], T], done: Callable[[T], bool], seconds: float) -> T:
    """What ``look`` sees once it is ``done``, or when the time is over."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if done(found) or time.monotonic() > end:
            return found
        await asyncio.sleep(LOOK_S)


def _is_settled(found: Inquiry | None) -> bool:
    return found is not None and found.state != PENDING


def _number(request: web.Request, name: str) -> int:
    text = request.query.get(name, "0")
    if not (text.isdecimal() and text.isascii() and len(text) < 16):
        raise Refused("TB-1005", name)
    return int(text)
