"""Working days, compared with a naive day counter; the starting day is never counted; beyond the data it is an estimate."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreements.calendar import Calendar, Calendars, Due, china_date
from tests.unit.agreements.places import CALENDAR, DATA

ROWS = {
    date.fromisoformat(row["date"]): row["kind"]
    for row in csv.DictReader(io.StringIO((DATA / "holidays-cn.csv").read_text("utf-8")))
}
INSIDE = st.dates(date(2020, 1, 1), date(2026, 12, 31))
ANY = st.dates(date(2015, 1, 1), date(2032, 12, 31))


def naive_working(day: date) -> bool:
    return ROWS.get(day, "workday" if day.weekday() < 5 else "holiday") == "workday"


def naive_add(start: date, n: int) -> date:
    day = start
    while n:
        day += timedelta(days=1)
        n -= naive_working(day)
    return day


@given(ANY)
def test_a_day_is_what_the_table_says_else_what_the_week_says(day: date) -> None:
    assert CALENDAR.is_working_day(day) is naive_working(day)


@given(ANY, st.integers(0, 300))
def test_adding_agrees_with_counting_day_by_day(start: date, n: int) -> None:
    due = CALENDAR.add_working_days(start, n)
    assert due.day == naive_add(start, n)
    assert due.estimated is not (CALENDAR.covers(start.year) and CALENDAR.covers(due.day.year))


@given(ANY, ANY)
def test_what_is_left_agrees_with_counting_day_by_day(start: date, end: date) -> None:
    first, last = min(start, end), max(start, end)
    count = sum(naive_working(first + timedelta(days=i)) for i in range(1, (last - first).days + 1))
    assert CALENDAR.working_days_until(start, end) == (count if start <= end else -count)


@given(INSIDE, st.integers(1, 200))
def test_the_answer_is_a_working_day_and_counts_back(start: date, n: int) -> None:
    day, estimated = CALENDAR.add_working_days(start, n)
    assert estimated or (CALENDAR.is_working_day(day) and CALENDAR.working_days_until(start, day) == n)


@given(ANY, st.integers(0, 400))
def test_calendar_days_that_end_on_a_day_off_run_on(start: date, n: int) -> None:
    day = CALENDAR.add_calendar_days(start, n).day
    plain = start + timedelta(days=n)
    assert day == plain if n == 0 or naive_working(plain) else naive_working(day) and day > plain
    assert not any(naive_working(plain + timedelta(days=i)) for i in range((day - plain).days))


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        (date(2026, 1, 5), 5, date(2026, 1, 12)),  # Monday: the 5th is not counted
        (date(2026, 2, 13), 1, date(2026, 2, 14)),  # the Saturday before Spring Festival is worked
        (date(2026, 2, 14), 1, date(2026, 2, 24)),  # over the holiday
        (date(2025, 9, 30), 1, date(2025, 10, 9)),  # National Day and Mid-Autumn together
        (date(2026, 1, 3), 1, date(2026, 1, 4)),  # the Sunday after New Year is worked
    ],
)
def test_days_around_holidays(start: date, n: int, due: date) -> None:
    assert CALENDAR.add_working_days(start, n) == Due(due, False)


def test_working_days_of_each_year_are_those_of_the_source() -> None:
    counts = [
        sum(CALENDAR.is_working_day(date(year, 1, 1) + timedelta(days=i)) for i in range(366 if year % 4 == 0 else 365))
        for year in range(2020, 2027)
    ]
    assert counts == [249, 250, 249, 249, 251, 248, 248]


def test_beyond_the_table_the_answer_says_that_it_is_an_estimate() -> None:
    assert CALENDAR.covers(2026) and not CALENDAR.covers(2027) and not CALENDAR.covers(2019)
    assert CALENDAR.add_working_days(date(2026, 12, 30), 5) == Due(date(2027, 1, 6), True)
    assert CALENDAR.add_working_days(date(2019, 12, 30), 2).estimated
    assert CALENDAR.add_calendar_days(date(2026, 12, 30), 5).estimated


def test_a_place_has_its_own_days_off() -> None:
    local = CALENDAR.with_changes(off=[date(2026, 3, 30)], on=[date(2026, 3, 28)])
    places = Calendars(CALENDAR, {"450000": local})
    assert places.of("450102").add_working_days(date(2026, 3, 27), 1).day == date(2026, 3, 28)
    assert places.of("450102").add_working_days(date(2026, 3, 28), 1).day == date(2026, 3, 31)
    assert places.of("360113").add_working_days(date(2026, 3, 27), 1).day == date(2026, 3, 30)
    assert Calendars(CALENDAR).of("450102") is CALENDAR
    assert not local.is_working_day(date(2026, 3, 30)) and CALENDAR.is_working_day(date(2026, 3, 30))


def test_the_date_is_that_of_china() -> None:
    assert china_date(datetime(2026, 1, 5, 15, 59, tzinfo=UTC)) == date(2026, 1, 5)
    assert china_date(datetime(2026, 1, 5, 16, 0, tzinfo=UTC)) == date(2026, 1, 6)


@pytest.mark.parametrize("line", ["2026-01-01,holiday", "2026-13-01,holiday,x", "2026-01-01,feast,x", "x"])
def test_a_broken_table_is_named_by_its_line(line: str) -> None:
    with pytest.raises(ValueError, match="line 3"):
        Calendar.from_csv(f"date,kind,name\n2026-01-01,holiday,x\n{line}\n".encode())


def test_the_copy_is_the_shared_file(shared: Path) -> None:
    assert (shared / "data" / "holidays-cn.csv").read_bytes() == (DATA / "holidays-cn.csv").read_bytes()


def test_an_empty_table_estimates_everything() -> None:
    assert Calendar([], []).add_working_days(date(2026, 1, 5), 1) == Due(date(2026, 1, 6), True)
