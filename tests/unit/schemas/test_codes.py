"""Code tables and check characters, on the standards' own examples and on real codes of the shared data."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codes
from tests.scan import is_citizen_number

REAL_USCC = [
    "91370406L24894136J",
    "11330105002500287C",
    "11420503087246977F",
    "11100000000013338W",
    "1131000068735121X0",
]


def code(problem: codes.Invalid | None) -> str:
    return problem.code if problem else ""


@pytest.mark.parametrize("uscc", REAL_USCC)
def test_real_credit_codes_pass_and_their_neighbours_do_not(uscc: str) -> None:
    assert codes.check_uscc(uscc) is None
    for place in range(17):
        for other in "0123456789ABC":
            if other != uscc[place] and not (2 <= place < 8 and not other.isdigit()):
                assert code(codes.check_uscc(uscc[:place] + other + uscc[place + 1 :])) == "uscc-check-digit"


@pytest.mark.parametrize(
    "uscc", ["", "9137040", "91370406I24894136J", "91370406l24894136J", "９1370406L24894136J", "91A70406L24894136J"]
)
def test_what_is_no_credit_code(uscc: str) -> None:
    assert code(codes.check_uscc(uscc)) == "uscc-format"


def test_the_organisation_code_inside_has_its_own_check() -> None:
    for uscc in REAL_USCC[:4]:
        assert codes.org_check_char(uscc[8:16]) == uscc[16]


def test_the_standards_own_citizen_number() -> None:
    assert codes.check_citizen_id("11010519491231002X") is None
    for wrong, expected in {
        "11010519491231002x": "citizen-id-format",
        "110105194912310021": "citizen-id-check-digit",
        "11010519490231002X": "citizen-id-date",
        "110105491231002": "citizen-id-format",
        "01010519491231002X": "citizen-id-format",
        "11010519491231002X\n": "citizen-id-format",
        "１1010519491231002X": "citizen-id-format",
    }.items():
        assert code(codes.check_citizen_id(wrong)) == expected


@given(st.dates(), st.integers(0, 999), st.integers(0, 10))
def test_the_check_agrees_with_another_implementation(born, order: int, last: int) -> None:  # type: ignore[no-untyped-def]
    number = f"420104{born:%Y%m%d}".ljust(14, "0")[:14] + f"{order:03d}" + "0123456789X"[last]
    if born.year >= 1880 and born.year <= 2100:
        assert (codes.check_citizen_id(number) is None) == is_citizen_number(number)


def test_every_item_code_of_the_samples_has_its_layout_and_a_good_credit_code(shared: Path) -> None:
    with (shared / "data" / "item-code-samples.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {len(row["code"]) for row in rows} == {12, 14, 31, 33, 55}
    for row in rows:
        assert codes.item_layout(row["code"]) and codes.check_item_code(row["code"]) is None


def test_local_item_codes_have_no_layout_and_a_wrong_credit_code_inside_is_found() -> None:
    assert codes.item_layout("QX-TB-001") == "" and code(codes.check_item_code("QX-TB-001")) == "item-code-layout"
    assert code(codes.check_item_code("11370800MB285591943370117002011")) == "item-code-uscc"


def test_the_code_sets_of_annex_a() -> None:
    assert len(codes.ITEM_TYPES) == 12 and len(codes.SERVED_PARTIES) == 6 and len(codes.SATISFACTION) == 5
    assert set(codes.PARTY_KINDS.values()) == set(codes.SERVED_PARTIES)
