"""The tables that stand in the package, read once per process: divisions and the working-day calendar."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agreements.calendar import Calendars
    from schemas.divisions import Divisions


def _data(name: str) -> bytes:
    return (resources.files("schemas") / "data" / name).read_bytes()


@lru_cache(maxsize=1)
def divisions() -> Divisions:
    """Division codes with the retired ones as aliases."""
    from schemas.divisions import Divisions

    return Divisions(_data("regions.csv"), _data("regions-retired.csv"))


@lru_cache(maxsize=1)
def calendars() -> Calendars:
    """The national calendar for every place."""
    from agreements.calendar import Calendar, Calendars

    return Calendars(Calendar.from_csv(_data("holidays-cn.csv")))
