"""Division codes (A07): the exact six digits of the table, retired codes as aliases, grouping codes no authority."""

from __future__ import annotations

import time
from importlib import resources
from pathlib import Path

import pytest

from schemas import codec
from schemas.canonical import Application
from schemas.divisions import Divisions, Resolved, check_application
from schemas.errors import Invalid
from tests.unit.schemas.examples import changed

DATA = resources.files("schemas") / "data"
REGIONS, RETIRED = ((DATA / name).read_bytes() for name in ("regions.csv", "regions-retired.csv"))
DIVISIONS = Divisions(REGIONS, RETIRED)


def refused(code: str, **options: bool) -> str:
    answer = DIVISIONS.resolve(code, **options)
    assert isinstance(answer, Invalid) and answer.zh
    return answer.code


def test_the_whole_table_loads_in_under_15_milliseconds() -> None:
    best = min(_timed() for _ in range(5))
    assert len(DIVISIONS) == 3351 and best < 0.015 * 3, f"{best * 1000:.1f} ms"  # a factor of three for a busy machine


def _timed() -> float:
    begun = time.perf_counter()
    Divisions(REGIONS, RETIRED)
    return time.perf_counter() - begun


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("420104", "湖北省武汉市硚口区"), ("360113", "江西省南昌市红谷滩区"), ("360123", "江西省南昌市安义县"),
        ("441900", "广东省东莞市"), ("110101", "北京市东城区"), ("420000", "湖北省"),
    ],
)  # fmt: skip
def test_places_of_the_scenarios(code: str, name: str) -> None:
    answer = DIVISIONS.resolve(code)
    assert isinstance(answer, Resolved) and answer.alias == ""
    assert DIVISIONS.full_name(code) == name


@pytest.mark.parametrize(
    "code", ["420104000000", "4201", "3301", "33010", "", "42010４", " 420104", "420104\n", "42O104"]
)
def test_A07_only_the_exact_six_digits(code: str) -> None:
    assert refused(code) == "division-format"


def test_A07_unknown_grouping_and_statistical_codes() -> None:
    assert refused("999999") == "unknown-division"
    assert refused("110100") == "placeholder-division"
    assert refused("130171", accept_stat=False) == "statistical-division"
    assert isinstance(DIVISIONS.resolve("130171"), Resolved)


def test_A07_a_retired_code_is_an_alias_of_its_successor() -> None:
    answer = DIVISIONS.resolve("330103")
    assert isinstance(answer, Resolved)
    assert (answer.division.code, answer.division.name, answer.alias) == ("330105", "拱墅区", "330103")
    assert "330103" not in DIVISIONS and DIVISIONS.get("330103") is None


def test_all_retired_codes_lead_to_a_place_that_stands() -> None:
    for line in RETIRED.decode().splitlines()[1:]:
        assert isinstance(DIVISIONS.resolve(line.split(",")[0]), Resolved)


def test_an_application_for_a_place_that_is_not_there() -> None:
    for code, expected in (
        ("360113", None),
        ("330103", None),
        ("999999", "unknown-division"),
        ("110100", "placeholder-division"),
    ):
        body = codec.build("application", changed("application", handling=code))
        assert isinstance(body, Application)
        answer = check_application(body, DIVISIONS)
        assert (answer and (answer.code, answer.path)) == (expected and (expected, "handling"))


def test_a_broken_table_is_named_by_its_line() -> None:
    with pytest.raises(Invalid, match="line 3"):
        Divisions(b"code,name,level,parent,short_name,scheme\n110000,a,b,c,d,e\n1,2\n")


def test_the_copies_are_the_shared_files(shared: Path) -> None:
    for name, data in (("regions.csv", REGIONS), ("regions-retired.csv", RETIRED)):
        assert (shared / "data" / name).read_bytes() == data
