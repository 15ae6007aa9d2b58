"""Check a profile's tables against the canonical types before any message comes (``map check``). Pure.

Inwards: every target exists, every required field is written, codecs, code tables and defaults give what the field
holds. Outwards: every source exists, codecs take what it holds, a code table knows every word that the canonical field
can hold; fields that no row carries are hints, not errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from msgspec import inspect as mi

from adapters.base import Outbound, Status
from adapters.check_cells import bare, holds_null, made, taken
from adapters.mapping import RuleMap, Step
from adapters.profile import Profile, known_type
from adapters.rules import Finding, condition_path
from adapters.rules_jmespath import Expression
from schemas.canonical import BODIES

ENVELOPE: Final = {name for name in Outbound.__struct_fields__ if name not in {"body", "at_ms"}} | {"at"}


@dataclass(frozen=True, slots=True)
class Report:
    """``findings`` make a profile unfit; ``hints`` are fields that no row carries."""

    findings: list[Finding]
    hints: list[Finding]


def at(kind: mi.Type, path: tuple[str, ...]) -> mi.Type | None:
    """The type at a path below a struct, None still among its values; None when there is no such field."""
    for name in path:
        kind = bare(kind)
        if isinstance(kind, mi.StructType):
            found = next((field.type for field in kind.fields if field.encode_name == name), None)
            if found is None:
                return None
            kind = found
        elif isinstance(kind, mi.DictType):
            kind = kind.value_type
        else:
            return None
    return kind


def check_profile(profile: Profile) -> Report:
    """Everything about both directions."""
    findings: list[Finding] = []
    hints: list[Finding] = []
    for name, table in profile.inward.items():
        if known_type(name):
            findings += _inward(table, _struct(name), profile)
    for name, table in profile.outward.items():
        if known_type(name):
            used = _Used(profile)
            findings += used.rows(table, _struct(name))
            hints += used.hints
    findings += [
        Finding("source-unknown", f"没有信封字段 {step.rule.shown}", f"no envelope field {step.rule.shown}", step.where)
        for step in profile.head.steps
        if step.rule.shown and not step.rule.jmespath and step.rule.shown.split(".")[0] not in ENVELOPE
    ]
    for name in profile.text.send.operations:
        if name not in profile.outward:
            zh, en = f"send.operations 的 {name} 没有 out 表", f"send.operations.{name} has no out table"
            findings.append(Finding("type-not-mapped", zh, en, f"send.operations.{name}"))
    return Report(list(dict.fromkeys(findings)), list(dict.fromkeys(hints)))


def check_table(profile: Profile, name: str, kind: type, path: str = "") -> list[Finding]:
    """An outward table that is no message of its own: what it reads has to be there in a value of this type, or of the entries of
    the list at ``path`` in it."""
    shape: mi.Type | None = mi.type_info(kind)
    found = at(bare(shape), tuple(path.split("."))) if path and shape is not None else shape
    inner = bare(found) if found is not None else None
    shape = inner.item_type if path and isinstance(inner, mi.ListType) else None if path else found
    if shape is None:
        return [_no_source(path, f"out.{name}")]
    return list(_Used(profile).rows(profile.outward[name], shape))


def _struct(name: str) -> mi.Type:
    return mi.type_info(BODIES.get(name, Status))


def _one(step: Step, kind: mi.Type) -> mi.Type:
    """What a row over ``each`` single values gives, or takes, one of."""
    whole = bare(kind)
    return whole.item_type if step.rule.each and not step.rule.join and isinstance(whole, mi.ListType) else kind


# --- inwards ----------------------------------------------------------------------------------------------------------


def _inward(table: RuleMap, shape: mi.Type, profile: Profile) -> Iterator[Finding]:
    yield from _made(table, shape, profile)
    yield from _uncovered(table, shape)


def _made(table: RuleMap, shape: mi.Type, profile: Profile) -> Iterator[Finding]:
    for step in table.steps:
        if step.path == ("inline",):
            continue
        target = at(shape, step.path)
        name = ".".join(step.path)
        if target is None:
            yield Finding("target-unknown", f"规范里没有字段 {name}", f"no canonical field {name}", step.where)
            continue
        if step.rule.null and not holds_null(target):
            yield Finding("default-misfit", "字段不能为 null", "the field cannot be null", step.where)
        if step.inner is None:
            yield from made(step, _one(step, target), profile.text.tables, profile.codecs)
        elif not step.path:
            yield from _made(step.inner, shape, profile)
        elif isinstance(inside := bare(_one(step, target)), mi.StructType):
            yield from _inward(step.inner, inside, profile)
        else:
            yield Finding("target-not-object", "目标不是对象", "the target is no object", step.where)


def _written(table: RuleMap) -> set[str]:
    found = {step.path[0] for step in table.steps if step.path}
    return found.union(*[_written(step.inner) for step in table.steps if not step.path and step.inner is not None])


def _uncovered(table: RuleMap, shape: mi.Type) -> Iterator[Finding]:
    kind = bare(shape)
    written = _written(table)
    if "inline" in written:
        written |= {"sm3", "size"}
    for field in kind.fields if isinstance(kind, mi.StructType) else ():
        if field.required and field.encode_name not in written:
            zh, en = f"必填字段 {field.encode_name} 没有来源", f"required field {field.encode_name} has no source"
            yield Finding("target-uncovered", zh, en, f"{table.direction}.{table.name}")


# --- outwards ---------------------------------------------------------------------------------------------------------


class _Used:
    """Walks outward tables and remembers which canonical fields a row carries."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.hints: list[Finding] = []

    def rows(self, table: RuleMap, shape: mi.Type) -> Iterator[Finding]:
        """Findings of one table and those it uses; hints for the fields that it leaves out."""
        used: set[str] = set()
        yield from self._take(table, shape, used)
        whole = bare(shape)
        for field in whole.fields if isinstance(whole, mi.StructType) else ():
            if field.encode_name not in used:
                zh, en = f"字段 {field.encode_name} 未转出", f"field {field.encode_name} is not carried"
                self.hints.append(Finding("source-unused", zh, en, f"out.{table.name}"))

    def _take(self, table: RuleMap, shape: mi.Type, used: set[str]) -> Iterator[Finding]:
        for step in table.steps:
            yield from self._given(step, shape)
            for path in _sources(step):
                if path.startswith("$."):
                    if path[2:].split(".")[0] not in ENVELOPE:
                        yield _no_source(path, step.where)
                    continue
                kind = at(shape, tuple(path.split("."))) if path != "." else shape
                if kind is None:
                    yield _no_source(path, step.where)
                elif path == "." and step.inner is not None:
                    yield from self._take(step.inner, shape, used)
                elif step.inner is not None:
                    yield from self.rows(step.inner, _one(step, kind))
                elif not step.rule.jmespath:
                    yield from taken(step, _one(step, kind), self.profile.text.tables, self.profile.codecs)
                used.add(path.split(".")[0])

    def _given(self, step: Step, shape: mi.Type) -> Iterator[Finding]:
        path = condition_path(step.rule.when)
        if path and not path.startswith("$.") and path != "." and at(shape, tuple(path.split("."))) is None:
            yield _no_source(path, step.where)


def _sources(step: Step) -> list[str]:
    rule = step.rule
    if rule.jmespath:
        return sorted(Expression(rule.jmespath).roots)
    paths = [rule.each] if rule.each else [rule.source] if isinstance(rule.source, str) else rule.source
    return [path for path in paths if path]


def _no_source(path: str, where: str) -> Finding:
    return Finding("source-unknown", f"规范里没有字段 {path}", f"no canonical field {path}", where)
