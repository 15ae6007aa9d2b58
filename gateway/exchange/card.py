"""The party card (当事方名片): who a partner is and which keys it uses, signed by its offline identity key.

The identity key signs cards and nothing else; partners compare its fingerprint out of band before they add a card. Later
cards follow by themselves (``follow``): each is held against the one held before, and a version never goes back (row C26).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.exchange.message import PartyId
from signing import certs, dual, sm2
from signing.errors import Malformed, Rejected
from signing.providers import Provider

DOMAIN = b"tongban/v1/card\n"
USES = ("checkpoint", "direct", "encryption", "platform", "seal-anchor", "tls")


FORMS = (1, 2)  # of the card's content; 2 adds until_ms and revoked
STEP = 32  # versions that one card may be ahead of the one before it
MAX_SIZE = 1 << 19  # bytes of a signed card

Millis = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
KeyId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]


class CardKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One key of a party: its use, its id (thumbprint), its certificate (DER), good from ``since_ms`` to ``until_ms``.

    ``until_ms`` 0: until a later card says otherwise. Before ``since_ms`` the key is announced (下一把), not yet in use.
    """

    use: Annotated[str, Meta(max_length=32)]
    id: KeyId
    certificate: Annotated[bytes, Meta(max_length=8192)]
    since_ms: Millis
    until_ms: Millis = 0


class Revoked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A revoked key: signatures from ``at_ms`` on are not its party's. For a checkpoint key ``size`` and ``root`` (hex)
    name the last good state of the party's ledger (0 and "" for other uses, or for an empty ledger)."""

    id: KeyId
    at_ms: Millis
    size: Annotated[int, Meta(ge=0)] = 0
    root: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")] = ""


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a party says of itself; ``version`` only goes up. A revoked key stays listed for ever."""

    v: int = FORMS[-1]
    party: PartyId
    name: str
    division: str
    version: Annotated[int, Meta(ge=1)]
    issued_ms: Millis
    endpoint: str
    versions: tuple[int, ...] = (1,)
    capabilities: tuple[str, ...] = ()
    body_limit: int
    part_limit: int
    origin: str
    keys: Annotated[tuple[CardKey, ...], Meta(max_length=64)]
    revoked: Annotated[tuple[Revoked, ...], Meta(max_length=512)] = ()


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
    except (msgspec.MsgspecError, ValueError, RecursionError, Malformed):
        raise CardError("名片无法读取", "the card cannot be read") from None
    if identity is None or identity.thumbprint != fingerprint or signed.key != fingerprint:
        raise CardError("名片的身份密钥与登记的指纹不符", "the card's identity key is not the one that was confirmed")
    if not sm2.verify(provider, identity, DOMAIN + signed.card, signed.signature, signer_id=sm2.DEFAULT_ID):
        raise CardError("名片签名验证未通过", "the card's signature does not verify")
    return _content(signed.card)


def _content(data: bytes) -> Card:
    try:
        form = msgspec.json.decode(data, type=_Form).v
        if form not in FORMS:
            raise CardError(f"名片格式第 {form} 版，本网关尚不能读", f"a card of form {form}, which is not known here")
        card = msgspec.json.decode(data, type=Card)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise CardError("名片内容无法读取", "the card's content cannot be read") from None
    if len({key.id for key in card.keys}) != len(card.keys):
        raise CardError("名片中同一密钥出现两次：一把密钥只有一个用途", "a key occurs twice: one key has one use")
    if form == 1 and (card.revoked or any(key.until_ms for key in card.keys)):
        raise CardError("第 1 版名片格式没有这些字段", "a card of form 1 has no such fields")
    return card


class _Form(msgspec.Struct):
    v: int


class Next(Enum):
    """What a card is, held against the one held before it."""

    SAME = "same"
    NEWER = "newer"
    ROLLBACK = "rollback"  # an older version, an earlier date, or a revocation taken back
    CONFLICT = "conflict"  # the same version with other content: portable proof against whoever holds the identity key
    JUMP = "jump"  # more than STEP versions ahead: the ones between have to be fetched first
    OTHER = "other"  # another party's, another ledger's, or a key under another use


def follow(held: Card, offered: Card) -> Next:
    """Whether ``offered`` may take the place of ``held``; both have passed ``read`` under one identity key."""
    if offered == held:
        return Next.SAME
    if (offered.party, offered.origin) != (held.party, held.origin):
        return Next.OTHER
    if offered.version == held.version:
        return Next.CONFLICT
    if offered.version < held.version or offered.issued_ms < held.issued_ms:
        return Next.ROLLBACK
    if not set(held.revoked) <= set(offered.revoked):
        return Next.ROLLBACK
    uses = {key.id: key.use for key in held.keys}
    if any(uses.get(key.id, key.use) != key.use for key in offered.keys):
        return Next.OTHER
    return Next.NEWER if offered.version - held.version <= STEP else Next.JUMP


def content(data: bytes) -> Card:
    """What a signed card says, believed in nothing: for cards of our own keeping. Raises ``CardError``."""
    try:
        return _content(msgspec.json.decode(data, type=SignedCard).card)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise CardError("名片无法读取", "the card cannot be read") from None


def identity(data: bytes) -> str:
    """The fingerprint of the identity key that a card says signed it, believed in nothing yet. Raises ``CardError``."""
    try:
        return msgspec.json.decode(data, type=SignedCard).key
    except (msgspec.MsgspecError, ValueError, RecursionError):
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
    """The key to encrypt to this party with: the newest that is in use at ``at``, not revoked, and whose certificate is
    for encryption only (C06), valid then, and of the holder of the card's signing certificates (C07); otherwise why there
    is none."""
    now_ms, revoked = int(at.timestamp() * 1000), {one.id for one in card.revoked}
    holders = [certificate for use in ("checkpoint", "direct") for _, certificate in _certified(card, use)]
    reason: Rejected | None = None
    usable = [
        (key, certificate)
        for key, certificate in _certified(card, "encryption")
        if key.since_ms <= now_ms and not 0 < key.until_ms <= now_ms and key.id not in revoked
    ]
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
