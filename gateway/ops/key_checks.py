"""The self-check's rows about our own keys: the sealed register, a rotation that stands still, two persons, backup and drill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Protocol

from gateway.config import Config
from gateway.exchange.card import Card
from gateway.keys import nextcard
from gateway.keys.keyring import Keyring
from gateway.keys.ownkeys import QUORUM, KeyDesk
from gateway.ops.checks import FAIL, OK, WARN, Check
from signing.keyring import Entry, Register, State

SHORTEST = 20  # bytes of a passphrase; the one that is made for a new node has 48 hex digits
DRILL_DAYS = 180
DAY_MS = 86_400_000
CHINA = timezone(timedelta(hours=8))
_CARD = (
    "用离线身份密钥签发下一版名片并装上：tongban key sign-card、key install-card",
    "sign the next card offline and install it: tongban key sign-card, key install-card",
)


class Node(Protocol):
    """What is looked at."""

    @property
    def config(self) -> Config: ...
    @property
    def ring(self) -> Keyring: ...
    @property
    def card(self) -> Card: ...
    @property
    def now(self) -> datetime: ...


def register(node: Node) -> Iterator[Check]:
    """Whether the register is the one that was sealed (a ``ConfigError`` otherwise), and what custodians ought to see."""
    found = node.ring.register()
    alive = sum(entry.alive for entry in found.entries)
    zh, en = f"登记簿完好：{alive} 把密钥", f"the register is sound: {alive} keys"
    yield Check("key register", OK, f"{zh}，第 {found.version} 版", f"{en}, version {found.version}")
    yield from _persons(node, found)
    if len(node.ring.passphrase) < SHORTEST:
        zh, en = f"密钥口令不足 {SHORTEST} 字节", f"the passphrase is shorter than {SHORTEST} bytes"
        yield Check("key passphrase", WARN, zh, en, "换用随机口令", "use a random one")


def _persons(node: Node, found: Register) -> Iterator[Check]:
    if node.config.node.lab and not node.config.keys.two_persons:
        zh, en = "试验节点：一人即可启用、吊销密钥", "a laboratory: one person activates and revokes keys"
        yield Check("custodians", OK, zh, en)
    elif len(found.custodians) < QUORUM:
        zh, en = f"登记的密钥管理员不足 {QUORUM} 名", f"fewer than {QUORUM} custodians are registered"
        fix = ("tongban key custodian 姓名 --pub F", "tongban key custodian NAME --pub F")
        yield Check(
            "custodians", WARN, f"{zh}，不能启用、吊销密钥", f"{en}: keys can be neither activated nor revoked", *fix
        )
    else:
        names = "、".join(one.name for one in found.custodians)
        yield Check("custodians", OK, f"密钥管理员：{names}", f"custodians: {names}")


def rotation(node: Node, desk: KeyDesk) -> Iterator[Check]:
    """What was begun and not finished: keys that the card lacks or still lists, partners behind, an overlap too long."""
    for entry in node.ring.entries():
        yield from _standing(node, desk, entry)


def _standing(node: Node, desk: KeyDesk, entry: Entry) -> Iterator[Check]:
    name, listed = f"key {entry.id[:8]}", entry.id in {key.id for key in node.card.keys}
    carded, what = entry.use in nextcard.CARDED, (f"{entry.use} 密钥", f"the {entry.use} key")
    if entry.state is State.ANNOUNCED and carded and not listed:
        yield Check(
            name, WARN, f"{what[0]}已公布，名片尚未签发", f"{what[1]} is announced, the card is not signed", *_CARD
        )
    elif entry.state is State.ANNOUNCED and (behind := desk.behind(entry)):
        names = "、".join(behind)
        fix = ("待其取得名片，或明知仍启用 --although-behind", "wait for them, or activate with --although-behind")
        yield Check(name, WARN, f"{what[0]}待启用；尚未取得名片：{names}", f"{what[1]} waits for: {names}", *fix)
    elif entry.state is State.ANNOUNCED and entry.since_ms > desk.now_ms:
        day = datetime.fromtimestamp(entry.since_ms / 1000, CHINA).strftime("%Y-%m-%d %H:%M")
        yield Check(name, OK, f"{what[0]}自 {day} 起可以启用", f"{what[1]} can be activated from {day} (Beijing)")
    elif entry.state is State.ANNOUNCED:
        fix = (f"tongban key activate {entry.id[:8]}", f"tongban key activate {entry.id[:8]}")
        yield Check(name, OK, f"{what[0]}可以启用", f"{what[1]} can be activated", *fix)
    elif entry.alive and entry.id in {one.id for one in node.card.revoked}:
        fix = ("登记簿是旧的：查明谁换了它，再恢复新的", "the register is an old one: find out who put it there")
        yield Check(name, FAIL, f"{what[0]}在名片上已吊销", f"{what[1]} is revoked on our card", *fix)
    elif entry.state is State.REVOKED and listed:
        yield Check(name, FAIL, f"{what[0]}已吊销，名片上仍在", f"{what[1]} is revoked and still on the card", *_CARD)
    elif entry.state is State.OVERLAP and desk.now_ms > entry.moves[-1].at_ms + node.config.delivery.expires_ms:
        fix = (f"tongban key retire {entry.id[:8]}", f"tongban key retire {entry.id[:8]}")
        yield Check(name, WARN, f"{what[0]}重叠期已久", f"{what[1]} has been in overlap for long", *fix)
    elif not entry.alive and listed:
        yield Check(name, WARN, f"{what[0]}已停用，名片上仍在", f"{what[1]} is retired and still on the card", *_CARD)


def backup(node: Node, now_ms: int) -> Iterator[Check]:
    """When shares were last made and tried. A laboratory's keys can be made again."""
    found = node.ring.register()
    level = OK if node.config.node.lab else WARN
    newer = [entry.use for entry in found.entries if entry.alive and entry.moves[0].at_ms > found.backup_ms]
    make = ("tongban key backup", "tongban key backup")
    if not found.backup_ms:
        yield Check("key backup", level, "密钥没有分片备份", "the keys have no split backup", *make)
        return
    if newer:
        uses = ", ".join(newer)
        yield Check("key backup", level, f"备份后又有新密钥：{uses}", f"keys newer than the backup: {uses}", *make)
    else:
        days = (now_ms - found.backup_ms) // DAY_MS
        yield Check("key backup", OK, f"{days} 天前备份", f"backed up {days} days ago")
    days = (now_ms - found.drill_ms) // DAY_MS
    fix = ("tongban key restore --drill", "tongban key restore --drill")
    if not found.drill_ms:
        yield Check("restore drill", level, "从未做过恢复演练", "no restore drill has been done", *fix)
    elif days > DRILL_DAYS:
        yield Check("restore drill", level, f"上次恢复演练在 {days} 天前", f"last drill {days} days ago", *fix)
    else:
        yield Check("restore drill", OK, f"{days} 天前演练成功", f"succeeded {days} days ago")
