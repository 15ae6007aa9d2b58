"""The sample seal as an OFD document: read back like any other, it says what the SVG one says, at the same places."""

from __future__ import annotations

import re
from math import atan2, degrees

import pytest

from signing.ofd.content import Path, Text
from signing.ofd.package import open_package
from signing.ofd.pages import read_pages
from signing.picture import look
from signing.seal_picture import LAB_MARK, round_seal
from signing.seal_picture_ofd import round_seal_ofd


@pytest.mark.parametrize("name", ["样章市住房和城乡建设局电子证照专用章", "A", "", "很长" * 40, "<&>\"'"])
def test_the_sample_picture_says_that_it_is_one(name: str) -> None:
    made = round_seal_ofd(name)
    assert (made.type, made.width, made.height, look(made.data).type, look(made.data).faults) == (
        "ofd",
        42,
        42,
        "ofd",
        (),
    )
    reading = read_pages(open_package(made.data))
    (page,) = reading.document.pages
    texts = [shape for shape in page.shapes if isinstance(shape, Text)]
    assert "".join(run.text for shape in texts for run in shape.runs) == name[:40] + LAB_MARK
    assert reading.skipped == () and len([shape for shape in page.shapes if isinstance(shape, Path)]) == 2


def test_its_letters_stand_where_those_of_the_other_form_stand() -> None:
    """Each drawing puts a character's base line at a distance from the centre, turned by the same angle."""
    name = "样章市政务服务专用章"
    turns = [float(one) for one in re.findall(r"rotate\(([-\d.]+)\)", round_seal(name).data.decode())]
    (page,) = read_pages(open_package(round_seal_ofd(name).data)).document.pages
    letters = [shape for shape in page.shapes if isinstance(shape, Text)][:-1]
    assert [degrees(atan2(one.matrix[1], one.matrix[0])) for one in letters] == pytest.approx(turns, abs=0.02)
    assert {one.matrix[4:] for one in letters} == {(21, 21)}
