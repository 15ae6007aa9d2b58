"""What a codec is, and the two that everything else is made of: text and whole numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Misfit(Exception):
    """This value does not fit this codec."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(code)
        self.code, self.zh, self.en = code, zh, en


@dataclass(frozen=True, slots=True)
class Codec:
    """``kind``: what the canonical side holds: text, int, bool, datetime, date, bytes, list, map.

    ``one_way``: what is read cannot be written back as it was, so a table that uses it cannot be turned round.
    """

    kind: str
    decode: Callable[[Any], Any]
    encode: Callable[[Any], Any]
    one_way: bool = False


def wrong_form(zh: str, en: str) -> Misfit:
    """The value has the right type and another form."""
    return Misfit("value-form", f"格式应为{zh}", f"expected the form {en}")


def wrong_type(zh: str, en: str) -> Misfit:
    """The value is of another type."""
    return Misfit("value-type", f"类型应为{zh}", f"expected {en}")


def text(value: Any) -> str:
    """A string, as it is (no normalisation: 生僻字 and full-width forms stay)."""
    if type(value) is not str:
        raise wrong_type("字符串", "a string")
    return value


_INTEGER = re.compile(r"-?[0-9]{1,15}")


def integer(value: Any) -> int:
    """A JSON integer, or its decimal digits (XML)."""
    if type(value) is int:
        return value
    if type(value) is str and _INTEGER.fullmatch(value):
        return int(value)
    raise wrong_type("整数", "an integer")


def plain_int(value: Any) -> int:
    """An integer of the canonical form."""
    if type(value) is not int:
        raise wrong_type("整数", "an integer")
    return value
