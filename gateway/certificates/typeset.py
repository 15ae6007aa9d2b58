"""Chinese text set into lines (排版): full-width characters take one em, others less; marks do not begin a line.

Advances are written out in the page, so that every reader breaks and spaces the text alike whatever font it has. Those of
Latin letters have room for the proportional ones, which are broader than the half em of a Chinese typeface.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from signing.ofd.content import BLACK, Box, Colour, Run, Text

LEADING: Final = 1.4
_ASCENT: Final = 0.86
_SMALLEST: Final = 0.6
_NOT_FIRST: Final = frozenset("，。、；：？！）》」』】〕％…—·,.;:?!)]}%")
_NARROW: Final = dict.fromkeys(".,:;'`!|il", 0.32) | dict.fromkeys("MWmw@%", 0.88) | dict.fromkeys("()[]{}-ftjr/", 0.42)
_NOT_LAST: Final = frozenset("（《「『【〔([{")


@lru_cache(maxsize=8192)
def em(character: str) -> float:
    """The advance of a character in ems."""
    if unicodedata.east_asian_width(character) in "WFA":
        return 1.0
    return _NARROW.get(character, 0.7 if character.isupper() else 0.54)


def width(text: str) -> float:
    """The width of a text in ems."""
    return sum(map(em, text))


def wrap(text: str, room: float) -> list[str]:
    """Lines of at most ``room`` ems; a word of Latin letters or digits is broken only where it alone is too long."""
    if width(text) <= room:
        return [text]
    lines, line, used = [], "", 0.0
    for piece in _pieces(text, room):
        needed = width(piece)
        if line and used + needed > room + 1e-9:
            lines.append(line.rstrip(" "))
            line, used = "", 0.0
            piece = piece.lstrip(" ")
            needed = width(piece)
        line, used = line + piece, used + needed
    return [*lines, line.rstrip(" ")]


def fit(text: str, room: float, size: float, rows: int) -> tuple[float, list[str]] | None:
    """(size, lines) of a text in ``room`` mm and at most so many rows of ``size``, smaller where it must be; None if it does
    not fit even then. The height stays: what is smaller has more rows."""
    for step in range(9):
        smaller = size * (1 - step * 0.05)
        if smaller < size * _SMALLEST:
            break
        lines = wrap(text, room / smaller)
        if len(lines) <= int(rows * size / smaller + 1e-9):
            return smaller, lines
    return None


def block(
    x: float, y: float, room: float, size: float, lines: list[str], *, font: str = "宋体", bold: bool = False,
    colour: Colour = BLACK, spacing: float = 0.0,
) -> Text:  # fmt: skip
    """Lines under each other, the first one's top at ``y``; ``spacing``: extra mm between characters."""
    runs = tuple(
        Run(0.0, size * (_ASCENT + LEADING * place), line, tuple(em(one) * size + spacing for one in line[:-1]))
        for place, line in enumerate(lines)
        if line
    )
    return Text(Box(x, y, room, size * (LEADING * len(lines))), font, size, runs, colour, 700 if bold else 400)


def _pieces(text: str, room: float) -> Iterator[str]:
    """What may not be parted: a character with the marks that must follow or precede it, a word."""
    piece = ""
    for character in text:
        if (piece and not _sticks(piece[-1], character)) or width(piece) + em(character) > room:
            yield piece
            piece = ""
        piece += character
    if piece:
        yield piece


def _sticks(before: str, after: str) -> bool:
    word = before.isascii() and after.isascii() and before != " "
    return after in _NOT_FIRST or before in _NOT_LAST or word
