"""Messages a second through shared folders, out and in: on this machine's disk and over SFTP to a server on the other core.

Everything that counts is flushed: sixteen messages on their way at once, as a node sends them, and one by one. ``cpu``:
messages per second of our own processor time.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from adapters import samples
from adapters.base import Accepted, Act
from adapters.file_drop.channel import FileDrop
from adapters.registry import PlatformSettings, open_platform
from signing.providers import open_provider
from tests.bench.measure import Figures, brief, note
from tests.bench.procs import ROOT, start
from tests.contract.sftp_support import Server, settle

sys.path.insert(0, str(ROOT / "gateway" / "demo" / "platforms"))
import file_hall

AT_ONCE, ASKED, CASE = 16, 500, "420104.11420104MB0000000X/0195-1"
FOREIGN = ROOT / "tests" / "contract" / "sftp_foreign.py"


class Desk:
    """A gateway that takes everything."""

    def __call__(self, original: bytes) -> Any:
        return self

    async def accept(self, act: Act) -> dict[str, str]:
        return {"case_id": act.case, "message_id": act.id, "received_at": "t", "text": "已收件"}


def opened(url: str, host_keys: tuple[str, ...] = (), secrets: dict[str, bytes] | None = None) -> FileDrop:
    own = PlatformSettings(id="b", profile="hanzhong_files", base_url=url, host_keys=host_keys)
    text = (ROOT / "adapters" / "profiles" / "hanzhong_files.toml").read_bytes()
    channel = open_platform(own, text, {}, lambda: None, open_provider(), str, int, secrets).channel  # type: ignore[arg-type,return-value]
    assert isinstance(channel, FileDrop)
    return channel


async def _out(drop: FileDrop, seconds: float, at_once: int, prefix: str) -> int:
    until, done = time.perf_counter() + seconds, [0] * at_once

    async def line(which: int) -> None:
        while time.perf_counter() < until:
            out = msgspec.structs.replace(samples.outbound("acceptance"), id=f"{prefix}{which}-{done[which]}")
            outcome = await drop.send(drop.translator.outbound(out))
            if not isinstance(outcome, Accepted):
                raise SystemExit(f"not accepted: {outcome}")
            done[which] += 1

    await asyncio.gather(*map(line, range(at_once)))
    return sum(done)


async def _in(drop: FileDrop, hall: file_hall.Hall, count: int) -> int:
    done = 0
    while done < count:
        done += await drop.poll(Desk())
    return done


def rows(folder: Path, seconds: float) -> dict[str, Figures]:
    """Each way in each direction. ``ratio``: of the 500 a second per core that are asked for."""
    hall = file_hall.Hall(folder / "exchange")
    found = _ways("file_drop", lambda: opened(f"file://{folder / 'exchange'}"), hall, seconds)
    if brief(seconds):
        return found
    settle(folder / "server")
    server = start([sys.executable, "-I", str(FOREIGN), str(folder / "server")], 1)
    try:
        at = Server(server.port, "hall", folder / "server")
        url = at.url(folder / "exchange")
        return found | _ways("file_drop, SFTP", lambda: opened(url, (at.host_key,), {"key": at.key}), hall, seconds)
    finally:
        server.stop()


def _ways(name: str, way: Callable[[], FileDrop], hall: file_hall.Hall, seconds: float) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for at_once, words in ((AT_ONCE, "out"), (1, "out, one by one"), (0, "in")):
        note(f"{name} {words}")
        found[f"{name} {words}"] = asyncio.run(_measured(way(), hall, at_once, seconds / 6))
    return found


async def _measured(drop: FileDrop, hall: file_hall.Hall, at_once: int, seconds: float) -> Figures:
    if at_once:
        await _out(drop, 0.3, at_once, f"w{time.time_ns()}")
        cpu, began = time.process_time(), time.perf_counter()
        count = await _out(drop, seconds, at_once, f"m{time.time_ns()}")
        hall.take()
    else:
        for _ in range(int(600 * seconds)):
            hall.step(CASE)
        cpu, began = time.process_time(), time.perf_counter()
        count = await _in(drop, hall, int(600 * seconds))
    spent, used = time.perf_counter() - began, time.process_time() - cpu
    await drop.close()
    per_core = count / used
    return {"per_second": round(count / spent, 1), "cpu": round(per_core, 1), "done": count, "baseline": ASKED,
            "ratio": round(per_core / ASKED, 3), "p50_ms": None, "p99_ms": None}  # fmt: skip
