"""SM2 as the standard writes it (GB/T 32918-2016): affine arithmetic over Python integers, hashlib's SM3, hand-made DER.

Nothing of ours is imported on purpose, so a vector that our code and this file agree on was computed twice. Everything random
is derived from names, so a run always writes the same bytes. Slow and not constant time: for vectors only.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
D = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8  # GB/T 32918.5-2017 annex A
STANDARD = (
    0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3,
    0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA,
)
ID = b"1234567812345678"
MESSAGE = b"message digest"

Affine = tuple[int, int]
Point = Affine | None


def sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def add(one: Point, two: Point) -> Point:
    """The sum on y² = x³ + ax + b for whichever b the points lie on: the formulas do not use it."""
    if one is None or two is None:
        return one or two
    if one[0] == two[0] and (one[1] + two[1]) % P == 0:
        return None
    rise, run = (3 * one[0] * one[0] + A, 2 * one[1]) if one == two else (two[1] - one[1], two[0] - one[0])
    slope = rise * pow(run, -1, P)
    x = (slope * slope - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def mul(k: int, point: Point) -> Point:
    found: Point = None
    while k:
        if k & 1:
            found = add(found, point)
        point = add(point, point)
        k >>= 1
    return found


def _doubles() -> list[Point]:
    found: list[Point] = [G]
    while len(found) < 256:
        found.append(add(found[-1], found[-1]))
    return found


_POWERS = _doubles()


@lru_cache(maxsize=4096)
def base(k: int) -> Affine:
    """k·G."""
    found: Point = None
    for bit, power in enumerate(_POWERS):
        if k >> bit & 1:
            found = add(found, power)
    assert found is not None
    return found


def negative(point: Affine) -> Affine:
    return point[0], P - point[1]


def root(square: int) -> int | None:
    """The even square root mod p (p = 3 mod 4), None where there is none."""
    found = pow(square, (P + 1) // 4, P)
    return None if found * found % P != square % P else found if found % 2 == 0 else P - found


def curve_y(x: int) -> int | None:
    """The even y of a point of the curve with this x."""
    return root((x * x * x + A * x + B) % P)


def b32(value: int) -> bytes:
    return value.to_bytes(32, "big")


def octets(point: Affine) -> bytes:
    """04 || x || y."""
    return b"\x04" + b32(point[0]) + b32(point[1])


def scalar(name: str) -> int:
    return int.from_bytes(sm3(name.encode()), "big") % (N - 2) + 1


def za(public: bytes, signer_id: bytes, entl: int | None = None) -> bytes:
    """Z_A over the coordinates as they stand in ``public`` (64 bytes, whatever they are)."""
    length = 8 * len(signer_id) if entl is None else entl
    return sm3(length.to_bytes(2, "big") + signer_id + b"".join(map(b32, (A, B, *G))) + public)


def digest(d: int, message: bytes, signer_id: bytes = ID) -> bytes:
    return sm3(za(octets(base(d))[1:], signer_id) + message)


def sign_with(d: int, e: bytes, k: int) -> Affine:
    r = (int.from_bytes(e, "big") + base(k)[0]) % N
    return r, pow(1 + d, -1, N) * (k - r * d) % N


def sign(d: int, e: bytes, name: str) -> Affine:
    return sign_with(d, e, scalar(f"nonce of {name}"))


# --- DER, one rule at a time so that it can be broken ---------------------------------------------------------------------


def length(size: int) -> bytes:
    if size < 128:
        return bytes((size,))
    octet = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 + len(octet),)) + octet


def tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + length(len(content)) + content


def content(value: int, pad: int = 0) -> bytes:
    """The content octets of an INTEGER, with ``pad`` octets too many in front."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return (b"\0" if value >= 0 else b"\xff") * pad + value.to_bytes(size, "big", signed=True)


def number(value: int, pad: int = 0) -> bytes:
    return tlv(2, content(value, pad))


def seq(*parts: bytes) -> bytes:
    return tlv(0x30, b"".join(parts))


def rs(r: int, s: int) -> bytes:
    return seq(number(r), number(s))


def raw(r: int, s: int) -> bytes:
    return b32(r) + b32(s)


EC = bytes.fromhex("06072a8648ce3d0201")
SM2 = bytes.fromhex("06082a811ccf5501822d")


def spki(point: bytes, algorithm: bytes = seq(EC, SM2)) -> bytes:
    """SubjectPublicKeyInfo around whatever octets are given as the point."""
    return seq(algorithm, tlv(3, b"\0" + point))


def pem(label: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
