"""A whole ledger checked (账本核验): leaves in order, stored hashes, own checkpoints, and what partners hold of it.

``audit`` names the first bad index. An edited, deleted, inserted or moved leaf is found by its own hash or number; a leaf
changed together with its hash by the next checkpoint; a cut tail, and a ledger rebuilt with the stolen key, only by the
checkpoints that others hold (witnesses).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from gateway.ledger import tree
from gateway.ledger.checkpoint import Checkpoint, SignedCheckpoint, Verify, entry_digest, parse_text

FORMAT: Final = "tongban/v1/ledger"


class LedgerHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="record", tag="ledger"):
    """First line of an exported ledger: origin, the owner's signed card (bytes as published, may be empty), and those of its
    earlier cards that named keys which this one leaves out."""

    format: Literal["tongban/v1/ledger"]
    origin: str
    card: bytes = b""
    earlier: list[bytes] = []


class LeafRecord(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="record", tag="leaf", omit_defaults=True
):
    """One leaf: the entry digest it commits to, its salt, and the hash as stored. ``digest`` (hex) is what the entry is
    about, where its owner can still tell. A shredded leaf has an empty salt: only its hash is left."""

    index: int
    kind: str
    id: str
    entry: bytes
    salt: bytes
    hash: bytes
    digest: Annotated[str, Meta(pattern=r"^(?:[0-9a-f]{64})?\Z")] = ""


class CheckpointRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="record", tag="checkpoint"):
    """One of the ledger's own checkpoints, or (``witness``: who holds it) one that a partner holds of it."""

    checkpoint: SignedCheckpoint
    witness: str = ""


LedgerRecord = LedgerHead | LeafRecord | CheckpointRecord


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong and from which leaf on (-1: not about a leaf). ``bad`` False: cannot be told."""

    code: str
    zh: str
    en: str
    index: int = -1
    bad: bool = True


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """``first_bad``: the lowest index that a fault names, None if there is none."""

    ok: bool | None
    size: int
    root: bytes
    checkpoints: int
    witnesses: int
    first_bad: int | None
    faults: tuple[Fault, ...]


def audit(
    origin: str, leaves: Iterable[LeafRecord], checkpoints: Sequence[CheckpointRecord], verify: Verify
) -> LedgerReport:
    """Walk the leaves once, comparing the root wherever a checkpoint states one.

    1. every checkpoint is of this ledger, well-formed and signed; 2. every leaf has its number and its hash; 3. the root
    at each checkpoint's size; 4. no checkpoint is beyond the end; 5. size and time rise together.
    """
    faults: list[Fault] = []
    stated = sorted(_signed(origin, checkpoints, verify, faults), key=lambda s: s[0].size)
    pending = iter(stated)
    waiting = next(pending, None)
    frontier, good = tree.Frontier(), 0
    for count, leaf in enumerate(leaves):
        while waiting is not None and waiting[0].size == count:
            good = _compare(frontier, waiting, good, faults)
            waiting = next(pending, None)
        stored = _leaf(leaf, count, faults)
        frontier, _ = tree.append(frontier, [stored])
    while waiting is not None and waiting[0].size == frontier.size:
        good = _compare(frontier, waiting, good, faults)
        waiting = next(pending, None)
    faults.extend(_beyond(frontier.size, waiting, pending))
    faults.extend(_times([c for c, witness in stated if not witness]))
    return _report(frontier, stated, faults)


def read_ledger(data: bytes) -> tuple[LedgerHead, list[LeafRecord], list[CheckpointRecord]]:
    """An exported ledger (JSON Lines). ``ValueError`` with the line's number for anything else."""
    decoder: msgspec.json.Decoder[LedgerRecord] = msgspec.json.Decoder(LedgerRecord)
    head: LedgerHead | None = None
    leaves: list[LeafRecord] = []
    checkpoints: list[CheckpointRecord] = []
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), 1):
        try:
            record = decoder.decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise ValueError(number) from None
        if isinstance(record, LedgerHead) is not (number == 1):
            raise ValueError(number)
        match record:
            case LedgerHead():
                head = record
            case LeafRecord():
                leaves.append(record)
            case CheckpointRecord():
                checkpoints.append(record)
    assert head is not None  # noqa: S101 - line 1 is one or has raised
    return head, leaves, checkpoints


def write_ledger(head: LedgerHead, records: Iterable[LeafRecord | CheckpointRecord]) -> bytes:
    """An exported ledger: head, leaves in order, checkpoints."""
    return msgspec.json.Encoder(order="sorted").encode_lines([head, *records])


def _signed(
    origin: str, checkpoints: Sequence[CheckpointRecord], verify: Verify, faults: list[Fault]
) -> Iterator[tuple[Checkpoint, str]]:
    for record in checkpoints:
        signed, data = record.checkpoint, record.checkpoint.text.encode()
        checkpoint = parse_text(data)
        if checkpoint is None or checkpoint.origin != origin:
            faults.append(
                Fault("checkpoint-form", "检查点不合格式或不是本账本的", "a checkpoint is malformed or another's")
            )
            continue
        outcome = verify(signed.key, data, signed.signature)
        if outcome is None:
            zh, en = "检查点的签名密钥未知，无法判断", "a checkpoint's key is not known: cannot tell"
            faults.append(Fault("unknown-key", zh, en, bad=False))
        elif not outcome:
            zh = f"第 {checkpoint.size} 条处的检查点签名不符"
            faults.append(Fault("wrong-signature", zh, f"the checkpoint at {checkpoint.size} is not signed by its key"))
            continue
        yield checkpoint, record.witness


def _leaf(leaf: LeafRecord, count: int, faults: list[Fault]) -> bytes:
    """The leaf's hash to go on with, noting a wrong number or a hash that its content does not have."""
    if leaf.index != count and not any(fault.code == "leaf-order" for fault in faults):
        zh = f"第 {count} 条的位置上是第 {leaf.index} 条：有删除、插入或调换"
        en = f"leaf {leaf.index} stands where leaf {count} should: one was deleted, inserted or moved"
        faults.append(Fault("leaf-order", zh, en, count))
    if not leaf.salt:
        return leaf.hash if len(leaf.hash) == tree.HASH_SIZE else bytes(tree.HASH_SIZE)
    try:
        computed = tree.leaf_hash(leaf.salt, leaf.entry)
        told = not leaf.digest or entry_digest(leaf.kind, leaf.id, bytes.fromhex(leaf.digest)) == leaf.entry
    except ValueError:
        computed, told = bytes(tree.HASH_SIZE), False
    if computed != leaf.hash or not told:
        zh, en = (
            f"第 {count} 条的内容与其叶子不符：被改动",
            f"leaf {count} was edited: its content does not have its hash",
        )
        faults.append(Fault("leaf-edited", zh, en, count))
    return computed


def _compare(frontier: tree.Frontier, stated: tuple[Checkpoint, str], good: int, faults: list[Fault]) -> int:
    """Size up to which all is confirmed, after comparing one checkpoint. Only the first difference is told."""
    checkpoint, witness = stated
    if tree.root(frontier) == checkpoint.root:
        return checkpoint.size
    code = "split-view" if witness else "root-differs"
    named = any(good <= fault.index < checkpoint.size for fault in faults)  # the very leaf is known already
    if any(fault.code == code for fault in faults) or (named and not witness):
        return good
    if witness:
        zh = f"{witness} 持有的检查点（{checkpoint.size} 条）与本账本不符：账本分叉或被重建"
        en = f"the checkpoint that {witness} holds at {checkpoint.size} is not of this ledger: split view or rebuilt"
    else:
        zh = f"第 {good} 至 {checkpoint.size - 1} 条之间被改动：与检查点的根不符"
        en = f"something between leaves {good} and {checkpoint.size - 1} was changed: the checkpoint's root differs"
    faults.append(Fault(code, zh, en, good))
    return good


def _beyond(
    size: int, waiting: tuple[Checkpoint, str] | None, rest: Iterator[tuple[Checkpoint, str]]
) -> Iterator[Fault]:
    for checkpoint, witness in [waiting, *rest] if waiting else []:
        who_zh, who_en = (
            (f"{witness} 持有的检查点", f"the checkpoint {witness} holds") if witness else ("检查点", "a checkpoint")
        )
        zh = f"账本只有 {size} 条，而{who_zh}写明 {checkpoint.size} 条：尾部被截断"
        en = f"the ledger has {size} leaves and {who_en} says {checkpoint.size}: its tail was cut off"
        yield Fault("truncated", zh, en, size)
        return


def _times(checkpoints: Sequence[Checkpoint]) -> Iterator[Fault]:
    latest = 0
    for checkpoint in checkpoints:
        if checkpoint.time_ms < latest:
            zh, en = f"第 {checkpoint.size} 条处时间倒退", f"time went back at size {checkpoint.size}"
            yield Fault("time-went-back", zh, en, max(checkpoint.size - 1, 0))
            return
        latest = checkpoint.time_ms


def _report(frontier: tree.Frontier, stated: Sequence[tuple[Checkpoint, str]], faults: list[Fault]) -> LedgerReport:
    bad = any(fault.bad for fault in faults)
    return LedgerReport(
        ok=False if bad else (None if faults else True),
        size=frontier.size,
        root=tree.root(frontier),
        checkpoints=sum(not witness for _, witness in stated),
        witnesses=sum(bool(witness) for _, witness in stated),
        first_bad=min((fault.index for fault in faults if fault.index >= 0), default=None),
        faults=tuple(faults),
    )
