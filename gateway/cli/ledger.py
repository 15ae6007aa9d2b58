"""``tongban ledger``: the append-only ledger (账本), a node's own or exported to a file: show, verify, prove, export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from gateway.cli.node import CONFIG, JSON, on_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.cli.ledger_source import Source
    from gateway.ledger.audit import LeafRecord, LedgerReport
    from gateway.ledger.package import Finding

FILE = click.argument("file", type=click.Path(), required=False)
ANCHOR = click.option(
    "--anchor", "anchors", multiple=True, type=click.Path(), help=say("可信的根证书", "a root certificate to trust")
)


@click.group(help=say("账本：查看、核验、出具证明", "The ledger: show, verify, prove"))
def group() -> None:
    """The noun."""


@group.command(
    help=say(
        "账本的条数、根与检查点（不给文件时为本节点）", "Size, root and checkpoints; of this node if no file is given"
    )
)
@FILE
@CONFIG
@JSON
@on_node
def show(file: str | None, path: str, as_json: bool) -> None:
    """What the ledger says of itself, and the partners' checkpoints held; nothing is verified."""
    import msgspec

    from gateway.cli.ledger_source import load
    from gateway.cli.output import finish
    from gateway.ledger import tree
    from gateway.ledger.checkpoint import parse_text

    source = load(file, path)
    usable = [leaf.hash for leaf in source.leaves if len(leaf.hash) == tree.HASH_SIZE]
    root = tree.root(tree.append(tree.Frontier(), usable)[0]).hex() if len(usable) == len(source.leaves) else ""
    own = [
        {"size": found.size, "root": found.root.hex(), "time_ms": found.time_ms, "witness": record.witness}
        for record in source.checkpoints
        if (found := parse_text(record.checkpoint.text.encode()))
    ]
    held = [{"party": one.party, "checkpoint": msgspec.to_builtins(one.checkpoint)} for one in source.held]
    data = {"origin": source.head.origin, "size": len(source.leaves), "root": root, "checkpoints": own, "held": held}
    zh = f"账本 {source.head.origin}：{len(source.leaves)} 条，检查点 {len(own)} 个"
    en = f"ledger {source.head.origin}: {len(source.leaves)} leaves, {len(own)} checkpoints"
    lines = [say(zh, en), f"  {root}", *(f"  {c['size']:>8} {c['root']} {c['witness']}".rstrip() for c in own[-5:])]
    for one in source.held:
        lines.append(say(f"持有 {one.party} 的检查点：", f"holds of {one.party}:"))
        lines.append(f"  {one.checkpoint.text.split(chr(10))[2]:>8} {one.checkpoint.text.split(chr(10))[3]}")
    finish(True, data, as_json, lines)


@group.command(help=say("核验账本，指出第一处问题", "Verify a ledger and name the first bad leaf"))
@FILE
@click.option(
    "--witness", "witnesses", multiple=True, type=click.Path(),
    help=say("对端持有的本账本检查点", "checkpoints of this ledger that a partner holds"),
)  # fmt: skip
@ANCHOR
@CONFIG
@JSON
@on_node
def verify(file: str | None, witnesses: tuple[str, ...], anchors: tuple[str, ...], path: str, as_json: bool) -> None:
    """Exit 0 whole, 1 changed, 2 cannot tell, 65 not a ledger."""
    from gateway.cli import ledger_source
    from gateway.cli.output import finish
    from gateway.ledger.audit import audit

    source = ledger_source.load(file, path)
    held = [*source.checkpoints, *(record for name in witnesses for record in ledger_source.witness(name))]
    check, about_card = ledger_source.keys(source.head, anchors)
    report = audit(source.head.origin, source.leaves, held, check)
    bad = any(finding.bad for finding in about_card)
    ok = False if bad else None if about_card and report.ok else report.ok
    told: list[dict[str, object]] = [{"code": f.code, "zh": f.zh, "en": f.en, "index": None} for f in about_card]
    told += [
        {"code": f.code, "zh": f.zh, "en": f.en, "index": f.index if f.index >= 0 else None} for f in report.faults
    ]
    data = {
        "size": report.size, "root": report.root.hex(), "first_bad": report.first_bad,
        "checkpoints": report.checkpoints, "witnesses": report.witnesses, "reasons": told,
    }  # fmt: skip
    finish(ok, data, as_json, _lines(ok, report, about_card))


@group.command(help=say("出具一条的账本证明", "Prove one leaf"))
@FILE
@click.option("--index", type=click.IntRange(min=0), help=say("第几条（自 0 起）", "number of the leaf, from 0"))
@click.option("--message", help=say("报文编号", "message id"))
@click.option("--kind", help=say("条目类别（sent、accepted …）", "kind of the entry (sent, accepted …)"))
@CONFIG
@JSON
@on_node
def prove(file: str | None, index: int | None, message: str | None, kind: str | None, path: str, as_json: bool) -> None:
    """The proof under the first checkpoint that covers the leaf."""
    import msgspec

    from gateway.cli.ledger_source import load
    from gateway.cli.output import finish

    if (index is None) == (message is None):
        raise click.UsageError(say("请给出 --index 或 --message 之一", "give either --index or --message"))
    source = load(file, path)
    wanted = (one for one in source.leaves if one.index == index or one.id == message)
    leaf = next((one for one in wanted if kind in (None, one.kind)), None)
    proof = _prove(source, leaf) if leaf else None
    if leaf is None or proof is None:
        zh, en = "账本中没有这一条，或尚无检查点覆盖它", "no such leaf, or no checkpoint covers it yet"
        finish(False, {"reason": "not-proved", "text": say(zh, en)}, as_json, [say(zh, en)])
    data = {"kind": leaf.kind, "id": leaf.id, "index": leaf.index, "entry": leaf.entry.hex(), "proof": proof}
    text = say(
        f"第 {leaf.index} 条（{leaf.kind} {leaf.id}）的证明：", f"proof of leaf {leaf.index} ({leaf.kind} {leaf.id}):"
    )
    finish(True, data, as_json, [text, msgspec.json.encode(proof).decode()])


@group.command(help=say("把本节点的账本导出为文件", "Export this node's ledger to a file"))
@click.option("--out", "-o", required=True, type=click.Path(), metavar="F", help=say("输出文件", "output file"))
@CONFIG
@JSON
@on_node
def export(out: str, path: str, as_json: bool) -> None:
    """Leaves with their salts: the file lets its reader link leaves to messages, so it is for its owner alone."""
    from gateway.cli.ledger_source import load
    from gateway.cli.node import write_private
    from gateway.cli.output import finish
    from gateway.ledger.audit import write_ledger

    source = load(None, path)
    data = write_ledger(source.head, [*source.leaves, *source.checkpoints])
    write_private(out, data)
    text = say(f"已导出 {out}（{len(source.leaves)} 条）", f"written: {out} ({len(source.leaves)} leaves)")
    finish(True, {"file": out, "size": len(source.leaves), "bytes": len(data)}, as_json, [text])


def _prove(source: Source, leaf: LeafRecord) -> object | None:
    from gateway.ledger import tree
    from gateway.ledger.checkpoint import LedgerProof, parse_text

    covering = sorted(
        (found.size, found.root, record.checkpoint)
        for record in source.checkpoints
        if not record.witness
        and (found := parse_text(record.checkpoint.text.encode()))
        and leaf.index < found.size <= len(source.leaves)
    )
    if not covering or not leaf.salt:
        return None
    size, root, checkpoint = covering[0]
    _, nodes = tree.append(tree.Frontier(), [one.hash for one in source.leaves[:size]])
    by_place = {(level, index): node for level, index, node in nodes}
    path = tree.inclusion_path(leaf.index, size, lambda level, index: by_place[level, index])
    if not tree.check_inclusion(leaf.hash, leaf.index, size, path, root):
        return None
    return LedgerProof(leaf.index, leaf.salt, path, checkpoint)


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
