"""What a platform is held to (承诺), each promise tried: what was seen, and whether that is what its profile promises.

A refusal counts when it is one in so many words and nothing was kept; a 5xx or silence would have us try for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from adapters.base import Accepted, CannotAsk, NotThere, Outbound, Outcome, Refused, Temporary, Unclear
from adapters.kit import bend
from adapters.kit.score import Said, failed, not_applicable, passed, unknown
from adapters.kit.tap import tapped
from adapters.kit.trial import Trial, body_bent
from adapters.transport import Lost, Reply

AT_ONCE: Final = 10
HOUR_MS: Final = 3_600_000
_NO_ASKING = not_applicable("该平台不能按编号查询", "this platform cannot be asked by id")
_NOBODY = unknown("没有人应答，无从判断", "nobody answered, so nothing can be told")


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
        return f"结果不明：{outcome.reason}", f"left it unclear: {outcome.reason}"
    return f"暂不可用：{outcome.reason}", f"said not now: {outcome.reason}"


def taken(outcome: Outcome) -> Said:
    """Passed when it was taken."""
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


async def good(trial: Trial) -> Said:
    """A good message is taken."""
    return taken(await trial.send(trial.first()))


async def repeat(trial: Trial) -> Said:
    """The same id three times has one reference."""
    out = trial.first()
    said = [await trial.send(out) for _ in range(3)]
    bad = next((one for one in said if not isinstance(one, Accepted)), None)
    if bad is not None:
        return taken(bad)
    references = {one.reference for one in said if isinstance(one, Accepted) and one.reference}
    if len(references) > 1:
        return failed(f"同一编号报送三次，得到 {len(references)} 个不同的对方编号：办件重复了",
                      f"one id sent three times brought {len(references)} different references: it was doubled")  # fmt: skip
    return passed("三次报送，同一结果", "sent three times, one result")


async def ask(trial: Trial) -> Said:
    """What it took, it says that it has."""
    out = trial.first()
    outcome = await trial.send(out)
    if not isinstance(outcome, Accepted):
        return taken(outcome)
    found = await _asked(trial, out.id)
    if isinstance(found, CannotAsk):
        return _NO_ASKING
    if isinstance(found, Accepted):
        return passed("对方说有", "it says that it has it")
    return failed("收下了，却说没有或答不清", "it took the message and does not say that it has it")


async def _asked(trial: Trial, id_: str) -> Any:
    with tapped(trial.tap):
        return await trial.platform.channel.ask(id_)


async def ask_unknown(trial: Trial) -> Said:
    """What it never got, it denies."""
    found = await _asked(trial, trial.first().id)
    if isinstance(found, CannotAsk):
        return _NO_ASKING
    if isinstance(found, Temporary) and found.absent:
        return _NOBODY
    if isinstance(found, NotThere):
        return passed("对方明确说没有", "it says plainly that it has it not")
    return failed("从未报送的编号，对方没有明确说“没有”", "an id that was never sent is not plainly denied")


async def lost_answer(trial: Trial) -> Said:
    """Its answer is thrown away on the way: asking and telling again have to agree with what happened."""
    """A message may take several calls: of these the last is the one that carries it over."""
    before = len(trial.tap.seen)
    await trial.send(trial.first())
    out, trial.tap.lose = trial.first(), len(trial.tap.seen) - before
    first = await trial.send(out)
    trial.tap.lose = 0
    if len(trial.tap.seen) == before:
        return not_applicable("该平台没有应答可丢", "there is no answer that could be lost")
    if not isinstance(first, Unclear):
        return taken(first)
    trial.sent.clear()  # its answer never reached the channel: nothing that could be read again
    kept = await trial.holds(out)
    if kept is False:
        return failed("已送达的报文，查询却说没有", "it had arrived, and asked for it the platform denies it")
    again = await trial.send(out)
    if not isinstance(again, Accepted):
        return taken(again)
    return passed("应答丢失后，查询与重报结果一致", "after a lost answer, asking and sending again agree")


async def unknown_field(trial: Trial) -> Said:
    """Taken, or plainly refused."""
    out = trial.first()
    outcome = await trial.spoilt(out, bend.JSON["unknown_field"], bend.XML["unknown_field"])
    if isinstance(outcome, Accepted):
        return passed("多一个字段也收下", "a field more is no trouble")
    return await _turned_away(trial, out, outcome)


def must_refuse(kind: str) -> Callable[[Trial], Awaitable[Said]]:
    """A message spoilt in this way (``bend``) is refused."""

    async def run(trial: Trial) -> Said:
        out = trial.first()
        return await _turned_away(trial, out, await trial.spoilt(out, bend.JSON[kind], bend.XML[kind]))

    return run


async def oversized(trial: Trial) -> Said:
    """Refused, or hung up on, and not kept."""
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


async def pace(trial: Trial) -> Said:
    """Several under way at once are all taken within the time that we wait."""
    outs = [trial.first() for _ in range(AT_ONCE)]
    told = await asyncio.gather(*(trial.send(out) for out in outs))
    bad = next((one for one in told if not isinstance(one, Accepted)), None)
    if bad is not None:
        return taken(bad)
    return passed(f"同时 {AT_ONCE} 件，都收下", f"{AT_ONCE} at once, all taken")


def opened_with(**changes: Any) -> Callable[[Trial], Awaitable[Said]]:
    """From somebody with other keys or another name it is refused."""

    async def run(trial: Trial) -> Said:
        out = trial.first()
        return await _turned_away(trial, out, await trial.send(out, trial.open(**changes)))

    return run


async def skewed(trial: Trial) -> Said:
    """An hour too early and an hour too late are refused."""
    said = not_applicable("", "")
    for shift in (-HOUR_MS, HOUR_MS):
        out = trial.first()
        said = await _turned_away(trial, out, await trial.send(out, trial.open(shift_ms=shift)))
        if said.verdict != "pass":
            return said
    return said


async def tampered(trial: Trial) -> Said:
    """One byte more than was signed is refused."""
    out = trial.first()
    trial.tap.bend = body_bent(lambda body: body + b" ")
    outcome = await trial.send(out)
    trial.tap.bend = None
    return await _turned_away(trial, out, outcome)


async def replay(trial: Trial) -> Said:
    """The very same request, nonce and all, is refused the second time."""
    out = trial.first()
    first = await trial.send(out)
    if not isinstance(first, Accepted):
        return taken(first)
    request = trial.tap.seen[-1].request
    trial.tap.bend = lambda _: request
    again = await trial.send(out)
    trial.tap.bend = None
    zh, en = _told(again)
    if _in_so_many_words(again, trial):
        return passed(f"同一随机数第二次：{zh}", f"the same nonce again: {en}")
    return failed(f"同一随机数第二次，对方却{zh}", f"the same nonce again: {en}")
