"""``pure:``: SM2 over Python integers, for machines whose Python has no usable libcrypto, and as a second opinion.

Verification handles public values only and is as safe here as anywhere. Signing and decryption are not
constant time: they need ``pure:?sign=allow`` (demo, tests, a machine with nothing else). A key that verifies
often gets a table of its own (about 12 ms to build, 1 MB); a key seen fewer than ``PROMOTE`` times is served
by a window of eight points, so a crowd of unknown keys costs 1 ms each and no memory. At most ``TABLES``
tables live at a time, the least recently used one leaves.
"""

from __future__ import annotations

import secrets
import weakref
from functools import lru_cache
from typing import Final

from signing import curve
from signing.curve import GX, GY, N, P
from signing.errors import Unavailable
from signing.keys import private_from_int
from signing.providers import selftest
from signing.sm2 import PrivateKey, PublicKey, open_from_point, seal_to_point, split_ciphertext
from signing.sm3 import same

PROMOTE: Final = 12
TABLES: Final = 256
_SEEN: Final = 4096


@lru_cache(maxsize=1)
def _generator() -> curve.Table:
    return curve.Table(GX, GY)


class _Sightings:
    """How often a key was asked about since it last had a table, and that table while it lives."""

    __slots__ = ("count", "odd", "table")

    def __init__(self, public: PublicKey) -> None:
        self.count = 0
        self.odd = curve.small_table(public.x, public.y)
        self.table: weakref.ref[curve.Table] | None = None


class Pure:
    """The provider. ``may_sign`` opens every use of a private key."""

    def __init__(self, *, may_sign: bool = False) -> None:
        self._may_sign = may_sign
        self._sightings = lru_cache(maxsize=_SEEN)(_Sightings)
        self._tables = lru_cache(maxsize=TABLES)(_table_of)
        self.uri = "pure:?sign=allow" if may_sign else "pure:"
        self.description = (
            f"Python integers{' with gmpy2' if curve.WIDE else ''}{', signing allowed' if may_sign else ''}"
        )
        selftest.passes(self, signs=may_sign)

    def random(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def generate(self) -> PrivateKey:
        self._permit()
        return self.load(1 + secrets.randbelow(N - 2))

    def load(self, d: int) -> PrivateKey:
        return private_from_int(d)

    def sign_digest(self, private: PrivateKey, e: bytes) -> tuple[int, int]:
        self._permit()
        number = int.from_bytes(e)
        while True:
            k = 1 + secrets.randbelow(N - 1)
            point = curve.to_affine(curve.total(_generator().pick(k)))
            assert point is not None  # noqa: S101 - 1 <= k < n
            r = (number + point[0]) % N
            s = (k - r * private.d) * pow(1 + private.d, -1, N) % N
            if r and s and r + k != N:
                return r, s

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        t = (r + s) % N
        if not (0 < r < N and 0 < s < N and t and len(e) == 32):
            return False
        x, _, z = self._combine(public, s, t)
        if not z:
            return False
        # r = e + x1 mod n without inverting Z: x1 is (r - e) mod n, or that plus n where it stays below p.
        zz = z * z % P
        wanted = (r - int.from_bytes(e)) % N
        return bool((wanted * zz - x) % P == 0 or (wanted + N < P and ((wanted + N) * zz - x) % P == 0))

    def knows(self, public: PublicKey) -> bool:
        """Whether this key has a table; asking counts as seeing the key, and so earns it one."""
        return self._table(public, self._sightings(public)) is not None

    def encrypt(self, public: PublicKey, plaintext: bytes) -> bytes:
        if not plaintext:
            raise ValueError("SM2 cannot encrypt an empty plaintext")
        while True:
            k = 1 + secrets.randbelow(N - 1)
            sealed = seal_to_point(_multiply(k, GX, GY), _multiply(k, public.x, public.y), plaintext)
            if sealed is not None:
                return sealed

    def decrypt(self, private: PrivateKey, ciphertext: bytes) -> bytes:
        self._permit()
        point, c3, c2 = split_ciphertext(ciphertext)
        return open_from_point(_multiply(private.d, point.x, point.y), c3, c2, same)

    def _permit(self) -> None:
        if not self._may_sign:
            zh = "pure: 只验签；确需用它签名请写 pure:?sign=allow（非常数时间）"
            en = "pure: only verifies; write pure:?sign=allow to sign with it (not constant time)"
            raise Unavailable("signing-not-allowed", zh, en)

    def _combine(self, public: PublicKey, s: int, t: int) -> curve.Jacobian:
        """s·G + t·P."""
        seen = self._sightings(public)
        table = self._table(public, seen)
        if table is not None:
            return curve.total(_generator().pick(s) + table.pick(t))
        point = curve.windowed(t, seen.odd)
        for entry in _generator().pick(s):
            point = curve.add(point, entry)
        return point

    def _table(self, public: PublicKey, seen: _Sightings) -> curve.Table | None:
        """The key's table once it has earned one. A table that fell out must be earned again, so that more busy keys
        than tables at worst double the cost. Racing threads may lose a count, which only delays a table."""
        lives = seen.table is not None and seen.table() is not None
        if not lives and seen.count < PROMOTE:
            seen.count += 1
            return None
        table = self._tables(public)
        if not lives:
            seen.table, seen.count = weakref.ref(table), 0
        return table


def _table_of(public: PublicKey) -> curve.Table:
    return curve.Table(public.x, public.y)


def _multiply(k: int, x: int, y: int) -> PublicKey:
    """k·(x, y) for 1 <= k < n."""
    point = curve.ladder(k, x, y)
    assert point is not None  # noqa: S101 - every point but infinity is of order n
    return PublicKey(*point)
