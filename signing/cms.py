"""What the messages of GB/T 35275-2017 (GM/T 0010-2012, 消息语法) have in common: content types in two families, readers.

The national family and that of PKCS#7 and RFC 5652 number the same things under two arcs; both occur in the field, so
both are read, and the writer names the one it emits. The same holds for how a signature is called: 301.1 or 501, its
parameters NULL or absent. Messages with BER lengths are read through ``signing.ber`` after strict DER has failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from signing import ber, der, oids
from signing.certs import Certificate
from signing.errors import Malformed

Kind = Literal["data", "signed", "enveloped"]
T = TypeVar("T")

MAX_BYTES: Final = 16 << 20
_NUMBERS: Final[dict[Kind, int]] = {"data": 1, "signed": 2, "enveloped": 3}


@dataclass(frozen=True, slots=True)
class Family:
    """An arc of content types and the name its writers give to an SM2 signature."""

    arc: str
    signature: str

    def content_type(self, kind: Kind) -> str:
        """The object identifier of a kind."""
        return f"{self.arc}.{_NUMBERS[kind]}"


GM: Final = Family("1.2.156.10197.6.1.4.2", oids.SM2_SIGN)
PKCS7: Final = Family("1.2.840.113549.1.7", oids.SM2_WITH_SM3)
FAMILIES: Final = (GM, PKCS7)
DATA: Final = frozenset(family.content_type("data") for family in FAMILIES)


def wrong(zh: str, en: str) -> Malformed:
    """One refusal of a message's form."""
    return Malformed("message-form", zh, en)


def tolerant(data: bytes, read: Callable[[bytes], T], limit: int = MAX_BYTES) -> T:
    """``read`` the bytes as they are, or, where they are not DER but BER, in DER lengths."""
    try:
        return read(data)
    except Malformed as strict:
        try:
            plain = ber.to_der(data, limit=limit)
        except Malformed:
            raise strict from None
        if plain == data:
            raise
    return read(plain)


def body(data: bytes, kind: Kind, limit: int = MAX_BYTES) -> der.Tlv:
    """The structure inside a ContentInfo of this kind, or the bare structure; Malformed for another kind."""
    outer = der.parse(data, limit=limit)
    members = outer.as_seq(2)
    if members[0].tag != der.OID:
        return outer
    if members[0].as_oid() not in {family.content_type(kind) for family in FAMILIES}:
        raise wrong("消息不是所要的类型", "a message of another kind")
    if len(members) != 2 or members[1].tag != 0xA0:
        raise wrong("ContentInfo 的成员不符", "wrong members in ContentInfo")
    return only(members[1].children(2))


def content_info(content_type: str, inner: bytes) -> bytes:
    """ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT }."""
    return der.seq(der.oid(content_type), der.explicit(0, inner))


def only(elements: list[der.Tlv]) -> der.Tlv:
    """The one element there must be."""
    if len(elements) != 1:
        raise wrong("消息中此处应恰有一项", "the message must hold exactly one element here")
    return elements[0]


def issuer_and_serial(certificate: Certificate) -> bytes:
    """IssuerAndSerialNumber of a certificate."""
    return der.seq(certificate.issuer_der, der.integer(certificate.serial))


def algorithm(oid: str, *, null: bool = True) -> bytes:
    """AlgorithmIdentifier with NULL or without parameters."""
    return der.seq(der.oid(oid), *([der.null()] if null else []))
