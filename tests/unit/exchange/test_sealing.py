"""Sealed messages by their vectors, read by ours and by a second reader that knows the protocol page only."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.exchange import message as wireform
from gateway.exchange import sealing
from gateway.exchange.sealing import Content
from signing import sealed
from signing.errors import Malformed
from signing.sm3 import sm3
from tests.unit.exchange import sealed_reader as second
from tests.vectors.sealed import generate
from tests.vectors.sealed.generate import MESSAGE, PROVIDER, RECIPIENT

MESSAGES = json.loads((generate.HERE / "message.json").read_bytes())


def shown(one: dict[str, str]) -> tuple[bytes, bytes]:
    return one["header"].encode(), base64.b64decode(one["body"])


def opened(header: bytes, body: bytes) -> Content:
    """As a recipient does it."""
    found = wireform.decode_header(header)
    assert found.sealed is not None and sm3(body).hex() == found.body
    if found.sealed.key != RECIPIENT.public.thumbprint:
        raise Malformed("decrypt-failed", "", "")
    return sealing.open_(found, body, sealing.unwrap(PROVIDER, RECIPIENT, found.sealed.wrapped))


def opened_there(header: bytes, body: bytes) -> tuple[bytes, dict[str, Any], bytes]:
    keys = {RECIPIENT.public.thumbprint: bytes.fromhex(MESSAGES["private"])}
    return second.open_message(keys, header, body)


@pytest.mark.parametrize("name", generate.VECTORS)
def test_the_vectors_are_what_the_generator_writes(name: str) -> None:
    assert (generate.HERE / name).read_text("utf-8") == generate.encoded(generate.VECTORS[name]())


def test_the_good_message_opens_to_what_was_said() -> None:
    found, says = opened(*shown(MESSAGES["good"])), MESSAGES["opens_to"]
    assert found.key.hex() == says["key"] and found.body.decode() == says["body"]
    assert msgspec.json.encode(found.enclosure, order="sorted").decode() == says["enclosure"]
    part, stream = base64.b64decode(MESSAGES["good"]["parts"][0]), sealing.part_stream(found.key, MESSAGE, 0)
    assert sealed.open_whole(part, stream) == base64.b64decode(says["parts"][0])
    assert sm3(part).hex() == wireform.decode_header(MESSAGES["good"]["header"].encode()).parts[0].sm3


def test_the_second_reader_opens_it_too() -> None:
    key, enclosure, body = opened_there(*shown(MESSAGES["good"]))
    assert (key.hex(), body.decode()) == (MESSAGES["opens_to"]["key"], MESSAGES["opens_to"]["body"])
    part = second.open_stream(key, "part 0", MESSAGE.encode(), base64.b64decode(MESSAGES["good"]["parts"][0]))
    assert second.sm3(part).hex() == enclosure["parts"][0]["sm3"]


@pytest.mark.parametrize("name", MESSAGES["bad"])
def test_S20_S30_a_message_that_was_tampered_with_has_one_answer(name: str) -> None:
    with pytest.raises(Malformed) as refused:
        opened(*shown(MESSAGES["bad"][name]))
    assert refused.value.code == "decrypt-failed"


@pytest.mark.parametrize("name", MESSAGES["bad"])
def test_the_second_reader_refuses_it_too(name: str) -> None:
    with pytest.raises(second.Refused):
        opened_there(*shown(MESSAGES["bad"][name]))


@given(st.binary(max_size=200), st.integers(0), st.integers(1, 255))
def test_no_changed_byte_of_body_or_header_goes_unseen(body: bytes, where: int, bits: int) -> None:
    content = generate.content()._replace(body=body)
    header, data = sealing.seal(generate.header(content), content)
    found = wireform.decode_header(header)
    assert sealing.open_(found, data, content.key) == content
    bent = bytearray(data)
    bent[where % len(bent)] ^= bits
    with pytest.raises(Malformed):
        sealing.open_(found, bytes(bent), content.key)
    with pytest.raises(Malformed):
        sealing.open_(replace(found, created=found.created + bits), data, content.key)


def test_the_same_key_header_and_content_give_the_same_bytes_and_the_secret_is_enough_to_make_them_again() -> None:
    content = generate.content()
    header, data = sealing.seal(generate.header(content), content)
    assert content.secret is not None
    again = sealing.kept(content.secret, content.body)
    assert again == content
    assert sealing.seal(wireform.decode_header(header), again) == (header, data)


def test_one_key_tells_nothing_of_another_message() -> None:
    """What is disclosed is 16 random bytes of one message; with them the other's commitment and body stay closed."""
    one, other = generate.content("one"), generate.content("two")
    header, data = sealing.seal(generate.header(other), other)
    with pytest.raises(Malformed):
        sealing.open_(wireform.decode_header(header), data, one.key)
    assert sealing.commitment(one) != sealing.commitment(other), "equal contents cannot be seen to be equal"


@pytest.mark.parametrize(
    "changes", [{"alias": "420104202601010001"}, {"parts": (wireform.PartRef("ab" * 32, 36, "", "申请书", ""),)}]
)
def test_a_header_that_tells_of_a_sealed_content_is_refused(changes: dict[str, Any]) -> None:
    header = replace(generate.header(generate.content()), **changes)
    with pytest.raises(ValueError, match="tells"):
        wireform.decode_header(wireform.encode_header(header))
