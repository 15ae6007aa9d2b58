"""Signatures that hold: special keys, nonces, lengths and values that only look unusual."""

from __future__ import annotations

from collections.abc import Iterator

from tests.vectors.sm2.generator import textbook as t
from tests.vectors.sm2.generator.cases import ACCEPTABLE, INVALID, VALID, Case, both, nonce_for, special_keys

# Around the block of SM3 (64), its padding (56), and Z_A (32) before the message.
LENGTHS = (
    0, 1, 2, 15, 16, 22, 23, 24, 31, 32, 33, 54, 55, 56, 63, 64, 65, 86, 87, 88, 95, 96, 97, 119, 120, 127, 128, 129, 255, 256,
    1000, 10240,
)  # fmt: skip
IDS = (1, 2, 15, 16, 17, 18, 31, 32, 33, 63, 64, 100, 127, 128, 255, 256, 1000, 4096, 8190, 8191)


def standard() -> Iterator[Case]:
    yield from both("example of GB/T 32918.5 annex A", ("StandardExample",), VALID, *t.STANDARD)


def lengths() -> Iterator[Case]:
    for size in LENGTHS:
        message = (bytes(range(256)) * 40)[:size]
        pair = t.sign(t.D, t.digest(t.D, message), f"length {size}")
        yield from both(f"message of {size} octets", ("MessageLength",), VALID, *pair, msg=message)
    for name, message in (
        ("zeros", bytes(32)), ("ones", b"\xff" * 32), ("hex digits", b"6d657373616765"), ("line ends", b"a\r\n\nb\r"),
        ("NUL inside", b"message\0digest"), ("Chinese in UTF-8", "综合窗口".encode()), ("not UTF-8", b"\xc3\x28\xff\xfe"),
        ("DER", t.seq(t.number(1))), ("a digest", t.sm3(b"")),
    ):  # fmt: skip
        pair = t.sign(t.D, t.digest(t.D, message), f"content {name}")
        yield from both(f"message: {name}", ("MessageContent",), VALID, *pair, msg=message)


def keys() -> Iterator[Case]:
    for name, d in special_keys().items():
        key = t.octets(t.base(d))
        pair = t.sign(d, t.digest(d, t.MESSAGE), name)
        yield from both(name, ("SpecialPublicKey",), VALID, *pair, key=key)
        yield from both(f"{name}, other message", ("WrongMessage",), INVALID, *pair, key=key, msg=b"message digesT")
        other = t.octets(t.negative(t.base(d)))
        yield Case(f"{name}, key negated", ("WrongKey",), INVALID, t.rs(*pair), key=other)


def random_keys() -> Iterator[Case]:
    for number in range(16):
        d = t.scalar(f"key {number}")
        message = f"random key {number}".encode()
        pair = t.sign(d, t.digest(d, message), f"random {number}")
        yield from both(f"random key {number}", ("Random",), VALID, *pair, key=t.octets(t.base(d)), msg=message)


def nonces() -> Iterator[Case]:
    """Nonces at the ends of the range or with few bits: their points come from the first entries of every table."""
    e = t.digest(t.D, t.MESSAGE)
    half = (t.N - 1) // 2
    for name, k in (
        ("1", 1), ("2", 2), ("3", 3), ("n-1", t.N - 1), ("n-2", t.N - 2), ("(n-1)/2", half), ("(n+1)/2", half + 1),
        ("2^64", 1 << 64), ("2^128", 1 << 128), ("2^255", 1 << 255), ("d", t.D), ("n-d", t.N - t.D), ("d+1", t.D + 1),
        ("2d", 2 * t.D % t.N),
    ):  # fmt: skip
        yield from both(f"k is {name}", ("SpecialNonce",), VALID, *t.sign_with(t.D, e, k))


def short_values() -> Iterator[Case]:
    """r or s with leading zero octets or a leading one bit: DER grows and shrinks, raw must pad."""
    e = t.digest(t.D, t.MESSAGE)
    for name, which, shift, wanted in (
        ("r has a zero octet", 0, 248, 0), ("s has a zero octet", 1, 248, 0), ("r starts with 04", 0, 248, 4),
        ("s starts with 04", 1, 248, 4), ("r starts with 7f", 0, 248, 0x7F), ("s starts with 7f", 1, 248, 0x7F),
        ("r starts with 80", 0, 248, 0x80), ("s starts with 80", 1, 248, 0x80), ("r starts with 00 80", 0, 247, 0),
        ("two zero octets in r, 5", 0, 240, 0), ("two zero octets in s", 1, 240, 0),
    ):  # fmt: skip
        k = nonce_for(t.D, e, which, shift, wanted, name)
        yield from both(name, ("LeadingZeros",), VALID, *t.sign_with(t.D, e, k))


def ids() -> Iterator[Case]:
    for size in IDS:
        own = (b"ALICE123@YAHOO.COM" if size == 18 else bytes(range(33, 127)) * 90)[:size]
        pair = t.sign(t.D, t.digest(t.D, t.MESSAGE, own), f"id {size}")
        yield from both(f"id of {size} octets", ("SignerId",), VALID, *pair, id=own)
    for name, own in (
        ("Chinese in UTF-8", "综合窗口".encode()), ("not UTF-8", b"\xff\xfe\x00\x01"), ("NUL inside", b"a\0b"),
        ("NULs only", bytes(16)), ("hex digits", b"31323334353637383132333435363738"),
    ):  # fmt: skip
        pair = t.sign(t.D, t.digest(t.D, t.MESSAGE, own), f"id {name}")
        yield Case(f"id: {name}", ("SignerId",), VALID, t.rs(*pair), id=own)
    pair = t.sign(t.D, t.digest(t.D, t.MESSAGE, b""), "empty id")
    yield from both("empty id", ("EmptyId",), ACCEPTABLE, *pair, id=b"")


def cases() -> Iterator[Case]:
    for make in (standard, lengths, keys, random_keys, nonces, short_values, ids):
        yield from make()
