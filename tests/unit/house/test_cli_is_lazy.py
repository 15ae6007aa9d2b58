"""``--help`` stays quick because nothing heavy is imported for it: asserted by what is loaded, not by a stopwatch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median

import pytest

from gateway.cli import NOUNS

HEAVY = {
    *("aiohttp", "sqlalchemy", "alembic", "xmlschema", "structlog", "openpyxl", "jinja2", "rich", "prometheus_client"),
    *("gmssl", "segno"),
}
PROBE = """
import json, sys
sys.argv = ["tongban", *sys.argv[1:]]
from gateway.cli import main
try:
    main()
except SystemExit as end:
    code = end.code
json.dump([code, sorted({name.split(".")[0] for name in sys.modules})], sys.stderr)
"""


def probe(*arguments: str) -> tuple[int, set[str], str]:
    """Exit code, loaded top-level modules, what was printed."""
    done = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code or 0, set(modules), done.stdout


@pytest.mark.parametrize("noun", ["", *NOUNS])
def test_help_loads_nothing_heavy(noun: str) -> None:
    code, modules, printed = probe(*([noun] if noun else []), "--help")
    assert code == 0
    assert modules & HEAVY == set()
    assert printed.strip()


def test_every_noun_has_its_module() -> None:
    assert [noun for noun, (module, _, _) in NOUNS.items() if find_spec(module) is None] == []


def test_help_speaks_the_readers_language() -> None:
    texts = {}
    for locale in ("zh_CN.UTF-8", "en_US.UTF-8"):
        command = [sys.executable, "-m", "gateway.cli", "--help"]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LANG": locale}, check=True)
        texts[locale] = done.stdout
    assert "办件" in texts["zh_CN.UTF-8"]
    assert "cases" in texts["en_US.UTF-8"]


def test_wrong_usage_exits_64() -> None:
    assert probe("no-such-noun")[0] == 64


def test_help_time_is_reported(record_property: Callable[[str, object], None]) -> None:
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "gateway.cli", "--help"], capture_output=True, check=True)
        spent.append(time.perf_counter() - start)
    record_property("help_seconds", round(median(spent), 3))
    print(f"tongban --help: median {median(spent):.3f} s")
    assert min(spent) < 3, "even a crowded machine is not that slow: something heavy is imported"
