"""Where ``tongban ledger`` reads from: an exported file, or the node of a configuration when no file is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gateway.ledger.audit import CheckpointRecord, LeafRecord, LedgerHead
    from gateway.ledger.checkpoint import Verify
    from gateway.ledger.package import Finding
    from gateway.ops.ledger_file import Held


class Source(NamedTuple):
    """A ledger taken apart; ``held``: what the node holds of its partners' ledgers (none in a file)."""

    head: LedgerHead
    leaves: list[LeafRecord]
    checkpoints: list[CheckpointRecord]
    held: Sequence[Held] = ()


def load(file: str | None, config: str) -> Source:
    """The file's ledger, or exit 65 with what and where; the node's own for None (``ConfigError`` as in ``on_node``)."""
    from gateway.cli.output import read_bytes, unreadable
    from gateway.ledger.audit import read_ledger

    if file is None:
        return _node(config)
    try:
        return Source(*read_ledger(read_bytes(file)))
    except ValueError as error:
        unreadable(file, f"第 {error} 行不是账本记录", f"line {error} is not a ledger record")


def _node(config: str) -> Source:
    from gateway.cli.node import open_node
    from gateway.ops import ledger_file

    node = open_node(config)
    reader = node.reader
    return Source(
        ledger_file.head(node.base, reader), ledger_file.leaves(reader), list(ledger_file.checkpoints(reader)),
        ledger_file.held(reader),
    )  # fmt: skip


def witness(path: str) -> Iterator[CheckpointRecord]:
    """Checkpoints in a partner's file: one signed checkpoint per line, the file's name as the witness."""
    from pathlib import Path

    import msgspec

    from gateway.cli.output import read_bytes, unreadable
    from gateway.ledger.audit import CheckpointRecord
    from gateway.ledger.checkpoint import SignedCheckpoint

    for number, line in enumerate(read_bytes(path, 16 << 20).splitlines(), 1):
        try:
            yield CheckpointRecord(msgspec.json.decode(line, type=SignedCheckpoint), Path(path).stem)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            unreadable(path, f"第 {number} 行不是检查点", f"line {number} is not a signed checkpoint")


def keys(head: LedgerHead, anchors: tuple[str, ...]) -> tuple[Verify, Sequence[Finding]]:
    """Who may sign this ledger's checkpoints: the keys of its owner's card, chained to the anchors if any are given."""
    from gateway.cli.anchors import open_checking_provider, read_anchors
    from gateway.ledger.checks import Pool
    from gateway.ledger.keybook import read_cards
    from gateway.ledger.package import Finding
    from gateway.ledger.records import CardRecord
    from gateway.ledger.trust import compose
    from signing import certs, sm2
    from signing.errors import Rejected

    provider, party = open_checking_provider(), head.origin.split("/")[0]
    published = [*head.earlier, head.card] if head.card else []
    cards = [(1, CardRecord(party=party, card=card)) for card in published]
    book, findings = read_cards(cards, provider)
    given = read_anchors(anchors)
    for identity in book.identities if given else ():
        at_ms = int(certs.parse(identity.certificate).not_before.timestamp() * 1000)
        for reason in compose(provider, given, now_ms=at_ms).chain(identity.certificate, Pool([], []), at_ms, at_ms):
            findings.append(Finding("chains", reason.code, reason.zh, reason.en, bad=isinstance(reason, Rejected)))

    def check(key: str, data: bytes, signature: bytes) -> bool | None:
        known = book.find(party, "checkpoint", key)
        if known is None:
            return None
        return sm2.verify(provider, known.public, data, signature, signer_id=sm2.DEFAULT_ID)

    return check, findings
