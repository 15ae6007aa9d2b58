"""The kit plays both platforms in front of two real nodes: whatever they do wrong, nothing is lost and nothing is doubled."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest

from adapters import samples
from adapters.kit.behaviour import BEHAVIOURS, Switch
from adapters.kit.cast import Cast, Noted
from adapters.kit.mask import Mask
from adapters.kit.play import Play
from adapters.registry import PlatformSettings
from gateway.demo import world
from gateway.ids import now_ms
from schemas import codec
from signing import keys, sm2
from signing.sm2 import Signer
from tests.flow.nodes import PROVIDER, Running, running, until
from tests.sizes import ROOT
from tests.unit.adapters.support import PROFILES, RESOURCES

CASES = 3


class Both(NamedTuple):
    """A's window and B's hall, played; ``lines``: what each exchange was."""

    a: Running
    b: Running
    window: Play
    hall: Play
    lines: list[dict[str, Any]]

    def turn(self, behaviour: str) -> None:
        self.window.switch.turn(behaviour)
        self.hall.switch.turn(behaviour)


def cast(side: world.Side, key: Any, gateway_key: str) -> Cast:
    """The platform of this node's configuration, seen from the other side."""
    [table] = tomllib.loads(side.config.read_text("utf-8"))["platform"]
    settings = msgspec.convert(table, PlatformSettings)
    toml = (PROFILES / f"{settings.profile}.toml").read_bytes()
    gateway = f"http://{side.place.platform}"
    return Cast(settings, toml, RESOURCES, PROVIDER, Signer(PROVIDER, key), gateway_key, gateway, now_ms, Mask())


def impatient(side: world.Side) -> None:
    """A node that waits a second for its platform."""
    text = side.config.read_text("utf-8")
    side.config.write_text(text.replace("[[platform]]\n", "[[platform]]\ntimeout_ms = 1000\n"), "utf-8")


@asynccontextmanager
async def both(places: world.World) -> AsyncIterator[Both]:
    told = msgspec.json.decode(places.a.platform_config.read_bytes())
    lines: list[dict[str, Any]] = []
    item, purpose = told["items"][0]["code"], told["purpose"]
    body = msgspec.structs.replace(samples.body("application"), item=item, purpose=purpose, materials=[])
    key = PROVIDER.load(int(told["private_key"], 16))
    window = Play(cast(places.a, key, told["gateway_public_key"]), Switch(), lines.append, bodies={"application": body})
    for side in (places.a, places.b):
        impatient(side)
    hall = Play(cast(places.b, PROVIDER.generate(), ""), Switch(), lines.append)
    for play in (window, hall):
        host = play.cast.settings.base_url.removeprefix("http://").partition("/")[0]
        await play.start(("127.0.0.1", int(host.rpartition(":")[2])))
    try:
        async with running(places.a, places.b) as (a, b):
            yield Both(a, b, window, hall, lines)
    finally:
        await window.stop()
        await hall.stop()


def numbers() -> Iterator[str]:
    return (f"42010420260101{number:04d}" for number in range(1, CASES + 1))


def hand_in(two: Both, number: str) -> None:
    """The window hands a case in, again and again until it is taken."""
    two.window._begin(two.window.tell(two.window.act("application", Noted("", "", "", "", number, number)), number))


def states(node: Running) -> dict[str, str]:
    return dict(node.rows("SELECT case_number, state FROM case_file"))


async def walked(places: world.World, behaviour: str) -> None:
    async with both(places) as two:
        two.turn(behaviour)
        for number in numbers():
            hand_in(two, number)
        if behaviour != "good":
            await until(lambda: sum(line.get("behaviour") == behaviour for line in two.lines) >= 4, 60)
        two.turn("good")
        await until(lambda: len(states(two.a)) == CASES and set(states(two.a).values()) == {"denied"}, 30)
        await until(lambda: not any(waiting(node) for node in (two.a, two.b)), 30)
        check(two, behaviour)


def waiting(node: Running) -> list[Any]:
    """What is not delivered, or lies with a person."""
    return node.rows("SELECT destination, state, cause FROM delivery WHERE state <> 'delivered'")


def check(two: Both, behaviour: str) -> None:
    """Each case was heard once at the hall, and each act about it counted once at both gateways."""
    for play in (two.hall, two.window):
        ids = [one.id for one in play.cast.desk.kept]
        assert len(ids) == len(set(ids)) or BEHAVIOURS[behaviour].doubled, "the node sent what the platform had"
    heard = [one.number for one in two.hall.cast.desk.kept if one.type == "application"]
    assert sorted(set(heard)) == sorted(numbers())
    for node in (two.a, two.b):
        events = node.rows("SELECT event FROM case_event")
        counted = Counter(event for (event,) in events)
        assert {name: counted[name] for name in ("accept", "decide_deny")} == {"accept": CASES, "decide_deny": CASES}
    told = Counter(one.type for one in two.window.cast.desk.kept if one.times == 1 or not BEHAVIOURS[behaviour].doubled)
    assert {"acceptance", "decision"} <= set(told)


QUICK = ("out-of-order", "garbage")


@pytest.mark.parametrize(
    "behaviour", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in BEHAVIOURS]
)
async def test_nothing_is_lost_and_nothing_doubled(behaviour: str, places: world.World) -> None:
    await walked(places, behaviour)


# --- the same, everything a process of its own ------------------------------------------------------------------------


class Process:
    """One of our commands, until it is told to stop."""

    def __init__(self, *words: object) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
        line = [sys.executable, "-m", "gateway.cli", *map(str, words)]
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env)
        assert self.process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert self.ready["ready"] is True

    def stop(self) -> int:
        self.process.terminate()
        self.process.communicate(timeout=60)
        return self.process.returncode


def platform_files(side: world.Side, folder: Path, **files: bytes) -> list[object]:
    """The settings of this node's platform, and what else the command takes, as files."""
    folder.mkdir()
    [table] = tomllib.loads(side.config.read_text("utf-8"))["platform"]
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items() if name not in ("id", "profile")]
    words: list[object] = ["--profile", table["profile"], "--gateway", f"http://{side.place.platform}"]
    words += ["--listen", table["base_url"].removeprefix("http://").partition("/")[0], "--json"]
    for option, data in {"settings": "\n".join(lines).encode(), **files}.items():
        (folder / option).write_bytes(data)
        name = "sample" if option == "application" else option.replace("_", "-")
        words += [f"--{name}", f"application={folder / option}" if option == "application" else folder / option]
    return words


async def ask(session: aiohttp.ClientSession, control: str, path: str, **order: Any) -> Any:
    call = session.post(control + path, json=order) if order else session.get(control + path)
    async with call as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


@pytest.mark.long
@pytest.mark.processes
async def test_a_node_process_outlives_every_behaviour(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    told = json.loads(places.a.platform_config.read_bytes())
    application = msgspec.structs.replace(
        samples.body("application"), item=told["items"][0]["code"], purpose=told["purpose"], materials=[]
    )
    public = sm2.PublicKey.from_bytes(bytes.fromhex(told["gateway_public_key"]))
    window_words = platform_files(
        places.a, tmp_path / "window", application=codec.canonical(application), gateway_key=keys.public_to_pem(public),
        key=keys.private_to_pem(PROVIDER.load(int(told["private_key"], 16)), None),
    )  # fmt: skip
    for side in (places.a, places.b):
        impatient(side)
    running_: list[Process] = []
    try:
        for words in (window_words, platform_files(places.b, tmp_path / "hall")):
            running_.append(await asyncio.to_thread(Process, "kit", "serve", *words))
        for side in (places.a, places.b):
            running_.append(await asyncio.to_thread(Process, "serve", "--config", side.config))
        window, hall = (one.ready["control"] for one in running_[:2])
        for number, behaviour in enumerate(BEHAVIOURS, 1):
            for control in (window, hall):
                await ask(session, control, "/kit/behaviour", behaviour=behaviour)
            await ask(session, window, "/kit/tell", type="application", case=f"42010420260202{number:04d}", until=True)
            await asyncio.sleep(1.5)  # it misbehaves for a while
            for control in (window, hall):
                await ask(session, control, "/kit/behaviour", behaviour="good")
        for _ in range(600):
            at = await ask(session, window, "/kit/state")
            if len(at["decided"]) == len(BEHAVIOURS):
                break
            await asyncio.sleep(0.1)
        there = await ask(session, hall, "/kit/state")
        assert len(at["decided"]) == len(there["cases"]) == len(BEHAVIOURS)
        assert at["doubled"] + there["doubled"] <= 8, "what a platform doubles by itself, under one behaviour"
        assert all(one.process.poll() is None for one in running_)
    finally:
        codes = [await asyncio.to_thread(one.stop) for one in running_[::-1]]
    assert codes == [0, 0, 0, 0]
