"""A laboratory's key custodian (试验用的密钥管理员): the steps of ``tongban key``, one after the other, on a node's folder.

The laboratory's own authority certifies, and its identity key, which lies in the folder, signs the cards. On a real node
these steps are days apart and in several hands.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from gateway import config, lab
from gateway.config import Config
from gateway.exchange import tls
from gateway.exchange.card import CardKey
from gateway.keys import keyfacts, keyring, nextcard
from gateway.keys.keyring import Keyring
from gateway.keys.ownkeys import KeyDesk
from gateway.ops.probe import call
from gateway.store.schema import DATABASE
from signing import certs, issue
from signing.errors import Rejected
from signing.keyring import Entry

FETCHED_S = 30.0
T = TypeVar("T")
YEAR = timedelta(days=365)
PROFILES = {"encryption": "encryption"}  # all other uses sign


class DrillError(Exception):
    """A step was refused."""


@dataclass(frozen=True)
class Custodian:
    """Of one laboratory node."""

    folder: Path
    settings: Config
    ring: Keyring

    @property
    def desk(self) -> KeyDesk:
        """The key desk as it stands now."""
        return KeyDesk(self.ring, self.settings, self.folder, time.time_ns() // 1_000_000, ("drill",))

    def prepare(self, use: str) -> str:
        """Make the next key of a use, have it certified, announce it at once and put the signed card in place; its id."""
        entry = _done(self.desk.generate(use))
        entry = _done(self.desk.accept(self._certified(entry), entry.id))
        _done(self.desk.announce(entry, self.desk.now_ms))
        self.sign_card()
        return entry.id

    def activate(self, key: str, although: bool = False) -> str:
        """Sign with it from now on, ``although`` partners are behind; the key that it replaces ("" if none)."""
        entry = _done(self.desk.find(key))
        before = self.ring.register().active(entry.use)
        _done(self.desk.activate(entry, self.desk.behind(entry), although))
        self.poke()
        return before.id if before is not None else ""

    def retire(self, key: str) -> None:
        """The overlap is over: the key leaves the card."""
        _done(self.desk.retire(_done(self.desk.find(key)), "drill", 0, True))
        self.sign_card()

    def revoke(self, key: str) -> None:
        """The key is lost: the card says so."""
        _done(self.desk.revoke(_done(self.desk.find(key)), "drill"))
        self.sign_card()

    def sign_card(self, pins: tuple[CardKey, ...] = ()) -> None:
        """Have the next card signed and put in place, with these TLS pins if any are given; the running gateway is told."""
        card = nextcard.unsigned(self.desk.next_card().read_bytes(), nextcard.NEXT)
        if pins:
            others = tuple(key for key in card.keys if key.use != tls.USE)
            card = msgspec.structs.replace(card, keys=others + pins)
        data = nextcard.signed(card, self.ring.signer("identity"), self.ring.certificate("identity"), nextcard.NEXT)
        nextcard.install(self.ring, self.folder, data, nextcard.NEXT)
        self.poke()

    @property
    def version(self) -> int:
        """Of the card in place."""
        return nextcard.held(self.ring, self.folder).version

    def without_card(self) -> tuple[str, ...]:
        """Partners that are not known to hold our newest card."""
        told = keyfacts.told(self.folder / self.settings.node.data / DATABASE)
        return tuple(peer.id for peer in self.settings.peer if told.get(peer.id, 0) < self.version)

    def behind(self, key: str) -> tuple[str, ...]:
        """Partners that are not known to hold a card with this key."""
        return self.desk.behind(_done(self.desk.find(key)))

    def poke(self) -> None:
        """Tell the running gateway, if there is one."""
        call("POST", f"http://{self.settings.listen.admin}/admin/v1/wake?destination=keys", 2.0)

    def _certified(self, entry: Entry) -> bytes:
        provider = self.ring.provider
        held = Keyring(self.folder / "lab", self.ring.passphrase, provider)
        authority = issue.Authority(held.signer("ca"), certs.parse((self.folder / "certs" / "ca.der").read_bytes()))
        begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        subject = (("C", "CN"), ("O", self.settings.node.name), ("OU", lab.MARK), ("CN", f"{entry.use} {lab.MARK}"))
        return issue.build_certificate(
            authority, subject=subject, public_key=self.ring.load(entry).public,
            serial=int.from_bytes(provider.random(15), "big") | 1, not_before=begin, not_after=begin + YEAR,
            profile=PROFILES.get(entry.use, "direct"),
        )  # fmt: skip


def open_custodian(folder: Path) -> Custodian:
    """The custodian of the laboratory node in a folder. Two persons are asked for nothing there."""
    settings = config.load(folder / "tongban.toml")
    if not settings.node.lab:
        raise DrillError("只能在试验节点上演练 (laboratory nodes only)")
    alone = msgspec.structs.replace(settings, keys=msgspec.structs.replace(settings.keys, two_persons=False))
    return Custodian(folder, alone, keyring.open_ring(alone, folder)[0])


async def change(custodian: Custodian, use: str) -> str:
    """Announce the next key, wait until every partner has the card, switch; the key that it replaced."""
    key = await asyncio.to_thread(custodian.prepare, use)
    end = time.monotonic() + FETCHED_S
    while behind := await asyncio.to_thread(custodian.behind, key):
        if time.monotonic() > end:
            raise DrillError(f"尚未取得名片 (card not fetched): {', '.join(behind)}")
        await asyncio.sleep(0.02)
    return await asyncio.to_thread(custodian.activate, key)


def _done(found: T | Rejected) -> T:
    if isinstance(found, Rejected):
        raise DrillError(f"{found.zh} ({found.en})")
    return found
