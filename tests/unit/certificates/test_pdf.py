"""A page as PDF and as pixels: text can be found in it where it stands, seals are red where they stand, pictures are decoded."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path as FilePath

import pypdfium2
import pytest
from hypothesis import given, settings

from gateway.certificates import pdf, pdf_fonts, png, sheet
from gateway.certificates.pdf_fonts import FontBook, NoFont
from gateway.certificates.pdf_outline import arc, trace
from signing import seal
from signing.ofd.content import Box, Colour, Document, Image, Page, Path, Run, Text
from signing.ofd.stamps import Shown
from signing.seal_picture import round_seal
from tests.unit.signing.test_ofd_round_trip import documents
from tests.unit.signing.test_picture_look import GIF, JPG

RED = Colour(255, 0, 0)
CHINESE = any(name.lower() in pdf_fonts._installed() for row in pdf_fonts.FILES.values() for name in row)
needs_font = pytest.mark.skipif(not CHINESE, reason="no Chinese font on this machine")


def pixel_png(width: int, height: int, colour: bytes = b"\xff\0\0") -> bytes:
    """A PNG of one colour."""
    rows = (b"\0" + colour * width) * height
    parts = (
        (b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def made(
    *shapes: Text | Image | Path, stamps: tuple[Shown, ...] = (), strip: str = "verified", **media: bytes
) -> bytes:
    document = Document((Page(100, 80, shapes),), media)
    return pdf.draw(sheet.sheets(document, stamps, sheet.STRIPS[strip]), FontBook())


def colours(data: bytes, *points: tuple[float, float]) -> list[tuple[int, ...]]:
    """The colours at these places, mm."""
    from PIL import Image as Pictures

    with Pictures.open(io.BytesIO(png.pixels(data, dpi=254))) as picture:
        found = picture.convert("RGB")
        return [found.getpixel((round(x * 10), round(y * 10))) for x, y in points]  # type: ignore[misc]


def text(run: Run, font: str = "宋体", weight: int = 400) -> Text:
    return Text(Box(10, 20, 60, 8), font, 5, (run,), weight=weight)


def words(data: bytes) -> str:
    with pypdfium2.PdfDocument(data) as document:
        page = document[0]
        return str(page.get_textpage().get_text_range())


@needs_font
def test_the_same_document_makes_the_same_bytes() -> None:
    assert made(text(Run(0, 5, "营业执照")), strip="untold") == made(text(Run(0, 5, "营业执照")), strip="untold")


def test_the_page_has_its_size_and_a_strip_beneath() -> None:
    with pypdfium2.PdfDocument(made()) as document:
        assert document[0].get_size() == pytest.approx((100 * pdf.MM, 80 * pdf.MM), abs=0.1)


@needs_font
def test_text_stays_text_where_it_stands() -> None:
    data = made(text(Run(0, 5, "营业执照", (5, 5, 5))), text(Run(0, 15, "MA4K 样章")), strip="unverified")
    assert "营业执照" in words(data) and "MA4K 样章" in words(data) and sheet.UNVERIFIED.zh in words(data)
    with pypdfium2.PdfDocument(data) as document:
        whole = document[0]
        page = whole.get_textpage()
        left, bottom, right, top = page.get_charbox(page.get_text_range().index("照"))
        assert left / pdf.MM >= 25 and right / pdf.MM <= 30.1  # the fourth character, of 5 mm each, from 10 mm on
        height = (80 + sheet.strip_height(Page(100, 80, ()))) * pdf.MM
        assert 19 <= (height - top) / pdf.MM <= (height - bottom) / pdf.MM <= 27


@needs_font
def test_rare_characters_of_names_are_found_and_embedded() -> None:
    """𠮷 lies beyond the first plane: its two halves must be what a search finds."""
    data = made(text(Run(0, 5, "𠮷田")))
    assert "𠮷田" in words(data)
    assert b"/FontFile2" in data


@needs_font
@pytest.mark.parametrize("font", ["宋体", "楷体"])
def test_bold_text_is_darker_and_a_missing_character_leaves_a_gap(font: str) -> None:
    """Where a style has no bold font the letters are drawn with an outline."""
    spots = [(10 + x / 10, 20 + y / 10) for x in range(0, 50, 2) for y in range(0, 60, 2)]
    plain, bold = (
        sum(colour == (0, 0, 0) for colour in colours(made(text(Run(0, 5, "章"), font, weight)), *spots))
        for weight in (400, 700)
    )
    assert 0 < plain < bold
    book = FontBook()
    document = Document((Page(100, 80, (text(Run(0, 5, "文\U000e0100字")),)),))
    assert pdf.draw(sheet.sheets(document, (), None), book).startswith(b"%PDF")
    assert book.missing() in ("", "\U000e0100")


def test_without_a_font_there_is_no_chinese(monkeypatch: pytest.MonkeyPatch, tmp_path: FilePath) -> None:
    monkeypatch.setattr(pdf_fonts, "_installed", dict)
    with pytest.raises(NoFont):
        made(text(Run(0, 5, "营业执照")))
    bad = tmp_path / "font.ttf"
    bad.write_bytes(b"not a font")
    for named in (bad, tmp_path / "none.ttc"):
        with pytest.raises(NoFont):
            pdf.draw(sheet.sheets(Document((Page(9, 9, (text(Run(0, 5, "a")),)),)), (), None), FontBook(str(named)))


def test_pictures_and_outlines_are_where_they_should_be() -> None:
    line = Path(Box(50, 10, 40, 40), "M 0 0 L 40 0 L 40 40 L 0 40 C", Colour(0, 0, 255), None)
    shown = Image(Box(10, 10, 30, 30), "p", (30, 0, 0, 30, 0, 0))
    assert colours(made(line, shown, p=pixel_png(4, 4)), (25, 25), (70, 30), (5, 5), (45, 30)) == [
        (255, 0, 0), (0, 0, 255), (255, 255, 255), (255, 255, 255),
    ]  # fmt: skip


def test_holes_and_dashes_are_left_white() -> None:
    frame = "M 0 0 L 30 0 L 30 30 L 0 30 C M 10 10 L 20 10 L 20 20 L 10 20 C"
    whole, holed = (Path(Box(x, 10, 30, 30), frame, RED, None, even_odd=x > 40) for x in (10, 50))
    line = Path(Box(10, 60, 40, 1), "M 0 0 L 40 0", line_width=4, dash=(10, 10))
    found = colours(made(whole, holed, line), (25, 25), (65, 25), (55, 15), (15, 60), (25, 60))
    assert found == [(255, 0, 0), (255, 255, 255), (255, 0, 0), (0, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize(
    "data", [b"", b"MZ", JPG, GIF, pixel_png(4, 4)[:-30] + bytes(30)], ids=["none", "exe", "jpg", "gif", "png"]
)
def test_F13_a_picture_that_cannot_be_decoded_is_crossed_out(data: bytes) -> None:
    """Headers that look right with nothing behind them."""
    found = colours(made(Image(Box(10, 10, 30, 30), "p", (30, 0, 0, 30, 0, 0)), p=data), (25, 25), (15, 25))
    assert found[0] != (255, 255, 255) and found[1] == (255, 255, 255)


def test_F13_a_picture_of_too_many_pixels_is_never_decoded() -> None:
    huge = pixel_png(2, 2).replace(struct.pack(">2I", 2, 2), struct.pack(">2I", 19_999, 19_999))
    body = huge[12:29]
    huge = huge[:29] + struct.pack(">I", zlib.crc32(body)) + huge[33:]
    found = colours(made(Image(Box(10, 10, 30, 30), "p", (30, 0, 0, 30, 0, 0)), p=huge), (25, 25), (15, 25))
    assert found[0] != (255, 255, 255) and found[1] == (255, 255, 255)


def test_seals_are_red_where_they_stand_and_cover_no_text() -> None:
    """The paper of a seal's picture is white; what it stands on is seen through it."""
    black = Path(Box(0, 0, 100, 80), "M 0 40 L 100 40", line_width=4)
    sample = round_seal("样章")
    star = Shown(1, Box(10, 10, 40, 40), None, sample, None, "1")
    paper = Shown(
        1, Box(60, 20, 30, 40), None, seal.Picture("PNG", pixel_png(2, 2, b"\xff\xff\xff"), 30, 40), None, "2"
    )
    if CHINESE:
        data = made(black, stamps=(star, paper))
        assert colours(data, (30, 30), (75, 40), (75, 25), (11, 30)) == [
            (0xD7, 0, 0x0F), (0, 0, 0), (255, 255, 255), (0xD7, 0, 0x0F),
        ]  # fmt: skip
    part = Shown(1, Box(60, 20, 30, 40), Box(0, 0, 10, 40), seal.Picture("PNG", pixel_png(2, 2), 30, 40), None, "2")
    assert colours(made(stamps=(part,)), (65, 30), (75, 30)) == [(255, 0, 0), (255, 255, 255)]


def test_seals_drawn_as_documents_and_seals_that_cannot_be_drawn() -> None:
    inner = Document((Page(10, 10, (Path(Box(0, 0, 10, 10), "M 0 0 L 10 0 L 10 10 L 0 10 C", RED, None),)),))
    nothing = seal.Picture("SVG", b'<svg xmlns="http://www.w3.org/2000/svg"/>', 9, 9)
    drawn = Shown(1, Box(10, 10, 40, 40), None, nothing, inner, "1")
    crossed = Shown(1, Box(60, 10, 30, 30), None, nothing, None, "2")
    found = colours(made(stamps=(drawn, crossed)), (12, 12), (48, 48), (75, 25))
    assert found[:2] == [(255, 0, 0), (255, 0, 0)] and found[2] != (255, 255, 255)
    tile = Image(Box(10, 10, 30, 30), "p", (30, 0, 0, 30, 0, 0))
    square = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><rect width="2" height="2" fill="red"/></svg>'
    assert colours(made(tile, p=square), (12, 12), (38, 38)) == [(255, 0, 0)] * 2


def test_a_page_too_large_for_pixels_has_fewer_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image as Pictures

    monkeypatch.setattr(png, "MAX_PIXELS", 10_000)
    with Pictures.open(io.BytesIO(png.pixels(made(), 600))) as picture:
        assert picture.width * picture.height <= 10_300


class Steps(list[tuple[object, ...]]):
    """What a path of the canvas is told."""

    def __getattr__(self, name: str) -> object:
        return lambda *numbers: self.append((name, *numbers))


def test_outlines_in_lines_and_cubic_curves() -> None:
    steps = Steps()
    trace(steps, "S 1 1 L 3 1 B 1 2 3 4 5 6 Q 8 6 8 9 C L 2 2 A 1 1 0 0 1 2 2")
    assert [str(step[0]) for step in steps] == ["moveTo", "lineTo", "curveTo", "curveTo", "close", "lineTo"]
    assert steps[3] == ("curveTo", 7, 6, 8, 7, 8, 9)


@pytest.mark.parametrize(("large", "clockwise", "top"), [(0, 0, 1), (0, 1, -1), (1, 1, -1), (1, 0, 1)])
def test_arcs_go_the_way_they_are_told(large: int, clockwise: int, top: int) -> None:
    """Half a circle from the left to the right; clockwise is over the top where y grows downwards."""
    pieces = list(arc((-1, 0), (1, 0), (1, 1), 0, bool(large), bool(clockwise)))
    assert len(pieces) == 2 and pieces[0][4:] == pytest.approx((0, top)) and pieces[1][4:] == pytest.approx((1, 0))


def test_arcs_that_are_none_and_arcs_that_are_too_small() -> None:
    assert list(arc((1, 1), (1, 1), (5, 5), 0, False, False)) == []
    assert list(arc((0, 0), (3, 0), (0, 5), 0, False, False)) == [(0, 0, 3, 0, 3, 0)]
    (*_, last) = arc((0, 0), (10, 0), (1, 1), 0.5, True, False)
    assert last[4:] == pytest.approx((10, 0))


@pytest.mark.long
@settings(max_examples=25)
@given(documents)
def test_every_document_makes_a_pdf(document: Document) -> None:
    """Whatever matrices, sizes and characters it has."""
    made = pdf.draw(sheet.sheets(document, (), sheet.UNVERIFIED), FontBook())
    with pypdfium2.PdfDocument(made) as read:
        assert len(read) == len(document.pages)
