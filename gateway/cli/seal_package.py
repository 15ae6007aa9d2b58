"""The OFD document in a file, for the commands that take seals and documents alike."""

from __future__ import annotations

import stat
from pathlib import Path

from gateway.cli.output import unreadable
from gateway.cli.sm import Context
from gateway.slices import FileSlices
from signing.errors import Malformed
from signing.ofd import package
from signing.ofd.container import Ofd, open_ofd


def read_ofd(context: Context, path: str) -> Ofd | None:
    """The OFD document in a file, None if the file is no package; the end (65) if it is one that cannot be read.

    The document reads from the file for as long as it lives."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return None
        data = FileSlices(path)
    except OSError as error:
        unreadable(path, f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})")
    if not package.looks_like(data):
        return None
    try:
        return open_ofd(data)
    except Malformed as error:
        context.unreadable(path, error)
