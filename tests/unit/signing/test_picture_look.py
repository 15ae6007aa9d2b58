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


def jpg(*segments: bytes) -> bytes:
    """A JPG of these segments before the coded picture."""
    return b"\xff\xd8" + b"".join(segments) + b"\xff\xda\x00\x02\x12\x34\xff\xd9"


def frame(marker: int, width: int = 8, height: int = 9) -> bytes:
    return bytes((0xFF, marker, 0, 11, 8)) + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"


def bmp(width: int, height: int) -> bytes:
    return BMP[:18] + struct.pack("<ii", width, height) + BMP[26:]


LOCAL = b"\x2c\0\0\0\0\x08\0\x09\0\x81" + bytes(12) + b"\x02\x02\x44\x01\0"  # an image with four colours of its own


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(1, 1), (1, 1)), (png(20_000, 1), (20_000, 1)), (png(1, 20_000), (1, 20_000)), (png(20_001, 1), None),
        (png(1, 20_001), None), (png(0, 1), None), (png(1, 0), None),
        (bmp(8, 9), (8, 9)), (bmp(1, 1), (1, 1)), (bmp(-8, 9), None), (bmp(0, 1), None), (bmp(256, -512), (256, 512)),
        (jpg(frame(0xC0)), (8, 9)), (jpg(frame(0xCF, 258, 772)), (258, 772)), (jpg(frame(0xC0))[:-4] + b"\xff\xd9", (8, 9)),
        (jpg(b"\xff\xe0\x00\x02", frame(0xC2)), (8, 9)),
        (jpg(frame(0xC4), frame(0xC8), frame(0xCC)), None), (jpg(frame(0xD0), frame(0xBF)), None),
        (b"GIF87a" + GIF[6:], (8, 9)), (GIF[:6] + b"\x01\x02\x03\x04" + GIF[10:], (513, 1027)),
        (GIF[:-1] + LOCAL + b"\x3b", (8, 9)), (GIF[:10] + b"\x82" + GIF[11:13] + bytes(24) + GIF[19:], (8, 9)),
        (GIF[:10] + b"\x00" + GIF[11:13] + GIF[19:], (8, 9)),
    ],
)  # fmt: skip
def test_a_pictures_size_is_where_its_kind_says_it(data: bytes, size: tuple[int, int] | None) -> None:
    seen = look(data)
    if size is None:
        assert seen.faults == ("picture-size",)
    else:
        assert ((seen.width, seen.height), seen.faults) == (size, ())


@pytest.mark.parametrize(
    "data",
    [
        jpg(b"\xff\xe0\x00\x01", frame(0xC0)), jpg(frame(0xC0))[:-4], jpg(frame(0xC0))[:-2],
        jpg(b"\xff\xe0\x00\x02", b"\xfe" + frame(0xC0)[1:]),
        GIF[:-1], GIF[:12], GIF[:7], LOCAL, BMP[:-1], BMP[:20], png()[:-1], png()[:10],
        b"PK\x03\x04" + b"PK\x05\x06" + bytes(65_554),
    ],
)  # fmt: skip
def test_F04_a_picture_that_breaks_off(data: bytes) -> None:
    assert look(data).faults == ("picture-unknown" if data is LOCAL else "picture-truncated",)


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
        (drawing('<image src="x.png"/>'), "picture-active"), (drawing('<a HREF="x"/>'), "picture-active"),
        (drawing("<foreignObject/>"), "picture-active"),
        (drawing("&a;", before='<!DOCTYPE svg [<!ENTITY a "b">]>'), "picture-active"),
        (drawing("<g/>" * 9 + "<g>" * 100 + "</g>" * 100), "picture-active"),
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
    for between, after in ((40, 18), (0, 65_553)):
        assert look(b"PK\x03\x04" + bytes(between) + b"PK\x05\x06" + bytes(after)) == Look("ofd", 0, 0, ())


@pytest.mark.parametrize(
    "data",
    [
        drawing('<rect fill="url(#a)"/><use href="#b"/><image href="data:image/png;base64,AA=="/>'),
        drawing('<image href=" data:image/jpeg;base64,AA=="/><image href="DATA:image/gif;base64,AA=="/>'),
        drawing("<g>" * 99 + "</g>" * 99 + "<g/><g/>"), drawing(before="\ufeff \r\n\t"), drawing(before="<!-- x -->"),
        b"<svg/>", b'<?xml version="1.0"?>' + drawing(),
    ],
)  # fmt: skip
def test_what_stays_inside_the_drawing_may_stay(data: bytes) -> None:
    assert look(data) == Look("SVG", 0, 0, ())


@given(
    st.binary(max_size=200), st.sampled_from([b"", png()[:8], GIF[:6], JPG[:3], b"BM", b"PK\x03\x04", b"<svg ", png()])
)
def test_any_bytes_give_a_verdict(data: bytes, start: bytes) -> None:
    seen = look(start + data)
    assert set(seen.faults) <= FAULTS.keys() and (seen.faults or seen.type)
