"""A door for the platform's own calls (来报之门), and the steps that score what came through it.

It takes everything that our profile understands and answers as the gateway would; what waits in a queue, a table or a folder
is fetched from there. Nothing is kept but what is scored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from yarl import URL

from adapters.base import Act, Attachment, Chunk, Denied, Kept, Pieces, Presented, Problem, Untranslatable
from adapters.kit.mask import Mask
from adapters.kit.masking import shown
from adapters.kit.record import Heard
from adapters.kit.score import Result, Said, failed, not_applicable, passed
from adapters.kit.tap import Exchange
from adapters.registry import Platform
from adapters.soap import door as soap
from adapters.soap.fault import Fault, SoapRefused
from adapters.soap.tree import to_bytes
from adapters.transport import Reply, Request
from schemas.errors import Invalid
from signing.sm3 import sm3 as sm3_of

CALLS: Final = ("application", "acceptance", "decision", "result", "arrival", "delivery")
"""Acts whose order a case prescribes."""
MAX_CALL: Final = 64 << 20
NONE_CAME: Final = not_applicable("对方没有来报", "the platform has not called")


@dataclass
class Door:
    """``denied``: calls that did not show who they are from; ``unread``: messages that the profile cannot read."""

    platform: Platform
    mask: Mask
    now_ms: Callable[[], int]
    heard: list[Heard] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    bad: list[Exchange] = field(default_factory=list)
    _runner: web.AppRunner | None = None
    _fetching: asyncio.Task[None] | None = None

    async def open(self, host: str, port: int) -> str:
        """Where it stands."""
        app = web.Application(client_max_size=MAX_CALL)
        app.router.add_post("/{tail:.*}", self._post)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        if self.platform.inbox is not None:
            self._fetching = asyncio.get_running_loop().create_task(self._fetch())
        return f"http://{host}:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def wait(self, seconds: float) -> None:
        """Until something has come, at most so long."""
        for _ in range(int(seconds * 10)):
            if self.heard or self.denied or self.unread:
                return
            await asyncio.sleep(0.1)

    async def _fetch(self) -> None:
        inbox = self.platform.inbox
        assert inbox is not None  # noqa: S101 - only begun where there is one
        while True:
            await inbox.poll(lambda original: Taking(self, "", original, ""))
            await asyncio.sleep(0.1)

    async def _post(self, request: web.Request) -> web.Response:
        body, before = await request.read(), len(self.denied) + len(self.unread)
        media = request.headers.get("Content-Type", "")
        handler = self._soap if self.platform.service is not None else self._rest
        status, kind, said = await handler(request, body, media)
        if len(self.denied) + len(self.unread) > before:
            asked = Request(request.method, URL(request.raw_path, encoded=True), dict(request.headers), body)
            self.bad.append(Exchange(asked, Reply(status, kind, said)))
        return web.Response(status=status, body=said, headers={"Content-Type": kind})

    async def _rest(self, request: web.Request, body: bytes, media: str) -> tuple[int, str, bytes]:
        path, _, query = request.raw_path.partition("?")
        shown_ = Presented(request.method, path, query, tuple(request.headers.items()), sm3_of(body), body)
        who = self.platform.authenticate(shown_, self.now_ms())
        kind, translator = "application/json; charset=utf-8", self.platform.translator
        if isinstance(who, Denied):
            self.denied.append(who.zh)
            return 401, kind, translator.reply_refused({"code": who.code, "title": who.zh, "title_en": who.en})
        case = request.path.removeprefix("/platform/v1/cases/").removesuffix("/events") if "/events" in path else ""
        operation = "event" if case else "case"
        try:
            said = who.message(body)
            act = translator.inbound(operation, said, case=case)
        except (Untranslatable, Invalid) as bad:
            self.unread.append(f"{bad.path} {bad.zh}".strip())
            return 422, kind, translator.reply_refused({"code": bad.code, "title": bad.zh, "title_en": bad.en})
        return 200, kind, translator.reply_ok(act, await Taking(self, operation, said, media, case).accept(act))

    async def _soap(self, request: web.Request, body: bytes, media: str) -> tuple[int, str, bytes]:
        service, action = self.platform.service, request.headers.get("SOAPAction", "")
        assert service is not None  # noqa: S101 - the caller looked
        taking = Taking(self, *_element(body, media, action), "text/xml; charset=utf-8")

        def told(fault: Fault) -> Fault:
            (self.denied if fault.code == "wrong-credential" else self.unread).append(
                f"{fault.path} {fault.zh}".strip()
            )
            return fault

        answer = await service.serve(body, media, action, taking, told)
        return answer.status, answer.content_type, answer.body


def _element(body: bytes, media: str, action: str) -> tuple[str, bytes]:
    """The operation and the Body's element as a document of its own; nothing where the envelope cannot be read."""
    try:
        call = soap.read(body, media, action, (), MAX_CALL)
    except SoapRefused:
        return "", b""
    return call.operation, to_bytes(call.envelope.body, "utf-8")


@dataclass(frozen=True)
class Taking:
    """``Backend`` for one message: whatever it says is taken."""

    door: Door
    operation: str
    original: bytes
    content_type: str
    case: str = ""

    async def accept(self, act: Act) -> dict[str, str]:
        operation = self.operation or self._operation(act)
        self.door.heard.append(Heard(operation, self.case, self.original, self.content_type, act))
        return {"case_id": act.case, "case_number": act.case, "message_id": act.id, "receipt": "a2l0", "text": "已收到"}

    def _operation(self, act: Act) -> str:
        """Which operation reads this message so."""
        for name, rule in getattr(self.door.platform.translator, "profile").text.operations.items():  # noqa: B009
            if act.type in (rule.type, *rule.types.values()):
                return str(name)
        return ""

    async def material(self, case: str, sm3: str, offset: int, length: int) -> Chunk | Problem:
        return Problem({"code": "kit", "title": "测试工具没有材料", "title_en": "the kit has no materials"})

    async def keep(self, name: str, size: int, pieces: Pieces) -> Kept | Problem:
        data = b"".join([piece async for piece in pieces(0)])
        return Kept(sm3_of(data).hex(), len(data))

    async def attachments(self, case: str, sm3: str) -> tuple[Attachment, ...] | Problem:
        return ()

    async def status(self, case: str) -> dict[str, str] | Problem:
        return {"case_id": case, "case_number": case, "state": "accepted", "text": "已受理"}


# --- scored -----------------------------------------------------------------------------------------------------------


def _signed(door: Door) -> Said:
    if door.denied:
        return failed(f"{len(door.denied)} 次来报未通过鉴权：{door.denied[0]}",
                      f"{len(door.denied)} calls did not show who they are from")  # fmt: skip
    return (
        passed(f"{len(door.heard)} 件来报", f"{len(door.heard)} acts came") if door.heard or door.unread else NONE_CAME
    )


def _read(door: Door) -> Said:
    if door.unread:
        return failed(f"{len(door.unread)} 件读不懂：{door.unread[0]}", f"{len(door.unread)} cannot be read")
    kinds = sorted({one.act.type for one in door.heard})
    return passed("、".join(kinds), ", ".join(kinds)) if door.heard else NONE_CAME


def _ordered(door: Door) -> Said:
    last: dict[str, int] = {}
    for act in (one.act for one in door.heard if one.act.type in CALLS):
        place = CALLS.index(act.type)
        if place < last.get(act.case, 0):
            return failed(f"{act.type} 来得太晚", f"{act.type} came after what follows it")
        last[act.case] = place
    return passed("次序合理", "in an order that a case can have") if last else NONE_CAME


def _repeated(door: Door) -> Said:
    known: dict[tuple[str, str], bytes] = {}
    for one in door.heard:
        if known.setdefault((one.act.type, one.act.id), one.original) != one.original:
            return failed("同一编号，内容不同", "one id, two messages")
    return passed(f"{len(known)} 个编号", f"{len(known)} ids") if known else NONE_CAME


STEPS: Final[tuple[tuple[str, str, str, Callable[[Door], Said]], ...]] = (
    ("in.signed", "来报都有合格的签名或许可证", "every call of it is signed or licensed", _signed),
    ("in.read", "来报都读得懂", "every message of it can be read", _read),
    ("in.order", "来报次序合理", "its acts come in an order that a case can have", _ordered),
    ("in.repeat", "重复的来报逐字节相同", "what it repeats is the same, byte for byte", _repeated),
)


def scored(door: Door) -> list[Result]:
    """What came through the door, against what the profile promises."""
    for one in door.heard:
        door.mask.meet(one.act.body)
    results = [Result(name, zh, en, judge(door)) for name, zh, en, judge in STEPS]
    pairs = tuple(shown(one, door.mask) for one in door.bad[-3:])
    return [one._replace(exchanges=pairs) if one.said.verdict == "fail" and pairs else one for one in results]
