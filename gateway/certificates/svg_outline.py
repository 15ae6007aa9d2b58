"""The path data of SVG (SVG 1.1 clause 8.3) as the outline of an OFD page: every letter absolute, smooth ones written out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from signing.ofd.values import number, wrong

_TOKEN: Final = re.compile(r"([A-Za-z])|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|[\s,]+|(.)", re.DOTALL)
_ARITY: Final = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
_NEXT: Final = {"M": "L", "m": "l"}  # further pairs behind a move are lines


def outline(data: str) -> str:
    """AbbreviatedData; Malformed for what is no path."""
    return " ".join(_Pen().draw(data))


class _Pen:
    """Where the pen is, where the figure began, and the last control point (and of which kind)."""

    def __init__(self) -> None:
        self.x = self.y = self.start_x = self.start_y = 0.0
        self.control: tuple[str, float, float] = ("", 0.0, 0.0)

    def draw(self, data: str) -> Iterator[str]:
        for letter, values in _commands(data):
            yield self._one(letter.upper(), self._absolute(letter, values))

    def _absolute(self, letter: str, values: list[float]) -> list[float]:
        if letter.isupper():
            return values
        if letter == "a":
            return [*values[:5], values[5] + self.x, values[6] + self.y]
        if letter in "hv":
            return [values[0] + (self.x if letter == "h" else self.y)]
        return [value + (self.y if place % 2 else self.x) for place, value in enumerate(values)]

    def _one(self, letter: str, v: list[float]) -> str:
        kind = ""
        if letter == "Z":
            self.x, self.y, self.control = self.start_x, self.start_y, ("", 0.0, 0.0)
            return "C"
        if letter in "HV":
            letter, v = "L", [v[0], self.y] if letter == "H" else [self.x, v[0]]
        elif letter in "CS":
            letter, v, kind = "B", v if letter == "C" else [*self._mirrored("B"), *v], "B"
        elif letter in "QT":
            letter, v, kind = "Q", v if letter == "Q" else [*self._mirrored("Q"), *v], "Q"
        self.control = (kind, *v[-4:-2]) if kind else ("", 0.0, 0.0)  # type: ignore[assignment]
        self.x, self.y = v[-2:]
        if letter == "M":
            self.start_x, self.start_y = self.x, self.y
        return f"{letter} {' '.join(f'{value:.4f}' for value in v)}"

    def _mirrored(self, kind: str) -> tuple[float, float]:
        """The last control point on the other side of the pen, the pen itself behind anything else."""
        own, x, y = self.control
        return (2 * self.x - x, 2 * self.y - y) if own == kind else (self.x, self.y)


def _commands(data: str) -> Iterator[tuple[str, list[float]]]:
    letter, values = "", list[float]()
    for match in _TOKEN.finditer(data):
        word, value, other = match.groups()
        if other is not None or (word and word.upper() not in _ARITY) or (word and values) or (value and not letter):
            raise wrong()
        if word:
            letter = word
            if word in "Zz":
                yield letter, []
        elif value:
            values.append(number(value))
            if len(values) == _ARITY[letter.upper()]:
                yield letter, values
                letter, values = _NEXT.get(letter, letter), []
    if values:
        raise wrong()
