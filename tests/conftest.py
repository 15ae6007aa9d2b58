"""What every test may use, and which tests run when.

``./run test`` leaves out what is marked ``long``; ``--all`` (TONGBAN_ALL=1) runs everything, ``--extras``
(TONGBAN_ALL=extras) runs only what the first one left out. What was left out is said at the end.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TONGBAN_SHARED", ROOT.parent / "shared"))

# Chinese is the default language: a developer's locale must not change what a test reads.
for variable in ("TONGBAN_LANG", "LC_ALL", "LC_MESSAGES"):
    os.environ.pop(variable, None)
os.environ["LANG"] = "C.UTF-8"

# Two shared cores: a slow moment of the machine is not a defect of the code.
settings.register_profile("tongban", deadline=None, print_blob=True)
settings.register_profile("fixed", parent=settings.get_profile("tongban"), max_examples=20, derandomize=True)
settings.load_profile("tongban")

LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long tests, all others, or none; anything named on the command line by node id always runs."""
    mode = os.environ.get("TONGBAN_ALL", "")
    config.stash[LEFT_OUT] = []
    if mode == "1" or any("::" in argument for argument in config.args):
        return
    wanted = mode == "extras"
    out = [item for item in items if (item.get_closest_marker("long") is not None) is not wanted]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in set(out)]
        config.stash[LEFT_OUT] = [] if wanted else [item.nodeid for item in out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what was left out; what lacks a tool or a fixture is named by pytest's own list of skips (-ra)."""
    out = config.stash.get(LEFT_OUT, [])
    if not out:
        return
    terminalreporter.section("未运行的长测试 / long tests left out: ./run test --all")
    for nodeid in out:
        terminalreporter.line(nodeid)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real fixtures and data (TONGBAN_SHARED); tests that need it are skipped without it."""
    if not SHARED.is_dir():
        pytest.skip(f"no fixtures at {SHARED} (set TONGBAN_SHARED)")
    return SHARED
