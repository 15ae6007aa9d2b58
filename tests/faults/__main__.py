"""``./run faults crash --kills N``: the long forms of the fault tests, as programs."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.faults import crash


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run faults", description="故障注入 / fault injection")
    parser.add_argument("fault", choices=["crash"])
    parser.add_argument("--kills", type=int, default=100, help="SIGKILL 次数 / how many kills")
    parser.add_argument("--cases", type=int, default=0, help="办件数（默认随次数而定）/ cases (default: by kills)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tongban-crash-") as folder:
        report = crash.run(
            Path(folder) / "w", options.kills, options.cases or 2 * options.kills, options.seed, say=not options.json
        )
    print(json.dumps(report, ensure_ascii=False) if options.json else crash.in_words(report))
    return 0 if report["ok"] else 1


sys.exit(main())
