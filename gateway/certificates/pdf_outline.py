"""The outline of a shape traced with what PDF has: lines and cubic curves. An arc becomes pieces of at most a quarter each."""

from __future__ import annotations

from collections.abc import Iterator
from math import acos, ceil, copysign, cos, hypot, pi, radians, sin, sqrt, tan
from typing import Any

from signing.ofd.path import segments

Point = tuple[float, float]


def trace(outline: Any, data: str) -> None:
    """AbbreviatedData onto a path of the canvas."""
    here = start = (0.0, 0.0)
    for letter, v in segments(data):
        if letter == "C":
            outline.close()
            here = start
            continue
        last = (v[-2], v[-1])
        if letter in "SM":
            outline.moveTo(*last)
            start = last
        elif letter == "L":
            outline.lineTo(*last)
        elif letter == "B":
            outline.curveTo(*v)
        elif letter == "Q":
            first = [(2 * c + p) / 3 for c, p in zip(v[:2], here, strict=True)]
            second = [(2 * c + p) / 3 for c, p in zip(v[:2], last, strict=True)]
            outline.curveTo(*first, *second, *last)
        else:
            for piece in arc(here, last, (abs(v[0]), abs(v[1])), radians(v[2]), v[3] != 0, v[4] != 0):
                outline.curveTo(*piece)
        here = last


def arc(
    here: Point, there: Point, radii: Point, turn: float, large: bool, clockwise: bool
) -> Iterator[tuple[float, ...]]:
    """Cubic curves along an ellipse from one point to another (SVG 1.1 appendix F.6, whose arcs OFD shares)."""
    a, b = radii
    if here == there:
        return
    if not a or not b:
        yield (*here, *there, *there)
        return
    c, s = cos(turn), sin(turn)
    dx, dy = (here[0] - there[0]) / 2, (here[1] - there[1]) / 2
    x, y = c * dx + s * dy, -s * dx + c * dy
    grown = sqrt(max(1.0, (x / a) ** 2 + (y / b) ** 2))  # too small to reach: as large as it must be
    a, b = a * grown, b * grown
    left = max(0.0, (a * b) ** 2 - (a * y) ** 2 - (b * x) ** 2) / ((a * y) ** 2 + (b * x) ** 2)
    k = sqrt(left) * (-1 if large == clockwise else 1)
    u, v = k * a * y / b, -k * b * x / a
    middle = (c * u - s * v + (here[0] + there[0]) / 2, s * u + c * v + (here[1] + there[1]) / 2)
    first = _angle((1, 0), ((x - u) / a, (y - v) / b))
    swept = _angle(((x - u) / a, (y - v) / b), ((-x - u) / a, (-y - v) / b))
    if clockwise and swept < 0:
        swept += 2 * pi
    elif not clockwise and swept > 0:
        swept -= 2 * pi
    pieces = max(1, ceil(abs(swept) / (pi / 2) - 1e-9))
    step = swept / pieces
    reach = 4 / 3 * tan(step / 4)
    for place in range(pieces):
        p, q = first + place * step, first + (place + 1) * step
        points = (
            (cos(p) - reach * sin(p), sin(p) + reach * cos(p)),
            (cos(q) + reach * sin(q), sin(q) - reach * cos(q)),
            (cos(q), sin(q)),
        )
        yield tuple(
            value for m, n in points for value in (c * a * m - s * b * n + middle[0], s * a * m + c * b * n + middle[1])
        )


def _angle(one: Point, other: Point) -> float:
    """From one direction to the other, -π to π."""
    long = hypot(*one) * hypot(*other)
    between = acos(max(-1.0, min(1.0, (one[0] * other[0] + one[1] * other[1]) / long)))
    return copysign(between, one[0] * other[1] - one[1] * other[0])
