"""A package writer that writes any field as it is told, also as no honest tool would: what is refused must first be built."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

UTF8_NAMES = 0x800


@dataclass
class Item:
    """One entry. ``central``, ``local``: fields that shall say something else in the directory or in the header."""

    name: str | bytes
    data: bytes = b""
    method: int = 8
    flags: int = UTF8_NAMES
    made_by: int = 0x0314
    attributes: int = 0o100644 << 16
    extra: bytes = b""
    packed: bytes | None = None
    before: bytes = b""
    descriptor: bytes | None = None
    central: dict[str, int | bytes] = field(default_factory=dict)
    local: dict[str, int | bytes] = field(default_factory=dict)

    def content(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method != 8:
            return self.data
        deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return deflate.compress(self.data) + deflate.flush()

    def said(self) -> dict[str, int | bytes]:
        name = self.name if isinstance(self.name, bytes) else self.name.encode()
        sizes = {"crc": zlib.crc32(self.data), "packed": len(self.content()), "size": len(self.data)}
        return {"name": name, "flags": self.flags, "method": self.method, "extra": self.extra, **sizes}


def header(item: Item) -> bytes:
    said = item.said()
    if item.descriptor is not None:
        said |= {"crc": 0, "packed": 0, "size": 0}
    said |= item.local
    name, extra = said["name"], said["extra"]
    assert isinstance(name, bytes) and isinstance(extra, bytes)
    numbers = (said["crc"], said["packed"], said["size"], len(name), len(extra))
    return struct.pack("<4s5H3L2H", b"PK\3\4", 20, said["flags"], said["method"], 0, 0x5A21, *numbers) + name + extra


def record(item: Item, offset: int) -> bytes:
    said = {**item.said(), "offset": offset, "disk": 0, **item.central}
    name, extra = said["name"], said["extra"]
    assert isinstance(name, bytes) and isinstance(extra, bytes)
    first = struct.pack("<4s6H", b"PK\1\2", item.made_by, 20, said["flags"], said["method"], 0, 0x5A21)
    sizes = struct.pack("<3L", said["crc"], said["packed"], said["size"])
    last = struct.pack("<5H2L", len(name), len(extra), 0, said["disk"], 0, item.attributes, said["offset"])
    return first + sizes + last + name + extra


def end(count: int, size: int, start: int, *, disk: int = 0, comment: bytes = b"") -> bytes:
    return struct.pack("<4s4H2LH", b"PK\5\6", disk, 0, count, count, size, start, len(comment)) + comment


def build(
    items: list[Item], *, between: bytes = b"", count: int | None = None, disk: int = 0, comment: bytes = b""
) -> bytes:
    """``between``: bytes hidden before the directory."""
    body, records = b"", b""
    for item in items:
        body += item.before
        records += record(item, len(body))
        body += header(item) + item.content() + (item.descriptor or b"")
    body += between
    tail = end(len(items) if count is None else count, len(records), len(body), disk=disk, comment=comment)
    return body + records + tail


def descriptor(item: Item, mark: bytes = b"PK\7\x08") -> bytes:
    said = item.said()
    return mark + struct.pack("<3L", said["crc"], said["packed"], said["size"])
