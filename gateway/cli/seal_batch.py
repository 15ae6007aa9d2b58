"""Many files, one confirmation (批量签章, F3): each gets a stamp of its own beside a report, and can be verified alone.

Resumable: a stamp that is there already, by this seal over the file as it is now, is left as it is; a file that changed is
stamped again. One file that fails holds up none of the others.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from gateway.cli.output import finish, unreadable
from gateway.cli.sm import Context
from gateway.cli.sm_files import write
from gateway.lang import say
from signing.errors import Malformed, SigningError
from signing.reasons import Reason
from signing.seal import MAX_BYTES, parse_stamp
from signing.sm3 import new
from signing.stamper import LocalStamper

REPORT = "report.json"
SUFFIX = ".es"
MAX_FILES = 100_000
_STATES = {
    "stamped": ("已签章", "stamped"), "kept": ("此前已签章", "stamped before"), "refused": ("未签章", "not stamped"),
    "unreadable": ("读不到", "unreadable"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """A file and the name under which its stamp is put."""

    file: Path
    name: str


class Row(msgspec.Struct, frozen=True):
    """A line of the report. ``state``: stamped, kept (stamped before), refused, unreadable."""

    file: str
    state: str
    sm3: str = ""
    stamp: str = ""
    code: str = ""
    text: str = ""


def stamp_batch(
    context: Context, batch: str, out: str, stamper: LocalStamper, now: Callable[[], datetime.datetime], *, sure: bool
) -> NoReturn:
    """Stamp every file of a folder or of a list (one path a line); the report lies in ``out``."""
    items, folder = list(_items(batch, Path(out))), Path(out)
    if not items:
        raise click.UsageError(say(f"{batch} 中没有文件", f"there are no files in {batch}"))
    if not sure and not context.json:
        click.confirm(
            say(f"将对 {len(items)} 份文件签章，确认？", f"{len(items)} files will be stamped. Go on?"), abort=True
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows = _all(context, items, folder, stamper, now)
        write(str(folder / REPORT), msgspec.json.format(msgspec.json.encode(rows), indent=1))
    except OSError as error:
        unreadable(out, f"写不进（{error.strerror}）", f"cannot be written ({error.strerror})")
    _end(context, rows, folder)


def _all(
    context: Context, items: list[Item], folder: Path, stamper: LocalStamper, now: Callable[[], datetime.datetime]
) -> list[Row]:
    rows: list[Row] = []
    progress: Any = click.progressbar(items, label=say("签章", "stamping"), file=sys.stderr, hidden=context.json)
    with progress as bar:
        for item in bar:
            rows.append(_one(item, folder / item.name, stamper, now))
    return rows


def _one(item: Item, target: Path, stamper: LocalStamper, now: Callable[[], datetime.datetime]) -> Row:
    try:
        digest = _digest(item.file)
    except (OSError, ValueError) as error:
        return Row(str(item.file), "unreadable", code="unreadable", text=getattr(error, "strerror", None) or "")
    shown = {"file": str(item.file), "sm3": digest.hex(), "stamp": item.name}
    if _there(target, digest, stamper.seal):
        return Row(**shown, state="kept")
    info = item.file.name if item.file.name.isascii() else ""
    try:
        made: bytes | Reason | SigningError = stamper.stamp(digest, info, now().replace(microsecond=0))
    except SigningError as error:  # the key failed or its machine does not answer
        made = error
    if not isinstance(made, bytes):
        return Row(str(item.file), "refused", digest.hex(), code=made.code, text=say(made.zh, made.en))
    target.parent.mkdir(parents=True, exist_ok=True)
    write(str(target), made)
    return Row(**shown, state="stamped")


def _there(target: Path, digest: bytes, seal: bytes) -> bool:
    """Whether a whole stamp of this seal over this digest lies there from an earlier run."""
    try:
        if target.stat().st_size > MAX_BYTES:
            return False
        stamp = parse_stamp(target.read_bytes())
    except (OSError, Malformed):
        return False
    return stamp.data_hash == digest and stamp.seal.raw == seal


def _digest(path: Path) -> bytes:
    running = new()
    if not path.is_file():  # a pipe would wait for ever
        raise FileNotFoundError(0, say("不是文件", "not a file"))
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            running.update(piece)
    return running.digest()


def _items(batch: str, out: Path) -> Iterator[Item]:
    """A folder's files below it, stamps and reports left out; or those of a list. Names in ``out`` never clash."""
    root = Path(batch)
    if root.is_dir():
        found = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        inside = [path for path in found if out.resolve() not in path.resolve().parents]
        files = [(path, path.relative_to(root).as_posix()) for path in inside]
    else:
        try:
            lines = root.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            unreadable(batch, "读不到文件清单（每行一个路径，UTF-8）", "cannot be read (one path a line, UTF-8)")
        files = [(root.parent / line.strip(), Path(line.strip()).name) for line in lines if line.strip()]
    if len(files) > MAX_FILES:
        raise click.UsageError(say(f"超过 {MAX_FILES} 份文件", f"more than {MAX_FILES} files"))
    used: set[str] = set()
    for path, name in files:
        chosen, n = f"{name}{SUFFIX}", 1
        while chosen in used:
            n += 1
            chosen = f"{name}.{n}{SUFFIX}"
        used.add(chosen)
        yield Item(path, chosen)


def _end(context: Context, rows: list[Row], folder: Path) -> NoReturn:
    counts = {state: sum(row.state == state for row in rows) for state in _STATES}
    failed = [row for row in rows if row.state in ("refused", "unreadable")]
    words = say("，", ", ").join(f"{say(*_STATES[state])} {count}" for state, count in counts.items() if count)
    lines = [f"{len(rows)} {say('份文件：', 'files: ')}{words}", say("报告：", "report: ") + str(folder / REPORT)]
    lines += [f"  ✗ {row.file}  {row.text}" for row in failed[:20]]
    if len(failed) > 20:
        lines.append(say(f"  … 其余 {len(failed) - 20} 份见报告", f"  … {len(failed) - 20} more in the report"))
    data = context.data("ok" if not failed else "some-failed", files=len(rows), report=str(folder / REPORT), **counts)
    finish(not failed, data, context.json, lines)
