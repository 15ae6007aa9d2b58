"""The key drill with real processes: short by default, the contract's hundred changes among the long forms."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gateway.drill import report
from gateway.drill.load import Sample
from gateway.drill.run import Change, Outcome, Plan


def command(folder: Path, rotations: int, rate: int, **env: str) -> tuple[int, dict[str, object]]:
    words = [sys.executable, "-m", "gateway.cli", "key", "drill", "--rotations", str(rotations), "--rate", str(rate)]
    done = subprocess.run(
        [*words, "--dir", str(folder), "--json"], capture_output=True, text=True, env={**os.environ, **env}, check=False
    )
    assert done.stdout.strip(), done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def sound(code: int, found: dict[str, object], rotations: int) -> None:
    """The drill's own verdict, and each figure that it rests on."""
    wanted = {"ok": True, "failed_requests": 0, "lost": 0, "doubled": 0, "rotations": rotations}
    assert {name: found[name] for name in wanted} == wanted, found
    assert code == 0 and found["cases"] == found["delivered"] and int(str(found["cases"])) > 0
    assert isinstance(found["revoked_in_s"], float) and found["revoked_in_s"] <= 5.0
    page = Path(str(found["report"])).read_text("utf-8")
    assert page.count("<rect") == rotations and page.count("<polyline") == 3


@pytest.mark.processes
def test_L07_L08_keys_change_under_load_with_clocks_two_minutes_apart_and_a_lost_key_is_refused_within_5_s(
    tmp_path: Path,
) -> None:
    sound(*command(tmp_path / "drill", 8, 20), 8)


@pytest.mark.long
@pytest.mark.processes
def test_L07_L08_a_hundred_changes_under_200_cases_a_second(tmp_path: Path) -> None:
    sound(*command(tmp_path / "drill", 100, 200), 100)


OUTCOME = Outcome(
    Plan(2, 10), 3.0, [Sample(n / 10, 0.002 * n, True) for n in range(30)],
    [Change(0.5, "A", "direct", 0.2), Change(1.5, "B", "encryption", 0.4)], cases=30, delivered=30, revoked_at_s=2.0,
    revoked_in_s=0.4,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "good"),
    [
        ({}, True), ({"failures": Counter({"HTTP 503": 1})}, False), ({"lost": 1}, False), ({"doubled": 1}, False),
        ({"revoked_in_s": None}, False), ({"revoked_in_s": 5.1}, False), ({"changes": OUTCOME.changes[:1]}, False),
    ],
)  # fmt: skip
def test_a_drill_is_good_only_when_nothing_failed(changed: dict[str, object], good: bool) -> None:
    outcome = Outcome(**{**vars(OUTCOME), **changed})  # type: ignore[arg-type]
    found = report.figures(outcome, Path("drill.html"))
    assert outcome.good is good and found["failed_requests"] == outcome.failures.total()
    page = report.page(outcome, found)
    assert ("通过" in page) and (("未通过" in page) is not good)
    assert re.search(r'<svg viewBox="0 0 \d+ \d+"', page)


def test_a_chart_of_nothing_is_a_chart(tmp_path: Path) -> None:
    empty = Outcome(Plan())
    assert "<svg" in report.page(empty, report.figures(empty, tmp_path / "x.html"))
