"""Servers under measurement: started pinned to a core, announced by one JSON line, their CPU time and memory read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")


def cores() -> list[int]:
    """The cores this process may use; [] where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def pin(number: int) -> None:
    """Stay on core ``number`` (0 the servers', 1 the load's) when there are at least two."""
    have = cores()
    if len(have) > 1:
        os.sched_setaffinity(0, {have[number % len(have)]})


_ALL = frozenset(cores())


def unpin() -> None:
    """Use every core again."""
    if _ALL:
        os.sched_setaffinity(0, _ALL)


@dataclass(slots=True)
class Server:
    """A running server; ``ready`` is the line it announced itself with (at least ``port``)."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    @property
    def port(self) -> int:
        return int(self.ready["port"])

    def cpu_seconds(self) -> float:
        """User and system time so far (/proc/PID/stat fields 14 and 15)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_rss_mb(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def running(module: str, *arguments: str, core: int = 0) -> Iterator[Server]:
    """``python -m MODULE ARGUMENTS`` on a core, until the block ends."""
    server = start([sys.executable, "-m", module, *arguments], core)
    try:
        yield server
    finally:
        server.stop()


def start(command: Sequence[str], core: int, stderr: IO[str] | None = None) -> Server:
    """Start and wait for the first line of standard output, a JSON object."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=ROOT, preexec_fn=lambda: pin(core)
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.kill()
        raise SystemExit(f"{' '.join(command)}: ended before it was ready ({process.wait()})")
    return Server(process, json.loads(line))
