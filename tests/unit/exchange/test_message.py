"""The header on the wire: one spelling only, bounded, and nothing unknown."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exchange import wire
from gateway.exchange.message import Header, PartRef, decode_header, digest, encode_header
from gateway.ids import ALPHABET
from gateway.ledger.checkpoint import SignedCheckpoint
from schemas.canonical import Application
from signing.sm3 import sm3

PARTY = "420104.11420104000000000X"
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
ULID = st.text(ALPHABET, min_size=26, max_size=26)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
PARTS = st.builds(
    PartRef,
    sm3=HEX,
    size=st.integers(0, 1 << 40),
    media_type=TEXT,
    name=TEXT,
    role=st.sampled_from(["material", "stamp"]),
)
HEADERS = st.builds(
    Header, id=ULID, type=TEXT, sender=st.just(PARTY), to=st.just(PARTY), agreement=TEXT,
    agreement_version=st.integers(1, 1_000_000), item=TEXT, case=ULID.map(lambda id_: f"{PARTY}/{id_}"),
    seq=st.integers(1, 1_000_000), seen=st.integers(0, 1_000_000), key=TEXT, created=st.integers(0, 1 << 47),
    expires=st.integers(0, 1 << 47), purpose=TEXT, legal_basis=TEXT, body=HEX, body_size=st.integers(0, 1 << 24),
    parts=st.lists(PARTS, max_size=3).map(tuple),
)  # fmt: skip


@given(HEADERS)
def test_a_header_has_one_form(header: Header) -> None:
    data = encode_header(header)
    assert decode_header(data) == header
    assert encode_header(decode_header(data)) == data
    assert digest(data) == sm3(data)


@given(HEADERS, st.integers(0), st.integers(1, 255))
def test_K01_a_changed_byte_is_another_header_or_none(header: Header, where: int, bits: int) -> None:
    data = bytearray(encode_header(header))
    data[where % len(data)] ^= bits
    try:
        found = decode_header(bytes(data))
    except (ValueError, msgspec.MsgspecError):
        return
    assert found != header
    assert digest(bytes(data)) != digest(encode_header(header))


ONE = Header(
    id="0" * 26, type="application", sender=PARTY, to=PARTY, agreement="A", agreement_version=1, item="I",
    case=f"{PARTY}/{'0' * 26}", seq=1, seen=0, key="k", created=1, expires=2, body="00" * 32, body_size=0,
)  # fmt: skip
GOOD = encode_header(ONE)
BAD = {
    "a space": GOOD.replace(b'","', b'", "', 1),
    "a duplicate key N01": GOOD[:-1] + b',"v":1}',
    "an unknown field": GOOD[:-1] + b',"zzz":1}',
    "an escaped letter": GOOD.replace(b'"application"', b'"\\u0061pplication"'),
    "a float": GOOD.replace(b'"seq":1', b'"seq":1.0'),
    "a string for a number N07": GOOD.replace(b'"seq":1', b'"seq":"1"'),
    "a later version": GOOD.replace(b'"v":1', b'"v":2'),
    "no id": GOOD.replace(b'"id":"00000000000000000000000000",', b""),
    "a short party": GOOD.replace(PARTY.encode(), b"420104", 1),
    "a line feed at a party's end": GOOD.replace(f'"from":"{PARTY}"'.encode(), f'"from":"{PARTY}\\n"'.encode()),
    "an upper-case digest": GOOD.replace(b"00" * 32, b"AB" * 32),
    "trailing data N05": GOOD + b"{}",
    "a byte order mark N04": b"\xef\xbb\xbf" + GOOD,
    "a lone surrogate N04": GOOD.replace(b'"application"', b'"\\ud800"'),
    "NaN N02": GOOD.replace(b'"seq":1', b'"seq":NaN'),
    "deep nesting N03": b"[" * 100_000,
    "nothing": b"",
}


@pytest.mark.parametrize("name", BAD)
def test_a_header_in_another_form_is_refused(name: str) -> None:
    assert BAD[name] != GOOD
    with pytest.raises((ValueError, msgspec.MsgspecError, RecursionError)):
        decode_header(BAD[name])


SIGNED = SignedCheckpoint("text", "key", b"signature")
PLACES = st.builds(
    wire.Place, index=st.integers(0, 1 << 40), salt=st.binary(min_size=32, max_size=32),
    path=st.lists(st.binary(min_size=32, max_size=32), max_size=5),
)  # fmt: skip


@given(
    st.lists(st.builds(wire.Line, header=st.binary(max_size=90), body=st.binary(max_size=90), proof=PLACES), max_size=5)
)
def test_a_batch_comes_back_as_it_went(lines: list[wire.Line]) -> None:
    head = wire.BatchHead(
        sender=PARTY, to=PARTY, checkpoint=SIGNED, held=wire.Held(3, "00"), base=3, consistency=[bytes(32)]
    )
    assert wire.decode_batch(wire.encode(head, lines)) == (head, lines)


@given(st.binary(max_size=300))
def test_any_bytes_as_a_batch_are_read_or_refused(data: bytes) -> None:
    try:
        wire.decode_batch(data)
    except (ValueError, msgspec.MsgspecError):
        return


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("purpose", "purpose"), ("legal_basis", "legal_basis"), ("item", "item"), ("alias", "case_number")],
)
def test_whatever_an_application_may_say_fits_its_header(ours: str, theirs: str) -> None:
    def longest(struct: type[msgspec.Struct], name: str) -> int:
        schema = msgspec.json.schema(struct)["$defs"][struct.__name__]
        found = schema["properties"][name]
        return int(found.get("maxLength", 0))

    assert 0 < longest(Application, theirs) <= longest(Header, ours)
