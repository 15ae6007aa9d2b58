"""A page as SVG: text stays text, pictures stay as they are, nothing is decoded, run or fetched.

Pure: a sheet in, text out. All that comes from the document is escaped or is a number; pictures are embedded as data after
their look (``signing.picture``) was found sound, and a drawing is embedded as an image, where no viewer runs scripts.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Final
from xml.sax.saxutils import escape

from gateway.certificates.fonts import FAMILIES, families
from gateway.certificates.sheet import Sheet, fitting, places, showable, strip_height
from signing.ofd.content import IDENTITY, Box, Colour, Image, Matrix, Page, Path, Run, Shape, Text
from signing.ofd.path import segments
from signing.ofd.stamps import Shown

_MEDIA: Final = {"PNG": "png", "GIF": "gif", "JPG": "jpeg", "BMP": "bmp", "SVG": "svg+xml"}
_LETTERS: Final = {"S": "M", "B": "C", "C": "Z"}
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff\ud800-\udfff]")


def draw(sheet: Sheet) -> str:
    """The page, its seals and the strip beneath, as one SVG document of the page's size in millimetres."""
    page, strip = sheet.page, sheet.strip
    below = strip_height(page) if strip else 0.0
    width, height = _n(page.width), _n(page.height + below)
    shared = _Shared()
    inside = _page(page, sheet.media, shared) + "".join(_stamp(one, shared) for one in sheet.stamps)
    view = f'x="0" y="0" width="{width}" height="{_n(page.height)}" viewBox="0 0 {width} {_n(page.height)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">'
        f"{shared.definitions()}"
        f'<rect width="{width}" height="{height}" fill="#fff"/><svg {view}>{inside}</svg>{_strip(sheet, below)}</svg>\n'
    )


class _Shared:
    """Pictures and drawings of one page, each written once however often it is shown."""

    def __init__(self) -> None:
        self._names: dict[bytes | int, str] = {}
        self._written: list[str] = []

    def picture(self, data: bytes) -> str:
        """The name of a picture that fills the unit square."""
        return self._name(data, lambda: _picture(data))

    def drawing(self, page: Page, media: Mapping[str, bytes]) -> str:
        """The name of a drawing in its own millimetres."""
        return self._name(id(page), lambda: _page(page, media, self))

    def definitions(self) -> str:
        return f"<defs>{''.join(self._written)}</defs>" if self._written else ""

    def _name(self, key: bytes | int, inside: Callable[[], str]) -> str:
        if key not in self._names:
            self._names[key] = f"p{len(self._names)}"
            self._written.append(f'<g id="{self._names[key]}">{inside()}</g>')
        return self._names[key]


def _strip(sheet: Sheet, height: float) -> str:
    if sheet.strip is None:
        return ""
    page = sheet.page
    ink, paper = ("#fff", "#b00020") if sheet.strip.bad else ("#444", "#f2f2f2")
    lines = ((sheet.strip.zh, 0.42, 0.36), (sheet.strip.en, 0.84, 0.28))
    return (
        f'<g font-family="{FAMILIES["hei"]}" fill="{ink}" text-anchor="middle">'
        f'<rect y="{_n(page.height)}" width="{_n(page.width)}" height="{_n(height)}" fill="{paper}"/>'
        + "".join(
            f'<text x="{_n(page.width / 2)}" y="{_n(page.height + height * at)}" '
            f'font-size="{_n(fitting(text, height * size, page.width)[0])}">{escape(text)}</text>'
            for text, at, size in lines
        )
        + "</g>"
    )


def _page(page: Page, media: Mapping[str, bytes], shared: _Shared) -> str:
    return "".join(_shape(shape, media, shared) for shape in page.shapes)


def _shape(shape: Shape, media: Mapping[str, bytes], shared: _Shared) -> str:
    if isinstance(shape, Image):
        opacity = f' opacity="{_n(shape.alpha / 255)}"' if shape.alpha < 255 else ""
        inside = f'<use href="#{shared.picture(media.get(shape.media, b""))}"{opacity}/>'
    else:
        inside = _text(shape) if isinstance(shape, Text) else _path(shape)
    return f'<g transform="{_transform(shape.box, shape.matrix)}">{inside}</g>'


def _text(shape: Text) -> str:
    weight = f' font-weight="{shape.weight}"' if shape.weight not in (0, 400) else ""
    runs = "".join(map(_run, shape.runs))
    return f'<g font-family="{families(shape.font)}" font-size="{_n(shape.size)}"{weight} {_paint("fill", shape.colour)}>{runs}</g>'


def _run(run: Run) -> str:
    xs, ys = (" ".join(map(_n, row)) for row in places(run))
    shown = escape(_UNSEEN.sub(" ", run.text))
    return f'<text x="{xs}" y="{ys}" style="white-space:pre">{shown}</text>'


def _path(shape: Path) -> str:
    data = " ".join(
        " ".join([_LETTERS.get(letter, letter), *map(_n, numbers)]) for letter, numbers in segments(shape.data)
    )
    stroke = f'{_paint("stroke", shape.stroke)} stroke-width="{_n(shape.line_width)}"' if shape.stroke else ""
    dash = f'stroke-dasharray="{" ".join(map(_n, shape.dash))}"' if shape.dash else ""
    rule = 'fill-rule="evenodd"' if shape.even_odd else ""
    return f'<path d="{data}" {_paint("fill", shape.fill)} {stroke} {dash} {rule}/>'


def _picture(data: bytes) -> str:
    """The unit square filled with a picture, or crossed out where there is none that can be shown."""
    kind = showable(data)
    if not kind:
        return '<path d="M 0 0 H 1 V 1 H 0 Z L 1 1 M 1 0 L 0 1" fill="none" stroke="#999" stroke-width="0.01"/>'
    link = f"data:image/{_MEDIA[kind]};base64,{base64.b64encode(data).decode()}"
    return f'<image width="1" height="1" preserveAspectRatio="none" href="{link}"/>'


def _stamp(shown: Shown, shared: _Shared) -> str:
    """A seal in its box; only the part in ``clip`` shows. Its paper does not cover the text beneath."""
    width, height = shown.box.width, shown.box.height
    part = shown.clip or Box(0.0, 0.0, width, height)
    if shown.drawing is not None:
        page = shown.drawing.pages[0]
        name, wide, high = shared.drawing(page, shown.drawing.media), page.width, page.height
    else:
        name, wide, high = shared.picture(shown.picture.data), 1.0, 1.0
    return (
        f'<svg x="{_n(shown.box.x + part.x)}" y="{_n(shown.box.y + part.y)}" width="{_n(part.width)}" '
        f'height="{_n(part.height)}" viewBox="{" ".join(map(_n, part))}" style="mix-blend-mode:multiply">'
        f'<use href="#{name}" transform="scale({_n(width / wide)} {_n(height / high)})"/></svg>'
    )


def _paint(what: str, colour: Colour | None) -> str:
    if colour is None:
        return f'{what}="none"'
    opacity = f' {what}-opacity="{_n(colour.alpha / 255)}"' if colour.alpha < 255 else ""
    return f'{what}="#{colour.red:02x}{colour.green:02x}{colour.blue:02x}"{opacity}'


def _transform(box: Box, matrix: Matrix) -> str:
    moved = f"translate({_n(box.x)} {_n(box.y)})"
    return moved if matrix == IDENTITY else f"{moved} matrix({' '.join(map(_n, matrix))})"


def _n(value: float) -> str:
    """A number as SVG takes it, to a ten-thousandth."""
    shown = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown
