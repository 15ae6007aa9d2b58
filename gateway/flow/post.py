"""Messages as rows: what came from a local platform and goes to a partner, or came from a partner and goes to a platform.

A message and its one delivery share an id. The body is stored sealed under the case's key; the exchange header (or the
platform's bytes) is added when the delivery freezes it, and never changes after that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from gateway.exchange.message import PartRef
from gateway.store.journal import Reader, Tx
from schemas import canonical

OUT, IN, NOTE = "out", "in", "note"  # to a partner, from a partner, from ourselves to the local platform
REPORT = "report"  # from ourselves to a collector of case data


def put(
    tx: Tx,
    *,
    id: str,
    case_id: str,
    direction: str,
    type: str,
    act: str,
    sealed: bytes,
    parts: tuple[PartRef, ...] = (),
    leaf: int | None,
    seq: int = 0,
    header: bytes | None = None,
    original: bytes | None = None,
    proof: bytes | None = None,
    secret: bytes | None = None,
    status: str = "taken",
    problem: str = "",
    mapping: str = "",
) -> None:
    """Insert one message. ``act`` is its sender's own id for it; ``original`` the sealed bytes a platform sent;
    ``mapping`` what made the body of them."""
    tx.run(
        "INSERT INTO message (id, case_id, direction, type, act, seq, header, parts, sealed, secret, original, leaf, proof, "
        "status, problem, created_ms, mapping) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        id, case_id, direction, type, act, seq, header, msgspec.json.encode(parts), sealed, secret, original, leaf, proof,
        status, problem, tx.now_ms, mapping,
    )  # fmt: skip


def queue(tx: Tx, message: str, destination: str, case_id: str) -> None:
    """Owe the message to a destination; the loop of that destination does the rest."""
    tx.run(
        "INSERT INTO delivery (message, destination, case_id, turn, state, attempt, next_ms, cause, done_ms) "
        "VALUES (?,?,?,?,'queued',0,0,'',0)",
        message, destination, case_id, tx.turn,
    )  # fmt: skip


_PARTS = msgspec.json.Decoder(tuple[PartRef, ...])


def read_parts(stored: bytes) -> tuple[PartRef, ...]:
    """The files of a stored message."""
    return _PARTS.decode(stored)


def materials_of(body: Any) -> list[canonical.Material]:
    """The files a body names."""
    if isinstance(body, canonical.Application | canonical.Correction):
        return list(body.materials)
    if isinstance(body, canonical.Result):
        return [one for document in body.documents for one in (document.document, document.stamp) if one is not None]
    return []


def parts_of(body: Any) -> tuple[PartRef, ...]:
    """The files a body names, each digest once."""
    unique = {material.sm3: material for material in materials_of(body)}
    return tuple(PartRef(m.sm3, m.size, m.media_type, m.name, m.role) for m in unique.values())


def brings_what_it_names(body: Any, parts: Iterable[PartRef]) -> bool:
    """Are these the files a body names, none missing and none besides (F05)?"""
    return {(one.sm3, one.size) for one in parts_of(body)} == {(one.sm3, one.size) for one in parts}


def has_part(tx: Reader, owner: str, part: PartRef) -> bool:
    """Whether this owner has brought this file whole."""
    row = tx.one("SELECT 1 FROM part WHERE owner = ? AND sm3 = ? AND size = ?", owner, part.sm3, part.size)
    return row is not None


def register_part(tx: Tx, owner: str, digest: str, size: int) -> None:
    """A file is here whole, checked and on disk: from now on it counts."""
    if tx.one("SELECT 1 FROM part WHERE owner = ? AND sm3 = ?", owner, digest) is None:
        tx.run(
            "INSERT INTO part (owner, sm3, size, created_ms) VALUES (?,?,?,?)",
            owner, digest, size, tx.now_ms,
        )  # fmt: skip


def bind_part(tx: Tx, case_id: str, owner: str, sm3: str) -> None:
    """The file belongs to the case from now on; one file may belong to several (the same form, the same licence)."""
    known = tx.one("SELECT 1 FROM case_part WHERE case_id = ? AND sm3 = ? AND owner = ?", case_id, sm3, owner)
    if known is None:
        tx.run("INSERT INTO case_part (case_id, sm3, owner) VALUES (?,?,?)", case_id, sm3, owner)


def body_label(message: str) -> bytes:
    """Associated data that binds a sealed body to its message."""
    return b"body:" + message.encode()


def secret_label(message: str) -> bytes:
    """Associated data that binds the key and enclosure of a sealed message to it."""
    return b"secret:" + message.encode()


def original_label(message: str) -> bytes:
    """Associated data that binds a platform's original bytes to the message made of them."""
    return b"original:" + message.encode()


def frozen_label(message: str) -> bytes:
    """Associated data that binds frozen platform bytes to their message."""
    return b"frozen:" + message.encode()
