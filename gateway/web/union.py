"""The door of platforms that call by their own paths (市际联办): below ``/platform/v1/union/{id}``, codes in the answers' bodies.

The path names the platform, its token or signature proves it; whoever fails, or asks for a platform that is not there, hears
the same. Files are streamed, whole or from where a ``Range`` asks for them; one of another platform does not exist (A06).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from aiohttp import web

from adapters.base import Denied, Presented, Problem, Untranslatable
from adapters.registry import Platform
from adapters.union_json.credentials import query_of
from adapters.union_json.service import UnionService
from gateway import problems
from gateway.flow import attachments
from gateway.problems import Refused, of_reason
from gateway.web.guard import TRACE, read_body
from gateway.web.platforms import Platforms
from schemas.errors import Invalid
from signing.sm3 import sm3

JSON = "application/json"
PREFIX = "/platform/v1/union/"


@dataclass(frozen=True)
class UnionDoor:
    """Handlers over the platforms that have such a door."""

    doors: Platforms

    def routes(self) -> list[web.RouteDef]:
        """Two routes; the rest of the path is the profile's."""
        return [
            web.post(PREFIX + "{platform}/{path:.+}", self.post),
            web.get(PREFIX + "{platform}/{path:.+}", self.get, allow_head=False),
        ]

    async def _caller(self, request: web.Request, body: bytes) -> tuple[Platform, UnionService]:
        """Who really calls. ``Refused`` alike for a platform that is none and for one that does not prove itself."""
        platform = self.doors.platforms.get(request.match_info["platform"])
        if platform is None or platform.union is None:
            raise Refused("TB-2003")
        path, _, query = request.raw_path.partition("?")
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
        shown = Presented(request.method, path, query, headers, sm3(body), body)
        who = platform.authenticate(shown, self.doors.now_ms())
        if isinstance(who, Denied):
            raise Refused("TB-2003" if who.code == "wrong-credential" else of_reason(who.code))
        if who.nonce:
            await self.doors.spend(platform, who)
        return platform, platform.union

    async def post(self, request: web.Request) -> web.Response:
        """A message, or the question which files a case has."""
        body = await read_body(request, self.doors.body_limit)
        platform, union = await self._caller(request, body)
        path = _path(request)
        operation = union.operation(path)
        if operation is None and not union.lists(path):
            raise Refused("TB-1009")
        door = partial(self.doors.door, platform)
        try:
            if operation is None:
                answer = await union.listed(body, door(body))
            else:
                answer = await union.take(operation, body, door)
        except (Untranslatable, Invalid) as bad:
            refused = Refused(of_reason(bad.code), f"{bad.path} {bad.zh}".strip())
            fields = problems.document(refused, request[TRACE])
            answer = Problem({name: str(value) for name, value in fields.items()})
        return web.Response(body=union.told(answer) if isinstance(answer, Problem) else answer, content_type=JSON)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """A file."""
        platform, union = await self._caller(request, b"")
        name = union.file(_path(request), query_of(request.raw_path.partition("?")[2]))
        if name is None:
            raise Refused("TB-1009")
        desk = self.doors.desk
        found = attachments.find(desk.journal.read(), desk.vault, platform.id, name)
        return await self.doors.stream(request, found.owner, found.sm3, found.size)


def _path(request: web.Request) -> str:
    """The path below the platform's door, as it stood on the wire."""
    return "/" + request.raw_path.partition("?")[0].removeprefix(PREFIX).partition("/")[2]
