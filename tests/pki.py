"""A laboratory for the tests of certificates and seals: keys and nonces derived from names, so every run makes the same bytes.

``certificate`` writes any field as it is told, also as no authority would: what is refused must first be built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from signing import certs, curve, der, issue, keys, names, oids
from signing.certs import Certificate, Extension
from signing.issue import Authority
from signing.providers import Provider, open_provider
from signing.sm2 import N, PrivateKey, PublicKey, Signer
from signing.sm3 import sm3

BORN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = datetime(2026, 6, 1, 8, tzinfo=UTC)
DIES = datetime(2030, 1, 1, tzinfo=UTC)
LAB = "样章·测试无效"


class FixedNonce:
    """A provider whose signatures repeat byte for byte: k = SM3(d, e). For test vectors, never for a real key."""

    uri = "test:"
    description = "deterministic nonces"

    def __init__(self, inner: Provider) -> None:
        self.inner = inner

    def random(self, count: int) -> bytes:
        return bytes(count)

    def generate(self) -> PrivateKey:
        return self.inner.generate()

    def load(self, d: int) -> PrivateKey:
        return self.inner.load(d)

    def sign_digest(self, private: PrivateKey, e: bytes) -> tuple[int, int]:
        k = int.from_bytes(sm3(private.d.to_bytes(32, "big"), e), "big") % (N - 1) + 1
        point = curve.ladder(k, curve.GX, curve.GY)
        assert point is not None
        r = (int.from_bytes(e, "big") + point[0]) % N
        s = pow(1 + private.d, -1, N) * (k - r * private.d) % N
        return r, s

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        return self.inner.verify_digest(public, e, r, s)

    def encrypt(self, public: PublicKey, plaintext: bytes) -> bytes:
        return self.inner.encrypt(public, plaintext)

    def decrypt(self, private: PrivateKey, ciphertext: bytes) -> bytes:
        return self.inner.decrypt(private, ciphertext)


PROVIDER = FixedNonce(open_provider())


@lru_cache
def signer(name: str) -> Signer:
    """The key of this name."""
    return Signer(PROVIDER, keys.private_from_int(int.from_bytes(sm3(name.encode()), "big") % (N - 2) + 1))


def subject(name: str) -> list[tuple[str, str]]:
    return [("C", "CN"), ("O", "测试"), ("OU", LAB), ("CN", name)]


@lru_cache
def root(name: str = "root", path_len: int | None = None) -> Authority:
    data = issue.build_root(
        signer(name), subject=subject(name), serial=1, not_before=BORN, not_after=DIES, path_len=path_len
    )
    return Authority(signer(name), certs.parse(data))


def leaf(
    name: str,
    profile: str = "seal-signer",
    *,
    by: Authority | None = None,
    serial: int | None = None,
    not_before: datetime = BORN,
    not_after: datetime = DIES,
    path_len: int | None = None,
) -> Certificate:
    """A certificate as our authority issues it."""
    data = issue.build_certificate(
        by or root(),
        subject=subject(name),
        public_key=signer(name).public,
        serial=serial or int.from_bytes(sm3(name.encode())[:8], "big") >> 1,
        not_before=not_before,
        not_after=not_after,
        profile=profile,
        path_len=path_len,
    )
    return certs.parse(data)


def authority(name: str, *, by: Authority | None = None, path_len: int | None = None) -> Authority:
    """An intermediate authority."""
    return Authority(signer(name), leaf(name, "ca", by=by, path_len=path_len))


SM2_WITH_SM3 = der.seq(der.oid(oids.SM2_WITH_SM3))


@dataclass
class Parts:
    """The parts of a certificate, each as DER, each replaceable by something wrong."""

    version: bytes = field(default_factory=lambda: der.explicit(0, der.integer(2)))
    serial: bytes = field(default_factory=lambda: der.integer(77))
    inner: bytes = SM2_WITH_SM3
    issuer: bytes = field(default_factory=lambda: root().certificate.subject_der)
    validity: bytes = field(default_factory=lambda: der.seq(der.utime(BORN), der.utime(DIES)))
    subject: bytes = field(default_factory=lambda: names.encode(subject("hand-made")))
    spki: bytes = field(default_factory=lambda: keys.spki(signer("hand-made").public))
    extensions: bytes | None = field(default_factory=lambda: extensions(key_usage({0, 1})))
    outer: bytes = SM2_WITH_SM3
    by: Signer = field(default_factory=lambda: root().signer)

    def tbs(self) -> bytes:
        last = [] if self.extensions is None else [der.explicit(3, self.extensions)]
        return der.seq(
            *(self.version, self.serial, self.inner, self.issuer, self.validity, self.subject, self.spki, *last)
        )

    def build(self) -> bytes:
        tbs = self.tbs()
        return der.seq(tbs, self.outer, der.bits(self.by.sign(tbs)))


def extensions(*items: Extension) -> bytes:
    return issue.encode_extensions(items)


def key_usage(bits: set[int], critical: bool = True) -> Extension:
    return Extension(oids.KEY_USAGE, critical, der.flags(bits))


def constraints(is_ca: bool, path_len: int | None = None) -> Extension:
    length: Sequence[bytes] = () if path_len is None else (der.integer(path_len),)
    flag: Sequence[bytes] = (der.boolean(True),) if is_ca else ()
    return Extension(oids.BASIC_CONSTRAINTS, True, der.seq(*flag, *length))


def identifiers(holder: PublicKey, issuer: PublicKey) -> list[Extension]:
    """The key identifiers of holder and issuer."""
    return [
        Extension(oids.SUBJECT_KEY_ID, False, der.octets(issue.key_identifier(holder))),
        Extension(oids.AUTHORITY_KEY_ID, False, der.seq(der.implicit(0, issue.key_identifier(issuer)))),
    ]


def certificate(**parts: object) -> Certificate:
    """A signed certificate with these parts exchanged."""
    return certs.parse(Parts(**parts).build())  # type: ignore[arg-type]
