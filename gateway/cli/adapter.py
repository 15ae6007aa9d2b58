"""``tongban adapter list|test``: the profiles there are, and an offline test of one, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from gateway.lang import say

JSON = click.option("--json", is_flag=True, help=say("机器可读输出", "for machines"))


@click.group("adapter", help=say("平台适配：方案清单与自测。", "Platform adapters: list and test."))
def group() -> None:
    """Adapters."""


@group.command("list", help=say("列出自带的方案。", "List the profiles in the package."))
@JSON
def list_(json: bool) -> None:
    """Name, family, place, which messages it maps, what it rests on; then the profiles of certificate sharing (免证办)."""
    from adapters.profile import known_type
    from gateway.cli import profile_files
    from gateway.cli.output import finish

    rows = []
    for name in profile_files.bundled():
        profile = profile_files.compiled(profile_files.load(name))
        if isinstance(profile, list):
            rows.append({"name": name, "errors": len(profile)})
            continue
        text = profile.text
        inward, outward = ([one for one in tables if known_type(one)] for tables in (profile.inward, profile.outward))
        rows.append(
            {
                "name": name, "title": text.title, "family": text.family, "division": text.division,
                "version": text.version, "encoding": text.encoding, "in": inward, "out": outward, "basis": text.basis,
                "notice": text.notice, "alias_of": text.alias_of, "like": text.like, "assumed": list(text.assumed),
            }
        )  # fmt: skip
    sharing = _sharing()
    lines = [line for row in rows for line in _lines(row)]
    lines.append(say("证照共享（免证办，[[sharing]]）：", "certificate sharing ([[sharing]]):"))
    for row in sharing:
        lines.append(f"{row['name']}  {row['family']}  {row['title']}  {row['notice']}")
        lines.append("  " + say("依据：", "rests on: ") + row["basis"])
    finish(True, {"profiles": rows, "sharing": sharing}, json, lines)


def _lines(row: dict[str, Any]) -> Iterator[str]:
    """A profile, what it rests on or whose alias it is, and what is assumed of it."""
    yield f"{row['name']}  {row.get('family', '')}  {row.get('division', '')}  {row.get('title', '')}"
    if row.get("alias_of"):
        yield "  " + say(f"别名：即 {row['alias_of']}", f"alias of {row['alias_of']}")
        return
    yield "  " + say("依据：", "rests on: ") + row.get("basis", "")
    if row.get("like"):
        yield "  " + say(f"同 {row['like']}，差异如下", f"like {row['like']}, except:")
    for one in row.get("assumed") or [row.get("notice", "")]:
        yield "  " + say("假定：", "assumed: ") + one


def _sharing() -> list[dict[str, Any]]:
    """The profiles of certificate sharing and the public family of interfaces that each rests on."""
    from adapters.sharing.registry import bundled, profile

    told = ("name", "title", "family", "version", "basis", "notice")
    return [{name: getattr(one, name) for name in told} for one in map(profile, bundled())]


@group.command(help=say("离线自测一个方案：映射、样例往返、XSD、WSDL、签名。", "Test a profile offline, step by step."))
@click.argument("profile_name", metavar="PROFILE")
@JSON
def test(profile_name: str, json: bool) -> None:
    """Exit 0: every step passes."""
    from gateway.cli import adapter_test, profile_files
    from gateway.cli.output import finish

    steps = adapter_test.run(profile_files.load(profile_name))
    passed = sum(step.ok for step in steps)
    lines = [f"{'✓' if step.ok else '✗'} {say(step.zh, step.en)}  {step.detail}".rstrip() for step in steps]
    lines.append(say(f"{passed}/{len(steps)} 项通过", f"{passed} of {len(steps)} steps pass"))
    shown = [{"name": step.name, "ok": step.ok, "text": say(step.zh, step.en), "detail": step.detail} for step in steps]
    finish(passed == len(steps), {"steps": shown, "passed": passed, "total": len(steps)}, json, lines)


@group.command(
    help=say(
        "按节点设置调用平台的只读接口（目录、事项、办理点），列出答复。方案的 [union.read] 写明有哪些。",
        "Make a reading call of a node's platform (catalogue, items, handling points) and list what it answers.",
    )
)
@click.argument("platform")
@click.argument("call")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--config", "path", default="tongban.toml", show_default=True, help=say("节点设置", "the node's settings")
)
@JSON
def read(platform: str, call: str, parameters: tuple[str, ...], path: str, json: bool) -> None:
    """Exit 0: the list; 1: the platform gives none; 64: no such platform or call; 65: settings that cannot work."""
    import asyncio
    from pathlib import Path

    from adapters.base import Interrupted
    from gateway.cli.adapter_read import listed
    from gateway.cli.output import finish

    given = dict(one.partition("=")[::2] for one in parameters)
    try:
        found = asyncio.run(listed(Path(path), platform, call, given))
    except Interrupted as cut:
        finish(False, {"text": say(cut.zh, cut.en)}, json, [say(cut.zh, cut.en)])
    rows = [
        "  ".join(f"{key}={value}" for key, value in one.items()) if isinstance(one, dict) else str(one)
        for one in found
    ]
    finish(True, {"list": found}, json, [*rows, say(f"共 {len(found)} 项", f"{len(found)} entries")])
