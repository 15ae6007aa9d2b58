"""Signed messages (签名数据, GB/T 35275-2017 SignedData; RFC 5652) taken apart. Nothing is judged: see ``signed_verify``.

What a signer signed is kept as it was received: the content octets, or, where there are authenticated attributes, those
as a SET. Carried certificates and lists are material to build a chain from, never grounds to trust one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from signing import certs, cms, der, oids
from signing.certs import Certificate
from signing.errors import Malformed

CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
_SIGNATURES: Final = frozenset({oids.SM2_SIGN, oids.SM2_WITH_SM3})
_VERSIONS: Final = frozenset({1, 3, 4, 5})  # 1 nationally; RFC 5652 raises it with what is carried
_CERTIFICATES, _LISTS, _SIGNERS, _ATTRIBUTES = 32, 32, 16, 64


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """One signer. It is named by ``name`` (issuer DER and serial) or by ``key_id``. ``covered``: the SET of attributes that
    is signed, None where the content itself is; ``attributes``: object identifier -> DER of its one value or of all."""

    name: tuple[bytes, int] | None
    key_id: bytes | None
    digest_algorithm: str
    signature_algorithm: str
    covered: bytes | None
    attributes: Mapping[str, tuple[bytes, ...]]
    signature: bytes

    @property
    def algorithms_known(self) -> bool:
        """SM3 and SM2?"""
        digest = self.digest_algorithm == oids.SM3 or self.digest_algorithm.startswith(oids.SM3 + ".")
        return digest and self.signature_algorithm in _SIGNATURES

    @property
    def stated(self) -> bytes | None:
        """The message digest among the attributes; None without attributes."""
        return der.parse(self.attributes[MESSAGE_DIGEST][0]).as_octets() if self.covered else None

    def fits(self, certificate: Certificate) -> bool:
        """Does it name this certificate?"""
        if self.name is not None:
            return (certificate.issuer_der, certificate.serial) == self.name
        return self.key_id is not None and certificate.ski == self.key_id


@dataclass(frozen=True, slots=True)
class SignedData:
    """``content`` None: left out (detached)."""

    content_type: str
    content: bytes | None
    certificates: tuple[Certificate, ...]
    lists: tuple[bytes, ...]
    signers: tuple[SignerInfo, ...]

    @property
    def only_signer(self) -> SignerInfo:
        """The signer of a message that must have exactly one; Malformed otherwise."""
        if len(self.signers) != 1:
            raise cms.wrong("签名者应恰有一个", "there must be exactly one signer")
        return self.signers[0]


def parse(data: bytes) -> SignedData:
    """From DER or BER, with or without the ContentInfo around it; Malformed otherwise."""
    return cms.tolerant(data, _parse)


def _parse(data: bytes) -> SignedData:
    version, algorithms, content, *tagged, signers = cms.body(data, "signed").as_seq(4)
    algorithms.expect(der.SET, "SET")
    signers.expect(der.SET, "SET")
    tags = [element.tag for element in tagged]
    if version.as_int() not in _VERSIONS or tags != sorted(set(tags)) or not set(tags) <= {0xA0, 0xA1}:
        raise cms.wrong("SignedData 的版本或成员不符", "wrong version or members in SignedData")
    carried = dict(zip(tags, tagged, strict=True))
    content_type, inner = _content(content)
    return SignedData(
        content_type=content_type,
        content=inner,
        certificates=tuple(certs.parse(one.raw) for one in _inside(carried.get(0xA0), _CERTIFICATES)),
        lists=tuple(one.raw for one in _inside(carried.get(0xA1), _LISTS)),
        signers=tuple(_signer(one) for one in signers.children(_SIGNERS)),
    )


def _inside(element: der.Tlv | None, most: int) -> list[der.Tlv]:
    """What is carried, of the kinds that are plain sequences (X.509 certificates and lists)."""
    return [one for one in element.children(most) if one.tag == der.SEQUENCE] if element else []


def _content(element: der.Tlv) -> tuple[str, bytes | None]:
    """(content type, the octets that are signed or digested): of an octet string its value, of anything else its content."""
    kind, *inner = element.as_seq(1, 2)
    if not inner:
        return kind.as_oid(), None
    inner[0].expect(0xA0, "[0]")
    inside = cms.only(inner[0].children(2))
    if kind.as_oid() in cms.DATA:
        inside.expect(der.OCTET_STRING, "OCTET STRING")
    return kind.as_oid(), inside.value


def _signer(info: der.Tlv) -> SignerInfo:
    version, who, digest_algorithm, *rest = info.as_seq(5)
    covered = rest.pop(0) if rest[0].tag == 0xA0 else None
    if rest and rest[-1].tag == 0xA1:
        rest.pop()  # unauthenticated attributes: nobody signed them, nothing is read from them
    if version.as_int() not in (1, 3) or len(rest) != 2:
        raise cms.wrong("SignerInfo 的版本或成员不符", "wrong version or members in SignerInfo")
    return SignerInfo(
        name=_name(who),
        key_id=who.value if who.tag == 0x80 else None,
        digest_algorithm=certs.algorithm(digest_algorithm)[0],
        signature_algorithm=certs.algorithm(rest[0])[0],
        covered=b"\x31" + covered.raw[1:] if covered else None,
        attributes=_attributes(covered) if covered else {},
        signature=rest[1].as_octets(),
    )


def _name(who: der.Tlv) -> tuple[bytes, int] | None:
    if who.tag == 0x80:
        return None
    issuer, serial = who.as_seq(2, 2)
    return issuer.raw, serial.as_int()


def _attributes(element: der.Tlv) -> dict[str, tuple[bytes, ...]]:
    """Every attribute once, the message digest among them with exactly one value."""
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in element.children(_ATTRIBUTES):
        kind, values = attribute.as_seq(2, 2)
        values.expect(der.SET, "SET")
        if kind.as_oid() in found:
            raise cms.wrong("签名属性重复", "a signed attribute occurs twice")
        found[kind.as_oid()] = tuple(value.raw for value in values.children(_ATTRIBUTES))
    if len(found.get(MESSAGE_DIGEST, ())) != 1:
        raise cms.wrong("签名属性中的摘要不是恰好一个", "not exactly one digest among the signed attributes")
    der.parse(found[MESSAGE_DIGEST][0]).as_octets()
    return found


def single(info: SignerInfo, attribute: str) -> der.Tlv | None:
    """The one value of a signed attribute, None where it is absent; Malformed with several."""
    values = info.attributes.get(attribute)
    if values is None:
        return None
    if len(values) != 1:
        raise Malformed("message-form", "签名属性应只有一个值", "a signed attribute must have one value")
    return der.parse(values[0])
