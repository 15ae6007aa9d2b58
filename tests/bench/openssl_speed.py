"""Baseline: ``openssl speed sm2`` of the library on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess

LINE = re.compile(r"SM2.*?([\d.]+)s\s+([\d.]+)s\s+([\d.]+)\s+([\d.]+)\s*$", re.MULTILINE)


def measure(seconds: int = 2) -> dict[str, float] | None:
    """{"sign": per second, "verify": per second} on one core; None without the tool or without SM2 in it."""
    if shutil.which("openssl") is None:
        return None
    command = ["openssl", "speed", "-seconds", str(max(1, seconds)), "sm2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    match = LINE.search(done.stdout)
    return {"sign": float(match[3]), "verify": float(match[4])} if match else None


if __name__ == "__main__":
    print(measure())
