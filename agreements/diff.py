"""The difference between two versions of an agreement, for people who must approve it (清单动态调整)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from agreements.model import EVERYTHING, POWERS, USES, Agreement, CertificateLine, Item, Line
from schemas.fields import MODES


class Change(msgspec.Struct, frozen=True):
    """One change: ``what`` is the kind of thing, ``key`` which one, the sentence in both languages."""

    kind: Literal["added", "removed", "changed"]
    what: Literal["term", "party", "line", "item", "clock", "purpose", "certificate"]
    key: str
    zh: str
    en: str


_WORDS = {"added": ("新增", "added"), "removed": ("取消", "removed"), "changed": ("变更", "changed")}
_NAMES = {
    "term": ("条款", "term"),
    "party": ("签约方", "party"),
    "line": ("授权条款", "line"),
    "item": ("事项", "item"),
    "clock": ("时限", "clock"),
    "purpose": ("用途", "purpose"),
    "certificate": ("证照条款", "certificate line"),
}


def _change(kind: Any, what: Any, key: str, zh: str, en: str = "") -> Change:
    (word_zh, word_en), (name_zh, name_en) = _WORDS[kind], _NAMES[what]
    tail_zh, tail_en = f"：{zh}" if zh else "", f": {en or zh}" if zh else ""
    return Change(kind, what, key, f"{word_zh}{name_zh} {key}{tail_zh}", f"{word_en} {name_en} {key}{tail_en}")


def _describe_item(item: Item) -> str:
    return f"{item.name}（版本{item.version}，{len(item.materials)}份材料）"


def describe_line(line: Line, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """A line in one Chinese phrase; parties by ``names`` where given, else by id."""
    arrow = "⇄" if line.direction == "mutual" else "→"
    collecting, handling = ("、".join(names.get(p, p) for p in side) for side in (line.collecting, line.handling))
    ends = f"{collecting} {arrow} {handling}"
    return f"{MODES[line.mode]}，{POWERS[line.power]}，{len(line.items)}个事项，{ends}"


def describe_certificates(line: CertificateLine, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """A certificate line in one Chinese phrase."""
    issuers, to = ("、".join(names.get(party, party) for party in side) for side in (line.issuers, line.to))
    seen = "整张证照" if line.fields == [EVERYTHING] else "、".join(line.fields)
    uses, purposes = "、".join(USES[one][0] for one in line.uses), "、".join(line.purposes)
    return f"{uses}，{len(line.types)}类证照，{issuers} → {to}，可见：{seen}" + (
        f"，用途：{purposes}" if purposes else ""
    )


def _fields(old: msgspec.Struct, new: msgspec.Struct) -> str:
    """``decide_days 20 → 15；…`` for what differs between two structures of one kind."""
    parts = []
    for name in old.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        if isinstance(before, list):
            gone = [_short(entry) for entry in before if entry not in after]
            come = [_short(entry) for entry in after if entry not in before]
            parts.append(f"{name} " + " ".join([f"-{x}" for x in gone] + [f"+{x}" for x in come]))
        else:
            parts.append(f"{name} {before} → {after}")
    return "；".join(parts)


def _short(entry: object) -> str:
    return str(getattr(entry, "name", entry))


def _tables(what: str, old: Mapping[str, Any], new: Mapping[str, Any], describe: Any) -> Iterator[Change]:
    for key in dict.fromkeys([*old, *new]):
        if key not in new:
            yield _change("removed", what, key, describe(old[key]))
        elif key not in old:
            yield _change("added", what, key, describe(new[key]))
        elif old[key] != new[key]:
            yield _change("changed", what, key, _fields(old[key], new[key]))


def _items(agreement: Agreement) -> dict[str, Item]:
    """The newest version of each item."""
    return {item.code: item for item in sorted(agreement.items, key=lambda item: item.version)}


def diff(old: Agreement, new: Agreement) -> list[Change]:
    """What changed from ``old`` to ``new``: terms, parties, purposes, clocks, both kinds of lines by clause, items by code."""
    changes = []
    for name in ("id", "version", "name", "scope", "in_force", "expires", "notes", "confidentiality"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            changes.append(_change("changed", "term", name, f"{before} → {after}"))
    if old.clauses != new.clauses:
        changes.append(_change("changed", "term", "clauses", _fields(old.clauses, new.clauses)))
    changes += _tables("party", {p.id: p for p in old.parties}, {p.id: p for p in new.parties}, _short)
    changes += [_change("removed", "purpose", p, "") for p in old.purposes if p not in new.purposes]
    changes += [_change("added", "purpose", p, "") for p in new.purposes if p not in old.purposes]
    clocks = [{n: getattr(a.clocks, n) for n in ("notify", "decide", "deliver")} for a in (old, new)]
    changes += _tables("clock", clocks[0], clocks[1], _short)
    changes += _tables("line", {x.clause: x for x in old.lines}, {x.clause: x for x in new.lines}, describe_line)
    certificates = [{x.clause: x for x in a.certificates} for a in (old, new)]
    changes += _tables("certificate", certificates[0], certificates[1], describe_certificates)
    changes += _tables("item", _items(old), _items(new), _describe_item)
    return changes
