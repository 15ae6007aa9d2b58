"""Words for yes and no, division codes, digests, Base64, and lists and forms in one cell (是否、区划、摘要、列表、表单)."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from typing import Any, Final

from adapters.codecs.base import Codec, Misfit, text, wrong_form, wrong_type


def flag(argument: str, *, as_int: bool = False) -> Codec | None:
    """``flag:Y,N``: the platform's two words. None when they are not two different ones."""
    yes, _, no = argument.partition(",")
    if not yes or not no or yes == no:
        return None
    words = {yes: True, no: False}

    def decode(value: Any) -> bool:
        found = words.get(str(value)) if type(value) in (str, int) else None
        if found is None:
            raise wrong_form(f"{yes}（是）或 {no}（否）", f"{yes} (yes) or {no} (no)")
        return found

    def encode(value: Any) -> str | int:
        word = yes if truth(value) else no
        return int(word) if as_int else word

    return Codec("bool", decode, encode)


def truth(value: Any) -> bool:
    """A JSON true or false."""
    if type(value) is not bool:
        raise wrong_type("是否值", "a boolean")
    return value


def division(width: str) -> Codec | None:
    """Division code (区划代码) padded with zeros to 9 or 12 digits; a town's or village's code is not cut short."""
    if width not in {"6", "9", "12"}:
        return None
    digits = int(width)
    form = re.compile(rf"([0-9]{{6}})0{{{digits - 6}}}")

    def decode(value: Any) -> str:
        found = form.fullmatch(value) if type(value) is str else None
        if found is None:
            raise wrong_form(f"{digits} 位县级以上区划代码", f"{digits} digits of a county or higher division")
        return found.group(1)

    def encode(value: Any) -> str:
        if type(value) is not str or len(value) != 6:
            raise wrong_type("6 位区划代码", "a division code of 6 digits")
        return value.ljust(digits, "0")

    return Codec("text", decode, encode)


def _any_division_decode(value: Any) -> str:
    if type(value) is not str or not re.fullmatch(r"[0-9]{6}(0{3}){0,2}", value):
        raise wrong_form("6、9 或 12 位县级以上区划代码", "6, 9 or 12 digits of a county or higher division")
    return value[:6]


_SM3: Final = re.compile(r"[0-9A-Fa-f]{64}")


def _digest_decode(value: Any) -> str:
    if type(value) is not str or not _SM3.fullmatch(value):
        raise wrong_form("64 位十六进制 SM3 摘要", "64 hex digits of SM3")
    return value.lower()


def _base64_decode(value: Any) -> bytes:
    if type(value) is not str:
        raise wrong_type("Base64 字符串", "a Base64 string")
    try:
        return b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise wrong_form("Base64", "Base64") from None


def _base64_encode(value: Any) -> str:
    if not isinstance(value, bytes):
        raise wrong_type("字节", "bytes")
    return b64encode(value).decode("ascii")


def strings(value: Any) -> dict[str, str]:
    """An object of strings, copied: form fields whose names we do not know."""
    if type(value) is not dict or not all(type(k) is str and type(v) is str for k, v in value.items()):
        raise wrong_type("值均为字符串的对象", "an object whose values are strings")
    return dict(value)


def texts(value: Any) -> list[str]:
    """A list of strings; one string alone (an XML element that came once) is a list of one."""
    found = [value] if type(value) is str else value
    if type(found) is not list or not all(type(entry) is str for entry in found):
        raise wrong_type("字符串列表", "a list of strings")
    return list(found)


def pairs(argument: str) -> Codec | None:
    """``pairs:K,V``: repeated elements <K>name</K><V>value</V> to a map. A name that comes twice is refused."""
    name, _, content = argument.partition(",")
    if not name or not content or name == content:
        return None

    def decode(value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        for entry in value if type(value) is list else [value]:
            if type(entry) is not dict or type(entry.get(name)) is not str or type(entry.get(content, "")) is not str:
                raise wrong_type(f"{name}、{content} 成对的字段", f"fields in pairs of {name} and {content}")
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


def _two(argument: str, *, as_int: bool = False) -> Codec:
    found = flag(argument, as_int=as_int)
    assert found is not None  # noqa: S101 - the words below are ours
    return found


VALUES: Final[dict[str, Codec]] = {
    "bool": Codec("bool", truth, truth),
    "flag": _two("1,0"),
    "flag_int": _two("1,0", as_int=True),
    "yes_no": _two("是,否"),
    "division": Codec("text", _any_division_decode, text),
    "sm3": Codec("text", _digest_decode, text),
    "base64": Codec("bytes", _base64_decode, _base64_encode),
    "strings": Codec("map", strings, strings),
    "texts": Codec("list", texts, texts),
}
