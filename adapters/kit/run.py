"""A conformance run (符合性测试): our gateway's part played against a partner's platform, step by step.

The first step finds out whether anybody is there; if not, the rest is not tried and nothing can be told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from adapters.base import Untranslatable
from adapters.kit.masking import shown
from adapters.kit.partner import Partner, types_of
from adapters.kit.score import Result, Said, failed
from adapters.kit.steps import Step, steps_of
from adapters.kit.trial import Sent, Trial
from adapters.registry import Platform
from schemas.errors import Invalid

OVERSIZE = 32 << 20


class Ran(NamedTuple):
    """A step's result, and what it sent unbent."""

    result: Result
    sent: tuple[Sent, ...]


def plan(platform: Platform, wanted: Collection[str] = ()) -> list[Step]:
    """The steps for this platform; ``wanted``: names, or beginnings before a dot, empty for all."""
    steps = steps_of(platform.family, types_of(platform))
    return [one for one in steps if not wanted or one.name in wanted or one.name.partition(".")[0] in wanted]


async def run(
    partner: Partner,
    platform: Platform,
    steps: Sequence[Step],
    *,
    oversize: int = OVERSIZE,
    done: Callable[[Result], None] = lambda _: None,
) -> list[Ran]:
    """Try them in order on this open platform; a platform at whose address nobody is ends the run."""
    partner = partner.about()
    ran: list[Ran] = []
    for step in steps:
        ran.append(await _try(partner, platform, step, oversize))
        done(ran[-1].result)
        if ran[-1].result.said.verdict == "unknown":
            break
    return ran


async def _try(partner: Partner, platform: Platform, step: Step, oversize: int) -> Ran:
    trial = Trial(partner, platform, oversize)
    try:
        said: Said = await step.run(trial)
    except (Untranslatable, Invalid) as bad:
        said = failed(f"方案写不出这份报文：{bad.path} {bad.zh}", f"the profile cannot write it: {bad.path} {bad.en}")
    finally:
        await trial.close()
    exchanges = tuple(shown(one, partner.mask) for one in trial.tap.seen) if said.verdict == "fail" else ()
    return Ran(Result(step.name, step.zh, step.en, said, exchanges[-SHOWN:]), tuple(trial.sent))


SHOWN = 6
"""Exchanges of a failed step that a report shows, the last ones."""
