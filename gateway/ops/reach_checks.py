"""Checks of what lies outside: partners, local platforms, and the running gateway itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gateway import profiles
from gateway.config import Config
from gateway.exchange import registryfile
from gateway.ops import alarms
from gateway.ops.checks import FAIL, OK, WARN, Check
from gateway.ops.partners import ping
from gateway.ops.probe import call, reachable
from gateway.store.beside import snapshot
from gateway.store.schema import DATABASE

if TYPE_CHECKING:
    from gateway.ops.patient import Patient

SECONDS = 3.0


def peer(patient: Patient, number: int) -> Iterator[Check]:
    """Whether a partner answers as the one we know, and whether exchange with it is on."""
    found = patient.config.peer[number]
    name = f"peer {found.id}"
    stored = patient.trail(number)[-1].data
    answer = ping(
        found.url, stored, found.fingerprint, patient.opened[0], patient.config.limits.window_ms, seconds=SECONDS
    )
    if answer.ok is True:
        yield Check(name, OK, answer.zh, answer.en)
    else:
        fix = (
            "核对地址、网络、名片与时钟：tongban peer ping",
            "check address, network, card and clock: tongban peer ping",
        )
        yield Check(name, FAIL if answer.ok is False else WARN, answer.zh, answer.en, *fix)
    if _paused(patient, found.id):
        fix = (f"查明后 tongban peer resume {found.id}", f"find out why, then tongban peer resume {found.id}")
        yield Check(name, FAIL, "与该对端的往来已暂停", "exchange with this partner is paused", *fix)


def registry(patient: Patient) -> Iterator[Check]:
    """The registry of cards that this node holds: its age, and whether it stands for those who rest on it."""
    path = patient.base / patient.config.registry.file
    held, resting = registryfile.held(path, patient.opened[0]), [one for one in patient.config.peer if one.registry]
    if held is None and not resting:
        return
    now_ms = int(patient.now.timestamp() * 1000)
    vouching = registryfile.Vouching(path, patient.opened[0])
    left = [one.id for one in resting if not vouching.stands_for(one.id, one.fingerprint, now_ms)]
    if held is None or left:
        fix = ("导入有效的新名册：tongban registry import", "import a registry in force: tongban registry import")
        yield Check("registry", FAIL, f"名册不为其作保：{'、'.join(left)}", f"not vouched for: {', '.join(left)}", *fix)
        return
    standing = held.standing(now_ms)
    fix = ("向保管人索取新一版名册", "ask the keepers for the next version")
    level = OK if standing == "good" else WARN
    ages = {
        "good": ("有效", "in force"),
        "renew": ("即将到期", "about to expire"),
        "grace": ("已到期，宽限中", "expired, in grace"),
    }
    zh, en = ages.get(standing, ("已过期", "expired"))
    yield Check(
        "registry",
        level,
        f"名册第 {held.version} 版{zh}",
        f"registry version {held.version}: {en}",
        *(fix if level == WARN else ("", "")),
    )


def _paused(patient: Patient, party: str) -> bool:
    connection = snapshot(patient.base / patient.config.node.data / DATABASE)
    try:
        row = connection.execute("SELECT state FROM peer WHERE id = ?", (party,)).fetchone()
    except sqlite3.Error:
        return False  # the store's own checks say what is wrong with it
    finally:
        connection.close()
    return row is not None and row[0] == "paused"


def platform(patient: Patient, number: int) -> Iterator[Check]:
    """Whether a local platform accepts connections, or its database or folder can be worked with."""
    found = (*patient.config.platform, *patient.config.national)[number]
    name, scheme = f"platform {found.id}", found.base_url.partition("://")[0]
    if scheme in ("http", "https"):
        yield from service(name, found.base_url, ("本地平台", "platform"))
    else:
        yield _worked_with(patient, number, name)


def _worked_with(patient: Patient, number: int, name: str) -> Check:
    """What the platform's own family says of it; nothing is written there."""
    found = (*patient.config.platform, *patient.config.national)[number]
    opened = profiles.open_one(
        patient.config, found, patient.base, partial(patient.ring.signer, "platform"), patient.opened[0], str, lambda: 0
    )

    async def look() -> tuple[str, str] | None:
        try:
            return await opened.reach() if opened.reach is not None else None
        finally:
            await opened.channel.close()

    wrong = asyncio.run(look())
    if wrong is None:
        return Check(name, OK, f"{found.base_url} 可用", f"{found.base_url} can be worked with")
    fix = ("按所述原因处理；待投递的会自动重试", "mend what is said; what is owed is retried by itself")
    return Check(name, FAIL, f"{found.base_url}：{wrong[0]}", f"{found.base_url}: {wrong[1]}", *fix)


def service(name: str, url: str, what: tuple[str, str]) -> Iterator[Check]:
    """Whether a system beside the gateway accepts connections."""
    why = reachable(url, SECONDS)
    if why:
        fix = (
            f"检查{what[0]}与网络；待投递的会自动重试",
            f"check {what[1]} and network; what is owed is retried by itself",
        )
        yield Check(name, FAIL, f"{url} 连不上（{why}）", f"{url} cannot be reached ({why})", *fix)
    else:
        yield Check(name, OK, f"{url} 可连接", f"{url} accepts connections")


def tsa(url: str) -> Iterator[Check]:
    """Whether the time-stamp authority accepts connections; without it evidence waits, and nothing else does."""
    for one in service("tsa", url, ("时间戳服务", "the time-stamp authority")):
        yield replace(one, level=WARN) if one.level == FAIL else one


def process(config: Config) -> Iterator[Check]:
    """Whether the gateway runs and takes a commit."""
    if config.listen.admin.endswith(":0"):
        yield Check("process", WARN, "管理端口由系统分配，无法探测", "the admin port is given by the system: not asked")
        return
    answer = call("GET", f"http://{config.listen.admin}/readyz", SECONDS)
    if answer.status == 200:
        yield Check("process", OK, "网关在运行，可提交", "the gateway runs and takes commits")
        yield from _alarms(call("GET", f"http://{config.listen.admin}/metrics", SECONDS).body)
    elif answer.status:
        zh, en = (
            f"网关在运行但不能提交（HTTP {answer.status}）",
            f"the gateway runs and takes no commit (HTTP {answer.status})",
        )
        yield Check("process", FAIL, zh, en, "查看日志、磁盘与数据库", "look at log, disk and store")
    else:
        yield Check("process", WARN, "网关没有在运行", "the gateway is not running", "tongban serve", "tongban serve")


def _alarms(figures: bytes) -> Iterator[Check]:
    """What the running gateway has raised an alarm about since it started."""
    for name, count in alarms.counts(figures).items():
        found = alarms.ALARMS[name]
        yield Check(
            f"alarm {name}", FAIL, f"{found.zh}：{count} 次", f"{found.en}: {count} times", found.fix_zh, found.fix_en
        )
