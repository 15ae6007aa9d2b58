"""What our own certificates look like: every template drawn, the words found in the picture, the laboratory's watermark on it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from gateway.certificates import pdf, svg
from gateway.certificates.layout import lay_out
from gateway.certificates.pdf_fonts import FontBook
from gateway.certificates.sheet import Sheet, sheets
from gateway.certificates.template import Template
from signing.ecert import Annotation
from signing.ofd.content import Text
from signing.seal_picture import LAB_MARK
from tests.ecerts import composed, template
from tests.pki import DAY
from tests.sizes import ROOT
from tests.unit.certificates.test_pdf import colours, needs_font, words

NAMES = sorted(path.stem for path in (ROOT / "schemas" / "data" / "certificates").glob("*.toml"))


def sheet(of: Template, lab: bool = True) -> Sheet:
    (one,) = sheets(lay_out(of, composed(of), (), lab=lab, pictures={}), (), None)
    return one


def said(one: Sheet) -> list[str]:
    root = etree.fromstring(svg.draw(one).encode())
    return [str(text) for text in root.xpath("//*[local-name()='text']/text()")]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_of_a_laboratorys_certificate_says_so_all_over(name: str) -> None:
    of = template(name)
    assert said(sheet(of)).count(LAB_MARK) >= 3
    assert LAB_MARK not in said(sheet(of, lab=False))
    metadata = composed(of)
    assert {of.name, metadata.holder.name, metadata.issuer_name, metadata.identifier} <= set(said(sheet(of)))


@needs_font
def test_the_same_words_are_found_in_the_pdf() -> None:
    of = template("construction-permits")
    found = "".join(words(pdf.draw([sheet(of)], FontBook())).split())
    assert of.name in found and composed(of).issuer_name in found and LAB_MARK in found


@needs_font
def test_the_qr_code_stands_dark_on_white() -> None:
    """Also where the watermark would run behind it."""
    of = template("business-licence")
    module = of.qr.size / (33 + 8)  # a code of version 4
    inside = [(of.qr.x + module * x, of.qr.y + module * y) for x, y in ((1, 1), (2, 2), (4.5, 4.5), (7.5, 7.5))]
    assert colours(pdf.draw([sheet(of)], FontBook()), *inside) == [(255,) * 3, (255,) * 3, (0,) * 3, (0,) * 3]


def test_short_labels_are_spread_to_four_characters() -> None:
    labels = [one for one in sheet(template("disabled-person")).page.shapes if isinstance(one, Text) and one.runs]
    by_text = {one.runs[0].text: one for one in labels}
    for label, steps in (("姓名", (3,)), ("监护人", (1.5, 1.5)), ("残疾类别", (1, 1, 1))):
        one = by_text[label]
        assert [step / one.size for step in one.runs[0].delta_x] == pytest.approx(steps)


@pytest.mark.parametrize("name", NAMES)
def test_what_an_annotated_copy_is_for_stands_under_its_frame(name: str) -> None:
    of = template(name)
    copy = Annotation("样章省数据共享平台", DAY, "办理" + "补贴" * 12, "红谷滩区行政审批局", DAY)
    page = lay_out(of, replace(composed(of), annotation=copy), (), lab=True, pictures={}).pages[0]
    band = page.shapes[-1]
    assert isinstance(band, Text) and band.runs[0].text.startswith("加注件：仅供红谷滩区行政审批局")
    assert band.box.y > page.height - of.page.frame + 0.5
    assert band.box.y + band.box.height <= page.height
