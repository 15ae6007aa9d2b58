"""A small certificate authority: roots, certificates, requests and revocation lists as bytes (GB/T 20518-2018,
RFC 5280, RFC 2986). For the laboratory and the demo; a city's real certificates come from its licensed authority.

Pure: keys, serial numbers, times and names are arguments, and what comes out depends on nothing else but the
signature's nonce. Certificates are signed with the id 1234567812345678, algorithm parameters absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from signing import certs, crl, der, keys, names, oids, sm2
from signing.certs import Certificate, Extension
from signing.errors import Malformed
from signing.names import Name
from signing.sm2 import PublicKey, Signer
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider

_SIGNATURE: Final = ("digitalSignature", "nonRepudiation")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a certificate is for: key usages, extended usages (``only`` these: a critical extension), whether it may issue."""

    usages: tuple[str, ...]
    extended: tuple[str, ...] = ()
    is_ca: bool = False
    only: bool = False


PROFILES: Final[dict[str, Profile]] = {
    "ca": Profile(("keyCertSign", "cRLSign"), is_ca=True),
    "identity": Profile(_SIGNATURE),
    "checkpoint": Profile(_SIGNATURE),
    "direct": Profile(_SIGNATURE),
    "seal-maker": Profile(_SIGNATURE),
    "seal-signer": Profile(_SIGNATURE),
    "tls-server": Profile(("digitalSignature",), (oids.SERVER_AUTH,)),
    "tls-client": Profile(("digitalSignature",), (oids.CLIENT_AUTH,)),
    "ocsp-responder": Profile(("digitalSignature",), (oids.OCSP_SIGNING,)),
    "tsa": Profile(("digitalSignature",), (oids.TIME_STAMPING,), only=True),
    "encryption": Profile(("keyEncipherment", "dataEncipherment")),
}


@dataclass(frozen=True, slots=True)
class Authority:
    """Who issues: a key and the certificate that belongs to it (ValueError if it does not)."""

    signer: Signer
    certificate: Certificate

    def __post_init__(self) -> None:
        if self.certificate.public_key != self.signer.public:
            raise ValueError("the certificate belongs to another key")


def key_identifier(public: PublicKey) -> bytes:
    """20 bytes of SM3 over the point: the subject key identifier of all we issue."""
    return sm3(public.point)[:20]


def build_root(
    signer: Signer,
    *,
    subject: Name,
    serial: int,
    not_before: datetime,
    not_after: datetime,
    path_len: int | None = None,
) -> bytes:
    """A self-signed root, DER."""
    name = names.encode(subject)
    extensions = _profile_extensions(PROFILES["ca"], signer.public, signer.public, path_len, ())
    return _certificate(signer, name, name, signer.public, serial, (not_before, not_after), extensions)


def build_certificate(
    authority: Authority,
    *,
    subject: Name | bytes,
    public_key: PublicKey,
    serial: int,
    not_before: datetime,
    not_after: datetime,
    profile: str,
    path_len: int | None = None,
    dns: Sequence[str] = (),
) -> bytes:
    """A certificate under ``authority`` with a profile of ``PROFILES``, DER. ``subject``: parts, or a name's DER."""
    name = subject if isinstance(subject, bytes) else names.encode(subject)
    issuer = authority.certificate
    extensions = _profile_extensions(PROFILES[profile], public_key, authority.signer.public, path_len, dns, issuer.ski)
    validity = (not_before, not_after)
    return _certificate(authority.signer, issuer.subject_der, name, public_key, serial, validity, extensions)


def _profile_extensions(
    profile: Profile,
    holder: PublicKey,
    issuer: PublicKey,
    path_len: int | None,
    dns: Sequence[str],
    issuer_ski: bytes | None = None,
) -> list[Extension]:
    length = [] if path_len is None else [der.integer(path_len)]
    constraints = der.seq(der.boolean(True), *length) if profile.is_ca else der.seq()
    positions = [certs.KEY_USAGES.index(usage) for usage in profile.usages]
    authority_id = der.seq(der.implicit(0, issuer_ski or key_identifier(issuer)))
    found = [
        Extension(oids.BASIC_CONSTRAINTS, True, constraints),
        Extension(oids.KEY_USAGE, True, der.flags(positions)),
        Extension(oids.SUBJECT_KEY_ID, False, der.octets(key_identifier(holder))),
        Extension(oids.AUTHORITY_KEY_ID, False, authority_id),
    ]
    if profile.extended:
        found.append(Extension(oids.EXTENDED_KEY_USAGE, profile.only, der.seq(*map(der.oid, profile.extended))))
    if oids.OCSP_SIGNING in profile.extended:
        found.append(Extension(oids.OCSP_NO_CHECK, False, der.null()))
    if dns:
        found.append(Extension(oids.SUBJECT_ALT_NAME, False, _dns_names(dns)))
    return found


def _dns_names(dns: Sequence[str]) -> bytes:
    return der.seq(*(der.implicit(2, name.encode("ascii")) for name in dns))


def _certificate(
    signer: Signer,
    issuer: bytes,
    subject: bytes,
    public: PublicKey,
    serial: int,
    validity: tuple[datetime, datetime],
    extensions: Sequence[Extension],
) -> bytes:
    if not 0 < serial < 1 << 159:
        raise ValueError("a serial number is positive and at most 20 bytes long")
    tbs = der.seq(
        der.explicit(0, der.integer(2)),
        der.integer(serial),
        _algorithm(),
        issuer,
        der.seq(*map(time, validity)),
        subject,
        keys.spki(public),
        der.explicit(3, encode_extensions(extensions)),
    )
    return sign_structure(signer, tbs)


def encode_extensions(extensions: Iterable[Extension]) -> bytes:
    """Extensions ::= SEQUENCE OF Extension; FALSE is left out, as DER asks of a default."""
    return der.seq(
        *(
            der.seq(der.oid(x.oid), *([der.boolean(True)] if x.critical else []), der.octets(x.value))
            for x in extensions
        )
    )


def time(moment: datetime) -> bytes:
    """UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280 4.1.2.5)."""
    return der.utime(moment) if moment.astimezone(UTC).year < 2050 else der.gtime(moment)


def sign_structure(signer: Signer, tbs: bytes) -> bytes:
    """SEQUENCE { tbs, SM2-with-SM3, signature }: the shape of certificates, requests and lists alike."""
    if signer.signer_id != sm2.DEFAULT_ID:
        raise ValueError("certificates are signed with the default signer id")
    return der.seq(tbs, _algorithm(), der.bits(signer.sign(tbs)))


def _algorithm() -> bytes:
    return der.seq(der.oid(oids.SM2_WITH_SM3))


# --- requests (证书请求, PKCS#10) -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """A certificate request as received."""

    der: bytes
    tbs: bytes
    subject_der: bytes
    public_key: PublicKey
    extensions: tuple[Extension, ...]
    signature: bytes

    @property
    def dns(self) -> list[str]:
        """The DNS names asked for."""
        for extension in self.extensions:
            if extension.oid == oids.SUBJECT_ALT_NAME:
                names_asked = der.parse(extension.value).as_seq(0, 64)
                return [name.value.decode("ascii", "replace") for name in names_asked if name.tag == 0x82]
        return []


def build_csr(signer: Signer, *, subject: Name, dns: Sequence[str] = ()) -> bytes:
    """A request for the signer's key, DER."""
    attributes = b""
    if dns:
        wanted = encode_extensions([Extension(oids.SUBJECT_ALT_NAME, False, _dns_names(dns))])
        attributes = der.seq(der.oid(oids.EXTENSION_REQUEST), der.set_of(wanted))
    tbs = der.seq(
        der.integer(0), names.encode(subject), keys.spki(signer.public), der.implicit(0, attributes, constructed=True)
    )
    return sign_structure(signer, tbs)


def parse_csr(data: bytes) -> Request:
    """A request from its DER; Malformed if it is not one for an SM2 key."""
    tbs, algorithm, signature = der.parse(data, limit=certs.MAX_BYTES).as_seq(3, 3)
    version, subject, spki, *rest = tbs.as_seq(3, 4)
    if version.as_int() != 0 or certs.algorithm(algorithm)[0] != oids.SM2_WITH_SM3:
        raise Malformed("csr-form", "证书请求的版本或签名算法不符", "wrong version or signature algorithm of a request")
    names.attributes(subject.raw)
    public = keys.public_from_spki(spki.raw)
    return Request(data, tbs.raw, subject.raw, public, _requested(rest), signature.as_bits())


def load_csr(data: bytes) -> Request:
    """A request from PEM or DER."""
    if data[:1] == b"\x30":
        return parse_csr(data)
    return parse_csr(keys.from_pem(data, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")[1])


def check_csr(request: Request, provider: Provider) -> bool:
    """Does the holder of the key ask? (signature over the request by the key in it)"""
    return sm2.verify(provider, request.public_key, request.tbs, request.signature, signer_id=sm2.DEFAULT_ID)


def _requested(rest: list[der.Tlv]) -> tuple[Extension, ...]:
    if not rest:
        return ()
    rest[0].expect(0xA0, "[0]")
    for attribute in rest[0].children(32):
        kind, values = attribute.as_seq(2, 2)
        if kind.as_oid() == oids.EXTENSION_REQUEST:
            values.expect(der.SET, "SET")
            inner = values.children(1)
            return certs.read_extensions(inner[0]) if inner else ()
    return ()


# --- revocation lists -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Revoked:
    """One certificate to list. ``reason``: a word of ``crl.REASONS``; ``invalid_since``: when its key was lost."""

    serial: int
    at: datetime
    reason: str = "unspecified"
    invalid_since: datetime | None = None


def build_crl(
    authority: Authority,
    *,
    number: int,
    this_update: datetime,
    next_update: datetime,
    revoked: Sequence[Revoked] = (),
) -> bytes:
    """A complete list (version 2) of the authority, DER."""
    entries = [_entry(item) for item in sorted(revoked, key=lambda item: item.serial)]
    authority_id = der.seq(der.implicit(0, authority.certificate.ski or key_identifier(authority.signer.public)))
    extensions = [
        Extension(oids.AUTHORITY_KEY_ID, False, authority_id),
        Extension(oids.CRL_NUMBER, False, der.integer(number)),
    ]
    tbs = der.seq(
        der.integer(1),
        _algorithm(),
        authority.certificate.subject_der,
        time(this_update),
        time(next_update),
        *([der.seq(*entries)] if entries else []),
        der.explicit(0, encode_extensions(extensions)),
    )
    return sign_structure(authority.signer, tbs)


def _entry(item: Revoked) -> bytes:
    codes = {word: code for code, word in crl.REASONS.items()}
    extensions = []
    if item.reason != "unspecified":
        extensions.append(Extension(oids.CRL_REASON, False, der.tlv(0x0A, bytes((codes[item.reason],)))))
    if item.invalid_since is not None:
        extensions.append(Extension(oids.INVALIDITY_DATE, False, der.gtime(item.invalid_since)))
    return der.seq(der.integer(item.serial), time(item.at), *([encode_extensions(extensions)] if extensions else []))
