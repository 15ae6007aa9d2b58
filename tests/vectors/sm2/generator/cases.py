"""One signature vector before it is numbered, and the keys and searches that several kinds of vectors share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from tests.vectors.sm2.generator import textbook as t

VALID, INVALID, ACCEPTABLE = "valid", "invalid", "acceptable"


class Case(NamedTuple):
    """``flags`` name rows of ``notes.py``; ``key`` is the public key's octets as a verifier is given them."""

    comment: str
    flags: tuple[str, ...]
    result: str
    sig: bytes
    encoding: str = "der"
    key: bytes = t.octets(t.base(t.D))
    id: bytes = t.ID
    msg: bytes = t.MESSAGE


def both(comment: str, flags: tuple[str, ...], result: str, r: int, s: int, **more: bytes) -> Iterator[Case]:
    """The pair as DER and, where it fits, as 64 raw octets."""
    yield Case(comment, flags, result, t.rs(r, s), "der", **more)
    if all(0 <= value < 1 << 256 for value in (r, s)):
        yield Case(comment, flags, result, t.raw(r, s), "raw", **more)


@lru_cache
def special_keys() -> dict[str, int]:
    """Private keys whose public keys invite mistakes: octets that clumsy code strips, and the ends of the range."""
    found = {"d is 1": 1, "d is 2": 2, "d is n-2": t.N - 2, "d is n-3": t.N - 3, "d is (n-1)/2": (t.N - 1) // 2}
    for name, axis, shift, wanted in (
        ("x starts with 00", 0, 248, 0x00), ("x starts with 04", 0, 248, 0x04), ("x starts with 40", 0, 248, 0x40),
        ("x starts with 44", 0, 248, 0x44), ("x starts with 0a", 0, 248, 0x0A), ("x starts with ff", 0, 248, 0xFF),
        ("x starts with 0404", 0, 240, 0x0404), ("y starts with 00", 1, 248, 0x00), ("y starts with 04", 1, 248, 0x04),
    ):  # fmt: skip
        found[name] = _search(name, axis, shift, wanted)
    return found


def _search(name: str, axis: int, shift: int, wanted: int) -> int:
    d = t.scalar(f"key with {name}")
    point: t.Point = t.base(d)
    while point is None or point[axis] >> shift != wanted:
        d, point = d + 1, t.add(point, t.G)
    return d


def nonce_for(d: int, e: bytes, which: int, shift: int, wanted: int, name: str) -> int:
    """A nonce whose r (0) or s (1) begins with ``wanted`` above ``shift`` bits."""
    k = t.scalar(f"start of {name}")
    point: t.Point = t.base(k)
    inverse, number = pow(1 + d, -1, t.N), int.from_bytes(e, "big")
    while True:
        assert point is not None
        r = (number + point[0]) % t.N
        if (r, inverse * (k - r * d) % t.N)[which] >> shift == wanted:
            return k
        k, point = k + 1, t.add(point, t.G)
