"""Ciphertexts by defect: 04 || C1 || C3 || C2 (GB/T 32918.4-2016) and the DER of GM/T 0009."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.vectors.sm2.generator import textbook as t
from tests.vectors.sm2.generator.cases import ACCEPTABLE, INVALID, VALID
from tests.vectors.sm2.generator.points import small_order

TEXT = b"encryption standard"
NONCE = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
SIZES = (1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 96, 127, 128, 255, 256, 1000, 10_000)


class Sealed(NamedTuple):
    """``form``: c1c3c2, c1c2c3 or der. ``msg`` is the plaintext, None where there must be none."""

    comment: str
    flags: tuple[str, ...]
    result: str
    form: str
    ct: bytes
    msg: bytes | None = None


def stream(point: t.Affine, size: int) -> bytes:
    z = t.b32(point[0]) + t.b32(point[1])
    blocks = (t.sm3(z + counter.to_bytes(4, "big")) for counter in range(1, size // 32 + 2))
    return b"".join(blocks)[:size]


def sealed_to(shared: t.Affine, plaintext: bytes) -> tuple[bytes, bytes]:
    """(C3, C2) for a shared point."""
    c2 = bytes(a ^ b for a, b in zip(plaintext, stream(shared, len(plaintext)), strict=True))
    return t.sm3(t.b32(shared[0]) + plaintext + t.b32(shared[1])), c2


def encrypt(k: int, plaintext: bytes) -> tuple[t.Affine, bytes, bytes]:
    """(C1, C3, C2) under the key D."""
    shared = t.mul(k, t.base(t.D))
    assert shared is not None
    return t.base(k), *sealed_to(shared, plaintext)


def der(c1: t.Affine, c3: bytes, c2: bytes) -> bytes:
    return t.seq(t.number(c1[0]), t.number(c1[1]), t.tlv(4, c3), t.tlv(4, c2))


def three(comment: str, flag: str, k: int, plaintext: bytes) -> Iterator[Sealed]:
    """A good ciphertext in its three forms."""
    c1, c3, c2 = encrypt(k, plaintext)
    yield Sealed(comment, (flag,), VALID, "c1c3c2", t.octets(c1) + c3 + c2, plaintext)
    yield Sealed(comment, (flag,), VALID, "c1c2c3", t.octets(c1) + c2 + c3, plaintext)
    yield Sealed(comment, (flag,), VALID, "der", der(c1, c3, c2), plaintext)


def good() -> Iterator[Sealed]:
    yield from three("example of GB/T 32918.5 annex C", "StandardExample", NONCE, TEXT)
    for size in SIZES:
        yield from three(
            f"{size} octets", "PlaintextLength", t.scalar(f"plaintext {size}"), (bytes(range(200)) * 50)[:size]
        )
    for name, k in (("k is 1", 1), ("k is 2", 2), ("k is n-1", t.N - 1), ("k is n-2", t.N - 2)):
        yield from three(name, "SpecialPoint", k, TEXT)
    for axis, letter in enumerate("xy"):
        k = t.scalar(f"C1 with short {letter}")
        while t.base(k)[axis] >> 248:
            k += 1
        yield from three(f"{letter} of C1 has a zero octet", "SpecialPoint", k, TEXT)


def changed() -> Iterator[Sealed]:
    c1, c3, c2 = encrypt(NONCE, TEXT)
    point, whole = t.octets(c1), t.octets(c1) + c3 + c2
    for at in (0, 1, 15, 31):
        bent = c3[:at] + bytes((c3[at] ^ 1,)) + c3[at + 1 :]
        yield Sealed(f"octet {at} of C3 changed", ("WrongC3",), INVALID, "c1c3c2", point + bent + c2)
        yield Sealed(f"octet {at} of C3 changed", ("WrongC3",), INVALID, "der", der(c1, bent, c2))
    for name, bent in (("zeros", bytes(32)), ("ones", b"\xff" * 32), ("reversed", c3[::-1]), ("of C2", t.sm3(c2))):
        yield Sealed(f"C3: {name}", ("WrongC3",), INVALID, "c1c3c2", point + bent + c2)
        yield Sealed(f"C3: {name}", ("WrongC3",), INVALID, "c1c2c3", point + c2 + bent)
    for at in (0, 1, 9, 18):
        bent = c2[:at] + bytes((c2[at] ^ 1,)) + c2[at + 1 :]
        for form, data in (("c1c3c2", point + c3 + bent), ("c1c2c3", point + bent + c3), ("der", der(c1, c3, bent))):
            yield Sealed(f"octet {at} of C2 changed", ("WrongC2",), INVALID, form, data)
    yield Sealed("another nonce's C1", ("WrongC3",), INVALID, "c1c3c2", t.octets(t.base(NONCE + 1)) + c3 + c2)
    yield Sealed("C1 negated", ("WrongC3",), INVALID, "c1c3c2", t.octets(t.negative(c1)) + c3 + c2)
    yield Sealed("C1C2C3 offered as C1C3C2", ("WrongOrder",), INVALID, "c1c3c2", point + c2 + c3)
    yield Sealed("C1C3C2 offered as C1C2C3", ("WrongOrder",), INVALID, "c1c2c3", whole)
    for size in (0, 1, 33, 64, 65, 66, 96, 97, len(whole) - 1):
        flag = "EmptyC2" if size == 97 else "Truncated"
        yield Sealed(f"the first {size} octets", (flag,), INVALID, "c1c3c2", whole[:size])
    yield Sealed("an octet after", ("TrailingBytes",), INVALID, "c1c3c2", whole + b"\0")
    yield Sealed("an octet before", ("TrailingBytes",), INVALID, "c1c3c2", b"\0" + whole)
    yield Sealed("DER offered as raw", ("WrongForm",), INVALID, "c1c3c2", der(c1, c3, c2))
    yield Sealed("raw offered as DER", ("WrongForm",), INVALID, "der", whole)
    yield Sealed("hex", ("WrongForm",), INVALID, "c1c3c2", whole.hex().encode())


def degenerate() -> Iterator[Sealed]:
    k = t.scalar("zero stream")
    while any(stream(t.mul(k, t.base(t.D)) or t.G, 1)):
        k += 1
    c1, c3, c2 = encrypt(k, b"A")
    for form, data in (("c1c3c2", t.octets(c1) + c3 + c2), ("der", der(c1, c3, c2))):
        yield Sealed("key stream of one zero octet", ("ZeroKeyStream",), INVALID, form, data)
    c1, c3, _ = encrypt(NONCE, b"")
    yield Sealed("nothing encrypted, C3 right", ("EmptyC2",), INVALID, "c1c3c2", t.octets(c1) + c3)
    yield Sealed("nothing encrypted, C3 right", ("EmptyC2",), INVALID, "der", der(c1, c3, b""))


def points() -> Iterator[Sealed]:
    """C1 that is no point. Small orders come with the C3 and C2 that decryption without a check would find good."""
    c1, c3, c2 = encrypt(NONCE, TEXT)
    rest = c3 + c2
    for name, (_, point) in small_order().items():
        shared = t.mul(t.D, point)
        if shared is not None:
            yield Sealed(
                name, ("InvalidCurve",), INVALID, "c1c3c2", t.octets(point) + b"".join(sealed_to(shared, TEXT))
            )
            yield Sealed(name, ("InvalidCurve",), INVALID, "der", der(point, *sealed_to(shared, TEXT)))
    for name, other in (("(5, 7)", (5, 7)), ("y changed", (c1[0], c1[1] ^ 1)), ("x changed", (c1[0] ^ 1, c1[1]))):
        shared = t.mul(t.D, other)
        assert shared is not None
        made = sealed_to(shared, TEXT)
        yield Sealed(
            f"{name}, made to hold there", ("InvalidCurve",), INVALID, "c1c3c2", t.octets(other) + b"".join(made)
        )
        yield Sealed(f"{name}, made to hold there", ("InvalidCurve",), INVALID, "der", der(other, *made))
        yield Sealed(name, ("NotOnCurve",), INVALID, "c1c3c2", t.octets(other) + rest)
    for name, data in (("(0, 0)", b"\x04" + bytes(64)), ("00", b"\0"), ("65 zero octets", bytes(65))):
        made = sealed_to((0, 0), TEXT)
        yield Sealed(f"{name}, made to hold for (0, 0)", ("Infinity",), INVALID, "c1c3c2", data + b"".join(made))
    x, y = next((x, y) for x in range(40) if (y := t.curve_y(x)) is not None)
    shared = t.mul(t.D, (x, y))
    assert shared is not None
    made = sealed_to(shared, TEXT)
    yield Sealed("x + p", ("CoordinateRange",), INVALID, "c1c3c2", t.octets((x + t.P, y)) + b"".join(made))
    yield Sealed("x + p", ("CoordinateRange",), INVALID, "der", der((x + t.P, y), *made))
    yield Sealed("x = p", ("CoordinateRange",), INVALID, "c1c3c2", t.octets((t.P, c1[1])) + rest)
    odd = c1[1] & 1
    yield Sealed(
        "compressed", ("CompressedPoint",), ACCEPTABLE, "c1c3c2", bytes((2 + odd,)) + t.b32(c1[0]) + rest, TEXT
    )
    yield Sealed("mixed", ("HybridPoint",), ACCEPTABLE, "c1c3c2", bytes((6 + odd,)) + t.octets(c1)[1:] + rest, TEXT)
    yield Sealed("mixed, other parity", ("PointForm",), INVALID, "c1c3c2", bytes((7 - odd,)) + t.octets(c1)[1:] + rest)
    yield Sealed("without 04", ("PointForm",), INVALID, "c1c3c2", t.octets(c1)[1:] + rest)
    yield Sealed("05 for 04", ("PointForm",), INVALID, "c1c3c2", b"\x05" + t.octets(c1)[1:] + rest)


def structures() -> Iterator[Sealed]:
    """The SEQUENCE of GM/T 0009: x, y, hash, cipher text."""
    (x, y), c3, c2 = encrypt(NONCE, TEXT)
    one, two, three_, four = t.number(x), t.number(y), t.tlv(4, c3), t.tlv(4, c2)
    whole = t.seq(one, two, three_, four)
    body = one + two + three_ + four
    for flag, name, data in (
        ("TrailingBytes", "an octet after", whole + b"\0"),
        ("TrailingBytes", "NULL inside", t.seq(one, two, three_, four, b"\x05\0")),
        ("Truncated", "cut", whole[:-1]),
        ("Truncated", "nothing", b""),
        ("BerLength", "length in one octet more than needed", b"\x30\x82" + len(body).to_bytes(2, "big") + body),
        ("BerLength", "indefinite length", b"\x30\x80" + body + b"\0\0"),
        ("BerLength", "long length of the hash", t.seq(one, two, b"\x04\x81\x20" + c3, four)),
        ("WrongInteger", "x with a zero octet too many", t.seq(t.number(x, 1), two, three_, four)),
        ("WrongInteger", "y negative", t.seq(one, t.number(-y), three_, four)),
        ("WrongInteger", "x without its sign octet", t.seq(t.tlv(2, b"\xff" + t.b32(x)), two, three_, four)),
        ("CoordinateRange", "x + 2^256", t.seq(t.number(x + (1 << 256)), two, three_, four)),
        ("CoordinateRange", "x + p", t.seq(t.number(x + t.P), two, three_, four)),
        ("WrongMember", "hash of 31 octets", t.seq(one, two, t.tlv(4, c3[1:]), four)),
        ("WrongMember", "hash of 33 octets", t.seq(one, two, t.tlv(4, c3 + b"\0"), four)),
        ("WrongMember", "empty hash", t.seq(one, two, t.tlv(4, b""), four)),
        ("WrongMember", "hash and cipher text exchanged", t.seq(one, two, four, three_)),
        ("WrongMember", "no cipher text", t.seq(one, two, three_)),
        ("WrongMember", "no y", t.seq(one, three_, four)),
        ("WrongMember", "BIT STRING for the hash", t.seq(one, two, t.tlv(3, b"\0" + c3), four)),
        ("WrongMember", "a SET", b"\x31" + whole[1:]),
        ("WrongMember", "constructed OCTET STRING", t.seq(one, two, three_, t.tlv(0x24, four))),
        ("NotOnCurve", "y changed", t.seq(one, t.number(y ^ 1), three_, four)),
        ("Infinity", "(0, 0)", t.seq(t.number(0), t.number(0), three_, four)),
    ):
        yield Sealed(name, (flag,), INVALID, "der", data)


def cases() -> Iterator[Sealed]:
    for make in (good, changed, degenerate, points, structures):
        yield from make()
