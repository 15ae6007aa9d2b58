"""What of a holder reaches the public page, whatever form it was written in (row P05)."""

from __future__ import annotations

import base64
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.public import masking
from gateway.public.page import Page
from gateway.public.source import News
from signing.ecert import Holder, Permit
from tests.scan import scan
from tests.unit.public.shown import NAME, NOW_MS, NUMBER, shown

FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in NUMBER)
FORMS = {
    "as it is": NUMBER,
    "full-width digits": FULL_WIDTH,
    "blanks": " ".join(NUMBER),
    "hyphens": f"{NUMBER[:6]}-{NUMBER[6:14]}-{NUMBER[14:]}",
    "small x": NUMBER[:-1] + "x",
    "base64": base64.b64encode(NUMBER.encode()).decode(),
    "base64 of the name too": base64.b64encode(f"{NAME}{NUMBER}".encode()).decode(),
    "nested JSON": msgspec.json.encode({"a": msgspec.json.encode({"zjhm": NUMBER}).decode()}).decode(),
    "GBK read as Latin": f"{NAME}{NUMBER}".encode("gbk").decode("latin-1"),
    "zero-width spaces": "\u200b".join(NUMBER),
}


@pytest.mark.parametrize("form", FORMS)
def test_P05_no_form_of_the_number_gets_through(form: str) -> None:
    text = FORMS[form]
    permits = (Permit("1", f"许可{text}", text, date(2026, 1, 1), None),)
    for found in (
        shown(holder=Holder(text, text, "111"), permits=permits, type_name=f"证{text}", issuer_name=text),
        shown(holder=Holder(text, text, "001"), permits=permits),
    ):
        page = Page(found, News(NOW_MS, False), NOW_MS, False)
        for data in (page.html(), page.json()):
            assert not scan(data, form, (NAME, NUMBER, NUMBER[:14], FULL_WIDTH)), data.decode()
            assert text.encode() not in data


def test_P05_name_and_number_are_cut_by_position() -> None:
    found = shown()
    assert (found.holder, found.holder_code) == ("甄**", "****0038")
    assert masking.holder("欧阳测试", "111") == masking.holder("欧阳", "111") == "欧**"
    assert masking.code("４２０１０４１９９００３０７００３ｘ") == "****003X"
    assert [masking.holder(name, "111") for name in ("", "  ", "4201")] == ["***"] * 3
    assert [masking.code(number) for number in ("", "1234567", "护照一二三四五六七八")] == ["****"] * 3


def test_an_organisations_registered_name_stays() -> None:
    assert (
        shown(holder=Holder("武汉某某渣土运输有限公司", "91420104MA4K000000", "001")).holder
        == "武汉某某渣土运输有限公司"
    )


@given(st.text(), st.text(), st.sampled_from(["111", "001", ""]))
def test_any_text_is_short_printable_and_never_whole(name: str, number: str, kind: str) -> None:
    for masked in (masking.holder(name, kind), masking.code(number), masking.words(name)):
        assert len(masked) <= masking.LONGEST
        assert not any(ord(letter) < 32 for letter in masked)
    assert len(masking.code(number)) <= 8
    assert len(masking.holder(name, "111")) == 3
