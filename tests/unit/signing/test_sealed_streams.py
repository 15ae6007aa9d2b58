"""Sealed streams by their vectors, read by ours and by a second reader: cut anywhere, built segment by segment, tampered with."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import sealed
from signing.errors import Malformed
from signing.sm3 import sm3
from tests.unit.exchange import sealed_reader as second
from tests.vectors.sealed import generate
from tests.vectors.sealed.generate import MESSAGE

MESSAGES = json.loads((generate.HERE / "message.json").read_bytes())
STREAMS = json.loads((generate.HERE / "streams.json").read_bytes())


def part_stream(key: bytes) -> sealed.Stream:
    return sealed.stream(key, sealed.part(0), MESSAGE.encode())


@pytest.mark.parametrize("name", MESSAGES["bad_parts"])
def test_S33_a_part_that_was_tampered_with_does_not_open(name: str) -> None:
    key, data = bytes.fromhex(MESSAGES["opens_to"]["key"]), base64.b64decode(MESSAGES["bad_parts"][name])
    with pytest.raises(Malformed) as refused:
        sealed.open_whole(data, part_stream(key))
    assert refused.value.code == "decrypt-failed"
    with pytest.raises(second.Refused):
        second.open_stream(key, "part 0", MESSAGE.encode(), data)


@pytest.fixture(scope="module")
def plain() -> bytes:
    return generate.pattern(STREAMS["size"])


def built(plain: bytes, recipe: list[dict[str, Any]]) -> bytes:
    """A stream by its recipe."""
    found = b""
    for line in recipe:
        to = sealed.stream(bytes.fromhex(line["key"]), line["name"], line["context"].encode())
        found += to.seal(line["index"], line["final"], plain[line["start"] : line["end"]])
    return found


def test_the_large_part_has_its_digest_and_opens_for_both(plain: bytes) -> None:
    assert sm3(plain).hex() == STREAMS["plain_sm3"]
    data = built(plain, STREAMS["segments"])
    assert (len(data), sm3(data).hex()) == (STREAMS["sealed_size"], STREAMS["sealed_sm3"])
    key = bytes.fromhex(STREAMS["key"])
    assert sealed.open_whole(data, part_stream(key)) == plain
    assert second.open_stream(key, "part 0", MESSAGE.encode(), data) == plain


@pytest.mark.parametrize("name", STREAMS["bad"])
def test_S33_segments_that_do_not_follow_each_other_do_not_open(name: str, plain: bytes) -> None:
    data, key = built(plain, STREAMS["bad"][name]), bytes.fromhex(STREAMS["key"])
    with pytest.raises(Malformed) as refused:
        sealed.open_whole(data, part_stream(key))
    assert refused.value.code == "decrypt-failed"
    with pytest.raises(second.Refused):
        second.open_stream(key, "part 0", MESSAGE.encode(), data)


SIZES = st.one_of(
    st.integers(0, 100), st.sampled_from([n * sealed.PLAIN + more for n in (1, 2) for more in (-1, 0, 1)])
)


@given(SIZES, st.integers(1, 3 << 19))
def test_a_stream_opens_to_what_was_sealed_however_it_is_cut(size: int, cut: int) -> None:
    cut = max(cut, size // 50, 1)
    data, stream = generate.pattern(size), sealed.stream(bytes(16), sealed.BODY, b"context")
    whole = b"".join(sealed.seal((data[at : at + cut] for at in range(0, size, cut)), stream))
    assert len(whole) == sealed.sealed_size(size)
    assert whole == sealed.seal_whole(data, stream)
    pieces = (whole[at : at + cut] for at in range(0, len(whole), cut))
    assert b"".join(sealed.open_(pieces, stream)) == data


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_stream_can_be_sealed_on_from_any_of_its_segments(first: int, plain: bytes) -> None:
    stream = sealed.stream(bytes(16), sealed.part(0), b"")
    whole = sealed.seal_whole(plain, stream)
    rest = b"".join(sealed.seal([plain[first * sealed.PLAIN :]], stream, first))
    assert rest == whole[first * sealed.SEGMENT :]


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=100))
def test_the_second_reader_computes_the_same_commitment(key: bytes, content: bytes) -> None:
    assert sealed.commitment(key, content) == second.hmac(second.derive(key, "commitment"), second.sm3(content))


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_S33_a_message_key_has_sixteen_bytes(size: int) -> None:
    for act in (lambda: sealed.stream(bytes(size), sealed.BODY, b""), lambda: sealed.commitment(bytes(size), b"")):
        with pytest.raises(Malformed, match=r"^decrypt-failed:"):
            act()
