"""The play itself (扮演对方平台): listens, misbehaves as told, tells the gateway what it does with each case, writes all down.

A listener for the gateway, one for who directs the play (``/kit/…``, on the loopback), and a round that looks where nobody
calls. An application that is new makes the platform tell its plan; what the gateway does not take is told again, the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any, Final
from uuid import uuid4

import msgspec
from aiohttp import web
from yarl import URL

from adapters import samples
from adapters.base import Accepted, Outbound, Untranslatable
from adapters.kit.behaviour import BEHAVIOURS, Behaviour, Switch
from adapters.kit.cast import Answer, Cast, Heard, Noted, Peer
from adapters.kit.masking import shown
from adapters.kit.score import Shown
from adapters.kit.tap import Exchange, Tap, tapped
from adapters.transport import Reply, Request
from schemas import codec

FAMILIES: Final = {
    "rest_signed": "adapters.kit.peer_rest:RestPeer",
    "soap": "adapters.kit.peer_soap:SoapPeer",
    "message_set": "adapters.kit.peer_queue:QueuePeer",
    "front_db": "adapters.kit.peer_rows:RowsPeer",
    "file_drop": "adapters.kit.peer_files:FilesPeer",
    "union_json": "adapters.kit.peer_union:UnionPeer",
}
"""Who plays each family. A new one is one row."""
Address = tuple[str, int]
HERE: Final[Address] = ("127.0.0.1", 0)
PLAN: Final = ("acceptance", "step", "decision")
"""What a platform tells of a new case, as far as its profile has it."""
TRIES, PAUSE_S, LONGEST_PAUSE_S, LOOK_S, NEVER_S = 400, 0.1, 2.0, 0.1, 3600.0
LEFT_OUT: Final = "（未读懂，正文不记 not understood: not written down）".encode()
GARBAGE: Final = b"\x00\xff<html>\xb2\xe2{]"
MAX_REQUEST: Final = 64 << 20


def peer_of(cast: Cast) -> Peer:
    """Raises Untranslatable for a family that nobody plays."""
    named = FAMILIES.get(cast.profile.text.family)
    if named is None:
        zh, en = f"还不会扮演 {cast.profile.text.family}", f"nobody plays {cast.profile.text.family} yet"
        raise Untranslatable("kit-cannot", zh, en, "family")
    module, _, name = named.partition(":")
    made: Peer = getattr(import_module(module), name)(cast)
    return made


@dataclass
class Play:
    """``write``: gets a line for each exchange; ``plan``: what is told of a new case; ``bodies``: canonical bodies by type, in the
    place of the samples."""

    cast: Cast
    switch: Switch
    write: Callable[[dict[str, Any]], object] = lambda line: None
    plan: tuple[str, ...] = PLAN
    bodies: Mapping[str, Any] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _runners: list[web.AppRunner] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.peer = peer_of(self.cast)
        self.cast.desk.fresh = self._fresh
        self._end = asyncio.Event()

    async def start(
        self, listen: tuple[str, int] = ("127.0.0.1", 0), control: tuple[str, int] = ("127.0.0.1", 0)
    ) -> tuple[int, int]:
        """The two ports: the platform's, and the one that the play is directed by."""
        outside, inside = web.Application(client_max_size=MAX_REQUEST), web.Application()
        outside.router.add_route("*", "/{tail:.*}", self._hear)
        inside.router.add_get("/kit/state", self._state)
        inside.router.add_post("/kit/behaviour", self._behave)
        inside.router.add_post("/kit/tell", self._told_to)
        ports = []
        for app, (host, port) in ((outside, listen), (inside, control)):
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
            await runner.setup()
            self._runners.append(runner)
            await web.TCPSite(runner, host, port).start()
            ports.append(runner.addresses[0][1])
        self._begin(self._round())
        return ports[0], ports[1]

    async def stop(self) -> None:
        """Everything ends at once."""
        self._end.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for runner in self._runners:
            await runner.cleanup()
        await self.peer.close()

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- hearing ---------------------------------------------------------------------------------------------------------

    async def _hear(self, request: web.Request) -> web.StreamResponse:
        how = self.switch.take()
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        before = self.cast.desk.understood
        heard = Heard(request.method, request.raw_path, tuple(request.headers.items()), body)
        if how.answers == "500":
            answer = Answer(500, "text/plain", b"internal error")
        else:
            answer = await self.peer.hear(heard, how)
        if how.answers == "garbage":
            answer = Answer(200, "text/html", GARBAGE)
        known = (
            not body or self.cast.desk.understood > before
        )  # nothing of a message is written down that may name anybody
        self._note("heard", how, _seen(request, body if known else LEFT_OUT, answer))
        if how.slow:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), NEVER_S)
        return web.Response(
            status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type, **dict(answer.more)}
        )

    async def _round(self) -> None:
        """For platforms that nobody calls."""
        while True:
            await self.peer.look(self.switch.now)
            await asyncio.sleep(LOOK_S)

    # --- telling ---------------------------------------------------------------------------------------------------------

    def _fresh(self, kept: Noted) -> None:
        if self.cast.gateway and kept.type == "application":
            self._begin(self._work(kept))

    async def _work(self, kept: Noted) -> None:
        acts = [type_ for type_ in self.plan if type_ in self.cast.mirror.acts()]
        if self.switch.now.shuffled:
            acts.reverse()
        outs = [self.act(type_, kept) for type_ in acts]
        while outs:
            outs = [out for out in outs if not await self.tell(out, kept.case, once=len(outs) > 1)]

    def act(self, type_: str, kept: Noted) -> Outbound:
        """An act of now, under an id of its own."""
        out = samples.outbound(type_)
        own = self.bodies.get(type_, out.body)
        plain = _of_now(msgspec.to_builtins(own, builtin_types=(datetime, date)))
        body = codec.build(type_, plain | ({"case_number": kept.number} if type_ == "application" else {}))
        return msgspec.structs.replace(
            out, id=str(uuid4()), case_id=kept.case, case_number=kept.number, local_number=kept.reference,
            at_ms=self.cast.now_ms(), body=body,
        )  # fmt: skip

    async def tell(self, out: Outbound, case: str, *, once: bool = False) -> bool:
        """Tell an act until it is taken, always the same one; whether it was."""
        for attempt in range(1 if once else TRIES):
            how = self.switch.now
            for _ in range(2 if how.doubled else 1):
                taken = await self._tell_once(out, case, how)
            if taken:
                self.told.append((out.type, case))
                return True
            await asyncio.sleep(min(PAUSE_S * 2**attempt, LONGEST_PAUSE_S))
        return False

    async def _tell_once(self, out: Outbound, case: str, how: Behaviour) -> bool:
        tap = Tap()
        try:
            with tapped(tap):
                outcome = await self.peer.tell(out, case, how)
        except Untranslatable as bad:
            self.write({"told": out.type, "impossible": bad.en, "path": bad.path})
            return True
        for one in tap.seen:
            self._note("told", how, one)
        return isinstance(outcome, Accepted)

    # --- being directed --------------------------------------------------------------------------------------------------

    async def _behave(self, request: web.Request) -> web.Response:
        """POST /kit/behaviour {"behaviour", "times"}."""
        wanted = await _ordered(request)
        name, times = wanted.get("behaviour"), wanted.get("times", -1)
        if name not in BEHAVIOURS or type(times) is not int:
            raise web.HTTPBadRequest(text=f"behaviour: one of {', '.join(BEHAVIOURS)}; times: a number")
        self.switch.turn(name, times)
        return await self._state(request)

    async def _state(self, request: web.Request) -> web.Response:
        """GET /kit/state: what it has, and what it has told."""
        desk = self.cast.desk.kept
        ids = [one.id for one in desk]
        return web.json_response({
            "behaviour": self.switch.name, "kept": len(desk), "repeated": sum(one.times - 1 for one in desk),
            "doubled": len(ids) - len(set(ids)), "types": sorted({one.type for one in desk if one.type}),
            "cases": sorted({one.case for one in desk if one.case}),
            "decided": sorted({one.number for one in desk if one.type == "decision"}), "told": [list(one) for one in self.told],
        })  # fmt: skip

    async def _told_to(self, request: web.Request) -> web.Response:
        """POST /kit/tell {"type", "case", "until"}: tell the gateway one act now, once, or until it is taken."""
        wanted = await _ordered(request)
        type_, case = str(wanted.get("type", "")), str(wanted.get("case", "")) or f"KIT{self.cast.now_ms()}"
        if type_ not in self.cast.mirror.acts() or not self.cast.gateway:
            raise web.HTTPBadRequest(
                text=f"type: one of {', '.join(self.cast.mirror.acts())}; and a --gateway to tell it to"
            )
        out = self.act(type_, Noted("", "", "", "", case, case))
        if wanted.get("until"):
            self._begin(self.tell(out, case))
            return web.json_response({"case": case}, status=202)
        return web.json_response({"taken": await self.tell(out, case, once=True), "case": case})

    def _note(self, which: str, how: Behaviour, exchange: Exchange) -> None:
        name = next(name for name, one in BEHAVIOURS.items() if one == how)
        line = shown(exchange, self.cast.mask)
        self.write(
            {"at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", "direction": which, "behaviour": name, **_plain(line)}
        )


async def _ordered(request: web.Request) -> dict[str, Any]:
    """What whoever directs the play has sent."""
    try:
        wanted = await request.json()
    except ValueError:
        wanted = None
    if type(wanted) is not dict:
        raise web.HTTPBadRequest(text="a JSON object")
    return wanted


def _seen(request: web.Request, body: bytes, answer: Answer) -> Exchange:
    asked = Request(request.method, URL(request.raw_path, encoded=True), dict(request.headers), body)
    return Exchange(asked, Reply(answer.status, answer.content_type, answer.body))


def _plain(one: Shown) -> dict[str, Any]:
    return {
        name: {"line": side.line, "headers": dict(side.headers), "body": side.body}
        for name, side in (("request", one.request), ("answer", one.answer))
    }


def _of_now(value: Any) -> Any:
    """A sample body with its times of now and its days still to come."""
    if isinstance(value, list):
        return [_of_now(one) for one in value]
    if isinstance(value, dict):
        return {name: _of_now(one) for name, one in value.items()}
    if isinstance(value, datetime):
        return datetime.now(UTC).replace(microsecond=0)
    return (datetime.now(UTC) + timedelta(days=10)).date() if isinstance(value, date) else value


def line_of(value: dict[str, Any]) -> str:
    """One line of a recording."""
    return json.dumps(value, ensure_ascii=False) + "\n"
