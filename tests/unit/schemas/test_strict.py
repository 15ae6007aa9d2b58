"""Foreign JSON (N01-N06): every document that two readers might read differently has a code of its own."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import strict_json
from schemas.errors import Invalid


def refused(data: bytes, **limits: int) -> str:
    with pytest.raises(Invalid) as caught:
        strict_json(data, **limits)
    return caught.value.code


TEXT = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc", "Cn", "Zl", "Zp"],
        exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff",
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)


@given(VALUES, st.booleans())
def test_ordinary_documents_read_as_they_are(value: Any, escaped: bool) -> None:
    assert strict_json(json.dumps(value, ensure_ascii=escaped).encode(), max_depth=100) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_refusal(data: bytes) -> None:
    try:
        strict_json(data)
    except Invalid as error:
        assert error.zh


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_fractions_are_exact(number: float) -> None:
    literal = json.dumps(number)
    if "." in literal and (number == 0 or 1e-300 < abs(number) < 1e300):
        value = strict_json(literal.encode())
        assert isinstance(value, Decimal) and value == Decimal(literal)
        assert math.isclose(float(value), number, rel_tol=1e-15)


@pytest.mark.parametrize("data", [b'{"a":1,"a":1}', b'[{"x":{"b":1,"b":2}}]', b'{"a":1,"\\u0061":2}', b'{"":1,"":2}'])
def test_N01_duplicate_keys(data: bytes) -> None:
    assert refused(data) == "duplicate-key"


@pytest.mark.parametrize(
    "literal",
    ["NaN", "Infinity", "-Infinity", "-0", "1e999", "-1e999", "1e-999", "9" * 5000, str(1 << 53), f"1.{'0' * 50}"],
)
def test_N02_numbers(literal: str) -> None:
    assert refused(f'{{"n":{literal}}}'.encode()) == "bad-number"


def test_N02_the_largest_safe_integer_passes() -> None:
    assert strict_json(str((1 << 53) - 1).encode()) == (1 << 53) - 1


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_N03_depth_is_refused_without_recursion(opening: bytes) -> None:
    assert refused(opening * 100_000) == "too-deep"
    assert refused(b"[" * 33 + b"]" * 33) == "too-deep"
    assert strict_json(b"[" * 32 + b"]" * 32)
    assert strict_json(b'["' + b"[{" * 500 + b'"]') == ["[{" * 500]
    assert strict_json(b'["\\"' + b"[" * 500 + b'"]') == ['"' + "[" * 500]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'"\\ud800"', "bad-character"), (b'"\\udc00\\ud800"', "bad-character"), (b'"\\u0000"', "bad-character"),
        (b'{"\\ufffe":1}', "bad-character"), ('"\u202e"'.encode(), "bad-character"), (b'"\x00"', "bad-character"),
        (b"\xef\xbb\xbf1", "byte-order-mark"), ('"a"'.encode("utf-16"), "byte-order-mark"), (b'"\xff"', "wrong-encoding"),
        (b'"\xc0\xaf"', "wrong-encoding"), (b'"\xed\xa0\x80"', "wrong-encoding"), ('"\U0010ffff"'.encode(), "bad-character"),
        ('"硚口"'.encode("gbk"), "wrong-encoding"), ('{"a":1}'.encode("utf-16-le"), "bad-character"),
    ],
)  # fmt: skip
def test_N04_characters_and_encodings(data: bytes, code: str) -> None:
    assert refused(data) == code


@pytest.mark.parametrize("text", ["", " ", "1 2", "{}x", "[1,]", "{'a':1}", "{a:1}", "[1 /* */]", "01", "+1", ".5", "tru", '"\t"',
                                  "[1,,2]", '{"a"}', '{"a":1', "1.", "0x1", "\f1", "\u00a01", '"\\x41"', "[" , "nul"])  # fmt: skip
def test_N05_lenient_syntax(text: str) -> None:
    assert refused(text.encode()) in ("bad-json", "bad-character")


def test_N06_size_is_looked_at_first() -> None:
    assert refused(b"[" * 2_000_000, max_bytes=1 << 20) == "too-large"


def test_a_surrogate_pair_is_one_character() -> None:
    assert strict_json(b'"\\ud83d\\ude00"') == "\U0001f600"
