"""The ledger's head inside the store: appends a group's leaves, signs its one checkpoint, proves leaves.

The head in memory is only a copy of what the file says; after any failed commit it is read back. Size and time of
the checkpoints never decrease.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.ledger import tree
from gateway.ledger.checkpoint import Checkpoint, LedgerProof, SignedCheckpoint, parse_text, text
from signing.sm2 import Signer


@dataclass(frozen=True)
class Sealed:
    """The head after a group: new frontier, its checkpoint, and proofs of the group's own leaves."""

    frontier: tree.Frontier
    time_ms: int
    checkpoint: SignedCheckpoint
    prove: Callable[[int], LedgerProof]


class Head:
    """Head of one party's ledger. ``origin`` is ``party/volume``. ``signer`` gives the key that signs checkpoints now, and
    nothing else; None where the ledger is only read."""

    def __init__(self, origin: str, signer: Callable[[], Signer] | None = None) -> None:
        self.origin = origin
        self._signer = signer
        self._frontier = tree.Frontier()
        self._time_ms = 0
        self._checkpoint: SignedCheckpoint | None = None

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._frontier.size

    @property
    def checkpoint(self) -> SignedCheckpoint | None:
        """The newest signed checkpoint; None while the ledger is empty."""
        return self._checkpoint

    def clock(self, now_ms: int) -> int:
        """The time for the next group: the clock's, but never before the last checkpoint's."""
        return max(now_ms, self._time_ms)

    def signer(self) -> Signer:
        """The key for the next group: it signs that group whatever is changed meanwhile."""
        assert self._signer is not None  # noqa: S101 - who only reads never commits
        return self._signer()

    def changes_to(self, signer: Signer) -> bool:
        """Whether the last checkpoint was signed by another key than this one."""
        return self._checkpoint is not None and self._checkpoint.key != signer.key_id

    def restore(self, connection: sqlite3.Connection) -> None:
        """Read the head back from the file: what is stored is what was signed."""
        row = connection.execute("SELECT text, key, signature FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        if row is None:
            self._frontier, self._time_ms, self._checkpoint = tree.Frontier(), 0, None
            return
        self._checkpoint = SignedCheckpoint(text=row[0], key=row[1], signature=row[2])
        checkpoint = _parsed(self._checkpoint)
        self._time_ms = checkpoint.time_ms
        self._frontier = tree.frontier_from(checkpoint.size, _stored(connection))

    def extend(
        self,
        connection: sqlite3.Connection,
        leaves: Sequence[tuple[bytes, bytes, str, str]],
        now_ms: int,
        signer: Signer,
    ) -> Sealed:
        """Append the leaves inside the open transaction and sign the checkpoint that covers them."""
        if not leaves and self._checkpoint is not None:
            return Sealed(self._frontier, self._time_ms, self._checkpoint, self._unproved)
        first = self._frontier.size
        hashes = [tree.leaf_hash(salt, entry) for salt, entry, _, _ in leaves]
        frontier, nodes = tree.append(self._frontier, hashes)
        connection.executemany(
            "INSERT INTO leaf (idx, salt, entry, kind, message) VALUES (?, ?, ?, ?, ?)",
            [(first + n, *leaf) for n, leaf in enumerate(leaves)],
        )
        connection.executemany("INSERT INTO node (level, idx, hash) VALUES (?, ?, ?)", nodes)
        form = text(Checkpoint(self.origin, frontier.size, tree.root(frontier), now_ms))
        signed = SignedCheckpoint(text=form.decode(), key=signer.key_id, signature=signer.sign(form))
        connection.execute(
            "INSERT INTO checkpoint (size, time_ms, text, key, signature) VALUES (?, ?, ?, ?, ?)",
            (frontier.size, now_ms, signed.text, signed.key, signed.signature),
        )
        known = {(level, index): digest for level, index, digest in nodes} | _addresses(self._frontier)
        salts = {first + n: leaf[0] for n, leaf in enumerate(leaves)}

        def prove(index: int) -> LedgerProof:
            path = tree.inclusion_path(index, frontier.size, lambda level, at: known[(level, at)])
            return LedgerProof(index=index, salt=salts[index], path=path, checkpoint=signed)

        return Sealed(frontier, now_ms, signed, prove)

    def adopt(self, sealed: Sealed) -> None:
        """The group is durable: its head is ours."""
        self._frontier, self._time_ms, self._checkpoint = sealed.frontier, sealed.time_ms, sealed.checkpoint

    def prove_stored(self, connection: sqlite3.Connection, index: int) -> LedgerProof:
        """Proof of an old leaf under the first checkpoint that covered it; KeyError if there is no such leaf."""
        row = connection.execute(
            "SELECT text, key, signature FROM checkpoint WHERE size > ? ORDER BY size LIMIT 1", (index,)
        ).fetchone()
        if row is None:
            raise KeyError(index)
        return self.prove_under(connection, index, SignedCheckpoint(text=row[0], key=row[1], signature=row[2]))

    def prove_under(self, connection: sqlite3.Connection, index: int, signed: SignedCheckpoint) -> LedgerProof:
        """Proof of a stored leaf under any covering checkpoint of ours (a rotated key re-proves the same leaf)."""
        leaf = connection.execute("SELECT salt FROM leaf WHERE idx = ?", (index,)).fetchone()
        if leaf is None:
            raise KeyError(index)
        path = tree.inclusion_path(index, _parsed(signed).size, _stored(connection))
        return LedgerProof(index=index, salt=leaf[0], path=path, checkpoint=signed)

    def consistency(self, connection: sqlite3.Connection, old: int, new: int) -> list[bytes]:
        """The path that proves the first ``old`` leaves unchanged in the tree of ``new``."""
        return tree.consistency_path(old, new, _stored(connection))

    @staticmethod
    def stored(connection: sqlite3.Connection) -> tree.GetNode:
        """The tree's nodes as the file has them; KeyError for one that is missing."""
        return _stored(connection)

    @staticmethod
    def _unproved(index: int) -> LedgerProof:
        raise KeyError(index)


def _parsed(signed: SignedCheckpoint) -> Checkpoint:
    checkpoint = parse_text(signed.text.encode())
    if checkpoint is None:
        raise ValueError("a stored checkpoint is not readable")  # somebody changed the file
    return checkpoint


def _stored(connection: sqlite3.Connection) -> tree.GetNode:
    def get(level: int, index: int) -> bytes:
        row = connection.execute("SELECT hash FROM node WHERE level = ? AND idx = ?", (level, index)).fetchone()
        if row is None:
            raise KeyError((level, index))
        return bytes(row[0])

    return get


def _addresses(frontier: tree.Frontier) -> dict[tuple[int, int], bytes]:
    """The frontier's subtrees by (level, index)."""
    found, begin = {}, 0
    levels = [level for level in range(frontier.size.bit_length() - 1, -1, -1) if frontier.size >> level & 1]
    for level, digest in zip(levels, frontier.hashes, strict=True):
        found[(level, begin >> level)] = digest
        begin += 1 << level
    return found
