"""The steps of a conformance run (测试步骤): each is a promise of the profile, tried on the platform.

A step gets a ``Trial`` and says what it found. Steps are tables; ``FAMILIES`` says which of them a family's platform can be
held to: a new family is one row, or none, and then has the common ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import msgspec

from adapters.base import (
    Accepted,
    CannotAsk,
    NotThere,
    Outbound,
    Outcome,
    Refused,
    Temporary,
    Unclear,
    Untranslatable,
    Wire,
)
from adapters.kit import bend
from adapters.kit.partner import Partner, holds, tell, types_of, wire_of
from adapters.kit.score import Said, failed, not_applicable, passed, unknown
from adapters.kit.tap import Exchange, Tap, tapped
from adapters.registry import Platform
from adapters.transport import Lost, Reply, Request

AT_ONCE: Final = 10
HOUR_MS: Final = 3_600_000
_NO_ASKING = not_applicable("该平台不能按编号查询", "this platform cannot be asked by id")
_NOBODY = unknown("没有人应答，无从判断", "nobody answered, so nothing can be told")


class Sent(NamedTuple):
    """A message that a step has sent: for a recording that can be read again later."""

    out: Outbound
    wire: Wire
    outcome: Outcome
    exchanges: tuple[Exchange, ...]


@dataclass
class Trial:
    """One step on its way: the platform, what was seen, what was sent unbent."""

    partner: Partner
    platform: Platform
    oversize: int
    tap: Tap = field(default_factory=Tap)
    sent: list[Sent] = field(default_factory=list)
    _opened: list[Platform] = field(default_factory=list)

    def open(self, **changes: Any) -> Platform:
        """The platform with something else about it; closed with the trial."""
        self._opened.append(self.partner.open(**changes))
        return self._opened[-1]

    async def close(self) -> None:
        """Closes what this step opened."""
        for platform in self._opened:
            await platform.channel.close()

    def first(self) -> Outbound:
        """The message that a case begins with at this platform."""
        return self.partner.sample(types_of(self.platform)[0])

    async def send(self, out: Outbound, platform: Platform | None = None) -> Outcome:
        """Send it as it is."""
        wire, tap = (
            wire_of(self.platform, out),
            Tap(self.tap.bend, self.tap.lose),
        )  # its own: several may be on their way
        outcome = await tell(platform or self.platform, wire, tap)
        self.tap.seen += tap.seen
        if platform is None and self.tap.bend is None:
            self.sent.append(Sent(out, wire, outcome, tuple(tap.seen)))
        return outcome

    async def spoilt(self, out: Outbound, json: bend.Spoil, xml: bend.Spoil) -> Outcome:
        """Send it spoilt: before it is signed where the body is, else on its way."""
        wire = wire_of(self.platform, out)
        spoil = json if bend.is_json(wire.content_type) else xml
        if self.platform.family in SIGNS_BODIES:
            wire = msgspec.structs.replace(wire, body=spoil(wire.body))
        else:
            self.tap.bend = _body(spoil)
        try:
            return await tell(self.platform, wire, self.tap)
        finally:
            self.tap.bend = None

    async def holds(self, out: Outbound) -> bool | None:
        return await holds(self.platform, out.id, self.tap)

    @property
    def exchanges(self) -> bool:
        """Whether there is anything between us and the platform that can be seen and bent."""
        return bool(self.tap.seen)


def _body(spoil: bend.Spoil) -> Callable[[Request], Request]:
    return lambda request: replace(request, body=spoil(request.body))


class Step(NamedTuple):
    """``zh``, ``en``: what is promised."""

    name: str
    zh: str
    en: str
    run: Callable[[Trial], Awaitable[Said]]


# --- what an outcome says ---------------------------------------------------------------------------------------------


def _told(outcome: Outcome) -> tuple[str, str]:
    """An outcome in words."""
    if isinstance(outcome, Accepted):
        return (
            f"收下{f'（{outcome.reference}）' if outcome.reference else ''}",
            f"accepted {outcome.reference}".rstrip(),
        )
    if isinstance(outcome, Refused):
        return f"拒绝：{outcome.code} {outcome.zh}", f"refused: {outcome.code} {outcome.en}"
    if isinstance(outcome, Unclear):
        return f"结果不明：{outcome.reason}", f"unclear: {outcome.reason}"
    return f"暂不可用：{outcome.reason}", f"not available: {outcome.reason}"


def _taken(outcome: Outcome) -> Said:
    zh, en = _told(outcome)
    if isinstance(outcome, Temporary) and outcome.absent:
        return _NOBODY
    return (passed if isinstance(outcome, Accepted) else failed)(f"对方{zh}", f"it {en}")


def _in_so_many_words(outcome: Outcome, trial: Trial) -> bool:
    """A refusal of the message or of us: by the platform's own code, by HTTP's, or by the one inside its answer."""
    answer = trial.tap.last
    by_status = isinstance(answer, Reply) and 400 <= answer.status < 500
    in_body = isinstance(outcome, Temporary) and outcome.reason.startswith("status-")
    return isinstance(outcome, Refused) or by_status or in_body


async def _turned_away(trial: Trial, out: Outbound, outcome: Outcome) -> Said:
    """Passed when the platform said no in so many words and has nothing of it: a 5xx or silence would have us try for ever."""
    if isinstance(outcome, Temporary) and outcome.absent:
        return _NOBODY
    zh, en = _told(outcome)
    if not _in_so_many_words(outcome, trial):
        return failed(f"应明确拒绝，对方却{zh}", f"should have been refused in so many words; {en}")
    if await trial.holds(out):
        return failed("说拒绝，却收下了", "said no and kept it")
    return passed(f"对方{zh}", f"it {en}")


# --- the steps --------------------------------------------------------------------------------------------------------


async def _good(trial: Trial) -> Said:
    return _taken(await trial.send(trial.first()))


async def _repeat(trial: Trial) -> Said:
    out = trial.first()
    said = [await trial.send(out) for _ in range(3)]
    bad = next((one for one in said if not isinstance(one, Accepted)), None)
    if bad is not None:
        return _taken(bad)
    references = {one.reference for one in said if isinstance(one, Accepted) and one.reference}
    if len(references) > 1:
        return failed(f"同一编号报送三次，得到 {len(references)} 个不同的对方编号：办件重复了",
                      f"one id sent three times brought {len(references)} different references: it was doubled")  # fmt: skip
    return passed("三次报送，同一结果", "sent three times, one result")


async def _ask(trial: Trial) -> Said:
    out = trial.first()
    outcome = await trial.send(out)
    if not isinstance(outcome, Accepted):
        return _taken(outcome)
    found = await _asked(trial, out.id)
    if isinstance(found, CannotAsk):
        return _NO_ASKING
    if isinstance(found, Accepted):
        return passed("对方说有", "it says that it has it")
    return failed("收下了，却说没有或答不清", "it took the message and does not say that it has it")


async def _asked(trial: Trial, id_: str) -> Any:
    with tapped(trial.tap):
        return await trial.platform.channel.ask(id_)


async def _ask_unknown(trial: Trial) -> Said:
    found = await _asked(trial, trial.first().id)
    if isinstance(found, CannotAsk):
        return _NO_ASKING
    if isinstance(found, Temporary) and found.absent:
        return _NOBODY
    if isinstance(found, NotThere):
        return passed("对方明确说没有", "it says plainly that it has it not")
    return failed("从未报送的编号，对方没有明确说“没有”", "an id that was never sent is not plainly denied")


async def _lost_answer(trial: Trial) -> Said:
    """A message may take several calls: of these the last is the one that carries it over."""
    before = len(trial.tap.seen)
    await trial.send(trial.first())
    out, trial.tap.lose = trial.first(), len(trial.tap.seen) - before
    first = await trial.send(out)
    trial.tap.lose = 0
    if len(trial.tap.seen) == before:
        return not_applicable("该平台没有应答可丢", "there is no answer that could be lost")
    if not isinstance(first, Unclear):
        return _taken(first)
    trial.sent.clear()  # its answer never reached the channel: nothing that could be read again
    kept = await trial.holds(out)
    if kept is False:
        return failed("已送达的报文，查询却说没有", "it had arrived, and asked for it the platform denies it")
    again = await trial.send(out)
    if not isinstance(again, Accepted):
        return _taken(again)
    return passed("应答丢失后，查询与重报结果一致", "after a lost answer, asking and sending again agree")


async def _unknown_field(trial: Trial) -> Said:
    out = trial.first()
    outcome = await trial.spoilt(out, bend.JSON["unknown_field"], bend.XML["unknown_field"])
    if isinstance(outcome, Accepted):
        return passed("多一个字段也收下", "a field more is no trouble")
    return await _turned_away(trial, out, outcome)


def _must_refuse(kind: str) -> Callable[[Trial], Awaitable[Said]]:
    async def run(trial: Trial) -> Said:
        out = trial.first()
        return await _turned_away(trial, out, await trial.spoilt(out, bend.JSON[kind], bend.XML[kind]))

    return run


async def _oversized(trial: Trial) -> Said:
    out = trial.first()
    outcome = await trial.spoilt(out, *bend.padded(trial.oversize))
    if isinstance(trial.tap.last, Lost) and not isinstance(outcome, Accepted):
        kept = await trial.holds(out)
        return (
            failed("断开连接，却收下了", "it hung up and kept it")
            if kept
            else passed("对方中途断开，未收下", "it hung up")
        )
    return await _turned_away(trial, out, outcome)


async def _pace(trial: Trial) -> Said:
    outs = [trial.first() for _ in range(AT_ONCE)]
    told = await asyncio.gather(*(trial.send(out) for out in outs))
    bad = next((one for one in told if not isinstance(one, Accepted)), None)
    if bad is not None:
        return _taken(bad)
    return passed(f"同时 {AT_ONCE} 件，都收下", f"{AT_ONCE} at once, all taken")


def _with(**changes: Any) -> Callable[[Trial], Awaitable[Said]]:
    async def run(trial: Trial) -> Said:
        out = trial.first()
        return await _turned_away(trial, out, await trial.send(out, trial.open(**changes)))

    return run


async def _skewed(trial: Trial) -> Said:
    said = not_applicable("", "")
    for shift in (-HOUR_MS, HOUR_MS):
        out = trial.first()
        said = await _turned_away(trial, out, await trial.send(out, trial.open(shift_ms=shift)))
        if said.verdict != "pass":
            return said
    return said


async def _tampered(trial: Trial) -> Said:
    out = trial.first()
    trial.tap.bend = _body(lambda body: body + b" ")
    outcome = await trial.send(out)
    trial.tap.bend = None
    return await _turned_away(trial, out, outcome)


async def _replay(trial: Trial) -> Said:
    out = trial.first()
    first = await trial.send(out)
    if not isinstance(first, Accepted):
        return _taken(first)
    request = trial.tap.seen[-1].request
    trial.tap.bend = lambda _: request
    again = await trial.send(out)
    trial.tap.bend = None
    zh, en = _told(again)
    if _in_so_many_words(again, trial):
        return passed(f"同一随机数第二次：{zh}", f"the same nonce again: {en}")
    return failed(f"同一随机数第二次，对方却{zh}", f"the same nonce again: {en}")


def _outward(type_: str) -> Step:
    async def run(trial: Trial) -> Said:
        try:
            return _taken(await trial.send(trial.partner.sample(type_)))
        except Untranslatable as bad:
            return failed(f"方案写不出样例：{bad.path} {bad.zh}", f"the profile cannot write it: {bad.path} {bad.en}")

    return Step(f"out.{type_}", f"收下各类报文：{type_}", f"takes a message of type {type_}", run)


GOOD = Step("good", "收下一份合格的报文", "takes a good message", _good)
REPEAT = Step("repeat", "同一编号再报，不重复办理", "the same id again is not done twice", _repeat)
ASKED = (
    REPEAT,
    Step("ask", "按编号能查到已收的报文", "says by id what it has", _ask),
    Step("ask_unknown", "没收过的编号明确说没有", "plainly denies an id it never got", _ask_unknown),
)
SPOILT = (
    Step("unknown_field", "多出未知字段：收下或明确拒绝", "an unknown field: taken or plainly refused", _unknown_field),
    Step("cut_off", "残缺报文明确拒绝", "refuses half a message", _must_refuse("cut_off")),
    Step("wrong_encoding", "编码错误明确拒绝", "refuses bytes of another encoding", _must_refuse("wrong_encoding")),
    Step("oversized", "超大报文拒绝而不收", "refuses what is too large", _oversized),
)
PACE = Step("pace", "同时多件都按时应答", "answers several at once in time", _pace)
UNDER_WAY = (
    Step("lost_answer", "应答丢失后可查、可重报", "after a lost answer it can be asked and told again", _lost_answer),
    PACE,
)
SIGNED = (
    Step("wrong_key", "别人的签名拒绝", "refuses a signature of another key", _with(wrong=True)),
    Step("tampered", "签名后改动正文，拒绝", "refuses a body changed after it was signed", _tampered),
    Step(
        "unknown_app", "未登记的应用标识拒绝", "refuses an app id that it does not know", _with(our_app_id="kit-nobody")
    ),
    Step("skewed_clock", "时间差一小时的请求拒绝", "refuses a request an hour off", _skewed),
    Step("replay", "原样重放的请求拒绝", "refuses the very same request again", _replay),
)
CREDENTIAL = (Step("wrong_credential", "许可证或令牌不符拒绝", "refuses a wrong licence or token", _with(wrong=True)),)
COMMON: Final = (GOOD, *ASKED, *UNDER_WAY, *SPOILT)
SIGNS_BODIES: Final = frozenset({"rest_signed", "webhook"})
"""Families whose signature covers the body, so that only what is spoilt before it arrives as spoilt."""
FAMILIES: Final[dict[str, tuple[Step, ...]]] = {
    "rest_signed": (*COMMON, *SIGNED),
    "soap": (*COMMON, *CREDENTIAL),
    "union_json": (*COMMON, *CREDENTIAL),
    "webhook": (GOOD, REPEAT, PACE, *SPOILT, *SIGNED),
    "message_set": (GOOD, *ASKED, *UNDER_WAY, *CREDENTIAL),
    "front_db": (GOOD, *ASKED),
    "file_drop": (GOOD, *ASKED),
    "national_push": (GOOD, *ASKED),
}


def steps_of(family: str, types: list[str]) -> tuple[Step, ...]:
    """All steps for a platform of this family: its table, then one for each type of message after the first."""
    return (*FAMILIES.get(family, COMMON), *(_outward(type_) for type_ in types))
