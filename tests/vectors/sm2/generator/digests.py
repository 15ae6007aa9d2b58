"""Good signatures over the wrong digest: another id, Z_A made otherwise, hashed once too often, another algorithm."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from tests.vectors.sm2.generator import textbook as t
from tests.vectors.sm2.generator.cases import INVALID, Case, both

MESSAGES = (t.MESSAGE, b"", "办件".encode() * 40)
OTHER_IDS = (
    ("empty", b""), ("ALICE123@YAHOO.COM", b"ALICE123@YAHOO.COM"), ("one octet less", t.ID[:-1]), ("one octet more", t.ID + b"8"),
    ("NUL after", t.ID + b"\0"), ("line end after", t.ID + b"\n"), ("hex of it", t.ID.hex().encode()), ("NULs", bytes(16)),
    ("reversed", t.ID[::-1]), ("one bit", b"1234567812345679"), ("in UTF-16", t.ID.decode().encode("utf-16-le")),
    ("its octets as numbers", bytes.fromhex(t.ID.decode())),
)  # fmt: skip


def ids() -> Iterator[Case]:
    for name, other in OTHER_IDS:
        pair = t.sign(t.D, t.digest(t.D, t.MESSAGE, other), f"signed with {name}")
        yield from both(f"signed with the id {name}", ("WrongId",), INVALID, *pair)
        pair = t.sign(t.D, t.digest(t.D, t.MESSAGE), f"offered with {name}")
        flag = "DefaultIdForEmpty" if not other else "WrongId"
        yield from both(f"signed with the default id, offered with {name}", (flag,), INVALID, *pair, id=other)
    for name, own, signed in (
        ("cut at a NUL", b"a\0b", b"a"),
        ("cut at 64", b"x" * 65, b"x" * 64),
        ("cut at 255", b"x" * 256, b"x" * 255),
    ):
        pair = t.sign(t.D, t.digest(t.D, t.MESSAGE, signed), name)
        yield from both(f"id {name}", ("WrongId",), INVALID, *pair, id=own)


def entl() -> Iterator[Case]:
    """ENTL counts bits in two octets, the high one first."""
    key = t.octets(t.base(t.D))
    for own in (t.ID, b"ALICE123@YAHOO.COM", b"a", b"x" * 32, b"x" * 300):
        bits = 8 * len(own)
        for name, number in (
            ("octets", len(own)), ("hex digits", 2 * len(own)), ("zero", 0), ("low octet first", bits % 256 * 256 + bits // 256),
            ("of the default id", 128),
        ):  # fmt: skip
            if number != bits:
                e = t.sm3(t.za(key[1:], own, number) + t.MESSAGE)
                pair = t.sign(t.D, e, f"ENTL {name} {len(own)}")
                yield Case(f"ENTL: {name}, id of {len(own)} octets", ("WrongEntl",), INVALID, t.rs(*pair), id=own)
    for size in (8192, 8193, 16384):
        own = b"x" * size
        e = t.sm3(t.za(key[1:], own, 8 * size % 65536) + t.MESSAGE)
        pair = t.sign(t.D, e, f"ENTL overflow {size}")
        yield Case(f"id of {size} octets, ENTL overflows", ("IdTooLong",), INVALID, t.rs(*pair), id=own)


def wrong_digests(message: bytes) -> Iterator[tuple[str, str, bytes]]:
    key = t.octets(t.base(t.D))
    z, h = t.za(key[1:], t.ID), t.sm3(message)
    entl = (8 * len(t.ID)).to_bytes(2, "big")
    curve = b"".join(map(t.b32, (t.A, t.B, *t.G)))
    yield "NoZa", "e = SM3(M)", h
    yield "NoZa", "e = SM3(32 zero octets || M)", t.sm3(bytes(32) + message)
    yield "NoZa", "e = SM3(id || M)", t.sm3(t.ID + message)
    yield "DoubleHash", "e = SM3(Z || SM3(M))", t.sm3(z + h)
    yield "DoubleHash", "e = SM3(SM3(Z || M))", t.sm3(t.sm3(z + message))
    yield "DoubleHash", "e = SM3(SM3(M))", t.sm3(h)
    yield "DoubleHash", "e = SM3(Z || hex of SM3(M))", t.sm3(z + h.hex().encode())
    yield "WrongZa", "e = SM3(M || Z)", t.sm3(message + z)
    yield "WrongZa", "e = SM3(hex of Z || M)", t.sm3(z.hex().encode() + message)
    yield "WrongZa", "Z without ENTL", t.sm3(t.sm3(t.ID + curve + key[1:]) + message)
    yield "WrongZa", "Z without the curve", t.sm3(t.sm3(entl + t.ID + key[1:]) + message)
    yield "WrongZa", "Z without the key", t.sm3(t.sm3(entl + t.ID + curve) + message)
    yield "WrongZa", "Z with 04 before the key", t.sm3(t.sm3(entl + t.ID + curve + key) + message)
    yield "WrongZa", "Z with x of the key alone", t.sm3(t.sm3(entl + t.ID + curve + key[1:33]) + message)
    yield "WrongZa", "Z with y before x", t.sm3(t.sm3(entl + t.ID + curve + key[33:] + key[1:33]) + message)
    yield (
        "WrongZa",
        "Z with the generator first",
        t.sm3(t.sm3(entl + t.ID + curve[64:] + curve[:64] + key[1:]) + message),
    )
    yield "WrongZa", "Z of another key", t.sm3(t.za(t.octets(t.base(t.D + 1))[1:], t.ID) + message)
    yield "WrongHash", "SHA-256 for both hashes", _all(hashlib.sha256, entl + t.ID + curve + key[1:], message)
    yield "WrongHash", "SHA-256 for the message", hashlib.sha256(z + message).digest()
    yield "WrongHash", "the message itself as e", message[:32].ljust(32, b"\0")
    yield "WrongHash", "e with its octets reversed", t.sm3(z + message)[::-1]
    yield "WrongHash", "e of zeros", bytes(32)


def _all(algorithm: object, first: bytes, message: bytes) -> bytes:
    z = algorithm(first).digest()  # type: ignore[operator]
    return bytes(algorithm(z + message).digest())  # type: ignore[operator]


def prehash() -> Iterator[Case]:
    for message in MESSAGES:
        for flag, comment, e in wrong_digests(message):
            if e == t.digest(t.D, message):
                continue  # M || Z is Z || M for the empty message
            pair = t.sign(t.D, e, f"{comment} {len(message)}")
            yield from both(f"{comment}, message of {len(message)} octets", (flag,), INVALID, *pair, msg=message)


def algorithms() -> Iterator[Case]:
    """Right digest, wrong equation: what other schemes would make of the same key and digest."""
    e = int.from_bytes(t.digest(t.D, t.MESSAGE), "big")
    k = t.scalar("another algorithm")
    x = t.base(k)[0]
    inverse = pow(k, -1, t.N)
    for name, r, s in (
        ("ECDSA on this curve", x % t.N, inverse * (e + x * t.D) % t.N),
        ("EC-KCDSA-like: s = (k - r·d)", (e + x) % t.N, (k - (e + x) * t.D) % t.N),
        ("Schnorr-like: s = k + r·d", (e + x) % t.N, (k + (e + x) * t.D) % t.N),
        ("r without e", x % t.N, pow(1 + t.D, -1, t.N) * (k - x * t.D) % t.N),
        ("r with y for x", (e + t.base(k)[1]) % t.N, pow(1 + t.D, -1, t.N) * (k - (e + t.base(k)[1]) * t.D) % t.N),
        ("s with 1 - d", (e + x) % t.N, pow(1 - t.D, -1, t.N) * (k - (e + x) * t.D) % t.N),
        ("s with k + r·d", (e + x) % t.N, pow(1 + t.D, -1, t.N) * (k + (e + x) * t.D) % t.N),
        ("r mod p", (e + x) % t.P, pow(1 + t.D, -1, t.N) * (k - (e + x) % t.P * t.D) % t.N),
    ):
        if name != "r mod p" or r != (e + x) % t.N:
            yield from both(name, ("OtherAlgorithm",), INVALID, r, s)
    sample = (
        0x40F1EC59F793D9F49E09DCEF49130D4194F79FB1EED2CAA55BACDB49C4E755D1,
        0x6FC6DAC32C5D5CF10C77DFB20F7C2EB667A457872FB09EC56327A67EC7DEEBE7,
    )
    yield from both(
        "example on the sample curve of GM/T 0003.2", ("OtherCurve",), INVALID, *sample, id=b"ALICE123@YAHOO.COM"
    )


def cases() -> Iterator[Case]:
    for make in (ids, entl, prehash, algorithms):
        yield from make()
