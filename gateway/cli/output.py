"""How every command ends: lines for people, or one JSON object as the last line of standard output for machines.

Exit codes (contract): 0 yes/valid/done, 1 no/invalid/failed, 2 cannot tell, 64 wrong usage, 65 unreadable input.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from gateway.lang import say

EXIT = {True: 0, False: 1, None: 2}
UNREADABLE = 65


def finish(ok: bool | None, data: Mapping[str, Any], json: bool, lines: Iterable[str] = ()) -> NoReturn:
    """Print the result and exit: ``ok`` True -> 0, False -> 1, None (cannot tell) -> 2."""
    if json:
        click.echo(msgspec.json.encode({"ok": ok, **data}).decode())
    else:
        for line in lines:
            click.echo(line)
    sys.exit(EXIT[ok])


def unreadable(where: str | Path, zh: str, en: str) -> NoReturn:
    """Input that cannot be read: what and where, on standard error, exit 65."""
    click.echo(f"{where}: {say(zh, en)}", err=True)
    sys.exit(UNREADABLE)


def read_bytes(path: str | Path, limit: int = 256 << 20) -> bytes:
    """The bytes of an input file, or exit 65 with what and where."""
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        unreadable(path, f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})")
    if len(data) > limit:
        unreadable(path, f"文件超过 {limit} 字节", f"is larger than {limit} bytes")
    return data


def printable(text: str) -> str:
    """Text of a file that was not yet verified, with all that could paint over the screen escaped."""
    from signing import names

    return names.escape(text)
