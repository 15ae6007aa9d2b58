"""The default tests in two halves side by side, for two cores: what starts nodes, with the attacks, beside all the rest.

``python -m tests``: the first half is shown as it runs, the second when both are done. The exit code is the worse of the two.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODES = ("tests/flow", "tests/faults", "tests/attacks")
BESIDE = ROOT / ".tongban-cache" / "test-beside.log"


def main() -> int:
    """Run both halves to their end; Ctrl-C reaches both, and both are waited for."""
    BESIDE.parent.mkdir(exist_ok=True)
    pytest = [sys.executable, "-m", "pytest"]
    rest = [f"--ignore={folder}" for folder in NODES]
    with BESIDE.open("wb") as log:
        beside = subprocess.Popen([*pytest, *rest], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        first = subprocess.Popen([*pytest, *NODES], cwd=ROOT)
        codes = [_end(first), _end(beside)]
    sys.stdout.write(BESIDE.read_text("utf-8", "replace"))
    return max(codes)


def _end(half: subprocess.Popen[bytes]) -> int:
    while True:
        with suppress(KeyboardInterrupt):
            return abs(half.wait())


if __name__ == "__main__":
    sys.exit(main())
