"""Codecs (编码转换): how one cell of a foreign message is written, in both directions.

``decode`` turns the platform's value into the canonical one, ``encode`` the other way. Canonical times are UTC
datetimes; platforms write Beijing time (+08:00) unless the codec says otherwise. GB/T 39046-2020 writes YYYYMMDDhhmmss
with and without a T: both are read. A value that does not fit raises ``Misfit``; the message never repeats the value,
which may be personal data.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

BEIJING = timezone(timedelta(hours=8))


class Misfit(Exception):
    """This value does not fit this codec."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(code)
        self.code, self.zh, self.en = code, zh, en


@dataclass(frozen=True, slots=True)
class Codec:
    """``kind``: what the canonical side holds: text, int, bool, datetime, date, bytes, list, map."""

    kind: str
    decode: Callable[[Any], Any]
    encode: Callable[[Any], Any]


def _form(zh: str, en: str) -> Misfit:
    return Misfit("value-form", f"格式应为{zh}", f"expected the form {en}")


def _type(zh: str, en: str) -> Misfit:
    return Misfit("value-type", f"类型应为{zh}", f"expected {en}")


def text(value: Any) -> str:
    """A string, as it is (no normalisation: 生僻字 and full-width forms stay)."""
    if type(value) is not str:
        raise _type("字符串", "a string")
    return value


_INTEGER = re.compile(r"-?[0-9]{1,15}")


def integer(value: Any) -> int:
    """A JSON integer, or its decimal digits (XML)."""
    if type(value) is int:
        return value
    if type(value) is str and _INTEGER.fullmatch(value):
        return int(value)
    raise _type("整数", "an integer")


def _plain_int(value: Any) -> int:
    if type(value) is not int:
        raise _type("整数", "an integer")
    return value


def _flag(yes: str, no: str) -> Codec:
    words = {yes: True, no: False}

    def decode(value: Any) -> bool:
        found = words.get(str(value)) if type(value) in (str, int) else None
        if found is None:
            raise _form(f"{yes}（是）或 {no}（否）", f"{yes} (yes) or {no} (no)")
        return found

    def encode(value: Any) -> str:
        if type(value) is not bool:
            raise _type("是否值", "a boolean")
        return yes if value else no

    return Codec("bool", decode, encode)


def _local(value: Any, zone: timezone) -> datetime:
    """A canonical time on a platform's clock."""
    if not isinstance(value, datetime) or value.tzinfo is None or not 1000 <= value.year < 9999:
        raise _type("公元 1000 年以后的时间", "a time after the year 1000")
    return value.astimezone(zone)


def _moment(pattern: str, shape: str, zone: timezone, shown: str) -> Codec:
    """A local time of exactly this shape. Month 13, hour 24 and second 60 are refused, not rolled over."""
    form = re.compile(pattern, re.ASCII)

    def decode(value: Any) -> datetime:
        found = form.fullmatch(value) if type(value) is str else None
        if found is None:
            raise _form(shown, shown)
        try:
            return datetime(*map(int, found.groups()), tzinfo=zone).astimezone(UTC)  # type: ignore[arg-type,misc]
        except (ValueError, OverflowError):
            raise Misfit("value-form", f"不是存在的时间（{shown}）", f"no such time ({shown})") from None

    def encode(value: Any) -> str:
        return _local(value, zone).strftime(shape)

    return Codec("datetime", decode, encode)


def _day(pattern: str, shape: str, shown: str) -> Codec:
    form = re.compile(pattern, re.ASCII)

    def decode(value: Any) -> date:
        found = form.fullmatch(value) if type(value) is str else None
        if found is None:
            raise _form(shown, shown)
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            raise Misfit("value-form", f"不是存在的日期（{shown}）", f"no such date ({shown})") from None

    def encode(value: Any) -> str:
        if type(value) is not date or value.year < 1000:
            raise _type("公元 1000 年以后的日期", "a date after the year 1000")
        return value.strftime(shape)

    return Codec("date", decode, encode)


def _epoch(per_second: int) -> Codec:
    def decode(value: Any) -> datetime:
        count = integer(value)
        if not 0 <= count < 4_102_444_800 * per_second:
            raise _form("1970 至 2100 年之间的时间戳", "a time stamp between 1970 and 2100")
        return datetime.fromtimestamp(count // per_second, UTC) + timedelta(
            milliseconds=count % per_second * (1000 // per_second)
        )

    def encode(value: Any) -> int:
        milliseconds = (_local(value, UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        return milliseconds * per_second // 1000

    return Codec("datetime", decode, encode)


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _zoned_decode(value: Any) -> datetime:
    if type(value) is not str or not _RFC3339.fullmatch(value):
        raise _form("带时区的 RFC 3339 时间", "an RFC 3339 time with its zone")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Misfit("value-form", "不是存在的时间", "no such time") from None


def _zoned_encode(value: Any) -> str:
    return _local(value, BEIJING).isoformat(timespec="seconds")


def division(width: str) -> Codec:
    """Division code (区划代码) padded with zeros to 9 or 12 digits; a town's or village's code is not cut short."""
    digits = int(width) if width in {"6", "9", "12"} else 12
    form = re.compile(rf"([0-9]{{6}})0{{{digits - 6}}}")

    def decode(value: Any) -> str:
        found = form.fullmatch(value) if type(value) is str else None
        if found is None:
            raise _form(f"{digits} 位县级以上区划代码", f"{digits} digits of a county or higher division")
        return found.group(1)

    def encode(value: Any) -> str:
        if type(value) is not str or len(value) != 6:
            raise _type("6 位区划代码", "a division code of 6 digits")
        return value.ljust(digits, "0")

    return Codec("text", decode, encode)


_SM3 = re.compile(r"[0-9A-Fa-f]{64}")


def _digest_decode(value: Any) -> str:
    if type(value) is not str or not _SM3.fullmatch(value):
        raise _form("64 位十六进制 SM3 摘要", "64 hex digits of SM3")
    return value.lower()


def _base64_decode(value: Any) -> bytes:
    if type(value) is not str:
        raise _type("Base64 字符串", "a Base64 string")
    try:
        return b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _form("Base64", "Base64") from None


def _base64_encode(value: Any) -> str:
    if not isinstance(value, bytes):
        raise _type("字节", "bytes")
    return b64encode(value).decode("ascii")


def strings(value: Any) -> dict[str, str]:
    """An object of strings, copied: form fields whose names we do not know."""
    if type(value) is not dict or not all(type(k) is str and type(v) is str for k, v in value.items()):
        raise _type("值均为字符串的对象", "an object whose values are strings")
    return dict(value)


def texts(value: Any) -> list[str]:
    """A list of strings; one string alone (an XML element that came once) is a list of one."""
    found = [value] if type(value) is str else value
    if type(found) is not list or not all(type(entry) is str for entry in found):
        raise _type("字符串列表", "a list of strings")
    return list(found)


def pairs(argument: str) -> Codec:
    """``pairs:K,V``: repeated elements <K>name</K><V>value</V> to a map. A name that comes twice is refused."""
    name, _, content = argument.partition(",")

    def decode(value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        for entry in value if type(value) is list else [value]:
            if type(entry) is not dict or type(entry.get(name)) is not str or type(entry.get(content, "")) is not str:
                raise _type(f"{name}、{content} 成对的字段", f"fields in pairs of {name} and {content}")
            if entry[name] in found:
                raise Misfit("value-repeated", "字段名重复", "a field name comes twice")
            found[entry[name]] = entry.get(content, "")
        return found

    def encode(value: Any) -> list[dict[str, str]]:
        return [{name: key, content: entry} for key, entry in strings(value).items()]

    return Codec("map", decode, encode)


def split(separator: str) -> Codec:
    """``split:、``: one string of several parts to a list. A part that holds the separator cannot be written."""
    mark = separator or "、"

    def decode(value: Any) -> list[str]:
        return [part for part in text(value).split(mark) if part]

    def encode(value: Any) -> str:
        if any(mark in entry or not entry for entry in texts(value)):
            raise Misfit("value-form", f"内容里不能有分隔符“{mark}”或空项", f"a part is empty or holds {mark!r}")
        return mark.join(value)

    return Codec("list", decode, encode)


CODECS: dict[str, Codec] = {
    "text": Codec("text", text, text),
    "int": Codec("int", integer, _plain_int),
    "int_text": Codec("int", integer, lambda value: str(_plain_int(value))),
    "flag": _flag("1", "0"),
    "yes_no": _flag("是", "否"),
    "datetime14": _moment(r"(\d{4})(\d\d)(\d\d)T?(\d\d)(\d\d)(\d\d)", "%Y%m%d%H%M%S", BEIJING, "yyyyMMddHHmmss"),
    "datetime14t": _moment(r"(\d{4})(\d\d)(\d\d)T?(\d\d)(\d\d)(\d\d)", "%Y%m%dT%H%M%S", BEIJING, "yyyyMMddTHHmmss"),
    "datetime_local": _moment(
        r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)", "%Y-%m-%d %H:%M:%S", BEIJING, "yyyy-MM-dd HH:mm:ss"
    ),
    "datetime_t": _moment(
        r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", "%Y-%m-%dT%H:%M:%S", BEIJING, "yyyy-MM-ddTHH:mm:ss"
    ),
    "datetime_zoned": Codec("datetime", _zoned_decode, _zoned_encode),
    "epoch_s": _epoch(1),
    "epoch_ms": _epoch(1000),
    "date8": _day(r"(\d{4})(\d\d)(\d\d)", "%Y%m%d", "yyyyMMdd"),
    "date10": _day(r"(\d{4})-(\d\d)-(\d\d)", "%Y-%m-%d", "yyyy-MM-dd"),
    "sm3": Codec("text", _digest_decode, text),
    "base64": Codec("bytes", _base64_decode, _base64_encode),
    "strings": Codec("map", strings, strings),
    "texts": Codec("list", texts, texts),
}
FACTORIES: dict[str, Callable[[str], Codec]] = {"division": division, "pairs": pairs, "split": split}


def find_codec(name: str) -> Codec | None:
    """``name`` or ``name:argument``; None when there is no such codec."""
    base, _, argument = name.partition(":")
    factory = FACTORIES.get(base)
    return factory(argument) if factory else CODECS.get(name)
