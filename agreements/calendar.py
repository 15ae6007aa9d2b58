"""The working-day calendar 工作日历: days off and make-up days as the State Council announces them each autumn.

A working day is a ``workday`` row of the table, or Monday to Friday without a ``holiday`` row. The starting day is not
counted (行政许可法 82 speaks of working days; the day an event falls on is never the first). Outside the years of the
table nothing is known of holidays: the answer is then marked ``estimated``, counted on plain weekdays.
A limit in calendar days that ends on a day off runs to the next working day (民法典 203).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Final, NamedTuple

CHINA: Final = timezone(timedelta(hours=8))
"""One offset for the whole country since 1992; summer time before that is none of our business."""


class Due(NamedTuple):
    """A day by which something is due; ``estimated`` where the calendar does not reach or the start is not yet
    fixed."""

    day: date
    estimated: bool


def china_date(at: datetime) -> date:
    """The date in China at an aware time."""
    return at.astimezone(CHINA).date()


class Calendar:
    """Working days of one place. Build it once: it holds every working day of its years."""

    def __init__(self, off: Iterable[date], on: Iterable[date]) -> None:
        self._off, self._on = frozenset(off), frozenset(on)
        years = {day.year for day in self._off | self._on}
        self._years = range(min(years), max(years) + 1) if years else range(0)
        first = date(self._years.start, 1, 1).toordinal() if years else 0
        last = date(self._years.stop, 1, 1).toordinal() if years else 0
        self._working = [n for n in range(first, last) if self._is_working(date.fromordinal(n))]
        self._last = last - 1

    @classmethod
    def from_csv(cls, data: bytes) -> Calendar:
        """From ``data/holidays-cn.csv``: date, kind (holiday, workday), name. Raises ValueError naming the line."""
        off: list[date] = []
        on: list[date] = []
        for number, line in enumerate(data.decode().splitlines()[1:], 2):
            try:
                day, kind, _ = line.split(",")
                {"holiday": off, "workday": on}[kind].append(date.fromisoformat(day))
            except (ValueError, KeyError):
                raise ValueError(f"line {number} of the calendar is not date,holiday|workday,name") from None
        return cls(off, on)

    def with_changes(self, off: Iterable[date] = (), on: Iterable[date] = ()) -> Calendar:
        """This calendar with a place's own extra days off or make-up days (自治区 local holidays)."""
        extra_off, extra_on = frozenset(off), frozenset(on)
        return Calendar((self._off | extra_off) - extra_on, (self._on | extra_on) - extra_off)

    def covers(self, year: int) -> bool:
        """Whether the table holds this year."""
        return year in self._years

    def _is_working(self, day: date) -> bool:
        return day in self._on or (day.weekday() < 5 and day not in self._off)

    def is_working_day(self, day: date) -> bool:
        """Beyond the table: Monday to Friday."""
        return self._is_working(day)

    def add_working_days(self, start: date, n: int) -> Due:
        """The ``n``-th working day after ``start``; 0 is ``start`` itself."""
        if n <= 0:
            return Due(start, not self.covers(start.year))
        if self.covers(start.year):
            index = bisect_right(self._working, start.toordinal()) + n - 1
            if index < len(self._working):
                return Due(date.fromordinal(self._working[index]), False)
        return self._walk(start, n)

    def _walk(self, start: date, n: int) -> Due:
        """The same by counting days, for what leaves the table."""
        day = start
        while n:
            day += timedelta(days=1)
            n -= self._is_working(day)
        return Due(day, True)

    def add_calendar_days(self, start: date, n: int) -> Due:
        """``n`` days after ``start``, moved on to the next working day."""
        day = start + timedelta(days=n)
        while n > 0 and not self._is_working(day):
            day += timedelta(days=1)
        return Due(day, not (self.covers(start.year) and self.covers(day.year)))

    def working_days_until(self, start: date, end: date) -> int:
        """Working days after ``start`` through ``end``: what is left. Negative when ``end`` has passed."""
        if end < start:
            return -self.working_days_until(end, start)
        if self.covers(start.year) and end.toordinal() <= self._last:
            return bisect_right(self._working, end.toordinal()) - bisect_right(self._working, start.toordinal())
        return sum(self._is_working(start + timedelta(days=i)) for i in range(1, (end - start).days + 1))


class Calendars:
    """The calendar of a place: its own, its city's, its province's, else the national one."""

    def __init__(self, national: Calendar, by_division: Mapping[str, Calendar] | None = None) -> None:
        self._national = national
        self._by_division = dict(by_division or {})

    def of(self, division: str) -> Calendar:
        """By six-digit code, then city, then province."""
        places = self._by_division
        if not places:
            return self._national
        for code in (division, division[:4] + "00", division[:2] + "0000"):
            if code in places:
                return places[code]
        return self._national
