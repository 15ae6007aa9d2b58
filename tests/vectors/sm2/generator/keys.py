"""Key files by defect: PKCS#8, SEC1 and SubjectPublicKeyInfo in PEM. ``code``: the refusal that Tongban gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.vectors.sm2.generator import textbook as t
from tests.vectors.sm2.generator.cases import ACCEPTABLE, INVALID, VALID
from tests.vectors.sm2.generator.points import P256_G, small_order

P256 = bytes.fromhex("06082a8648ce3d030107")
RSA = bytes.fromhex("06092a864886f70d010101")
SM2_AS_KEY_TYPE = t.seq(t.SM2)


class File(NamedTuple):
    """``d``: the private key of a good one."""

    comment: str
    flags: tuple[str, ...]
    result: str
    pem: str
    code: str = ""
    d: int = t.D


def explicit(generator: t.Affine) -> bytes:
    """ECParameters of our curve with a generator of the forger's choice (CVE-2020-0601)."""
    field = t.seq(bytes.fromhex("06072a8648ce3d0101"), t.number(t.P))
    curve = t.seq(t.tlv(4, t.b32(t.A)), t.tlv(4, t.b32(t.B)))
    return t.seq(t.number(1), field, curve, t.tlv(4, t.octets(generator)), t.number(t.N), t.number(1))


def sec1(d: bytes, public: bytes | None, *middle: bytes) -> bytes:
    point = b"" if public is None else t.tlv(0xA1, t.tlv(3, b"\0" + public))
    return t.seq(t.number(1), t.tlv(4, d), *middle, point)


def pkcs8(inner: bytes, algorithm: bytes = t.seq(t.EC, t.SM2), version: int = 0, *more: bytes) -> str:
    return t.pem("PRIVATE KEY", t.seq(t.number(version), algorithm, t.tlv(4, inner), *more))


def private_keys() -> Iterator[File]:
    public = t.octets(t.base(t.D))
    d, named = t.b32(t.D), t.tlv(0xA0, t.SM2)
    good = sec1(d, public)
    for name, text in (
        ("PKCS#8", pkcs8(good)), ("PKCS#8 without the public point", pkcs8(sec1(d, None))),
        ("PKCS#8 naming the curve twice", pkcs8(sec1(d, public, named))),
        ("PKCS#8 with attributes", pkcs8(good, t.seq(t.EC, t.SM2), 0, t.tlv(0xA0, b""))),
        ("SEC1", t.pem("EC PRIVATE KEY", sec1(d, public, named))),
        ("SEC1 after parameters", t.pem("EC PARAMETERS", t.SM2) + t.pem("EC PRIVATE KEY", sec1(d, public, named))),
    ):  # fmt: skip
        yield File(name, ("Good",), VALID, text)
    for name, value in (("1", 1), ("n-2", t.N - 2)):
        yield File(f"d is {name}", ("Good",), VALID, pkcs8(sec1(t.b32(value), t.octets(t.base(value)))), d=value)
    for name, value in (("0", 0), ("n-1", t.N - 1), ("n", t.N), ("n+1", t.N + 1), ("2^256-1", (1 << 256) - 1)):
        yield File(
            f"d is {name}", ("PrivateKeyRange",), INVALID, pkcs8(sec1(t.b32(value), public)), "private-key-range"
        )
        alone = pkcs8(sec1(t.b32(value), None))
        yield File(f"d is {name}, no public point", ("PrivateKeyRange",), INVALID, alone, "private-key-range")
    for name, octets in (
        ("31 octets", d[1:]),
        ("33 octets", b"\0" + d),
        ("0 octets", b""),
        ("64 octets", bytes(32) + d),
    ):
        yield File(f"d of {name}", ("PrivateKeyRange",), INVALID, pkcs8(sec1(octets, public)), "private-key-range")
    yield from broken_private_keys()


def broken_private_keys() -> Iterator[File]:
    x, y = t.base(t.D)
    public = t.octets((x, y))
    d, good = t.b32(t.D), sec1(t.b32(t.D), public)
    forged, real = explicit((x, y)), explicit(t.G)
    longer = t.pem("PRIVATE KEY", t.seq(t.number(0), t.seq(t.EC, t.SM2), t.tlv(4, good)) + b"\0")
    for flag, code, named in (
        ("KeyMismatch", "key-mismatch", {
            "public point of another key": pkcs8(sec1(d, t.octets(t.base(t.D + 1)))),
            "public point negated": pkcs8(sec1(d, t.octets(t.negative((x, y))))),
        }),
        ("NotOnCurve", "public-key-off-curve", {"public point off the curve": pkcs8(sec1(d, t.octets((x, y ^ 1))))}),
        ("ExplicitParameters", "key-curve", {
            "explicit parameters": pkcs8(good, t.seq(t.EC, forged)),
            "explicit parameters, the real generator": pkcs8(good, t.seq(t.EC, real)),
            "explicit parameters inside": pkcs8(sec1(d, public, t.tlv(0xA0, forged))),
        }),
        ("NoCurve", "key-curve", {
            "SEC1 without a curve": t.pem("EC PRIVATE KEY", good),
            "PKCS#8 without a curve": pkcs8(good, t.seq(t.EC)),
            "PKCS#8 with NULL for a curve": pkcs8(good, t.seq(t.EC, b"\x05\0")),
        }),
        ("OtherCurve", "key-curve", {
            "P-256": pkcs8(good, t.seq(t.EC, P256)),
            "RSA": pkcs8(good, t.seq(RSA, b"\x05\0")),
            "P-256 inside": pkcs8(sec1(d, public, t.tlv(0xA0, P256))),
        }),
        ("KeyForm", "key-version", {
            "unknown version": pkcs8(good, t.seq(t.EC, t.SM2), 7),
            "unknown version inside": pkcs8(t.seq(t.number(2), t.tlv(4, d))),
        }),
        ("KeyForm", "der-trailing", {"byte after": longer, "byte after inside": pkcs8(good + b"\0")}),
        ("KeyForm", "pem-form", {
            "broken Base64": pkcs8(good).replace("MI", "M!", 1), "cut": pkcs8(good)[:-40],
            "public key given": t.pem("PUBLIC KEY", t.spki(public)), "empty": "",
        }),
    ):  # fmt: skip
        for name, text in named.items():
            yield File(name, (flag,), INVALID, text, code)


def public_keys() -> Iterator[File]:
    x, y = t.base(t.D)
    point, odd = t.octets((x, y)), y & 1

    def spki(data: bytes, algorithm: bytes = t.seq(t.EC, t.SM2)) -> str:
        return t.pem("PUBLIC KEY", t.spki(data, algorithm))

    yield File("SPKI", ("Good",), VALID, spki(point))
    yield File("SPKI with the curve as algorithm", ("Good",), ACCEPTABLE, spki(point, SM2_AS_KEY_TYPE))
    yield File("compressed", ("CompressedPoint",), ACCEPTABLE, spki(bytes((2 + odd,)) + t.b32(x)), "public-key-form")
    yield File("hybrid", ("HybridPoint",), ACCEPTABLE, spki(bytes((6 + odd,)) + point[1:]), "public-key-form")
    for name, (_, small) in small_order().items():
        yield File(name, ("NotOnCurve",), INVALID, spki(t.octets(small)), "public-key-off-curve")
    unused = t.pem("PUBLIC KEY", t.seq(t.seq(t.EC, t.SM2), t.tlv(3, b"\x01" + point)))
    endless = t.pem("PUBLIC KEY", b"\x30\x80" + t.seq(t.EC, t.SM2) + t.tlv(3, b"\0" + point) + b"\0\0")
    for flag, name, text, code in (
        ("NotOnCurve", "off the curve", spki(t.octets((x, y ^ 1))), "public-key-off-curve"),
        ("NotOnCurve", "on another curve", spki(t.octets((5, 7))), "public-key-off-curve"),
        ("NotOnCurve", "generator of P-256", spki(t.octets(P256_G)), "public-key-off-curve"),
        ("Infinity", "00", spki(b"\0"), "public-key-form"),
        ("Infinity", "(0, 0)", spki(b"\x04" + bytes(64)), "public-key-off-curve"),
        ("CoordinateRange", "x is p", spki(t.octets((t.P, y))), "public-key-off-curve"),
        ("CoordinateRange", "all ones", spki(b"\x04" + b"\xff" * 64), "public-key-off-curve"),
        ("PointForm", "hybrid, other parity", spki(bytes((7 - odd,)) + point[1:]), "public-key-form"),
        ("PointForm", "without 04", spki(point[1:]), "public-key-form"),
        ("PointForm", "an octet after the point", spki(point + b"\0"), "public-key-form"),
        ("PointForm", "nothing", spki(b""), "public-key-form"),
        ("ExplicitParameters", "explicit parameters", spki(point, t.seq(t.EC, explicit(t.base(t.D)))), "key-curve"),
        (
            "ExplicitParameters",
            "explicit parameters, the real generator",
            spki(point, t.seq(t.EC, explicit(t.G))),
            "key-curve",
        ),
        ("OtherCurve", "P-256", spki(point, t.seq(t.EC, P256)), "key-curve"),
        ("OtherCurve", "generator of P-256, named so", spki(t.octets(P256_G), t.seq(t.EC, P256)), "key-curve"),
        ("NoCurve", "no curve", spki(point, t.seq(t.EC)), "key-curve"),
        ("NoCurve", "NULL for a curve", spki(point, t.seq(t.EC, b"\x05\0")), "key-curve"),
        ("KeyForm", "unused bits", unused, "der-bits"),
        ("KeyForm", "indefinite length", endless, "der-length"),
        ("KeyForm", "byte after", t.pem("PUBLIC KEY", t.spki(point) + b"\0"), "der-trailing"),
        ("KeyForm", "empty", "", "pem-form"),
    ):
        yield File(name, (flag,), INVALID, text, code)
