"""The party card (当事方名片): who a partner is and which keys it uses, signed by its offline identity key.

The identity key signs cards and nothing else; partners compare its fingerprint out of band before they add a card.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from gateway.exchange.message import PartyId
from signing import certs, dual, sm2
from signing.errors import Malformed, Rejected
from signing.providers import Provider

DOMAIN = b"tongban/v1/card\n"
USES = ("checkpoint", "direct", "encryption", "platform", "seal-anchor", "tls")


class CardKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key of a party: its use, its id (thumbprint), its certificate (DER), valid from ``since_ms``."""

    use: str
    id: str
    certificate: bytes
    since_ms: int


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a party says of itself; ``version`` only goes up."""

    v: int = 1
    party: PartyId
    name: str
    division: str
    version: int
    issued_ms: int
    endpoint: str
    versions: tuple[int, ...] = (1,)
    capabilities: tuple[str, ...] = ()
    body_limit: int
    part_limit: int
    origin: str
    keys: tuple[CardKey, ...]


class SignedCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The card's bytes with the identity key's signature and certificate."""

    card: bytes
    key: str
    signature: bytes
    certificate: bytes


class CardError(Exception):
    """The card cannot be used; both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def sign(card: Card, signer: sm2.Signer, certificate: bytes) -> bytes:
    """The signed card as it is published and handed over."""
    data = msgspec.json.encode(card, order="sorted")
    signed = SignedCard(data, signer.key_id, signer.sign(DOMAIN + data), certificate)
    return msgspec.json.encode(signed, order="sorted")


def read(data: bytes, fingerprint: str, provider: Provider) -> Card:
    """The card, if its identity key is the confirmed one and its signature holds. Raises ``CardError``."""
    try:
        signed = msgspec.json.decode(data, type=SignedCard)
        identity = certs.parse(signed.certificate).public_key
    except (msgspec.MsgspecError, Malformed):
        raise CardError("名片无法读取", "the card cannot be read") from None
    if identity is None or identity.thumbprint != fingerprint or signed.key != fingerprint:
        raise CardError("名片的身份密钥与登记的指纹不符", "the card's identity key is not the one that was confirmed")
    if not sm2.verify(provider, identity, DOMAIN + signed.card, signed.signature, signer_id=sm2.DEFAULT_ID):
        raise CardError("名片签名验证未通过", "the card's signature does not verify")
    try:
        return msgspec.json.decode(signed.card, type=Card)
    except msgspec.MsgspecError:
        raise CardError("名片内容无法读取", "the card's content cannot be read") from None


def identity(data: bytes) -> str:
    """The fingerprint of the identity key that a card says signed it, believed in nothing yet. Raises ``CardError``."""
    try:
        return msgspec.json.decode(data, type=SignedCard).key
    except msgspec.MsgspecError:
        raise CardError("名片无法读取", "the card cannot be read") from None


def public_keys(card: Card, use: str) -> dict[str, sm2.PublicKey]:
    """The card's keys of one use, by key id. A key whose certificate is unreadable, of another key, or an encryption
    certificate that was put down for signing (C05), is left out."""
    found = {}
    for key, certificate in _certified(card, use):
        public = certificate.public_key
        if public is not None and (use == "seal-anchor" or dual.may_sign(certificate)):
            found[key.id] = public
    return found


def recipient(card: Card, at: datetime) -> sm2.PublicKey | Rejected:
    """The key to encrypt to this party with: the newest that is in use at ``at`` and whose certificate is for encryption
    only (C06), valid then, and of the holder of the card's signing certificates (C07); otherwise why there is none."""
    since = int(at.timestamp() * 1000)
    holders = [certificate for use in ("checkpoint", "direct") for _, certificate in _certified(card, use)]
    reason: Rejected | None = None
    usable = [pair for pair in _certified(card, "encryption") if pair[0].since_ms <= since]
    for _, certificate in sorted(usable, key=lambda pair: pair[0].since_ms, reverse=True):
        refused = dual.refuse_recipient(certificate, holders, at)
        if refused is None and certificate.public_key is not None:
            return certificate.public_key
        reason = reason or refused
    return reason or Rejected(
        "no-encryption-key", "对方名片中没有可用的加密密钥", "the card has no usable encryption key"
    )


def _certified(card: Card, use: str) -> Iterator[tuple[CardKey, certs.Certificate]]:
    """The keys of one use with their certificates, those left out that cannot be read or are another key's."""
    for key in card.keys:
        try:
            certificate = certs.parse(key.certificate)
        except Malformed:
            continue
        if key.use == use and certificate.public_key is not None and certificate.public_key.thumbprint == key.id:
            yield key, certificate
