"""A node's own ledger out of its store, in the form that ``gateway.ledger.audit`` reads; nothing secret, no passphrase.

Where the message is still there, its leaf is told with the digest of the stored header, so that a message changed in the
store is found as well as a changed leaf.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.config import ConfigError
from gateway.exchange import card as cards
from gateway.exchange.trail import HeldCard, naming
from gateway.ledger.audit import FORMAT, CheckpointRecord, LeafRecord, LedgerHead
from gateway.ledger.checkpoint import SignedCheckpoint
from gateway.store.journal import Reader
from signing.sm3 import sm3

# the direction of the messages whose header a leaf of this kind is about
_ABOUT = {"sent": "out", "accepted": "in"}


class Held(NamedTuple):
    """The last checkpoint of a partner's ledger that this node holds: what that partner needs as a witness."""

    party: str
    checkpoint: SignedCheckpoint


def head(base: Path, reader: Reader) -> LedgerHead:
    """The first line: origin and cards as published. ``ConfigError`` if the card cannot be read."""
    file = base / "card.json"
    try:
        data = file.read_bytes()
        card = cards.content(data)
    except (OSError, cards.CardError):
        raise ConfigError(str(file), "本节点的名片读不出", "this node's card cannot be read") from None
    rows = reader.all("SELECT data FROM card WHERE party = ? ORDER BY version", card.party)
    held = [HeldCard(row[0], cards.content(row[0])) for row in rows]
    used = {row[0] for row in reader.all("SELECT DISTINCT key FROM checkpoint")}
    return LedgerHead(FORMAT, card.origin, data, [one.data for one in naming([*held, HeldCard(data, card)], used)[:-1]])


def leaves(reader: Reader) -> list[LeafRecord]:
    """All leaves in order, each with the hash stored for it (empty where the node is missing)."""
    rows = reader.all(
        "SELECT l.idx, l.kind, l.message, l.entry, l.salt, n.hash, m.header, m.direction FROM leaf l "
        "LEFT JOIN node n ON n.level = 0 AND n.idx = l.idx LEFT JOIN message m ON m.id = l.message ORDER BY l.idx"
    )
    return [
        LeafRecord(
            index, str(kind), str(name), _bytes(entry), _bytes(salt), _bytes(stored), _digest(kind, header, direction)
        )
        for index, kind, name, entry, salt, stored, header, direction in rows
    ]


def _digest(kind: str, header: object, direction: str | None) -> str:
    return sm3(_bytes(header)).hex() if header is not None and _ABOUT.get(kind) == direction else ""


def _bytes(value: object) -> bytes:
    """A column's bytes, whatever somebody has put there: SQLite keeps any type in any column."""
    return value if isinstance(value, bytes) else str(value or "").encode()


def checkpoints(reader: Reader) -> Iterator[CheckpointRecord]:
    """Our own checkpoints, oldest first."""
    for text, key, signature in reader.all("SELECT text, key, signature FROM checkpoint ORDER BY size"):
        yield CheckpointRecord(SignedCheckpoint(text, key, signature))


def held(reader: Reader) -> list[Held]:
    """What we hold of each partner's ledger."""
    rows = reader.all("SELECT id, held, held_key, held_signature FROM peer WHERE held <> '' ORDER BY id")
    return [Held(party, SignedCheckpoint(text, key, signature)) for party, text, key, signature in rows]
