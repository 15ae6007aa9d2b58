"""The wheel: five packages and nothing else at the top, every data file in it, the same bytes when built twice."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.sizes import PACKAGES, ROOT

IGNORED = {"__pycache__", ".DS_Store"}


def build(into: Path) -> Path:
    """Offline: hatchling is in the lock, nothing is fetched."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1577836800"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = into.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build(tmp_path_factory.mktemp("wheel")))


def test_top_level_names_are_the_five_packages(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    (info,) = (top for top in tops if top.endswith(".dist-info"))
    assert info.startswith("tongban-")
    assert tops - {info} == set(PACKAGES)


def test_every_file_of_the_packages_is_in_it(wheel: zipfile.ZipFile) -> None:
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and not IGNORED & set(path.parts) and path.suffix != ".pyc"
    }
    assert ours - set(wheel.namelist()) == set()


def test_data_that_runs_need_is_in_it(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    needed = {"schemas/data/regions.csv", "schemas/data/holidays-cn.csv", "schemas/data/canonical.xsd"}
    assert needed - names == set()
    assert any(name.startswith("adapters/profiles/") and name.endswith(".toml") for name in names)


def test_licence_and_command_are_declared(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    (entry,) = (name for name in names if name.endswith("entry_points.txt"))
    assert "tongban = gateway.cli:main" in wheel.read(entry).decode()


def test_U05_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    assert build(tmp_path / "a").read_bytes() == build(tmp_path / "b").read_bytes()
