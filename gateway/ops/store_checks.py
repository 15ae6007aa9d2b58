"""Checks of the store: schema, integrity, durability, disk, the ledger's head against the clock, and the outbox."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gateway.exchange.known import known_keys
from gateway.ledger import tree
from gateway.ledger.checkpoint import parse_text
from gateway.ops.checks import FAIL, OK, WARN, Check
from gateway.store import schema
from gateway.store.beside import snapshot
from gateway.store.head import Head
from gateway.store.journal import PRAGMAS
from gateway.store.schema import DATABASE
from signing import sm2

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.ops.patient import Patient

LOW, SHORT = 256 << 20, 2 << 30  # bytes free: fail, warn
HOUR_MS, SKEW_MS = 3_600_000, 5_000


def _store(patient: Patient) -> Path:
    return patient.base / patient.config.node.data / DATABASE


def _schema(patient: Patient, _: bool) -> Iterator[Check]:
    found = schema.revision(_store(patient))
    if found == schema.HEAD:
        yield Check("store schema", OK, f"版本 {found}", f"revision {found}")
    else:
        zh, en = (
            f"版本 {found or '无'}，程序需要 {schema.HEAD}",
            f"revision {found or 'none'}, this program needs {schema.HEAD}",
        )
        yield Check(
            "store schema", FAIL, zh, en, "停机后运行 tongban db upgrade", "stop the node and run tongban db upgrade"
        )


def _integrity(patient: Patient, deep: bool) -> Iterator[Check]:
    if not deep:
        return
    connection = snapshot(_store(patient))
    try:
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        said = type(error).__name__
    finally:
        connection.close()
    if said == "ok":
        yield Check("store integrity", OK, "quick_check 通过", "quick_check passed")
    else:
        fix = ("停机，从备份恢复：tongban db restore", "stop the node and restore a backup: tongban db restore")
        yield Check("store integrity", FAIL, "数据库已损坏", "the store is damaged", *fix)


def _durability(patient: Patient, _: bool) -> Iterator[Check]:
    connection = snapshot(_store(patient))
    try:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    finally:
        connection.close()
    full = "PRAGMA synchronous=FULL" in PRAGMAS
    if mode == "wal" and full:
        yield Check("store durability", OK, "WAL，synchronous=FULL", "WAL, synchronous=FULL")
    elif mode != "wal":
        zh, en = f"日志模式 {mode}，网关首次启动后为 WAL", f"journal mode {mode}; WAL after the gateway's first start"
        yield Check("store durability", WARN, zh, en, "启动一次网关", "start the gateway once")
    else:
        yield Check(
            "store durability", FAIL, "提交不落盘", "commits are not durable", "换用正式版本", "use a release build"
        )


def _disk(patient: Patient, _: bool) -> Iterator[Check]:
    usage = shutil.disk_usage(patient.base / patient.config.node.data)
    zh, en = f"数据盘剩余 {usage.free >> 20} MiB", f"{usage.free >> 20} MiB free on the data disk"
    if usage.free >= SHORT:
        yield Check("disk", OK, zh, en)
    else:
        fix = ("清理或扩容数据盘", "free or add space")
        yield Check("disk", FAIL if usage.free < LOW else WARN, zh, en, *fix)


def _ledger(patient: Patient, _: bool) -> Iterator[Check]:
    """The head as stored is the head as signed, and the clock has not gone back behind it."""
    connection = snapshot(_store(patient))
    head = Head(patient.card.origin)
    try:
        head.restore(connection)
        (leaves,) = connection.execute("SELECT count(*) FROM leaf").fetchone()
        roots = tree.root(tree.frontier_from(head.size, head.stored(connection)))
    except (KeyError, ValueError, sqlite3.Error):
        yield _broken("账本数据缺失", "ledger data is missing")
        return
    finally:
        connection.close()
    signed = head.checkpoint
    if signed is None:
        yield Check("ledger", OK, "账本为空", "the ledger is empty")
        return
    stated = parse_text(signed.text.encode())
    key = known_keys(one.card for one in patient.own).get(signed.key)
    provider = patient.opened[0]
    good = (
        key is not None
        and key.use == "checkpoint"
        and sm2.verify(provider, key.public, signed.text.encode(), signed.signature, signer_id=sm2.DEFAULT_ID)
    )
    if (
        stated is None
        or stated.root != roots
        or leaves != stated.size
        or stated.origin != patient.card.origin
        or not good
    ):
        yield _broken("账本与其检查点不符", "the ledger is not what its checkpoint says")
        return
    yield Check("ledger", OK, f"{stated.size} 条，检查点签名有效", f"{stated.size} leaves, checkpoint signature good")
    behind = stated.time_ms - int(patient.now.timestamp() * 1000)
    if behind > SKEW_MS:
        zh, en = f"时钟比账本晚 {behind // 1000} 秒", f"the clock is {behind // 1000} s behind the ledger"
        yield Check("clock", FAIL, zh, en, "校准系统时钟（NTP）", "set the clock (NTP)")
    else:
        yield Check("clock", OK, "时钟不早于账本最后的检查点", "the clock is not behind the last checkpoint")


def _broken(zh: str, en: str) -> Check:
    fix = ("停机，运行 tongban ledger verify 查明", "stop the node and run tongban ledger verify")
    return Check("ledger", FAIL, zh, en, *fix)


def _outbox(patient: Patient, _: bool) -> Iterator[Check]:
    connection = snapshot(_store(patient))
    try:
        counts = dict(connection.execute("SELECT state, count(*) FROM delivery GROUP BY state").fetchall())
        (oldest,) = connection.execute(
            "SELECT min(m.created_ms) FROM delivery d JOIN message m ON m.id = d.message "
            "WHERE d.state NOT IN ('delivered','refused','given_up')"
        ).fetchone()
    finally:
        connection.close()
    stuck = {state: counts[state] for state in ("held", "parked", "awaiting_person") if counts.get(state)}
    if stuck:
        zh = f"待修正 {stuck.get('held', 0)}，搁置 {stuck.get('parked', 0)}，待人工确认 {stuck.get('awaiting_person', 0)}"
        en = ", ".join(f"{state} {count}" for state, count in stuck.items())
        yield Check("outbox", FAIL, zh, en, "tongban deadletter list", "tongban deadletter list")
    waiting = sum(counts.get(state, 0) for state in ("queued", "frozen", "unknown", "awaiting_parts"))
    age_ms = int(patient.now.timestamp() * 1000) - oldest if oldest is not None else 0
    zh, en = f"待投递 {waiting}", f"{waiting} owed"
    if waiting and age_ms > HOUR_MS:
        zh, en = f"{zh}，最久 {age_ms // 60_000} 分钟", f"{en}, the oldest for {age_ms // 60_000} minutes"
        yield Check("outbox", WARN, zh, en, "tongban msg list --state open", "tongban msg list --state open")
    elif not stuck:
        yield Check("outbox", OK, zh, en)


ROWS: tuple[tuple[str, Callable[[Patient, bool], Iterator[Check]]], ...] = (
    ("store schema", _schema),
    ("store integrity", _integrity),
    ("store durability", _durability),
    ("disk", _disk),
    ("ledger", _ledger),
    ("outbox", _outbox),
)
