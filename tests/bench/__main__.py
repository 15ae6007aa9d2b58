"""A scenario with its baselines in the same call; one JSON object on the last line (``tongban bench`` shows it).

value: ours; baseline: the one the ratio is taken to; baselines: all of them. Units: cases/s, MB/s, signatures/s.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.bench import adapters, baselines, carry, ecerts, mapping, ofd, ours, parts, seals, sign, xml
from tests.bench import scans as scanned
from tests.bench.measure import Figures, brief, note
from tests.bench.procs import ROOT, cores

CORES = len(cores())
FOLDER = ROOT / ".tongban-cache" / "bench"  # on the disk of the checkout: commits cost what they cost there


def answer(scenario: str, unit: str, mine: Figures, name: str, others: dict[str, Figures | None]) -> Figures:
    """The contract's fields first; ``baseline`` is the value of the one called ``name``."""
    base = others.get(name) or {}
    value, beside = mine["per_second"], base.get("per_second", 0.0)
    return {
        "scenario": scenario,
        "unit": unit,
        "value": value,
        "baseline": beside,
        "baseline_is": name,
        "ratio": round(value / beside, 4) if beside else None,
        "p50_ms": mine["p50_ms"],
        "p99_ms": mine["p99_ms"],
        "rss_mb": mine["rss_mb"],
        "ours": mine,
        "baselines": others,
        "cpu_ratio": cpu_ratio(mine, base),
        "ratios": {other: round(value / got["per_second"], 4) for other, got in others.items() if got},
        "machine": {"cores": CORES, "python": platform.python_version(), "load": os.getloadavg()[0]},
    }


def cpu_ratio(mine: Figures, base: Figures) -> float | None:
    """The same ratio in CPU time of the servers: what remains true on a machine that does other things meanwhile."""
    beside, own = base.get("cpu_us_per_request"), mine.get("cpu_us_per_request")
    return round(beside / own, 4) if beside and own else None


def plain(measure: Callable[[Path, float, str], Figures], folder: Path, seconds: float) -> dict[str, Figures | None]:
    """The plain gateways; one whose library is missing on this machine is None."""
    found: dict[str, Figures | None] = {}
    for kind in ("gmssl", "libcrypto"):
        try:
            found[kind] = measure(folder, seconds, kind)
        except SystemExit as error:
            note(f"no figure for {kind}: {error}")
            found[kind] = None
    return found


def intake(folder: Path, seconds: float) -> Figures:
    others = {"echo": baselines.echo(folder, seconds), **plain(baselines.intake, folder, seconds)}
    return answer("intake", "cases/s", ours.intake(folder, seconds), "echo", others)


def relay(folder: Path, seconds: float) -> Figures:
    others = plain(baselines.relay, folder, seconds)
    if not brief(seconds):
        others["not sealed"] = ours.relay(folder, seconds, "transport")
    return answer("relay", "cases/s", ours.relay(folder, seconds), "libcrypto", others)


def uploads(folder: Path, seconds: float) -> Figures:
    size = max(8, int(32 * seconds)) << 20
    beside = parts.baseline(folder, size)
    return answer("parts", "MB/s", parts.measure(folder, size), "plain", {"plain": beside})


def carried(folder: Path, seconds: float) -> Figures:
    size = max(8, int(8 * seconds)) << 20
    beside = carry.measure(folder, size, "transport")
    return answer("carry", "MB/s", carry.measure(folder, size, "end-to-end"), "not sealed", {"not sealed": beside})


def signatures(_: Path, seconds: float) -> Figures:
    return by_rows("sign", "verifications/s", sign.measure(seconds), "openssl speed")


def stamps(_: Path, seconds: float) -> Figures:
    return by_rows("seal", "stamps/s", seals.measure(seconds), "openssl speed / 2")


def documents(folder: Path, seconds: float) -> Figures:
    found = ofd.measure(folder, seconds)
    result = answer("ofd", "documents/s", found["ours"], "necessities", {"necessities": found["beside"]})
    return result | {"ratio": found["ours"]["ratio"], "large": found["large"]}


def scans(folder: Path, seconds: float) -> Figures:
    mine, alone = scanned.measure(folder, seconds)
    return answer("scan", "pages/s", mine, "echo", {"echo": baselines.echo(folder, seconds), "from a snapshot": alone})


def mapped(_: Path, seconds: float) -> Figures:
    mine, others = mapping.measure(seconds)
    return answer("map", "messages/s", mine, "jsonata-python", others)


def issued(_: Path, seconds: float) -> Figures:
    return by_rows("ecert", "certificates/s", ecerts.measure(seconds), ecerts.BESIDE)


def by_rows(scenario: str, unit: str, found: Figures, beside: str) -> Figures:
    """A scenario of several kinds of work, each with its own ratio; the first is the one that counts."""
    mine = {**found["rows"][next(iter(found["rows"]))], "rss_mb": found["rss_mb"]}
    base = {"per_second": mine["baseline"]} if mine["baseline"] else None
    result = answer(scenario, unit, mine, beside, {beside: base})
    return result | {"ratio": mine["ratio"], "rows": found["rows"]}


def documents_in_xml(_: Path, seconds: float) -> Figures:
    return by_rows("xml", "documents/s", xml.measure(seconds), "bare lxml, zeep")


def carried_by_adapters(folder: Path, seconds: float) -> Figures:
    return by_rows("adapters", "messages/s", adapters.measure(folder, seconds), "1,000 a second per core")


SCENARIOS: dict[str, Callable[[Path, float], Figures]] = {
    "intake": intake,
    "relay": relay,
    "parts": uploads,
    "carry": carried,
    "sign": signatures,
    "seal": stamps,
    "ofd": documents,
    "ecert": issued,
    "scan": scans,
    "map": mapped,
    "xml": documents_in_xml,
    "adapters": carried_by_adapters,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    folder = FOLDER / options.scenario
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        print(json.dumps(SCENARIOS[options.scenario](folder, options.seconds)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
