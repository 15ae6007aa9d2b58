"""The sample seal's picture as an OFD document of one page, the form that the seals of tax offices carry.

The same circle, star, name and 样章·测试无效 as ``signing.seal_picture``, for readers of OFD that draw no SVG.
"""

from __future__ import annotations

from math import cos, radians, sin
from typing import Final

from signing.ofd.build import build_ofd
from signing.ofd.content import Box, Colour, Document, Font, Page, Path, Run, Shape, Text
from signing.ofd.package_build import build_package
from signing.seal import Picture
from signing.seal_picture import LAB_MARK, SIZE_MM, around, star

_RED: Final = Colour(0xD7, 0, 0x0F)
_FONT: Final = "宋体"
_SHEET: Final = Box(0, 0, SIZE_MM, SIZE_MM)
_CENTRE: Final = SIZE_MM / 2
_RADIUS: Final = 20.0
_BEND: Final = 0.5522847498  # of a cubic curve that follows a quarter of a circle


def round_seal_ofd(name: str, mark: str = LAB_MARK) -> Picture:
    """The picture of a sample seal for ``name`` (at most 40 characters are drawn)."""
    size, ring = around(name)
    corners = [f"{x / 10:.2f} {y / 10:.2f}" for x, y in star(210, 200, 62)]
    shapes: tuple[Shape, ...] = (
        Path(_SHEET, _circle(), stroke=_RED, line_width=1.0),
        Path(_SHEET, f"M {' L '.join(corners)} C", fill=_RED, stroke=_RED, line_width=0.1),
        *(_letter(letter, turn, size / 10) for letter, turn in ring),
        _words(mark, 2.6),
    )
    document = Document((Page(SIZE_MM, SIZE_MM, shapes),), fonts=(Font(_FONT, "SimSun"),))
    return Picture("ofd", build_package(build_ofd(document)), SIZE_MM, SIZE_MM)


def _circle() -> str:
    """Four curves, from the right end on."""
    right, left = _CENTRE + _RADIUS, _CENTRE - _RADIUS
    near, far = _CENTRE - _BEND * _RADIUS, _CENTRE + _BEND * _RADIUS
    middle = _CENTRE
    return (
        f"M {right} {middle} B {right} {far:.4f} {far:.4f} {right} {middle} {right} "
        f"B {near:.4f} {right} {left} {far:.4f} {left} {middle} "
        f"B {left} {near:.4f} {near:.4f} {left} {middle} {left} "
        f"B {far:.4f} {left} {right} {near:.4f} {right} {middle} C"
    )


def _letter(letter: str, turn: float, size: float) -> Text:
    """A character on the ring, upright where it stands: turned about the centre."""
    down, across = cos(radians(turn)), sin(radians(turn))
    base = -(17.2 - size / 2) + 0.35 * size
    return Text(
        _SHEET, _FONT, size, (Run(-size / 2, base, letter),), _RED, matrix=(down, across, -across, down, _CENTRE, _CENTRE)
    )  # fmt: skip


def _words(mark: str, size: float) -> Text:
    left = _CENTRE - size * len(mark) / 2
    return Text(_SHEET, _FONT, size, (Run(left, 32.6, mark, (size,) * (len(mark) - 1)),), _RED, 700)
