"""Strict DER (X.690, GB/T 16263.1): a reader over the received bytes and writers.

The reader never re-encodes: ``raw`` is the element exactly as received, so a signature is checked over what
was sent. It accepts definite, minimal lengths only, one-octet tags only, and it opens a level only when asked
(``children``), so its time is linear in the input and its depth is capped. All refusals are ``Malformed``
with code ``der-…``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from signing.errors import Malformed

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
UTF8: Final = 0x0C
NUMERIC: Final = 0x12
PRINTABLE: Final = 0x13
T61: Final = 0x14
IA5: Final = 0x16
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
BMP: Final = 0x1E
SEQUENCE: Final = 0x30
SET: Final = 0x31

_CONSTRUCTED = 0x20
_ONLY_CONSTRUCTED = frozenset({0x10, 0x11})
_TEXTS: Final = {UTF8: "utf-8", NUMERIC: "ascii", PRINTABLE: "ascii", T61: "latin-1", IA5: "ascii", BMP: "utf-16-be"}
_PRINTABLE_EXTRA = frozenset(" '()+,-./:=?")
_MAX_OID = 128
_N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


def malformed(what: str, zh: str, en: str) -> Malformed:
    """One refusal of this module."""
    return Malformed(f"der-{what}", zh, en)


def _wrong_type(wanted: str) -> Malformed:
    return malformed("type", f"DER 类型不符，应为 {wanted}", f"wrong DER type, {wanted} expected")


class Tlv:
    """One element. ``tag`` is the full identifier octet, ``raw`` the whole element, ``value`` its content octets."""

    __slots__ = ("depth", "raw", "tag", "value")

    def __init__(self, tag: int, raw: bytes, value: bytes, depth: int) -> None:
        self.tag = tag
        self.raw = raw
        self.value = value
        self.depth = depth

    def __repr__(self) -> str:
        return f"Tlv(tag=0x{self.tag:02x}, {len(self.value)} bytes)"

    def children(self, most: int = 10_000) -> list[Tlv]:
        """The elements inside; at most ``most`` of them (a revocation list passes a larger number)."""
        if not self.tag & _CONSTRUCTED:
            raise _wrong_type("constructed")
        if self.depth <= 0:
            raise malformed("depth", "DER 嵌套过深", "DER is nested too deeply")
        found: list[Tlv] = []
        data, at, end = self.value, 0, len(self.value)
        while at < end:
            if len(found) >= most:
                raise malformed("count", "DER 元素过多", "too many DER elements")
            element = _element(data, at, self.depth - 1)
            found.append(element)
            at += len(element.raw)
        return found

    def expect(self, tag: int, wanted: str) -> bytes:
        """The content octets if the identifier octet is ``tag``, else Malformed."""
        if self.tag != tag:
            raise _wrong_type(wanted)
        return self.value

    def as_seq(self, least: int = 0, most: int = 10_000) -> list[Tlv]:
        """The members of a SEQUENCE with at least ``least`` and at most ``most`` of them."""
        self.expect(SEQUENCE, "SEQUENCE")
        members = self.children(most)
        if len(members) < least:
            raise malformed("count", "DER 序列成员不足", "a DER sequence lacks members")
        return members

    def as_int(self) -> int:
        """A minimal two's-complement INTEGER of at most 4096 bits."""
        value = self.expect(INTEGER, "INTEGER")
        if not value or len(value) > 512:
            raise malformed("integer", "整数长度非法", "illegal integer length")
        if len(value) > 1 and (value[0], value[1] >> 7) in ((0x00, 0), (0xFF, 1)):
            raise malformed("integer", "整数不是最短编码", "the integer is not minimally encoded")
        return int.from_bytes(value, signed=True)

    def as_oid(self) -> str:
        """A dotted object identifier."""
        return _dotted(self.expect(OID, "OBJECT IDENTIFIER"))

    def as_bits(self) -> bytes:
        """A BIT STRING of whole octets (no unused bits)."""
        value = self.expect(BIT_STRING, "BIT STRING")
        if not value or value[0] != 0:
            raise malformed("bits", "位串含未用位", "the bit string has unused bits")
        return value[1:]

    def as_flags(self, *, trimmed: bool = True) -> frozenset[int]:
        """A BIT STRING of named bits (KeyUsage): the positions that are set. DER drops trailing zero bits; where they are
        known to be left in place, ``trimmed`` False reads them too."""
        value = self.expect(BIT_STRING, "BIT STRING")
        unused = value[0] if value else 8
        if unused > 7 or len(value) > 33 or (len(value) == 1 and unused):
            raise malformed("bits", "位串非法", "illegal bit string")
        if trimmed and len(value) > 1 and not value[-1] >> unused & 1:
            raise malformed("bits", "命名位串有多余的零位", "named bits with trailing zero bits")
        if len(value) > 1 and value[-1] & ((1 << unused) - 1):
            raise malformed("bits", "位串未用位不为零", "unused bits are not zero")
        return frozenset(i for i in range((len(value) - 1) * 8) if value[1 + i // 8] & (0x80 >> i % 8))

    def as_octets(self) -> bytes:
        """An OCTET STRING."""
        return self.expect(OCTET_STRING, "OCTET STRING")

    def as_text(self) -> str:
        """A UTF8, Printable, IA5, Numeric, T61 (read as Latin-1) or BMP string."""
        encoding = _TEXTS.get(self.tag)
        if encoding is None:
            raise _wrong_type("string")
        try:
            text = self.value.decode(encoding)
        except UnicodeDecodeError as error:
            raise malformed("text", "字符串编码非法", "illegal string encoding") from error
        if self.tag == PRINTABLE and not all(c.isalnum() or c in _PRINTABLE_EXTRA for c in text):
            raise malformed("text", "可打印字符串含非法字符", "illegal character in a printable string")
        return text

    def as_time(self) -> datetime:
        """UTCTime (years 1950-2049) or GeneralizedTime, both to the second or finer, always Zulu. Aware UTC."""
        if self.tag not in (UTC_TIME, GENERALIZED_TIME):
            raise _wrong_type("time")
        return _time(self.value, 2 if self.tag == UTC_TIME else 4)

    def as_bool(self) -> bool:
        """BOOLEAN: 00 or FF."""
        value = self.expect(BOOLEAN, "BOOLEAN")
        if value not in (b"\x00", b"\xff"):
            raise malformed("boolean", "布尔值编码非法", "illegal boolean encoding")
        return value == b"\xff"

    def as_null(self) -> None:
        """NULL."""
        if self.expect(NULL, "NULL"):
            raise malformed("null", "空值带有内容", "a null with content")


def parse(data: bytes, *, limit: int = 1 << 20, depth: int = 32) -> Tlv:
    """Exactly one element, nothing after it, no larger than ``limit`` bytes; Malformed otherwise."""
    if len(data) > limit:
        raise malformed("size", f"DER 超过 {limit} 字节", f"DER is larger than {limit} bytes")
    element = _element(bytes(data), 0, depth)
    if len(element.raw) != len(data):
        raise malformed("trailing", "DER 之后有多余字节", "bytes after the DER element")
    return element


def _element(data: bytes, at: int, depth: int) -> Tlv:
    """The element that starts at ``at``."""
    size = len(data)
    if at + 2 > size:
        raise malformed("truncated", "DER 不完整", "truncated DER")
    tag, length, start = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F or tag == 0:
        raise malformed("tag", "DER 标签不受支持", "unsupported DER tag")
    if tag < 0x40 and bool(tag & _CONSTRUCTED) != (tag & 0x1F in _ONLY_CONSTRUCTED):
        raise malformed("tag", "DER 不允许此构造形式", "this form is not allowed in DER")
    if length >= 0x80:
        count = length & 0x7F
        if count == 0 or count > 4:
            raise malformed("length", "DER 长度形式非法", "illegal DER length form")
        octets = data[start : start + count]
        length = int.from_bytes(octets)
        if len(octets) < count:
            raise malformed("truncated", "DER 不完整", "truncated DER")
        if octets[0] == 0 or length < 0x80:
            raise malformed("length", "DER 长度不是最短编码", "the DER length is not minimal")
        start += count
    end = start + length
    if end > size:
        raise malformed("truncated", "DER 不完整", "truncated DER")
    return Tlv(tag, data[at:end], data[start:end], depth)


def _dotted(value: bytes) -> str:
    if not value or len(value) > _MAX_OID or value[-1] & 0x80:
        raise malformed("oid", "对象标识符非法", "illegal object identifier")
    arcs: list[int] = []
    arc, first = 0, True
    for octet in value:
        if first and octet == 0x80:
            raise malformed("oid", "对象标识符不是最短编码", "the object identifier is not minimally encoded")
        arc = arc << 7 | octet & 0x7F
        first = not octet & 0x80
        if first:
            arcs.append(arc)
            arc = 0
    top = min(arcs[0] // 40, 2)
    return ".".join(map(str, [top, arcs[0] - 40 * top, *arcs[1:]]))


def _time(value: bytes, year_digits: int) -> datetime:
    wrong = malformed("time", "时间编码非法", "illegal time encoding")
    body, dot, fraction = value[:-1].partition(b".")
    plain = len(body) == year_digits + 10 and body.isdigit() and value.endswith(b"Z")
    if not plain or (dot and (year_digits == 2 or not fraction.isdigit() or fraction.endswith(b"0"))):
        raise wrong
    year = int(body[:year_digits])
    if year_digits == 2:
        year += 2000 if year < 50 else 1900
    month, day, hour, minute, second = (int(body[i : i + 2]) for i in range(year_digits, year_digits + 10, 2))
    micro = int(fraction[:6].ljust(6, b"0")) if dot else 0
    try:
        return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)
    except ValueError as error:
        raise wrong from error


# --- writers: each returns one whole element -------------------------------------------------------------------------


def tlv(tag: int, content: bytes) -> bytes:
    """One element with this identifier octet."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(octets))) + octets + content


def seq(*parts: bytes) -> bytes:
    """SEQUENCE of whole elements."""
    return tlv(SEQUENCE, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    """SET OF whole elements, sorted as DER asks."""
    return tlv(SET, b"".join(sorted(parts)))


def integer(value: int) -> bytes:
    """INTEGER."""
    magnitude = value if value >= 0 else ~value
    return tlv(INTEGER, value.to_bytes(magnitude.bit_length() // 8 + 1, signed=True))


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(OCTET_STRING, value)


def bits(value: bytes) -> bytes:
    """BIT STRING of whole octets."""
    return tlv(BIT_STRING, b"\0" + value)


def flags(positions: Iterable[int]) -> bytes:
    """BIT STRING of named bits, trailing zero bits dropped."""
    wanted = sorted(set(positions))
    if not wanted:
        return tlv(BIT_STRING, b"\0")
    content = bytearray(wanted[-1] // 8 + 1)
    for position in wanted:
        content[position // 8] |= 0x80 >> position % 8
    return tlv(BIT_STRING, bytes((7 - wanted[-1] % 8,)) + bytes(content))


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return tlv(OID, bytes(content))


def utf8(text: str) -> bytes:
    """UTF8String."""
    return tlv(UTF8, text.encode())


def ia5(text: str) -> bytes:
    """IA5String; ValueError outside ASCII."""
    return tlv(IA5, text.encode("ascii"))


def printable(text: str) -> bytes:
    """PrintableString; ValueError outside ASCII."""
    return tlv(PRINTABLE, text.encode("ascii"))


def gtime(moment: datetime) -> bytes:
    """GeneralizedTime to the second; ``moment`` must be aware."""
    return tlv(GENERALIZED_TIME, _zulu(moment).strftime("%Y%m%d%H%M%SZ").rjust(15, "0").encode())


def utime(moment: datetime) -> bytes:
    """UTCTime to the second; only years 1950 to 2049."""
    zulu = _zulu(moment)
    if not 1950 <= zulu.year < 2050:
        raise ValueError("UTCTime holds the years 1950 to 2049 only")
    return tlv(UTC_TIME, zulu.strftime("%y%m%d%H%M%SZ").encode())


def _zulu(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)


def null() -> bytes:
    """NULL."""
    return b"\x05\x00"


def boolean(value: bool) -> bytes:
    """BOOLEAN."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def explicit(number: int, inner: bytes) -> bytes:
    """[number] EXPLICIT around a whole element."""
    return tlv(0xA0 | number, inner)


def implicit(number: int, content: bytes, constructed: bool = False) -> bytes:
    """[number] IMPLICIT around content octets."""
    return tlv((0xA0 if constructed else 0x80) | number, content)


# --- SM2 signature values (GM/T 0009: SEQUENCE { r INTEGER, s INTEGER }) ----------------------------------------------


def encode_signature(r: int, s: int) -> bytes:
    """DER of a signature, 8 to 72 bytes; r and s in 1..n-1 (not checked here)."""
    first = r.to_bytes(r.bit_length() // 8 + 1)
    second = s.to_bytes(s.bit_length() // 8 + 1)
    body = b"\x02%c%b\x02%c%b" % (len(first), first, len(second), second)
    return b"\x30%c%b" % (len(body), body)


def decode_signature(data: bytes) -> tuple[int, int]:
    """(r, s) of exactly two positive minimal INTEGERs in 1..n-1 and nothing else; Malformed otherwise.

    Decoding and encoding again must give the same bytes: that single comparison refuses every non-minimal length or
    integer, negative numbers, extra elements and trailing bytes (rows S06-S09).
    """
    if 8 <= len(data) <= 72:
        first = data[3]
        r = int.from_bytes(data[4 : 4 + first])
        s = int.from_bytes(data[6 + first :])
        if 0 < r < _N and 0 < s < _N and encode_signature(r, s) == data:
            return r, s
    raise malformed("signature", "签名值不是规范的 DER 编码或越界", "the signature is not strict DER or out of range")
