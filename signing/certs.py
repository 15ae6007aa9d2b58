"""SM2 certificates (数字证书, X.509 v3 after GB/T 20518-2018 and RFC 5280), taken apart by our own strict DER.

Two kinds of trouble are kept apart. What cannot be read, or could be read in two ways (a duplicate extension), raises
``Malformed``. What reads well but breaks a rule of form is listed in ``defects``: such a certificate can be shown to a
person, and ``signing.path`` refuses it with that code. Signatures are checked over ``tbs``, the bytes as received.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final

from signing import constraints, der, keys, names, oids
from signing.constraints import NameConstraints
from signing.errors import Malformed
from signing.sm2 import PublicKey
from signing.sm3 import sm3

MAX_BYTES: Final = 16 << 10
MAX_SERIAL_OCTETS: Final = 20
KEY_USAGES: Final = (
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
    "cRLSign", "encipherOnly", "decipherOnly",
)  # fmt: skip
# Extensions whose meaning this project acts on or that restrict nothing it does.
_KNOWN: Final = frozenset(
    {
        oids.BASIC_CONSTRAINTS, oids.KEY_USAGE, oids.EXTENDED_KEY_USAGE, oids.SUBJECT_KEY_ID, oids.AUTHORITY_KEY_ID,
        oids.SUBJECT_ALT_NAME, oids.CRL_POINTS, oids.POLICIES, oids.NAME_CONSTRAINTS,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension: ``value`` is what its OCTET STRING holds."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True)
class Certificate:
    """A certificate as received. ``key_usage`` None: the extension is absent (nothing is restricted)."""

    der: bytes
    tbs: bytes
    version: int
    serial: int
    algorithm: str
    issuer_der: bytes
    subject_der: bytes
    not_before: datetime
    not_after: datetime
    public_key: PublicKey | None
    key_problem: str
    signature: bytes
    extensions: tuple[Extension, ...]
    is_ca: bool
    path_len: int | None
    key_usage: frozenset[str] | None
    extended_usage: tuple[str, ...]
    ski: bytes | None
    aki: bytes | None
    constraints: NameConstraints | None
    unknown_critical: tuple[str, ...]
    defects: tuple[str, ...]

    @cached_property
    def subject(self) -> str:
        """The holder, escaped for display."""
        return names.display(self.subject_der)

    @cached_property
    def issuer(self) -> str:
        """The issuer, escaped for display."""
        return names.display(self.issuer_der)

    @cached_property
    def fingerprint(self) -> str:
        """SM3 of the whole certificate, hex."""
        return sm3(self.der).hex()

    def extension(self, oid: str) -> bytes | None:
        """What the extension of this identifier holds, None where it is absent."""
        return next((extension.value for extension in self.extensions if extension.oid == oid), None)

    @cached_property
    def usage_padded(self) -> bool:
        """The key usage has zero bits at its end, which DER leaves out and authorities are seen to write: read all the same."""
        value = self.extension(oids.KEY_USAGE)
        return value is not None and value != der.flags(der.parse(value).as_flags(trimmed=False))

    @property
    def self_issued(self) -> bool:
        """Issuer and holder have the same name."""
        return self.issuer_der == self.subject_der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"Certificate({self.subject})"


def parse(data: bytes) -> Certificate:
    """A certificate from its DER; Malformed if it cannot be read unambiguously or is over 16 KiB."""
    return _parse(bytes(data))


def from_pem(data: bytes) -> Certificate:
    """The first certificate of a PEM file."""
    return all_from_pem(data)[0]


def all_from_pem(data: bytes, limit: int = 64) -> list[Certificate]:
    """Every certificate of a PEM file in its order; Malformed if there is none or more than ``limit``."""
    blocks = pem_blocks(data, "CERTIFICATE")
    if not 1 <= len(blocks) <= limit:
        raise Malformed("pem-form", f"PEM 中应有 1 至 {limit} 张证书", f"not a PEM file of 1 to {limit} certificates")
    return [parse(block) for block in blocks]


def load(data: bytes) -> list[Certificate]:
    """Certificates from a file's bytes, PEM (one or more) or DER (one)."""
    return [parse(data)] if data[:1] == b"\x30" else all_from_pem(data)


def to_pem(data: bytes) -> bytes:
    """The PEM form of a certificate's DER."""
    return keys.to_pem("CERTIFICATE", data)


def pem_blocks(data: bytes, label: str) -> list[bytes]:
    """The DER of every PEM block with this label; Malformed where one is broken."""
    name = re.escape(label.encode())
    try:
        return [
            base64.b64decode(b"".join(block.split()), validate=True)
            for block in re.findall(rb"-----BEGIN %b-----([^-]*)-----END %b-----" % (name, name), data)
        ]
    except (binascii.Error, ValueError):
        raise Malformed("pem-form", f"PEM 块 {label} 已损坏", f"a broken PEM block {label}") from None


@lru_cache(maxsize=512)
def _parse(data: bytes) -> Certificate:
    if len(data) > MAX_BYTES:
        raise Malformed("certificate-size", f"证书超过 {MAX_BYTES} 字节", f"larger than {MAX_BYTES} bytes")
    tbs, outer, signature = der.parse(data, limit=MAX_BYTES).as_seq(3, 3)
    fields = tbs.as_seq(6, 10)
    version = _version(fields)
    serial, inner, issuer, validity, subject, spki, *rest = fields
    not_before, not_after = validity.as_seq(2, 2)
    extensions = _extensions(rest, version)
    by_oid = {extension.oid: extension for extension in extensions}
    key, problem = _public_key(spki.raw)
    is_ca, path_len = _basic_constraints(by_oid)
    limits, limits_read = _name_constraints(by_oid, is_ca)
    ski = by_oid.get(oids.SUBJECT_KEY_ID)
    return Certificate(
        der=data,
        tbs=tbs.raw,
        version=version,
        serial=serial.as_int(),
        algorithm=algorithm(outer)[0],
        issuer_der=_name(issuer),
        subject_der=_name(subject),
        not_before=not_before.as_time(),
        not_after=not_after.as_time(),
        public_key=key,
        key_problem=problem,
        signature=signature.as_bits(),
        extensions=extensions,
        is_ca=is_ca,
        path_len=path_len,
        key_usage=_key_usage(by_oid),
        extended_usage=_extended_usage(by_oid),
        ski=der.parse(ski.value).as_octets() if ski else None,
        aki=authority_key_id(extensions),
        constraints=limits,
        unknown_critical=tuple(x.oid for x in extensions if x.critical and x.oid not in _KNOWN),
        defects=(
            *_defects(serial, inner, outer, issuer.raw, subject.raw, (not_before, not_after), by_oid),
            *(() if limits_read else ("name-constraints-form",)),
        ),
    )


def _version(fields: list[der.Tlv]) -> int:
    """1, 2 or 3; takes the [0] field off the list."""
    if fields[0].tag != 0xA0:
        return 1
    inner = fields.pop(0).children(1)
    number = inner[0].as_int() if inner else -1
    if number not in (1, 2) or len(fields) < 6:
        raise Malformed("certificate-version", "证书版本号非法", "illegal certificate version")
    return number + 1


def _name(element: der.Tlv) -> bytes:
    names.attributes(element.raw)
    return element.raw


def algorithm(element: der.Tlv) -> tuple[str, bool]:
    """(object identifier, parameters absent or NULL). Real SM2 authorities write either form."""
    members = element.as_seq(1, 2)
    return members[0].as_oid(), len(members) == 1 or members[1].raw == der.null()


def read_extensions(element: der.Tlv) -> tuple[Extension, ...]:
    """Extensions ::= SEQUENCE OF Extension; Malformed on a duplicate. An explicit ``FALSE`` is read as such."""
    found: list[Extension] = []
    for item in element.as_seq(0, 64):
        members = item.as_seq(2, 3)
        critical = members[1].as_bool() if len(members) == 3 else False
        found.append(Extension(members[0].as_oid(), critical, members[-1].as_octets()))
    if len({extension.oid for extension in found}) != len(found):
        raise Malformed("duplicate-extension", "扩展项重复", "an extension occurs twice")
    return tuple(found)


def _extensions(rest: list[der.Tlv], version: int) -> tuple[Extension, ...]:
    """[1] and [2] are unique identifiers nobody uses; [3] holds the extensions, in version 3 only."""
    tags = [field.tag for field in rest]
    if tags != sorted(set(tags)) or not set(tags) <= {0x81, 0x82, 0xA3} or (0xA3 in tags and version != 3):
        raise Malformed("certificate-form", "证书结构非法", "illegal certificate structure")
    if 0xA3 not in tags:
        return ()
    inner = rest[-1].children(1)
    return read_extensions(inner[0]) if inner else ()


def _public_key(spki: bytes) -> tuple[PublicKey | None, str]:
    """The SM2 key, or None with the problem: RSA and its bits, another algorithm, a point off the curve."""
    try:
        return keys.public_from_spki(spki), ""
    except Malformed as fault:
        bits = _rsa_bits(spki)
        return None, f"rsa-{bits}" if bits else fault.code


def _rsa_bits(spki: bytes) -> int:
    """The length of an RSA modulus, so that a weak key is called one; 0 for anything else."""
    try:
        kind, key = der.parse(spki).as_seq(2, 2)
        if kind.as_seq(1, 2)[0].as_oid() != oids.RSA:
            return 0
        return int.from_bytes(der.parse(key.as_bits()).as_seq(2, 2)[0].expect(der.INTEGER, "INTEGER")).bit_length()
    except Malformed:
        return 0


def _basic_constraints(by_oid: dict[str, Extension]) -> tuple[bool, int | None]:
    extension = by_oid.get(oids.BASIC_CONSTRAINTS)
    if extension is None:
        return False, None
    members = der.parse(extension.value).as_seq(0, 2)
    is_ca = bool(members) and members[0].tag == der.BOOLEAN and members.pop(0).as_bool()
    length = members[0].as_int() if members else None
    if length is not None and length < 0:
        raise Malformed("certificate-form", "路径长度约束为负", "a negative path length")
    return is_ca, length


def _key_usage(by_oid: dict[str, Extension]) -> frozenset[str] | None:
    extension = by_oid.get(oids.KEY_USAGE)
    if extension is None:
        return None
    positions = der.parse(extension.value).as_flags(trimmed=False)
    return frozenset(KEY_USAGES[position] for position in positions if position < len(KEY_USAGES))


def _extended_usage(by_oid: dict[str, Extension]) -> tuple[str, ...]:
    extension = by_oid.get(oids.EXTENDED_KEY_USAGE)
    return tuple(item.as_oid() for item in der.parse(extension.value).as_seq(1, 64)) if extension else ()


def authority_key_id(extensions: Sequence[Extension]) -> bytes | None:
    """keyIdentifier [0] of the authority key identifier, None where it is absent."""
    for extension in extensions:
        if extension.oid == oids.AUTHORITY_KEY_ID:
            for member in der.parse(extension.value).as_seq(0, 3):
                if member.tag == 0x80:
                    return member.value
    return None


def _name_constraints(by_oid: dict[str, Extension], is_ca: bool) -> tuple[NameConstraints | None, bool]:
    """The constraints, and whether what is there could be acted on: only an authority may carry them, critical or not."""
    extension = by_oid.get(oids.NAME_CONSTRAINTS)
    if extension is None:
        return None, True
    try:
        return constraints.read(extension.value), is_ca
    except Malformed:
        return None, False


def _defects(
    serial: der.Tlv,
    inner: der.Tlv,
    outer: der.Tlv,
    issuer: bytes,
    subject: bytes,
    validity: tuple[der.Tlv, der.Tlv],
    by_oid: dict[str, Extension],
) -> list[str]:
    """Codes of broken rules of form, each with its sentences in ``signing.reasons``."""
    empty = der.seq()
    alternative = by_oid.get(oids.SUBJECT_ALT_NAME)
    rules = {
        "serial-number": serial.as_int() <= 0 or len(serial.value) > MAX_SERIAL_OCTETS,
        "algorithm-mismatch": inner.raw != outer.raw,
        "algorithm-parameters": algorithm(outer)[0] == oids.SM2_WITH_SM3 and not algorithm(outer)[1],
        "issuer-empty": issuer == empty,
        "subject-empty": subject == empty and not (alternative and alternative.critical),
        "duplicate-name-part": names.repeats(issuer) or names.repeats(subject),
        "validity-inverted": validity[1].as_time() < validity[0].as_time(),
        "time-form": any(not _time_form(moment) for moment in validity),
    }
    return [code for code, broken in rules.items() if broken]


def _time_form(moment: der.Tlv) -> bool:
    """RFC 5280 4.1.2.5: UTCTime up to 2049, GeneralizedTime without fractions from 2050 on."""
    return moment.tag == der.UTC_TIME or (moment.as_time().year >= 2050 and len(moment.value) == 15)
