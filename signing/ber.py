"""BER turned into DER (X.690), for messages of partners whose software writes lengths the loose way.

Only the shape changes: indefinite and padded lengths become minimal ones, an octet string sent in pieces becomes one.
Values and their order stay as received, so a certificate or a signed attribute that was DER inside such a message keeps
its very bytes. Bounded in size, depth and number of elements; refusals are ``Malformed`` with a code ``der-…``.
"""

from __future__ import annotations

from typing import Final

from signing import der
from signing.der import malformed
from signing.errors import Malformed

MAX_ELEMENTS: Final = 50_000
_CONSTRUCTED: Final = 0x20
_END: Final = b"\0\0"
_PIECES: Final = der.OCTET_STRING | _CONSTRUCTED


def to_der(data: bytes, *, limit: int = 1 << 20, depth: int = 32) -> bytes:
    """Exactly one element, nothing after it, in DER lengths."""
    element, end = first(data, limit=limit, depth=depth)
    if end != len(data):
        raise malformed("trailing", "BER 之后有多余字节", "bytes after the BER element")
    return element


def first(data: bytes, *, limit: int = 1 << 20, depth: int = 32) -> tuple[bytes, int]:
    """The element at the beginning, in DER lengths, and where it ended in ``data``."""
    if len(data) > limit:
        raise malformed("size", f"BER 超过 {limit} 字节", f"BER is larger than {limit} bytes")
    return _Reader(bytes(data)).element(0, len(data), depth)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = MAX_ELEMENTS

    def element(self, at: int, end: int, depth: int) -> tuple[bytes, int]:
        """The element that starts at ``at`` and lies before ``end``, and where the next one starts."""
        self.left -= 1
        if self.left < 0 or depth < 0:
            raise malformed("depth" if depth < 0 else "count", "BER 嵌套过深或元素过多", "BER is too deep or too long")
        if at + 2 > end:
            raise _truncated()
        tag, first = self.data[at], self.data[at + 1]
        if tag & 0x1F == 0x1F or tag == 0:
            raise malformed("tag", "BER 标签不受支持", "unsupported BER tag")
        if first == 0x80:
            if not tag & _CONSTRUCTED:
                raise malformed("length", "不定长只用于构造形式", "an indefinite length of a primitive element")
            inner, after = self._until_end(at + 2, end, depth - 1)
            return _whole(tag, inner), after
        start, length = self._length(at + 1, end)
        after = start + length
        if after > end:
            raise _truncated()
        if not tag & _CONSTRUCTED:
            return der.tlv(tag, self.data[start:after]), after
        inner = []
        while start < after:
            child, start = self.element(start, after, depth - 1)
            inner.append(child)
        return _whole(tag, inner), after

    def _until_end(self, at: int, end: int, depth: int) -> tuple[list[bytes], int]:
        inner = []
        while self.data[at : at + 2] != _END:
            child, at = self.element(at, end, depth)
            inner.append(child)
        if at + 2 > end:
            raise _truncated()
        return inner, at + 2

    def _length(self, at: int, end: int) -> tuple[int, int]:
        """(where the content starts, its length); at most eight octets of length, padding allowed."""
        first = self.data[at]
        if first < 0x80:
            return at + 1, first
        count = first & 0x7F
        if count > 8:
            raise malformed("length", "BER 长度形式非法", "illegal BER length form")
        if at + 1 + count > end:
            raise _truncated()
        return at + 1 + count, int.from_bytes(self.data[at + 1 : at + 1 + count])


def _whole(tag: int, inner: list[bytes]) -> bytes:
    return der.tlv(der.OCTET_STRING, joined(inner)) if tag == _PIECES else der.tlv(tag, b"".join(inner))


def joined(pieces: list[bytes]) -> bytes:
    """The octet string that was sent in these pieces, each a whole OCTET STRING element."""
    return b"".join(der.parse(piece, limit=len(piece)).as_octets() for piece in pieces)


def _truncated() -> Malformed:
    return malformed("truncated", "BER 不完整", "truncated BER")
