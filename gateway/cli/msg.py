"""``tongban msg``: messages between gateways and to the local platform, their proofs, and sending again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, REASON, REVEAL, Files, no, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.flow.show import Letter

_MESSAGE = click.argument("message", metavar=say("报文", "MESSAGE"))


@click.group(help=say("报文：查看、重发", "Messages: list, show, resend"))
def group() -> None:
    """The noun."""


@group.command("list", help=say("最近的报文", "The newest messages"))
@click.option(
    "--state", default="", metavar="S", help=say("投递状态，open 为所有未完成的", "delivery state; open: all not done")
)
@click.option(
    "--to", "destination", default="", metavar="D", help=say("目的地 peer:… 或 platform:…", "peer:… or platform:…")
)
@click.option(
    "--type", "type_", default="", metavar="T", help=say("报文类型，如 application", "type, such as application")
)
@click.option("--case", default="", help=say("只看一个办件", "of one case"))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=say("最多几份", "at most"))
@CONFIG
@JSON
@on_node
def list_(state: str, destination: str, type_: str, case: str, limit: int, path: str, as_json: bool) -> None:
    """Exit 0 also when there is none."""
    from gateway.cli.case import letter_data, letter_line, only
    from gateway.cli.output import finish
    from gateway.cli.times import local
    from gateway.core.delivery import State
    from gateway.flow import show

    if state and state != "open" and state not in set(State):
        known = ", ".join(["open", *State])
        raise click.BadParameter(
            say(f"没有这个状态；有：{known}", f"no such state; there are: {known}"), param_hint="--state"
        )
    node = open_node(path)
    if case:
        found = show.letters(node.reader, only(node, case, as_json).id)[-limit:]
    else:
        found = show.newest(node.reader, state=state, destination=destination, type_=type_, limit=limit)
    lines = [f"{local(one.created_ms)}  {letter_line(one)}" for one in found] or [say("没有报文", "no messages")]
    finish(True, {"messages": [letter_data(one) for one in found]}, as_json, lines)


@group.command(help=say("一份报文：报文头、证明、投递", "One message: header, proofs, delivery"))
@_MESSAGE
@REVEAL
@REASON
@CONFIG
@JSON
@on_node
def show(message: str, reveal: bool, reason: str, path: str, as_json: bool) -> None:
    """Exit 1 when there is no such message."""
    from gateway.cli import node as shared
    from gateway.cli.case import letter_data, letter_line
    from gateway.cli.output import finish
    from gateway.flow import casefile, inquiries
    from gateway.flow import reveal as clear
    from gateway.flow import show as reads

    node = open_node(path)
    found = _only(reads.letter(node.reader, message), as_json)
    data = letter_data(found) | _stored(node, found)
    lines = [letter_line(found), *_lines(data)]
    if reveal:
        import msgspec

        shared.reveal(node, reason, found.id)
        of = casefile.load(node.reader, found.case_id) or inquiries.load(node.reader, found.case_id)
        body = clear.body(node.reader, node.vault, of, found.id) if of is not None else None
        row = node.reader.one("SELECT cause FROM delivery WHERE message = ?", found.id)
        data["body"], data["cause"] = msgspec.to_builtins(body), row[0] if row else ""
        lines += [msgspec.json.format(msgspec.json.encode(data["body"])).decode(), data["cause"]]
    finish(True, data, as_json, lines)


def _only(found: Letter | None, as_json: bool) -> Letter:
    if found is None:
        no("没有这份报文", "there is no such message", as_json, "TB-5001")
    return found


def _stored(node: Files, found: Letter) -> dict[str, Any]:
    """Header (without names of files) and where the proofs stand in which ledger."""
    from gateway.exchange.message import decode_header, digest

    row = node.reader.one("SELECT header, leaf, sent_leaf, proof, receipt, mapping FROM message WHERE id = ?", found.id)
    if row is None:
        return {"header": None, "digest": "", "proofs": [], "mapping": ""}
    data, leaf, sent_leaf, proof, receipt, mapping = row
    kinds = (("platform" if found.direction == "out" else "accepted", leaf), ("sent", sent_leaf))
    proofs: list[dict[str, Any]] = [
        {
            "kind": "refused" if kind == "accepted" and found.status == "refused" else kind,
            "ledger": "ours",
            "index": index,
        }
        for kind, index in kinds
        if index is not None
    ]
    proofs += [
        _theirs(kind, stored) for kind, stored in (("sent", proof), (found.answer or "receipt", receipt)) if stored
    ]
    if data is None:
        return {"header": None, "digest": "", "proofs": proofs, "mapping": mapping}
    header = decode_header(data)
    shown = {
        "from": header.sender, "to": header.to, "seq": header.seq, "seen": header.seen, "agreement": header.agreement,
        "agreement_version": header.agreement_version, "item": header.item, "case": header.case,
        "body_size": header.body_size, "body_sm3": header.body,
        "parts": [{"sm3": part.sm3, "size": part.size, "role": part.role} for part in header.parts],
        "sealed_to": header.sealed.key if header.sealed else "",
    }  # fmt: skip
    return {"header": shown, "digest": digest(data).hex(), "proofs": proofs, "mapping": mapping}


def _theirs(kind: str, stored: bytes) -> dict[str, Any]:
    import msgspec

    from gateway.ledger.checkpoint import LedgerProof, checkpoint_of

    proof = msgspec.json.decode(stored, type=LedgerProof)
    checkpoint = checkpoint_of(proof)
    return {
        "kind": kind, "ledger": checkpoint.origin if checkpoint else "", "index": proof.index,
        "size": checkpoint.size if checkpoint else None, "key": proof.checkpoint.key,
    }  # fmt: skip


def _lines(data: dict[str, Any]) -> Iterator[str]:
    yield say(f"  办件 {data['case']}", f"  case {data['case']}")
    if data["mapping"]:
        yield say(f"  映射 {data['mapping']}", f"  mapped by {data['mapping']}")
    if header := data["header"]:
        yield f"  {header['from']} → {header['to']}  seq {header['seq']}  seen {header['seen']}"
        yield f"  {header['agreement']} v{header['agreement_version']}  {header['item']}  SM3 {data['digest']}"
        if header["sealed_to"]:
            yield say(f"  端到端加密，密钥 {header['sealed_to']}", f"  sealed end to end for key {header['sealed_to']}")
        for part in header["parts"]:
            yield f"    {part['role']} {part['size']} {part['sm3']}"
    for proof in data["proofs"]:
        ledger = say("本方账本", "our ledger") if proof["ledger"] == "ours" else proof["ledger"]
        yield say(
            f"  证明 {proof['kind']}：{ledger} 第 {proof['index']} 条",
            f"  proof {proof['kind']}: {ledger} #{proof['index']}",
        )


@group.command(
    help=say("继续投递（同一份字节；搁置的先询问对方）", "Let it go on: same bytes, what was parked is asked about")
)
@_MESSAGE
@REASON
@CONFIG
@JSON
@on_node
def resend(message: str, reason: str, path: str, as_json: bool) -> None:
    """Exit 1 when it is done already or waits for a person's word (deadletter resolve)."""
    from gateway.flow import operate

    node = open_node(path)
    with node.change() as tx:
        destination, state = operate.resend(tx, message, reason)
    told(node, message, destination, state.value, as_json)


def told(node: Files, message: str, destination: str, state: str, as_json: bool) -> None:
    """Say how a delivery stands after a change, and whether the running gateway has heard of it."""
    from gateway.cli.case import STATES
    from gateway.cli.output import finish

    heard = node.wake(destination)
    lines = [f"{message}  {destination}  {say(*STATES[state])}"]
    if not heard:
        lines.append(
            say("网关未应答；运行时会在半分钟内自行发现", "the gateway did not answer; it finds out within 30 s")
        )
    finish(
        True, {"message": message, "destination": destination, "state": state, "gateway_told": heard}, as_json, lines
    )
