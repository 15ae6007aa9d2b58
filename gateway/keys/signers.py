"""Our online keys as they sign now (在用密钥): the one place that every signature is asked of.

A key may change between two commits and between two calls, never within one: whoever signs asks for the signer and uses it
at once. The key register says which key is active; our card says which keys the partners know. One that the card does not
list yet does not sign, and one that it lists as revoked never signs again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog

from gateway.config import ConfigError
from gateway.exchange.card import Card
from gateway.keys.keyring import Keyring
from signing.errors import Unavailable
from signing.keyring import Entry, Power, Register
from signing.sm2 import PrivateKey, Signer

log = structlog.get_logger("keys")
ON_CARD = ("checkpoint", "direct")  # partners check these by our card
ONLINE = (*ON_CARD, "platform")


class Found(NamedTuple):
    """The keys as they lie on disk: the active one of each use, and all that open what partners have sealed to us."""

    signers: Mapping[str, Signer | None]
    openers: Mapping[str, PrivateKey]


class Signers:
    """The signers of the online uses. Built once with what the ring has; ``take`` changes them on the event loop.

    ``openers``: key id -> private key of all that may open what was sealed to us; one mapping that changes in place.
    """

    def __init__(self, ring: Keyring, card: Card) -> None:
        """``ConfigError`` for a key that cannot be opened. A node whose key was revoked starts without it."""
        register, revoked = ring.register(), {one.id for one in card.revoked}
        lost = {entry.use for entry in register.entries if register.active(entry.use) is None}
        found = {use: None if use in lost else ring.signer(use) for use in ONLINE}
        self._ring = ring
        self._now = {use: None if _id(signer) in revoked else signer for use, signer in found.items()}
        self.openers: dict[str, PrivateKey] = ring.openers()

    def of(self, use: str) -> Callable[[], Signer]:
        """Asks for the signer of one use as it is then; ``Unavailable`` while there is none."""

        def now() -> Signer:
            signer = self._now[use]
            if signer is None:
                raise Unavailable("no-key", f"没有在用的密钥：{use}", f"there is no key for {use}")
            return signer

        return now

    def load(self) -> Found:
        """The keys as they lie on disk. Slow where there are new ones, for passphrases are stretched: call it off the event
        loop."""
        register = self._ring.register()
        opening = [one for one in register.entries if one.use == "encryption" and one.may(Power.DECRYPT)]
        openers = {one.id: key for one in opening if (key := self._opener(one)) is not None}
        return Found({use: self._active(use, register) for use in ONLINE}, openers)

    def take(self, found: Found, card: Card) -> list[str]:
        """Use these from now on, to sign as far as the card allows; the uses whose signing key changed."""
        for gone in self.openers.keys() - found.openers.keys():
            del self.openers[gone]
        self.openers.update(found.openers)
        revoked = {one.id for one in card.revoked}
        listed = {(key.use, key.id) for key in card.keys}
        changed = []
        for use in ONLINE:
            before, new = self._now[use], found.signers[use]
            if use in ON_CARD and new is not None and (use, new.key_id) not in listed:
                log.warning("active key is not on our card", use=use)
                new = before
            if new is not None and new.key_id in revoked:
                new = None
            if _id(new) != _id(before):
                self._now[use] = new
                changed.append(use)
        return changed

    def _opener(self, entry: Entry) -> PrivateKey | None:
        try:
            return self.openers.get(entry.id) or self._ring.load(entry)
        except ConfigError as error:
            log.error(
                "no usable key", use=entry.use, cause=error.en
            )  # one lost key must not keep the others from changing
            return None

    def _active(self, use: str, register: Register) -> Signer | None:
        entry, present = register.active(use), self._now[use]
        if entry is not None and entry.id == _id(present):
            return present
        try:
            return self._ring.signer(use)
        except ConfigError as error:
            log.error("no usable key", use=use, cause=error.en)
            return None


def _id(signer: Signer | None) -> str:
    return "" if signer is None else signer.key_id
