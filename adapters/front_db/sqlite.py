"""A front database that is a SQLite file: ``sqlite:///`` and its absolute path."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

from adapters.front_db.database import Database, Trouble
from adapters.front_db.threaded import Ways, opener

_REASONS = {
    "SQLITE_CANTOPEN": "no-connection", "SQLITE_NOTADB": "no-connection", "SQLITE_BUSY": "busy", "SQLITE_LOCKED": "busy",
    "SQLITE_READONLY": "no-rights", "SQLITE_PERM": "no-rights", "SQLITE_AUTH": "no-rights",
}  # fmt: skip
_MISSING = ("no such table", "no such column", "has no column named")


def database(path: Path, busy_ms: int) -> Database:
    """The file, opened anew for each use: it may be replaced by another meanwhile."""
    return Database(opener(Ways("BEGIN IMMEDIATE", partial(_open, path, busy_ms), _sorted, _interrupt)), keep=False)


def _open(path: Path, busy_ms: int) -> sqlite3.Connection:
    """An existing file only: a wrong path must not make an empty database."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=busy_ms / 1000, check_same_thread=False)
    db.text_factory = lambda data: data.decode("utf-8", "surrogateescape")  # bad characters are one row's trouble
    db.execute("PRAGMA synchronous = FULL")
    return db


def _interrupt(db: sqlite3.Connection) -> None:
    db.interrupt()


def _sorted(error: Exception) -> str | Trouble:
    name = str(getattr(error, "sqlite_errorname", "") or type(error).__name__)
    if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError):
        return name
    if any(words in str(error) for words in _MISSING):
        return Trouble("no-table", name)
    base = "_".join(name.split("_")[:2])
    return Trouble(_REASONS.get(base, "other"), name, maybe=base == "SQLITE_IOERR")  # the disk may have it or not
