"""Baseline: ``openssl speed`` of the library on this machine, per second of CPU time on one core."""

from __future__ import annotations

import re
import shutil
import subprocess

SM2 = re.compile(r"SM2.*?([\d.]+)s\s+([\d.]+)s\s+([\d.]+)\s+([\d.]+)\s*$", re.MULTILINE)
SM3 = re.compile(r"^sm3\s+([\d.]+)k\s*$", re.MULTILINE)


def sm2(seconds: int = 2) -> dict[str, float] | None:
    """{"sign": per second, "verify": per second}; None without the tool or without SM2 in it."""
    match = _run(SM2, seconds, "sm2")
    return {"sign": float(match[3]), "verify": float(match[4])} if match else None


def sm3(seconds: int = 2) -> float | None:
    """MB/s (10^6 bytes) over blocks of 1 MiB."""
    match = _run(SM3, seconds, "-bytes", str(1 << 20), "-evp", "sm3")
    return float(match[1]) / 1000 if match else None


def _run(line: re.Pattern[str], seconds: int, *what: str) -> re.Match[str] | None:
    if shutil.which("openssl") is None:
        return None
    command = ["openssl", "speed", "-seconds", str(max(1, seconds)), *what]
    return line.search(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


if __name__ == "__main__":
    print(sm2(), sm3())
