"""The sample seal's picture: a round red seal with a star, the name around it and 样章·测试无效 across (SVG, 42 mm).

Drawn from text alone, each character placed by itself, so that viewers without text-on-path show it alike. It is made
to be recognised as a sample: no real seal carries these words.
"""

from __future__ import annotations

from math import cos, pi, sin
from typing import Final
from xml.sax.saxutils import escape

from signing.seal import Picture

LAB_MARK: Final = "样章·测试无效"
SIZE_MM: Final = 42
_RED: Final = "#d7000f"
_FONT: Final = "SimSun,'Noto Serif CJK SC',serif"
_ARC: Final = 1.35 * pi  # the name never runs into the words below the star


def round_seal(name: str, mark: str = LAB_MARK) -> Picture:
    """The picture of a sample seal for ``name`` (at most 40 characters are drawn)."""
    size, ring = around(name)
    letters = "".join(
        f'<text transform="translate(210,210) rotate({turn:.2f}) translate(0,-{172 - size / 2:.1f})"'
        f' dy="{size * 0.35:.1f}" font-size="{size:.1f}">{escape(letter)}</text>'
        for letter, turn in ring
    )
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in star(210, 200, 62))
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="42mm" height="42mm" viewBox="0 0 420 420">'
        f'<g fill="{_RED}" font-family="{_FONT}" text-anchor="middle">'
        f'<circle cx="210" cy="210" r="200" fill="none" stroke="{_RED}" stroke-width="10"/>'
        f'<polygon points="{points}"/>{letters}'
        f'<text x="210" y="326" font-size="26" font-weight="bold">{escape(mark)}</text>'
        "</g></svg>"
    )
    return Picture("SVG", drawing.encode(), SIZE_MM, SIZE_MM)


def around(name: str) -> tuple[float, list[tuple[str, float]]]:
    """The size of a character, in tenths of a millimetre, and the characters with their turns, in degrees."""
    letters = name[:40]
    step = min(_ARC / max(len(letters), 1), pi / 7)
    start = -step * (len(letters) - 1) / 2
    return min(46.0, 150.0 * step), [
        (letter, (start + step * place) * 180 / pi) for place, letter in enumerate(letters)
    ]


def star(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """The corners of a five-pointed star, one point up."""
    inner = radius * 0.381966
    turns = [(radius if turn % 2 == 0 else inner, -pi / 2 + turn * pi / 5) for turn in range(10)]
    return [(x + r * cos(angle), y + r * sin(angle)) for r, angle in turns]
