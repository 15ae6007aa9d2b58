"""Checkpoints (检查点), receipts (回执) and the two kinds of proof. Signing is the caller's; here are the exact bytes.

A commit appends its leaves and signs **one** checkpoint; a message or receipt is proved by its leaf's path to that
root. ``ledger`` proofs share one signature over many leaves, ``direct`` proofs carry one signature each;
``check_proof`` checks both. Every signed form begins with its own domain line, so no signature can be taken for one
over another form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.ledger import tree
from signing.sm3 import sm3

# (key id, message, signature) -> True good, False bad, None the key is not known: cannot tell
Verify = Callable[[str, bytes, bytes], bool | None]

CHECKPOINT_DOMAIN = b"tongban/v1/checkpoint\n"
STAMPED_DOMAIN = b"tongban/v1/stamped-checkpoint\n"
DIRECT_DOMAIN = b"tongban/v1/direct\n"
ENTRY_DOMAIN = b"tongban/v1/entry\n"

# accepted: the receiver took the message; sent: the sender froze it; refused: a signed refusal; platform: an act of the
# local platform; volume: first leaf of a volume, names the last checkpoint before it; observed: another's checkpoint; card: a
# party card taken in; key: from this group on another key signs the checkpoints; certificate: an act on a certificate of
# ours; sharing: a question for somebody's certificate, or its answer; confirmation: a person's word on an unclear outcome
KINDS = frozenset(
    {
        "accepted", "sent", "refused", "platform", "volume", "observed", "card", "key", "certificate", "sharing",
        "confirmation",
    }
)  # fmt: skip

MAX_TEXT = 512
MAX_TIME_MS = 253_402_300_799_999  # the end of the year 9999: later is not a time anybody can show
_ORIGIN = re.compile(r"[0-9A-Za-z._-]{1,64}/[0-9A-Za-z._-]{1,32}")
_ID = re.compile(r"[!-~]{1,128}")
_NUMBER = r"(0|[1-9][0-9]{0,18})"
_TEXT = re.compile(rf"tongban/v1/checkpoint\n([!-~]{{3,97}})\n{_NUMBER}\n([0-9a-f]{{64}})\n{_NUMBER}\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A ledger's state at a time: origin "party/volume", leaves, root, ms since 1970. ValueError if impossible."""

    origin: str
    size: int
    root: bytes
    time_ms: int

    def __post_init__(self) -> None:
        if not _ORIGIN.fullmatch(self.origin):
            raise ValueError("an origin is party/volume in letters, digits and . _ -")
        if not 0 <= self.size <= tree.MAX_SIZE or len(self.root) != tree.HASH_SIZE:
            raise ValueError("a checkpoint has a size and a 32-byte root")
        if not 0 <= self.time_ms <= MAX_TIME_MS:
            raise ValueError("a checkpoint's time is milliseconds since 1970")


class SignedCheckpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A checkpoint's text, the id of the key (thumbprint) and the SM2 signature (DER) over the text's UTF-8 bytes."""

    text: str
    key: str
    signature: bytes


class LedgerProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ledger", tag_field="type"):
    """Leaf ``index`` with its salt, the path to the root, and the signed checkpoint with that root."""

    index: int
    salt: bytes
    path: list[bytes]
    checkpoint: SignedCheckpoint


class DirectProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="direct", tag_field="type"):
    """One SM2 signature over the leaf hash and its time."""

    salt: bytes
    time_ms: Annotated[int, Meta(ge=0, le=MAX_TIME_MS)]
    key: str
    signature: bytes


Proof = LedgerProof | DirectProof


@dataclass(frozen=True, slots=True)
class ProofReason:
    """Why a proof does not hold; ``bad`` False means that it cannot be told (the key is not known here)."""

    code: str
    zh: str
    en: str
    bad: bool = True


WRONG_LEAF = ProofReason("wrong-leaf", "叶子无效：盐值或序号不合格式", "the leaf's salt or index is malformed")
WRONG_PATH = ProofReason(
    "wrong-path",
    "路径不通：由该报文算不出检查点的根",
    "the path does not lead from this entry to the checkpoint's root",
)
WRONG_FORM = ProofReason("wrong-checkpoint-form", "检查点文本不合格式", "the checkpoint text is malformed")
UNKNOWN_KEY = ProofReason("unknown-key", "签名密钥未知，无法判断", "the signing key is not known: cannot tell", False)
WRONG_SIGNATURE = ProofReason("wrong-signature", "签名不符", "the signature does not match")


def text(checkpoint: Checkpoint) -> bytes:
    """The checkpoint's text: five lines, each ended by LF; these bytes are what is signed."""
    c = checkpoint
    return CHECKPOINT_DOMAIN + f"{c.origin}\n{c.size}\n{c.root.hex()}\n{c.time_ms}\n".encode()


signing_bytes = text


def parse_text(data: bytes) -> Checkpoint | None:
    """The checkpoint that ``text`` made; None for any other bytes (one spelling: no leading zeros, no spaces)."""
    if len(data) > MAX_TEXT:
        return None
    try:
        found = _TEXT.fullmatch(data.decode("ascii"))
        return found and Checkpoint(found[1], int(found[2]), bytes.fromhex(found[3]), int(found[4]))
    except ValueError:
        return None


def checkpoint_of(proof: Proof) -> Checkpoint | None:
    """The parsed checkpoint of a ledger proof; None for a direct proof or a malformed text."""
    return parse_text(proof.checkpoint.text.encode()) if isinstance(proof, LedgerProof) else None


def stamped_bytes(signed: SignedCheckpoint) -> bytes:
    """What a time stamp over a checkpoint is over: domain line, its text, its key's id and its signature in hex."""
    return STAMPED_DOMAIN + f"{signed.text}{signed.key}\n{signed.signature.hex()}\n".encode()


def entry_digest(kind: str, message_id: str, digest: bytes) -> bytes:
    """What a leaf says: the message (id, SM3 of its header) was accepted, sent, …; ValueError on an unknown kind."""
    if kind not in KINDS or not _ID.fullmatch(message_id) or len(digest) != tree.HASH_SIZE:
        raise ValueError(f"not an entry: {kind!r}")
    return sm3(ENTRY_DOMAIN + f"{kind}\n{message_id}\n{digest.hex()}".encode())


def direct_bytes(leaf: bytes, time_ms: int) -> bytes:
    """What a direct proof's signature covers: domain line, time, leaf hash in hex."""
    return DIRECT_DOMAIN + f"{time_ms}\n{leaf.hex()}\n".encode()


def check_proof(entry: bytes, proof: Proof, *, verify: Verify) -> ProofReason | None:
    """None when the proof shows that its signer committed to ``entry``; otherwise the first reason, in this order:

    1. salt and index can be; 2. the checkpoint's form; 3. the path; 4. the key is known; 5. the signature.
    """
    if len(entry) != tree.HASH_SIZE or len(proof.salt) != tree.HASH_SIZE:
        return WRONG_LEAF
    leaf = tree.leaf_hash(proof.salt, entry)
    if isinstance(proof, DirectProof):
        return _signed(verify(proof.key, direct_bytes(leaf, proof.time_ms), proof.signature))
    checkpoint = checkpoint_of(proof)
    if checkpoint is None:
        return WRONG_FORM
    if not 0 <= proof.index < checkpoint.size:
        return WRONG_LEAF
    if not tree.check_inclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.root):
        return WRONG_PATH
    signed = proof.checkpoint
    return _signed(verify(signed.key, signed.text.encode(), signed.signature))


def _signed(outcome: bool | None) -> ProofReason | None:
    if outcome is None:
        return UNKNOWN_KEY
    return None if outcome else WRONG_SIGNATURE
