"""The cards of a party as this node holds them, oldest first: the file it was given at first, and what has come since.

The file in the configuration is the first trust, confirmed out of band. Later cards are kept in the store, so the newest
one outlives a restart and none that came before it can take its place again (row C26).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.config import Config, ConfigError, Peer
from gateway.exchange import card as cards
from gateway.exchange.card import Card
from gateway.store.schema import DATABASE
from signing import certs
from signing.errors import Malformed
from signing.providers import Provider


class HeldCard(NamedTuple):
    """A card with the signed bytes it came in."""

    data: bytes
    card: Card


def of_node(config: Config, base: Path, identity: bytes, provider: Provider) -> list[HeldCard]:
    """Our own cards. ``identity``: the identity key's certificate (DER); its private key stays offline."""
    try:
        public = certs.parse(identity).public_key
    except Malformed as error:
        raise ConfigError(str(base / "certs" / "identity.der"), error.zh, error.en) from None
    fingerprint = public.thumbprint if public is not None else ""
    return _trail(base / "card.json", _store(config, base), config.node.party, fingerprint, provider)


def of_peer(config: Config, base: Path, peer: Peer, provider: Provider) -> list[HeldCard]:
    """A partner's cards."""
    return _trail(base / peer.card, _store(config, base), peer.id, peer.fingerprint, provider)


def fingerprint(data: bytes) -> str:
    """The identity key that a card which has been read is signed by."""
    return msgspec.json.decode(data, type=cards.SignedCard).key


def naming(held: Sequence[HeldCard], keys: Collection[str]) -> list[HeldCard]:
    """The newest card, and before it the last one that named each of these keys which the newest leaves out."""
    needed = {len(held) - 1}
    for key in keys:
        needed |= set([n for n, one in enumerate(held) if any(key == listed.id for listed in one.card.keys)][-1:])
    return [held[n] for n in sorted(needed)]


def _store(config: Config, base: Path) -> Path:
    return base / config.node.data / DATABASE


def _trail(path: Path, store: Path, party: str, fingerprint: str, provider: Provider) -> list[HeldCard]:
    """``ConfigError`` for a file that is no card of this identity, or contradicts what the store has.

    Stored cards under another identity key are from before a recovery out of band: they are not this identity's.
    """
    try:
        data = path.read_bytes()
        first = HeldCard(data, cards.read(data, fingerprint, provider))
    except OSError as error:
        raise ConfigError(str(path), f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})") from None
    except cards.CardError as error:
        raise ConfigError(str(path), error.zh, error.en) from None
    found = {first.card.version: first}
    for row in _rows(store, party):
        try:
            held = HeldCard(row, cards.read(row, fingerprint, provider))
        except cards.CardError:
            continue
        if found.setdefault(held.card.version, held).card != held.card:
            zh, en = "与数据库里同一版本的名片不同", "is not the card that the store has under the same version"
            raise ConfigError(str(path), zh, en)
    return [found[version] for version in sorted(found)]


def _rows(store: Path, party: str) -> list[bytes]:
    if not store.is_file():
        return []
    connection = sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return [row[0] for row in connection.execute("SELECT data FROM card WHERE party = ?", (party,))]
    except sqlite3.OperationalError:
        return []  # a store from before cards were kept
    finally:
        connection.close()
