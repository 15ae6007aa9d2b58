"""``tongban ledger``: the append-only ledger (账本), as exported to a file: show, verify, prove."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from gateway.lang import say

if TYPE_CHECKING:
    from gateway.ledger.audit import CheckpointRecord, LeafRecord, LedgerHead, LedgerReport
    from gateway.ledger.checkpoint import Verify
    from gateway.ledger.package import Finding


class Exported(NamedTuple):
    """A ledger file taken apart."""

    head: LedgerHead
    leaves: list[LeafRecord]
    checkpoints: list[CheckpointRecord]


@click.group(help=say("账本：查看、核验、出具证明", "The ledger: show, verify, prove"))
def group() -> None:
    """The noun."""


@group.command(help=say("账本的条数、根与检查点", "Size, root and checkpoints of a ledger file"))
@click.argument("file", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help=say("输出 JSON", "JSON for machines"))
def show(file: str, as_json: bool) -> None:
    """What the file says of itself; nothing is verified."""
    from gateway.cli.output import finish
    from gateway.ledger import tree
    from gateway.ledger.checkpoint import parse_text

    exported = load(file)
    frontier, _ = tree.append(tree.Frontier(), [leaf.hash for leaf in exported.leaves])
    held = [
        {"size": found.size, "root": found.root.hex(), "time_ms": found.time_ms, "witness": record.witness}
        for record in exported.checkpoints
        if (found := parse_text(record.checkpoint.text.encode()))
    ]
    root = tree.root(frontier).hex()
    data = {"origin": exported.head.origin, "size": frontier.size, "root": root, "checkpoints": held}
    lines = [
        say(
            f"账本 {exported.head.origin}：{frontier.size} 条", f"ledger {exported.head.origin}: {frontier.size} leaves"
        )
    ]
    finish(True, data, as_json, [*lines, f"  {root}", *(f"  {c['size']:>8} {c['root']} {c['witness']}" for c in held)])


@group.command(help=say("核验账本，指出第一处问题", "Verify a ledger file and name the first bad leaf"))
@click.argument("file", type=click.Path())
@click.option(
    "--witness", "witnesses", multiple=True, type=click.Path(),
    help=say("对端持有的本账本检查点", "checkpoints of this ledger that a partner holds"),
)  # fmt: skip
@click.option(
    "--anchor", "anchors", multiple=True, type=click.Path(), help=say("可信的根证书", "a root certificate to trust")
)
@click.option("--json", "as_json", is_flag=True, help=say("输出 JSON", "JSON for machines"))
def verify(file: str, witnesses: tuple[str, ...], anchors: tuple[str, ...], as_json: bool) -> None:
    """Exit 0 whole, 1 changed, 2 cannot tell, 65 not a ledger."""
    from gateway.cli.output import finish
    from gateway.ledger.audit import audit

    exported = load(file)
    held = [*exported.checkpoints, *(record for path in witnesses for record in _witness(path))]
    check, about_card = _keys(exported.head, anchors)
    report = audit(exported.head.origin, exported.leaves, held, check)
    bad = any(finding.bad for finding in about_card)
    ok = False if bad else None if about_card and report.ok else report.ok
    data = {
        "size": report.size, "root": report.root.hex(), "first_bad": report.first_bad,
        "checkpoints": report.checkpoints, "witnesses": report.witnesses,
        "reasons": [
            *({"code": f.code, "zh": f.zh, "en": f.en, "index": None} for f in about_card),
            *({"code": f.code, "zh": f.zh, "en": f.en, "index": f.index if f.index >= 0 else None} for f in report.faults),
        ],
    }  # fmt: skip
    finish(ok, data, as_json, _lines(ok, report, about_card))


@group.command(help=say("出具一条的账本证明", "Prove one leaf"))
@click.argument("file", type=click.Path())
@click.option("--index", type=click.IntRange(min=0), help=say("第几条（自 0 起）", "number of the leaf, from 0"))
@click.option("--message", help=say("报文编号", "message id"))
@click.option("--json", "as_json", is_flag=True, help=say("输出 JSON", "JSON for machines"))
def prove(file: str, index: int | None, message: str | None, as_json: bool) -> None:
    """The proof under the first checkpoint that covers the leaf."""
    from gateway.cli.output import finish

    if (index is None) == (message is None):
        raise click.UsageError(say("请给出 --index 或 --message 之一", "give either --index or --message"))
    exported = load(file)
    leaf = next((one for one in exported.leaves if one.index == index or one.id == message), None)
    proof = _prove(exported, leaf) if leaf else None
    if leaf is None or proof is None:
        zh, en = "账本中没有这一条，或尚无检查点覆盖它", "no such leaf, or no checkpoint covers it yet"
        finish(False, {"reason": "not-proved", "text": say(zh, en)}, as_json, [say(zh, en)])
    data = {"kind": leaf.kind, "id": leaf.id, "digest": leaf.digest, "index": leaf.index, "proof": proof}
    text = say(
        f"第 {leaf.index} 条（{leaf.kind} {leaf.id}）的证明：", f"proof of leaf {leaf.index} ({leaf.kind} {leaf.id}):"
    )
    import msgspec

    finish(True, data, as_json, [text, msgspec.json.encode(proof).decode()])


def _prove(exported: Exported, leaf: LeafRecord) -> object | None:
    from gateway.ledger import tree
    from gateway.ledger.checkpoint import LedgerProof, parse_text

    covering = sorted(
        (found.size, found.root, record.checkpoint)
        for record in exported.checkpoints
        if not record.witness
        and (found := parse_text(record.checkpoint.text.encode()))
        and leaf.index < found.size <= len(exported.leaves)
    )
    if not covering or not leaf.salt:
        return None
    size, root, checkpoint = covering[0]
    _, nodes = tree.append(tree.Frontier(), [one.hash for one in exported.leaves[:size]])
    by_place = {(level, index): node for level, index, node in nodes}
    path = tree.inclusion_path(leaf.index, size, lambda level, index: by_place[level, index])
    if not tree.check_inclusion(leaf.hash, leaf.index, size, path, root):
        return None
    return LedgerProof(leaf.index, leaf.salt, path, checkpoint)


def load(path: str) -> Exported:
    """A ledger file, or exit 65 with what and where."""
    from gateway.cli.output import read_bytes, unreadable
    from gateway.ledger.audit import read_ledger

    try:
        return Exported(*read_ledger(read_bytes(path)))
    except ValueError as error:
        unreadable(path, f"第 {error} 行不是账本记录", f"line {error} is not a ledger record")


def _witness(path: str) -> Iterator[CheckpointRecord]:
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


def _keys(head: LedgerHead, anchors: tuple[str, ...]) -> tuple[Verify, Sequence[Finding]]:
    """Who may sign this ledger's checkpoints: the keys of its owner's card in the file, chained to the anchors given."""
    from gateway.cli.anchors import open_checking_provider, read_anchors
    from gateway.ledger.evidence import Pool
    from gateway.ledger.keybook import read_cards
    from gateway.ledger.package import Finding
    from gateway.ledger.records import CardRecord
    from gateway.ledger.trust import compose
    from signing import certs, sm2
    from signing.errors import Rejected

    provider, party = open_checking_provider(), head.origin.split("/")[0]
    cards = [(1, CardRecord(party=party, card=head.card))] if head.card else []
    book, findings = read_cards(cards, provider)
    given = read_anchors(anchors)
    for identity in book.identities if given else ():
        at_ms = int(certs.parse(identity.certificate).not_before.timestamp() * 1000)
        for reason in compose(provider, given).chain(identity.certificate, Pool([], []), at_ms):
            findings.append(Finding("chains", reason.code, reason.zh, reason.en, bad=isinstance(reason, Rejected)))

    def check(key: str, data: bytes, signature: bytes) -> bool | None:
        known = book.find(party, "checkpoint", key)
        if known is None:
            return None
        return sm2.verify(provider, known.public, data, signature, signer_id=sm2.DEFAULT_ID)

    return check, findings


def _lines(ok: bool | None, report: LedgerReport, about_card: Sequence[Finding]) -> Iterator[str]:
    verdict = {True: ("完好", "whole"), False: ("有问题", "not whole"), None: ("无法判断", "cannot tell")}[ok]
    yield say(
        f"账本 {report.size} 条，检查点 {report.checkpoints} 个，对端持有 {report.witnesses} 个：{verdict[0]}",
        f"{report.size} leaves, {report.checkpoints} checkpoints, {report.witnesses} held by partners: {verdict[1]}",
    )
    for finding in about_card:
        yield f"  ✗ {say(finding.zh, finding.en)} [{finding.code}]"
    for fault in report.faults:
        yield f"  {'✗' if fault.bad else '?'} {say(fault.zh, fault.en)} [{fault.code}]"
    if report.first_bad is not None:
        yield say(f"第一处问题：第 {report.first_bad} 条", f"first bad leaf: {report.first_bad}")
