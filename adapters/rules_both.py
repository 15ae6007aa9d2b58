"""Tables that are written once and run both ways (双向映射表): ``[both.NAME]`` to rows inwards and rows outwards. Pure.

Rows are written as inward rows: ``target`` is the canonical field, ``source`` the platform's. Turned round, target and
source change places. A row that has no way back (``join``, ``jmespath``, ``$.``, a condition on a word, a codec that only
reads) says ``only = "in"``; ``only = "out"`` is an outward row as it stands. Row numbers stay those of the profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.codecs import Codec, find_codec
from adapters.rules import Direction, Finding

Rows = list[dict[str, Any] | None]


def one_way(tables: Mapping[str, Any], direction: Direction) -> dict[str, dict[str, Rows]]:
    """The tables of one direction; a row of the other direction is None."""
    done: dict[str, dict[str, Rows]] = {}
    for name, table in tables.items():
        rows = table.get("rows", []) if isinstance(table, Mapping) else []
        done[name] = {"rows": [_row(row, direction) for row in rows]}
    return done


def _row(row: Any, direction: Direction) -> dict[str, Any] | None:
    if not isinstance(row, Mapping):
        return {}
    plain = {key: value for key, value in row.items() if key != "only"}
    only = row.get("only", direction if direction == "in" else "")
    if only == direction:
        return plain
    return _turned(plain) if not only else None


def _turned(row: dict[str, Any]) -> dict[str, Any] | None:
    """An inward row as an outward one; None for a constant, which says nothing outwards."""
    source = row.get("each") or row.get("source")
    if not isinstance(source, str) or not source:
        return None
    back: dict[str, Any] = {key: row[key] for key in ("codec", "table", "use") if key in row}
    return {"target": source, "each" if row.get("each") else "source": row.get("target"), **back}


def no_way_back(tables: Mapping[str, Any], codecs: Mapping[str, Codec]) -> list[Finding]:
    """Rows that run both ways and cannot."""
    findings: list[Finding] = []
    for name, table in tables.items():
        rows = table.get("rows", []) if isinstance(table, Mapping) else []
        for number, row in enumerate(rows, 1):
            reason = _reason(row, codecs) if isinstance(row, Mapping) else ""
            if reason:
                zh = f"这一行不能反向（{reason}），请写 only"
                findings.append(
                    Finding("no-way-back", zh, f"no way back ({reason}): write only", f"both.{name}[{number}]")
                )
    return findings


def _reason(row: Mapping[str, Any], codecs: Mapping[str, Codec]) -> str:
    only = row.get("only", "")
    if only in ("in", "out"):
        return ""
    if only:
        return "only"
    source, when, codec = row.get("source", ""), row.get("when", ""), row.get("codec", "")
    found = find_codec(codec, codecs) if isinstance(codec, str) and codec else None
    wrong = {
        "join": bool(row.get("join")) or isinstance(source, list),
        "jmespath": bool(row.get("jmespath")),
        "$.": isinstance(source, str) and source.startswith("$."),
        "when": isinstance(when, str) and ("=" in when or when.startswith("!")),
        "codec": found is not None and found.one_way,
        ".": (row.get("source") == "." or row.get("target") == ".") and not row.get("use"),
    }
    return next((word for word, is_so in wrong.items() if is_so), "")
