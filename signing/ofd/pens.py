"""What colours and line an object is drawn with (绘制参数, GB/T 33190-2016 clause 8.2): its own word first, then that of the
drawing parameter it names and of those that one is based on, then that of its layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signing.errors import Malformed
from signing.ofd import xml
from signing.ofd.content import Colour
from signing.ofd.files import Files, unsupported
from signing.ofd.values import colour, number, wrong

if TYPE_CHECKING:
    from lxml import etree

_MAX_CHAIN: Final = 16


@dataclass(frozen=True, slots=True)
class Pen:
    """None: nothing was said."""

    fill: Colour | None = None
    stroke: Colour | None = None
    width: float | None = None

    def over(self, base: Pen) -> Pen:
        """This pen, and where it says nothing the other."""
        return Pen(
            self.fill if self.fill is not None else base.fill,
            self.stroke if self.stroke is not None else base.stroke,
            self.width if self.width is not None else base.width,
        )


def pen(files: Files, element: etree._Element, params: Mapping[str, etree._Element], layer: Pen) -> Pen:
    """The pen of an object or of a layer."""
    found = _said(files, element)
    name = element.get("DrawParam")
    for _ in range(_MAX_CHAIN):
        if name is None:
            return found.over(layer)
        if name not in params:
            break
        found = found.over(_said(files, params[name]))
        name = params[name].get("Relative")
    raise Malformed("ofd-draw-param", "绘制参数不存在或循环引用", "a drawing parameter is missing or based on itself")


def _said(files: Files, element: etree._Element) -> Pen:
    fill, stroke, width = xml.one(element, "FillColor"), xml.one(element, "StrokeColor"), element.get("LineWidth")
    return Pen(
        _colour(files, fill) if fill is not None else None,
        _colour(files, stroke) if stroke is not None else None,
        _width(width) if width is not None else None,
    )


def _width(text: str) -> float:
    if (found := number(text)) < 0:
        raise wrong()
    return found


def _colour(files: Files, element: etree._Element) -> Colour | None:
    """Of a shading its first colour; None for what has none of its own, so that a text is black and a figure is not filled."""
    value = element.get("Value")
    if value is None and (len(element) or element.get("Index") is not None):
        files.skip(
            "Color",
            unsupported("渐变、底纹与调色板颜色以单色代替", "a shading, pattern or palette colour is not drawn"),
        )
        first = next((one for one in element.iter("{*}Color") if xml.own_name(one) == "Color"), None)
        if first is None:
            return None
        value = first.get("Value")
    return colour("0 0 0" if value is None else value, element.get("Alpha"))
