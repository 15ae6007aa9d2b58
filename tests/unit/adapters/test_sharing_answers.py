"""What a sharing platform's answer means: each outcome by its rule, and nothing of a hostile answer is believed or repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sharing.base import UNKNOWN, No
from adapters.sharing.line import file_of
from adapters.sharing.registry import profile
from adapters.sharing.translate import MAX_ENTRIES, AnswerWords, read
from adapters.transport import Lost, Reply, Unsent

WORDS = AnswerWords(ok=("0",), absent=("1",), busy=("98",), spent=("7",), session=("401",))
DIALECT = profile("shandong-certshare")


def answer(value: Any, status: int = 200) -> Reply:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Reply(status, "application/json", body)


ANSWERS: dict[str, tuple[Reply | Unsent | Lost, Any]] = {
    "no connection": (Unsent("no-connection"), No("unsent", "no-connection")),
    "time-out": (Lost("time-out"), No("unclear", "time-out")),
    "500": (answer({"code": "0"}, 500), No("busy", "http-500")),
    "429": (answer(b"", 429), No("busy", "http-429")),
    "302": (answer(b"", 302), No("refused", "http-302")),
    "403 with a page": (answer(b"<html>", 403), No("refused", "http-403")),
    "no JSON": (answer(b"\xff\x00"), No("unclear", "unreadable")),
    "a key twice": (answer(b'{"code": "0", "code": "1"}'), No("unclear", "unreadable")),
    "a list": (answer([{"code": "0"}]), No("unclear", "unreadable")),
    "no code": (answer({"data": {}}), No("unclear", "unreadable")),
    "a code that is an object": (answer({"code": {"a": 1}}), No("unclear", "unreadable")),
    "a code that is true": (answer({"code": True}), No("unclear", "unreadable")),
    "good": (answer({"code": 0, "data": {"x": 1}}), ("0", {"x": 1})),
    "none there": (answer({"code": "1"}), No("absent", "code-1")),
    "busy": (answer({"code": "98"}), No("busy", "code-98")),
    "used up": (answer({"code": "7"}), No("spent", "code-7")),
    "session over": (answer({"code": "401"}), ("401", None)),
    "no": (answer({"code": "E_DENIED"}), No("refused", "code-E_DENIED")),
    "a person in the code": (answer({"code": "420104196001020019"}), No("refused", "code-not-shown")),
    "a line feed in the code": (answer({"code": "A\nB"}), No("refused", "code-not-shown")),
    "an endless code": (answer({"code": "A" * 3000}), No("refused", "code-not-shown")),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_P05_an_answer_means_one_thing(case: str) -> None:
    reply, meaning = ANSWERS[case]
    assert read(reply, WORDS) == meaning


@given(st.binary(max_size=200), st.integers(200, 599))
def test_any_bytes_have_a_meaning(body: bytes, status: int) -> None:
    found = read(answer(body, status), WORDS)
    assert isinstance(found, No | tuple)


@pytest.mark.parametrize(
    ("value", "status"),
    [({}, UNKNOWN), ({"certificateStatus": ""}, UNKNOWN), ({"certificateStatus": "01"}, "valid"),
     ({"certificateStatus": "06"}, "other"), ({"certificateStatus": ["01"]}, UNKNOWN), ({"certificateStatus": 7}, "other")],
)  # fmt: skip
def test_a_status_that_is_not_known_is_not_valid(value: dict[str, Any], status: str) -> None:
    assert DIALECT.status_of(value) == status


def test_entries_that_are_none_are_left_out_and_too_many_refused() -> None:
    good = {"certificateIdentifier": "1.2.3", "certificateTypeCode": "T"}
    assert DIALECT.read_entry(good) is not None
    for bad in ({}, {"certificateIdentifier": "1.2.3"}, "text", None, [good], {"certificateIdentifier": "x" * 5000}):
        assert DIALECT.read_entry(bad) is None
    assert DIALECT.listed(None) == [] and DIALECT.listed(good) == [good]
    assert DIALECT.listed([good] * (MAX_ENTRIES + 1)) == No("unusable", "too-many-entries")
    assert DIALECT.single([good]) == good and DIALECT.single([good, good]) == No("unusable", "not-one-certificate")
    assert DIALECT.single(None) == No("unusable", "not-one-certificate")


@pytest.mark.parametrize(
    "data", [None, {}, {"fileData": ""}, {"fileData": 7}, {"fileData": "not base64!"}, {"fileData": "YQ"}]
)
def test_a_file_that_is_none_is_unusable(data: Any) -> None:
    assert file_of(data, DIALECT) == No("unusable", "no-file-in-answer")


def test_a_face_is_read_as_a_list_or_as_an_object() -> None:
    rows = [
        {"columnName": "KZ_A", "value": "1"},
        {"columnName": "", "value": "2"},
        "x",
        {"columnName": "KZ_B", "value": None},
    ]
    assert DIALECT.surface({"surface": rows}) == {"KZ_A": "1", "KZ_B": ""}
    assert DIALECT.surface({"surface": {"KZ_A": 1, "KZ_C": {"a": 1}}}) == {"KZ_A": "1", "KZ_C": ""}
    assert DIALECT.surface({"surface": "text"}) == {}
