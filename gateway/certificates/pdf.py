"""Pages as PDF (extra ``pdf``): text stays text, in embedded fonts; a seal's paper does not cover what it stands on.

Pictures are decoded here, so this runs apart (``gateway.certificates.apart``), never in the process that asks for it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gateway.certificates.fonts import style
from gateway.certificates.pdf_fonts import FontBook
from gateway.certificates.pdf_outline import trace
from gateway.certificates.sheet import Sheet, fitting, places, showable, strip_height
from gateway.certificates.svg_drawing import drawing
from signing.errors import Malformed
from signing.ofd.content import Box, Colour, Document, Image, Page, Path, Run, Shape, Text
from signing.ofd.stamps import Shown
from signing.picture import look

MM: Final = 72 / 25.4
MAX_PIXELS: Final = 50_000_000
_BOLD: Final = 600


def draw(sheets: Sequence[Sheet], fonts: FontBook) -> bytes:
    """A PDF of these pages. NoFont where Chinese is to be shown and no font is there."""
    from reportlab.pdfgen.canvas import Canvas

    ready = [(sheet, [_ready(one) for one in sheet.stamps]) for sheet in sheets]
    for sheet, stamps in ready:
        for text in _texts(sheet, stamps):
            for run in text.runs:
                fonts.note(style(text.font), text.weight >= _BOLD, _shown(run.text))
    fonts.embed()
    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=1, invariant=1)
    canvas.setProducer("Tongban")
    for sheet, stamps in ready:
        _Drawing(canvas, fonts).sheet(sheet, stamps)
    canvas.save()
    return out.getvalue()


def _ready(shown: Shown) -> tuple[Shown, Document | None]:
    """A seal with its drawing, which an SVG picture becomes one of."""
    if shown.drawing is not None or showable(shown.picture.data) != "SVG":
        return shown, shown.drawing
    try:
        return shown, Document((drawing(shown.picture.data),))
    except Malformed:
        return shown, None


def _texts(sheet: Sheet, stamps: Sequence[tuple[Shown, Document | None]]) -> Iterator[Text]:
    pages = [sheet.page, *(found.pages[0] for _, found in stamps if found is not None)]
    yield from (shape for page in pages for shape in page.shapes if isinstance(shape, Text))
    yield from _strip(sheet)


def _strip(sheet: Sheet) -> Iterator[Text]:
    """The lines of the strip, from its own upper left corner."""
    if sheet.strip is None:
        return
    page, height = sheet.page, strip_height(sheet.page)
    ink = Colour(255, 255, 255) if sheet.strip.bad else Colour(0x44, 0x44, 0x44)
    for words, at, share in ((sheet.strip.zh, 0.42, 0.36), (sheet.strip.en, 0.84, 0.28)):
        size, long = fitting(words, height * share, page.width)
        start = (page.width - long) / 2
        yield Text(Box(0, page.height, page.width, height), "黑体", size, (Run(start, height * at, words),), ink)


def _shown(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


class _Drawing:
    """One canvas in millimetres, y downwards."""

    def __init__(self, canvas: Any, fonts: FontBook) -> None:
        self.canvas = canvas
        self.fonts = fonts
        self.decoded: dict[bytes, Any] = {}

    def sheet(self, sheet: Sheet, stamps: Sequence[tuple[Shown, Document | None]]) -> None:
        page = sheet.page
        height = page.height + (strip_height(page) if sheet.strip else 0.0)
        self.canvas.setPageSize((page.width * MM, height * MM))
        self.canvas.transform(MM, 0, 0, -MM, 0, height * MM)
        self.canvas.saveState()
        self._clip(Box(0, 0, page.width, page.height))
        self._page(page, sheet.media)
        for shown, found in stamps:
            self._stamp(shown, found)
        self.canvas.restoreState()
        if sheet.strip:
            paper = Colour(0xB0, 0, 0x20) if sheet.strip.bad else Colour(0xF2, 0xF2, 0xF2)
            self._ink(paper, None)
            self.canvas.rect(0, page.height, page.width, height - page.height, stroke=0, fill=1)
        for text in _strip(sheet):
            self._shape(text, {})
        self.canvas.showPage()

    def _page(self, page: Page, media: Mapping[str, bytes]) -> None:
        for shape in page.shapes:
            self._shape(shape, media)

    def _shape(self, shape: Shape, media: Mapping[str, bytes]) -> None:
        self.canvas.saveState()
        self.canvas.translate(shape.box.x, shape.box.y)
        self.canvas.transform(*shape.matrix)
        if isinstance(shape, Text):
            self._text(shape)
        elif isinstance(shape, Path):
            self._path(shape)
        else:
            self._image(shape, media)
        self.canvas.restoreState()

    def _stamp(self, shown: Shown, found: Document | None) -> None:
        box, canvas = shown.box, self.canvas
        canvas.saveState()
        canvas.translate(box.x, box.y)
        self._clip(shown.clip or Box(0, 0, box.width, box.height))
        canvas.setBlendMode("Multiply")
        if found is not None:
            page = found.pages[0]
            canvas.scale(box.width / page.width, box.height / page.height)
            self._page(page, found.media)
        else:
            canvas.scale(box.width, box.height)
            self._picture(shown.picture.data)
        canvas.restoreState()

    def _clip(self, box: Box) -> None:
        outline = self.canvas.beginPath()
        outline.rect(*box)
        self.canvas.clipPath(outline, stroke=0, fill=0)

    # --- shapes -------------------------------------------------------------------------------------------------------

    def _text(self, text: Text) -> None:
        self._ink(text.colour, text.colour)
        for run in text.runs:
            xs, ys = places(run)
            x = xs[0]
            for place, letter in enumerate(_shown(run.text)):
                x = xs[place] if place < len(xs) else x
                self._letter(text, letter, x, ys[min(place, len(ys) - 1)])
                x += self._advance(text, letter)

    def _letter(self, text: Text, letter: str, x: float, y: float) -> None:
        face, by_hand = self.fonts.of(style(text.font), text.weight >= _BOLD, letter)
        if face is None:
            return
        line = self.canvas.beginText()
        line.setFont(face.name, text.size)
        if by_hand:
            self.canvas.setLineWidth(text.size / 30)
        line.setTextRenderMode(2 if by_hand else 0)
        line.setTextTransform(1, 0, 0, -1, x, y)
        line.textOut(letter)
        self.canvas.drawText(line)

    def _advance(self, text: Text, letter: str) -> float:
        from reportlab.pdfbase.pdfmetrics import stringWidth

        face, _ = self.fonts.of(style(text.font), text.weight >= _BOLD, letter)
        return float(stringWidth(letter, face.name, text.size)) if face is not None else text.size

    def _path(self, path: Path) -> None:
        self._ink(path.fill, path.stroke)
        self.canvas.setLineWidth(path.line_width)
        self.canvas.setDash(list(path.dash))
        outline = self.canvas.beginPath()
        trace(outline, path.data)
        self.canvas.drawPath(
            outline,
            stroke=int(path.stroke is not None),
            fill=int(path.fill is not None),
            fillMode=int(not path.even_odd),
        )

    def _image(self, image: Image, media: Mapping[str, bytes]) -> None:
        self.canvas.setFillAlpha(image.alpha / 255)
        self._picture(media.get(image.media, b""))

    def _picture(self, data: bytes) -> None:
        """The unit square filled with a picture, crossed out where there is none that can be shown."""
        if data not in self.decoded:
            try:
                self.decoded[data] = _decoded(data)
            except Exception:  # whatever a decoder makes of hostile bytes
                self.decoded[data] = None
        found = self.decoded[data]
        if isinstance(found, Page):
            self.canvas.scale(1 / found.width, 1 / found.height)
            self._page(found, {})
        elif found is not None:
            self.canvas.transform(1, 0, 0, -1, 0, 1)
            self.canvas.drawImage(found, 0, 0, 1, 1, mask="auto")
        else:
            self.canvas.setStrokeColorRGB(0.6, 0.6, 0.6)
            self.canvas.setLineWidth(0.01)
            self.canvas.lines([(0, 0, 1, 1), (1, 0, 0, 1), (0, 0, 1, 0), (1, 0, 1, 1), (1, 1, 0, 1), (0, 1, 0, 0)])

    def _ink(self, fill: Colour | None, stroke: Colour | None) -> None:
        if fill is not None:
            self.canvas.setFillColorRGB(fill.red / 255, fill.green / 255, fill.blue / 255, fill.alpha / 255)
        if stroke is not None:
            self.canvas.setStrokeColorRGB(stroke.red / 255, stroke.green / 255, stroke.blue / 255, stroke.alpha / 255)


def _decoded(data: bytes) -> Any:
    """A page for an SVG, a picture of pixels for the others, None for what is not shown."""
    from reportlab.lib.utils import ImageReader

    kind, seen = showable(data), look(data)
    if kind == "SVG":
        return drawing(data)
    if not kind or seen.width * seen.height > MAX_PIXELS:
        return None
    reader = ImageReader(io.BytesIO(data))
    reader.getRGBData()
    return reader
