"""Whose keys they are: the parties' signed cards of a package (名片) read into a book of keys by party, use and id."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from gateway.ledger.package import Finding
from gateway.ledger.records import CardRecord
from gateway.ledger.revocation import Revocation
from signing import certs, sm2
from signing.errors import Malformed
from signing.providers import Provider

CARD_DOMAIN = b"tongban/v1/card\n"
WINDOW_MS = 300_000  # how far clocks may differ
_ROOT = re.compile(r"[0-9a-f]{64}")


class _SignedCard(msgspec.Struct, frozen=True):
    card: bytes
    key: str
    signature: bytes
    certificate: bytes


class _CardKey(msgspec.Struct, frozen=True):
    use: str
    id: str
    certificate: bytes
    since_ms: int = 0
    until_ms: int = 0


class _Revoked(msgspec.Struct, frozen=True):
    id: str
    at_ms: int
    size: int = 0
    root: str = ""


class _Card(msgspec.Struct, frozen=True):
    party: str
    keys: list[_CardKey]
    name: str = ""
    version: int = 0
    issued_ms: int = 0
    revoked: list[_Revoked] = []


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed a card: the fingerprint is what two cities compare out of band."""

    party: str
    name: str
    fingerprint: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a party from its card."""

    public: sm2.PublicKey
    certificate: bytes
    since_ms: int
    until_ms: int = 0  # 0: open

    def early(self, at_ms: int) -> bool:
        """Whether a signature of this time is older than the key's first day, by more than clocks may differ."""
        return at_ms < self.since_ms - WINDOW_MS

    def late(self, at_ms: int) -> bool:
        """Whether the key had been taken out of use before."""
        return 0 < self.until_ms < at_ms - WINDOW_MS


@dataclass(slots=True)
class KeyBook:
    """Keys by (party, use, key id); ``identities`` in the order of the cards; ``revoked`` by (party, key id).

    Several cards of one party are its cards of different times: a key that a later one leaves out was in use until then.
    """

    keys: dict[tuple[str, str, str], Key] = field(default_factory=dict)
    identities: list[Identity] = field(default_factory=list)
    revoked: dict[tuple[str, str], Revocation] = field(default_factory=dict)

    def find(self, party: str, use: str, key: str) -> Key | None:
        return self.keys.get((party, use, key))

    def certificates(self, party: str, use: str) -> list[bytes]:
        """The certificates (DER) of a party's keys of one use."""
        return [key.certificate for (owner, kind, _), key in self.keys.items() if (owner, kind) == (party, use)]

    def key_ids(self) -> dict[str, frozenset[str]]:
        """The ids of all keys of each party, its identity key among them."""
        found: dict[str, set[str]] = {}
        for one in self.identities:
            found.setdefault(one.party, set()).add(one.fingerprint)
        for party, _, key in self.keys:
            found.setdefault(party, set()).add(key)
        return {party: frozenset(ids) for party, ids in found.items()}

    def belongs_to_another(self, party: str, key: str) -> bool:
        """Whether the key is known, but not as this party's."""
        return any(known == key and owner != party for owner, _, known in self.keys)


def read_cards(cards: Iterable[tuple[int, CardRecord]], provider: Provider) -> tuple[KeyBook, list[Finding]]:
    """The book, and a finding for every card that cannot be believed; such a card gives no keys."""
    book, findings, good = KeyBook(), list[Finding](), list[tuple[int, _Card]]()
    for line, record in cards:
        findings.extend(_read(book, line, record, provider, good))
    for line, card in sorted(good, key=lambda pair: pair[1].version):
        findings.extend(_enter(book, line, card))
    return book, findings


def _read(
    book: KeyBook, line: int, record: CardRecord, provider: Provider, good: list[tuple[int, _Card]]
) -> list[Finding]:
    try:
        signed = msgspec.json.decode(record.card, type=_SignedCard)
        card = msgspec.json.decode(signed.card, type=_Card)
        public = certs.parse(signed.certificate).public_key
    except (msgspec.MsgspecError, ValueError, RecursionError, Malformed):
        return [Finding("parties", "card-malformed", "当事方名片读不出", "the party card cannot be read", line)]
    if public is None or public.thumbprint != signed.key:
        zh, en = "名片的签名密钥与其证书不符", "the card's signing key is not its certificate's"
        return [Finding("parties", "card-key", zh, en, line)]
    if not sm2.verify(provider, public, CARD_DOMAIN + signed.card, signed.signature, signer_id=sm2.DEFAULT_ID):
        return [Finding("parties", "card-signature", "名片的签名不符", "the card's signature does not match", line)]
    if card.party != record.party:
        return [Finding("parties", "card-party", "名片不属于所标的当事方", "the card is another party's", line)]
    identity = Identity(card.party, card.name, public.thumbprint, signed.certificate)
    if identity not in book.identities:
        book.identities.append(identity)
    good.append((line, card))
    return []


def _enter(book: KeyBook, line: int, card: _Card) -> list[Finding]:
    """A card's keys; those of the party's earlier cards that it leaves out end with it."""
    listed, findings = {key.id for key in card.keys}, []
    for (party, use, id_), old in book.keys.items():
        if party == card.party and id_ not in listed:
            ended = min(old.until_ms or card.issued_ms, card.issued_ms)
            book.keys[party, use, id_] = replace(old, until_ms=ended)
    for gone in card.revoked:
        root = bytes.fromhex(gone.root) if _ROOT.fullmatch(gone.root) else b""
        book.revoked[card.party, gone.id] = Revocation(gone.at_ms, gone.size, root)
    for key in card.keys:
        if key.use == "tls":
            continue  # guards connections and signs nothing that evidence rests on; it need not be SM2
        known = _public_key(key.certificate)
        if known is None or known.thumbprint != key.id:
            zh, en = f"名片中“{key.use}”密钥与其证书不符", f"the card's \"{key.use}\" key is not its certificate's"
            findings.append(Finding("parties", "card-key", zh, en, line))
        else:
            book.keys[card.party, key.use, key.id] = Key(known, key.certificate, key.since_ms, key.until_ms)
    return findings


def _public_key(certificate: bytes) -> sm2.PublicKey | None:
    try:
        return certs.parse(certificate).public_key
    except Malformed:
        return None
