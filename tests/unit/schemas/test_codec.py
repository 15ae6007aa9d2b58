"""One value, one form: what is not canonical is refused (N01-N09, K01)."""

from __future__ import annotations

import json
import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import canonical as c
from schemas import codec
from schemas.errors import Invalid
from tests.unit.schemas.examples import EXAMPLES, WITH_CERTIFICATES, changed

APPLICATION = codec.encode(EXAMPLES["application"])


def refused(data: bytes, type_: str = "application") -> Invalid:
    with pytest.raises(Invalid) as caught:
        codec.decode(type_, data)
    return caught.value


@given(WITH_CERTIFICATES)
def test_what_is_encoded_decodes_to_the_same_value_and_the_same_bytes(body: c.Body) -> None:
    type_ = next(name for name, kind in c.BODIES.items() if kind is type(body))
    data = codec.encode(body)
    assert codec.decode(type_, data) == body
    assert codec.encode(codec.decode(type_, data)) == data
    assert json.dumps(json.loads(data), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() == data


@given(st.binary(max_size=300))
def test_any_bytes_are_a_value_or_a_refusal(data: bytes) -> None:
    for type_ in ("application", "step"):
        try:
            assert codec.encode(codec.decode(type_, data)) == data
        except Invalid as error:
            assert error.code and error.zh


@given(st.integers(0, len(APPLICATION) - 1), st.integers(0, 255))
def test_a_changed_byte_never_gives_the_same_value(place: int, byte: int) -> None:
    data = APPLICATION[:place] + bytes([byte]) + APPLICATION[place + 1 :]
    if data == APPLICATION:
        return
    try:
        assert codec.decode("application", data) != EXAMPLES["application"]
    except Invalid as error:
        assert error.code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(JSON, st.sampled_from(list(changed("application"))))
def test_N07_any_other_type_in_any_field_is_refused_not_converted(value: Any, field: str) -> None:
    fields = changed("application")
    if type(value) is type(fields[field]) or (field == "attestation" and value is None):
        return
    with pytest.raises(Invalid):
        codec.build("application", {**fields, field: value})


@pytest.mark.parametrize("value", ["1", True, None, 1.0, [1], {"1": 1}])
def test_N07_a_number_field_takes_numbers_only(value: Any) -> None:
    error = refused(APPLICATION.replace(b'"item_version":1', b'"item_version":' + json.dumps(value).encode()))
    assert (error.code, error.path) == ("wrong-type", "item_version")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"item_version":1', b'"item_version":1,"item_version":1'),
        (b'"item_version":1', b'"item_version":1,"item_version":2'),
        (b'"kind":"person"', b'"kind":"person","kind":"enterprise"'),
        ('"经营场所":'.encode(), '"经营场所":"x","经营场所":'.encode()),
    ],
)
def test_N01_duplicate_keys_at_any_level(old: bytes, new: bytes) -> None:
    assert refused(APPLICATION.replace(old, new)).code == "duplicate-key"


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "-0", "1e999", "9" * 5000, str(1 << 54)])
def test_N02_numbers_that_are_none(literal: str) -> None:
    error = refused(APPLICATION.replace(b'"item_version":1', b'"item_version":' + literal.encode()))
    assert error.code in ("bad-number", "out-of-range", "json-not-canonical", "not-canonical", "wrong-type")
    assert len(error.zh) < 200


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"form":', b'{"applicant":{"party":'])
def test_N03_depth(opening: bytes) -> None:
    assert refused(opening * 20_000).code == "too-deep"


@pytest.mark.parametrize(
    "bad",
    [
        b"\\ud800", b"\\u0000", b"\\u0001", b"\\u0085", b"\\ufeff", b"\\ufffe", b"\x7f", b"\xc2\x85", b"\\r", b"\\b",
        "\u202e".encode(), "\u2066".encode(), "\u2028".encode(), "\ufeff".encode(), "\ufdd0".encode(), "\uffff".encode(),
        "\U0001ffff".encode(), b"\xed\xa0\x80", b"\xc0\x80", b"\xff", b"\x00", b"\x1b[2J",
    ],
)  # fmt: skip
def test_N04_characters_that_no_text_may_hold(bad: bytes) -> None:
    error = refused(APPLICATION.replace("食品".encode(), bad))
    assert error.code in ("bad-character", "wrong-encoding", "bad-json", "not-canonical")


def test_N04_a_forbidden_character_is_named_by_its_path() -> None:
    error = refused(APPLICATION.replace('居民身份证"]'.encode(), '居民\u202e身份证"]'.encode()))
    assert (error.code, error.path) == ("bad-character", "attestation.originals_seen[0]")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_N04_byte_order_marks(mark: bytes) -> None:
    assert refused(mark + APPLICATION).code == "byte-order-mark"
    assert refused(APPLICATION.decode().encode("utf-16")).code == "byte-order-mark"
    assert refused(APPLICATION.decode().encode("utf-32-le")).code == "wrong-encoding"


def test_N05_trailing_data_and_lenient_syntax() -> None:
    for data in (
        APPLICATION + b"x",
        APPLICATION + b"{}",
        APPLICATION[:-1] + b",}",
        b"'a'",
        b"{a:1}",
        APPLICATION[:-2],
        b"",
    ):
        assert refused(data).code == "bad-json"


def test_N06_a_body_over_its_size_is_not_read() -> None:
    data = b'{"form":{"a":"' + b"x" * codec.MAX_BODY + b'"}}'
    assert refused(data).code == "too-large"
    many = b'{"form":{' + b",".join(b'"%d":""' % n for n in range(40_000)) + b"}}"
    assert refused(many).code in ("too-long", "missing-field")


def test_N08_magic_keys_are_ordinary_form_fields() -> None:
    keys = ["__proto__", "constructor", "$ref", "@type", "__class__"]
    body = codec.build("application", changed("application", form=dict.fromkeys(keys, "x")))
    assert isinstance(body, c.Application) and set(body.form) == set(keys)
    assert codec.decode("application", codec.encode(body)) == body


def test_N09_an_unknown_field_never_passes() -> None:
    for old, new in ((b'"purpose"', b'"operatorRole":"x","purpose"'), (b'"kind"', b'"extra":1,"kind"')):
        assert refused(APPLICATION.replace(old, new)).code == "unknown-field"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"item_version":1', b'"item_version": 1'),
        (b'"item_version":1', b'"item_version":1.0'),
        ("食品".encode(), b"\\u98df\\u54c1"),
        (b'"purpose"', b'"legal_basis":"","purpose"'),
        (b"2026-01-05T01:30:00Z", b"2026-01-05T01:30:00.000Z"),
        (b"2026-01-05T01:30:00Z", b"2026-01-05T01:30:00+00:00"),
        (b"2026-01-05T01:30:00Z", b"2026-01-05t01:30:00z"),
        (b"2026-01-05T01:30:00Z", b"2026-01-05 01:30:00Z"),
        (b'{"applicant"', b'{ "applicant"'),
        (b"\\n", b"\\u000a"),
        (b'"QX-TB-001"', b'"QX\\u002dTB-001"'),
    ],
)
def test_K01_another_writing_of_the_same_value_is_refused(old: bytes, new: bytes) -> None:
    assert old in APPLICATION
    assert refused(APPLICATION.replace(old, new, 1)).code in (
        "not-canonical",
        "wrong-type",
        "wrong-time",
        "time-not-utc",
    )


def test_K01_key_order_is_part_of_the_form() -> None:
    fields = json.loads(APPLICATION)
    shuffled = json.dumps(dict(reversed(fields.items())), ensure_ascii=False, separators=(",", ":")).encode()
    assert refused(shuffled).code == "not-canonical"


def test_K08_absent_and_default_have_one_writing_null_another() -> None:
    assert b'"legal_basis"' not in APPLICATION
    assert refused(APPLICATION.replace(b'"purpose"', b'"legal_basis":null,"purpose"')).code == "wrong-type"


def test_unknown_message_types() -> None:
    for act in (lambda: codec.decode("x", b"{}"), lambda: codec.build("x", {}), lambda: codec.encode(c.Body())):
        with pytest.raises(Invalid, match=r"type|body"):
            act()


def test_a_body_with_a_lone_surrogate_gets_no_bytes() -> None:
    body = c.Step("审查", "赵六", "\ud800", EXAMPLES["step"].at)  # type: ignore[attr-defined]
    with pytest.raises(Invalid, match="canonical"):
        codec.encode(body)


def test_four_kibibytes_are_read_and_checked_in_well_under_60_microseconds() -> None:
    form = {f"字段{n}": "内容说明文字" * 6 for n in range(25)}
    data = codec.encode(codec.build("application", changed("application", form=form)))
    assert 3500 < len(data) < 4500
    best = min(timeit.repeat(lambda: codec.decode("application", data), number=200, repeat=7)) / 200
    assert best < 60e-6 * 3, f"{best * 1e6:.0f} µs"  # a factor of three for a busy machine
