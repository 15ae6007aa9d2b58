"""A batch on the wire: newline-delimited JSON, a head line and one line per message (docs/protocol.md, "Batch").

All messages of a batch are proved under the head's one checkpoint, so a batch costs its receiver one SM2
verification. Each message is answered on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.exchange.message import MessageId, PartyId
from gateway.ledger.checkpoint import LedgerProof, SignedCheckpoint

CONTENT_TYPE = "application/x-ndjson"
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
Status = Literal["receipt", "refused", "awaiting_parts", "retry_later"]


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last checkpoint of the other side that this side holds."""

    size: int
    root: str


class BatchHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """First line of a batch and of its answer. ``consistency`` leads from ``base`` to ``checkpoint``; ``card`` is the version
    of the sender's own card: who holds an older one fetches it first."""

    tongban: Literal[1] = 1
    sender: PartyId
    to: PartyId
    checkpoint: SignedCheckpoint
    held: Held | None = None
    base: Annotated[int, Meta(ge=0)] = 0
    consistency: Annotated[list[Hash], Meta(max_length=128)] = []
    card: Annotated[int, Meta(ge=0, le=1 << 53)] = 0


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a leaf stands under the head's checkpoint."""

    index: Annotated[int, Meta(ge=0)]
    salt: Hash
    path: Annotated[list[Hash], Meta(max_length=64)]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message: header bytes, body bytes, and where its ``sent`` leaf stands."""

    header: bytes
    body: bytes
    proof: Place


class Trouble(msgspec.Struct, frozen=True):
    """Why a message was refused, as in ``application/problem+json``."""

    code: str
    title: str
    title_en: str
    detail: str = ""
    action: str = ""
    clause: str = ""
    trace_id: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the answer. ``checkpoint`` is given only where it differs from the head's (a duplicate's receipt)."""

    id: MessageId
    status: Status
    proof: Place | None = None
    checkpoint: SignedCheckpoint | None = None
    problem: Trouble | None = None
    missing: list[str] = []
    expected: int = 0


_HEAD = msgspec.json.Decoder(BatchHead)
_LINE = msgspec.json.Decoder(Line)
_ANSWER = msgspec.json.Decoder(Answer)


def place(proof: LedgerProof) -> Place:
    """A proof without its checkpoint."""
    return Place(proof.index, proof.salt, proof.path)


def proof(spot: Place, checkpoint: SignedCheckpoint) -> LedgerProof:
    """A place under a checkpoint, as a whole proof again."""
    return LedgerProof(index=spot.index, salt=spot.salt, path=spot.path, checkpoint=checkpoint)


def encode(head: BatchHead, lines: Sequence[Line | Answer]) -> bytes:
    """A batch or an answer as bytes."""
    return msgspec.json.Encoder().encode_lines([head, *lines])


def decode_batch(data: bytes) -> tuple[BatchHead, list[Line]]:
    """Head and messages. Raises ``msgspec.MsgspecError`` or ``ValueError`` for anything else."""
    first, *rest = _split(data)
    return _HEAD.decode(first), [_LINE.decode(line) for line in rest]


def decode_answer(data: bytes) -> tuple[BatchHead, list[Answer]]:
    """Head and answers of the other side."""
    first, *rest = _split(data)
    return _HEAD.decode(first), [_ANSWER.decode(line) for line in rest]


def _split(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise ValueError("empty batch")
    return lines
