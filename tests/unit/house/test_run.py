"""``./run`` itself: plain POSIX shell, both languages, 64 for wrong usage, a clear word where Python is too old."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sizes import ROOT

RUN = ROOT / "run"


def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(RUN), *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("shell", [name for name in ("sh", "dash", "busybox") if shutil.which(name)])
def test_parses_in_plain_shells(shell: str) -> None:
    command = [shell, "sh", "-n", str(RUN)] if shell == "busybox" else [shell, "-n", str(RUN)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_help_speaks_the_readers_language() -> None:
    assert "用法" in call("help", LANG="zh_CN.UTF-8").stderr
    assert "Usage" in call("help", LANG="en_US.UTF-8").stderr


def test_unknown_command_exits_64() -> None:
    assert call("no-such-command").returncode == 64


def test_missing_python_is_said_in_words(tmp_path: Path) -> None:
    """In a copy without an environment, on a path that holds the few tools needed and no Python."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "cat", "cmp", "rm", "mkdir", "dirname", "awk", "sleep", "cp"):
        (tools / name).symlink_to(shutil.which(name) or name)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("run", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, checkout / name)
    done = subprocess.run(
        [str(checkout / "run"), "demo"],
        env={"PATH": str(tools), "LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 69
    assert "Python 3.11" in done.stderr


def test_the_ready_environment_is_not_touched(tmp_path: Path) -> None:
    """With stamps in place nothing is installed: the command runs at once, by whatever stands at .venv/bin."""
    checkout = tmp_path / "checkout"
    stamps = checkout / ".venv" / ".tongban"
    stamps.mkdir(parents=True)
    for name in ("run", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, checkout / name)
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, stamps / name)
    (stamps / "root").write_text(f"{checkout.resolve()}\n")
    for name in ("python", "tongban"):
        tool = checkout / ".venv" / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text('#!/bin/sh\necho "called with $*"\n')
        tool.chmod(0o755)
    done = subprocess.run([str(checkout / "run"), "tongban", "doctor"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "called with doctor\n", "")
