"""The baselines as measurements: echo, the plain gateway alone, and two of them in a row."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.request import urlopen

from tests.bench import cases
from tests.bench.measure import Figures, load, note, wait_for
from tests.bench.procs import Server, running

# More requests than a second of each can serve on a quick core; the load stops when time is over.
PER_SECOND = {"gmssl": 120, "libcrypto": 2500}


def echo(folder: Path, seconds: float) -> Figures:
    note("baseline: aiohttp echo of 4 KiB")
    with running("tests.bench.echo") as server:
        requests = cases.for_echo(folder / "echo", f"127.0.0.1:{server.port}")
        return load(server, server.port, requests, "--repeat", "--seconds", str(seconds))


def intake(folder: Path, seconds: float, kind: str) -> Figures:
    """The plain gateway alone: verify, commit, sign a receipt."""
    note(f"baseline: plain gateway, {kind}")
    with _plain(folder / f"{kind}-alone.db", kind, core=0) as server:
        requests = _requests(folder / f"{kind}-alone", server, seconds, kind)
        return load(server, server.port, requests, "--seconds", str(seconds))


def relay(folder: Path, seconds: float, kind: str) -> Figures:
    """Two plain gateways, a core each: cases a second from the first request to the last receipt stored at the first."""
    note(f"baseline: two plain gateways, {kind}")
    with _plain(folder / f"{kind}-b.db", kind, core=1) as far:
        peer = f"http://127.0.0.1:{far.port}"
        with _plain(folder / f"{kind}-a.db", kind, "--peer", peer, core=0) as near:
            requests = _requests(folder / f"{kind}-relay", near, seconds, kind)
            cpu = near.cpu_seconds() + far.cpu_seconds()
            report = load(near, near.port, requests, "--seconds", str(seconds))
            wait_for(lambda: _count(near)["delivered"] >= report["done"], 60 + 20 * seconds)
            spent, cpu = time.time() - report["began"], near.cpu_seconds() + far.cpu_seconds() - cpu
            report["intake_per_second"] = report["per_second"]
            report["per_second"] = round(report["done"] / spent, 1)
            report["cpu_us_per_request"] = round(cpu / report["done"] * 1e6, 1)
            report["rss_mb"] = round(max(near.peak_rss_mb(), far.peak_rss_mb()), 1)
            return report


def _plain(database: Path, kind: str, *options: str, core: int):  # type: ignore[no-untyped-def]
    for old in database.parent.glob(f"{database.name}*"):
        old.unlink()
    arguments = ("--sm2", kind, "--database", str(database), *options)
    return running("tests.bench.plain_gateway", *arguments, core=core)


def _requests(path: Path, server: Server, seconds: float, kind: str) -> Path:
    count = int(PER_SECOND[kind] * seconds)
    return cases.for_plain(path, f"127.0.0.1:{server.port}", count, kind)


def _count(server: Server) -> dict[str, int]:
    with urlopen(f"http://127.0.0.1:{server.port}/count") as answer:
        counts: dict[str, int] = json.load(answer)
    return counts
