"""Outlines (图形轮廓) as a page writes them: AbbreviatedData, GB/T 33190-2016 clause 9.1, table 36.

S starts a figure, M moves, L draws a line, Q a curve with one control point, B one with two, A an arc of an ellipse (radii, turn
in degrees, large arc, clockwise, end point), C closes the figure.
"""

from __future__ import annotations

import re
from typing import Final

from signing.ofd.values import number, wrong

Segment = tuple[str, tuple[float, ...]]
ARITY: Final = {"S": 2, "M": 2, "L": 2, "Q": 4, "B": 6, "A": 7, "C": 0}
_LETTER: Final = re.compile(r"([SMLQBAC])")


def segments(data: str) -> tuple[Segment, ...]:
    """Letters and their numbers; Malformed for an unknown letter or a wrong count. Nothing before the first point."""
    words = _LETTER.sub(r" \1 ", data).split()
    found: list[Segment] = []
    at = 0
    while at < len(words):
        letter = words[at]
        last = at + 1 + ARITY.get(letter, 0)
        if letter not in ARITY or last > len(words) or (not found and letter not in "SM"):
            raise wrong()
        found.append((letter, tuple(map(number, words[at + 1 : last]))))
        at = last
    return tuple(found)
