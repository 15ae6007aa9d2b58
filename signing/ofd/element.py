"""XML of an OFD package written (GB/T 33190-2016: UTF-8, namespace ``ofd``): elements as text, nothing left unescaped."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape

from signing.ofd.xml import NAMESPACE

_RETURN: Final = {"\r": "&#13;"}
_QUOTED: Final = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
# Nearly all text has nothing that XML could misread, and is looked at once.
_ODD: Final = re.compile('[<>&"\x00-\x1f\ud800-\udfff\ufffe\uffff]')
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: str) -> str:
    """Character data; ValueError for a character that XML cannot carry."""
    return _escaped(value, _RETURN) if _ODD.search(value) else value


def element(name: str, inside: str = "", /, **attributes: str | None) -> str:
    """One element; ``inside`` is XML already; attributes of None are left out."""
    said = "".join([f' {key}="{_attribute(value)}"' for key, value in attributes.items() if value is not None])
    return f"<ofd:{name}{said}>{inside}</ofd:{name}>" if inside else f"<ofd:{name}{said}/>"


def leaf(name: str, value: str, /, **attributes: str | None) -> str:
    """An element that holds this text, nothing at all without one."""
    return element(name, text(value), **attributes) if value else ""


def root(name: str, inside: str, /, **attributes: str | None) -> bytes:
    """A whole file."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n' + element(name, inside, **{"xmlns:ofd": NAMESPACE}, **attributes)
    ).encode()


@lru_cache(maxsize=4096)
def number(value: float) -> str:
    """A length as OFD writes it: to a ten-thousandth of a millimetre, no exponent; ValueError for no number."""
    if value != value or abs(value) > 1e9:
        raise ValueError("not a length")
    shown = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown


def numbers(values: tuple[float, ...]) -> str:
    """ST_Array: numbers in a row."""
    return " ".join(map(number, values))


def _attribute(value: str) -> str:
    return _escaped(value, _QUOTED) if _ODD.search(value) else value


def _escaped(value: str, more: dict[str, str]) -> str:
    if _NOT_XML.search(value):
        raise ValueError("a character that XML cannot carry")
    return escape(value, more)
