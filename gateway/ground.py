"""What stands before any flow: keys, card, partners, agreements and tables, read from a configuration and checked.

The serving node, the doctor and the offline commands all begin here, so they see the same things in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from agreements import load as agreements
from agreements.calendar import Calendar, Calendars
from agreements.match import Book, Held
from gateway import keyring
from gateway.config import Config, ConfigError
from gateway.exchange import card as cards
from gateway.exchange.trust import Partner
from gateway.keyring import Keyring
from gateway.ops.alarms import alarm
from schemas.divisions import Divisions
from signing import certs, sm2
from signing.providers import Provider
from signing.providers.watched import Watched


@dataclass(frozen=True)
class Ground:
    """What stands before any flow: keys, card, partners, agreements, tables."""

    ring: Keyring
    card_bytes: bytes
    card: cards.Card
    partners: dict[str, Partner]
    book: Book
    divisions: Divisions
    calendars: Calendars
    warning: str


def ground(config: Config, base: Path) -> Ground:
    """Read keys, card, partners and agreements; raises ``ConfigError`` with what is wrong and where."""
    ring, warning = keyring.open_ring(config, base)
    provider = ring.provider
    watched = Watched(provider, alarm("nonce-reused"))
    card_bytes = read_file(base / "card.json")
    identity = certs.parse(ring.certificate("identity")).public_key  # the private identity key stays offline
    card = _card(base / "card.json", card_bytes, identity.thumbprint if identity is not None else "", provider)
    partners = {
        peer.id: Partner(
            _card(base / peer.card, read_file(base / peer.card), peer.fingerprint, provider), peer.url, watched
        )
        for peer in config.peer
    }
    divisions = Divisions(_data("regions.csv"), _data("regions-retired.csv"))
    signers = {card.party: card, **{one.id: one.card for one in partners.values()}}
    book = Book([_held(base / one.file, signers, provider) for one in config.agreement], divisions)
    calendars = Calendars(Calendar.from_csv(_data("holidays-cn.csv")))
    return Ground(ring, card_bytes, card, partners, book, divisions, calendars, warning)


def _held(path: Path, signers: Mapping[str, cards.Card], provider: Provider) -> Held:
    """An agreement with the parties whose signature holds: made with a direct key of that party's card."""
    try:
        signed = agreements.parse(read_file(path))
    except agreements.AgreementError as error:
        raise ConfigError(f"{path} {error.where}", error.zh, error.en) from None
    checks = agreements.check_signatures(signed, verify=party_verifier(signers, provider))
    return Held(signed.agreement, agreements.signed_by(checks), agreements.digest(signed.text))


class _NotOurs:
    """A signature that no direct key of the party's card made."""

    code = "agreement-signature"
    zh = "协议签名不是该方名片中的密钥所作"
    en = "the agreement was not signed by a key of the party's card"


def party_verifier(signers: Mapping[str, cards.Card], provider: Provider) -> agreements.Verify:
    """Checks an agreement's signature against the direct keys of the party's own card."""

    def verify(party: str, certificate: bytes, message: bytes, signature: bytes, _at: object) -> _NotOurs | None:
        card = signers.get(party)
        for key in cards.public_keys(card, "direct").values() if card is not None else ():
            if sm2.verify(provider, key, message, signature, signer_id=sm2.DEFAULT_ID):
                listed = any(one.certificate == certificate for one in card.keys) if card is not None else False
                return None if listed else _NotOurs()
        return _NotOurs()

    return verify


def _card(path: Path, data: bytes, fingerprint: str, provider: Provider) -> cards.Card:
    try:
        return cards.read(data, fingerprint, provider)
    except cards.CardError as error:
        raise ConfigError(str(path), error.zh, error.en) from None


def read_file(path: Path) -> bytes:
    """The bytes of a file that the configuration names; ``ConfigError`` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})") from None


def _data(name: str) -> bytes:
    return (resources.files("schemas") / "data" / name).read_bytes()
