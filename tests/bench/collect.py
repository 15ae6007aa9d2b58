"""Reports a second into a collection database (办件归集): rows made by the profile, written and flushed, sixteen at once."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import msgspec

from adapters import samples
from adapters.base import Accepted
from adapters.registry import Platform, PlatformSettings, open_platform
from signing.providers import open_provider
from tests.bench.measure import Figures, note
from tests.bench.procs import ROOT

sys.path.insert(0, str(ROOT / "gateway" / "demo" / "platforms"))
from collection import Collection

AT_ONCE = 16
EVENTS = ("receive", "accept", "step", "decide_grant", "issue_result")


def opened(path: Path) -> Platform:
    own = PlatformSettings(id="b", profile="national", base_url=f"sqlite://{path}")
    text = (ROOT / "adapters" / "profiles" / "national.toml").read_bytes()
    return open_platform(own, text, {}, lambda: None, open_provider(), str, int)  # type: ignore[arg-type,return-value]


async def _told(platform: Platform, seconds: float, prefix: str) -> int:
    until, done = time.perf_counter() + seconds, [0] * AT_ONCE

    async def line(which: int) -> None:
        while time.perf_counter() < until:
            out = samples.report(EVENTS[done[which] % len(EVENTS)])
            out = msgspec.structs.replace(out, id=f"{prefix}{which:03d}-{done[which]}")
            outcome = await platform.channel.send(platform.translator.outbound(out))
            if outcome != Accepted():
                raise SystemExit(f"not accepted: {outcome}")
            done[which] += 1

    await asyncio.gather(*map(line, range(AT_ONCE)))
    return sum(done)


async def _measured(path: Path, seconds: float) -> Figures:
    platform = opened(path)
    await _told(platform, 0.3, "warm")
    cpu, began = time.process_time(), time.perf_counter()
    count = await _told(platform, seconds, "R")
    spent, used = time.perf_counter() - began, time.process_time() - cpu
    await platform.channel.close()
    return {"per_second": round(count / spent, 1), "cpu": round(count / used, 1), "done": count}


def rows(folder: Path, seconds: float) -> dict[str, Figures]:
    """``ratio``: of the 1,000 reports a second per core that are asked for; a report is two to five rows."""
    note("national_push, into a collection database on disk")
    Collection(str(folder / "collection.db")).close()
    found = asyncio.run(_measured(folder / "collection.db", seconds))
    ratio = round(found["cpu"] / 1000, 3)
    return {"national_push": {**found, "baseline": 1000, "ratio": ratio, "p50_ms": None, "p99_ms": None}}
