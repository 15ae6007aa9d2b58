"""Foreign JSON read strictly (attack rows N01-N06): what two parsers might read differently is refused, not guessed.

Python's own reader takes duplicate keys (last wins), NaN, ``1e999`` as infinity, lone surrogates and UTF-16 without a
word. Here each of them has a code: ``too-large``, ``byte-order-mark``, ``wrong-encoding``, ``too-deep``,
``duplicate-key``, ``bad-number``, ``bad-character``, ``bad-json``. Numbers with a fraction come back as exact
``Decimal``.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Final, NoReturn

from schemas.errors import Invalid

_SAFE_INTEGER: Final = (1 << 53) - 1
_STRINGS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS: Final = re.compile(r"[\[\]{}]")
# Controls beside tab, line feed and return; line separators; bidirectional overrides (a name shown backwards); the byte
# order mark; surrogates; code points that Unicode says are never characters.
_FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_BEYOND: Final = tuple(chr(plane << 16 | low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))


def forbidden(text: str) -> bool:
    """True if the text holds a code point that no text of ours may hold. One pass, microseconds for some KiB."""
    return _FORBIDDEN.search(text) is not None or any(character in text for character in _BEYOND)


def _bad_character(path: str = "") -> Invalid:
    zh = "含有控制字符、方向控制符、孤立代理或非字符"
    return Invalid(
        "bad-character", zh, "holds a control, a bidirectional override, a lone surrogate or a non-character", path
    )


def decode_utf8(data: bytes) -> str:
    """UTF-8 without byte order mark, or Invalid."""
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise Invalid("byte-order-mark", "不接受字节序标记，应为无BOM的UTF-8", "no byte order mark: UTF-8 without BOM")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        zh, en = f"第{error.start}字节起不是UTF-8", f"not UTF-8 from byte {error.start}"
        raise Invalid("wrong-encoding", zh, en) from None


def check_depth(text: str, max_depth: int) -> None:
    """Refuse nesting deeper than ``max_depth`` before any recursive reader sees it."""
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > max_depth:
            raise Invalid("too-deep", f"嵌套超过{max_depth}层", f"nested deeper than {max_depth}")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Invalid("duplicate-key", "同一对象中有重复的键", "a key appears twice in one object")
    return result


def _bad_number(zh: str, en: str) -> Invalid:
    return Invalid("bad-number", zh, en)


def _constant(_: str) -> NoReturn:
    raise _bad_number("不接受NaN与Infinity", "NaN and Infinity are no JSON numbers")


def _integer(literal: str) -> int:
    if literal == "-0":
        raise _bad_number("不接受负零", "minus zero is refused")
    if len(literal) > 17 or abs(value := int(literal)) > _SAFE_INTEGER:
        raise _bad_number("整数超出±(2^53-1)", "an integer beyond 2^53-1")
    return value


def _fraction(literal: str) -> Decimal:
    if len(literal) > 40:
        raise _bad_number("数字超过40位", "a number of more than 40 characters")
    value = Decimal(literal)
    if value and not -308 <= value.adjusted() <= 308:
        raise _bad_number("数字的指数超出范围", "a number with an exponent out of range")
    return value


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_integer, parse_float=_fraction
)


def check_texts(value: object) -> None:
    """Refuse a forbidden code point in any text of a value: escapes can bring in what the bytes did not show.
    No recursion."""
    waiting = [value]
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, str):
            if forbidden(entry):
                raise _bad_character()
        elif isinstance(entry, dict):
            waiting.extend(entry)
            waiting.extend(entry.values())
        elif isinstance(entry, list):
            waiting.extend(entry)


def strict_json(data: bytes, *, max_bytes: int = 1 << 20, max_depth: int = 32) -> object:
    """The value of one JSON document, or Invalid."""
    if len(data) > max_bytes:
        raise Invalid("too-large", f"内容超过{max_bytes}字节", f"larger than {max_bytes} bytes")
    text = decode_utf8(data)
    check_depth(text, max_depth)
    if forbidden(text):
        raise _bad_character()
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        zh, en = (
            f"第{error.lineno}行第{error.colno}列不是合法JSON",
            f"not JSON at line {error.lineno} column {error.colno}",
        )
        raise Invalid("bad-json", zh, en) from None
    if "\\u" in text:
        check_texts(value)
    return value
