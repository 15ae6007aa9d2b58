"""From msgspec's terse English to a sentence in Chinese and English that names path, reason and what is allowed.

The value itself is never repeated: it may be personal data.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import inspect

from schemas.errors import Invalid

_KINDS: Final = {
    "str": ("文字", "text"), "int": ("整数", "a whole number"), "float": ("小数", "a number"),
    "bool": ("是否", "true or false"),
    "array": ("列表", "a list"), "object": ("对象", "an object"), "null": ("空值", "null"),
    "datetime": ("时间", "a time"),
    "date": ("日期", "a date"), "bytes": ("字节串", "bytes"), "decimal": ("十进制数", "a decimal"),
}  # fmt: skip
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,40}")
_SEGMENT: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_LENGTH: Final = re.compile(r"Expected `(\w+)` of length (>=|<=) (\d+)")
_RANGE: Final = re.compile(r"Expected `\w+` (>=|<=|>|<) (-?[\d.]+)")
_KIND: Final = re.compile(r"Expected (`[^,]+), got `(\w+)`")


class Place(NamedTuple):
    """What the types say about one path: Chinese name of the path, our constraint sentence, allowed words, key
    names."""

    title: str
    says: tuple[str, str] | None
    allowed: tuple[str, ...]
    keys: tuple[str, ...]


@lru_cache(maxsize=64)
def _info(type_: Any) -> inspect.Type:
    return inspect.type_info(type_)


def _unwrap(info: inspect.Type) -> tuple[inspect.Type, dict[str, Any], dict[str, Any]]:
    """Through Metadata wrappers and Optional: the inner type, JSON-schema extras (title), our extras (zh, en)."""
    schema: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    while True:
        if isinstance(info, inspect.Metadata):
            schema = {**(info.extra_json_schema or {}), **schema}
            extra = {**(info.extra or {}), **extra}
            info = info.type
        elif isinstance(info, inspect.UnionType):
            inner = [t for t in info.types if not isinstance(t, inspect.NoneType)]
            if len(inner) != 1:
                return info, schema, extra
            info = inner[0]
        else:
            return info, schema, extra


def _place(type_: Any, path: str) -> Place:
    info, schema, extra = _unwrap(_info(type_))
    titles: list[str] = []
    for name, index in _SEGMENT.findall(path):
        if name and isinstance(info, inspect.StructType):
            found = next((f for f in info.fields if f.encode_name == name), None)
            if found is None:
                break
            info, schema, extra = _unwrap(found.type)
            titles.append(schema.get("title", name))
        elif index and isinstance(info, inspect.ListType):
            info, schema, extra = _unwrap(info.item_type)
            titles[-1:] = [f"{titles[-1] if titles else ''}第{int(index) + 1}项"]
        elif isinstance(info, inspect.DictType):
            info, schema, extra = _unwrap(info.value_type)
        else:
            break
    allowed = tuple(str(v) for v in info.values) if isinstance(info, inspect.LiteralType) else ()
    keys = tuple(f.encode_name for f in info.fields) if isinstance(info, inspect.StructType) else ()
    says = (extra["zh"], extra["en"]) if "zh" in extra else None
    return Place("·".join(titles), says, allowed, keys)


def _kinds(text: str, side: int) -> str:
    words = re.findall(r"`(\w+)`", text) or re.findall(r"(\w+)", text)
    return " / ".join(dict.fromkeys(_KINDS.get(w, (w, w))[side] for word in words for w in word.split("|")))


def _length(found: re.Match[str]) -> tuple[str, str, str]:
    kind, sign, number = found.groups()
    unit = ("字", "characters") if kind == "str" else ("项", "entries")
    if sign == ">=" and number == "1":
        return "empty", "不能为空", "must not be empty"
    word = ("至少", "at least") if sign == ">=" else ("最多", "at most")
    return "too-short" if sign == ">=" else "too-long", f"{word[0]}{number}{unit[0]}", f"{word[1]} {number} {unit[1]}"


def _reason(message: str, place: Place) -> tuple[str, str, str]:
    """(code, zh, en) of one message of msgspec."""
    if found := _LENGTH.match(message):
        return _length(found)
    if " matching regex " in message:
        zh, en = place.says or ("格式不符", "does not have the right form")
        return "wrong-form", f"应为{zh}", f"must be {en}"
    if found := _RANGE.match(message):
        return "out-of-range", f"应{found[1]}{found[2]}", f"must be {found[1]} {found[2]}"
    if message.startswith("Invalid enum value"):
        zh, en = "、".join(place.allowed), ", ".join(place.allowed)
        return "not-allowed", f"只能是：{zh}", f"must be one of: {en}"
    if found := _KIND.match(message):
        wanted, got = found.groups()
        return (
            "wrong-type",
            f"应为{_kinds(wanted, 0)}，收到{_kinds(got, 0)}",
            f"{_kinds(wanted, 1)}, not {_kinds(got, 1)}",
        )
    if "datetime" in message:
        return "wrong-time", "应为带Z的UTC时间，如 2026-01-05T01:00:00Z", "must be a UTC time like 2026-01-05T01:00:00Z"
    if "date" in message:
        return "wrong-date", "应为日期，如 2026-01-05", "must be a date like 2026-01-05"
    return "wrong-value", "取值不符", "does not fit"


def _field(message: str, path: str) -> Invalid | None:
    """Missing and unknown fields: the path is the object's, the name stands in the message."""
    found = re.search(r"(missing required|contains unknown) field `(.*)`", message, re.DOTALL)
    if not found:
        return None
    name = found[2] if _PLAIN.fullmatch(found[2]) else ""
    where = ".".join(part for part in (path, name) if part)
    if found[1] == "missing required":
        return Invalid("missing-field", f"缺少“{name}”", f"the field {name} is missing", where)
    shown = f"“{name}”" if name else "（名称从略）"
    return Invalid("unknown-field", f"不认识的字段{shown}", f"unknown field {name or '(name withheld)'}", where)


def known_keys(type_: Any, path: str) -> tuple[str, ...]:
    """The field names allowed in the object at ``path`` (msgspec's ``$.a[0]`` or ours ``a[0]``)."""
    return _place(type_, path if path.startswith("$") else f".{path}").keys


def explain(error: msgspec.ValidationError, type_: Any) -> Invalid:
    """The refusal that ``error`` means, raised while reading ``type_``."""
    message, _, at = str(error).rpartition(" - at ")
    if not message:
        message, at = at, "`$`"
    dollar = re.findall(r"`(\$[^`]*)`", at)[-1:] or ["$"]
    place = _place(type_, dollar[0])
    path = dollar[0].removeprefix("$").removeprefix(".")
    if isinstance(error.__cause__, Invalid):
        inner = error.__cause__.at(path)
        title = _place(type_, f".{inner.path}").title
        return Invalid(inner.code, f"“{title or inner.path}”（{inner.path}）：{inner.zh}", inner.en, inner.path)
    if field := _field(message, path):
        where = f"“{place.title}”中" if place.title else ""
        return Invalid(field.code, where + field.zh, field.en, field.path)
    code, zh, en = _reason(message, place)
    subject = "的字段名" if at.startswith("`key`") else ""
    named = f"“{place.title or path}”（{path}）{subject}" if path else "整份内容"
    return Invalid(code, f"{named}：{zh}", f"{path or 'the document'}: {en}", path)
