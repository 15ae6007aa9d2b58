"""Money and measures without floating point (金额与计量单位): what cannot be said exactly is refused, never rounded.

The canonical amount is text in yuan with two decimals (``1234.50``), at most 16 digits (GB/T 39046-2020 T14: n..16,2).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from adapters.codecs.base import Codec, Misfit, integer, plain_int, wrong_form, wrong_type

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,8})?")
_YUAN: Final = re.compile(r"-?[0-9]{1,14}\.[0-9]{2}")
_LIMIT: Final = 10**16
# name -> (分 in one of it, whether the platform writes a whole number)
_AMOUNTS: Final = {"fen": (1, True), "fen_text": (1, True), "yuan": (100, False), "wan": (1_000_000, False)}
_UNITS: Final = {"KB": 1 << 10, "MB": 1 << 20, "thousand": 1000, "wan": 10_000}


def exact(value: Any) -> Decimal:
    """A JSON number or decimal digits in text, exactly; a float never comes here (JSON fractions are read as Decimal)."""
    if type(value) is int or (type(value) is Decimal and value.is_finite()):
        return Decimal(value)
    if type(value) is str and _NUMBER.fullmatch(value):
        return Decimal(value)
    raise wrong_type("数字", "a number")


def _whole(value: Decimal, zh: str, en: str) -> int:
    if abs(value.adjusted()) > 30 or value != value.to_integral_value():
        raise Misfit("value-inexact", zh, en)
    return int(value)


def _plain(value: Decimal) -> str:
    """Decimal digits without exponent and without zeros that say nothing."""
    shown = format(value, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def amount(name: str) -> Codec | None:
    """``amount:fen`` (number), ``fen_text``, ``yuan`` (text, two decimals), ``wan`` (万元, text). None: no such unit."""
    if name not in _AMOUNTS:
        return None
    fen_in_one, whole = _AMOUNTS[name]

    def decode(value: Any) -> str:
        fen = _whole(exact(value) * fen_in_one, "金额不足一分的部分无法表示", "an amount with less than a fen")
        if abs(fen) >= _LIMIT:
            raise wrong_form("至多 16 位的金额", "an amount of at most 16 digits")
        sign, fen = ("-" if fen < 0 else ""), abs(fen)
        return f"{sign}{fen // 100}.{fen % 100:02d}"

    def encode(value: Any) -> int | str:
        if type(value) is not str or not _YUAN.fullmatch(value):
            raise wrong_form("两位小数的元", "yuan with two decimals")
        fen = int(value.replace(".", ""))
        if whole:
            return str(fen) if name.endswith("_text") else fen
        return value if name == "yuan" else _plain(Decimal(fen) / fen_in_one)

    return Codec("text", decode, encode)


def unit(name: str) -> Codec | None:
    """``unit:KB``, ``unit:wan`` …: the platform counts in a larger unit. Written as text when it is no whole number."""
    factor = _UNITS.get(name)
    if factor is None:
        return None

    def decode(value: Any) -> int:
        zh, en = f"换算成最小单位（×{factor}）后不是整数", f"no whole number once multiplied by {factor}"
        return _whole(exact(value) * factor, zh, en)

    def encode(value: Any) -> int | str:
        count = plain_int(value)
        if count % factor == 0:
            return count // factor
        shown = _plain(Decimal(count) / factor)
        if not _NUMBER.fullmatch(shown):
            raise Misfit("value-inexact", f"不能用 {name} 精确表示", f"cannot be said exactly in {name}")
        return shown

    return Codec("int", decode, encode)


def counted(word: str) -> Codec | None:
    """``counted:个工作日``: a whole number with its measure word, as people write it."""
    if not word:
        return None

    def decode(value: Any) -> int:
        if type(value) is not str or not value.endswith(word):
            raise wrong_form(f"数字加“{word}”", f"a number followed by {word}")
        return integer(value.removesuffix(word).strip(" "))

    return Codec("int", decode, lambda value: f"{plain_int(value)}{word}")
