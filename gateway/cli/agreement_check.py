"""``tongban agreement check``: what in an agreement makes people bring paper although their certificates are electronic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.sm import JSON
from gateway.lang import say

if TYPE_CHECKING:
    from agreements.check import Faces


@click.command(
    help=say(
        "检查免证办：何处仍要纸质材料，哪些证照条款无用。",
        "Check where paper is still demanded, and lines nobody uses.",
    )
)
@click.argument("file", metavar="FILE")
@click.option(
    "--templates", metavar="DIR", help=say("证照模板目录，默认自带模板", "certificate templates, default our own")
)
@JSON
def check(file: str, templates: str | None, json: bool) -> None:
    """Exit 0: nothing found; 1: the findings, by item or clause. ``--templates``: which fields certificates have."""
    import msgspec

    from agreements.check import check as findings
    from gateway.cli.agreement_tools import load
    from gateway.cli.output import finish

    agreement = load(file, json).agreement
    found = findings(agreement, _faces(templates))
    lines = [f"{one.where}\n  {say(one.zh, one.en)}（{one.code}）" for one in found]
    lines.append(say(f"发现 {len(found)} 处", f"{len(found)} found") if found else say("没有发现问题", "nothing found"))
    reason = found[0].code if found else "ok"
    data = {"reason": reason, "id": agreement.id, "version": agreement.version, "findings": msgspec.to_builtins(found)}
    finish(not found, data, json, lines)


def _faces(folder: str | None) -> Faces:
    """The fields of the certificates whose templates are at hand."""
    from pathlib import Path

    from gateway.certificates.library import library
    from gateway.cli.output import unreadable
    from gateway.config import ConfigError

    try:
        templates = library(Path(folder) if folder else None)
    except ConfigError as error:
        unreadable(error.where, error.zh, error.en)
    return {type_code: frozenset(rule.name for rule in one.fields) for type_code, one in templates.items()}
