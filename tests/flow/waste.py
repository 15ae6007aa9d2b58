"""Three places on the way of construction waste (W7), modelled on published reports: out of 硚口, through 东西湖, to 汉川.

Three gateways as processes of their own, each with a window system; the first issues transport permits, and has an agreement
with each of the others about what their inspectors see. No agreement with or endorsement by the named places is implied.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agreements import load as agreements
from agreements import samples
from agreements.model import CertificateLine
from gateway import files, lab
from gateway.demo import world
from gateway.keys.keyring import Keyring
from gateway.lab import Place
from tests.flow.certificates import PAGE, WASTE
from tests.flow.nodes import PROVIDER

PLACES = {"out": ("420104", "硚口"), "through": ("420112", "东西湖"), "to": ("420984", "汉川")}
PURPOSE = "建筑垃圾运输执法检查"
SEEN = ["ZZBH", "CZZT", "CPH", "YSLX"]


@dataclass
class Process:
    """A running gateway, as ``tests.flow.nodes.Window`` needs one."""

    side: world.Side
    ports: dict[str, int]
    log: Path

    def url(self, listener: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[listener]}{path}"


def build(root: Path, window_key: str) -> dict[str, world.Side]:
    """The three nodes on disk."""
    ports, now = iter(world.free_ports(9)), datetime.now(UTC)
    sides = {}
    for name, (division, title) in PLACES.items():
        page = "127.0.0.1:0" if name == "out" else ""
        place = Place(division, f"{title}通办网关", *(f"127.0.0.1:{next(ports)}" for _ in range(3)), public=page)
        sides[name] = world.Side(place, root / name, root / name / "platform.json")
        lab.build(sides[name].folder, place, PROVIDER, now)
    issuer = sides["out"]
    with_ = {name: ["out"] for name in ("through", "to")} | {"out": ["through", "to"]}
    for name, side in sides.items():
        blocks = "".join(_peer(side, sides[other], other) for other in with_[name])
        for other in with_[name]:
            pair = other if name == "out" else name
            data = _agreement(issuer, sides[pair], now)
            (side.folder / f"{pair}.toml").write_bytes(data)
            blocks += f'\n[[agreement]]\nfile = "{pair}.toml"\n'
        text = lab.config_text(
            side.place, blocks, _window(window_key), "", "\n[delivery]\nbase_ms = 50\ncap_ms = 500\n"
        )
        side.config.write_text(text, "utf-8")
    own = f'issuer_name = "试验城管局"\nissuer_code = "{issuer.place.party[7:]}"\n'
    with issuer.config.open("a") as config:
        config.write(f'\n[public]\nurl = "{PAGE}"\n\n[certificates]\n{own}')
    return sides


def _peer(side: world.Side, other: world.Side, name: str) -> str:
    shutil.copy(other.folder / "card.json", side.folder / f"{name}.card.json")
    page = f'public = "{PAGE}"\n' if name == "out" else ""
    return (
        f'\n[[peer]]\nid = "{other.place.party}"\nurl = "https://{other.place.exchange}"\ncard = "{name}.card.json"\n'
        f'fingerprint = "{(other.folder / "fingerprint").read_text()}"\n{page}'
    )


def _window(key: str) -> str:
    return (
        '\n[[platform]]\nid = "window"\nprofile = "qiaokou"\nbase_url = "http://127.0.0.1:9"\napp_id = "qk-window"\n'
        f'public_keys = ["{key}"]\n'
    )


def _agreement(issuer: world.Side, other: world.Side, now: datetime) -> bytes:
    """What inspectors of the other place see of the issuer's transport permits; the same bytes for both."""
    file = issuer.folder / f"{other.folder.name}.toml"
    if file.exists():
        return file.read_bytes()
    parties = (issuer.place.party, other.place.party)
    line = CertificateLine("第九条", [WASTE], [parties[0]], [parties[1]], SEEN, ["scan"], [PURPOSE])
    data = samples.render(
        *parties, id=f"ZT-{parties[1][:6]}", name_a="武汉市硚口区", name_b=other.place.name, certificates=(line,)
    )
    for side in (issuer, other):
        passphrase = files.private_bytes(side.folder / "keys" / lab.PASSPHRASE).strip()
        ring, at = Keyring(side.folder / "keys", passphrase, PROVIDER), agreements.time_text(now)
        message = agreements.message(agreements.parse(data).text, side.place.party, at)
        signed = ring.signer("direct").sign(message)
        signature = agreements.PartySignature(side.place.party, at, ring.certificate("direct"), signed)
        data = agreements.with_signature(data, signature)
    return data


@asynccontextmanager
async def processes(*sides: world.Side) -> AsyncIterator[list[Process]]:
    """Each gateway in a process of its own."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(_process(side)) for side in sides]


@asynccontextmanager
async def _process(side: world.Side) -> AsyncIterator[Process]:
    log = side.folder / "log"
    command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(side.config), "--log-level", "debug"]
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=errors)
    assert process.stdout is not None
    async with asyncio.timeout(60):
        line = await process.stdout.readline()
    assert line, log.read_text("utf-8")
    ready: dict[str, Any] = json.loads(line)
    try:
        yield Process(side, {name: port for name, port in ready.items() if isinstance(port, int)}, log)
    finally:
        process.terminate()
        await process.wait()
