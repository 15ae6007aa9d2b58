"""A secret in shares (门限秘密共享, Shamir 1979): any ``threshold`` of them give it back, fewer tell nothing about it.

Each byte of the secret is the constant of a random polynomial over GF(2^8) (x^8+x^4+x^3+x+1); share i holds its values
at i. Multiplication looks nothing up by secret bytes. A share for people is Base32 with a checksum, so a slip of the pen
is told from a wrong share; whether the secret is the right one, what it opens says.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from signing.errors import Malformed
from signing.sm3 import same, sm3

SECRET: Final = 16
MARK: Final = 4  # bytes that name the backup
MOST: Final = 32
_VERSION: Final = 1
_CHECK: Final = 4
_HEAD: Final = 3 + MARK
_SIZE: Final = _HEAD + SECRET + _CHECK
_DOMAIN: Final = b"tongban/v1/share\n"
_POLYNOMIAL: Final = 0x11B


@dataclass(frozen=True, slots=True)
class Share:
    """One share: of which backup, how many are needed, its place (1 on), its value. Its text form shows no value."""

    mark: bytes
    threshold: int
    index: int
    value: bytes = field(repr=False)


def split(secret: bytes, threshold: int, count: int, mark: bytes, random: Callable[[int], bytes]) -> list[Share]:
    """``count`` shares of a 16-byte secret; ValueError unless 2 <= threshold <= count <= 32."""
    if not 2 <= threshold <= count <= MOST or len(secret) != SECRET or len(mark) != MARK:
        raise ValueError("2 <= threshold <= count <= 32, a 16-byte secret and a 4-byte mark")
    rows = [secret, *(random(SECRET) for _ in range(threshold - 1))]  # coefficients, the constant first
    return [Share(mark, threshold, index, _at(rows, index)) for index in range(1, count + 1)]


def join(shares: Sequence[Share]) -> bytes:
    """The secret. Malformed: ``shares-mixed`` (of different backups, or one twice), ``shares-few``."""
    kinds = {(share.mark, share.threshold) for share in shares}
    places = [share.index for share in shares]
    if len(kinds) > 1 or len(set(places)) != len(places):
        raise Malformed("shares-mixed", "分片不属同一备份，或有重复", "shares of different backups, or one twice")
    if not shares or len(shares) < shares[0].threshold:
        needed = shares[0].threshold if shares else 2
        raise Malformed("shares-few", f"分片不足，须有 {needed} 片", f"too few shares, {needed} are needed")
    used = shares[: shares[0].threshold]
    secret = bytes(SECRET)
    for share in used:
        weight = 1
        for other in used:
            if other.index != share.index:
                weight = _times(weight, _times(other.index, _inverse(other.index ^ share.index)))
        secret = bytes(a ^ _times(b, weight) for a, b in zip(secret, share.value, strict=True))
    return secret


def write(share: Share) -> str:
    """The share for paper: 11 groups of 4 letters and digits."""
    body = bytes((_VERSION, share.threshold, share.index)) + share.mark + share.value
    text = base64.b32encode(body + _check(body)).decode().rstrip("=")
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def read(text: str) -> Share:
    """A share as written or typed: case, spaces and hyphens do not matter. Malformed: ``share-form``, ``share-check``."""
    letters = "".join(text.split()).replace("-", "").upper()
    try:
        data = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError):
        raise _form() from None
    if len(data) != _SIZE or base64.b32encode(data).decode().rstrip("=") != letters:
        raise _form()
    body, check = data[:-_CHECK], data[-_CHECK:]
    if not same(_check(body), check):
        raise Malformed("share-check", "分片有笔误（校验不符）", "the share is mistyped (checksum)")
    version, threshold, index = body[:3]
    if version != _VERSION or not 2 <= threshold <= MOST or not 1 <= index <= MOST:
        raise _form()
    return Share(body[3:_HEAD], threshold, index, body[_HEAD:])


def _check(body: bytes) -> bytes:
    return sm3(_DOMAIN, body)[:_CHECK]


def _at(rows: Sequence[bytes], x: int) -> bytes:
    """The polynomials of all bytes at x (Horner)."""
    value = bytes(SECRET)
    for row in reversed(rows):
        value = bytes(_times(a, x) ^ b for a, b in zip(value, row, strict=True))
    return value


def _times(a: int, b: int) -> int:
    """a·b in GF(2^8), the same steps whatever a and b are."""
    product = 0
    for _ in range(8):
        product ^= a & -(b & 1)
        b >>= 1
        a = (a << 1) ^ (_POLYNOMIAL & -(a >> 7))
    return product


def _inverse(a: int) -> int:
    """a^254; a is never 0 here (a difference of two places)."""
    result = 1
    for _ in range(254):
        result = _times(result, a)
    return result


def _form() -> Malformed:
    return Malformed("share-form", "不是密钥备份分片", "not a share of a key backup")
