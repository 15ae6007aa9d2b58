"""Item lists from CSV, the sample of two districts, and differences between versions."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agreements import items, samples
from agreements.diff import diff
from agreements.load import parse
from agreements.problems import AgreementError
from schemas.codes import check_uscc
from tests.unit.agreements.places import TEXT, A, B, agreement

HEADER = "code,name,version,applicant_type,department\n"


def read(text: str) -> list[items.Item]:
    return items.items_from_rows(items.read_csv(text.encode()))


def test_the_sample_has_at_least_twelve_items_a_district_decides() -> None:
    found = parse(TEXT).agreement
    assert len(found.items) >= 12 and {party.division for party in found.parties} == {"420104", "360113"}
    (line,) = found.lines
    assert (line.mode, line.power, line.direction) == ("collect_elsewhere", "collect", "mutual")
    names = {item.name for item in found.items}
    assert {"个体工商户设立登记", "内资公司设立登记", "残疾人证换领", "社会保障卡申领", "失业登记", "生育登记"} <= names
    assert all(item.materials and item.source for item in found.items)
    assert "非真实协议" in TEXT.decode() and "样例" in found.name


def test_the_sample_holds_the_materials_of_its_sources(shared: Path) -> None:
    rows = items.read_csv((shared / "data" / "materials-examples.csv").read_bytes())[1:]
    expected = [row[1] for row in rows if row[0] == "残疾人证换领(异地)"]
    (item,) = (item for item in samples.items() if item.name == "残疾人证换领")
    assert [material.name for material in item.materials] == expected
    card = next(material for material in item.materials if material.name == "居民身份证")
    assert (card.required, card.certificate_type) == ("yes", "11100000000013127D001")
    for name in ("items-crossprovince.csv", "materials-examples.csv"):
        assert samples._read(name) == (shared / "data" / name).read_bytes()


def test_lab_parties_have_good_credit_codes() -> None:
    for division in ("420104", "360113", "659001"):
        assert check_uscc(samples.lab_party(division)[7:]) is None


def test_names_with_quotes_are_written_as_toml() -> None:
    found = parse(samples.render(A, B, name_a='甲"\\地', name_b="乙=[地]")).agreement
    assert [party.name for party in found.parties] == ['甲"\\地', "乙=[地]"]


def test_items_survive_the_way_to_toml_and_back() -> None:
    assert tuple(parse(TEXT).agreement.items) == samples.items()


def test_the_whole_cross_province_file_loads(shared: Path) -> None:
    data = shared / "data"
    materials = items.materials_from_rows(items.read_csv((data / "materials-examples.csv").read_bytes()))
    found = items.items_from_rows(items.read_csv((data / "items-crossprovince.csv").read_bytes()), materials)
    assert len(found) == 45 and sum(bool(item.materials) for item in found) >= 5
    assert {item.applicant for item in found} == {"person", "enterprise", "both"}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("name\nx\n", "missing-column", 1), (HEADER + ",x,1,个人,\n", "missing-field", 2),
        (HEADER + "a,x,1,个人,\nb,y,零,个人,\n", "wrong-type", 3), (HEADER + "a/b,x,1,个人,\n", "wrong-form", 2),
        (HEADER + "a,x,1,外星人,\n", "not-allowed", 2), (HEADER + 'a,"x\n', "bad-csv", 0),
        (HEADER + "a,\x1b[2J,1,个人,\n", "bad-character", 0), ("", "empty", 0),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_by_its_line(text: str, code: str, line: int) -> None:
    with pytest.raises(AgreementError) as caught:
        read(text)
    assert caught.value.code == code and (not line or f"line {line}" in caught.value.where)


def test_chinese_headings_and_gb18030_as_spreadsheets_write_them() -> None:
    text = "事项编码,事项名称,服务对象,承诺时限\nQX-1,测试事项,企业,15\n"
    for data in (text.encode("utf-8-sig"), text.encode("gb18030"), text.replace("\n", "\r\n").encode()):
        (item,) = items.items_from_rows(items.read_csv(data))
        assert (item.code, item.name, item.applicant, item.decide_days, item.version) == (
            "QX-1",
            "测试事项",
            "enterprise",
            15,
            1,
        )
    with pytest.raises(AgreementError):
        items.read_csv(b"\xff\xff\xff")


def test_a_difference_is_one_sentence_for_each_change() -> None:
    listed = samples.items()
    newer = agreement(
        lambda text: text.replace("days = 20", "days = 15").replace('"办理结果送达"', '"数据核验"'),
        version=2, expires=date(2031, 12, 31), listed=(*listed[1:], listed[0].__class__("QX-TB-099", "新事项", 1, "both", [])),
    )  # fmt: skip
    changes = diff(agreement(), newer)
    words = {(change.kind, change.what, change.key) for change in changes}
    assert words == {
        ("changed", "term", "version"), ("changed", "term", "expires"), ("removed", "purpose", "办理结果送达"),
        ("added", "purpose", "数据核验"), ("changed", "clock", "decide"), ("changed", "line", "第三条第一款"),
        ("removed", "item", "QX-TB-001"), ("added", "item", "QX-TB-099"),
    }  # fmt: skip
    sentences = {change.zh for change in changes}
    assert "变更时限 decide：days 20 → 15" in sentences
    assert "新增事项 QX-TB-099：新事项（版本1，0份材料）" in sentences
    assert diff(agreement(), agreement()) == []


def test_a_change_of_one_items_materials_is_named() -> None:
    changed = agreement(lambda text: text.replace('  { name = "二寸免冠照片", required = "yes" },\n', ""))
    (change,) = diff(agreement(), changed)
    assert (change.key, change.zh) == ("QX-TB-004", "变更事项 QX-TB-004：materials -二寸免冠照片")
