"""``tongban ecert asked``: who asked what about whom (谁查了谁), to be shown to the person concerned."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from gateway.cli.node import CONFIG, JSON, REASON, on_node, open_node, reveal, write_private
from gateway.lang import say

ACTS = {
    "query": ("查询", "query"),
    "authorise": ("授权", "authorise"),
    "fetch": ("取证", "fetch"),
    "verify": ("验真", "verify"),
    "use": ("代替材料", "in place of a material"),
}


@click.command(
    "asked", help=say("谁为何事查过一个人或单位的证照", "Who asked about somebody's certificates, and for what")
)
@click.option(
    "--holder",
    required=True,
    metavar="CODE",
    help=say("证件号码，- 为从标准输入读", "holder's code; - reads it from stdin"),
)
@REASON
@click.option(
    "--out", "-o", default="", metavar="F", help=say("写入文件（仅本人可读）", "write to a file only you can read")
)
@CONFIG
@JSON
@on_node
def asked(holder: str, reason: str, out: str, path: str, as_json: bool) -> None:
    """Exit 0 also when nobody asked. That this was looked at is recorded first."""
    import msgspec

    from gateway.cli.output import finish
    from gateway.flow import shared

    node = open_node(path)
    reveal(node, reason, "ecert asked")
    code = sys.stdin.readline() if holder == "-" else holder
    found = shared.about(node.reader, node.vault, code.strip().upper())
    if out:
        write_private(out, msgspec.json.format(msgspec.json.encode(found), indent=1))
        written = [say(f"{len(found)} 次，已写入 {out}", f"{len(found)} times, written to {out}")]
        finish(True, {"count": len(found), "file": out}, as_json, written)
    finish(True, {"count": len(found), "asked": found}, as_json, list(_lines(found)))


def _lines(found: list[dict[str, Any]]) -> Iterator[str]:
    from gateway.cli.times import local

    yield say(f"共 {len(found)} 次", f"{len(found)} times")
    for one in found:
        question, answer = one["asked"], one["answered"] or {}
        cause, ground = question["cause"], {"consent": ("授权", "consent"), "law": ("依据", "law")}
        outcome = answer.get("outcome", say("未答复", "not answered"))
        yield (
            f"{local(question['at_ms'])}  {say(*ACTS[question['act']])}  {question['platform']} {cause['clerk']}"
            f"（{cause['clerk_no']}）  {cause['item_name']} {cause['case_number']}  {cause['purpose']}  "
            f"{say(*ground[cause['basis']])} {cause['basis_text']}  {' '.join(answer.get('certificates', ()))}  {outcome}  "
            + say(f"账本 {one['leaf']}", f"ledger {one['leaf']}")
        )
