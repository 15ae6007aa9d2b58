"""One measurement: a server, a file of requests, a load; what came out as a dictionary of plain numbers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.procs import ROOT, Server

Figures = dict[str, Any]


def load(server: Server, port: int, requests: Path, *options: str) -> Figures:
    """Run the load generator on its own core; the server's CPU time per request and peak memory beside its report."""
    before = server.cpu_seconds()
    command = [sys.executable, "-m", "tests.bench.load", "--port", str(port), "--requests", str(requests), *options]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    report: Figures = json.loads(done.stdout)
    spent = server.cpu_seconds() - before
    report["cpu_us_per_request"] = round(spent / report["done"] * 1e6, 1) if report["done"] else 0.0
    report["rss_mb"] = round(server.peak_rss_mb(), 1)
    if report["bad"] or report["broken"]:
        raise SystemExit(f"the server refused or broke off: {report}")
    return report


def turns(seconds: float) -> int:
    """How often a measurement takes turns with its baseline."""
    return 1 if brief(seconds) else 3


def brief(seconds: float) -> bool:
    """Less than a second only shows that a program works: once, and of many like rows the first."""
    return seconds < 1


def wait_for(done: Callable[[], bool], seconds: float, pause: float = 0.05) -> None:
    """Until ``done()``, or give up with a message."""
    end = time.perf_counter() + seconds
    while not done():
        if time.perf_counter() > end:
            raise SystemExit(f"not finished within {seconds} s")
        time.sleep(pause)


def note(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)
