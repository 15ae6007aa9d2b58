"""All that speaks raw HTTP, once more with aiohttp's pure-Python parser, which machines without a compiled wheel use."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.sizes import ROOT

pytestmark = pytest.mark.long


def test_http_tests_hold_with_the_pure_python_parser() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-m", "http", "-p", "no:cacheprovider", "tests"]
    environment = {**os.environ, "AIOHTTP_NO_EXTENSIONS": "1", "TONGBAN_ALL": ""}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed and int(passed[1]) >= 40
