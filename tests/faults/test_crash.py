"""The short form of ``./run faults crash``: 20 kills of either gateway under traffic, then every promise checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import crash


@pytest.mark.processes
def test_T1_twenty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    report = crash.run(tmp_path / "w", kills=20, cases=40, seed=20)
    assert report["ok"], crash.in_words(report)
    assert report["finished"] == report["arrived_there"] == 40
