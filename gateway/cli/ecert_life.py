"""``tongban ecert list|status``: the certificates that a node issued (电子证照登记), read beside it; nothing is decrypted."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.cert_tools import MOMENT
from gateway.cli.ecert_named import IDENTIFIER, check_char
from gateway.cli.node import CONFIG, JSON, Files, no, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.flow.issued import Issued, Step


@click.command("list", help=say("本节点签发的证照", "The certificates that this node issued"))
@click.option(
    "--status", "wanted", default="", metavar="S", help=say("状态，如 valid、expired", "status, such as valid")
)
@click.option("--type", "type_code", default="", metavar="CODE", help=say("证照类型代码", "type code"))
@click.option("--holder", default="", metavar="CODE", help=say("持证主体代码（只比对盲索引）", "holder (blind index)"))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=say("最多几份", "at most"))
@CONFIG
@JSON
@on_node
def list_(wanted: str, type_code: str, holder: str, limit: int, path: str, as_json: bool) -> None:
    """Newest first. Exit 0 also when there is none."""
    from gateway.cli.output import finish
    from gateway.cli.times import local
    from gateway.core.ecert import Standing
    from gateway.flow import issued
    from gateway.ids import now_ms

    if wanted and wanted not in set(Standing):
        known = ", ".join(Standing)
        raise click.BadParameter(say(f"应为 {known}", f"one of {known}"), param_hint="--status")
    node, at_ms = open_node(path), now_ms()
    blind = node.vault.blind(holder.strip().upper()) if holder else None
    each = (_data(node, row, at_ms) for row in issued.newest_first(node.reader, type_code, blind))
    found = list(islice((one for one in each if wanted in ("", one["status"])), limit))
    lines = [f"{local(one['created_ms'])}  {one['identifier']}  {one['text']}  {_term(one)}" for one in found]
    finish(True, {"certificates": found}, as_json, lines or [say("没有证照", "no certificates")])


@click.command("status", help=say("一份证照现在或当时的状态、各项许可、历次行为", "How a certificate stands or stood"))
@IDENTIFIER
@click.option("--at", type=MOMENT, metavar="TIME", help=say("当时（默认现在）", "as of this time (default: now)"))
@CONFIG
@JSON
@on_node
def status(identifier: str, at: datetime | None, path: str, as_json: bool) -> None:
    """Exit 0 valid, 1 not, 2 not yet stamped, or no register here to ask."""
    from gateway.cli.output import finish
    from gateway.cli.times import local
    from gateway.flow import issued
    from gateway.ids import now_ms

    _no_register(identifier, path, as_json)
    node = open_node(path)
    row = issued.by_identifier(node.reader, identifier)
    at_ms = int(at.timestamp() * 1000) if at else now_ms()
    if row is None or issued.stands(node.reader, row, at_ms) is None:
        no("本节点没有签发过这份证照", "this node has not issued this certificate", as_json, "TB-7001")
    data, steps = _data(node, row, at_ms), issued.history(node.reader, row.id)
    data["history"] = [_step(one) for one in steps]
    lines = [f"{identifier}  {data['text']}  {_term(data)}"]
    lines += [f"  {one['id']}  {one['text']}" for one in data["permits"]]
    lines += [f"  {local(one.at_ms)}  {_act_words(one)}" for one in steps]
    finish({"valid": True, "stamping": None}.get(data["status"], False), data, as_json, lines)


def _no_register(identifier: str, path: str, as_json: bool) -> None:
    """A file alone does not say whether it was revoked since; its issuer's node does."""
    from pathlib import Path

    from gateway.cli.output import finish

    if Path(path).exists():
        return
    zh, en = (
        "这里没有颁发方的登记簿，状态不能确定：请问颁发机构，或扫二维码",
        "no register here: ask the issuer, or scan the QR code",
    )
    reason = {"code": "no-register", "text": say(zh, en)}
    data = {
        "identifier": identifier,
        "check_char": check_char(identifier),
        "seal": None,
        "status": "unknown",
        "reasons": [reason],
    }
    finish(None, data, as_json, [f"{identifier}  {say(zh, en)}"])


def _data(node: Files, row: Issued, at_ms: int) -> dict[str, Any]:
    """A certificate for machines; nothing personal is in it."""
    from gateway.core.ecert import Standing
    from gateway.flow import issued

    stood = issued.stands(node.reader, row, at_ms)
    standing = stood.standing if stood else Standing.STAMPING
    return {
        "identifier": row.identifier, "check_char": check_char(row.identifier), "seal": bool(row.file), "reasons": [],
        "version": row.version, "type": row.type_code, **_words(standing),
        "valid_from": row.valid_from, "valid_to": row.valid_to or None, "platform": row.platform, "case": row.case_id,
        "permits": [{"id": one, **_words(state)} for one, state in (stood.permits if stood else {}).items()],
        "file": row.file, "created_ms": row.created_ms,
    }  # fmt: skip


def _words(standing: str) -> dict[str, str]:
    from gateway.core.ecert import NAMES, STATUS_CODES, Standing

    return {"status": standing, "status_code": STATUS_CODES[Standing(standing)], "text": say(*NAMES[standing])}


def _term(one: dict[str, Any]) -> str:
    end = one["valid_to"] or say("长期", "no end")
    return say(f"{one['valid_from']} 至 {end}", f"{one['valid_from']} to {end}")


def _step(one: Step) -> dict[str, Any]:
    return {
        "act": one.id, "event": one.event, "permit": one.permit, "state": one.state, "reason": one.reason, "by": one.by,
        "leaf": one.leaf, "at_ms": one.at_ms,
    }  # fmt: skip


def _act_words(one: Step) -> str:
    from gateway.core.ecert import ACTS, NAMES, REASONS

    words = f"{say(*ACTS[one.event])} {one.permit}".strip() + f" → {say(*NAMES[one.state])}"
    if one.reason:
        words += f"（{say(*REASONS[one.reason][:2])}）" if one.reason in REASONS else f"（{one.reason}）"
    return f"{words}  {one.by}"


COMMANDS: tuple[click.Command, ...] = (list_, status)
