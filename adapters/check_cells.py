"""Whether what one row makes, or takes, fits the canonical field (类型检查), told from types alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import inspect as mi

from adapters.codecs import Codec, find_codec
from adapters.mapping import Step
from adapters.rules import MISSING, Finding

KINDS: Final[dict[str, tuple[type, ...]]] = {
    "text": (mi.StrType, mi.LiteralType),
    "int": (mi.IntType,),
    "bool": (mi.BoolType,),
    "datetime": (mi.DateTimeType,),
    "date": (mi.DateType,),
    "list": (mi.ListType,),
    "map": (mi.DictType,),
    "bytes": (mi.BytesType,),
    "any": (mi.Type,),
}
NEED_CODEC: Final = (mi.DateTimeType, mi.DateType, mi.ListType, mi.DictType, mi.StructType)


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


def holds_null(kind: mi.Type) -> bool:
    """Whether null is a value of the field."""
    while isinstance(kind, mi.Metadata):
        kind = kind.type
    return isinstance(kind, mi.UnionType) and any(isinstance(one, mi.NoneType) for one in kind.types)


def takes(kind: mi.Type, value: Any) -> bool:
    """Whether a constant out of a profile is a value of this type; what cannot be told from here counts as yes."""
    kind = bare(kind)
    if isinstance(kind, mi.LiteralType):
        return value in kind.values
    if isinstance(kind, mi.StrType):
        return (
            type(value) is str
            and (kind.min_length or 0) <= len(value) <= (kind.max_length or len(value))
            and (kind.pattern is None or re.search(kind.pattern, value) is not None)
        )
    if isinstance(kind, mi.IntType):
        low, high = (value if bound is None else bound for bound in (kind.ge, kind.le))
        return type(value) is int and low <= value <= high
    plain = {mi.BoolType: bool, mi.ListType: list, mi.DictType: dict, mi.StructType: dict}
    return type(kind) not in plain or type(value) is plain[type(kind)]


def made(
    step: Step, kind: mi.Type, codes: Mapping[str, Mapping[str, str]], codecs: Mapping[str, Codec]
) -> Iterator[Finding]:
    """Inwards: whether what a row makes is what the field holds. ``kind`` is the field's type, or of one of its list."""
    rule, field = step.rule, bare(kind)
    if rule.default is not MISSING and not rule.each and not takes(field, rule.default):
        yield Finding("default-misfit", "默认值不符合字段", "the default is no value of the field", step.where)
    if rule.table:
        yield from _words(step, field, set(codes[rule.table].values()))
        return
    codec = find_codec(rule.codec, codecs) if rule.codec else None
    if codec is None and isinstance(field, NEED_CODEC) and rule.shown:
        yield Finding("codec-missing", "这个字段需要 codec", "this field needs a codec", step.where)
    elif codec is not None and not isinstance(field, KINDS[codec.kind]) and not (rule.join and _text(field)):
        zh, en = f"codec {rule.codec} 与字段类型不符", f"codec {rule.codec} does not fit the field's type"
        yield Finding("codec-misfit", zh, en, step.where)
    if isinstance(field, mi.LiteralType) and rule.shown and rule.default not in field.values:
        zh, en = "取值受限的字段需要代码表", "a field of fixed words needs a code table"
        yield Finding("table-missing", zh, en, step.where)


def _text(field: mi.Type) -> bool:
    return isinstance(field, mi.StrType)


def _words(step: Step, field: mi.Type, words: set[str]) -> Iterator[Finding]:
    if not isinstance(field, mi.StrType | mi.LiteralType):
        yield Finding("codec-misfit", "代码表与字段类型不符", "a code table gives text", step.where)
        return
    unknown = sorted(word for word in words if not takes(field, word))
    if unknown:
        listed = "、".join(unknown)
        zh, en = f"代码表 {step.rule.table} 有规范里没有的值：{listed}", f"not canonical words: {listed}"
        yield Finding("table-value-unknown", zh, en, step.where)


def taken(
    step: Step, kind: mi.Type, codes: Mapping[str, Mapping[str, str]], codecs: Mapping[str, Codec]
) -> Iterator[Finding]:
    """Outwards: whether the row can take all that the field holds."""
    rule, field = step.rule, bare(kind)
    if rule.table:
        known = set(codes[rule.table].values())
        words = [str(word) for word in field.values] if isinstance(field, mi.LiteralType) else []
        missing = sorted(set(words) - known)
        if missing:
            listed = "、".join(missing)
            zh, en = f"代码表 {rule.table} 缺少：{listed}", f"the code table {rule.table} lacks: {listed}"
            yield Finding("table-uncovered", zh, en, step.where)
        return
    codec = find_codec(rule.codec, codecs) if rule.codec else None
    if codec is None and isinstance(field, NEED_CODEC):
        yield Finding("codec-missing", "这个字段需要 codec", "this field needs a codec", step.where)
    elif codec is not None and not isinstance(field, KINDS[codec.kind]):
        zh, en = f"codec {rule.codec} 与字段类型不符", f"codec {rule.codec} does not fit the field's type"
        yield Finding("codec-misfit", zh, en, step.where)
    if codec is not None and codec.one_way:
        yield Finding("no-way-back", f"codec {rule.codec} 只能读入", f"codec {rule.codec} only reads", step.where)
