"""Signatures whose numbers are wrong: out of range, congruent to good ones, swapped, or simply of something else."""

from __future__ import annotations

from collections.abc import Iterator

from tests.vectors.sm2.generator import textbook as t
from tests.vectors.sm2.generator.cases import INVALID, Case, both

LIMITS = {
    "0": 0, "1": 1, "-1": -1, "n-1": t.N - 1, "n": t.N, "n+1": t.N + 1, "p": t.P, "p+1": t.P + 1, "2^256-1": (1 << 256) - 1,
    "2^256": 1 << 256, "2n": 2 * t.N,
}  # fmt: skip


def good(name: str = "values") -> t.Affine:
    return t.sign(t.D, t.digest(t.D, t.MESSAGE), name)


def limits() -> Iterator[Case]:
    """Every pair of values at a limit, and every such value beside a good one."""
    r, s = good()
    for name, value in LIMITS.items():
        for other, second in LIMITS.items():
            yield from both(f"r is {name}, s is {other}", ("RangeCheck",), INVALID, value, second)
        yield from both(f"r is {name}, s is good", ("RangeCheck",), INVALID, value, s)
        yield from both(f"r is good, s is {name}", ("RangeCheck",), INVALID, r, value)


def zero_sum() -> Iterator[Case]:
    """t = r + s = 0 mod n: the public key drops out of the equation, so the standard asks for this check by itself."""
    e = int.from_bytes(t.digest(t.D, t.MESSAGE), "big")
    for name, k in (("1", 1), ("2", 2), ("n-2", t.N - 2), ("a random one", t.scalar("zero sum"))):
        r = (e + t.base(k)[0]) % t.N
        yield from both(f"s = n-r, r with the nonce {name}", ("ZeroSum",), INVALID, r, t.N - r)
    r, s = good()
    for name, pair in (
        ("r, n-r", (r, t.N - r)),
        ("n-s, s", (t.N - s, s)),
        ("1, n-1", (1, t.N - 1)),
        ("n-1, 1", (t.N - 1, 1)),
    ):
        yield from both(f"({name})", ("ZeroSum",), INVALID, *pair)


def congruent() -> Iterator[Case]:
    """What a verifier accepts that reduces before it checks. The raw form has no room for these; 66 octets do."""
    for name in ("congruent a", "congruent b"):
        r, s = good(name)
        for what, pair in (
            ("r+n", (r + t.N, s)), ("s+n", (r, s + t.N)), ("both +n", (r + t.N, s + t.N)), ("r-n", (r - t.N, s)),
            ("s-n", (r, s - t.N)), ("r+2n", (r + 2 * t.N, s)), ("s+2n", (r, s + 2 * t.N)), ("r+n·2^256", (r + (t.N << 256), s)),
            ("s+n·2^256", (r, s + (t.N << 256))), ("r+2^256", (r + (1 << 256), s)), ("s+2^256", (r, s + (1 << 256))),
            ("r-2^256", (r - (1 << 256), s)), ("s-2^256", (r, s - (1 << 256))), ("s+n·2^512", (r, s + (t.N << 512))),
        ):  # fmt: skip
            yield Case(f"{name}: {what}", ("ModularReduction",), INVALID, t.rs(*pair))
            if all(0 <= value < 1 << 264 for value in pair):
                wide = b"".join(value.to_bytes(33, "big") for value in pair)
                yield Case(f"{name}: {what}, 66 octets", ("ModularReduction", "RawForm"), INVALID, wide, "raw")


def malleated() -> Iterator[Case]:
    """The transformations that keep an ECDSA or Schnorr signature valid; none keeps an SM2 signature valid."""
    for name in ("malleated a", "malleated b"):
        r, s = good(name)
        for what, pair in (
            ("n-s", (r, t.N - s)), ("n-r", (t.N - r, s)), ("both negated", (t.N - r, t.N - s)), ("-s", (r, -s)), ("-r", (-r, s)),
            ("1/s", (r, pow(s, -1, t.N))), ("1/r", (pow(r, -1, t.N), s)), ("t for s", (r, (r + s) % t.N)), ("p-s", (r, t.P - s)),
        ):  # fmt: skip
            yield from both(f"{name}: {what}", ("Malleability",), INVALID, *pair)


def swapped() -> Iterator[Case]:
    for name in ("swapped a", "swapped b"):
        r, s = good(name)
        for what, pair in (("s, r", (s, r)), ("r, r", (r, r)), ("s, s", (s, s))):
            yield from both(f"{name}: {what}", ("Swapped",), INVALID, *pair)


def bits() -> Iterator[Case]:
    r, s = good("bits")
    for at in (0, 1, 7, 8, 31, 32, 63, 64, 127, 128, 191, 224, 254):
        yield from both(f"bit {at} of r changed", ("BitFlip",), INVALID, r ^ 1 << at, s)
        yield from both(f"bit {at} of s changed", ("BitFlip",), INVALID, r, s ^ 1 << at)
    for name, pair in (("r+1", (r + 1, s)), ("r-1", (r - 1, s)), ("s+1", (r, s + 1)), ("s-1", (r, s - 1))):
        yield from both(name, ("BitFlip",), INVALID, *pair)


def other_things() -> Iterator[Case]:
    r, s = good("other")
    for name, message in (
        ("one bit", b"message digesu"), ("NUL after", b"message digest\0"), ("cut", b"message diges"), ("empty", b""),
        ("line end after", b"message digest\n"), ("hex of it", t.MESSAGE.hex().encode()), ("its digest", t.sm3(t.MESSAGE)),
    ):  # fmt: skip
        yield from both(f"other message: {name}", ("WrongMessage",), INVALID, r, s, msg=message)
    for name, d in (("d+1", t.D + 1), ("1", 1), ("n-d", t.N - t.D), ("another", t.scalar("another key"))):
        yield from both(f"other key: {name}", ("WrongKey",), INVALID, r, s, key=t.octets(t.base(d)))


def cases() -> Iterator[Case]:
    for make in (limits, zero_sum, congruent, malleated, swapped, bits, other_things):
        yield from make()
