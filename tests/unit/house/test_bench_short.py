"""The short form of the benchmarks: every program runs and reports what the contract names. No figure is judged."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gateway.cli import bench
from tests.sizes import ROOT

pytestmark = pytest.mark.processes
FIELDS = {"value", "baseline", "ratio", "p50_ms", "p99_ms", "rss_mb"}


# Of many rows that are alike, less than a second measures the first.
WHOLE = pytest.param("adapters", "1", marks=pytest.mark.long)


@pytest.mark.parametrize(("scenario", "seconds"), [*((one, "0.3") for one in bench.SCENARIOS), WHOLE])
def test_scenario_reports_value_baseline_and_ratio(scenario: str, seconds: str) -> None:
    command = [sys.executable, "-m", "gateway.cli", "bench", scenario, "--seconds", seconds, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result.keys() >= FIELDS
    assert result["value"] > 0
    assert result["scenario"] == scenario


def test_without_the_programs_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(bench, "ROOT", tmp_path_factory.mktemp("wheel"))
    with pytest.raises(bench._Missing) as missing:
        bench.measure("sign", 1)
    assert "./run bench" in missing.value.message
