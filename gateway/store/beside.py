"""Connections to a store beside the gateway that owns it: questions on one snapshot, and changes without ledger leaves.

SQLite lets a second process write between two group commits. It must never add a leaf: the running gateway signs what its
own head says. It finds other changes by itself, at the latest when its loops look again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.config import ConfigError
from gateway.ids import now_ms
from gateway.store.journal import Tx


def connect(store: Path) -> sqlite3.Connection:
    """A connection to an existing store; ``ConfigError`` when there is none."""
    if not store.is_file():
        zh, en = "没有数据库（先运行 tongban init 或 tongban db upgrade）", "there is no store (run tongban db upgrade)"
        raise ConfigError(str(store), zh, en)
    connection = sqlite3.connect(f"{store.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    connection.execute("PRAGMA busy_timeout=5000")
    return connection


def snapshot(store: Path) -> sqlite3.Connection:
    """A connection that only reads, and sees one state of the store as long as it is open."""
    connection = connect(store)
    connection.execute("PRAGMA query_only=ON")
    connection.execute("BEGIN")
    return connection


@contextmanager
def change(store: Path) -> Iterator[Tx]:
    """One durable transaction; undone whole when the block raises."""
    connection = connect(store)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        tx = Tx(connection, now_ms(), 0)
        yield tx
        if tx.leaves:
            raise AssertionError("a leaf from here would fork the running gateway's head")
        connection.execute("COMMIT")
    finally:
        connection.close()  # what was not committed is rolled back
