"""Lines of Chinese text: nothing is lost, nothing runs over, marks stand where they may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.certificates.typeset import _NOT_FIRST, block, em, fit, width, wrap

texts = st.text("样章有限公司，。（）；a1 B-.W", max_size=60)


@given(texts, st.floats(2, 20))
def test_lines_hold_the_whole_text_within_the_room(text: str, room: float) -> None:
    lines = wrap(text, room)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(width(line) <= room + 1e-6 for line in lines)


@given(st.text("样章有限公司，。（）", min_size=1, max_size=60), st.integers(6, 20))
def test_no_line_begins_with_a_mark_that_ends_one(text: str, room: int) -> None:
    runs = 0
    for character in text:
        runs = runs + 1 if character in _NOT_FIRST or character in "（" else 0
        if runs > 3:
            return  # more marks in a row than a line takes: they have to be parted
    assert not any(line[0] in _NOT_FIRST for line in wrap(text, room)[1:] if line)


def test_words_are_not_parted_unless_they_are_too_long() -> None:
    assert wrap("样章Limited公司", 4.5) == ["样章", "Limited", "公司"]
    assert wrap("Limited Company", 4) == ["Limited", "Compan", "y"]
    assert wrap("", 5) == [""]


def test_what_does_not_fit_gets_smaller_and_then_is_refused() -> None:
    assert fit("样" * 10, 50, 5, 1) == (5, ["样" * 10])
    assert fit("样" * 12, 50, 5, 1) == (pytest.approx(4), ["样" * 12])
    assert fit("样" * 200, 50, 5, 2) is None


def test_a_block_writes_the_advances_of_its_characters() -> None:
    made = block(10, 20, 50, 5, ["样1章", "", "章"], spacing=1)
    assert [run.text for run in made.runs] == ["样1章", "章"]
    assert made.runs[0].delta_x == (6, em("1") * 5 + 1) and made.runs[1].delta_x == ()
    assert made.box == pytest.approx((10, 20, 50, 21)) and made.runs[1].y == pytest.approx(5 * (0.86 + 2.8))
