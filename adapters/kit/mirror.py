"""The other end of the wire (对端视角): a profile's tables turned round, so that the kit can speak as the platform. Pure.

What the profile reads, the platform writes; what the profile writes, the platform reads. Rows that have no way back (a
constant, a joined source, an expression) are left out: what they would carry is not said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.base import Outbound, Untranslatable
from adapters.codecs import find_codec
from adapters.codecs.base import Codec
from adapters.mapping import RuleMap
from adapters.mapping_compile import compile_maps
from adapters.profile import NOTICES, Profile, body_of, envelope, known_type
from adapters.rules import Direction, Faulty, put, reader
from adapters.rules_both import one_way
from adapters.samples import DIGEST, FILE
from schemas import codec
from schemas.errors import Invalid

_WHERE = re.compile(r"(?:in|out|both)\.(.+)\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Mirror:
    """``head``: what goes with every message; ``writes``: our inward tables turned round; ``reads``: our outward ones."""

    profile: Profile
    head: RuleMap
    writes: Mapping[str, RuleMap]
    reads: Mapping[str, RuleMap]

    def acts(self) -> list[str]:
        """The types that the platform can tell us."""
        return [name for name in self.writes if known_type(name) and self._door(name)]

    def message(self, out: Outbound, case: str) -> tuple[str, dict[str, Any]]:
        """An act of the platform: its operation and the message, in its own names. ``case``: the number it goes by."""
        name, door = self._door(out.type) or ("", "")
        rule = self.profile.text.operations.get(name)
        if rule is None:
            raise Untranslatable("type-not-mapped", "方案没有这类来报", "the profile takes no such message")
        message = self.head.run(envelope(out))
        body = self.writes[out.type].run(_with_files(body_of(out)), envelope(out))
        words = {rule.case: case, rule.local: out.local_number, rule.id: out.id}
        if rule.type_at:
            words[rule.type_at] = next(word for word, type_ in rule.types.items() if type_ == out.type)
        for path, value in words.items():
            if path and value and path != "@id":
                put(message, tuple(path.split(".")), value)
        if rule.body == ".":
            message.update(body)
        else:
            place = reader(rule.body)(message, message)
            put(message, tuple(rule.body.split(".")), {**(place if type(place) is dict else {}), **body})
        return door, message

    def _door(self, type_: str) -> tuple[str, str] | None:
        """The operation that reads this type, and the one that a caller names for it."""
        operations = self.profile.text.operations
        for name, rule in operations.items():
            if rule.type == type_ or type_ in rule.types.values():
                return name, next((door for door, one in operations.items() if name in one.then), name)
        return None

    def told(self, out_of_head: str, message: dict[str, Any]) -> str:
        """What our head row with this source says in a message of ours; "" where it says nothing."""
        for row in self.profile.text.send.rows:
            if row.get("source") == out_of_head:
                found = reader(row["target"])(message, message)
                return found if type(found) is str else ""
        return ""

    def type_of(self, operation: str, message: dict[str, Any]) -> str:
        """Which type a message of ours is; "" where it cannot be told."""
        for row in self.profile.text.send.rows:
            if row.get("source") == "type":
                word = self.told("type", message)
                return self.profile.text.tables.get(row.get("table", ""), {}).get(word, word)
        named = [type_ for type_, name in self.profile.text.send.operations.items() if name == operation]
        return next((one for one in named if len(named) == 1 or self.body(one, message) is not None), "")

    def body(self, type_: str, message: dict[str, Any]) -> Any:
        """What a message of ours says, in canonical form; None where it cannot be read back."""
        table, place = self.reads.get(type_), self.profile.text.send.body
        body = reader(place)(message, message) if place else message
        if table is None or type(body) is not dict or type_ in NOTICES:
            return None
        try:
            return codec.build(type_, table.run(body, message))
        except (Untranslatable, Invalid):
            return None


def mirror_of(profile: Profile) -> Mirror:
    """Turn all tables round."""
    text = profile.text
    writes = {**_pieces(text.outward), **one_way(text.both, "out"), **_turned(text.inward, profile.codecs)}
    reads = {**_pieces(text.inward), **one_way(text.both, "in"), **_turned(text.outward, profile.codecs)}
    rows = [dict(row) for row in text.send.rows if row.get("source") != "type"]  # the platform has words of its own
    head = compile_maps({"head": {"rows": rows}}, "out", text.tables, profile.codecs)["head"]
    return Mirror(profile, head, _compiled(writes, "out", profile), _compiled(reads, "in", profile))


def _with_files(value: Any) -> Any:
    """Sample materials with the sample file inside, for tables that carry files."""
    if type(value) is list:
        return [_with_files(one) for one in value]
    if type(value) is dict:
        inside = {"inline": FILE} if value.get("sm3") == DIGEST else {}
        return {name: _with_files(one) for name, one in value.items()} | inside
    return value


def _compiled(tables: dict[str, Any], direction: Direction, profile: Profile) -> dict[str, RuleMap]:
    """Compiled without the rows that turned round make no sense."""
    for _ in range(sum(len(table["rows"]) for table in tables.values()) + 1):
        try:
            return compile_maps(tables, direction, profile.text.tables, profile.codecs)
        except Faulty as faulty:
            for finding in faulty.findings:
                where = _WHERE.fullmatch(finding.where)
                if where is None:
                    return {}
                tables[where[1]]["rows"][int(where[2]) - 1] = None
    return {}


def _pieces(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Tables that rows of ``[both]`` use in this one direction, as they stand."""
    return {name: {"rows": list(table.get("rows", []))} for name, table in tables.items() if not known_type(name)}


def _turned(tables: Mapping[str, Any], codecs: Mapping[str, Codec]) -> dict[str, Any]:
    return {name: {"rows": [_row(row, codecs) for row in table.get("rows", [])]} for name, table in tables.items()}


def _row(row: Mapping[str, Any], codecs: Mapping[str, Codec]) -> dict[str, Any] | None:
    source = row.get("each") or row.get("source")
    if not isinstance(source, str) or not source or source.startswith("$."):
        return None
    if str(row["target"]).startswith("form."):
        return None
    back: dict[str, Any] = {key: row[key] for key in ("codec", "table", "use") if key in row}
    found = find_codec(back.get("codec", ""), codecs)
    if found is not None and found.one_way:
        del back["codec"]
    return {"target": source, "each" if row.get("each") else "source": row["target"], **back}
