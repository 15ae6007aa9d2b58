"""``tongban map shadow`` and ``map replay``: a profile tried on real messages of a node, beside what was made of them.

They read one snapshot of the store, beside a running gateway or without one, and change nothing. Paths are shown, values
only to those who reveal and say why. Exit: 0 the same, 1 something differs or is refused, 65 unreadable.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, REASON, REVEAL, Files, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.again import Mapped
    from gateway.flow.shadow import Compared, Shadow

_LAST = click.option(
    "--last", default=100, show_default=True, type=click.IntRange(1, 100_000), help=say("最近几份报文", "how many")
)
_PLATFORM = click.option(
    "--platform", default="", metavar="ID", help=say("哪个平台（只有一个时可省）", "whose messages")
)


@click.command(
    help=say("用方案重译最近的真实报文并比较（只读）。", "Map the newest real messages again and compare (reads only).")
)
@click.argument("profile_name", metavar="PROFILE")
@_PLATFORM
@_LAST
@REVEAL
@REASON
@CONFIG
@JSON
@on_node
def shadow(profile_name: str, platform: str, last: int, reveal: bool, reason: str, path: str, as_json: bool) -> None:
    """Exit 0 when every message comes out as it did."""
    from gateway.cli import node as shared
    from gateway.cli.output import finish

    node = open_node(path)
    translator = _translator(profile_name)
    platform = platform or _only_platform(node)
    if reveal:
        shared.reveal(node, reason, f"map shadow {platform}")
    known = _names(translator)
    done = [_plain(one, known, reveal) for one in _shadow(node).last(platform, translator, last)]
    differ = [one for one in done if not one["same"]]
    fields = Counter(f"{one['kind']} {one['path']}" for message in done for one in message["differences"])
    lines = [line for one in differ for line in _lines(one)]
    lines += [f"{count:>6} × {field}" for field, count in fields.most_common(20)]
    lines.append(say(f"{len(done)} 份报文，{len(differ)} 份不同", f"{len(done)} messages, {len(differ)} differ"))
    data = {
        "platform": platform,
        "compared": len(done),
        "differ": len(differ),
        "fields": dict(fields),
        "messages": differ,
    }
    finish(not differ, data, as_json, lines)


@click.command(
    help=say("重译一份报文：用当时的版本，或 --profile 给的方案（只读）。", "Map one message again (reads only).")
)
@click.argument("message", metavar=say("报文", "MESSAGE"))
@click.option("--profile", "profile_name", default="", metavar="PROFILE", help=say("用这个方案", "by this profile"))
@REVEAL
@REASON
@CONFIG
@JSON
@on_node
def replay(message: str, profile_name: str, reveal: bool, reason: str, path: str, as_json: bool) -> None:
    """Exit 0 when it comes out as it did; 2 when the version that made it is not kept and no profile is given."""
    from gateway.cli import node as shared
    from gateway.cli.output import finish
    from gateway.flow import outbound

    node = open_node(path)
    made_by = outbound.load(node.reader, message)[1].mapping
    shadows = _shadow(node)
    translator = _translator(profile_name) if profile_name else shadows.kept(made_by)
    if translator is None:
        zh, en = "当时的映射版本没有保存，请用 --profile", "the version that made it is not kept: give --profile"
        finish(None, {"message": message, "made_by": made_by, "text": say(zh, en)}, as_json, [say(zh, en)])
    if reveal:
        shared.reveal(node, reason, f"map replay {message}")
    compared = shadows.one(message, translator)
    data = _plain(compared, _names(translator), reveal)
    if reveal:
        data["output"] = compared.new
    lines = [*_lines(data), *([_pretty(compared.new)] if reveal else [])]
    finish(data["same"], data, as_json, lines)


# --- opening ----------------------------------------------------------------------------------------------------------


def _shadow(node: Files) -> Shadow:
    from functools import lru_cache

    from adapters.base import Untranslatable
    from adapters.mapping_version import PROFILE
    from adapters.registry import open_translator
    from adapters.rules import Faulty
    from gateway.flow import mappings
    from gateway.flow.shadow import Shadow

    @lru_cache(maxsize=32)
    def kept(version: str) -> Mapped | None:
        files: Mapping[str, bytes] | None = mappings.files(node.reader, version)
        try:
            return open_translator(files[PROFILE], files) if files and PROFILE in files else None
        except (Untranslatable, Faulty):
            return None  # a later gateway reads it no more: what it made is still stored

    return Shadow(node.reader, node.vault, node.names, kept)


def _translator(name: str) -> Mapped:
    """The profile to try; exit 65 when it cannot be read, 1 when its tables are faulty."""
    from adapters.base import Untranslatable
    from adapters.registry import open_translator
    from adapters.rules import Faulty
    from gateway.cli import profile_files
    from gateway.cli.output import unreadable

    files = profile_files.load(name)
    try:
        return open_translator(files.toml, files.beside)
    except Untranslatable as bad:
        unreadable(files.where, bad.zh, bad.en)
    except Faulty as faulty:
        first = faulty.findings[0]
        unreadable(
            files.where, f"{first.where} {first.zh}（tongban map check）", f"{first.where} {first.en} (map check)"
        )


def _only_platform(node: Files) -> str:
    ids = [one.id for one in node.config.platform]
    if len(ids) != 1:
        known = "、".join(ids)
        raise click.UsageError(say(f"请用 --platform 指明平台：{known}", f"name one with --platform: {known}"))
    return ids[0]


# --- showing ----------------------------------------------------------------------------------------------------------


def _names(translator: Mapped) -> frozenset[str]:
    """Every name that a profile or the canonical form writes: what may stand in a path that is shown."""
    from adapters.differences import names_of
    from adapters.profile import NOTICES

    return names_of(translator.profile) | {"body", "type", "local_number", *NOTICES}


def _plain(one: Compared, known: frozenset[str], reveal: bool) -> dict[str, Any]:
    from adapters.differences import masked

    def shown(path: str) -> str:
        return path if reveal else masked(path, known)

    def refusal(text: str) -> str:
        code, _, where = text.partition(" ")
        return f"{code} {shown(where)}".strip() if text else ""

    found = [
        {"path": shown(one.path), "kind": one.kind, **({"old": one.old, "new": one.new} if reveal else {})}
        for one in one.differences
    ]
    return {
        "message": one.message, "type": one.type, "direction": one.direction, "made_by": one.made_by, "same": one.same,
        "before": refusal(one.before), "after": refusal(one.after), "differences": found,
    }  # fmt: skip


_KINDS = {"added": ("多出", "added"), "removed": ("少了", "removed"), "changed": ("变了", "changed")}


def _lines(one: dict[str, Any]) -> list[str]:
    unknown = say("版本未存", "version not kept")
    lines = [f"{one['message']}  {one['direction']}  {one['type']}  {one['made_by'] or unknown}"]
    if one["before"] != one["after"]:
        taken = say("可译", "maps")
        lines.append(f"  {one['before'] or taken}  →  {one['after'] or taken}")
    for entry in one["differences"]:
        values = f"：{entry['old']!r} → {entry['new']!r}" if "old" in entry else ""
        lines.append(f"  {say(*_KINDS[entry['kind']])} {entry['path']}{values}")
    return lines


def _pretty(value: Any) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
