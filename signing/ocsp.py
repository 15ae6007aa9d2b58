"""Online certificate status (在线证书状态, OCSP, RFC 6960, GB/T 19713) with SM2 and SM3: request and response.

Here they are read and requests written; ``signing.ocsp_verify`` judges, ``signing.ocsp_build`` answers as a laboratory.

A certificate is named by digests of its issuer's name and key. SHA-1 is read there as the identifier that RFC 6960 made of
it; SM3 is written unless told otherwise. No trust rests on them: the issuer's key is known and checks the signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from signing import certs, der, names, oids
from signing.certs import Certificate, Extension
from signing.errors import Malformed
from signing.sm3 import sm3

MAX_BYTES: Final = 64 << 10
MAX_SINGLES: Final = 64
MAX_NONCE: Final = 128  # RFC 9654
Digest = Literal["sm3", "sha1"]
Status = Literal["good", "revoked", "unknown"]
STATUSES: Final = {
    0: "successful", 1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized",
}  # fmt: skip
_ENUMERATED: Final = 0x0A


def sha1(data: bytes) -> bytes:
    """To tell certificates apart, never to trust one."""
    return hashlib.sha1(data, usedforsecurity=False).digest()


DIGEST_OIDS: Final[dict[Digest, str]] = {"sm3": oids.SM3, "sha1": oids.SHA1}
_DIGESTS: Final[dict[str, Callable[[bytes], bytes]]] = {oids.SM3: sm3, f"{oids.SM3}.1": sm3, oids.SHA1: sha1}


@dataclass(frozen=True, slots=True)
class CertId:
    """A certificate by its issuer's name and key, digested with ``algorithm``, and its serial number."""

    algorithm: str
    name_hash: bytes
    key_hash: bytes
    serial: int

    def names(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Is it this certificate of this issuer?"""
        return self.serial == certificate.serial and self.is_by(issuer)

    def is_by(self, issuer: Certificate) -> bool:
        """Is it a certificate of this issuer? No where the digest is not one we know."""
        return self.algorithm in _DIGESTS and self == _identify(self.serial, issuer, self.algorithm)

    def encode(self) -> bytes:
        """DER."""
        algorithm = der.seq(der.oid(self.algorithm), der.null())
        return der.seq(algorithm, der.octets(self.name_hash), der.octets(self.key_hash), der.integer(self.serial))


@dataclass(frozen=True, slots=True)
class Request:
    """A request as received."""

    ids: tuple[CertId, ...]
    nonce: bytes | None


@dataclass(frozen=True, slots=True)
class Single:
    """What is said of one certificate. ``flaw``: it has a critical extension that is not known."""

    id: CertId
    status: Status
    this_update: datetime
    next_update: datetime | None
    revoked: datetime | None
    flaw: bool


@dataclass(frozen=True, slots=True)
class Body:
    """What a responder signed. ``responder``: its name (DER) or the digest of its key."""

    tbs: bytes
    responder: bytes
    by_key: bool
    produced_at: datetime
    singles: tuple[Single, ...]
    nonce: bytes | None
    flaw: bool
    algorithm: str
    signature: bytes
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class Response:
    """A response as received: a status word, and the body where it is ``successful``."""

    status: str
    body: Body | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to a question about ``about``, None where nobody knows of whom it was asked: then it only counts for those
    whom it names. ``nonce``: what we sent along, None where none was (a stored answer)."""

    about: Certificate | None
    response: Response
    nonce: bytes | None = None


# --- requests ---------------------------------------------------------------------------------------------------------


def identify(certificate: Certificate, issuer: Certificate, digest: Digest = "sm3") -> CertId:
    """The name of a certificate in requests; Malformed if the issuer has no SM2 key."""
    return _identify(certificate.serial, issuer, DIGEST_OIDS[digest])


def build_request(wanted: CertId, nonce: bytes | None) -> bytes:
    """A request for one certificate, DER. ``nonce``: 16 to 32 random bytes of the caller's."""
    extensions = b""
    if nonce is not None:
        extensions = der.explicit(2, encode_nonce(nonce))
    return der.seq(der.seq(der.seq(der.seq(wanted.encode())), extensions))


def encode_nonce(nonce: bytes) -> bytes:
    """Extensions with a nonce alone."""
    return der.seq(der.seq(der.oid(oids.OCSP_NONCE), der.octets(der.octets(nonce))))


def parse_request(data: bytes) -> Request:
    """A request from its DER, at most 64 KiB and 64 certificates; a signature on it is not looked at."""
    tbs = der.parse(bytes(data), limit=MAX_BYTES).as_seq(1, 2)[0]
    fields = _without_version(tbs.as_seq(1, 4))
    if fields and fields[0].tag == 0xA1:
        fields.pop(0)
    if not fields or len(fields) > 2:
        raise _malformed()
    ids = tuple(_cert_id(one.as_seq(1, 2)[0]) for one in fields[0].as_seq(1, MAX_SINGLES))
    extensions = _extensions(fields[1], 0xA2) if len(fields) == 2 else ()
    return Request(ids, _nonce(extensions))


# --- responses --------------------------------------------------------------------------------------------------------


def parse(data: bytes) -> Response:
    """A response from its DER, at most 64 KiB; Malformed if it is not one or of another type than basic."""
    status, *rest = der.parse(bytes(data), limit=MAX_BYTES).as_seq(1, 2)
    code = int.from_bytes(status.expect(_ENUMERATED, "ENUMERATED"), "big")
    word = STATUSES.get(code)
    if word is None or (code == 0) != bool(rest):
        raise _malformed()
    if not rest:
        return Response(word, None)
    rest[0].expect(0xA0, "[0]")
    kind, content = _only(rest[0]).as_seq(2, 2)
    if kind.as_oid() != oids.OCSP_BASIC:
        raise _malformed()
    return Response(word, _body(content.as_octets()))


def _body(data: bytes) -> Body:
    tbs, algorithm, signature, *rest = der.parse(data, limit=MAX_BYTES).as_seq(3, 4)
    fields = _without_version(tbs.as_seq(3, 5))
    if len(fields) not in (3, 4) or fields[0].tag not in (0xA1, 0xA2):
        raise _malformed()
    extensions = _extensions(fields[3], 0xA1) if len(fields) == 4 else ()
    responder, by_key = _only(fields[0]), fields[0].tag == 0xA2
    if not by_key:
        names.attributes(responder.raw)
    return Body(
        tbs=tbs.raw,
        responder=responder.as_octets() if by_key else responder.raw,
        by_key=by_key,
        produced_at=fields[1].as_time(),
        singles=tuple(_single(one) for one in fields[2].as_seq(0, MAX_SINGLES)),
        nonce=_nonce(extensions),
        flaw=any(x.critical and x.oid != oids.OCSP_NONCE for x in extensions),
        algorithm=certs.algorithm(algorithm)[0],
        signature=signature.as_bits(),
        certificates=_certificates(rest),
    )


def _single(element: der.Tlv) -> Single:
    identity, status, this_update, *rest = element.as_seq(3, 5)
    next_update = None
    if rest and rest[0].tag == 0xA0:
        next_update = _only(rest.pop(0)).as_time()
    extensions = _extensions(rest.pop(0), 0xA1) if rest else ()
    if rest:
        raise _malformed()
    word, revoked = _status(status)
    flaw = any(extension.critical for extension in extensions)
    return Single(_cert_id(identity), word, this_update.as_time(), next_update, revoked, flaw)


def _status(element: der.Tlv) -> tuple[Status, datetime | None]:
    if element.tag == 0xA1:
        members = element.children(2)
        if not members:
            raise _malformed()
        return "revoked", members[0].as_time()
    if element.tag not in (0x80, 0x82) or element.value:
        raise _malformed()
    return "good" if element.tag == 0x80 else "unknown", None


def _cert_id(element: der.Tlv) -> CertId:
    algorithm, name, key, serial = element.as_seq(4, 4)
    return CertId(certs.algorithm(algorithm)[0], name.as_octets(), key.as_octets(), serial.as_int())


def _identify(serial: int, issuer: Certificate, algorithm: str) -> CertId:
    if issuer.public_key is None:
        raise Malformed("ocsp-issuer", "颁发者没有 SM2 公钥", "the issuer has no SM2 key")
    digest = _DIGESTS[algorithm]
    return CertId(algorithm, digest(issuer.subject_der), digest(issuer.public_key.point), serial)


def _certificates(rest: list[der.Tlv]) -> tuple[Certificate, ...]:
    """Those that came along and can be read; the others cannot be the responder's."""
    found: list[Certificate] = []
    for element in rest:
        element.expect(0xA0, "[0]")
        for one in _only(element).as_seq(0, 8):
            try:
                found.append(certs.parse(one.raw))
            except Malformed:
                continue
    return tuple(found)


def _without_version(fields: list[der.Tlv]) -> list[der.Tlv]:
    """Less the version [0], which is 1 wherever it is written."""
    if fields[0].tag == 0xA0:
        if _only(fields[0]).as_int() != 0:
            raise _malformed()
        return fields[1:]
    return fields


def _extensions(element: der.Tlv, tag: int) -> tuple[Extension, ...]:
    element.expect(tag, "extensions")
    return certs.read_extensions(_only(element))


def _only(element: der.Tlv) -> der.Tlv:
    """What an explicit tag is around."""
    members = element.children(1)
    if not members:
        raise _malformed()
    return members[0]


def _nonce(extensions: Sequence[Extension]) -> bytes | None:
    """The nonce. RFC 6960 left its form open, so that old responders write the bare octets: both are read."""
    for extension in extensions:
        if extension.oid == oids.OCSP_NONCE:
            try:
                value = der.parse(extension.value).as_octets()
            except Malformed:
                value = extension.value
            if len(value) > MAX_NONCE:
                raise _malformed()
            return value
    return None


def _malformed() -> Malformed:
    return Malformed("ocsp-form", "不是 OCSP 报文", "not an OCSP message")
