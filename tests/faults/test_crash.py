"""The short forms of ``./run faults crash``: kills of either gateway under traffic, then every promise checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import crash


@pytest.mark.processes
@pytest.mark.parametrize(("kills", "cases"), [(8, 20), pytest.param(20, 40, marks=pytest.mark.long)])
def test_T1_kills_lose_nothing_and_double_nothing(kills: int, cases: int, tmp_path: Path) -> None:
    report = crash.run(tmp_path / "w", kills=kills, cases=cases, seed=20)
    assert report["ok"], crash.in_words(report)
    assert report["finished"] == report["arrived_there"] == cases
