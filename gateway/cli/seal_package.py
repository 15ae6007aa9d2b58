"""The OFD document in a file, for the commands that take seals and documents alike."""

from __future__ import annotations

from gateway.cli.output import read_bytes
from gateway.cli.sm import Context
from signing import package
from signing.errors import Malformed
from signing.ofd import Ofd, open_ofd


def read_ofd(context: Context, path: str) -> Ofd | None:
    """The OFD document in a file, None if the file is no package; the end (65) if it is one that cannot be read."""
    data = read_bytes(path, package.MAX_BYTES)
    if not package.looks_like(data):
        return None
    try:
        return open_ofd(data)
    except Malformed as error:
        context.unreadable(path, error)
