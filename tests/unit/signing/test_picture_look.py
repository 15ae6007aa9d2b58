"""A seal's picture by its bytes: row F04, a picture that is not one."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.picture import FAULTS, Look, look
from signing.seal_picture import round_seal


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 8, height: int = 9) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * (height * (3 * width + 1)))) + chunk(b"IEND")
    )


GIF = (
    b"GIF89a\x08\x00\x09\x00\x80\x00\x00" + b"\0" * 6 + b"\x21\xf9\x04\0\0\0\0\0"
    b"\x2c\0\0\0\0\x08\0\x09\0\0\x02\x02\x44\x01\0\x3b"
)
JPG = (
    b"\xff\xd8\xff\xe0\x00\x04JF\xff\xc0\x00\x0b\x08\x00\x09\x00\x08\x01\x01\x11\x00\xff\xda\x00\x04ab\x12\x34\xff\xd9"
)
BMP = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 58, 0, 0, 54, 40, 8, -9, 1, 24, 0, 4, 0, 0, 0, 0) + b"\0" * 4
SVG = round_seal("样章").data


@pytest.mark.parametrize(
    ("data", "type_", "size"),
    [(png(), "PNG", (8, 9)), (GIF, "GIF", (8, 9)), (JPG, "JPG", (8, 9)), (BMP, "BMP", (8, 9)), (SVG, "SVG", (0, 0))],
)  # fmt: skip
def test_pictures_are_told_by_their_bytes(data: bytes, type_: str, size: tuple[int, int]) -> None:
    seen = look(data)
    assert (seen.type, (seen.width, seen.height), seen.faults) == (type_, size, ())
    if type_ != "SVG":
        assert look(data + b"MZ\x90").faults == ("picture-extra",)
    assert look(data[: len(data) // 2]).faults == ("picture-truncated",)


def drawing(inner: str = "", attributes: str = "", before: str = "") -> bytes:
    return f'{before}<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inner}</svg>'.encode()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "picture-unknown"), (b"MZ\x90\x00", "picture-unknown"), (b"<html></html>", "picture-unknown"),
        (b'<?xml version="1.0"?><html/>', "picture-unknown"), (png(0, 5), "picture-size"), (png(8, 99_999), "picture-size"),
        (drawing("<script>alert(1)</script>"), "picture-active"), (drawing(attributes='onload="x()"'), "picture-active"),
        (drawing('<image href="http://a.invalid/x.png"/>'), "picture-active"),
        (drawing('<rect fill="url(http://a.invalid/)"/>'), "picture-active"),
        (drawing('<use xmlns:x="http://www.w3.org/1999/xlink" x:href="file:///etc/passwd"/>'), "picture-active"),
        (drawing("<foreignObject/>"), "picture-active"),
        (drawing("&a;", before='<!DOCTYPE svg [<!ENTITY a "b">]>'), "picture-active"),
        (drawing("<g>" * 200 + "</g>" * 200), "picture-active"),
        (drawing(before='<?xml version="1.0"?><?xml-stylesheet href="x"?>'), "picture-active"),
        (drawing("<g>"), "picture-truncated"), (b"PK\x03\x04" + b"\0" * 40, "picture-truncated"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND"), "picture-truncated"),
        (GIF[:19] + b"\x99" + GIF[20:], "picture-truncated"), (JPG[:8] + b"\0" + JPG[9:], "picture-truncated"),
        (JPG[:-2] + b"\0\0", "picture-truncated"),
    ],
)  # fmt: skip
def test_F04_a_picture_that_is_not_one(data: bytes, fault: str) -> None:
    assert look(data).faults == (fault,)


def test_a_package_is_told_by_its_beginning_and_end() -> None:
    """Tax seals carry an OFD for a picture."""
    assert look(b"PK\x03\x04" + bytes(40) + b"PK\x05\x06" + bytes(18)) == Look("ofd", 0, 0, ())


def test_what_stays_inside_the_drawing_may_stay() -> None:
    assert (
        look(drawing('<rect fill="url(#a)"/><use href="#b"/><image href="data:image/png;base64,AA=="/>')).faults == ()
    )


@given(
    st.binary(max_size=200), st.sampled_from([b"", png()[:8], GIF[:6], JPG[:3], b"BM", b"PK\x03\x04", b"<svg ", png()])
)
def test_any_bytes_give_a_verdict(data: bytes, start: bytes) -> None:
    seen = look(start + data)
    assert set(seen.faults) <= FAULTS.keys() and (seen.faults or seen.type)
