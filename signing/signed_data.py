"""Signed messages (签名数据, GB/T 35275-2017 SignedData) with one signer, as far as OFD uses them (GM/T 0099-2020 7.2.2).

The content is the SM3 digest of what is signed, at times as Base64, or is left out. Signed are the content's bytes, or,
where there are authenticated attributes, those as a SET, one of them being the digest. SM2 with the id 1234567812345678.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signing import certs, der, oids, sm2
from signing.certs import Certificate
from signing.errors import Malformed

if TYPE_CHECKING:
    from signing.providers import Provider

_SIGNED_DATA: Final = "1.2.156.10197.6.1.4.2.2"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNATURES: Final = frozenset({oids.SM2_SIGN, oids.SM2_WITH_SM3})
_CERTIFICATES: Final = 16
_LIMIT: Final = 1 << 20
_CONTEXT: Final = (0xA0, 0xA1)


@dataclass(frozen=True, slots=True)
class SignedData:
    """``content`` None: left out. ``attributes``: the SET that is signed, None without. ``stated``: the digest in it.
    ``signer`` None: the certificate it names is not among those it carries."""

    content: bytes | None
    attributes: bytes | None
    stated: bytes | None
    digest_algorithm: str
    signature_algorithm: str
    signature: bytes
    signer: Certificate | None
    others: tuple[Certificate, ...]

    @property
    def algorithms_known(self) -> bool:
        """SM3 and SM2?"""
        digest = self.digest_algorithm == oids.SM3 or self.digest_algorithm.startswith(oids.SM3 + ".")
        return digest and self.signature_algorithm in _SIGNATURES

    def is_about(self, digest: bytes) -> bool:
        """Does everything it says of its content fit this digest?"""
        content = self.content
        fits = content is None or content == digest or content.strip() == base64.b64encode(digest)
        return fits and self.stated in (None, digest)

    def holds(self, digest: bytes, provider: Provider) -> bool:
        """The signature over the content or the attributes, with the key of the certificate it carries."""
        key = self.signer.public_key if self.signer else None
        message = self.attributes or self.content or digest
        return key is not None and sm2.verify(provider, key, message, self.signature, signer_id=sm2.DEFAULT_ID)


def parse(data: bytes) -> SignedData:
    """From DER, with or without the ContentInfo around it; Malformed otherwise."""
    signed = der.parse(data, limit=_LIMIT)
    members = signed.as_seq(2, 6)
    if members[0].tag == der.OID:
        if members[0].as_oid() != _SIGNED_DATA or len(members) != 2 or members[1].tag != 0xA0:
            raise _wrong("不是 SignedData", "not SignedData")
        signed = _only(members[1].children(2))
    version, algorithms, content, *tagged, signers = signed.as_seq(4, 6)
    algorithms.expect(der.SET, "SET")
    signers.expect(der.SET, "SET")
    tags = [element.tag for element in tagged]
    if version.as_int() != 1 or tags != sorted(set(tags)) or not set(tags) <= set(_CONTEXT):
        raise _wrong("SignedData 的版本或成员不符", "wrong version or members in SignedData")
    carried = tuple(
        certs.parse(one.raw) for element in tagged if element.tag == 0xA0 for one in element.children(_CERTIFICATES)
    )
    return _with_signer(_content(content), carried, _only(signers.children(2)))


def _with_signer(content: bytes | None, carried: tuple[Certificate, ...], info: der.Tlv) -> SignedData:
    version, who, digest_algorithm, *rest = info.as_seq(5, 7)
    attributes = rest.pop(0) if rest[0].tag == 0xA0 else None
    if rest and rest[-1].tag == 0xA1:
        rest.pop()  # unauthenticated attributes: nobody signed them, nothing is read from them
    if version.as_int() != 1 or len(rest) != 2:
        raise _wrong("SignerInfo 的版本或成员不符", "wrong version or members in SignerInfo")
    issuer, serial = who.as_seq(2, 2)
    fitting = [one for one in carried if (one.issuer_der, one.serial) == (issuer.raw, serial.as_int())]
    signer = fitting[0] if fitting else None
    return SignedData(
        content=content,
        attributes=b"\x31" + attributes.raw[1:] if attributes else None,
        stated=_stated(attributes) if attributes else None,
        digest_algorithm=certs.algorithm(digest_algorithm)[0],
        signature_algorithm=certs.algorithm(rest[0])[0],
        signature=rest[1].as_octets(),
        signer=signer,
        others=tuple(one for one in carried if one is not signer),
    )


def _content(element: der.Tlv) -> bytes | None:
    kind, *inner = element.as_seq(1, 2)
    kind.as_oid()
    if not inner:
        return None
    inner[0].expect(0xA0, "[0]")
    return _only(inner[0].children(2)).as_octets()


def _stated(attributes: der.Tlv) -> bytes:
    found = []
    for attribute in attributes.children(64):
        kind, values = attribute.as_seq(2, 2)
        if kind.as_oid() == _MESSAGE_DIGEST:
            values.expect(der.SET, "SET")
            found += [value.as_octets() for value in values.children(2)]
    if len(found) != 1:
        raise _wrong("签名属性中的摘要不是恰好一个", "not exactly one digest among the signed attributes")
    return found[0]


def _only(elements: list[der.Tlv]) -> der.Tlv:
    if len(elements) != 1:
        raise _wrong("SignedData 中应恰有一项", "SignedData must hold exactly one here")
    return elements[0]


def _wrong(zh: str, en: str) -> Malformed:
    return Malformed("signed-data-form", zh, en)
