"""One OFD document in a file, verified by this process alone: what came out, how long, and the process's peak memory.

``--whole`` reads the file into memory first, as a reader would that cannot do with slices: the measure must show it.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from pathlib import Path

from gateway.slices import FileSlices
from signing import certs
from signing.ofd.verify import verify_ofd
from signing.policy import CRL_IF_PRESENT
from signing.providers import open_provider


def peak_mb() -> float:
    """Of this process since it began; ``ru_maxrss`` would count what its parent had before."""
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return round(int(line.split()[1]) / 1024, 1)


def main(path: str, root: str, at: str, *options: str) -> None:
    anchor, before = certs.parse(Path(root).read_bytes()), peak_mb()
    data = Path(path).read_bytes() if "--whole" in options else FileSlices(path)
    began = time.perf_counter()
    report = verify_ofd(
        data, at=datetime.fromisoformat(at), anchors=[anchor], provider=open_provider(), policy=CRL_IF_PRESENT,
        uncovered="reject",
    )  # fmt: skip
    spent = time.perf_counter() - began
    found = {"ok": report.ok, "codes": report.codes, "seconds": round(spent, 3), "mb": round(len(data) / 1e6, 1)}
    print(json.dumps(found | {"rss_mb": peak_mb(), "rss_mb_before": before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
