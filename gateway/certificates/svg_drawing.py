"""The picture of a seal that is an SVG, read as the shapes of a page, for what cannot show SVG itself (PDF).

Groups, basic shapes, paths and texts of one line are drawn with colours, widths and transforms; what else an SVG may hold
(gradients, filters, embedded images) is left out. Its look was found sound before (``signing.picture``): no document type, no
script, nothing fetched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from math import cos, radians, sin, tan
from typing import Final

from lxml import etree

from gateway.certificates.svg_outline import outline
from signing.ofd.content import IDENTITY, Box, Colour, Matrix, Page, Path, Run, Shape, Text
from signing.ofd.values import number, times, wrong

MAX_SHAPES: Final = 20_000
_SVG: Final = "{http://www.w3.org/2000/svg}"
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
_LENGTH: Final = re.compile(r"\s*([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*(?:px|mm|pt|%)?\s*")
_STEP: Final = re.compile(r"(matrix|translate|scale|rotate|skewX|skewY)\s*\(([^)]*)\)")
_NAMED: Final = {"black": "#000", "white": "#fff", "red": "#f00", "blue": "#00f", "green": "#008000", "gray": "#808080"}
_INHERITED: Final = ("fill", "stroke", "stroke-width", "fill-opacity", "stroke-opacity", "opacity", "font-size",
                     "font-family", "font-weight", "text-anchor")  # fmt: skip
Look = Mapping[str, str]


def drawing(data: bytes) -> Page:
    """The picture as a page of its view box; Malformed if it cannot be read."""
    try:
        root = etree.fromstring(data, _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        raise wrong() from None
    view = root.get("viewBox")
    sizes = [_length(word) for word in re.split(r"[\s,]+", view.strip())] if view else []
    x, y, width, height = sizes if len(sizes) == 4 else (0, 0, _length(root.get("width")), _length(root.get("height")))
    if width <= 0 or height <= 0:
        raise wrong()
    box = Box(0.0, 0.0, width, height)
    shapes: list[Shape] = []
    for shape in _shapes(root, (1.0, 0.0, 0.0, 1.0, -x, -y), {}, box):
        if len(shapes) == MAX_SHAPES:
            raise wrong()
        shapes.append(shape)
    return Page(width, height, tuple(shapes))


def _shapes(element: etree._Element, outer: Matrix, above: Look, box: Box) -> Iterator[Shape]:
    look = {**above, **_own(element)}
    matrix = times(outer, _transform(element.get("transform", "")))
    name = str(element.tag).removeprefix(_SVG)
    if name in ("svg", "g", "a"):
        for child in element.iterchildren("*"):
            yield from _shapes(child, matrix, look, box)
    elif name in _OUTLINES:
        data = _OUTLINES[name](element)
        fill, stroke = _colour(look, "fill", "#000"), _colour(look, "stroke", "none")
        if data:
            yield Path(box, data, fill, stroke, _length(look.get("stroke-width", "1")), matrix)
    elif name == "text":
        yield from _text(element, matrix, look, box)


def _own(element: etree._Element) -> dict[str, str]:
    """What an element says of its look: attributes, and over them its style."""
    style = dict(part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part)
    said = {key.strip(): value.strip() for key, value in style.items()}
    return {key: value for key in _INHERITED if (value := said.get(key, element.get(key))) is not None}


def _text(element: etree._Element, matrix: Matrix, look: Look, box: Box) -> Iterator[Text]:
    words = " ".join("".join(map(str, element.itertext())).split())
    size = _length(look.get("font-size", "16"))
    colour = _colour(look, "fill", "#000")
    if not words or colour is None or size <= 0:
        return
    advances = tuple(size if unicodedata.east_asian_width(one) in "WFA" else size / 2 for one in words)
    back = {"middle": 0.5, "end": 1.0}.get(look.get("text-anchor", ""), 0.0) * sum(advances)
    x, y = (_length(element.get(a, "0")) + _length(element.get(f"d{a}", "0")) for a in "xy")
    weight = 700 if look.get("font-weight", "") in ("bold", "600", "700", "800", "900") else 400
    yield Text(
        box, look.get("font-family", ""), size, (Run(x - back, y, words, advances[:-1]),), colour, weight, matrix
    )


def _transform(text: str) -> Matrix:
    matrix = IDENTITY
    for kind, inside in _STEP.findall(text):
        values = [number(word) for word in re.split(r"[\s,]+", inside.strip()) if word]
        matrix = times(matrix, _step(kind, values))
    return matrix


def _step(kind: str, v: list[float]) -> Matrix:
    match kind, v:
        case "matrix", [a, b, c, d, e, f]:
            return a, b, c, d, e, f
        case "translate", [x, *rest]:
            return 1.0, 0.0, 0.0, 1.0, x, rest[0] if rest else 0.0
        case "scale", [x, *rest]:
            return x, 0.0, 0.0, rest[0] if rest else x, 0.0, 0.0
        case "rotate", [turn]:
            return cos(radians(turn)), sin(radians(turn)), -sin(radians(turn)), cos(radians(turn)), 0.0, 0.0
        case "rotate", [turn, x, y]:
            around = times((1.0, 0.0, 0.0, 1.0, x, y), _step("rotate", [turn]))
            return times(around, (1.0, 0.0, 0.0, 1.0, -x, -y))
        case "skewX", [turn]:
            return 1.0, 0.0, tan(radians(turn)), 1.0, 0.0, 0.0
        case "skewY", [turn]:
            return 1.0, tan(radians(turn)), 0.0, 1.0, 0.0, 0.0
    raise wrong()


def _colour(look: Look, what: str, otherwise: str) -> Colour | None:
    """None: not painted. A colour that is not understood is black, so that a mark is never lost."""
    said = look.get(what, otherwise)
    said = _NAMED.get(said.lower(), said)
    if said in ("none", "transparent"):
        return None
    shade = _length(look.get("opacity", "1")) * _length(look.get(f"{what}-opacity", "1"))
    alpha = round(255 * min(max(shade, 0.0), 1.0))
    if re.fullmatch(r"#[0-9A-Fa-f]{3}", said):
        said = "#" + "".join(letter * 2 for letter in said[1:])
    if re.fullmatch(r"#[0-9A-Fa-f]{6}", said):
        red, green, blue = bytes.fromhex(said[1:])
        return Colour(red, green, blue, alpha)
    if found := re.fullmatch(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", said):
        red, green, blue = (min(int(part), 255) for part in found.groups())
        return Colour(red, green, blue, alpha)
    return Colour(0, 0, 0, alpha)


def _length(text: str | None) -> float:
    found = _LENGTH.fullmatch(text or "")
    if found is None:
        raise wrong()
    return number(found[1])


# --- basic shapes as outlines -----------------------------------------------------------------------------------------


def _round(element: etree._Element) -> str:
    x, y = _length(element.get("cx", "0")), _length(element.get("cy", "0"))
    both = element.get("r", "0")
    a, b = _length(element.get("rx", both)), _length(element.get("ry", both))
    half = f"A {a:.4f} {b:.4f} 0 0 1"
    return f"M {x - a:.4f} {y:.4f} {half} {x + a:.4f} {y:.4f} {half} {x - a:.4f} {y:.4f} C" if a > 0 < b else ""


def _rectangle(element: etree._Element) -> str:
    x, y, wide, high = (_length(element.get(name, "0")) for name in ("x", "y", "width", "height"))
    return outline(f"M{x} {y}h{wide}v{high}h{-wide}z") if wide > 0 < high else ""


def _line(element: etree._Element) -> str:
    return "M {:.4f} {:.4f} L {:.4f} {:.4f}".format(
        *(_length(element.get(name, "0")) for name in ("x1", "y1", "x2", "y2"))
    )


def _points(element: etree._Element) -> str:
    closed = "z" if str(element.tag).endswith("polygon") else ""
    points = element.get("points", "").strip()
    return outline(f"M{points}{closed}") if points else ""


def _path(element: etree._Element) -> str:
    return outline(element.get("d", ""))


_OUTLINES: Final[dict[str, Callable[[etree._Element], str]]] = {
    "circle": _round, "ellipse": _round, "rect": _rectangle, "line": _line, "polygon": _points, "polyline": _points, "path": _path,
}  # fmt: skip
