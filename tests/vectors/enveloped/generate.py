"""Writes the vectors of delivered encryption keys: one per defect, in ``vectors.json`` with the code that must come out.

Keys and nonces are derived from names, so a run always writes the same bytes; a test checks that the file is current.
``python -m tests.vectors.enveloped.generate`` rewrites it. The holder is ``pki.signer("holder")``, the delivered key
``pki.signer("delivered")``.
"""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from signing import curve, der, sm2
from signing.sm2 import N, PublicKey
from signing.sm3 import sm3
from tests import pki

FILE = Path(__file__).parent / "vectors.json"
SM4_OID, SM4_ECB, SM1_OID = "1.2.156.10197.1.104", "1.2.156.10197.1.104.1", "1.2.156.10197.1.102"
KEY = sm3(b"sm4 key of the key centre")[:16]
HOLDER, DELIVERED = pki.signer("holder"), pki.signer("delivered")
D = DELIVERED.private.d.to_bytes(32, "big")
POINT = DELIVERED.public.point
ZERO = bytes(32)


def wrap(key: bytes = KEY, to: PublicKey = HOLDER.public) -> bytes:
    """SM2 encryption with k = SM3(key)."""
    k = int.from_bytes(sm3(key), "big") % (N - 1) + 1
    c1, shared = curve.ladder(k, curve.GX, curve.GY), curve.ladder(k, to.x, to.y)
    assert c1 is not None and shared is not None
    found = sm2.seal_to_point(PublicKey(*c1), PublicKey(*shared), key)
    assert found is not None
    return found


def ecb(data: bytes, key: bytes = KEY) -> bytes:
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def sequence(
    oid: str = SM4_OID,
    wrapped: bytes | None = None,
    public: bytes = POINT,
    private: bytes | None = None,
    parameters: bytes = b"",
) -> bytes:
    return der.seq(
        der.seq(der.oid(oid), parameters),
        sm2.ciphertext_to_der(wrap()) if wrapped is None else wrapped,
        der.bits(public),
        der.bits(ecb(D) if private is None else private),
    )


def blob(**parts: bytes) -> bytes:
    """ENVELOPEDKEYBLOB; each part replaceable."""
    number = {
        name: value.to_bytes(4, "little") for name, value in (("one", 1), ("ecb", 0x401), ("bits", 256), ("c2", 16))
    }
    wrapped = parts.get("wrapped", wrap())
    fields = {
        "version": number["one"], "algorithm": number["ecb"], "bits": number["bits"], "private": ecb(ZERO + D),
        "key_bits": number["bits"], "x": ZERO + POINT[1:33], "y": ZERO + POINT[33:], "c1_x": ZERO + wrapped[1:33],
        "c1_y": ZERO + wrapped[33:65], "c3": wrapped[65:97], "c2_length": number["c2"], "c2": wrapped[97:],
    }  # fmt: skip
    return b"".join(parts.get(name, value) for name, value in fields.items())


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def vectors() -> dict[str, tuple[bytes, str]]:
    """name -> (bytes, code or "" where it opens)."""
    form, algorithm, closed = "enveloped-key-form", "enveloped-key-algorithm", "enveloped-key"
    wrapped, other = sm2.ciphertext_to_der(wrap()), pki.signer("other").public
    off_curve = b"\4" + POINT[1:33] + flipped(POINT[33:], 31)
    return {
        "good": (sequence(), ""),
        "good-ecb-oid": (sequence(SM4_ECB), ""),
        "good-null-parameters": (sequence(parameters=der.null()), ""),
        "good-64-zeros-before": (sequence(private=ecb(ZERO + D)), ""),
        "good-64-zeros-after": (sequence(private=ecb(D + ZERO)), ""),
        "good-64-zeros-before-not-encrypted": (sequence(private=ZERO + ecb(D)), ""),
        "good-blob": (blob(), ""),
        "good-blob-zeros-not-encrypted": (blob(private=ZERO + ecb(D)), ""),
        "empty": (b"", form),
        "not-der": (b"no DER at all", form),
        "truncated": (sequence()[:-1], form),
        "trailing-byte": (sequence() + b"\0", form),
        "huge": (der.seq(der.octets(bytes(5000))), form),
        "three-members": (der.seq(*(one.raw for one in der.parse(sequence()).as_seq()[:3])), form),
        "cipher-c3-short": (sequence(wrapped=der.seq(der.integer(HOLDER.public.x), der.integer(HOLDER.public.y),
                                                      der.octets(bytes(31)), der.octets(bytes(16)))), form),
        "cipher-c1-off-curve": (sequence(wrapped=der.seq(der.integer(1), der.integer(1), der.octets(bytes(32)),
                                                          der.octets(bytes(16)))), form),
        "sm1": (sequence(SM1_OID), algorithm),
        "for-another-holder": (sequence(wrapped=sm2.ciphertext_to_der(wrap(to=other))), closed),
        "wrapped-key-altered": (sequence(wrapped=flipped(wrapped, len(wrapped) - 1)), closed),
        "wrapped-key-15-bytes": (sequence(wrapped=sm2.ciphertext_to_der(wrap(KEY[:15]))), closed),
        "private-altered": (sequence(private=flipped(ecb(D), 31)), closed),
        "private-31-bytes": (sequence(private=ecb(D)[:31]), closed),
        "private-48-bytes": (sequence(private=ecb(D + ZERO[:16])), closed),
        "private-96-bytes": (sequence(private=ecb(ZERO + D + ZERO)), closed),
        "private-64-no-zeros": (sequence(private=ecb(D + D)), closed),
        "private-zero": (sequence(private=ecb(ZERO)), closed),
        "private-n-minus-1": (sequence(private=ecb((N - 1).to_bytes(32, "big"))), closed),
        "private-n": (sequence(private=ecb(N.to_bytes(32, "big"))), closed),
        "private-above-n": (sequence(private=ecb(b"\xff" * 32)), closed),
        "public-of-another": (sequence(public=other.point), closed),
        "public-off-curve": (sequence(public=off_curve), closed),
        "public-compressed": (sequence(public=b"\2" + POINT[1:33]), closed),
        "blob-version-2": (blob(version=(2).to_bytes(4, "little")), form),
        "blob-big-endian": (blob(version=(1).to_bytes(4, "big")), form),
        "blob-coordinates-left": (blob(x=POINT[1:33] + ZERO), form),
        "blob-c2-length-17": (blob(c2_length=(17).to_bytes(4, "little")), form),
        "blob-sm1": (blob(algorithm=(0x101).to_bytes(4, "little")), algorithm),
        "blob-for-another-holder": (blob(wrapped=wrap(to=other)), closed),
        "blob-private-altered": (blob(private=flipped(ecb(ZERO + D), 63)), closed),
        "blob-one-byte-short": (blob()[:-1], form),
    }  # fmt: skip


def text() -> str:
    rows = {name: {"hex": data.hex(), "code": code} for name, (data, code) in vectors().items()}
    return json.dumps(rows, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
