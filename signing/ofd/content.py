"""What the pages of a fixed-layout document (版式文件, GB/T 33190-2016 ch. 7-10) show, apart from how a package writes it.

Written by ``signing.ofd.build``, read by ``signing.ofd.pages``. Lengths are millimetres; a page's origin is its top left corner,
y grows downwards. Each shape has a ``box`` on the page and its own coordinates inside it: from the box's top left corner,
through ``matrix`` (a b c d e f: x' = a·x + c·y + e, y' = b·x + d·y + f), as the standard's Boundary and CTM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Final[Matrix] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class Box(NamedTuple):
    """A rectangle: its top left corner, width and height, mm."""

    x: float
    y: float
    width: float
    height: float


class Colour(NamedTuple):
    """RGB, each 0 to 255; ``alpha`` 255 is opaque."""

    red: int
    green: int
    blue: int
    alpha: int = 255


BLACK: Final = Colour(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Run:
    """TextCode: characters from the start ``x`` of the first one on the base line ``y``; ``delta_x``: from each character's
    start to the next one's (the font's own advance where empty)."""

    x: float
    y: float
    text: str
    delta_x: tuple[float, ...] = ()
    delta_y: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """TextObject. ``font``: the name of one of the document's fonts; ``size``: mm; ``weight``: 400 normal, 700 bold."""

    box: Box
    font: str
    size: float
    runs: tuple[Run, ...]
    colour: Colour = BLACK
    weight: int = 400
    matrix: Matrix = IDENTITY


@dataclass(frozen=True, slots=True)
class Image:
    """ImageObject: the picture fills the unit square, which ``matrix`` spreads; ``media``: a name in the document's media."""

    box: Box
    media: str
    matrix: Matrix
    alpha: int = 255


@dataclass(frozen=True, slots=True)
class Path:
    """PathObject. ``data``: AbbreviatedData (S M L Q B A C and numbers, GB/T 33190 table 36); ``even_odd``: a figure inside of
    another is a hole; ``dash``: lengths of strokes and gaps in turn, a whole line without."""

    box: Box
    data: str
    fill: Colour | None = None
    stroke: Colour | None = BLACK
    line_width: float = 0.353
    matrix: Matrix = IDENTITY
    even_odd: bool = False
    dash: tuple[float, ...] = ()


Shape = Text | Image | Path


@dataclass(frozen=True, slots=True)
class Page:
    """A page and its shapes, the lowest first. ``width``, ``height``: mm."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Font:
    """A font by its name; ``data``: its embedded file (TrueType/OpenType), none if empty: the reader's own is used."""

    name: str
    family: str = ""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file carried inside the document (附件)."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """One document body. ``media``: pictures (PNG, JPEG …) by name; ``custom``: CustomDatas of DocInfo, in order."""

    pages: tuple[Page, ...]
    media: Mapping[str, bytes] = field(default_factory=dict)
    fonts: tuple[Font, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    custom: tuple[tuple[str, str], ...] = ()
    title: str = ""
    author: str = ""
    created: date | None = None
