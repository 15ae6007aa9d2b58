"""Our next card (下一版名片), as the register of keys says it: what is announced, in use or in overlap stands on it.

It is made on the node without a signature (``card.next.json``) and signed where the identity key lies, offline. What other
hands put on the card (the roots of our seals) stays.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from gateway.config import ConfigError
from gateway.exchange import card as cards
from gateway.exchange.card import Card, CardKey, Revoked
from gateway.files import write_public
from gateway.keys.keyring import Keyring
from signing import certs
from signing.errors import Malformed
from signing.keyring import Entry, Register, State
from signing.sm2 import Signer

FILE, NEXT = "card.json", "card.next.json"
CARDED = ("checkpoint", "direct", "encryption")  # uses that partners learn of by the card
STANDING = (State.ANNOUNCED, State.ACTIVE, State.OVERLAP)


def held(ring: Keyring, base: Path) -> Card:
    """Our card as installed, by our identity key's certificate."""
    path = base / FILE
    try:
        identity = certs.parse(ring.certificate("identity")).public_key
        return cards.read(path.read_bytes(), identity.thumbprint if identity is not None else "", ring.provider)
    except OSError as error:
        raise ConfigError(str(path), f"读不到名片（{error.strerror}）", f"cannot be read ({error.strerror})") from None
    except (Malformed, cards.CardError) as error:
        raise ConfigError(str(path), error.zh, error.en) from None


def follow(
    before: Card,
    register: Register,
    certificate: Callable[[Entry], bytes],
    last_good: Callable[[str], tuple[int, str]],
    now_ms: int,
) -> Card:
    """The card after ``before``. A key that is on it keeps its date, a new one has the date it was announced for; a
    revocation stays for ever. ``last_good``: size and root (hex) of our ledger as a key last signed it."""
    known = {key.id: key.since_ms for key in before.keys}
    ours = tuple(
        CardKey(entry.use, entry.id, certificate(entry), known.get(entry.id, entry.since_ms or now_ms))
        for entry in register.entries
        if entry.use in CARDED and entry.state in STANDING
    )
    others = tuple(key for key in before.keys if key.use not in CARDED)
    told = {one.id for one in before.revoked}
    gone = tuple(
        Revoked(entry.id, entry.moves[-1].at_ms, *last_good(entry.id))
        for entry in register.entries
        if entry.use in CARDED and entry.state is State.REVOKED and entry.id not in told and _was_known(entry)
    )
    return msgspec.structs.replace(
        before, v=cards.FORMS[-1], version=before.version + 1, issued_ms=max(now_ms, before.issued_ms),
        keys=ours + others, revoked=before.revoked + gone,
    )  # fmt: skip


def write(base: Path, card: Card) -> Path:
    """Put the unsigned card where it is fetched for signing."""
    path = base / NEXT
    write_public(path, msgspec.json.format(msgspec.json.encode(card, order="sorted"), indent=1) + b"\n")
    return path


def unsigned(data: bytes, where: str) -> Card:
    """A card that was written by ``write``."""
    try:
        return msgspec.json.decode(data, type=Card)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise ConfigError(where, "不是待签的名片", "not a card to be signed") from None


def signed(card: Card, signer: Signer, certificate: bytes, where: str) -> bytes:
    """The card as it is published; the certificate must be the identity key's."""
    try:
        public = certs.parse(certificate).public_key
    except Malformed as error:
        raise ConfigError(where, error.zh, error.en) from None
    if public != signer.public:
        raise ConfigError(where, "证书不是身份密钥的", "the certificate is not the identity key's")
    return cards.sign(card, signer, certificate)


def install(ring: Keyring, base: Path, data: bytes, where: str) -> Card:
    """Put a signed card in place of ours, whole. ``ConfigError`` when it is not ours, not newer, or lacks a key in use."""
    before = held(ring, base)
    identity = certs.parse(ring.certificate("identity")).public_key
    try:
        card = cards.read(data, identity.thumbprint if identity is not None else "", ring.provider)
    except cards.CardError as error:
        raise ConfigError(where, error.zh, error.en) from None
    if cards.follow(before, card) not in (cards.Next.NEWER, cards.Next.JUMP):
        zh, en = "名片不是本方的，或不能接在现有名片之后", "the card is another party's, or cannot follow ours"
        raise ConfigError(where, zh, en)
    listed = {(key.use, key.id) for key in card.keys}
    missing = [entry.use for entry in ring.entries() if signs(entry) and (entry.use, entry.id) not in listed]
    if missing:
        names = ", ".join(missing)
        raise ConfigError(where, f"名片缺少在用密钥：{names}", f"the card lacks keys in use: {names}")
    write_public(base / FILE, data)
    return card


def signs(entry: Entry) -> bool:
    """Whether partners must find this key on our card: it signs now, and its use is on the card."""
    return entry.use in CARDED and entry.state is State.ACTIVE


def _was_known(entry: Entry) -> bool:
    """Whether partners may ever have heard of this key."""
    return any(moved.to in STANDING for moved in entry.moves)
