"""What a seal's picture (印模) really is, by its bytes: PNG, GIF, JPG, BMP, SVG, or an OFD package as tax seals carry it.

The type that a seal states is only its maker's word. Nothing is decoded: magic numbers, the size fields and where the
picture ends are read, so that a program with a picture's beginning, or a picture with something behind it, is seen (row F04).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from xml.parsers import expat

MAX_SIDE: Final = 20_000
MAX_SVG_DEPTH: Final = 100
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SVG: Final = "http://www.w3.org/2000/svg"
# What makes a drawing do something or fetch something.
_ACTIVE: Final = frozenset(
    [
        "script",
        "foreignObject",
        "iframe",
        "object",
        "embed",
        "audio",
        "video",
        "handler",
        "animate",
        "set",
        "animateTransform",
    ]
)


@dataclass(frozen=True, slots=True)
class Look:
    """``type``: as seals name it, "" for nothing known. ``width``, ``height``: pixels, 0 where the picture does not say.
    ``faults``: codes of ``FAULTS``, none for a sound picture."""

    type: str
    width: int
    height: int
    faults: tuple[str, ...]


FAULTS: Final[dict[str, tuple[str, str]]] = {
    "picture-unknown": ("不是 PNG、GIF、JPG、BMP、SVG 图像", "the picture is no PNG, GIF, JPG, BMP or SVG"),
    "picture-truncated": ("图像不完整", "the picture is incomplete"),
    "picture-size": ("图像像素尺寸为零或过大", "the picture has no size, or too large a one"),
    "picture-extra": ("图像之后有多余字节", "there are bytes after the picture's end"),
    "picture-active": (
        "图像含脚本、外部引用或文档类型声明",
        "the picture holds scripts, references to elsewhere or a document type",
    ),
}


class _Bad(Exception):
    """A fault's code."""


def look(data: bytes) -> Look:
    """The picture's true type and what is wrong with it."""
    for start, type_, reader in _KINDS:
        if data.startswith(start):
            return _read(type_, reader, data)
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith((b"<svg", b"<?xml", b"<!--", b"<!DOCTYPE")):
        return _read("SVG", _svg, data)
    return Look("", 0, 0, ("picture-unknown",))


def _read(type_: str, reader: Callable[[bytes], tuple[int, int]], data: bytes) -> Look:
    try:
        width, height = reader(data)
    except _Bad as bad:
        return Look(type_, 0, 0, (str(bad),))
    except IndexError:
        return Look(type_, 0, 0, ("picture-truncated",))
    sized = type_ in ("SVG", "ofd") or (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE)
    return Look(type_, width, height, () if sized else ("picture-size",))


def _number(data: bytes, at: int, size: int, order: str = "big", signed: bool = False) -> int:
    if at + size > len(data):
        raise _Bad("picture-truncated")
    return int.from_bytes(data[at : at + size], "little" if order == "little" else "big", signed=signed)


def _ends(data: bytes, at: int) -> None:
    if at > len(data):
        raise _Bad("picture-truncated")
    if at < len(data):
        raise _Bad("picture-extra")


def _png(data: bytes) -> tuple[int, int]:
    at, size = 8, (0, 0)
    while True:
        length, kind = _number(data, at, 4), data[at + 4 : at + 8]
        if at == 8:
            if kind != b"IHDR":
                raise _Bad("picture-truncated")
            size = _number(data, 16, 4), _number(data, 20, 4)
        at += 12 + length
        if kind == b"IEND":
            _ends(data, at)
            return size


def _gif(data: bytes) -> tuple[int, int]:
    size = _number(data, 6, 2, "little"), _number(data, 8, 2, "little")
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while data[at] != 0x3B:
        if data[at] == 0x2C:  # an image: descriptor, local colours, code size, blocks
            at += 10 + (3 << (data[at + 9] & 7) + 1 if data[at + 9] & 0x80 else 0) + 1
        elif data[at] == 0x21:
            at += 2
        else:
            raise _Bad("picture-truncated")
        while data[at]:
            at += 1 + data[at]
        at += 1
    _ends(data, at + 1)
    return size


def _jpg(data: bytes) -> tuple[int, int]:
    at, size = 2, (0, 0)
    while True:
        if data[at] != 0xFF:
            raise _Bad("picture-truncated")
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = _number(data, at + 7, 2), _number(data, at + 5, 2)
        length = _number(data, at + 2, 2)
        if length < 2:  # it counts itself
            raise _Bad("picture-truncated")
        at += 2 + length
        if marker == 0xDA:  # the coded picture: up to the last end mark
            end = data.rfind(b"\xff\xd9")
            if end < at:
                raise _Bad("picture-truncated")
            _ends(data, end + 2)
            return size


def _bmp(data: bytes) -> tuple[int, int]:
    _ends(data, _number(data, 2, 4, "little"))
    return _number(data, 18, 4, "little"), abs(_number(data, 22, 4, "little", signed=True))


def _package(data: bytes) -> tuple[int, int]:
    if b"PK\x05\x06" not in data[-65_557:]:
        raise _Bad("picture-truncated")
    return 0, 0


def _svg(data: bytes) -> tuple[int, int]:
    """Well-formed, rooted in svg, and still: no document type, no scripts, nothing fetched from elsewhere."""
    seen: list[str] = []
    depth = 0

    def begins(name: str, attributes: dict[str, Any]) -> None:
        nonlocal depth
        depth += 1
        local = name.rpartition(" ")[2]
        if (
            depth > MAX_SVG_DEPTH
            or local in _ACTIVE
            or any(_acts(key, str(value)) for key, value in attributes.items())
        ):
            raise _Bad("picture-active")
        seen.append(name)

    def ended(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def refused(*_anything: object) -> None:
        raise _Bad("picture-active")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = begins, ended
    parser.StartDoctypeDeclHandler = refused
    parser.ProcessingInstructionHandler = refused
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        raise _Bad("picture-truncated") from None
    if seen[0] not in ("svg", f"{_SVG} svg"):
        raise _Bad("picture-unknown")
    return 0, 0


def _acts(key: str, value: str) -> bool:
    """An attribute that runs something, or names something outside of the drawing."""
    local, said = key.rpartition(" ")[2].lower(), value.strip().lower()
    if local.startswith("on"):
        return True
    outside = not said.startswith(("#", "data:image/png", "data:image/jpeg", "data:image/gif"))
    return (local in ("href", "src") and outside) or "javascript:" in said or ("url(" in said and "url(#" not in said)


_KINDS: Final[tuple[tuple[bytes, str, Callable[[bytes], tuple[int, int]]], ...]] = (
    (_PNG, "PNG", _png),
    (b"GIF87a", "GIF", _gif),
    (b"GIF89a", "GIF", _gif),
    (b"\xff\xd8\xff", "JPG", _jpg),
    (b"BM", "BMP", _bmp),
    (b"PK\x03\x04", "ofd", _package),
)
