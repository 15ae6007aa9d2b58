"""Writes signatures.json, ciphertexts.json and keys.json: vectors named by their defect, with the attack row they serve.

Stands alone on purpose: textbook affine arithmetic and hashlib's SM3, nothing of ours, so a vector that our code and this
file agree on was computed twice. Everything is derived from names, so a run always writes the same bytes.
``python tests/vectors/sm2/generate.py`` rewrites the files; a test checks that they are current.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
D = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8  # GB/T 32918.5 annex A
STANDARD = (
    0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3,
    0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA,
)
ID = b"1234567812345678"
MESSAGE = b"message digest"
HERE = Path(__file__).parent

Point = tuple[int, int] | None


def sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def add(one: Point, two: Point) -> Point:
    if one is None or two is None:
        return one or two
    if one[0] == two[0] and (one[1] + two[1]) % P == 0:
        return None
    rise, run = (3 * one[0] * one[0] + A, 2 * one[1]) if one == two else (two[1] - one[1], two[0] - one[0])
    slope = rise * pow(run, -1, P)
    x = (slope * slope - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def mul(k: int, point: Point) -> Point:
    found: Point = None
    while k:
        if k & 1:
            found = add(found, point)
        point = add(point, point)
        k >>= 1
    return found


def base(k: int) -> tuple[int, int]:
    point = mul(k, G)
    assert point is not None
    return point


def b32(value: int) -> bytes:
    return value.to_bytes(32, "big")


def scalar(name: str) -> int:
    return int.from_bytes(sm3(name.encode()), "big") % (N - 2) + 1


def za(public: tuple[int, int], signer_id: bytes, entl: int | None = None) -> bytes:
    length = 8 * len(signer_id) if entl is None else entl
    return sm3(length.to_bytes(2, "big") + signer_id + b"".join(map(b32, (A, B, *G, *public))))


def sign(d: int, e: bytes, name: str) -> tuple[int, int]:
    k = scalar(f"nonce of {name}")
    r = (int.from_bytes(e, "big") + base(k)[0]) % N
    return r, pow(1 + d, -1, N) * (k - r * d) % N


# --- DER, one rule at a time so that it can be broken ------------------------------------------------------------------


def tlv(tag: int, content: bytes) -> bytes:
    if len(content) < 128:
        return bytes((tag, len(content))) + content
    octets = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 + len(octets))) + octets + content


def number(value: int, pad: int = 0) -> bytes:
    return tlv(2, b"\0" * pad + value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def seq(*parts: bytes) -> bytes:
    return tlv(0x30, b"".join(parts))


def rs(r: int, s: int) -> bytes:
    return seq(number(r), number(s))


# --- signatures --------------------------------------------------------------------------------------------------------


def keys_by_first_octet() -> Iterator[tuple[str, int]]:
    """Keys whose x starts with octets that clumsy code strips: 00, 04, 40, 44."""
    for first in (0x00, 0x04, 0x40, 0x44):
        d = scalar(f"key with x from {first:02x}")
        point: Point = base(d)
        while point is None or point[0] >> 248 != first:
            d, point = d + 1, add(point, G)
        yield f"{first:02x}", d


def small_r_or_s(which: int) -> tuple[bytes, int, int]:
    """A message whose signature has a leading zero octet in r (0) or s (1)."""
    public = base(D)
    for number_ in range(10_000):
        message = f"short {which} {number_}".encode()
        pair = sign(D, sm3(za(public, ID) + message), message.decode())
        if pair[which] >> 248 == 0:
            return message, *pair
    raise AssertionError("no short value found")


def entry(name: str, row: str, valid: bool, signature: bytes, **other: object) -> dict[str, object]:
    public = other.get("public", base(D))
    assert isinstance(public, tuple)
    return {
        "name": name,
        "row": row,
        "valid": valid,
        "encoding": other.get("encoding", "der"),
        "public": (b"\x04" + b32(public[0]) + b32(public[1])).hex(),
        "id": other.get("id", ID).hex(),  # type: ignore[attr-defined]
        "message": other.get("message", MESSAGE).hex(),  # type: ignore[attr-defined]
        "signature": signature.hex(),
    }


def good_signatures() -> Iterator[dict[str, object]]:
    public = base(D)
    r, s = STANDARD
    yield entry("standard example", "", True, rs(r, s))
    yield entry("standard example raw", "", True, b32(r) + b32(s), encoding="raw")
    for signer_id in (b"", b"ALICE123@YAHOO.COM", "综合窗口".encode(), b"x" * 8191):
        pair = sign(D, sm3(za(public, signer_id) + MESSAGE), "id")
        yield entry(f"id of {len(signer_id)} bytes", "S15", True, rs(*pair), id=signer_id)
    for message in (b"", b"\0", bytes(range(256)) * 40):
        pair = sign(D, sm3(za(public, ID) + message), "length")
        yield entry(f"message of {len(message)} bytes", "", True, rs(*pair), message=message)
    for first, d in keys_by_first_octet():
        own = base(d)
        pair = sign(d, sm3(za(own, ID) + MESSAGE), first)
        yield entry(f"x starts with {first}", "S22", True, rs(*pair), public=own)
        yield entry(f"x starts with {first} raw", "S22", True, b32(pair[0]) + b32(pair[1]), public=own, encoding="raw")
    for which, letter in enumerate("rs"):
        message, short_r, short_s = small_r_or_s(which)
        yield entry(f"short {letter}", "", True, rs(short_r, short_s), message=message)
        yield entry(f"short {letter} raw", "", True, b32(short_r) + b32(short_s), message=message, encoding="raw")


def bad_values(r: int, s: int) -> Iterator[dict[str, object]]:
    for row, name, pair in (
        ("S01", "r is 0", (0, s)),
        ("S02", "s is 0", (r, 0)),
        ("S03", "r is n", (N, s)),
        ("S03", "t is 0", (N - 1, 1)),
        ("S03", "t is 0 with our r", (r, N - r)),
        ("S04", "r plus n", (r + N, s)),
        ("S05", "s plus n", (r, s + N)),
        ("S05", "s plus n times 2^256", (r, s + (N << 256))),
        ("S06", "r minus 2^256", (r - (1 << 256), s)),
        ("S06", "minus s", (r, -s)),
        ("S12", "swapped", (s, r)),
        ("S13", "n minus s", (r, N - s)),
        ("S13", "n minus r", (N - r, s)),
        ("", "r plus 1", (r + 1, s)),
    ):
        yield entry(name, row, False, rs(*pair))
        if all(0 <= value < 1 << 256 for value in pair):
            yield entry(f"{name} raw", row, False, b32(pair[0]) + b32(pair[1]), encoding="raw")
    yield entry("negative by a missing pad", "S06", False, seq(*(tlv(2, b32(value)) for value in STANDARD)))


def bad_forms(r: int, s: int) -> Iterator[dict[str, object]]:
    good, raw = rs(r, s), b32(r) + b32(s)
    body = number(r) + number(s)
    for row, name, data in (
        ("S07", "r padded", seq(number(r, 1), number(s))),
        ("S07", "s padded", seq(number(r), number(s, 1))),
        ("S08", "long length", bytes((0x30, 0x81, len(body))) + body),
        ("S08", "longer length", bytes((0x30, 0x82, 0, len(body))) + body),
        ("S08", "long inner length", seq(b"\x02\x81" + number(r)[1:], number(s))),
        ("S08", "indefinite length", b"\x30\x80" + body + b"\0\0"),
        ("S08", "constructed integer", seq(tlv(0x22, number(r)), number(s))),
        ("S09", "byte after", good + b"\0"),
        ("S09", "third integer", seq(number(r), number(s), number(1))),
        ("S09", "null inside", seq(number(r), number(s), b"\x05\0")),
        ("S09", "cut", good[:-1]),
        ("S09", "one integer", seq(number(r))),
        ("S09", "empty", b""),
        ("S09", "empty sequence", seq()),
        ("S08", "set", b"\x31" + good[1:]),
        ("S08", "octet strings", seq(tlv(4, b32(r)), tlv(4, b32(s)))),
        ("S11", "raw given as DER", raw),
        ("S10", "hex given as DER", good.hex().encode()),
    ):
        yield entry(name, row, False, data)
    for row, name, data in (
        ("S10", "63 bytes", raw[:-1]),
        ("S10", "65 bytes", raw + b"\0"),
        ("S10", "04 before", b"\x04" + raw),
        ("S10", "128 bytes", raw + raw),
        ("S10", "hex", raw.hex().encode()),
        ("S10", "upper hex", raw.hex().upper().encode()),
        ("S10", "0x", b"0x" + raw.hex().encode()),
        ("S10", "spaces", b" " + raw[1:]),
        ("S11", "DER given as raw", good),
    ):
        yield entry(name, row, False, data, encoding="raw")


def bad_digests() -> Iterator[dict[str, object]]:
    public = base(D)
    z = za(public, ID)
    for row, name, e in (
        ("S14", "no Z_A", sm3(MESSAGE)),
        ("S15", "empty id signed", sm3(za(public, b"") + MESSAGE)),
        ("S15", "ALICE id signed", sm3(za(public, b"ALICE123@YAHOO.COM") + MESSAGE)),
        ("S16", "ENTL in bytes", sm3(za(public, ID, len(ID)) + MESSAGE)),
        ("S17", "double hash", sm3(z + sm3(MESSAGE))),
        ("S17", "hash of the hash", sm3(sm3(z + MESSAGE))),
        ("S15", "Z_A of another key", sm3(za(base(D + 1), ID) + MESSAGE)),
        ("", "other message", sm3(z + MESSAGE + b".")),
    ):
        yield entry(name, row, False, rs(*sign(D, e, name)))


def signatures() -> list[dict[str, object]]:
    r, s = sign(D, sm3(za(base(D), ID) + MESSAGE), "defects")
    return [*good_signatures(), *bad_values(r, s), *bad_forms(r, s), *bad_digests()]


# --- ciphertexts -------------------------------------------------------------------------------------------------------


def stream(point: tuple[int, int], length: int) -> bytes:
    z = b32(point[0]) + b32(point[1])
    blocks = (sm3(z + counter.to_bytes(4, "big")) for counter in range(1, length // 32 + 2))
    return b"".join(blocks)[:length]


def encrypt(k: int, plaintext: bytes) -> tuple[bytes, bytes, bytes]:
    """(C1 without 04, C3, C2) under D."""
    shared = mul(k, base(D))
    assert shared is not None
    c2 = bytes(a ^ b for a, b in zip(plaintext, stream(shared, len(plaintext)), strict=True))
    return b"".join(map(b32, base(k))), sm3(b32(shared[0]) + plaintext + b32(shared[1])), c2


def zero_stream() -> int:
    """A nonce whose key stream of one byte is zero: such a ciphertext shows its plaintext."""
    k = scalar("zero stream")
    while any(stream(mul(k, base(D)) or G, 1)):
        k += 1
    return k


def invalid_curve_point() -> tuple[int, int]:
    """A point of y² = x³ + ax + b' with another b': arithmetic that never uses b would accept it."""
    return 5, 7


def ciphertexts() -> list[dict[str, object]]:
    k = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
    text = b"encryption standard"
    c1, c3, c2 = encrypt(k, text)
    good = b"\x04" + c1 + c3 + c2
    x, y = int.from_bytes(c1[:32], "big"), int.from_bytes(c1[32:], "big")
    off = b"".join(map(b32, invalid_curve_point()))
    long1, long3, long2 = encrypt(scalar("long"), bytes(range(200)) * 50)
    zero = encrypt(zero_stream(), b"A")
    der = seq(number(x), number(y), tlv(4, c3), tlv(4, c2))
    rows: list[tuple[str, str, str, bytes, bytes | None]] = [
        ("", "standard example", "raw", good, text),
        ("", "standard example DER", "der", der, text),
        ("", "10,000 bytes", "raw", b"\x04" + long1 + long3 + long2, bytes(range(200)) * 50),
        ("S30", "C3 flipped", "raw", b"\x04" + c1 + bytes((c3[0] ^ 1,)) + c3[1:] + c2, None),
        ("S30", "C2 flipped", "raw", good[:-1] + bytes((good[-1] ^ 1,)), None),
        ("S30", "C1C2C3 order", "raw", b"\x04" + c1 + c2 + c3, None),
        ("S30", "cut", "raw", good[:-1], None),
        ("S30", "byte after", "raw", good + b"\0", None),
        ("S30", "no C2", "raw", good[:97], None),
        ("S30", "no 04", "raw", good[1:], None),
        ("S30", "zero key stream", "raw", b"\x04" + b"".join(zero), None),
        ("S30", "empty", "raw", b"", None),
        ("S30", "DER given as raw", "raw", der, None),
        ("S20", "C1 on another curve", "raw", b"\x04" + off + c3 + c2, None),
        ("S20", "C1 is (0, 0)", "raw", b"\x04" + bytes(64) + c3 + c2, None),
        ("S20", "y of C1 flipped", "raw", b"\x04" + c1[:32] + b32(y ^ 1) + c3 + c2, None),
        ("S20", "y of C1 negated", "raw", b"\x04" + c1[:32] + b32(P - y) + c3 + c2, None),
        ("S21", "hybrid C1", "raw", bytes((6 + y % 2,)) + good[1:], None),
        ("S21", "compressed C1", "raw", bytes((2 + y % 2,)) + c1[:32] + c3 + c2, None),
        ("S30", "raw given as DER", "der", good, None),
        ("S30", "DER with a byte after", "der", der + b"\0", None),
        ("S30", "DER with short hash", "der", seq(number(x), number(y), tlv(4, c3[1:]), tlv(4, c2)), None),
        ("S30", "DER with padded x", "der", seq(number(x, 1), number(y), tlv(4, c3), tlv(4, c2)), None),
        ("S20", "DER with x plus p", "der", seq(number(x + P), number(y), tlv(4, c3), tlv(4, c2)), None),
        ("S20", "DER with minus y", "der", seq(number(x), number(-y), tlv(4, c3), tlv(4, c2)), None),
        ("S30", "DER without C2", "der", seq(number(x), number(y), tlv(4, c3)), None),
        ("S30", "DER with empty C2", "der", seq(number(x), number(y), tlv(4, c3), tlv(4, b"")), None),
    ]
    return [
        {"name": name, "row": row, "form": form, "d": b32(D).hex(), "ciphertext": data.hex(), "plaintext": plain and plain.hex()}
        for row, name, form, data, plain in rows
    ]  # fmt: skip


# --- keys ----------------------------------------------------------------------------------------------------------------

EC = bytes.fromhex("06072a8648ce3d0201")
SM2 = bytes.fromhex("06082a811ccf5501822d")
P256 = bytes.fromhex("06082a8648ce3d030107")
RSA = bytes.fromhex("06092a864886f70d010101")


def explicit() -> bytes:
    """ECParameters with our curve and a generator of the forger's choice (CVE-2020-0601)."""
    field = seq(bytes.fromhex("06072a8648ce3d0101"), number(P))
    point = b"\x04" + b"".join(map(b32, base(D)))
    return seq(number(1), field, seq(tlv(4, b32(A)), tlv(4, b32(B))), tlv(4, point), number(N), number(1))


def pem(label: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def sec1(d: bytes, public: tuple[int, int] | None, *middle: bytes) -> bytes:
    point = b"" if public is None else tlv(0xA1, tlv(3, b"\0\x04" + b32(public[0]) + b32(public[1])))
    return seq(number(1), tlv(4, d), *middle, point)


def pkcs8(inner: bytes, algorithm: bytes = seq(EC, SM2), version: int = 0, *more: bytes) -> str:
    return pem("PRIVATE KEY", seq(number(version), algorithm, tlv(4, inner), *more))


def private_keys() -> Iterator[tuple[str, str, str, str | None]]:
    """(row, name, PEM, code of the refusal or None)."""
    public = base(D)
    good = sec1(b32(D), public)
    yield "", "PKCS#8", pkcs8(good), None
    yield "", "PKCS#8 without the public point", pkcs8(sec1(b32(D), None)), None
    yield "", "PKCS#8 naming the curve twice", pkcs8(sec1(b32(D), public, tlv(0xA0, SM2))), None
    yield "", "PKCS#8 with attributes", pkcs8(good, seq(EC, SM2), 0, tlv(0xA0, b"")), None
    yield "", "SEC1", pem("EC PRIVATE KEY", sec1(b32(D), public, tlv(0xA0, SM2))), None
    yield (
        "",
        "SEC1 after parameters",
        pem("EC PARAMETERS", SM2) + pem("EC PRIVATE KEY", sec1(b32(D), public, tlv(0xA0, SM2))),
        None,
    )
    for name, d in (("0", 0), ("n-1", N - 1), ("n", N), ("n+1", N + 1), ("2^256-1", (1 << 256) - 1)):
        yield "S29", f"d is {name}", pkcs8(sec1(b32(d), public)), "private-key-range"
    yield "S29", "d of 31 bytes", pkcs8(sec1(b32(D)[1:], public)), "private-key-range"
    yield "S29", "d of 33 bytes", pkcs8(sec1(b"\0" + b32(D), public)), "private-key-range"
    yield "S29", "public point of another key", pkcs8(sec1(b32(D), base(D + 1))), "key-mismatch"
    yield "S18", "public point off the curve", pkcs8(sec1(b32(D), (public[0], public[1] ^ 1))), "public-key-off-curve"
    yield "S23", "explicit parameters", pkcs8(good, seq(EC, explicit())), "key-curve"
    yield "S23", "explicit parameters inside", pkcs8(sec1(b32(D), public, tlv(0xA0, explicit()))), "key-curve"
    yield "S23", "SEC1 without a curve", pem("EC PRIVATE KEY", good), "key-curve"
    yield "S24", "P-256", pkcs8(good, seq(EC, P256)), "key-curve"
    yield "S24", "RSA", pkcs8(good, seq(RSA, b"\x05\0")), "key-curve"
    yield "S24", "P-256 inside", pkcs8(sec1(b32(D), public, tlv(0xA0, P256))), "key-curve"
    yield "", "unknown version", pkcs8(good, seq(EC, SM2), 7), "key-version"
    yield "", "byte after", pem("PRIVATE KEY", seq(number(0), seq(EC, SM2), tlv(4, good)) + b"\0"), "der-trailing"
    yield "", "broken Base64", pkcs8(good).replace("MI", "M!", 1), "pem-form"
    yield "", "cut", pkcs8(good)[:-40], "pem-form"
    yield "", "public key given", pem("PUBLIC KEY", seq(seq(EC, SM2), tlv(3, b"\0\x04" + bytes(64)))), "pem-form"


def public_keys() -> Iterator[tuple[str, str, str, str | None]]:
    x, y = base(D)
    point = b"\x04" + b32(x) + b32(y)

    def spki(data: bytes, algorithm: bytes = seq(EC, SM2)) -> str:
        return pem("PUBLIC KEY", seq(algorithm, tlv(3, b"\0" + data)))

    yield "", "SPKI", spki(point), None
    yield "", "SPKI with the curve as algorithm", spki(point, seq(SM2)), None
    yield "S18", "off the curve", spki(b"\x04" + b32(x) + b32(y ^ 1)), "public-key-off-curve"
    yield "S18", "on another curve", spki(b"\x04" + b32(5) + b32(7)), "public-key-off-curve"
    yield "S19", "infinity", spki(b"\0"), "public-key-form"
    yield "S19", "(0, 0)", spki(b"\x04" + bytes(64)), "public-key-off-curve"
    yield "S19", "x is p", spki(b"\x04" + b32(P) + b32(y)), "public-key-off-curve"
    yield "S19", "all ones", spki(b"\x04" + b"\xff" * 64), "public-key-off-curve"
    yield "S21", "compressed", spki(bytes((2 + y % 2,)) + b32(x)), "public-key-form"
    yield "S21", "hybrid", spki(bytes((6 + y % 2,)) + b32(x) + b32(y)), "public-key-form"
    yield "S21", "without 04", spki(point[1:]), "public-key-form"
    yield "S23", "explicit parameters", spki(point, seq(EC, explicit())), "key-curve"
    yield "S24", "P-256", spki(point, seq(EC, P256)), "key-curve"
    yield "S24", "no curve", spki(point, seq(EC)), "key-curve"
    yield "", "unused bits", pem("PUBLIC KEY", seq(seq(EC, SM2), tlv(3, b"\x01" + point))), "der-bits"
    yield (
        "",
        "indefinite length",
        pem("PUBLIC KEY", b"\x30\x80" + seq(EC, SM2) + tlv(3, b"\0" + point) + b"\0\0"),
        "der-length",
    )
    yield "", "empty", "", "pem-form"


def keys() -> list[dict[str, object]]:
    return [
        {"kind": kind, "name": name, "row": row, "pem": text, "code": code}
        for kind, rows in (("private", private_keys()), ("public", public_keys()))
        for row, name, text, code in rows
    ]


def build() -> dict[str, str]:
    """File name to content."""
    made = {"signatures.json": signatures(), "ciphertexts.json": ciphertexts(), "keys.json": keys()}
    return {name: json.dumps(rows, ensure_ascii=False, indent=1) + "\n" for name, rows in made.items()}


if __name__ == "__main__":
    for name, content in build().items():
        (HERE / name).write_text(content, "utf-8")
