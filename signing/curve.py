"""Arithmetic on the SM2 curve (GB/T 32918.5-2017, sm2p256v1) over plain integers; ``gmpy2`` integers when present.

Nothing here is constant time: it is for public values, and for the one secret use (the public key of a private
one) ``generated`` with a fixed sequence of point operations. Jacobian points are (X, Y, Z) with x = X/Z², y
= Y/Z³ and Z = 0 for infinity; affine points are (x, y).

Speed comes from tables of affine multiples. A product is then a sum of table entries, and sums of many affine
points are taken pairwise with one shared inversion per level (an inversion costs about as much as 45
multiplications here, an affine addition saves five of them), the rest in Jacobian form.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import Any, Final

try:
    from gmpy2 import mpz as _wide
except ImportError:  # the optional extra ``speed``
    _wide = int

P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A: Final = P - 3
B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX: Final = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY: Final = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0

WIDE: Final = _wide is not int
_P: Any = _wide(P)
# Below this many pairs a shared inversion no longer pays.
_LEVEL: Final = 2 if WIDE else 10
_ROWS: Final = 31
_SPACING: Final = 64
_OFFSET: Final = int.from_bytes(b"\x80" * _ROWS)
_LOW: Final = (1 << 8 * _ROWS) - 1

Affine = tuple[int, int]
Jacobian = tuple[int, int, int]
Row = list[Affine | None]
INFINITY: Final[Jacobian] = (1, 1, 0)


def on_curve(x: int, y: int) -> bool:
    """Both coordinates in range and y² = x³ + ax + b; infinity has no such coordinates."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x - 3) * x - B) % P == 0


def double(point: Jacobian) -> Jacobian:
    """2·point (a = -3)."""
    x, y, z = point
    p = _P
    zz = z * z % p
    yy = y * y % p
    s = 4 * x * yy % p
    m = 3 * (x - zz) * (x + zz) % p
    x3 = (m * m - 2 * s) % p
    return x3, (m * (s - x3) - 8 * yy * yy) % p, 2 * y * z % p


def add(point: Jacobian, other: Affine) -> Jacobian:
    """point + other for an affine ``other``; complete."""
    x1, y1, z1 = point
    x2, y2 = other
    p = _P
    if not z1:
        return x2, y2, _wide(1)
    zz = z1 * z1 % p
    h = (x2 * zz - x1) % p
    r = (y2 * (zz * z1 % p) - y1) % p
    if not h:
        return INFINITY if r else double(point)
    hh = h * h % p
    hhh = h * hh % p
    v = x1 * hh % p
    x3 = (r * r - hhh - 2 * v) % p
    return x3, (r * (v - x3) - y1 * hhh) % p, z1 * h % p


def to_affine(point: Jacobian) -> Affine | None:
    """The affine form, plain integers; None for infinity."""
    x, y, z = point
    if not z:
        return None
    inverse = pow(z, -1, _P)
    square = inverse * inverse % _P
    return int(x * square % _P), int(y * square * inverse % _P)


def halve_list(points: Sequence[Affine]) -> list[Affine] | None:
    """The sums of neighbouring pairs (a last odd one is kept), with one inversion; None if a pair has equal x."""
    p = _P
    left, right = points[0:-1:2], points[1::2]
    running = _wide(1)
    products: list[int] = []
    for (x1, _), (x2, _) in zip(left, right, strict=True):
        products.append(running)
        running = running * (x2 - x1) % p
    if not running:
        return None
    inverse = pow(running, -1, p)
    sums: list[Affine] = []
    for index in range(len(left) - 1, -1, -1):
        x1, y1 = left[index]
        x2, y2 = right[index]
        slope = (y2 - y1) * (inverse * products[index] % p) % p
        inverse = inverse * (x2 - x1) % p
        x3 = (slope * slope - x1 - x2) % p
        sums.append((x3, (slope * (x1 - x3) - y1) % p))
    if len(points) & 1:
        sums.append(points[-1])
    return sums


def total(points: Sequence[Affine]) -> Jacobian:
    """The sum of affine points."""
    while len(points) >= 2 * _LEVEL:
        halved = halve_list(points)
        if halved is None:
            break
        points = halved
    accumulator = INFINITY
    for point in points:
        accumulator = add(accumulator, point)
    return accumulator


def normalise(points: Sequence[Jacobian]) -> list[Affine]:
    """Affine forms of finite points with one inversion."""
    p = _P
    running = _wide(1)
    products: list[int] = []
    for _, _, z in points:
        products.append(running)
        running = running * z % p
    inverse = pow(running, -1, p)
    found: list[Affine] = []
    for index in range(len(points) - 1, -1, -1):
        x, y, z = points[index]
        one = inverse * products[index] % p
        inverse = inverse * z % p
        square = one * one % p
        found.append((x * square % p, y * square * one % p))
    found.reverse()
    return found


def _multiples(bases: Sequence[Affine], rounds: int) -> list[list[Affine]]:
    """For each base its multiples 1..2^rounds, built for all bases side by side so that an inversion is shared.

    Doubles the list of known multiples each round: m+1..2m-1 = known + m·base, and 2m by a doubling.
    """
    tables = [[base] for base in bases]
    for _ in range(rounds):
        doubled = normalise([double((*table[-1], _wide(1))) for table in tables])
        sums = halve_list([point for table in tables for entry in table[:-1] for point in (entry, table[-1])])
        assert sums is not None  # noqa: S101 - i·base and m·base differ for 0 < i < m < n
        fresh = iter(reversed(sums))
        for table, twice in zip(tables, doubled, strict=True):
            table += [*islice(fresh, len(table) - 1), twice]
    return tables


class Table:
    """Multiples of one fixed point by windows of 8 bits: 31 signed rows and an unsigned top row, 4,224 points in all.

    ``pick(k)`` gives the (at most 32) affine points whose sum is k·point for 0 <= k < n.
    """

    __slots__ = ("__weakref__", "_rows", "_top")

    def __init__(self, x: int, y: int) -> None:
        bases: list[Affine] = []
        point: Jacobian = (_wide(x), _wide(y), _wide(1))
        chain = []
        for _ in range(_ROWS + 1):
            chain.append(point)
            for _ in range(8):
                point = double(point)
        bases = normalise(chain)
        rows = _multiples(bases[:_ROWS], 7)
        self._rows: list[Row] = [_mirrored(row) for row in reversed(rows)]
        self._top: Row = [None, *_multiples(bases[_ROWS:], 8)[0]]

    def pick(self, k: int) -> list[Affine]:
        """The table entries that add up to k·point."""
        shifted = k + _OFFSET
        entries = [row[digit] for row, digit in zip(self._rows, (shifted & _LOW).to_bytes(_ROWS), strict=True)]
        entries.append(self._top[shifted >> 8 * _ROWS])
        return [entry for entry in entries if entry is not None]


def _mirrored(row: list[Affine]) -> Row:
    """Entry ``d + 128`` is d·base for -128 <= d < 128."""
    negative: Row = [(x, _P - y) for x, y in reversed(row)]
    return [*negative, None, *row[:127]]


def small_table(x: int, y: int) -> list[Affine]:
    """The odd multiples 1, 3, … 15 of a point, for ``windowed``."""
    twice = normalise([double((_wide(x), _wide(y), _wide(1)))])[0]
    points: list[Jacobian] = [(_wide(x), _wide(y), _wide(1))]
    for _ in range(7):
        points.append(add(points[-1], twice))
    return normalise(points)


def windowed(k: int, odd: list[Affine]) -> Jacobian:
    """k·point by a signed sliding window over its ``small_table``: about 256 doublings and 43 additions."""
    digits: list[int] = []
    while k:
        digit = 0
        if k & 1:
            digit = k & 31
            if digit > 15:
                digit -= 32
            k -= digit
        digits.append(digit)
        k >>= 1
    accumulator = INFINITY
    for digit in reversed(digits):
        accumulator = double(accumulator)
        if digit > 0:
            accumulator = add(accumulator, odd[digit >> 1])
        elif digit:
            x, y = odd[-digit >> 1]
            accumulator = add(accumulator, (x, _P - y))
    return accumulator


def ladder(k: int, x: int, y: int) -> Affine | None:
    """k·(x, y) by double-and-add-always: the same sequence of point operations for every k below 2^256."""
    base: Affine = (_wide(x), _wide(y))
    accumulator = INFINITY
    for index in range(255, -1, -1):
        accumulator = double(accumulator)
        candidates = (accumulator, add(accumulator, base))
        accumulator = candidates[k >> index & 1]
    return to_affine(accumulator)


@cache
def _comb() -> list[Affine]:
    """Entry i is the sum of those of G, 2^64·G, 2^128·G and 2^192·G that the bits of i name; entry 0 stands for none."""
    base: Jacobian = (_wide(GX), _wide(GY), _wide(1))
    columns = []
    for _ in range(4):
        columns.append(base)
        for _ in range(_SPACING):
            base = double(base)
    bases = normalise(columns)
    sums: list[Jacobian] = [columns[0]]
    for column, affine in enumerate(bases):
        sums += [(*affine, _wide(1)), *(add(below, affine) for below in sums[1 : 1 << column])]
    return normalise(sums)


def generated(k: int) -> Affine | None:
    """k·G by a comb of four bits: the same sequence of point operations for every k below 2^256, a quarter of the ladder's."""
    comb, accumulator = _comb(), INFINITY
    for index in range(_SPACING - 1, -1, -1):
        accumulator = double(accumulator)
        digit = sum((k >> index + column * _SPACING & 1) << column for column in range(4))
        candidates = (accumulator, add(accumulator, comb[digit]))
        accumulator = candidates[digit > 0]
    return to_affine(accumulator)
