"""BER turned into DER: what is loose becomes strict, every bound holds to the byte, and each refusal has its code."""

from __future__ import annotations

import pytest

from signing import ber, der
from signing.errors import Malformed

LOOSE = {
    "strict already": (der.seq(der.integer(1), der.octets(b"x")), der.seq(der.integer(1), der.octets(b"x"))),
    "nothing inside": (b"\x30\x80\0\0", b"\x30\x00"),
    "indefinite": (b"\x30\x80\x02\x01\x05\0\0", b"\x30\x03\x02\x01\x05"),
    "indefinite within indefinite": (b"\x30\x80\xa0\x80\x05\x00\0\0\0\0", b"\x30\x04\xa0\x02\x05\x00"),
    "padded length": (b"\x04\x82\x00\x01x", b"\x04\x01x"),
    "length of eight octets": (b"\x04\x88\0\0\0\0\0\0\0\x01x", b"\x04\x01x"),
    "long length of a short sequence": (b"\x30\x81\x02\x05\x00", b"\x30\x02\x05\x00"),
    "length of 128": (b"\x04\x81\x80" + bytes(128), der.octets(bytes(128))),
    "octets in pieces": (b"\x24\x80\x04\x01a\x04\x02bc\0\0", b"\x04\x03abc"),
    "octets in pieces of a stated length": (b"\x24\x06\x04\x01a\x04\x01b", b"\x04\x02ab"),
    "pieces of pieces": (b"\x24\x80\x24\x80\x04\x01a\0\0\x04\x01b\0\0", b"\x04\x02ab"),
    "a context tag with pieces keeps them": (b"\xa4\x80\x04\x01a\0\0", b"\xa4\x03\x04\x01a"),
}


@pytest.mark.parametrize("name", LOOSE)
def test_what_is_loose_becomes_strict(name: str) -> None:
    data, strict = LOOSE[name]
    assert ber.to_der(data) == strict
    assert ber.first(data + b"more") == (strict, len(data))
    with pytest.raises(Malformed, match=r"^der-trailing:"):
        ber.to_der(data + b"\0")


REFUSED = {
    "nothing": (b"", "der-truncated"),
    "tag alone": (b"\x30", "der-truncated"),
    "end of contents": (b"\0\0", "der-tag"),
    "tag of several octets": (b"\x3f\x01\x00", "der-tag"),
    "indefinite primitive": (b"\x04\x80\0\0", "der-length"),
    "length of nine octets": (b"\x04\x89\0\0\0\0\0\0\0\0\x01x", "der-length"),
    "length of no form": (b"\x04\xff", "der-length"),
    "length cut": (b"\x04\x82\x00", "der-truncated"),
    "content cut": (b"\x04\x02x", "der-truncated"),
    "no end": (b"\x30\x80\x05\x00", "der-truncated"),
    "half an end": (b"\x30\x80\x05\x00\0", "der-truncated"),
    "an end that belongs to what is outside": (b"\x30\x03\x30\x80\0\0", "der-truncated"),
    "a child longer than its parent": (b"\x30\x02\x04\x01x", "der-truncated"),
    "a length longer than its parent": (b"\x30\x03\x04\x82\x00\x00", "der-truncated"),
    "a number among the pieces": (b"\x24\x03\x02\x01\x05", "der-type"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_neither_is_refused_with_its_code(name: str) -> None:
    data, code = REFUSED[name]
    with pytest.raises(Malformed) as caught:
        ber.to_der(data)
    assert caught.value.code == code and caught.value.zh and caught.value.en


def nested(levels: int, indefinite: bool) -> bytes:
    data = b""
    for _ in range(levels):
        data = b"\x30\x80" + data + b"\0\0" if indefinite else der.seq(data)
    return data


@pytest.mark.parametrize("indefinite", [False, True])
def test_C20_depth_is_capped(indefinite: bool) -> None:
    for depth, options in ((32, {}), (3, {"depth": 3})):
        assert ber.to_der(nested(depth + 1, indefinite), **options) == nested(depth + 1, False)
        with pytest.raises(Malformed, match=r"^der-depth:"):
            ber.to_der(nested(depth + 2, indefinite), **options)


def test_C20_size_and_count_are_capped() -> None:
    whole = der.octets(bytes((1 << 20) - 5))
    assert ber.to_der(whole) == whole
    for data, options in ((der.octets(bytes((1 << 20) - 4)), {}), (der.octets(b"abc"), {"limit": 4})):
        for act in (ber.to_der, ber.first):
            with pytest.raises(Malformed, match=r"^der-size:"):
                act(data, **options)
    assert ber.to_der(der.octets(b"abc"), limit=5) == der.octets(b"abc")
    many = [der.null()] * (ber.MAX_ELEMENTS - 1)
    assert ber.to_der(der.seq(*many)) == der.seq(*many)
    with pytest.raises(Malformed, match=r"^der-count:"):
        ber.to_der(der.seq(*many, der.null()))
