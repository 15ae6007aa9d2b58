"""A seal's SVG read as shapes: what it draws comes out where it was, what it cannot be is refused."""

from __future__ import annotations

import pytest

from gateway.certificates.svg_drawing import drawing
from gateway.certificates.svg_outline import outline
from signing.errors import Malformed
from signing.ofd.content import Colour, Path, Shape, Text
from signing.ofd.path import segments
from signing.seal_picture import LAB_MARK, round_seal


def svg(inside: str, more: str = 'viewBox="0 0 100 50"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {more}>{inside}</svg>'.encode()


def shapes(inside: str) -> tuple[Shape, ...]:
    return drawing(svg(inside)).shapes


def path(inside: str) -> Path:
    (found,) = shapes(inside)
    assert isinstance(found, Path)
    return found


def test_the_sample_seal_comes_out_whole() -> None:
    page = drawing(round_seal("样章行政审批局").data)
    assert (page.width, page.height) == (420, 420)
    circle, star, *letters = page.shapes
    assert isinstance(circle, Path) and (circle.fill, circle.stroke) == (None, Colour(0xD7, 0, 0x0F))
    assert isinstance(star, Path) and star.fill == Colour(0xD7, 0, 0x0F) and len(segments(star.data)) == 11
    words = [one.runs[0].text for one in letters if isinstance(one, Text)]
    assert words == [*"样章行政审批局", LAB_MARK]
    assert letters[-1].weight == 700  # type: ignore[union-attr]


PATHS = {
    "M1 2 3 4": "M 1 2 L 3 4",
    "m1 2 3 4z": "M 1 2 L 4 6 C",
    "M1,2H5V6h-1v-1": "M 1 2 L 5 2 L 5 6 L 4 6 L 4 5",
    "M0 0c1 1 2 2 3 3s2 2 3 3": "M 0 0 B 1 1 2 2 3 3 B 4 4 5 5 6 6",
    "M0 0S1 1 2 2": "M 0 0 B 0 0 1 1 2 2",
    "M0 0Q1 0 2 2T4 4t1 1": "M 0 0 Q 1 0 2 2 Q 3 4 4 4 Q 5 4 5 5",
    "M0 0T4 4": "M 0 0 Q 0 0 4 4",
    "M1 1a2 3 0 1 0 4 4A1 1 0 0 0 9 9": "M 1 1 A 2 3 0 1 0 5 5 A 1 1 0 0 0 9 9",
    "M1 1L2 2ZL5 5": "M 1 1 L 2 2 C L 5 5",
    "M.5.5-1e1-.5": "M 0.5 0.5 L -10 -0.5",
    "": "",
}


@pytest.mark.parametrize("given", PATHS)
def test_path_data_of_every_letter(given: str) -> None:
    assert segments(outline(given)) == segments(PATHS[given])


@pytest.mark.parametrize("given", ["1 2", "M1", "M1 2X", "M1 2 L", "M1 2 3", "M1 2!", "M1e9 0"])
def test_what_is_no_path_is_refused(given: str) -> None:
    if given == "M1 2 L":  # a letter without numbers draws nothing
        assert segments(outline(given)) == (("M", (1, 2)),)
        return
    with pytest.raises(Malformed):
        segments(outline(given))


def test_basic_shapes() -> None:
    assert segments(path('<rect x="1" y="2" width="3" height="4"/>').data)[1:4] == (
        ("L", (4, 2)),
        ("L", (4, 6)),
        ("L", (1, 6)),
    )
    assert segments(path('<line x1="1" y1="2" x2="3" y2="4"/>').data) == (("M", (1, 2)), ("L", (3, 4)))
    assert [letter for letter, _ in segments(path('<ellipse cx="5" cy="5" rx="2" ry="1"/>').data)] == [
        "M",
        "A",
        "A",
        "C",
    ]
    assert segments(path('<polyline points="1,2 3,4"/>').data) == (("M", (1, 2)), ("L", (3, 4)))
    assert (
        shapes('<rect/><circle/><polygon points=""/><path/><text> </text><linearGradient/><text fill="none">a</text>')
        == ()
    )


def test_looks_are_inherited_and_style_counts_more() -> None:
    found = path('<g fill="red" stroke="#00f" opacity="0.5"><path d="M0 0" style="fill:#123456;stroke:none"/></g>')
    assert (found.fill, found.stroke) == (Colour(0x12, 0x34, 0x56, 128), None)
    found = path('<path d="M0 0" fill="rgb(1, 2, 300)" stroke="url(#x)" stroke-width="2px" fill-opacity=".2"/>')
    assert (found.fill, found.stroke, found.line_width) == (Colour(1, 2, 255, 51), Colour(0, 0, 0), 2)


TURNS = {
    "translate(3)": (1, 0, 0, 1, 3, 0), "translate(3,4)": (1, 0, 0, 1, 3, 4), "scale(2)": (2, 0, 0, 2, 0, 0),
    "scale(2 3)": (2, 0, 0, 3, 0, 0), "rotate(90)": (0, 1, -1, 0, 0, 0), "rotate(90 1 1)": (0, 1, -1, 0, 2, 0),
    "matrix(1 2 3 4 5 6)": (1, 2, 3, 4, 5, 6), "skewX(45)": (1, 0, 1, 1, 0, 0), "skewY(45)": (1, 1, 0, 1, 0, 0),
    "translate(1 0) scale(2)": (2, 0, 0, 2, 1, 0),
}  # fmt: skip


@pytest.mark.parametrize("turn", TURNS)
def test_transforms(turn: str) -> None:
    found = path(f'<path d="M0 0" transform="{turn}"/>')
    assert found.matrix == pytest.approx(TURNS[turn])


def test_texts_are_set_from_their_anchor() -> None:
    (middle,) = shapes('<text x="50" y="9" dy="1" text-anchor="middle" font-size="10">章a</text>')
    (end,) = shapes('<text x="50" y="9" text-anchor="end" font-size="10">章a</text>')
    assert isinstance(middle, Text) and isinstance(end, Text)
    assert (middle.runs[0].x, middle.runs[0].y, middle.runs[0].delta_x) == (42.5, 10, (10,))
    assert end.runs[0].x == 35


def test_the_view_box_or_the_size_is_the_page() -> None:
    page = drawing(svg('<path d="M0 0"/>', 'viewBox="10 20 30 40"'))
    assert (page.width, page.height) == (30, 40) and page.shapes[0].matrix[4:] == (-10, -20)
    assert drawing(svg("", 'width="42mm" height="21"')).width == 42
    for more in ("", 'viewBox="0 0 0 9"', 'viewBox="0 0"', 'viewBox="a b c d"'):
        with pytest.raises(Malformed):
            drawing(svg("", more))


def test_F13_what_is_no_drawing_or_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (b"", b"<svg", svg('<path d="x"/>'), svg('<g transform="rotate(1 2)"/>')):
        with pytest.raises(Malformed):
            drawing(data)
    monkeypatch.setattr("gateway.certificates.svg_drawing.MAX_SHAPES", 1)
    with pytest.raises(Malformed):
        drawing(svg('<path d="M0 0"/>' * 2))
