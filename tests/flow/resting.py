"""Two nodes at rest after real cases, and the operator's commands run on them as a person would."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from gateway.cli import root as command
from tests.flow import walks
from tests.scan import scan

NAMED = (walks.NAME, walks.ADDRESS, walks.CITIZEN, walks.MOBILE)
WALKED, WAITING = "4201042026000001", "4201042026000002"


@dataclass(frozen=True)
class Rest:
    """Folders of both nodes and the ids of two cases: one 已送达, one 待补正."""

    a: Path
    b: Path
    walked: str
    waiting: str


async def live(root: Path) -> tuple[str, str]:
    """Make the world and walk its two cases."""
    async with walks.running(root) as pair:
        walked = await walks.walk(pair, WALKED)
        waiting = await walks.collect(pair, WAITING, 3)
        await pair.stands(pair.a, waiting, "received_there")
        await walks.ask_correction(pair, waiting)
        await pair.settled()
    return walked, waiting


def copied(made: Path, cases: tuple[str, str], to: Path) -> Rest:
    shutil.copytree(made, to)
    a, b = sorted(file.parent for file in to.glob("*/tongban.toml"))
    return Rest(a, b, *cases)


def run(folder: Path, *arguments: object, lang: str = "zh_CN.UTF-8", **env: str) -> Result:
    """One command on a node; nothing personal may be in what it prints."""
    words = [str(one) for one in (*arguments, "--config", folder / "tongban.toml")]
    result = CliRunner(env={"LANG": lang, **env}).invoke(command, words, catch_exceptions=False)
    if "--reveal" not in words:
        assert scan(result.output.encode(), named=NAMED) == set()
    return result


def told(folder: Path, *arguments: object, exit_code: int = 0, **env: str) -> Any:
    """The JSON object of a command that ends with this code."""
    result = run(folder, *arguments, "--json", **env)
    assert result.exit_code == exit_code, result.output
    return json.loads(result.output.splitlines()[-1])


def really(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    words = [sys.executable, "-m", "gateway.cli", *map(str, arguments)]
    return subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, "LANG": "zh_CN.UTF-8", **env}, check=False
    )


def store(folder: Path) -> Path:
    return folder / "data" / "gateway.db"


def edit(folder: Path, sql: str, *values: object) -> None:
    connection = sqlite3.connect(store(folder))
    connection.execute(sql, values)
    connection.commit()
    connection.close()


def ask(folder: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(store(folder))
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()
