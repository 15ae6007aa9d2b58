"""Check a profile's tables against the canonical types before any message comes (``map check``). Pure.

Inwards: every target exists, every required field is written, codecs and code tables give what the field holds. Outwards:
every source exists, codecs take what it holds, a code table knows every word that the canonical field can hold; fields
that no row carries are hints, not errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import inspect as mi

from adapters.base import Outbound, Status
from adapters.codecs import find_codec
from adapters.mapping import RuleMap, Step
from adapters.profile import Profile, known_type
from adapters.rules import Finding
from schemas.canonical import BODIES

ENVELOPE: Final = {name for name in Outbound.__struct_fields__ if name not in {"body", "at_ms"}} | {"at"}
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "text": (mi.StrType, mi.LiteralType),
    "int": (mi.IntType,),
    "bool": (mi.BoolType,),
    "datetime": (mi.DateTimeType,),
    "date": (mi.DateType,),
    "list": (mi.ListType,),
    "map": (mi.DictType,),
    "bytes": (mi.BytesType,),
}
_NEED_CODEC: Final = (mi.DateTimeType, mi.DateType, mi.ListType, mi.DictType, mi.StructType)


@dataclass(frozen=True, slots=True)
class Report:
    """``findings`` make a profile unfit; ``hints`` are fields that no row carries."""

    findings: list[Finding]
    hints: list[Finding]


def bare(kind: mi.Type) -> mi.Type:
    """Without annotations and without None."""
    while isinstance(kind, mi.Metadata | mi.UnionType):
        if isinstance(kind, mi.Metadata):
            kind = kind.type
        else:
            rest = [one for one in kind.types if not isinstance(one, mi.NoneType)]
            if len(rest) != 1:
                return kind
            kind = rest[0]
    return kind


def at(kind: mi.Type, path: tuple[str, ...]) -> mi.Type | None:
    """The type at a path below a struct; None when there is no such field."""
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
    return bare(kind)


def check_profile(profile: Profile) -> Report:
    """Everything about both directions."""
    findings: list[Finding] = []
    hints: list[Finding] = []
    for name, table in profile.inward.items():
        if known_type(name):
            findings += _inward(table, _struct(name), profile.text.tables)
    for name, table in profile.outward.items():
        if known_type(name):
            problems, unused = _outward(table, _struct(name), profile.text.tables)
            findings += problems
            hints += unused
    findings += [
        Finding("source-unknown", f"没有信封字段 {step.rule.shown}", f"no envelope field {step.rule.shown}", step.where)
        for step in profile.head.steps
        if step.rule.shown and step.rule.shown.split(".")[0] not in ENVELOPE
    ]
    for name in profile.text.send.operations:
        if name not in profile.outward:
            zh, en = f"send.operations 的 {name} 没有 out 表", f"send.operations.{name} has no out table"
            findings.append(Finding("type-not-mapped", zh, en, f"send.operations.{name}"))
    return Report(list(dict.fromkeys(findings)), list(dict.fromkeys(hints)))


def _struct(name: str) -> mi.Type:
    return mi.type_info(BODIES.get(name, Status))


# --- inwards ----------------------------------------------------------------------------------------------------------


def _inward(table: RuleMap, shape: mi.Type, codes: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    for step in table.steps:
        if step.path == ("inline",):
            continue
        target = at(shape, step.path)
        name = ".".join(step.path)
        if target is None:
            yield Finding("target-unknown", f"规范里没有字段 {name}", f"no canonical field {name}", step.where)
        elif step.inner is not None:
            yield from _inner(step, target, codes)
        else:
            yield from _fits(step, _one(step, target), codes)
    yield from _uncovered(table, shape)


def _one(step: Step, kind: mi.Type) -> mi.Type:
    """What a row over ``each`` single values gives one of."""
    return bare(kind.item_type) if step.rule.each and isinstance(kind, mi.ListType) else kind


def _inner(step: Step, target: mi.Type, codes: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    inside = _one(step, target)
    if step.inner is None or not isinstance(inside, mi.StructType):
        yield Finding("target-not-object", "目标不是对象", "the target is no object", step.where)
        return
    yield from _inward(step.inner, inside, codes)


def _uncovered(table: RuleMap, shape: mi.Type) -> Iterator[Finding]:
    kind = bare(shape)
    written = {step.path[0] for step in table.steps}
    if "inline" in written:
        written |= {"sm3", "size"}
    for field in kind.fields if isinstance(kind, mi.StructType) else ():
        if field.required and field.encode_name not in written:
            zh, en = f"必填字段 {field.encode_name} 没有来源", f"required field {field.encode_name} has no source"
            yield Finding("target-uncovered", zh, en, f"{table.direction}.{table.name}")


def _fits(step: Step, kind: mi.Type, codes: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """Whether what a row makes is what the field holds."""
    rule = step.rule
    if rule.table:
        yield from _words(step, kind, set(codes[rule.table].values()))
        return
    made = find_codec(rule.codec) if rule.codec else None
    if made is None and isinstance(kind, _NEED_CODEC) and rule.shown:
        yield Finding("codec-missing", "这个字段需要 codec", "this field needs a codec", step.where)
    elif made is not None and not isinstance(kind, _KINDS[made.kind]):
        zh, en = f"codec {rule.codec} 与字段类型不符", f"codec {rule.codec} does not fit the field's type"
        yield Finding("codec-misfit", zh, en, step.where)
    if isinstance(kind, mi.LiteralType) and rule.default in (None, *kind.values):
        return
    if isinstance(kind, mi.LiteralType) and rule.shown:
        yield Finding(
            "table-missing", "取值受限的字段需要代码表", "a field of fixed words needs a code table", step.where
        )


def _words(step: Step, kind: mi.Type, words: set[str]) -> Iterator[Finding]:
    if not isinstance(kind, mi.StrType | mi.LiteralType):
        yield Finding("codec-misfit", "代码表与字段类型不符", "a code table gives text", step.where)
    unknown = sorted(words - set(kind.values)) if isinstance(kind, mi.LiteralType) else []
    if unknown:
        listed = "、".join(unknown)
        zh, en = f"代码表 {step.rule.table} 有规范里没有的值：{listed}", f"not canonical words: {listed}"
        yield Finding("table-value-unknown", zh, en, step.where)


# --- outwards ---------------------------------------------------------------------------------------------------------


def _outward(
    table: RuleMap, shape: mi.Type, codes: Mapping[str, Mapping[str, str]]
) -> tuple[list[Finding], list[Finding]]:
    findings: list[Finding] = []
    used: set[str] = set()
    hints: list[Finding] = []
    for step in table.steps:
        for path in _sources(step):
            if path.startswith("$."):
                if path[2:].split(".")[0] not in ENVELOPE:
                    findings.append(_no_source(path, step.where))
                continue
            used.add(path.split(".")[0])
            kind = at(shape, tuple(path.split("."))) if path != "." else bare(shape)
            if kind is None:
                findings.append(_no_source(path, step.where))
            elif step.inner is not None:
                problems, unused = _outward(step.inner, _one(step, kind), codes)
                findings += problems
                hints += unused
            else:
                findings += _takes(step, _one(step, kind), codes)
    whole = bare(shape)
    for field in whole.fields if isinstance(whole, mi.StructType) else ():
        if field.encode_name not in used:
            zh, en = f"字段 {field.encode_name} 未转出", f"field {field.encode_name} is not carried"
            hints.append(Finding("source-unused", zh, en, f"out.{table.name}"))
    return findings, hints


def _sources(step: Step) -> list[str]:
    rule = step.rule
    paths = [rule.each] if rule.each else [rule.source] if isinstance(rule.source, str) else rule.source
    return [path for path in paths if path]


def _no_source(path: str, where: str) -> Finding:
    return Finding("source-unknown", f"规范里没有字段 {path}", f"no canonical field {path}", where)


def _takes(step: Step, kind: mi.Type, codes: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    rule = step.rule
    if rule.table:
        known = set(codes[rule.table].values())
        words = [str(word) for word in kind.values] if isinstance(kind, mi.LiteralType) else []
        missing = sorted(set(words) - known)
        if missing:
            listed = "、".join(missing)
            zh, en = f"代码表 {rule.table} 缺少：{listed}", f"the code table {rule.table} lacks: {listed}"
            yield Finding("table-uncovered", zh, en, step.where)
        return
    taken = find_codec(rule.codec) if rule.codec else None
    if taken is None and isinstance(kind, _NEED_CODEC):
        yield Finding("codec-missing", "这个字段需要 codec", "this field needs a codec", step.where)
    elif taken is not None and not isinstance(kind, _KINDS[taken.kind]):
        zh, en = f"codec {rule.codec} 与字段类型不符", f"codec {rule.codec} does not fit the field's type"
        yield Finding("codec-misfit", zh, en, step.where)
