"""Packages (ZIP, as OFD uses it) read so strictly that no two readers can see different files in the same bytes.

Attack rows F01-F03. The directory at the end and the header before each entry must say the same; entries lie one after
the other from the first byte to the directory, nothing between, nothing twice; names stay inside the package; only
stored and deflated entries, none encrypted, no ZIP64, one disk. Sizes are judged before anything is unpacked, then each
entry is unpacked once in small steps to check it and to take its SM3 digest. A package may lie in a file: it is only ever
read slice by slice, so that a large one costs little memory. All refusals are ``Malformed`` with a code ``package-…``,
which says that the file is not one to be judged, rather than that a signature in it is bad.
"""

from __future__ import annotations

import re
import struct
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from signing import sm3
from signing.errors import Malformed

MAX_BYTES: Final = 64 << 20
MAX_UNPACKED: Final = 256 << 20
MAX_ENTRIES: Final = 10_000
MAX_NAME: Final = 512
MAX_RATIO: Final = 200
RATIO_FREE: Final = 1 << 20  # below this a high ratio is a blank page, not a bomb
MAX_DIRECTORY: Final = 8 << 20
_STEP: Final = 1 << 16

_END: Final = struct.Struct("<4s4H2LH")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _DESCRIPTOR, _PATCH, _STRONG, _UTF8, _MASKED = 0x1, 0x8, 0x20, 0x40, 0x800, 0x2000
_ZIP64, _SECOND_NAME = 0x0001, 0x7075  # extra fields by which another reader could see another entry
_RESERVED: Final = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")


class Octets(Protocol):
    """Bytes that need not be in memory, as ``bytes`` itself is: a length, and any slice."""

    def __len__(self) -> int: ...

    def __getitem__(self, where: slice, /) -> bytes: ...


class Entry(NamedTuple):
    """One file of the package; a name ending in ``/`` is a folder. ``start``: of its data."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    header: int
    start: int


@dataclass(frozen=True, slots=True)
class Package:
    """A package that passed. ``digests``: name -> SM3 of the unpacked content, files only, in the directory's order."""

    data: Octets
    entries: Mapping[str, Entry]
    digests: Mapping[str, bytes]

    def read(self, name: str) -> bytes:
        """The content of a file; KeyError for a name that is none, Malformed if it changed since the package was opened."""
        content, digest = b"".join(_unpacked(self.data, self.entries[name])), self.digests[name]
        if sm3.sm3(content) != digest:
            raise _damaged()
        return content


def looks_like(data: Octets) -> bool:
    """Do these bytes begin as a package does?"""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def open_package(data: Octets) -> Package:
    """The package, every entry checked; Malformed otherwise."""
    if len(data) > MAX_BYTES:
        raise _wrong("size", f"压缩包超过 {MAX_BYTES} 字节", f"the package is larger than {MAX_BYTES} bytes")
    directory, end, count = _end(data)
    entries = _directory(data, data[directory:end], count)
    _sizes(entries)
    _layout(data, entries, directory)
    named = _by_name(entries)
    digests: dict[str, bytes] = {}
    for entry in entries:
        digest = _checked(data, entry)
        if not entry.name.endswith("/"):
            digests[entry.name] = digest
    return Package(data, named, digests)


def _wrong(what: str, zh: str, en: str) -> Malformed:
    return Malformed(f"package-{what}", zh, en)


def _damaged() -> Malformed:
    return _wrong("damaged", "压缩包已损坏或不完整", "the package is damaged or incomplete")


# --- the directory ----------------------------------------------------------------------------------------------------


def _end(data: Octets) -> tuple[int, int, int]:
    """(where the directory begins, where it ends, number of entries) from the record at the very end."""
    tail = data[max(0, len(data) - _END.size - 0xFFFF) :]
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or found + _END.size > len(tail):
        raise _damaged()
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(tail, found)
    at = len(data) - len(tail) + found
    if 0xFFFF in (here, count) or 0xFFFFFFFF in (size, start):
        raise _zip64()
    if at + _END.size + comment != len(data) or start + size != at:
        raise _damaged()
    if disk or first_disk or here != count:
        raise _wrong("disks", "不接受分卷压缩包", "a package in several parts is refused")
    if count > MAX_ENTRIES or size > MAX_DIRECTORY:
        raise _wrong("entries", f"压缩包条目超过 {MAX_ENTRIES} 个", f"more than {MAX_ENTRIES} entries")
    return start, at, count


def _directory(data: Octets, records: bytes, count: int) -> list[Entry]:
    """The entries of the directory, each beside its own header."""
    found: list[Entry] = []
    at = 0
    for _ in range(count):
        if at + _CENTRAL.size > len(records):
            raise _damaged()
        fields = _CENTRAL.unpack_from(records, at)
        mark, made_by, _, flags, method, _, _, crc, packed, size, name_len, extra_len, comment_len, disk = fields[:14]
        attributes, header = fields[15:]
        after = at + _CENTRAL.size
        at = after + name_len + extra_len + comment_len
        if mark != b"PK\x01\x02" or at > len(records):
            raise _damaged()
        if 0xFFFFFFFF in (packed, size, header) or disk == 0xFFFF:
            raise _zip64()
        raw = records[after : after + name_len]
        name = _name(raw, flags)
        _kind(flags, method, made_by, attributes, disk)
        _extras(records[after + name_len : after + name_len + extra_len], raw, name)
        begins = _local(data, header, (flags, method, crc, packed, size), raw, name)
        found.append(Entry(name, method, flags, crc, packed, size, header, begins))
    if at != len(records):
        raise _damaged()
    return found


def _zip64() -> Malformed:
    return _wrong("zip64", "不接受 ZIP64 压缩包", "ZIP64 packages are refused")


def _name(raw: bytes, flags: int) -> str:
    """A path inside the package: relative, ``/`` between its parts, nothing that leads out or means a device."""
    refused = _wrong("name", "压缩包条目名称不安全或不合规定", "an entry's name is unsafe or malformed")
    name = _decoded(raw, flags)
    parts = name.removesuffix("/").split("/")
    if len(raw) > MAX_NAME or any(letter in '\\:*?"<>|' or not letter.isprintable() for letter in name):
        raise refused
    if any(not part or part[-1] in ". " or _RESERVED.fullmatch(part) for part in parts):
        raise refused
    return name


def _decoded(raw: bytes, flags: int) -> str:
    """UTF-8, declared or not; where it is not declared also GBK, which Chinese Windows writes."""
    for encoding in ("utf-8",) if flags & _UTF8 else ("utf-8", "gbk"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _wrong("name", "压缩包条目名称的编码无法辨认", "an entry's name is in no encoding that can be told")


def _kind(flags: int, method: int, made_by: int, attributes: int, disk: int) -> None:
    if flags & (_ENCRYPTED | _STRONG | _MASKED):
        raise _wrong("encrypted", "不接受加密的条目", "encrypted entries are refused")
    if method not in (_STORED, _DEFLATED) or flags & _PATCH:
        raise _wrong("method", "条目的压缩方法不受支持", "an entry's compression method is not supported")
    if disk:
        raise _wrong("disks", "不接受分卷压缩包", "a package in several parts is refused")
    if made_by >> 8 in (3, 19) and attributes >> 28 not in (
        0,
        0x4,
        0x8,
    ):  # Unix, macOS: neither unsaid, folder nor file
        raise _wrong("special", "不接受符号链接等特殊条目", "links and other special entries are refused")


def _extras(data: bytes, raw: bytes, name: str) -> None:
    at = 0
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("<2H", data, at)
        value = data[at + 4 : at + 4 + size]
        if kind == _ZIP64:
            raise _zip64()
        if kind == _SECOND_NAME and value != b"\1" + struct.pack("<L", zlib.crc32(raw)) + name.encode():
            raise _wrong("name", "条目另有别名", "an entry carries a second name")
        at += 4 + size
    # Padding shorter than a field is what aligning tools leave; a field that runs out of its space is not.
    if at > len(data):
        raise _damaged()


def _local(data: Octets, at: int, said: tuple[int, ...], raw: bytes, name: str) -> int:
    """Where the data begins, after a header that says the same as the directory."""
    header = data[at : at + _LOCAL.size]
    if len(header) < _LOCAL.size:
        raise _damaged()
    mark, _, flags, method, _, _, crc, packed, size, name_len, extra_len = _LOCAL.unpack(header)
    after = at + _LOCAL.size
    # With a descriptor behind the data the header may leave these three at zero.
    later = bool(flags & _DESCRIPTOR)
    same = all(
        here == there or (later and here == 0) for here, there in zip((crc, packed, size), said[2:], strict=True)
    )
    beside = data[after : after + name_len + extra_len]
    if mark != b"PK\x03\x04" or (flags, method) != said[:2] or not same or beside[:name_len] != raw:
        raise _wrong("headers", "条目头与目录不一致", "an entry's own header and the directory differ")
    _extras(beside[name_len:], raw, name)
    begins: int = after + name_len + extra_len
    return begins


# --- the whole --------------------------------------------------------------------------------------------------------


def _sizes(entries: list[Entry]) -> None:
    """Bombs are known by what the directory admits; what it hides shows when an entry is unpacked."""
    for entry in entries:
        bomb = entry.size > RATIO_FREE and entry.size > MAX_RATIO * entry.packed
        if bomb:
            raise _wrong("ratio", f"条目压缩比超过 {MAX_RATIO}", f"an entry is compressed more than {MAX_RATIO} times")
    if sum(entry.size for entry in entries) > MAX_UNPACKED:
        raise _wrong("unpacked", f"解开后超过 {MAX_UNPACKED} 字节", f"more than {MAX_UNPACKED} bytes when unpacked")


def _layout(data: Octets, entries: list[Entry], directory: int) -> None:
    """One after the other, from the first byte to the directory."""
    at = 0
    for entry in sorted(entries, key=lambda entry: entry.header):
        if entry.header < at:
            raise _wrong("overlap", "条目互相重叠", "entries overlap")
        if entry.header > at:
            raise _wrong("gap", "条目之间藏有数据", "data is hidden between the entries")
        at = entry.start + entry.packed
        if entry.flags & _DESCRIPTOR:
            at += _descriptor(data, at, entry)
    if at > directory:
        raise _wrong("overlap", "条目与目录重叠", "an entry overlaps the directory")
    if at < directory:
        raise _wrong("gap", "目录之前藏有数据", "data is hidden before the directory")


def _descriptor(data: Octets, at: int, entry: Entry) -> int:
    """The length of the descriptor behind the data, which repeats checksum and sizes; its mark is optional."""
    wanted = struct.pack("<3L", entry.crc, entry.packed, entry.size)
    for mark in (b"PK\x07\x08", b""):
        if data[at : at + len(mark) + 12] == mark + wanted:
            return len(mark) + 12
    raise _wrong("headers", "条目尾与目录不一致", "an entry's descriptor and the directory differ")


def _by_name(entries: list[Entry]) -> dict[str, Entry]:
    """By name; two names that some file system or reader takes for one are duplicates."""
    found: dict[str, Entry] = {}
    seen: set[str] = set()
    for entry in entries:
        folded = unicodedata.normalize("NFC", entry.name.removesuffix("/")).casefold()
        if folded in seen:
            raise _wrong("duplicate", "压缩包中有同名条目", "two entries have the same name")
        seen.add(folded)
        found[entry.name] = entry
    return found


def _checked(data: Octets, entry: Entry) -> bytes:
    """SM3 of the content after its length and checksum were found right."""
    digest, crc, size = sm3.new(), 0, 0
    for piece in _unpacked(data, entry):
        digest.update(piece)
        crc = zlib.crc32(piece, crc)
        size += len(piece)
    if (crc, size) != (entry.crc, entry.size) or (entry.name.endswith("/") and size):
        raise _damaged()
    return digest.digest()


def _unpacked(data: Octets, entry: Entry) -> Iterator[bytes]:
    """The content in steps, never more than the directory admits; the packed bytes must be used up exactly."""
    end = entry.start + entry.packed
    packed = (data[at : min(at + _STEP, end)] for at in range(entry.start, end, _STEP))
    return packed if entry.method == _STORED else _inflated(packed, entry.size)


def _inflated(packed: Iterator[bytes], left: int) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for rest in packed:
            if inflate.eof:
                raise _damaged()
            while not inflate.eof:
                piece = inflate.decompress(rest, _STEP)
                rest = inflate.unconsumed_tail
                left -= len(piece)
                if not piece:  # an empty rest is not enough: what was taken in may not all have come out
                    break
                if left < 0:
                    raise _damaged()
                yield piece
            if inflate.unused_data:
                raise _damaged()
    except zlib.error:
        raise _damaged() from None
    if left or not inflate.eof:
        raise _damaged()
