"""The objects of a page (图元, GB/T 33190-2016 clause 8.5 and chapters 9 to 13) read into shapes.

Composite objects and page blocks are taken apart, so that a page is one row of texts, pictures and outlines. Clips and glyph
transforms are not applied: a text is shown by its characters, not by what an embedded font makes of them, so it cannot look
like another one. What cannot be drawn is passed over and put on record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from signing.errors import Malformed
from signing.ofd import xml
from signing.ofd.content import BLACK, IDENTITY, Box, Image, Matrix, Path, Run, Shape, Text
from signing.ofd.files import Files, unsupported
from signing.ofd.path import segments
from signing.ofd.pens import Pen, pen
from signing.ofd.resources import Resources
from signing.ofd.values import box, deltas, faded, lengths, matrix, number, times, wrong

if TYPE_CHECKING:
    from lxml import etree

MAX_DEPTH: Final = 8
_LINE: Final = 0.353
_TRUE: Final = frozenset({"true", "1"})
FALSE: Final = frozenset({"false", "0"})  # whatever else is said of being seen, another reader may show it


class Frame(NamedTuple):
    """Where shapes are put: their coordinates go through ``matrix``, then from the corner of ``box``, on the page."""

    box: Box
    matrix: Matrix = IDENTITY
    depth: int = 0

    def place(self, inner: Box, turn: Matrix) -> tuple[Box, Matrix]:
        """A box with its matrix in this frame, as box and matrix on the page."""
        if self.matrix == IDENTITY:
            return inner._replace(x=self.box.x + inner.x, y=self.box.y + inner.y), turn
        return self.box, times(times(self.matrix, (1.0, 0.0, 0.0, 1.0, inner.x, inner.y)), turn)

    def within(self, inner: Box, turn: Matrix) -> Frame:
        """The frame of a composite object in this one."""
        if self.depth == MAX_DEPTH:
            raise Malformed("ofd-depth", "复合对象嵌套过深", "composite objects are nested too deeply")
        return Frame(*self.place(inner, turn), self.depth + 1)


@dataclass
class Drawing:
    """Shapes put on one page, the lowest first."""

    files: Files
    resources: Resources
    shapes: list[Shape]

    def add(self, parent: etree._Element, frame: Frame, layer: Pen) -> None:
        """All objects in a layer, a page block, a composite unit or an annotation's appearance."""
        for element in parent.iterchildren("*"):
            name = xml.own_name(element)
            self.files.spend("shapes")
            with self.files.skipping(name):
                if name not in _READERS:
                    raise unsupported("不支持的图元", "an object of an unknown kind")
                if element.get("Visible") not in FALSE:
                    _READERS[name](self, element, frame, layer)

    def _block(self, element: etree._Element, frame: Frame, layer: Pen) -> None:
        self.add(element, frame, layer)

    def _composite(self, element: etree._Element, frame: Frame, layer: Pen) -> None:
        unit = self.resources.composites.get(element.get("ResourceID", ""))
        if unit is None:
            raise _no_resource()
        inner = frame.within(box(element.get("Boundary", "")), matrix(element.get("CTM")))
        self.add(xml.need(unit, "Content"), inner, pen(self.files, element, self.resources.params, layer))

    def _text(self, element: etree._Element, frame: Frame, layer: Pen) -> None:
        font = self.resources.fonts.get(element.get("Font", ""))
        size = number(element.get("Size", ""))
        if size <= 0:
            raise wrong()
        if font is None:  # another reader shows it all the same
            self.files.skip("Font", _no_resource())
        own, alpha = pen(self.files, element, self.resources.params, layer), _alpha(element)
        filled = element.get("Fill", "true") in _TRUE
        ink = (own.fill if filled else own.stroke) or BLACK
        where, turn = frame.place(*_placed(element))
        weight = _whole(element.get("Weight", "400"), 1000)
        runs = tuple(self._runs(element))
        self.shapes.append(Text(where, font.name if font else "", size, runs, faded(ink, alpha), weight, turn))
        self._remark(element)

    def _runs(self, element: etree._Element) -> list[Run]:
        found: list[Run] = []
        x = y = "0"
        for code in xml.every(element, "TextCode"):
            x, y = code.get("X", x), code.get("Y", y)
            if len(code):
                raise wrong()
            text, step_x, step_y = code.text or "", code.get("DeltaX"), code.get("DeltaY")
            self.files.spend("characters", sum(map(len, (text, step_x or "", step_y or ""))))
            most = max(len(text) - 1, 0)
            run = Run(number(x), number(y), text, deltas(step_x, most), deltas(step_y, most))
            self.files.spend("characters", len(run.delta_x) + len(run.delta_y))
            found.append(run)
        return found

    def _image(self, element: etree._Element, frame: Frame, _layer: Pen) -> None:
        name = self.resources.media.get(element.get("ResourceID", ""))
        if name is None:
            raise _no_resource()
        inner = box(element.get("Boundary", ""))
        spread = matrix(element.get("CTM", f"{inner.width} 0 0 {inner.height} 0 0"))
        self.shapes.append(Image(*_image_at(frame, inner, name, spread), _alpha(element)))
        self._remark(element)
        if element.get("ImageMask") is not None:
            self.files.skip("ImageMask", unsupported("未应用图像蒙版", "a mask of a picture is not applied"))

    def _path(self, element: etree._Element, frame: Frame, layer: Pen) -> None:
        own, alpha = pen(self.files, element, self.resources.params, layer), _alpha(element)
        data = xml.text(xml.need(element, "AbbreviatedData"))
        self.files.spend("characters", len(data))
        segments(data)
        fill = own.fill if element.get("Fill", "false") in _TRUE else None
        stroke = own.stroke or BLACK if element.get("Stroke", "true") in _TRUE else None
        where, turn = frame.place(*_placed(element))
        self.shapes.append(
            Path(
                where,
                data,
                faded(fill, alpha) if fill is not None else None,
                faded(stroke, alpha) if stroke is not None else None,
                own.width if own.width is not None else _LINE,
                turn,
                element.get("Rule") == "Even-Odd",
                lengths(element.get("DashPattern", "")),
            )
        )
        self._remark(element)

    def _remark(self, element: etree._Element) -> None:
        if xml.one(element, "Clips") is not None:
            self.files.skip("Clips", unsupported("未应用裁剪区", "a clip is not applied"))


_READERS: Final[dict[str, Callable[[Drawing, etree._Element, Frame, Pen], None]]] = {
    "TextObject": Drawing._text,
    "ImageObject": Drawing._image,
    "PathObject": Drawing._path,
    "CompositeObject": Drawing._composite,
    "PageBlock": Drawing._block,
}


def _placed(element: etree._Element) -> tuple[Box, Matrix]:
    return box(element.get("Boundary", "")), matrix(element.get("CTM"))


def _image_at(frame: Frame, inner: Box, name: str, spread: Matrix) -> tuple[Box, str, Matrix]:
    where, turn = frame.place(inner, spread)
    return where, name, turn


def _alpha(element: etree._Element) -> int:
    return _whole(element.get("Alpha", "255"), 255)


def _whole(text: str, most: int) -> int:
    """A whole number from nought on."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and int(text) <= most):
        raise wrong()
    return int(text)


def _no_resource() -> Malformed:
    return Malformed("ofd-no-resource", "图元所用的资源不存在", "an object names a resource that is not there")
