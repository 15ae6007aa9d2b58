"""Status and result from any entry of this place (``/platform/v1/lookups``, S4): one number, and the person's identity.

The entry (an app, a terminal, another window) has made sure who the person is; the gateway makes sure that the case is
theirs. Whoever asks for a case that is not theirs is told that there is none, and is slowed down.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Annotated

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from adapters.registry import Platform
from gateway.config import Config
from gateway.core.labels import LABELS
from gateway.core.throttle import GUESS, Throttle
from gateway.flow import lookup
from gateway.flow.casefile import CaseFile
from gateway.flow.lookup import Document
from gateway.problems import Refused, of_reason
from gateway.store.vault import Vault
from gateway.web.guard import read_body
from gateway.web.platforms import Platforms
from schemas import codec
from schemas.errors import Invalid

log = structlog.get_logger("lookups")
GUESSES = 6  # wrong identities for one number in a minute
Text = Annotated[str, Meta(min_length=1, max_length=128)]


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an entry posts. ``number``: either place's, or our case id; ``sm3``: which file of the result, where one is wanted."""

    number: Text
    id_number: Annotated[str, Meta(min_length=1, max_length=50)]
    sm3: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")] = ""


@dataclass(frozen=True)
class Lookups:
    """Handlers on the platform listener. ``guests``: platforms of other parties; they ask about nobody's cases here, and
    nobody asks about theirs."""

    doors: Platforms
    vault: Vault
    throttle: Throttle
    guests: Container[str]

    def routes(self) -> list[web.RouteDef]:
        """The paths."""
        return [
            web.post("/platform/v1/lookups", self.status),
            web.post("/platform/v1/lookups/file", self.file),
        ]

    async def status(self, request: web.Request) -> web.Response:
        """Where the case stands, and what its result consists of."""
        case, found, _ = await self._asked(request)
        documents = [
            {
                "title": one.title,
                **{name: getattr(one.file, name) for name in ("name", "sm3", "size", "media_type", "role")},
            }
            for one in found
        ]
        return web.json_response(
            {
                "case_id": case.id, "case_number": case.case_number, "local_number": case.local_number,
                "item_name": case.item_name, "state": case.state, "text": LABELS[case.state][0],
                "text_en": LABELS[case.state][1], "documents": documents,
            }
        )  # fmt: skip

    async def file(self, request: web.Request) -> web.StreamResponse:
        """One file of the result."""
        case, documents, digest = await self._asked(request)
        if digest not in {one.file.sm3 for one in documents}:
            raise Refused("TB-6004")
        kept = lookup.owner(self.doors.desk.journal.read(), case, digest)
        if kept is None:
            raise Refused("TB-6004")
        owner, size = kept
        return await self.doors.stream(request, owner, digest, size)

    async def _asked(self, request: web.Request) -> tuple[CaseFile, list[Document], str]:
        body = await read_body(request, self.doors.body_limit)
        platform, signed = self.doors.caller(request, body)
        await self.doors.spend(platform, signed)
        asked = _question(body)
        case = self._find(platform, asked)
        log.info("looked up", platform=platform.id, case=case.id)
        return case, lookup.documents(self.doors.desk.journal.read(), self.vault, case), asked.sm3

    def _find(self, platform: Platform, asked: Question) -> CaseFile:
        """The case, for who may see it. Guesses at a number are slowed down per number, whoever makes them."""
        now_ms = self.doors.now_ms()
        if not self.throttle.admits(asked.number, now_ms):
            raise Refused("TB-5009")
        reader = self.doors.desk.journal.read()
        case = lookup.find(reader, self.vault, asked.number, asked.id_number)
        if case is None or platform.id in self.guests or case.platform in self.guests:
            self.throttle.spend(asked.number, now_ms, found=False)
            raise Refused("TB-5001")
        self.throttle.spend(asked.number, now_ms, found=True)
        return case


def lookups(config: Config, doors: Platforms, vault: Vault) -> list[web.RouteDef]:
    """The paths of a node."""
    guests = {one.id for one in config.platform if one.party not in ("", config.node.party)}
    return Lookups(doors, vault, Throttle(GUESSES * GUESS), guests).routes()


def _question(body: bytes) -> Question:
    try:
        return msgspec.convert(codec.strict_json(body), Question)
    except Invalid as invalid:
        raise Refused(of_reason(invalid.code), invalid.zh) from None
    except msgspec.ValidationError:
        raise Refused("TB-1003") from None
