"""A certificate's metadata in custom data: what is written reads back; what deviates is refused or named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import ecert_data, ecert_id
from signing.ecert import Annotation, Field, Holder, Metadata, Permit
from signing.ecert_data import MAX_PAIRS, MAX_PERMITS, read, write
from signing.ecert_verify import status_at
from signing.errors import Malformed
from tests.ecerts import ISSUER, TYPE, sample
from tests.ecerts_any import metadata

DAY = date(2026, 6, 1)
NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
# As a real-estate system writes it, with the names of places exchanged: no permits, no labels, dates with dashes.
FOREIGN = (
    ("ZZMC", "不动产权证书"), ("ZZLXDM", "11100000MB03271699022"), ("ZZBH", "鄂（2026）武汉市不动产权第0000001号"),
    ("ZZBS", "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"), ("ZZBFJG", "样章市自然资源和规划局"),
    ("ZZBFJGDM", "340100"), ("ZZBFRQ", "2026年6月1日"), ("CZZT", "样章"), ("CZZTDM", "X"), ("CZZTDMLX", "公民身份号码"),
    ("ZZYXQQSRQ", "2026-06-01 00:00:00"), ("ZZYXQJZRQ", "9999-12-31"), ("KZ_MJ", "89.5㎡"), ("KZ_YT", " 住宅 "), ("XTBS", "1"),
)  # fmt: skip


@given(metadata())
def test_what_is_written_reads_back(data: Metadata) -> None:
    assert read(write(data)) == ecert_data.Reading(data, ())


def test_the_keys_are_those_of_the_field() -> None:
    said = dict(write(sample(annotation=Annotation("窗口", NOON, "办理贷款", "样章银行", NOON + timedelta(days=7)))))
    assert said["ZZBFRQ"] == "20260601" and said["ZZYXQJZRQ"] == "20310531"
    assert (said["CZZTDMLX"], said["CZZTDMLXDM"]) == ("统一社会信用代码", "001")
    assert said["KZ_JYCS"] == "汉江路1号" and said["TB_BQ_BZ"] == "备注" and "KZ_BZ" not in said
    assert said["JZJZZSJ"] == "20260601120000" and said["JZJYXQJZSJ"] == "20260608120000"


def test_a_foreign_certificate_is_read_as_far_as_it_goes() -> None:
    reading = read(FOREIGN)
    data = reading.metadata
    assert reading.missing == () and data.holder.code_type == "111"
    assert (data.issued, data.valid_from, data.valid_to) == (DAY, DAY, None)
    assert data.fields == (Field("MJ", "MJ", "89.5㎡"), Field("YT", "YT", "住宅"))
    without = [pair for pair in FOREIGN if pair[0] not in ("CZZTDMLX", "ZZYXQQSRQ", "ZZYXQJZRQ")]
    reading = read(without)
    assert reading.missing == ("CZZTDMLX", "ZZYXQQSRQ", "ZZYXQJZRQ") and reading.metadata.valid_from == DAY


@pytest.mark.parametrize(
    ("expires", "moment"),
    [
        ("20260601235959", datetime(2026, 6, 1, 15, 59, 59, tzinfo=UTC)),
        ("2026-06-01 12:00:00.123", NOON),
        ("2026-06-01", datetime(2026, 6, 1, 16, tzinfo=UTC)),
    ],
)
def test_a_copys_end_is_a_moment_or_the_whole_of_a_day(expires: str, moment: datetime) -> None:
    copy = read((*FOREIGN, ("JZJYXQJZSJ", expires), ("JZJZZSJ", "20260601")))
    assert copy.metadata.annotation is not None and copy.metadata.annotation.expires == moment
    assert copy.missing == ("JZJZZZ", "JZJZZSY")


def changed(**by_key: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, by_key.get(key, value)) for key, value in FOREIGN)


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ((), "ecert-none"),
        (FOREIGN[:3], "ecert-none"),
        ((*FOREIGN, ("KZ_MJ", "90")), "ecert-repeated"),
        ((*FOREIGN, (" ZZBS", "1")), "ecert-repeated"),
        (changed(ZZBFRQ="昨天"), "ecert-date"),
        (changed(ZZBFRQ=""), "ecert-date"),
        (changed(ZZBFRQ="20260231"), "ecert-date"),
        (changed(ZZYXQJZRQ="00000101"), "ecert-date"),
        (changed(ZZYXQQSRQ="二〇二六"), "ecert-date"),
        ((*FOREIGN, ("JZJYXQJZSJ", "later"), ("JZJZZSJ", "20260601")), "ecert-date"),
        ((*FOREIGN, ("JZJYXQJZSJ", "20260601250000"), ("JZJZZSJ", "20260601")), "ecert-date"),
        ((*FOREIGN, ("JZJYXQJZSJ", "9999-12-31"), ("JZJZZSJ", "20260601")), "ecert-date"),
        ((*FOREIGN, ("JZJYXQJZSJ", "20260601"), ("JZJZZSJ", "")), "ecert-date"),
        ((*FOREIGN, ("TB_XK_1_BH", "1"), ("TB_XK_1_MC", "道路占用")), "ecert-date"),
        ((*FOREIGN, ("X", "x" * 5000)), "ecert-size"),
        ((*FOREIGN, ("X" * 5000, "x")), "ecert-size"),
        (tuple((f"KZ_{n}", "x") for n in range(MAX_PAIRS + 1)), "ecert-size"),
    ],
)
def test_what_cannot_be_read_in_one_way_is_refused(pairs: tuple[tuple[str, str], ...], code: str) -> None:
    with pytest.raises(Malformed) as fault:
        read(pairs)
    assert fault.value.code == code


def test_W9_as_many_permits_as_one_certificate_may_carry_read_back() -> None:
    data = sample(permits=tuple(replace(PERMIT, id=str(n)) for n in range(MAX_PERMITS)))
    assert read(write(data)).metadata == data


KEYS = st.sampled_from(
    [*(key for key, _ in FOREIGN), "JZJYXQJZSJ", "JZJZZSJ", "TB_XK_1_BH", "TB_XK_1_QSRQ", "KZ_", "TB_BQ_"]
)
VALUES = st.text(max_size=20) | st.from_regex(
    r"[0-9]{4}[-年]?[0-9]{1,2}[-月]?[0-9]{1,2}日?( ?[0-9]{2}:?[0-9]{2}:?[0-9]{2})?"
)


@given(st.lists(st.tuples(KEYS | st.text(max_size=8), VALUES), max_size=12))
def test_whatever_stands_there_is_read_or_malformed(pairs: list[tuple[str, str]]) -> None:
    told = dict(FOREIGN) | dict(pairs)
    for given_pairs in (pairs, list(told.items())):
        try:
            data = read(given_pairs).metadata
        except Malformed as fault:
            assert fault.code in ("ecert-none", "ecert-date", "ecert-repeated")
        else:
            assert status_at(data, NOON) in ("valid", "expired", "not_yet_valid", "copy_expired")


PERMIT = Permit("1", "占用城市道路许可", "2026-1", DAY, None)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (sample(identifier="1.2"), "ecert-id-form"),
        (sample(identifier=sample().identifier[:-1] + "?"), "ecert-id-form"),
        (sample(identifier=str(replace(ecert_id.make(TYPE, ISSUER, "1"), check="X"))), "ecert-identifier"),
        (sample(type_code=TYPE[:-1] + "1"), "ecert-identifier"),
        (sample(issuer_code="11420104MB00000001"), "ecert-identifier"),
        (sample(valid_to=date(2026, 5, 31)), "ecert-validity"),
        (sample(permits=(replace(PERMIT, valid_to=date(2026, 5, 31)),)), "ecert-validity"),
        (sample(permits=(PERMIT, PERMIT)), "ecert-repeated"),
        (sample(permits=tuple(replace(PERMIT, id=str(n)) for n in range(MAX_PERMITS + 1))), "ecert-repeated"),
        (sample(fields=(Field("A", "甲", "1"), Field("A", "乙", "2"))), "ecert-repeated"),
        (sample(fields=tuple(Field(f"A{n}", "甲", "1") for n in range(MAX_PAIRS))), "ecert-repeated"),
        (sample(fields=(Field("经营", "经营", "1"),)), "ecert-field"),
        (sample(fields=(Field("A", "", "1"),)), "ecert-text"),
        (sample(fields=(Field("A", "甲", "1\n2"),)), "ecert-text"),
        (sample(fields=(Field("A", "甲", "\u202e1"),)), "ecert-text"),
        (sample(fields=(Field("A", "甲", "x" * 5000),)), "ecert-text"),
        (sample(number=" 1"), "ecert-text"),
        (sample(holder=Holder("", "1", "111")), "ecert-text"),
    ],
)
def test_none_is_written_that_contradicts_itself_or_would_not_read_back(data: Metadata, code: str) -> None:
    with pytest.raises(Malformed) as fault:
        write(data)
    assert fault.value.code == code
