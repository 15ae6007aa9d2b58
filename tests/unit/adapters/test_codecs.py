"""Codecs: what is written is read back; what does not fit is refused without repeating it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.codecs import CODECS, Misfit, find_codec

MOMENTS = st.datetimes(datetime(1000, 1, 2), datetime(9998, 12, 30)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)
TIMES = ["datetime14", "datetime14t", "datetime_local", "datetime_t", "datetime_zoned"]


def codec(name: str) -> Any:
    found = find_codec(name)
    assert found is not None
    return found


@given(st.sampled_from(TIMES), MOMENTS)
def test_times_come_back(name: str, at: datetime) -> None:
    assert codec(name).decode(codec(name).encode(at)) == at


@given(st.sampled_from(["date8", "date10"]), st.dates(date(1000, 1, 1)))
def test_dates_come_back(name: str, day: date) -> None:
    assert codec(name).decode(codec(name).encode(day)) == day


@given(st.datetimes(datetime(1970, 1, 1), datetime(2099, 1, 1)))  # noqa: DTZ001
def test_time_stamps_come_back(at: datetime) -> None:
    moment = at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
    assert codec("epoch_ms").decode(codec("epoch_ms").encode(moment)) == moment
    whole = moment.replace(microsecond=0)
    assert codec("epoch_s").decode(codec("epoch_s").encode(whole)) == whole


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_pairs_come_back(form: dict[str, str]) -> None:
    assert codec("pairs:MC,Z").decode(codec("pairs:MC,Z").encode(form)) == form


@given(st.lists(st.text(min_size=1).filter(lambda part: "、" not in part)))
def test_split_lists_come_back(parts: list[str]) -> None:
    assert codec("split:、").decode(codec("split:、").encode(parts)) == parts


@given(st.binary())
def test_base64_comes_back(data: bytes) -> None:
    assert codec("base64").decode(codec("base64").encode(data)) == data


@given(st.sampled_from(sorted(CODECS)), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))
def test_any_value_is_read_or_refused(name: str, value: Any) -> None:
    for change in (codec(name).decode, codec(name).encode):
        try:
            change(value)
        except Misfit as misfit:
            assert not isinstance(value, str) or len(value) < 6 or value not in misfit.zh + misfit.en


def test_beijing_time_becomes_utc() -> None:
    at = datetime(2024, 12, 31, 16, 0, tzinfo=UTC)
    assert codec("datetime14").decode("20250101000000") == at
    assert codec("datetime14").decode("20250101T000000") == at
    assert codec("datetime14").encode(at) == "20250101000000"
    assert codec("datetime_zoned").decode("2025-01-01T00:00:00+08:00") == at
    assert codec("datetime_t").encode(at + timedelta(seconds=1)) == "2025-01-01T00:00:01"


K09 = [
    ("date10", "2026-1-1"), ("date10", "2026-02-30"), ("date8", "20260230"), ("date8", "２０２６０１０１"),
    ("datetime14", "20260101240000"), ("datetime14", "20260101235960"), ("datetime14", "2026010100000"),
    ("datetime14", "20260101000000\n"), ("datetime_t", "2026-01-01T00:00:00Z"), ("datetime_t", "2026-01-01T24:00:00"),
    ("datetime_zoned", "2026-01-01T00:00:00"), ("datetime_zoned", "2026-01-01T00:00:60Z"), ("epoch_s", "1e9"),
    ("epoch_s", -1), ("epoch_ms", 99_999_999_999_999), ("date8", 20260101), ("datetime14", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), K09)
def test_K09_times_that_are_no_times_are_refused(name: str, value: Any) -> None:
    with pytest.raises(Misfit):
        codec(name).decode(value)


REFUSED = [
    ("division:12", "360113001000"), ("division:12", "360113"), ("division:12", 360113000000), ("flag", "2"),
    ("flag", "true"), ("flag", True), ("yes_no", "1"), ("int", "1.0"), ("int", True), ("int", 1.0), ("int", "１２"),
    ("sm3", "00"), ("sm3", "g" * 64), ("base64", "a"), ("base64", "####"), ("strings", {"a": 1}), ("strings", ["a"]),
    ("texts", [1]), ("texts", {"a": "b"}), ("pairs:MC,Z", [{"MC": "a", "Z": "1"}, {"MC": "a", "Z": "2"}]),
    ("pairs:MC,Z", "text"), ("text", 1), ("text", ["a"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_values_that_do_not_fit_are_refused(name: str, value: Any) -> None:
    with pytest.raises(Misfit):
        codec(name).decode(value)


def test_division_codes_are_padded_and_never_cut_short() -> None:
    assert codec("division:12").decode("360113000000") == "360113"
    assert codec("division:9").encode("360113") == "360113000"


def test_a_codec_that_does_not_exist_is_none() -> None:
    assert find_codec("no-such") is None
