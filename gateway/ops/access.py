"""The record of who looked at personal data (个人信息查看留痕): one JSON line each, on disk before anything is shown."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec


def record(path: Path, what: str, reason: str) -> None:
    """Append who (login of the operating system), when, what (a case or message id) and why. OSError when it cannot."""
    line = {
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "who": _login(),
        "uid": os.getuid(),
        "what": what,
        "reason": reason,
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write(msgspec.json.encode(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
