"""What stands before any flow: keys, card, partners, agreements and tables, read from a configuration and checked.

The serving node, the doctor and the offline commands all begin here, so they see the same things in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agreements import load as agreements
from agreements.calendar import Calendars
from agreements.match import Book, Held
from gateway.config import Config, ConfigError, Peer
from gateway.exchange import trail
from gateway.exchange.card import Card
from gateway.exchange.known import KnownKey, known_keys
from gateway.exchange.registryfile import Vouching
from gateway.exchange.trail import HeldCard
from gateway.exchange.trust import Partner
from gateway.ids import now_ms
from gateway.keys import keyring
from gateway.keys.keyring import Keyring
from gateway.ops.alarms import alarm
from gateway.tables import calendars, divisions
from schemas.divisions import Divisions
from signing import sm2
from signing.providers import Provider
from signing.providers.watched import Watched


@dataclass(frozen=True)
class Ground:
    """What stands before any flow: keys, card, partners, agreements, tables."""

    ring: Keyring
    cards: list[HeldCard]  # our own, oldest first
    peer_cards: Mapping[str, list[HeldCard]]  # the partners' likewise
    partners: dict[str, Partner]
    book: Book
    divisions: Divisions
    calendars: Calendars
    warning: str

    @property
    def card(self) -> Card:
        """Our own newest card."""
        return self.cards[-1].card

    @property
    def fingerprint(self) -> str:
        """Our identity key, as our card names it."""
        return trail.fingerprint(self.cards[-1].data)


def ground(config: Config, base: Path, now_ms: Callable[[], int] = now_ms) -> Ground:
    """Read keys, cards, partners and agreements; raises ``ConfigError`` with what is wrong and where."""
    ring, warning = keyring.open_ring(config, base)
    provider = ring.provider
    watched = Watched(provider, alarm("nonce-reused"))
    ours = trail.of_node(config, base, ring.certificate("identity"), provider)
    theirs = {peer.id: trail.of_peer(config, base, peer, provider) for peer in config.peer}
    vouching = Vouching(base / config.registry.file, provider)
    partners = {peer.id: _partner(config, peer, theirs[peer.id], watched, now_ms, vouching) for peer in config.peer}
    signers = known_signers({ours[-1].card.party: ours, **theirs})
    book = Book([_held(base / one.file, signers, provider) for one in config.agreement], divisions())
    return Ground(ring, ours, theirs, partners, book, divisions(), calendars(), warning)


def _partner(
    config: Config,
    peer: Peer,
    held: Sequence[HeldCard],
    provider: Watched,
    now_ms: Callable[[], int],
    vouching: Vouching,
) -> Partner:
    *earlier, newest = [one.card for one in held]
    return Partner(
        newest, peer.url, provider, fingerprint=peer.fingerprint, earlier=earlier, now_ms=now_ms,
        window_ms=config.limits.window_ms,
        vouched=lambda: not peer.registry or vouching.stands_for(peer.id, peer.fingerprint, now_ms()),
    )  # fmt: skip


def _held(path: Path, signers: Signers, provider: Provider) -> Held:
    """An agreement with the parties whose signature holds: made with a direct key of that party's card."""
    try:
        signed = agreements.parse(read_file(path))
    except agreements.AgreementError as error:
        raise ConfigError(f"{path} {error.where}", error.zh, error.en) from None
    checks = agreements.check_signatures(signed, verify=party_verifier(signers, provider))
    return Held(signed.agreement, agreements.signed_by(checks), agreements.digest(signed.text))


class _NotOurs:
    """A signature that no direct key of the party's cards made while it counted."""

    code = "agreement-signature"
    zh = "协议签名不是该方名片中当时有效的密钥所作"
    en = "the agreement was not signed by a key of the party's cards that counted then"


Signers = Mapping[str, Mapping[str, KnownKey]]


def known_signers(held: Mapping[str, Sequence[HeldCard]]) -> Signers:
    """The keys of each party's cards, past ones too: a rotated key's signatures stay good."""
    return {party: known_keys(one.card for one in trail_) for party, trail_ in held.items()}


def party_verifier(signers: Signers, provider: Provider) -> agreements.Verify:
    """Checks an agreement's signature against the direct keys that the party's cards named.

    Agreements are put into a node's configuration by its own administrators, so a signature that states a time before its
    key was revoked counts; one that states a later time does not.
    """

    def verify(party: str, certificate: bytes, message: bytes, signature: bytes, at: datetime) -> _NotOurs | None:
        at_ms = int(at.timestamp() * 1000)
        for key in signers.get(party, {}).values():
            revoked = key.revoked is not None and at_ms >= key.revoked.at_ms
            if key.use == "direct" and key.certificate == certificate and not revoked and not key.over(at_ms):
                good = sm2.verify(provider, key.public, message, signature, signer_id=sm2.DEFAULT_ID)
                return None if good else _NotOurs()
        return _NotOurs()

    return verify


def read_file(path: Path) -> bytes:
    """The bytes of a file that the configuration names; ``ConfigError`` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})") from None
