"""A page as SVG: well-formed, text as text at its place, nothing that runs or fetches, whatever the document holds."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from lxml import etree

from gateway.certificates import sheet, svg
from gateway.certificates.fonts import families, style
from signing import seal
from signing.ofd.content import Box, Colour, Document, Image, Page, Path, Run, Text
from signing.ofd.stamps import Shown
from tests.unit.signing.test_ofd_round_trip import documents
from tests.unit.signing.test_picture_look import GIF, JPG, SVG, png

NAMES = {"s": "http://www.w3.org/2000/svg"}
RED = Colour(255, 0, 0)
RED_SEAL = seal.Picture("PNG", png(), 42, 42)


def drawn(
    *shapes: Text | Image | Path, media: dict[str, bytes] | None = None, stamps: tuple[Shown, ...] = ()
) -> etree._Element:
    page = Page(210, 297, shapes)
    (one,) = sheet.sheets(Document((page,), media or {}), stamps, None)
    return etree.fromstring(svg.draw(one).encode())


def found(root: etree._Element, path: str) -> list[str]:
    return [str(one) for one in root.xpath(path, namespaces=NAMES)]


def text(run: Run, font: str = "宋体", **more: object) -> Text:
    return Text(Box(10, 20, 60, 8), font, 5, (run,), **more)  # type: ignore[arg-type]


def test_a_text_stands_as_text_with_a_place_for_each_character() -> None:
    root = drawn(text(Run(1, 4.5, "营业执照", (5, 5.5, 5))))
    assert found(root, "//s:text/text()") == ["营业执照"]
    assert found(root, "//s:text/@x") == ["1 6 11.5 16.5"] and found(root, "//s:text/@y") == ["4.5"]
    assert found(root, "//s:g[s:g]/@transform") == ["translate(10 20)"]
    assert found(root, "/s:svg/@width | /s:svg/@height | /s:svg/@viewBox") == ["210mm", "297mm", "0 0 210 297"]


def test_columns_keep_their_line_and_plain_runs_their_own_advance() -> None:
    root = drawn(text(Run(1, 2, "竖排", (), (5,))), text(Run(1, 2, "横排")))
    assert found(root, "//s:text/@x") == ["1 1", "1"]
    assert found(root, "//s:text/@y") == ["2 7", "2"]


def test_F13_marks_of_a_hostile_text_stay_text() -> None:
    evil = '</text><script>alert(1)</script>&"\u202e'
    root = drawn(text(Run(0, 0, evil), font="x';}</style><script>"))
    assert found(root, "//s:text/text()") == [evil.replace("\u202e", " ")]
    assert found(root, "//s:script") == []
    assert found(root, "//@font-family") == [f"'xstylescript',{families('')}"]


def test_colours_weights_and_outlines() -> None:
    root = drawn(
        text(Run(0, 0, "a"), colour=Colour(255, 0, 16, 51), weight=700, matrix=(0, 1, -1, 0, 2, 3)),
        Path(Box(1, 2, 3, 4), "S 0 0 L 1 1 B 1 2 3 4 5 6 A 1 1 0 0 1 2 2 C", Colour(1, 2, 3), None),
    )
    assert found(root, "//@fill")[1:2] == ["#ff0010"] and "0.2" in found(root, "//@fill-opacity")
    assert found(root, "//@font-weight") == ["700"]
    assert found(root, "//s:path/@d") == ["M 0 0 L 1 1 C 1 2 3 4 5 6 A 1 1 0 0 1 2 2 Z"]
    assert found(root, "//@transform")[0] == "translate(10 20) matrix(0 1 -1 0 2 3)"
    assert found(root, "//s:path/@stroke") == []


def test_dashes_and_holes_are_drawn() -> None:
    root = drawn(Path(Box(0, 0, 9, 9), "M 0 0 L 1 1", RED, even_odd=True, dash=(2, 1.5)))
    assert found(root, "//s:path/@fill-rule | //s:path/@stroke-dasharray") == ["2 1.5", "evenodd"]


KINDS = {"png": png(), "jpeg": JPG, "gif": GIF, "svg+xml": SVG}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_embedded_as_they_are(kind: str) -> None:
    root = drawn(Image(Box(1, 1, 9, 9), "p", (9, 0, 0, 9, 0, 0), 51), media={"p": KINDS[kind]})
    (link,) = found(root, "//s:image/@href")
    head, _, body = link.partition(",")
    assert (head, base64.b64decode(body)) == (f"data:image/{kind};base64", KINDS[kind])
    assert found(root, "//s:use/@opacity") == ["0.2"]


def test_F13_a_picture_shown_over_and_over_is_written_once() -> None:
    """A thousand objects of one large picture are no way to fill a disk; nor a thousand places of one seal."""
    shown = [Image(Box(1, 1, 9, 9), "p", (9, 0, 0, 9, 0, 0))] * 1_000
    inner = Document((Page(30, 20, (Path(Box(0, 0, 30, 20), "M 0 0 L 30 20"),)),))
    one = Shown(1, Box(0, 0, 60, 10), None, RED_SEAL, inner, "1")
    root = drawn(*shown, media={"p": png()}, stamps=(one, one, Shown(1, Box(0, 0, 9, 9), None, RED_SEAL, None, "2")))
    assert len(found(root, "//s:image/@href")) == 1 and len(found(root, "//s:use/@href")) == 1_003
    assert found(root, "//s:path/@d") == ["M 0 0 L 30 20"]


BAD = {
    "none": b"", "program": b"MZ\x90\0", "page": b"<html><script/></html>", "script": SVG.replace(b">", b"><script/>", 1),
    "elsewhere": SVG.replace(b">", b'><image href="http://x/"/>', 1), "extra": png() + b"x",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_F04_F13_a_picture_that_is_not_one_is_crossed_out(name: str) -> None:
    """None of its bytes reach the viewer."""
    root = drawn(Image(Box(1, 1, 9, 9), "p", (9, 0, 0, 9, 0, 0)), media={"p": BAD[name]})
    assert found(root, "//s:image") == []
    assert len(found(root, "//s:path/@d")) == 1
    assert b"http://x" not in etree.tostring(root)


def test_what_is_crossed_out_is_on_record() -> None:
    shapes = tuple(Image(Box(1, 1, 9, 9), name, (9, 0, 0, 9, 0, 0)) for name in ("exe", "good", "gone", "zip"))
    media = {"exe": b"MZ", "good": png(), "zip": b"PK\3\4 PK\5\6"}
    seals = (Shown(1, Box(0, 0, 9, 9), None, seal.Picture("PNG", png() + b"x", 9, 9), None, "1"),
             Shown(1, Box(0, 0, 9, 9), None, RED_SEAL, None, "2"))  # fmt: skip
    found_gaps = sheet.gaps(sheet.sheets(Document((Page(9, 9, shapes),), media), seals, None))
    assert [(one.page, one.what, one.code) for one in found_gaps] == [
        (1, "ImageObject", "picture-unknown"), (1, "ImageObject", "picture-unknown"), (1, "StampAnnot", "picture-extra"),
    ]  # fmt: skip


def test_a_seal_stands_in_its_box_and_covers_no_text() -> None:
    root = drawn(stamps=(Shown(1, Box(50, 60, 42, 40), None, RED_SEAL, None, "1"),))
    place = "//s:svg[s:use]"
    assert [found(root, f"{place}/@{name}") for name in ("x", "y", "width", "height", "viewBox")] == [
        ["50"], ["60"], ["42"], ["40"], ["0 0 42 40"],
    ]  # fmt: skip
    assert found(root, f"{place}/@style") == ["mix-blend-mode:multiply"]


def test_of_a_seal_across_the_edge_only_its_part_shows() -> None:
    root = drawn(stamps=(Shown(1, Box(200, 60, 42, 42), Box(0, 0, 10, 42), RED_SEAL, None, "1"),))
    assert found(root, "//s:svg[s:use]/@viewBox") == ["0 0 10 42"]
    assert found(root, "//s:svg[s:use]/@width") == ["10"]


def test_a_seal_drawn_as_a_document_is_scaled_into_its_box() -> None:
    inner = Document((Page(30, 20, (Path(Box(0, 0, 30, 20), "M 0 0 L 30 20"),)),))
    root = drawn(stamps=(Shown(1, Box(0, 0, 60, 10), None, RED_SEAL, inner, "1"),))
    assert "scale(2 0.5)" in found(root, "//@transform")
    assert found(root, "//s:path/@d") == ["M 0 0 L 30 20"]


def test_stamps_stand_on_their_own_page() -> None:
    pages = Document((Page(10, 10, ()), Page(10, 10, ())))
    first, second = sheet.sheets(pages, (Shown(2, Box(0, 0, 1, 1), None, RED_SEAL, None, "1"),), None)
    assert (len(first.stamps), len(second.stamps)) == (0, 1)


@pytest.mark.parametrize("name", sheet.STRIPS)
def test_the_strip_says_under_the_page_what_the_picture_is_worth(name: str) -> None:
    strip = sheet.STRIPS[name]
    page = Page(200, 100, (text(Run(0, 0, "正文")),))
    root = etree.fromstring(svg.draw(sheet.Sheet(page, {}, (), strip)).encode())
    words = found(root, "//s:text/text()")
    if strip is None:
        assert words == ["正文"] and found(root, "/s:svg/@height") == ["100mm"]
    else:
        assert words == ["正文", strip.zh, strip.en] and found(root, "/s:svg/@height") == ["107mm"]
        assert all(float(y) > 100 for y in found(root, "/s:svg/s:g/s:text/@y"))


def test_fonts_are_told_by_their_names() -> None:
    hands = {"宋体": "song", "仿宋_GB2312": "fangsong", "方正小标宋": "song", "KaiTi": "kai", "SimHei": "hei",
             "微软雅黑": "hei", "Times": "song", "": "song", "Arial Unicode MS": "hei"}  # fmt: skip
    assert {name: style(name) for name in hands} == hands


@given(documents)
def test_every_document_makes_a_well_formed_picture(document: Document) -> None:
    for one in sheet.sheets(document, (), sheet.UNVERIFIED):
        root = etree.fromstring(svg.draw(one).encode())
        assert (
            found(
                root,
                "//s:script | //s:image/@href[not(starts-with(., 'data:image/'))] | //s:use/@href[not(starts-with(., '#p'))]",
            )
            == []
        )
