"""Public keys that are none: off the curve, at infinity, out of range, in other forms, of other curves.

Where arithmetic that never looks at b can be led astray, the signature is made so that it *would* hold there: a point of
order 2 or 3 on y² = x³ + ax + b' (row S20), with t a multiple of that order, drops out of s·G + t·P.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.vectors.sm2.generator import textbook as t
from tests.vectors.sm2.generator.cases import ACCEPTABLE, INVALID, Case, both

P256_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
K256_G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
SAMPLE_G = (
    0x421DEBD61B62EAB6746434EBC3CC315E32220B3BADD50BDC4C4E6C147FEDD43D,
    0x0680512BCBB42C07D47349D2153B70C4E5D7FDFCBFA36EA1A85841B9E46E09A2,
)


def small_order() -> dict[str, tuple[int, t.Affine]]:
    """Name to (order, point); the point lies on a curve that differs in b alone."""
    found: dict[str, tuple[int, t.Affine]] = {"order 2, x = 5": (2, (5, 0)), "order 2, x = 0": (2, (0, 0))}
    x = 1
    while len(found) < 5:
        # 3·(x, y) is infinity when the tangent at it meets x again: (3x² + a)² = 12·x·y²
        y = t.root((3 * x * x + t.A) ** 2 * pow(12 * x, -1, t.P) % t.P)
        if y and t.curve_y(x) not in (y, t.P - y):
            assert t.mul(3, (x, y)) is None
            found[f"order 3, x = {x}"] = (3, (x, y))
        x += 1
    return found


def without_key(coordinates: bytes, order: int, name: str) -> t.Affine:
    """(r, s) with s = k, good wherever t·P vanishes: t is a multiple of ``order``."""
    e = int.from_bytes(t.sm3(t.za(coordinates, t.ID) + t.MESSAGE), "big")
    k = t.scalar(f"nonce without a key {name}")
    while True:
        r = (e + t.base(k)[0]) % t.N
        if (r + k) % t.N % order == 0:
            return r, k
        k += 1


def off_the_curve() -> Iterator[Case]:
    for name, (order, point) in small_order().items():
        key = t.octets(point)
        yield from both(
            f"{name}, made to hold there", ("InvalidCurve",), INVALID, *without_key(key[1:], order, name), key=key
        )
    x, y = t.base(t.D)
    r, s = t.sign(t.D, t.digest(t.D, t.MESSAGE), "points")
    for name, point in (
        ("y changed", (x, y ^ 1)), ("x changed", (x ^ 1, y)), ("x and y exchanged", (y, x)), ("y is 0", (x, 0)), ("x is 0", (0, y)),
        ("(5, 7)", (5, 7)), ("(1, 1)", (1, 1)), ("generator of P-256", P256_G), ("generator of secp256k1", K256_G),
        ("generator of the sample curve", SAMPLE_G),
    ):  # fmt: skip
        flag = "OtherCurve" if "generator" in name else "NotOnCurve"
        yield from both(name, (flag,), INVALID, r, s, key=t.octets(point))
        own = t.sign(t.D, t.sm3(t.za(t.octets(point)[1:], t.ID) + t.MESSAGE), f"own Z of {name}")
        yield Case(f"{name}, its own Z_A", (flag,), INVALID, t.rs(*own), key=t.octets(point))


def infinity() -> Iterator[Case]:
    for name, key, coordinates in (
        ("00", b"\0", b""), ("65 zero octets", bytes(65), bytes(64)), ("04 and zeros", b"\x04" + bytes(64), bytes(64)),
        ("64 zero octets", bytes(64), bytes(64)), ("nothing", b"", b""), ("04 alone", b"\x04", b""),
    ):  # fmt: skip
        pair = without_key(coordinates, 2, f"infinity {name}")
        yield from both(f"{name}, made to hold for infinity", ("Infinity",), INVALID, *pair, key=key)


def out_of_range() -> Iterator[Case]:
    """Coordinates that are a point of the curve only after reduction mod p."""
    smalls = [(x, y) for x in range(40) if (y := t.curve_y(x)) is not None][:3]
    r, s = t.sign(t.D, t.digest(t.D, t.MESSAGE), "range")
    for x, y in smalls:
        yield from both(f"x is {x} + p", ("CoordinateRange",), INVALID, r, s, key=t.octets((x + t.P, y)))
    for name, point in (
        ("x is p", (t.P, 1)), ("y is p", (t.base(t.D)[0], t.P)), ("both p", (t.P, t.P)), ("all ones", ((1 << 256) - 1,) * 2),
        ("x all ones", ((1 << 256) - 1, t.base(t.D)[1])),
    ):  # fmt: skip
        yield from both(name, ("CoordinateRange",), INVALID, r, s, key=t.octets(point))
    both_p = t.b32(t.P) + t.b32(t.P)
    pair = without_key(both_p, 2, "p and p")
    yield from both(
        "both p, made to hold for (0, 0)", ("CoordinateRange", "InvalidCurve"), INVALID, *pair, key=b"\x04" + both_p
    )


def forms() -> Iterator[Case]:
    """GB/T 32918.1 4.2.9 has compressed and mixed points too; GM/T 0009 and certificates use uncompressed ones."""
    x, y = t.base(t.D)
    good = t.octets((x, y))
    r, s = t.sign(t.D, t.digest(t.D, t.MESSAGE), "point forms")
    odd = y & 1
    no_point = next(x for x in range(40) if t.curve_y(x) is None)
    for name, flag, result, key in (
        ("compressed", "CompressedPoint", ACCEPTABLE, bytes((2 + odd,)) + t.b32(x)),
        ("compressed, other parity", "WrongKey", INVALID, bytes((3 - odd,)) + t.b32(x)),
        ("compressed, no such point", "NotOnCurve", INVALID, b"\x02" + t.b32(no_point)),
        ("compressed, x is p", "CoordinateRange", INVALID, b"\x02" + t.b32(t.P)),
        ("mixed", "HybridPoint", ACCEPTABLE, bytes((6 + odd,)) + good[1:]),
        ("mixed, other parity", "HybridParity", INVALID, bytes((7 - odd,)) + good[1:]),
        ("without 04", "BarePoint", ACCEPTABLE, good[1:]),
        ("cut", "PointForm", INVALID, good[:-1]),
        ("00 after", "PointForm", INVALID, good + b"\0"),
        ("x alone", "PointForm", INVALID, good[1:33]),
        ("x alone after 04", "PointForm", INVALID, good[:33]),
        ("04 twice", "PointForm", INVALID, b"\x04" + good),
        ("05 for 04", "PointForm", INVALID, b"\x05" + good[1:]),
        ("00 for 04", "PointForm", INVALID, b"\0" + good[1:]),
        ("ff for 04", "PointForm", INVALID, b"\xff" + good[1:]),
        ("hex", "PointForm", INVALID, good.hex().encode()),
    ):
        yield from both(name, (flag,), result, r, s, key=key)


def cases() -> Iterator[Case]:
    for make in (off_the_curve, infinity, out_of_range, forms):
        yield from make()
