"""Backup of a running store, and putting one back (备份与恢复).

A backup is a folder: the database as one consistent state (SQLite's own online backup), the files of materials, and a
manifest. The database is copied first: a file is on disk before its row is committed, so every row finds its file. Keys and
configuration are not in it; content stays encrypted under them.

Restoring goes forward only. A ledger that is put back to fewer leaves would sign sizes a second time with other roots, which
partners take for what it is: a split view. So a restore refuses over a store that has gone on, or that is in use.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gateway.ledger import tree
from gateway.ledger.checkpoint import parse_text
from gateway.store import schema
from gateway.store.beside import connect
from gateway.store.head import Head
from signing.sm3 import new

MANIFEST, DATABASE, PARTS = "backup.json", "gateway.db", "parts"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup holds. ``sm3``: of the database file; ``size`` and ``root``: of the ledger in it."""

    party: str
    at_ms: int
    revision: str
    origin: str
    size: int
    root: str
    sm3: str
    parts: int


class CannotRestore(Exception):
    """The backup may not be put here; both languages."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code, self.zh, self.en = code, zh, en


@dataclass(frozen=True)
class Ledger:
    """What a store says of its ledger; ``sound`` False when leaves and checkpoint do not belong together."""

    origin: str
    size: int
    root: str
    sound: bool


def backup(data: Path, to: Path, party: str, at_ms: int) -> Manifest:
    """Copy the store under ``data`` into the new folder ``to``. FileExistsError when it exists."""
    source = connect(data / DATABASE)
    to.mkdir(mode=0o700, parents=True)
    target = sqlite3.connect(to / DATABASE)
    try:
        source.backup(target)  # in one step on one snapshot: in steps, every commit of the gateway would start it anew
        target.execute("PRAGMA journal_mode=DELETE")  # one file, whole in itself
    finally:
        target.close()
        source.close()
    (to / DATABASE).chmod(0o600)
    found = inspect(to / DATABASE)
    if not found.sound:
        raise CannotRestore("damaged", "数据库已损坏，未能备份", "the store is damaged: no backup was made")
    count = sum(_copy(one, to / PARTS / one.parent.name / one.name) for one in _parts(data))
    made = Manifest(
        party,
        at_ms,
        schema.revision(to / DATABASE),
        found.origin,
        found.size,
        found.root,
        _digest(to / DATABASE),
        count,
    )
    _durable(to / DATABASE)
    (to / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(made)) + b"\n")
    _durable(to / MANIFEST)
    return made


def read(folder: Path) -> Manifest:
    """A backup's manifest, once its database is found to be the one it names. Raises ``CannotRestore``."""
    try:
        found = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
        good = _digest(folder / DATABASE) == found.sm3
    except (OSError, msgspec.MsgspecError):
        raise CannotRestore("not-a-backup", "不是备份目录", "not a backup folder") from None
    if not good:
        raise CannotRestore(
            "altered", "备份中的数据库与清单的摘要不符", "the database is not the one the manifest names"
        )
    return found


def restore(folder: Path, data: Path, party: str) -> Manifest:
    """Put a backup back under ``data``: refused over a store in use or one that has gone further. Atomic."""
    made = read(folder)
    if made.party != party:
        raise CannotRestore("other-node", "这是另一节点的备份", "this is another node's backup")
    if made.revision > schema.HEAD:
        raise CannotRestore("newer-schema", "备份来自更新版本的程序", "the backup is of a newer program")
    if not inspect(folder / DATABASE).sound:
        raise CannotRestore("damaged", "备份中的账本不完整", "the ledger in the backup is not whole")
    target = data / DATABASE
    data.mkdir(parents=True, exist_ok=True)
    if target.exists():
        _may_replace(target, made)
    for one in _parts(folder):
        _copy(one, data / PARTS / one.parent.name / one.name)
    fresh = data / f"{DATABASE}.restored"
    shutil.copyfile(folder / DATABASE, fresh)
    fresh.chmod(0o600)
    _durable(fresh)
    for tail in ("-wal", "-shm"):
        (data / f"{DATABASE}{tail}").unlink(
            missing_ok=True
        )  # of the old store: a crash here leaves it whole or replaced
    fresh.replace(target)
    _durable(target)
    return made


def inspect(store: Path) -> Ledger:
    """The ledger's head in a database file, and whether the stored hashes lead to its checkpoint."""
    connection = connect(store)
    origin, size, stated_root = "", 0, tree.EMPTY_ROOT
    try:
        connection.execute("PRAGMA query_only=ON")
        row = connection.execute("SELECT text FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        stated = parse_text(row[0].encode()) if row is not None else None
        if stated is not None:
            origin, size, stated_root = stated.origin, stated.size, stated.root
        root = tree.root(tree.frontier_from(size, Head.stored(connection)))
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        sound = said == "ok" and root == stated_root and (row is None) == (stated is None)
    except (sqlite3.DatabaseError, KeyError, ValueError):
        sound = False  # what could be read is still told: how far it had gone
    finally:
        connection.close()
    return Ledger(origin, size, stated_root.hex(), sound)


def in_use(store: Path) -> bool:
    """Whether any other connection holds the database open."""
    connection = sqlite3.connect(store, isolation_level=None, timeout=0.2)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return True
    except sqlite3.DatabaseError:
        return False  # damaged: nobody works with it
    finally:
        connection.close()
    return False


def _may_replace(target: Path, made: Manifest) -> None:
    if in_use(target):
        raise CannotRestore("in-use", "数据库正在使用：先停止网关", "the store is in use: stop the gateway first")
    found = inspect(target)
    if found.size > made.size:
        zh = f"现有账本有 {found.size} 条，备份只有 {made.size} 条：回退会造成账本分叉，对端将拒绝"
        en = (
            f"the ledger here has {found.size} leaves, the backup {made.size}: going back would fork it before partners"
        )
        raise CannotRestore("newer-store", zh, en)
    if found.sound and found.size == made.size and found.root != made.root:
        raise CannotRestore("other-ledger", "现有账本与备份不是同一账本", "the ledger here is not the backup's")


def _parts(data: Path) -> Iterator[Path]:
    return (one for one in sorted((data / PARTS).glob("??/*")) if one.is_file())


def _copy(source: Path, target: Path) -> bool:
    """Copy a file that is not there whole yet; whether it is there now."""
    try:
        if target.exists() and target.stat().st_size == source.stat().st_size:
            return True
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except FileNotFoundError:
        return False  # an abandoned upload that was reaped meanwhile
    _durable(target)
    return True


def _durable(path: Path) -> None:
    for one in (path, path.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _digest(path: Path) -> str:
    running = new()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            running.update(block)
    return running.digest().hex()
