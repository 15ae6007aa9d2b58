"""Messages a second that an adapter carries to its platform: translated, validated, sent, the answer read; one core of ours.

The simulators of the demo stand on the other core, write each message into their own SQLite file (those of
``union_json`` into memory) and answer; a connection for
each exchange, sixteen at a time. ``cpu``: messages per second of our own processor time, what remains true when the
simulator is the slower end.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from secrets import token_hex
from typing import Any

import msgspec

from adapters import samples
from adapters.base import Accepted
from adapters.registry import Platform, PlatformSettings, open_platform
from signing.providers import open_provider
from signing.sm2 import Signer
from tests.bench import collect, files, front, signed
from tests.bench.measure import Figures, note
from tests.bench.procs import ROOT, Server, pin, start

PROFILES, SIMULATORS = ROOT / "adapters" / "profiles", ROOT / "gateway" / "demo" / "platforms"
SECRET, TOKEN, AT_ONCE = "licence", "token-of-the-bench", 16
PROVIDER = open_provider()
KEY = Signer(PROVIDER, PROVIDER.generate())
SCRIPTS = {"zhengzhou": "union_city", "nanchang": "union_province"}
"""Simulators that are not named after their profile."""
KINDS = {
    "soap": ("honggutan", "/soap", {"gateway": "http://127.0.0.1:9/", "unit": "u", "licence": SECRET, "gateway_unit": "u",
                                    "gateway_licence": SECRET, "xsd": str(PROFILES / "honggutan.xsd")}),
    "soap, XML in a string": ("gongan", "/soap", {"gateway": "http://127.0.0.1:9/", "licence": SECRET, "gateway_licence": SECRET}),
    "message_set": ("guangzhou", "", {"token": SECRET, "idle": True}),
    "webhook": ("changsha", "/tongban/events", {"gateway_public_key": KEY.public.point.hex()}),
    "union_json": ("zhengzhou", "", {"token": TOKEN, "idle": True}),
    "union_json, one code and a query token": ("nanchang", "", {"token": TOKEN, "idle": True}),
}  # fmt: skip


def opened(profile: str, url: str) -> Platform:
    own = PlatformSettings(
        id="b", profile=profile, base_url=url, unit="u", licence=SECRET, our_unit="u", our_licence=SECRET, addresses=("127.0.0.1",),
    )  # fmt: skip
    files = {one.name: one.read_bytes() for one in PROFILES.glob("*.xsd")}
    text = (PROFILES / f"{profile}.toml").read_bytes()
    secrets = {"token": TOKEN.encode(), "their_token": TOKEN.encode()}
    return open_platform(
        own, text, files, lambda: KEY, PROVIDER, lambda: token_hex(16), lambda: int(time.time() * 1000),
        secrets, lab=True,
    )  # fmt: skip


def simulator(folder: Path, profile: str, config: dict[str, Any]) -> Server:
    path = folder / f"{profile}.json"
    listen = {"listen": "127.0.0.1:0", "control": "127.0.0.1:0", "database": str(folder / f"{profile}.db")}
    path.write_text(json.dumps(listen | config), "utf-8")
    return start(
        [sys.executable, "-I", str(SIMULATORS / f"{SCRIPTS.get(profile, profile)}.py"), "--config", str(path)], 1
    )


async def _sent(platform: Platform, seconds: float) -> int:
    """How many messages were accepted; anything else ends the measurement."""
    kind = "acceptance" if platform.translator.can_send("acceptance") else "correction"
    until, count = time.perf_counter() + seconds, 0

    async def line(first: int) -> None:
        nonlocal count
        number = first
        while time.perf_counter() < until:
            out = msgspec.structs.replace(samples.outbound(kind), id=f"M{number}")
            outcome = await platform.channel.send(platform.translator.outbound(out))
            if not isinstance(outcome, Accepted):
                raise SystemExit(f"not accepted: {outcome}")
            number, count = number + AT_ONCE, count + 1

    await asyncio.gather(*[line(number) for number in range(AT_ONCE)])
    return count


async def carried(platform: Platform, seconds: float) -> Figures:
    """One adapter, warm."""
    if not platform.translator.can_send("acceptance"):  # a correction is of a case that is there
        await platform.channel.send(platform.translator.outbound(samples.outbound("application")))
    await _sent(platform, 0.3)
    cpu, began = time.process_time(), time.perf_counter()
    count = await _sent(platform, seconds)
    spent, used = time.perf_counter() - began, time.process_time() - cpu
    await platform.channel.close()
    return {"per_second": round(count / spent, 1), "cpu": round(count / used, 1), "done": count}


def measure(folder: Path, seconds: float) -> Figures:
    """All adapters; ``ratio``: of the 1,000 a second per core that are asked for (500 of a shared folder, of a front database)."""
    pin(0)
    rows: dict[str, Figures] = {}
    for name, (profile, path, config) in KINDS.items():
        note(f"{name}, against its simulator")
        server = simulator(folder, profile, config)
        try:
            found = asyncio.run(carried(opened(profile, f"http://127.0.0.1:{server.port}{path}"), seconds / len(KINDS)))
        finally:
            server.stop()
        per_core = found["cpu"]
        rows[name] = {**found, "baseline": 1000, "ratio": round(per_core / 1000, 3), "p50_ms": None, "p99_ms": None}
    rows |= files.rows(folder, seconds)
    rows |= front.rows(folder, seconds)
    rows |= collect.rows(folder, seconds / len(KINDS))
    rows |= signed.rows(folder, seconds)
    return {"rows": rows, "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}
