"""The demo from beginning to end: two places are made, four processes started, cases sent through, everything checked.

Whatever way it ends (done, Ctrl-C, SIGTERM, an error, a process that crashed), what was started is stopped, unless it was
asked to stay.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from gateway.demo import checks, ground, legs, permit, watch, world
from gateway.demo.crew import Crew, members
from gateway.demo.ground import PLACES, STORY, Place, State
from gateway.demo.outside import Outside
from gateway.demo.proof import prove
from gateway.demo.story import tell
from gateway.demo.summary import Outcome, many
from gateway.demo.systems import System
from gateway.demo.world import Side, World
from gateway.keys import keyring
from gateway.lang import say
from signing.providers import Provider

# A dying process closes its connections a moment before it is seen to be dead.
DYING_S = 0.5


@dataclass(frozen=True)
class Options:
    """What was asked for. ``kept``: the processes outlive us (``demo up``); ``quiet``: no progress on standard output;
    ``platforms``: further local systems at both places, by an adapter each."""

    root: Path
    cases: int = 20
    pdf_bytes: int = 5 << 20
    kept: bool = False
    quiet: bool = False
    platforms: bool = False


class AlreadyRunning(Exception):
    """A demo runs in this folder."""


@dataclass
class Stage:
    """A demo under way: what stands, and how to talk about it."""

    options: Options
    state: State
    crew: Crew
    provider: Provider
    warning: str
    begin: float
    further: tuple[System, ...] = ()


async def raise_stage(options: Options, tell_people: Callable[[str], None]) -> Stage:
    """Make the two places and start their four processes; returns when all stand."""
    left = ground.load(options.root)
    if left is not None and left.running:
        raise AlreadyRunning
    begin = time.monotonic()
    ground.claim(options.root)
    provider, warning = keyring.provider("auto", lab=True)
    if warning:
        tell_people(say("警告：", "Warning: ") + warning)
    tell_people(
        say(
            "准备两个地方：密钥、证书、印章、账本、一份双方签署的通办协议……",
            "Making two places: keys, certificates, seals, ledgers, one agreement signed by both ...",
        )
    )
    knobs = world.Settings(pdf_bytes=options.pdf_bytes, certificates=True, platforms=options.platforms)
    made = await asyncio.to_thread(world.build, options.root / PLACES, provider, datetime.now(UTC), knobs)
    crew = Crew(members(made, options.root), kept=options.kept)
    stage = Stage(options, _state(made, options), crew, provider, warning, begin, made.more)
    try:
        crew.start()
        _save(stage)
        await crew.await_ready(asyncio.sleep)
    except BaseException:
        crew.stop()
        raise
    return stage


async def play(stage: Stage, tell_people: Callable[[str], None]) -> Outcome:
    """Send the cases through, watch them, check everything, write story and evidence. Raises ``Crashed``."""
    try:
        return await _play(stage, tell_people)
    except aiohttp.ClientError:
        await asyncio.sleep(DYING_S)
        stage.crew.check()  # the process that died says more than the connection to it
        raise


async def _play(stage: Stage, tell_people: Callable[[str], None]) -> Outcome:
    options = stage.options
    async with Outside.session() as session:
        outside = Outside(session, stage.state)
        prints = (
            (Path(stage.state.a.folder) / "fingerprint").read_text(),
            (Path(stage.state.b.folder) / "fingerprint").read_text(),
        )
        trusted = await checks.trust(outside, prints, stage.provider)
        numbers = await outside.hand_in(options.cases, options.pdf_bytes)
        with watch.view(options.quiet, tell_people) as shown:
            last = await watch.until_over(outside, stage.crew, len(numbers), shown)
        report = await checks.check(outside, numbers, trusted)
        walked = await legs.walk(outside, stage.further) if stage.further else []
        issued = await permit.walk(outside, trusted)
    ended = [case for case in report.cases if case.delivered]
    chosen = max(ended, key=lambda case: (len(case.results), len(case.window["events"])), default=None)
    proved = None
    if chosen is not None:
        proved = prove(options.root, stage.state, chosen.window["tbbh"], stage.provider)
        stage.state = msgspec.structs.replace(stage.state, case=chosen.window["tbbh"])
        _save(stage)
    seconds = time.monotonic() - stage.begin
    outcome = Outcome(
        options.root, stage.state, report, last, proved, issued, seconds, stage.warning, many(walked, stage.further)
    )
    (options.root / STORY).write_text(tell(outcome, stage.provider), "utf-8")
    return outcome


def _save(stage: Stage) -> None:
    stage.state = msgspec.structs.replace(stage.state, members=list(stage.crew.members.values()))
    ground.save(stage.options.root, stage.state)


def _state(made: World, options: Options) -> State:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return State(a=_place(made.a), b=_place(made.b), made_at=at, kept=options.kept, members=[])


def _place(side: Side) -> Place:
    platform: dict[str, Any] = msgspec.json.decode(side.platform_config.read_bytes())
    return Place(
        division=side.place.division, name=side.place.name, party=side.place.party, folder=str(side.folder),
        config=str(side.config), exchange=side.place.exchange, platform=side.place.platform, admin=side.place.admin,
        control=platform["control"],
    )  # fmt: skip
