"""``tongban doctor``: the self-check of a node, with what to do about each finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.node import CONFIG, JSON, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.ops.checks import Check

MARKS = {"ok": "✓", "warn": "!", "fail": "✗", "unknown": "?"}


@click.command(help=say("自检并给出修复办法", "Self-check with fixes"))
@click.option("--quick", is_flag=True, help=say("不通读数据库", "do not read the whole store"))
@click.option(
    "--offline", is_flag=True, help=say("不探测对端、平台与运行中的网关", "ask no partner, platform or gateway")
)
@CONFIG
@JSON
@on_node
def group(quick: bool, offline: bool, path: str, as_json: bool) -> None:
    """Exit 0 nothing fails (there may be warnings), 1 something fails, 2 something could not be told."""
    from datetime import UTC, datetime

    from gateway.cli.output import finish
    from gateway.ops.doctor import examine
    from gateway.ops.patient import Patient

    node = open_node(path)
    found = examine(Patient(node.config, node.base, datetime.now(UTC)), deep=not quick, outside=not offline)
    levels = {check.level for check in found}
    ok = False if "fail" in levels else None if "unknown" in levels else True
    checks = [
        {
            "name": check.name, "ok": check.ok, "level": check.level, "detail": say(check.zh, check.en),
            "fix": say(check.fix_zh, check.fix_en),
        }
        for check in found
    ]  # fmt: skip
    finish(ok, {"checks": checks}, as_json, [line for check in found for line in _lines(check)])


def _lines(check: Check) -> list[str]:
    lines = [f"{MARKS[check.level]} {check.name}: {say(check.zh, check.en)}"]
    if check.fix_zh:
        lines.append(f"    → {say(check.fix_zh, check.fix_en)}")
    return lines
