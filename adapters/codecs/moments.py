"""Times and days as platforms write them (时间与日期): any digit form, Beijing time or UTC, or a count since 1970.

Canonical times are UTC datetimes. Platforms write Beijing time (+08:00) unless the codec says ``@utc``. GB/T 39046-2020
writes YYYYMMDDThhmmss with and without the T: the built-in form reads both. Month 13, hour 24 and second 60 are refused,
never rolled over (K09).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

from adapters.codecs.base import Codec, Misfit, integer, wrong_form, wrong_type

BEIJING: Final = timezone(timedelta(hours=8))
_PIECES: Final = {
    "yyyy": (r"(?P<year>\d{4})", "{0.year:04d}"), "MM": (r"(?P<month>\d\d)", "{0.month:02d}"),
    "dd": (r"(?P<day>\d\d)", "{0.day:02d}"), "HH": (r"(?P<hour>\d\d)", "{0.hour:02d}"),
    "mm": (r"(?P<minute>\d\d)", "{0.minute:02d}"), "ss": (r"(?P<second>\d\d)", "{0.second:02d}"),
    "SSS": (r"(?P<milli>\d{3})", "{1:03d}"),
}  # fmt: skip
_TOKEN: Final = re.compile(r"yyyy|MM|dd|HH|mm|ss|SSS|\[[^\]]\]|.", re.DOTALL)
_DAY: Final = {"yyyy", "MM", "dd"}
_SECONDS: Final = _DAY | {"HH", "mm", "ss"}


def _form(shape: str, needed: set[str]) -> tuple[re.Pattern[str], str] | None:
    """Regular expression and format string of a form; ``[T]`` is read when it is there and never written."""
    pieces = _TOKEN.findall(shape)
    named = [piece for piece in pieces if piece in _PIECES]
    extra = set(named) - needed
    if len(named) != len(set(named)) or not needed <= set(named) or not extra <= ({"SSS"} if "ss" in needed else set()):
        return None
    pattern, written = "", ""
    for piece in pieces:
        if piece in _PIECES:
            pattern, written = pattern + _PIECES[piece][0], written + _PIECES[piece][1]
        elif len(piece) == 3:
            pattern += f"{re.escape(piece[1])}?"
        else:
            pattern, written = pattern + re.escape(piece), written + piece.replace("{", "{{").replace("}", "}}")
    return re.compile(pattern, re.ASCII), written


def _local(value: Any, zone: timezone) -> datetime:
    """A canonical time on a platform's clock."""
    if not isinstance(value, datetime) or value.tzinfo is None or not 1000 <= value.year < 9999:
        raise wrong_type("公元 1000 年以后的时间", "a time after the year 1000")
    return value.astimezone(zone)


def moment(argument: str) -> Codec | None:
    """``moment:yyyy/MM/dd HH:mm:ss`` in Beijing time, ``…@utc`` in UTC; ``SSS`` are milliseconds. None: no such form."""
    shape, _, zone_name = argument.partition("@")
    form = _form(shape, _SECONDS)
    if form is None or zone_name not in ("", "utc"):
        return None
    pattern, written = form
    zone = UTC if zone_name else BEIJING
    shown = shape.replace("[", "").replace("]", "")

    def decode(value: Any) -> datetime:
        found = pattern.fullmatch(value) if type(value) is str else None
        if found is None:
            raise wrong_form(shown, shown)
        parts = {name: int(digits) for name, digits in found.groupdict().items()}
        micro = parts.pop("milli", 0) * 1000
        try:
            return datetime(**parts, microsecond=micro, tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Misfit("value-form", f"不是存在的时间（{shown}）", f"no such time ({shown})") from None

    def encode(value: Any) -> str:
        at = _local(value, zone)
        return written.format(at, at.microsecond // 1000)

    return Codec("datetime", decode, encode)


def day(argument: str) -> Codec | None:
    """``day:yyyy年MM月dd日``: a calendar day. None: no such form."""
    form = _form(argument, _DAY)
    if form is None:
        return None
    pattern, written = form

    def decode(value: Any) -> date:
        found = pattern.fullmatch(value) if type(value) is str else None
        if found is None:
            raise wrong_form(argument, argument)
        try:
            return date(**{name: int(digits) for name, digits in found.groupdict().items()})
        except ValueError:
            raise Misfit("value-form", f"不是存在的日期（{argument}）", f"no such date ({argument})") from None

    def encode(value: Any) -> str:
        if type(value) is not date or value.year < 1000:
            raise wrong_type("公元 1000 年以后的日期", "a date after the year 1000")
        return written.format(value)

    return Codec("date", decode, encode)


def _epoch(per_second: int, *, as_text: bool = False) -> Codec:
    def held(count: int) -> int:
        if not 0 <= count < 4_102_444_800 * per_second:
            raise wrong_form("1970 至 2100 年之间的时间戳", "a time stamp between 1970 and 2100")
        return count

    def decode(value: Any) -> datetime:
        seconds, rest = divmod(held(integer(value)), per_second)
        return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=rest * (1000 // per_second))

    def encode(value: Any) -> int | str:
        milliseconds = (_local(value, UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        count = held(milliseconds * per_second // 1000)
        return str(count) if as_text else count

    return Codec("datetime", decode, encode)


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _zoned_decode(value: Any) -> datetime:
    if type(value) is not str or not _RFC3339.fullmatch(value):
        raise wrong_form("带时区的 RFC 3339 时间", "an RFC 3339 time with its zone")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Misfit("value-form", "不是存在的时间", "no such time") from None


def _zoned_encode(value: Any) -> str:
    return _local(value, BEIJING).isoformat(timespec="seconds")


def _built_in(codec: Codec | None) -> Codec:
    assert codec is not None  # noqa: S101 - the forms below are ours
    return codec


def _written_with_t() -> Codec:
    """Reads with and without T, writes it."""
    plain, with_t = _built_in(moment("yyyyMMdd[T]HHmmss")), _built_in(moment("yyyyMMddTHHmmss"))
    return Codec("datetime", plain.decode, with_t.encode)


MOMENTS: Final[dict[str, Codec]] = {
    "datetime14": _built_in(moment("yyyyMMdd[T]HHmmss")),
    "datetime14t": _written_with_t(),
    "datetime_local": _built_in(moment("yyyy-MM-dd HH:mm:ss")),
    "datetime_t": _built_in(moment("yyyy-MM-ddTHH:mm:ss")),
    "datetime_zoned": Codec("datetime", _zoned_decode, _zoned_encode),
    "epoch_s": _epoch(1),
    "epoch_ms": _epoch(1000),
    "epoch_s_text": _epoch(1, as_text=True),
    "epoch_ms_text": _epoch(1000, as_text=True),
    "date8": _built_in(day("yyyyMMdd")),
    "date10": _built_in(day("yyyy-MM-dd")),
}
