"""Places of a scenario: real gateways in this process, bilateral agreements signed by both, and simulated systems behind them.

Modelled on published reports; no agreement with or endorsement by the named places is implied.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from agreements import samples
from agreements.model import Item
from gateway import config, lab
from gateway.demo import systems, world
from gateway.flow.export import export_case
from gateway.ids import now_ms
from gateway.lab import Place
from gateway.ledger.evidence import verify
from gateway.ledger.trust import compose
from tests.flow.nodes import PLATFORMS, PROVIDER, Running
from tests.unit.adapters.support import PROFILES

assert PLATFORMS
import file_office  # noqa: E402  (nodes puts the simulators on the path)
import front_office  # noqa: E402
import gongan  # noqa: E402
import guangzhou  # noqa: E402

TOKEN = "licence-of-a-simulated-system"
OPEN = f'licence = "{TOKEN}"\nour_licence = "{TOKEN}"\n'
BRISK = "\n[delivery]\nbase_ms = 50\ncap_ms = 500\n"


@dataclass(frozen=True)
class Pact:
    """An agreement between two of the places, by name."""

    a: str
    b: str
    listed: tuple[Item, ...] | None = None
    mode: str = "collect_elsewhere"


def build(
    root: Path, towns: Mapping[str, tuple[str, str]], pacts: Iterable[Pact], platforms: Mapping[str, str]
) -> dict[str, world.Side]:
    """The places on disk. ``towns``: name -> (division, title); ``platforms``: name -> its [[platform]] blocks."""
    now, sides = datetime.now(UTC), {}
    for name, (division, title) in towns.items():
        place = Place(division, f"{title}通办网关", *(f"127.0.0.1:{port}" for port in world.free_ports(3)), tls=False)
        sides[name] = world.Side(place, root / name, root / name / "platform.json")
        lab.build(sides[name].folder, place, PROVIDER, now)
    blocks = {name: platforms.get(name, "") for name in towns}
    for pact in pacts:
        ours, theirs = sides[pact.a], sides[pact.b]
        data = samples.render(
            ours.place.party, theirs.place.party, name_a=towns[pact.a][1], name_b=towns[pact.b][1],
            id=f"TB-{ours.place.division}-{theirs.place.division}", listed=pact.listed,
        ).replace(b'"collect_elsewhere"', f'"{pact.mode}"'.encode())  # fmt: skip
        signed = world.signed(data, (ours, theirs), PROVIDER, now)
        for name, other in ((pact.a, pact.b), (pact.b, pact.a)):
            blocks[name] += _peer(sides[name], sides[other], other)
            (sides[name].folder / f"with-{other}.toml").write_bytes(signed)
            blocks[name] += f'\n[[agreement]]\nfile = "with-{other}.toml"\n'
    for name, side in sides.items():
        side.config.write_text(lab.config_text(side.place, blocks[name], delivery=BRISK), "utf-8")
    return sides


def _peer(side: world.Side, other: world.Side, name: str) -> str:
    shutil.copy(other.folder / "card.json", side.folder / f"{name}.card.json")
    return (
        f'\n[[peer]]\nid = "{other.place.party}"\nurl = "http://{other.place.exchange}"\ncard = "{name}.card.json"\n'
        f'fingerprint = "{(other.folder / "fingerprint").read_text()}"\n'
    )


def platform(id_: str, profile: str, url: str, *items: str, more: str = "") -> str:
    """A [[platform]] block."""
    listed = f"items = {list(items)!r}\n".replace("'", '"') if items else ""
    return f'\n[[platform]]\nid = "{id_}"\nprofile = "{profile}"\nbase_url = "{url}"\n{listed}{more}'


def brisk(folder: Path, name: str) -> str:
    """A copy of a bundled profile that looks ten times as often, with its schema; the copy's path."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (PROFILES / f"{name}.toml").read_text("utf-8").replace("poll_ms = 1000", "")
    for head in ("[drop]", "[front.come]", "[message_set]"):
        table = head if head != "[front.come]" else "[front]"
        text = text.replace(f"\n{head}\n", f"\n{table}\npoll_ms = 50\n" + (f"{head}\n" if head != table else ""), 1)
    (folder / f"{name}.toml").write_text(text, "utf-8")
    for schema in PROFILES.glob(f"{name}.xsd"):
        shutil.copy(schema, folder)
    return str(folder / f"{name}.toml")


def files(folder: Path, id_: str = "files", *items: str) -> str:
    """The block of a system behind a shared folder."""
    return platform(id_, brisk(folder, "hanzhong_files"), f"file://{folder / 'exchange'}", *items)


def file_system(folder: Path, division: str) -> Any:
    """The system itself."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {"folder": str(folder / "exchange"), "records": str(folder / "own.db"), "division": division, "step_ms": 10}
    return file_office.Office({**told, "purpose": samples.PURPOSE})


def front_system(folder: Path) -> Any:
    """A system behind a front database."""
    folder.mkdir(parents=True, exist_ok=True)
    return front_office.Office({"database": str(folder / "front.db"), "records": str(folder / "own.db"), "step_ms": 10})


def four(root: Path, gongan: str, queue: str) -> str:
    """The four platforms of the handling place; the last takes what no other lists."""
    return (
        platform("police", "gongan", f"http://{gongan}/soap", systems.IDENTITY_CARD, more=OPEN)
        + platform("social", brisk(root, "fujian_front"), f"sqlite://{root / 'social' / 'front.db'}", "QX-TB-0*")
        + platform("medical", brisk(root, "guangzhou"), f"http://{queue}", systems.CARE_ELSEWHERE, more=OPEN)
        + files(root / "rest", "rest", systems.DISABILITY)
    )


@asynccontextmanager
async def queue_system(folder: Path, listen: str) -> AsyncIterator[Any]:
    """A system that reads objects from queues, with its queue server."""
    folder.mkdir(parents=True, exist_ok=True)
    office = guangzhou.Office({"database": str(folder / "own.db"), "token": TOKEN, "scenarios": {}, "listen": listen})
    async with site(guangzhou.listeners(office)[0], listen):
        yield office
    office.records.close()


@asynccontextmanager
async def police_system(folder: Path, listen: str, gateway: str) -> AsyncIterator[Any]:
    """The public-security service, which answers and calls by SOAP."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {"database": str(folder / "own.db"), "licence": TOKEN, "gateway_licence": TOKEN, "gateway": gateway}
    async with aiohttp.ClientSession() as session:
        station = gongan.Station(told, session)
        app = web.Application(client_max_size=8 << 20)
        app.router.add_post("/soap", station.soap)
        async with site(app, listen):
            yield station
        await _end(station.house.tasks)
        station.records.close()


@asynccontextmanager
async def site(app: web.Application, listen: str) -> AsyncIterator[None]:
    """An application at an address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    await web.TCPSite(runner, host, int(port)).start()
    try:
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def app_platform(listen: str) -> AsyncIterator[dict[str, list[str]]]:
    """What the app's server hears of each of its cases."""
    heard: dict[str, list[str]] = {}

    async def event(request: web.Request) -> web.Response:
        said = await request.json()
        heard.setdefault(said["bjbh"], []).append(said["lx"])
        return web.json_response({"code": 0, "msg": "已收到", "bh": said["lsh"]})

    server = web.Application()
    server.router.add_post("/tongban/events", event)
    async with site(server, listen):
        yield heard


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in [*tasks]:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def working(*systems: Any) -> AsyncIterator[None]:
    """Systems that take and decide what comes, until the end of the block; their errors are the test's."""
    tasks = [asyncio.create_task(one.run()) for one in systems]
    try:
        yield
    finally:
        await _end(tasks)
        for one in systems:
            if not isinstance(one, guangzhou.Office):  # whose queues are served until its own block ends
                one.records.close()


def case_of(node: Running, number: str) -> str:
    """Our id of the case that was collected under this number; "" while there is none."""
    return str(node.one("SELECT id FROM case_file WHERE case_number = ?", number) or "")


def state(node: Running, case: str) -> str:
    """Where a node's copy of a case stands."""
    return str(node.one("SELECT state FROM case_file WHERE id = ?", case) or "")


def settled(*nodes: Running) -> bool:
    """Whether nothing is owed to anybody."""
    open_ = "SELECT count(*) FROM delivery WHERE state NOT IN ('delivered','refused','given_up')"
    return all(node.one(open_) == 0 for node in nodes)


def proved(node: Running, case: str) -> tuple[bool | None, str]:
    """What the case's evidence package, exported here, says of itself: (verdict, state)."""
    package = export_case(config.load(node.side.config), node.side.folder, case)
    report = verify(package, compose(PROVIDER, now_ms=now_ms()))
    assert report.ok, report.reasons
    return report.ok, report.state
