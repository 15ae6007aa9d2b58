"""Each kind of object on a page, read into its shape; what cannot be drawn is put on record."""

from __future__ import annotations

import pytest

from signing.errors import Malformed
from signing.ofd.content import BLACK, Box, Colour, Image, Path, Run, Text
from signing.ofd.path import segments
from signing.ofd.shapes import MAX_DEPTH
from signing.ofd.values import LARGEST, box, colour, deltas, number, times
from tests.unit.signing.drawn import BOX, FONTS, files, layer, reading, shapes, skipped

RED = "<ofd:FillColor Value='255 0 0'/>"
WHERE = Box(10, 20, 30, 40)
PICTURE = (
    '<ofd:MultiMedias><ofd:MultiMedia ID="9" Type="Image"><ofd:MediaFile>a.png</ofd:MediaFile></ofd:MultiMedia>'
    "</ofd:MultiMedias>"
)


def text(inside: str, more: str = "") -> str:
    return f'<ofd:TextObject {BOX} Font="3" Size="4" {more}>{inside}</ofd:TextObject>'


def path(inside: str = "", more: str = "", data: str = "S 0 0 M 0 0 L 9 9") -> str:
    return f"<ofd:PathObject {BOX} {more}>{inside}<ofd:AbbreviatedData>{data}</ofd:AbbreviatedData></ofd:PathObject>"


def composite(inside: str, more: str = "", own: str = "7") -> str:
    unit = f'<ofd:CompositeGraphicUnit ID="{own}" {more}><ofd:Content>{inside}</ofd:Content></ofd:CompositeGraphicUnit>'
    return f"<ofd:CompositeGraphicUnits>{unit}</ofd:CompositeGraphicUnits>"


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["", " ", "1 2", "NaN", "INF", "1e7", "0x1", "１", "1" * 21, "--1", "1_0", "1e9999"])
def test_what_is_no_number_is_refused(said: str) -> None:
    with pytest.raises(Malformed, match="ofd-value"):
        number(said)


def test_numbers_as_they_are_written() -> None:
    assert [number(one) for one in ("1", "-.5", "+2.", "1e-3", "1000000")] == [1, -0.5, 2, 0.001, LARGEST]


@pytest.mark.parametrize("said", ["", "1 2 3", "1 2 3 4 5", "1 2 -3 4", "1 2 3 -4", "1 2 3 4" + " " * 300])
def test_what_is_no_box_is_refused(said: str) -> None:
    with pytest.raises(Malformed, match="ofd-value"):
        box(said)


DELTAS = {
    None: (), "": (), "1 2.5": (1, 2.5), "g 3 2": (2, 2, 2), "1 g 2 4 5": (1, 4, 4, 5), "g 0 1 7": (7,),
    "g 999999999 1": (1,) * 6, "1 2 3 4 5 6 7 8": (1, 2, 3, 4, 5, 6),
}  # fmt: skip


@pytest.mark.parametrize(("said", "wanted"), DELTAS.items())
def test_distances_with_their_short_form(said: str | None, wanted: tuple[float, ...]) -> None:
    """Never more than characters to move: a short form is no way to fill the memory."""
    assert deltas(said, 6) == wanted


@pytest.mark.parametrize("said", ["g", "g 1", "g -1 2", "g 1.5 2", "g 1234567890 2", "g ２ 2", "a", "1,2"])
def test_what_is_no_row_of_distances_is_refused(said: str) -> None:
    with pytest.raises(Malformed, match="ofd-value"):
        deltas(said, 6)


def test_colours_by_their_channels() -> None:
    assert colour("128", None) == Colour(128, 128, 128)
    assert colour("1 2 3", "4") == Colour(1, 2, 3, 4)
    assert colour("#ff #0A 0", None) == Colour(255, 10, 0)
    assert colour("0 255 0 51", None) == Colour(204, 0, 204)
    for said, alpha in (("", None), ("1 2", None), ("256", None), ("#100", None), ("1 2 3 4 5", None), ("1", "-1")):
        with pytest.raises(Malformed, match="ofd-value"):
            colour(said, alpha)


def test_outlines_in_letters_and_numbers() -> None:
    assert segments("M0 0L1 2 C") == (("M", (0, 0)), ("L", (1, 2)), ("C", ()))
    assert [letter for letter, _ in segments("S 0 0 Q 1 2 3 4 B 1 2 3 4 5 6 A 1 2 0 1 0 3 4")] == ["S", "Q", "B", "A"]
    assert segments(" ") == ()
    for said in ("L 1 1", "M 1", "M 1 1 1 1", "M 1 1 Z", "M 1 x", "1 1"):
        with pytest.raises(Malformed, match="ofd-value"):
            segments(said)


def test_matrices_one_after_the_other() -> None:
    turn, shift = (0.0, 1.0, -1.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 1.0, 5.0, 7.0)
    assert times(shift, turn) == (0, 1, -1, 0, 5, 7)
    assert times(turn, shift) == (0, 1, -1, 0, -7, 5)


# --- texts ------------------------------------------------------------------------------------------------------------


def test_a_text_with_its_runs() -> None:
    inside = (
        f'{RED}<ofd:TextCode X="1" Y="2" DeltaX="g 2 4">甲 乙</ofd:TextCode><ofd:TextCode Y="9">丙</ofd:TextCode>'
        '<ofd:TextCode DeltaY="5">丁戊</ofd:TextCode>'
    )
    assert shapes(text(inside, 'Weight="700" CTM="1 0 0 2 0 0"')) == (
        Text(
            WHERE,
            "宋体",
            4,
            (Run(1, 2, "甲 乙", (4, 4)), Run(1, 9, "丙"), Run(1, 9, "丁戊", (), (5,))),
            Colour(255, 0, 0),
            700,
            (1, 0, 0, 2, 0, 0),
        ),
    )


def test_a_text_in_outline_has_the_colour_of_its_outline() -> None:
    (found,) = shapes(text("<ofd:StrokeColor Value='0 0 255'/>", 'Fill="false" Stroke="true" Alpha="51"'))
    assert isinstance(found, Text) and found.colour == Colour(0, 0, 255, 51)


def test_glyph_transforms_do_not_change_what_is_read() -> None:
    glyphs = '<ofd:CGTransform CodePosition="0" GlyphCount="1"><ofd:Glyphs>77</ofd:Glyphs></ofd:CGTransform>'
    inside = f"{glyphs}<ofd:TextCode>文</ofd:TextCode>"
    (found,) = shapes(text(inside))
    assert isinstance(found, Text) and found.runs == (Run(0, 0, "文"),)


BAD_TEXTS = {
    "no size": (text("").replace('Size="4"', ""), "ofd-value"),
    "size zero": (text("").replace('Size="4"', 'Size="0"'), "ofd-value"),
    "no box": (text("").replace(BOX, ""), "ofd-value"),
    "weight": (text("", 'Weight="heavy"'), "ofd-value"),
    "opacity": (text("", 'Alpha="256"'), "ofd-value"),
    "an element in the text": (text("<ofd:TextCode>a<ofd:b/></ofd:TextCode>"), "ofd-value"),
    "matrix": (text("", 'CTM="1 0 0 1 0"'), "ofd-value"),
    "colour": (text("<ofd:FillColor Value='red'/>"), "ofd-value"),
    "two colours": (text(RED + RED), "ofd-xml-repeated"),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_a_bad_text_is_left_out_and_the_next_one_shown(name: str) -> None:
    bad, code = BAD_TEXTS[name]
    found = reading(files(layer(bad + text("<ofd:TextCode>好</ofd:TextCode>"))))
    assert [(one.page, one.what, one.code) for one in found.skipped] == [(1, "TextObject", code)]
    (shape,) = found.document.pages[0].shapes
    assert isinstance(shape, Text) and shape.runs[0].text == "好"


def test_a_text_is_shown_whatever_its_font_and_colour_are() -> None:
    """What another reader would show in its own font, or in many colours, must not be missing from the picture."""
    words = "<ofd:TextCode>文</ofd:TextCode>"
    shading = "<ofd:AxialShd><ofd:Segment><ofd:Color Value='255 0 0'/></ofd:Segment></ofd:AxialShd>"
    cases = {
        text(words).replace('Font="3"', 'Font="4"'): ("Font", "ofd-no-resource", "", BLACK),
        text(f"<ofd:FillColor Alpha='9'>{shading}</ofd:FillColor>{words}"): (
            "Color",
            "ofd-unsupported",
            "宋体",
            Colour(255, 0, 0, 9),
        ),
        text(f"<ofd:FillColor><ofd:Pattern/></ofd:FillColor>{words}"): ("Color", "ofd-unsupported", "宋体", BLACK),
        text(f"<ofd:FillColor Index='1'/>{words}"): ("Color", "ofd-unsupported", "宋体", BLACK),
    }
    for case, (what, code, font, ink) in cases.items():
        found = reading(files(layer(case)))
        (shape,) = found.document.pages[0].shapes
        assert isinstance(shape, Text) and (shape.font, shape.colour) == (font, ink)
        said = [(one.what, one.code) for one in found.skipped]
        assert set(said) == {(what, code)}


# --- outlines, pictures -----------------------------------------------------------------------------------------------


def test_an_outline_is_stroked_black_and_not_filled_unless_it_says_so() -> None:
    assert shapes(path()) == (Path(WHERE, "S 0 0 M 0 0 L 9 9"),)
    (found,) = shapes(path(RED, 'Fill="true" Stroke="false" LineWidth="2" Alpha="51"'))
    assert isinstance(found, Path)
    assert (found.fill, found.stroke, found.line_width) == (Colour(255, 0, 0, 51), None, 2)
    (found,) = shapes(path("<ofd:StrokeColor/>", 'Fill="true"'))
    assert isinstance(found, Path) and (found.fill, found.stroke) == (None, BLACK)


def test_what_is_not_visible_is_not_drawn() -> None:
    assert shapes(path("", 'Visible="false"')) == shapes(path("", 'Visible="0"')) == ()
    assert len(shapes(path("", 'Visible="maybe"'))) == 1


def test_dashes_and_the_rule_of_what_is_inside() -> None:
    (found,) = shapes(path("", 'Rule="Even-Odd" DashPattern="2 0 1"'))
    assert isinstance(found, Path) and (found.even_odd, found.dash) == (True, (2, 0, 1))
    for dash in ("1 -1", "0 0", "x", " ".join(["1"] * 17)):
        assert skipped(path("", f'DashPattern="{dash}"')) == [("PathObject", "ofd-value")]


def test_bad_outlines_are_left_out() -> None:
    assert skipped(path(data="M 1")) == [("PathObject", "ofd-value")]
    assert skipped(path("", 'LineWidth="-1"')) == [("PathObject", "ofd-value")]
    assert skipped(path("<ofd:Clips/>")) == [("Clips", "ofd-unsupported")]


def test_a_picture_fills_its_box_or_what_its_matrix_says() -> None:
    of = files(
        layer(
            f'<ofd:ImageObject {BOX} ResourceID="9" Alpha="9"/><ofd:ImageObject {BOX} ResourceID="9" CTM="1 2 3 4 5 6"/>'
        ),
        resources=PICTURE,
    )
    of["Doc_0/Res/a.png"] = b"picture"
    found = reading(of)
    assert found.skipped == ()
    assert found.document.media == {"Doc_0/Res/a.png": b"picture"}
    assert found.document.pages[0].shapes == (
        Image(WHERE, "Doc_0/Res/a.png", (30, 0, 0, 40, 0, 0), 9),
        Image(WHERE, "Doc_0/Res/a.png", (1, 2, 3, 4, 5, 6)),
    )


def test_a_picture_that_is_not_there_is_on_record() -> None:
    assert skipped(f'<ofd:ImageObject {BOX} ResourceID="8"/>') == [("ImageObject", "ofd-no-resource")]
    one = f'<ofd:ImageObject {BOX} ResourceID="9" ImageMask="8"/>'
    assert skipped(one, resources=PICTURE) == [("ImageMask", "ofd-unsupported"), ("MultiMedia", "ofd-entry")]


def test_unknown_objects_are_on_record() -> None:
    assert skipped('<ofd:VideoObject/><v:x xmlns:v="urn:v"/>') == [
        ("VideoObject", "ofd-unsupported"),
        ("{urn:v}x", "ofd-unsupported"),
    ]


# --- drawing parameters, blocks, composites ---------------------------------------------------------------------------

PARAMS = (
    FONTS
    + '<ofd:DrawParams><ofd:DrawParam ID="20" LineWidth="3"><ofd:StrokeColor Value="1 1 1"/></ofd:DrawParam>'
    + '<ofd:DrawParam ID="21" Relative="20"><ofd:FillColor Value="2 2 2"/><ofd:StrokeColor Value="3 3 3"/></ofd:DrawParam>'
    + '<ofd:DrawParam ID="22" Relative="22"/></ofd:DrawParams>'
)


def test_the_nearest_word_on_colour_and_line_counts() -> None:
    own = path("<ofd:StrokeColor Value='9 9 9'/>", 'DrawParam="21" Fill="true"')
    plain = path("", 'Fill="true"')
    found = reading(files(layer(own + plain, 'DrawParam="20"'), resources=PARAMS)).document.pages[0].shapes
    first, second = found
    assert isinstance(first, Path) and isinstance(second, Path)
    assert (first.fill, first.stroke, first.line_width) == (Colour(2, 2, 2), Colour(9, 9, 9), 3)
    assert (second.fill, second.stroke, second.line_width) == (None, Colour(1, 1, 1), 3)


def test_drawing_parameters_that_are_missing_or_circular() -> None:
    assert skipped(path("", 'DrawParam="99"')) == [("PathObject", "ofd-draw-param")]
    assert skipped(path("", 'DrawParam="22"'), resources=PARAMS) == [("PathObject", "ofd-draw-param")]
    found = reading(files(layer(path(), 'DrawParam="99"')))
    assert [(one.what, one.code) for one in found.skipped] == [("Layer", "ofd-draw-param")]


def test_blocks_are_taken_apart() -> None:
    assert shapes(f"<ofd:PageBlock><ofd:PageBlock>{path()}</ofd:PageBlock></ofd:PageBlock>") == (
        Path(WHERE, "S 0 0 M 0 0 L 9 9"),
    )


def test_composites_are_taken_apart_and_put_in_their_place() -> None:
    """Shifted: the inner box moves. Turned: the box of the composite, and both matrices."""
    resources = FONTS + composite(path("", 'CTM="2 0 0 2 0 0"'))
    moved = '<ofd:CompositeObject Boundary="1 2 3 4" ResourceID="7"/>'
    turned = '<ofd:CompositeObject Boundary="1 2 3 4" ResourceID="7" CTM="0 1 -1 0 0 0"/>'
    first, second = shapes(moved + turned, resources=resources)
    assert isinstance(first, Path) and isinstance(second, Path)
    assert (first.box, first.matrix) == (Box(11, 22, 30, 40), (2, 0, 0, 2, 0, 0))
    assert (second.box, second.matrix) == (Box(1, 2, 3, 4), (0, 2, -2, 0, -20, 10))


def test_a_composite_that_is_missing_or_holds_itself() -> None:
    one = '<ofd:CompositeObject Boundary="1 2 3 4" ResourceID="7"/>'
    assert skipped(one) == [("CompositeObject", "ofd-no-resource")]
    assert skipped(one, resources=FONTS + composite(one)) == [("CompositeObject", "ofd-depth")]
    assert MAX_DEPTH < 20


def test_composites_that_multiply_end_the_reading() -> None:
    """Ten in ten in ten …: each object drawn counts."""
    units = "".join(
        composite(f'<ofd:CompositeObject Boundary="0 0 1 1" ResourceID="{place + 1}"/>' * 30, own=str(place))
        for place in range(MAX_DEPTH)
    )
    one = '<ofd:CompositeObject Boundary="1 2 3 4" ResourceID="0"/>'
    with pytest.raises(Malformed, match="ofd-too-much"):
        reading(files(layer(one), resources=units))
