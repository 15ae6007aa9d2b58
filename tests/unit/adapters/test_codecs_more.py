"""Codecs of amounts, units, names, forms of time and words for yes and no: exact both ways, or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import functions
from adapters.base import Untranslatable
from adapters.codecs import Codec, Misfit, find_codec
from adapters.codecs.names import MOVED, names
from adapters.functions import as_codec
from adapters.profile import compile_profile
from tests.unit.adapters.support import toml

AMOUNTS = st.decimals(Decimal("-99999999999999.99"), Decimal("99999999999999.99"), places=2).map(lambda d: f"{d:.2f}")
RARE = "𠀀𬎆䶮㐂龻\U000323af"
PRIVATE = st.characters(min_codepoint=0xE000, max_codepoint=0xF8FF)


def codec(name: str) -> Codec:
    found = find_codec(name)
    assert found is not None, name
    return found


@given(st.sampled_from(["amount:fen", "amount:fen_text", "amount:yuan", "amount:wan"]), AMOUNTS)
def test_amounts_come_back(name: str, yuan: str) -> None:
    if Decimal(yuan) == 0:
        yuan = "0.00"
    assert codec(name).decode(codec(name).encode(yuan)) == yuan


@given(st.sampled_from(["unit:KB", "unit:MB", "unit:wan", "unit:thousand"]), st.integers(0, 10**12))
def test_units_come_back_or_are_refused_as_inexact(name: str, count: int) -> None:
    try:
        written = codec(name).encode(count)
    except Misfit as misfit:
        assert misfit.code == "value-inexact"
        return
    assert codec(name).decode(written) == count


@given(st.integers(-(10**6), 10**6))
def test_counted_numbers_come_back(count: int) -> None:
    assert codec("counted:个工作日").decode(codec("counted:个工作日").encode(count)) == count
    assert codec("flag_int").encode(True) == 1
    assert codec("int_text").decode(codec("int_text").encode(count)) == count


MOMENTS = ["moment:yyyy/MM/dd HH:mm:ss", "moment:yyyyMMddHHmmss@utc", "moment:dd.MM.yyyy HH-mm-ss",
           "moment:yyyy年MM月dd日HH时mm分ss秒",
           "epoch_s_text"]  # fmt: skip


@given(st.sampled_from(MOMENTS), st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 30)))  # noqa: DTZ001
def test_any_form_of_a_time_comes_back(name: str, at: datetime) -> None:
    whole = at.replace(microsecond=0, tzinfo=UTC)
    assert codec(name).decode(codec(name).encode(whole)) == whole


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 30)))  # noqa: DTZ001
def test_milliseconds_come_back(at: datetime) -> None:
    moment = at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
    for name in ("moment:yyyy-MM-dd HH:mm:ss.SSS", "moment:yyyyMMddHHmmssSSS@utc", "epoch_ms_text"):
        assert codec(name).decode(codec(name).encode(moment)) == moment


@given(st.dates(date(1000, 1, 1)))
def test_any_form_of_a_day_comes_back(day: date) -> None:
    for name in ("day:yyyy年MM月dd日", "day:yyyy/MM/dd", "day:yyyy.MM.dd"):
        assert codec(name).decode(codec(name).encode(day)) == day


def test_utc_and_beijing_are_eight_hours_apart() -> None:
    at = datetime(2025, 3, 3, 1, 30, tzinfo=UTC)
    assert codec("moment:yyyyMMddHHmmss@utc").encode(at) == "20250303013000"
    assert codec("moment:yyyyMMddHHmmss").encode(at) == "20250303093000"
    assert codec("moment:yyyyMMdd[T]HHmmss").decode("20250303T093000") == at


@given(
    st.sampled_from(["flag:Y,N", "flag:true,false", "flag:有,无", "flag", "flag_int", "yes_no", "bool"]), st.booleans()
)
def test_words_for_yes_and_no_come_back(name: str, truth: bool) -> None:
    assert codec(name).decode(codec(name).encode(truth)) is truth


@given(st.integers(0, 999_999).map("{:06d}".format), st.sampled_from(["6", "9", "12"]))
def test_division_codes_of_6_9_and_12_digits_come_back(code: str, width: str) -> None:
    written = codec(f"division:{width}").encode(code)
    assert (len(written), codec(f"division:{width}").decode(written)) == (int(width), code)
    assert codec("division").decode(written) == code


@pytest.mark.parametrize(
    "name",
    ["moment:yyyy", "moment:yyyyMMdd", "moment:yyyyMMddHHmmssyyyy", "moment:yyyyMMddHHmmss@cet", "moment:", "day:MMdd",
     "day:yyyyMMddHH", "flag:Y,Y", "flag:Y", "flag:", "division:8", "division:", "amount:usd", "unit:mile", "counted:",
     "pairs:a,a", "pairs:a", "no:thing", "moment"],
)  # fmt: skip
def test_a_codec_whose_argument_says_nothing_does_not_exist(name: str) -> None:
    assert find_codec(name) is None


REFUSED = [
    ("amount:fen", "1.5"), ("amount:fen", Decimal("1.5")), ("amount:yuan", "1.005"), ("amount:yuan", 1.5),
    ("amount:yuan", "1e3"), ("amount:yuan", Decimal("1E+300")), ("amount:yuan", Decimal("NaN")), ("amount:yuan", True),
    ("amount:yuan", "１２"), ("amount:fen", 10**16), ("amount:yuan", "999999999999999999"), ("unit:KB", "0.0001"),
    ("unit:MB", Decimal("1E-300")), ("counted:日", "5天"), ("counted:日", 5), ("division", "360113001000"),
    ("division", "36011300"), ("bool", 1), ("bool", "true"), ("flag:Y,N", "y"),
    ("moment:yyyy/MM/dd HH:mm:ss", "2026/02/30 00:00:00"),
    ("moment:yyyyMMddHHmmss@utc", "20260101240000"), ("day:yyyy年MM月dd日", "2026年2月3日"), ("name", 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_is_not_exact_or_not_of_the_form_is_refused(name: str, value: Any) -> None:
    with pytest.raises(Misfit):
        codec(name).decode(value)


def test_an_amount_is_written_only_with_two_decimals() -> None:
    for name in ("amount:fen", "amount:yuan", "amount:wan"):
        for wrong in ("1", "1.5", "1.505", 1, None):
            with pytest.raises(Misfit):
                codec(name).encode(wrong)
    assert codec("amount:wan").encode("123450.00") == "12.345"
    assert codec("amount:fen").encode("-0.05") == -5


# --- names ------------------------------------------------------------------------------------------------------------


def test_K03_the_24_characters_that_gb18030_moved_are_read_as_what_they_are() -> None:
    """K03: bytes that an older GB 18030 decoder turns into private code points come out as the real characters."""
    assert len(MOVED) == 25
    for byte_pair, meant in (
        ("FE59", "\u9fb4"),
        ("FEA0", "\u9fbb"),
        ("FE51", "\U00020087"),
        ("FE91", "\U000241fe"),
        ("A6D9", "\ufe10"),
    ):
        read = bytes.fromhex(byte_pair).decode("gb18030")
        assert 0xE000 <= ord(read) <= 0xF8FF, "Python reads by the older edition"
        assert codec("name").decode(f"王{read}") == f"王{meant}"
        assert f"王{meant}".encode("gb18030").decode("gb18030") == f"王{meant}"


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Co"))))
def test_K03_a_name_without_private_characters_is_never_changed(name: str) -> None:
    """K03, K02: four-byte characters, compatibility forms and full-width digits stay as they are."""
    assert codec("name").decode(name) == name
    assert codec("name").encode(name) == name
    assert codec("name").decode(name.encode("gb18030").decode("gb18030")) == name


@given(PRIVATE)
def test_K03_an_unknown_private_character_is_refused_and_not_repeated(character: str) -> None:
    """K03: never ``?``, never somebody else's character."""
    if ord(character) in MOVED:
        return
    with pytest.raises(Misfit) as caught:
        codec("name").decode(f"张{character}")
    assert caught.value.code == "character-private"
    assert character not in caught.value.zh + caught.value.en
    with pytest.raises(Misfit):
        codec("name").encode(character)


@given(st.text(alphabet=RARE + "张三丰" + "\ue863\uf000"))
def test_K03_a_citys_own_private_characters_come_back(written: str) -> None:
    own = names({"E863": "䶮", "F000": "𬎆"})
    if "䶮" in written or "𬎆" in written:
        written = written.replace("䶮", "\ue863").replace("𬎆", "\uf000")
    assert own.encode(own.decode(written)) == written


def test_K02_full_width_digits_become_ascii_only_where_a_row_says_so() -> None:
    """K02: nothing is normalised before the signature is checked; afterwards by an explicit codec."""
    assert codec("half_width").decode("１１０１０５ＸＡ　ｂ") == "110105XA b"
    assert codec("text").decode("１１０") == codec("name").decode("１１０") == "１１０"
    assert codec("half_width").one_way


@pytest.mark.parametrize(
    "bad", [{"4E00": "一"}, {"E863": ""}, {"E863": "䶮䶮"}, {"E863": "\ue864"}, {"zz": "一"}, {"FFFFFF": "一"}]
)
def test_a_profiles_characters_are_private_code_points_and_one_character_each(bad: dict[str, str]) -> None:
    with pytest.raises(Untranslatable) as caught:
        compile_profile({**toml("qiaokou"), "characters": bad})
    assert caught.value.code == "characters-unreadable"


# --- named functions --------------------------------------------------------------------------------------------------


def test_a_named_function_that_fails_is_a_refusal_without_its_words() -> None:
    def boom(value: Any) -> Any:
        raise RuntimeError(f"secret {value}")

    for made in (as_codec(boom, "fn:x"), as_codec(Codec("text", boom, boom), "fn:x")):
        with pytest.raises(Misfit) as caught:
            made.decode("110105")
        assert caught.value.code == "function-failed"
        assert "110105" not in caught.value.zh + caught.value.en + str(caught.value)
        with pytest.raises(Misfit):
            made.encode("110105")
    with pytest.raises(Untranslatable):
        as_codec("no function", "fn:x")


class Point:
    """An entry point as a package declares it."""

    def __init__(self, name: str, loaded: Any) -> None:
        self.name, self.loaded = name, loaded

    def load(self) -> Any:
        if isinstance(self.loaded, Exception):
            raise self.loaded
        return self.loaded


def test_installed_functions_are_found_by_their_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    def point(*points: Point) -> Any:
        monkeypatch.setattr(functions, "entry_points", lambda group: points)
        functions.installed.cache_clear()
        return functions.installed()

    try:
        assert set(point(Point("upper", str.upper), Point("own", Codec("text", str, str)))) == {"fn:upper", "fn:own"}
        assert find_codec("fn:upper", functions.installed()).decode("a") == "A"  # type: ignore[union-attr]
        for bad in ((Point("x", str), Point("x", str)), (Point("x", ImportError("gone")),), (Point("x", 5),)):
            with pytest.raises(Untranslatable) as caught:
                point(*bad)
            assert caught.value.code in {"function-twice", "function-unloadable"}
    finally:
        functions.installed.cache_clear()


def test_a_named_function_stands_in_a_row_like_any_codec() -> None:
    def names_of(values: list[str]) -> str:
        return "/".join(one or "-" for one in values)

    data = toml("qiaokou")
    rows = data["in"]["application"]["rows"]
    row = next(one for one in rows if one["target"] == "purpose")
    row.update(source=["yt", "yj"], codec="fn:both")
    profile = compile_profile(data, {"fn:both": as_codec(names_of, "fn:both")})
    step = next(one for one in profile.inward["application"].steps if one.path == ("purpose",))
    output: dict[str, Any] = {}
    step.run({"yt": "甲"}, {}, output)
    assert output == {"purpose": "甲/-"}
