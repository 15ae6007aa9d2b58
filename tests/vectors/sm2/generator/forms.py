"""Good numbers in bad forms: DER that is not DER, and raw octets that are not 64."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from tests.vectors.sm2.generator import textbook as t
from tests.vectors.sm2.generator.cases import INVALID, Case, nonce_for

Forms = Iterator[tuple[str, str, bytes]]  # flag, comment, bytes


def pairs() -> dict[str, t.Affine]:
    """Three good signatures: both numbers with a sign octet, neither with one, and one with a short r."""
    e = t.digest(t.D, t.MESSAGE)
    found: dict[str, t.Affine] = {}
    number = 0
    while len(found) < 2:
        pair = t.sign(t.D, e, f"form {number}")
        tops = (pair[0] >> 255, pair[1] >> 255)
        if tops in ((0, 0), (1, 1)):
            found.setdefault("padded" if tops[0] else "unpadded", pair)
        number += 1
    found["short r"] = t.sign_with(t.D, e, nonce_for(t.D, e, 0, 248, 0, "r has a zero octet"))
    return found


def lengths(r: int, s: int) -> Forms:
    """The length octets: longer than they must be, indefinite, and untrue."""
    one, two = t.number(r), t.number(s)
    body = one + two
    sized = {"sequence": (b"\x30", body, lambda made: made), "r": (b"\x02", t.content(r), lambda made: t.seq(made, two)),
             "s": (b"\x02", t.content(s), lambda made: t.seq(one, made))}  # fmt: skip
    for name, (tag, inner, around) in sized.items():
        size = len(inner)
        for octets in (1, 2, 3, 4, 5, 8):
            form = bytes((0x80 + octets,)) + size.to_bytes(octets, "big")
            yield "BerLength", f"{octets} length octets for the {name}", around(tag + form + inner)
        yield "IndefiniteLength", f"indefinite length of the {name}", around(tag + b"\x80" + inner + b"\0\0")
        yield "IndefiniteLength", f"indefinite length of the {name}, no end", around(tag + b"\x80" + inner)
        for what, form in (
            ("one less", bytes((size - 1,))), ("one more", bytes((size + 1,))), ("zero", b"\0"), ("127", b"\x7f"),
            ("255, long form", b"\x81\xff"), ("2^32-1", b"\x84" + b"\xff" * 4), ("2^31", b"\x84\x80\0\0\0"),
            ("2^64-1", b"\x88" + b"\xff" * 8), ("size + 2^32", b"\x85\x01\0\0\0" + bytes((size,))),
            ("size + 2^64", b"\x89\x01" + bytes(7) + bytes((size,))), ("ff", b"\xff"),
        ):  # fmt: skip
            yield "WrongLength", f"length of the {name}: {what}", around(tag + form + inner)


def integers(r: int, s: int) -> Forms:
    """The content octets of the two INTEGERs."""
    for count in (1, 2, 8):
        yield "NonMinimalInteger", f"r with {count} zero octets too many", t.seq(t.number(r, count), t.number(s))
        yield "NonMinimalInteger", f"s with {count} zero octets too many", t.seq(t.number(r), t.number(s, count))
    yield "NonMinimalInteger", "both with a zero octet too many", t.seq(t.number(r, 1), t.number(s, 1))
    yield "NegativeInteger", "r negative", t.rs(-r, s)
    yield "NegativeInteger", "s negative", t.rs(r, -s)
    yield "NegativeInteger", "both negative", t.rs(-r, -s)
    yield "NegativeInteger", "r with ff in front", t.seq(t.tlv(2, b"\xff" + t.content(r)), t.number(s))
    if r >> 255:
        yield "NegativeInteger", "r without its sign octet", t.seq(t.tlv(2, t.b32(r)), t.number(s))
        yield "NegativeInteger", "both without their sign octets", t.seq(t.tlv(2, t.b32(r)), t.tlv(2, t.b32(s)))
    yield "EmptyInteger", "r empty", t.seq(b"\x02\0", t.number(s))
    yield "EmptyInteger", "s empty", t.seq(t.number(r), b"\x02\0")
    yield "WrongInteger", "r cut", t.seq(t.tlv(2, t.content(r)[:-1]), t.number(s))
    yield "WrongInteger", "s with an octet more", t.seq(t.number(r), t.tlv(2, t.content(s) + b"\0"))
    yield "WrongInteger", "r little-endian", t.seq(t.tlv(2, t.content(r)[::-1]), t.number(s))


def members(r: int, s: int) -> Forms:
    """What stands in the SEQUENCE, around it and after it."""
    one, two, good = t.number(r), t.number(s), t.rs(r, s)
    for name, more in (
        ("00", b"\0"), ("00 00", b"\0\0"), ("NULL", b"\x05\0"), ("an INTEGER", t.number(1)), ("itself", good),
        ("line end", b"\n"), ("ff", b"\xff"),
    ):  # fmt: skip
        yield "TrailingBytes", f"after the sequence: {name}", good + more
        yield "ExtraMember", f"in the sequence, after s: {name}", t.seq(one, two, more)
        yield "ExtraMember", f"in the sequence, before r: {name}", t.seq(more, one, two)
    yield "ExtraMember", "in the sequence, between: NULL", t.seq(one, b"\x05\0", two)
    for name, data in (
        ("nothing", b""), ("an empty sequence", t.seq()), ("only r", t.seq(one)), ("no outer sequence", one + two),
        ("NULL", b"\x05\0"), ("two NULLs", t.seq(b"\x05\0", b"\x05\0")), ("30", b"\x30"), ("r in the place of s", t.seq(one, one)),
        ("00 before", b"\0" + good), ("no s but its tag", t.seq(one, b"\x02")), ("zeros", bytes(len(good))),
        ("ones", b"\xff" * len(good)),
    ):  # fmt: skip
        yield "MissingMember", name, data
    for size in (1, 2, 3, 4, 5, len(one) + 1, len(one) + 2, len(good) // 2, len(good) - 1):
        yield "Truncated", f"the first {size} octets", good[:size]


def tags(r: int, s: int) -> Forms:
    one, two = t.number(r), t.number(s)
    for tag in (0x10, 0x31, 0x24, 0x2E, 0x04, 0xA0, 0x60, 0x00, 0xFF):
        yield "WrongTag", f"{tag:02x} for the sequence", bytes((tag,)) + t.rs(r, s)[1:]
    for tag in (0x00, 0x01, 0x03, 0x04, 0x0A, 0x0C, 0x82, 0xA2, 0x42, 0xFF):
        yield "WrongTag", f"{tag:02x} for r", t.seq(bytes((tag,)) + one[1:], two)
        yield "WrongTag", f"{tag:02x} for s", t.seq(one, bytes((tag,)) + two[1:])
    yield "Constructed", "r in a constructed INTEGER", t.seq(t.tlv(0x22, one), two)
    yield "Constructed", "s in a constructed INTEGER", t.seq(one, t.tlv(0x22, two))
    yield "Constructed", "high tag form", b"\x3f\x10" + t.rs(r, s)[1:]
    for name, data in (
        ("a sequence", t.seq(t.rs(r, s))), ("an OCTET STRING", t.tlv(4, t.rs(r, s))),
        ("a BIT STRING", t.tlv(3, b"\0" + t.rs(r, s))), ("a SET", t.tlv(0x31, t.rs(r, s))), ("[0]", t.tlv(0xA0, t.rs(r, s))),
    ):  # fmt: skip
        yield "Wrapped", f"in {name}", data
    yield "Wrapped", "each number in a sequence", t.seq(t.seq(one), t.seq(two))
    yield "Wrapped", "OCTET STRINGs of 32", t.seq(t.tlv(4, t.b32(r)), t.tlv(4, t.b32(s)))


def texts(r: int, s: int) -> Forms:
    good = t.rs(r, s)
    yield "TextForm", "hex", good.hex().encode()
    yield "TextForm", "Base64", base64.b64encode(good)
    yield "TextForm", "PEM", t.pem("SIGNATURE", good).encode()
    yield "RawAsDer", "raw", t.raw(r, s)
    yield "RawAsDer", "raw in a sequence", t.seq(t.raw(r, s))
    yield "RawAsDer", "raw in an OCTET STRING", t.tlv(4, t.raw(r, s))


def raws(r: int, s: int) -> Forms:
    raw = t.raw(r, s)
    plain = b"".join(value.to_bytes((value.bit_length() + 7) // 8, "big") for value in (r, s))
    for name, data in (
        ("nothing", b""), ("r alone", raw[:32]), ("62 octets", raw[1:-1]), ("63 octets", raw[:-1]), ("63 octets, r cut", raw[1:]),
        ("65 octets", raw + b"\0"), ("65 octets, 00 before", b"\0" + raw), ("65 octets, 04 before", b"\x04" + raw),
        ("66 octets, each 00 before", b"\0" + raw[:32] + b"\0" + raw[32:]), ("96 octets", raw + raw[:32]),
        ("128 octets", raw + raw), ("line end after", raw + b"\n"), ("little-endian", raw[:32][::-1] + raw[32:][::-1]),
        ("reversed", raw[::-1]), ("zeros", bytes(64)), ("ones", b"\xff" * 64),
    ):  # fmt: skip
        yield "RawForm", name, data
    if len(plain) < 64:
        yield "RawForm", "numbers without their zero octets", plain
    text = raw.hex().encode()
    for name, data in (
        ("hex", text), ("upper-case hex", text.upper()), ("0x before", b"0x" + text), ("spaces", b" ".join((text[:64], text[64:]))),
        ("underscore", text[:64] + b"_" + text[64:]), ("Base64", base64.b64encode(raw)),
        ("64 octets with a space in front", b" " + raw[1:]),
    ):  # fmt: skip
        yield "TextForm", name, data
    yield "DerAsRaw", "DER", t.rs(r, s)


def cases() -> Iterator[Case]:
    for name, pair in pairs().items():
        kinds = (lengths, integers, members, tags, texts) if name != "short r" else (integers, texts)
        for kind in kinds:
            for flag, comment, data in kind(*pair):
                yield Case(f"{name}: {comment}", (flag,), INVALID, data)
        for flag, comment, data in raws(*pair):
            yield Case(f"{name}: {comment}", (flag,), INVALID, data, "raw")
