"""Our gateways under the same load: the demo's two lab nodes without their platforms' processes, files on the real disk.

Relay counts a case when the far gateway's receipt for it is stored at the near one, as for the plain gateways. They have no
local platforms, so ours have none that answer: the far one has none at all, and after the first failed call the near one
leaves its window alone for the rest of the measurement.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from agreements.model import Confidentiality
from gateway.demo import world
from signing.providers import open_provider
from tests.bench import cases
from tests.bench.measure import Figures, load, note, wait_for
from tests.bench.procs import ROOT, Server, start

PER_SECOND = 6000  # requests made ready for each second of load
PATIENT = world.Settings(delivery="\n[delivery]\nbase_ms = 600000\ncap_ms = 600000\n", tls=False)


def build(
    folder: Path, confidentiality: Confidentiality = "end-to-end", settings: world.Settings = PATIENT
) -> world.World:
    settings = replace(settings, confidentiality=confidentiality)
    return world.build(folder / "world", open_provider(), datetime.now(UTC), settings)


@contextmanager
def serving(side: world.Side, core: int, log: Path) -> Iterator[Server]:
    """One gateway on a core; its log goes to a file."""
    command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(side.config), "--log-level", "warning"]
    with log.open("w") as errors:
        server = start(command, core, stderr=errors)
        try:
            yield server
        finally:
            server.stop()


def alone(side: world.Side) -> None:
    """Take the local platform out of a node's configuration."""
    text = side.config.read_text("utf-8")
    side.config.write_text(re.sub(r"\n\[\[platform\]\]\n(?:[^\[\n][^\n]*\n)+", "\n", text), "utf-8")


def requests(folder: Path, made: world.World, count: int) -> Path:
    note(f"signing {count} requests")
    platform = json.loads(made.a.platform_config.read_bytes())
    profile = tomllib.loads((ROOT / "adapters" / "profiles" / "qiaokou.toml").read_text("utf-8"))
    return cases.for_ours(folder / "ours", made.a.place.platform, count, platform, profile)


def intake(folder: Path, seconds: float) -> Figures:
    """Gateway A alone on a core: verify, decide, translate, encrypt, commit, sign, answer. B is down."""
    made = build(folder)
    prepared = requests(folder, made, int(PER_SECOND * seconds))
    note("our gateway, intake")
    with serving(made.a, 0, folder / "a.log") as server:
        return load(server, int(server.ready["platform"]), prepared, "--seconds", str(seconds))


def relay(folder: Path, seconds: float, confidentiality: Confidentiality = "end-to-end") -> Figures:
    """A to B, a core each: cases a second from the first request to the last receipt of B stored at A."""
    made = build(folder, confidentiality)
    alone(made.b)
    prepared = requests(folder, made, int(PER_SECOND * seconds))
    note(f"our gateways, relay, {confidentiality}")
    with serving(made.b, 1, folder / "b.log") as far, serving(made.a, 0, folder / "a.log") as near:
        cpu = near.cpu_seconds() + far.cpu_seconds()
        report = load(near, int(near.ready["platform"]), prepared, "--seconds", str(seconds))
        database = made.a.folder / "data" / "gateway.db"
        wait_for(lambda: delivered(database) >= report["done"], 60 + 20 * seconds)
        spent, cpu = time.time() - report["began"], near.cpu_seconds() + far.cpu_seconds() - cpu
        report["intake_per_second"] = report["per_second"]
        report["per_second"] = round(report["done"] / spent, 1)
        report["cpu_us_per_request"] = round(cpu / report["done"] * 1e6, 1)
        report["rss_mb"] = round(max(near.peak_rss_mb(), far.peak_rss_mb()), 1)
        return report


def delivered(database: Path) -> int:
    """Cases whose application the far gateway has receipted, read beside the running gateway."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        query = "SELECT count(*) FROM delivery WHERE destination LIKE 'peer:%' AND state = 'delivered'"
        return int(db.execute(query).fetchone()[0])
