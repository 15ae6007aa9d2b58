"""Bodies of messages that belong to no case: one form for one value, as every body has."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec
from schemas.errors import Invalid
from schemas.inquiry import INQUIRIES, CertificateAnswer, CertificateQuery, SeenField, SeenPermit

WORDS = st.text("渣土检查Z01 路·", min_size=1, max_size=20).map(str.strip).filter(bool)
TOKENS = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZabc_-", min_size=22, max_size=128)
IDS = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26)
TIMES = st.datetimes(timezones=st.just(UTC))
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
QUERIES = st.builds(CertificateQuery, TOKENS, WORDS, WORDS, WORDS, TIMES)
ANSWERS = st.builds(
    CertificateAnswer, IDS, st.sampled_from(["released", "withheld", "unknown"]), TIMES, standing=WORDS, type_name=WORDS,
    valid_from=st.none() | DAYS, fields=st.lists(st.builds(SeenField, WORDS, WORDS, WORDS), max_size=3).map(tuple),
    permits=st.lists(st.builds(SeenPermit, WORDS, WORDS, DAYS, st.none() | DAYS), max_size=3).map(tuple), clause=WORDS,
)  # fmt: skip
GOOD = CertificateQuery("0" * 26, "行政检查", "测试路", "Z1", datetime(2026, 11, 20, tzinfo=UTC))


@given(QUERIES | ANSWERS)
def test_what_is_written_is_read(body: CertificateQuery | CertificateAnswer) -> None:
    name = next(name for name, kind in INQUIRIES.items() if kind is type(body))
    data = codec.encode(body)
    assert codec.decode(name, data) == body
    with pytest.raises(Invalid):
        codec.decode(name, data.replace(b":", b": ", 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"token": "short"}, {"token": "0" * 129}, {"token": "0" * 25 + "/"}, {"token": "0" * 26 + "\n"}, {"purpose": ""},
        {"place": " 某地"}, {"officer": "张\n三"}, {"officer": "张" * 101}, {"use": "fetch"},
        {"purpose": "用" * 101}, {"at": "2026-11-20T08:00:00+08:00"}, {"place": "\u202e某地"},
    ],
)  # fmt: skip
def test_a_question_that_is_none(changes: dict[str, str]) -> None:
    fields = msgspec.to_builtins(GOOD) | changes
    with pytest.raises(Invalid):
        codec.build("certificate_query", fields)
