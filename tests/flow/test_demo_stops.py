"""Whatever way the demo ends, what it started ends with it, and a process that crashed is named with its last words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.processes
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 40.0


def start(root: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gateway.demo", "--dir", str(root), "--pdf-bytes", "65536", *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(done: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not (found := done()) and time.monotonic() < end:
        time.sleep(0.05)
    assert found
    return found


def pids(root: Path) -> dict[str, int]:
    """The processes that the demo says it started; {} while it has not said all."""
    try:
        state = json.loads((root / "demo.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return {member["name"]: member["pid"] for member in state["members"]}


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
    ids=["ctrl-c", "term", "hangup", "kill"],
)
def test_nothing_outlives_the_demo(tmp_path: Path, number: int, code: int) -> None:
    root = tmp_path / "d"
    process = start(root, "--cases", "200")
    started = until(lambda: pids(root))
    process.send_signal(number)
    assert process.wait(20) == code
    until(lambda: not any(running(pid) for pid in started.values()))


def test_keep_stands_until_told_to_stop(tmp_path: Path) -> None:
    root = tmp_path / "d"
    process = start(root, "--cases", "1", "--keep")
    until(lambda: (root / "story.html").exists())
    time.sleep(0.5)
    started = pids(root)
    assert all(running(pid) for pid in started.values())
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert not any(running(pid) for pid in started.values())


def test_a_crashed_process_is_named_with_its_log(tmp_path: Path) -> None:
    root = tmp_path / "d"
    process = start(root, "--cases", "200")
    started = until(lambda: pids(root))
    until(lambda: (root / "gateway-a.out").exists() and (root / "gateway-a.out").stat().st_size)
    os.kill(started["gateway-a"], signal.SIGKILL)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "硚口通办网关意外退出" in said and str(root / "gateway-a.log") in said
    assert not any(running(pid) for pid in started.values())
