"""One case along each way between the local systems (按事项分流): handed in at one, handled by another, compared act by act.

``LEGS`` is the list. What is checked is what the two systems have on record themselves: each act of the one is known to the
other exactly once, but for what its protocol has no word for.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from agreements import samples
from gateway.demo import records, systems
from gateway.demo.checks import Fault
from gateway.demo.outside import Outside
from gateway.demo.records import Acts
from gateway.demo.systems import CARE_ELSEWHERE, DISABILITY, IDENTITY_CARD, SOCIAL_CARD, System

PATIENCE_S = 60.0
PDF_BYTES = 65_536


@dataclass(frozen=True)
class Leg:
    """From which system to which, an item, and the act that ends it, told by ``told_by`` (``from`` or ``to``)."""

    origin: str
    target: str
    item: str
    last: str
    told_by: str


LEGS: Final = (
    Leg("window", "police", IDENTITY_CARD, "delivery", "from"),
    Leg("window", "social", SOCIAL_CARD, "decision", "to"),
    Leg("window", "medical", CARE_ELSEWHERE, "delivery", "from"),
    Leg("medical", "files", CARE_ELSEWHERE, "delivery", "from"),
    Leg("police", "files", IDENTITY_CARD, "result", "to"),
    Leg("files", "hall", DISABILITY, "delivery", "from"),
)


@dataclass
class Walked:
    """A leg that was walked: the case's number where it was collected, both systems' acts, what does not hold."""

    leg: Leg
    number: str
    seconds: float = 0.0
    collector: Acts = field(default_factory=Acts)
    handler: Acts = field(default_factory=Acts)
    faults: list[Fault] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """It came to its end, and both know the same."""
        return not self.faults


async def walk(outside: Outside, further: Sequence[System]) -> list[Walked]:
    """All legs, side by side."""
    ask = records.Records(outside, {one.id: one for one in further})
    return list(await asyncio.gather(*(_walk(ask, leg) for leg in LEGS)))


async def _walk(ask: records.Records, leg: Leg) -> Walked:
    begin = time.monotonic()
    walked = Walked(leg, await ask.hand_in(leg.origin, leg.item, _name(leg.item), PDF_BYTES))
    while time.monotonic() - begin < PATIENCE_S:
        walked.collector = await ask.acts(leg.origin, walked.number)
        walked.handler = await ask.acts(leg.target, walked.number)
        walked.faults = compare(walked, ask.silent)
        if walked.ok:
            break
        await ask.carry_on(leg.origin, walked.number, leg.item, walked.collector)
        await asyncio.sleep(0.1)
    walked.seconds = time.monotonic() - begin
    return walked


def compare(walked: Walked, silent: Callable[[str], frozenset[str]]) -> list[Fault]:
    """What one side did and the other does not know, or knows more than once."""
    leg, number = walked.leg, walked.number
    faults = []
    ways = ((walked.collector, walked.handler, leg.target), (walked.handler, walked.collector, leg.origin))
    for from_, to, name in ways:
        said = Counter(act for act in from_.said if act not in silent(name))
        told = Counter(to.told)
        faults += [Fault(number, f"{act} 没有到 {name}", f"{act} did not reach {name}") for act in said - told]
        faults += [Fault(number, f"{act} 在 {name} 多了", f"{act} more than once at {name}") for act in told - said]
    author = walked.collector if leg.told_by == "from" else walked.handler
    if leg.last not in author.said:
        faults.append(Fault(number, f"没有走到 {leg.last}", f"did not reach {leg.last}"))
    return faults


def _name(code: str) -> str:
    listed = systems.listed(systems.SYSTEMS) or samples.items()
    return next(item.name for item in listed if item.code == code)
