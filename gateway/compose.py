"""The one place where objects are wired: settings in, a node out. Read top-down; nothing here decides anything."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import aiohttp
from aiohttp import web

from adapters.registry import Platform, open_platform
from agreements import load as agreements
from agreements.calendar import Calendar, Calendars
from agreements.match import Book, Held
from gateway import keyring
from gateway.config import Config, ConfigError
from gateway.exchange import card as cards
from gateway.exchange.client import PeerClient
from gateway.exchange.server import Exchange
from gateway.exchange.trust import Partner
from gateway.flow.agreed import Agreed
from gateway.flow.desk import Desk
from gateway.flow.housekeeping import Housekeeping
from gateway.flow.loop import Loop
from gateway.flow.notes import Note
from gateway.flow.stamps import Stamps
from gateway.flow.to_peer import ToPeer
from gateway.flow.to_platform import ToPlatform
from gateway.ids import Ids, now_ms
from gateway.keyring import Keyring
from gateway.store.head import Head
from gateway.store.journal import Journal, Tx
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from gateway.web.admin import Admin
from gateway.web.platforms import Platforms
from gateway.web.uploads import Uploads
from schemas.divisions import Divisions
from signing import certs, crl, sm2
from signing.errors import Malformed
from signing.policy import CRL_IF_PRESENT
from signing.providers import Provider
from signing.stamper import LocalStamper, Stamper

DATABASE = "gateway.db"


@dataclass
class Node:
    """A wired node: its listeners' routes, its loops, and what has to be closed in the end."""

    config: Config
    warning: str
    journal: Journal
    session: aiohttp.ClientSession
    loops: dict[str, Loop]
    routes: dict[str, Sequence[web.RouteDef]]
    platforms: Mapping[str, Platform]
    housekeeping: Housekeeping
    desk: Desk

    async def close(self) -> None:
        """Stop taking work, finish what is under way, release connections."""
        await self.journal.close()
        for platform in self.platforms.values():
            await platform.channel.close()
        await self.session.close()


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
    card_bytes = _read(base / "card.json")
    identity = certs.parse(ring.certificate("identity")).public_key  # the private identity key stays offline
    card = _card(base / "card.json", card_bytes, identity.thumbprint if identity is not None else "", provider)
    partners = {
        peer.id: Partner(
            _card(base / peer.card, _read(base / peer.card), peer.fingerprint, provider), peer.url, provider
        )
        for peer in config.peer
    }
    divisions = Divisions(_data("regions.csv"), _data("regions-retired.csv"))
    signers = {card.party: card, **{one.id: one.card for one in partners.values()}}
    book = Book([_held(base / one.file, signers, provider) for one in config.agreement], divisions)
    calendars = Calendars(Calendar.from_csv(_data("holidays-cn.csv")))
    return Ground(ring, card_bytes, card, partners, book, divisions, calendars, warning)


async def build(config: Config, base: Path) -> Node:
    """Wire the node of a configuration whose files lie under ``base``. Called inside the running event loop."""
    found = ground(config, base)
    ring, party, data = found.ring, config.node.party, base / config.node.data
    provider, vault, new_id = ring.provider, ring.vault(), Ids()
    journal = Journal(data / DATABASE, Head(found.card.origin, ring.signer("checkpoint")), now_ms)
    await journal.start()
    await _register_peers(journal, found.partners)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=64, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
    parts = Parts(data / "parts", vault)
    uploads = Uploads(parts, journal, config.limits.part)
    agreed = Agreed(party, found.book, found.calendars, frozenset(found.partners))
    stamps = _stamps(config, base, ring, found, parts)
    platforms = _platforms(config, ring, provider, session)
    loops: dict[str, Loop] = {}
    wake = _waker(loops)
    desk = Desk(party, journal, vault, parts, agreed, stamps, found.divisions, new_id, now_ms, wake)
    notes = Note(
        frozenset(one.id for one in platforms.values() if one.translator.can_send("receipt")),
        new_id,
        lambda: wake("platform"),
    )
    loops.update(_loops(config, ring, found, journal, session, vault, parts, platforms, notes))
    first = next(iter(platforms), "")
    exchange = Exchange(
        party=party, card=found.card_bytes, partners=found.partners, journal=journal, vault=vault, agreed=agreed,
        stamps=stamps, uploads=uploads, provider=provider, platform=first, batch_limit=config.limits.batch,
        range_limit=config.limits.range, window_ms=config.limits.window_ms, now_ms=now_ms, wake=wake,
        heard=lambda partner: loops[f"peer:{partner}"].wake(urgent=True),
    )  # fmt: skip
    doors = Platforms(
        platforms, desk, uploads, parts, config.limits.body, config.limits.range, config.limits.window_ms, now_ms
    )
    admin = Admin(journal, party, config.node.name, now_ms, wake)
    routes: dict[str, Sequence[web.RouteDef]] = {
        "exchange": exchange.routes(), "platform": doors.routes(), "admin": admin.routes(),
    }  # fmt: skip
    housekeeping = Housekeeping(journal, parts, config.limits.upload_idle_ms, now_ms)
    return Node(config, found.warning, journal, session, loops, routes, platforms, housekeeping, desk)


def _loops(
    config: Config,
    ring: Keyring,
    found: Ground,
    journal: Journal,
    session: aiohttp.ClientSession,
    vault: Vault,
    parts: Parts,
    platforms: Mapping[str, Platform],
    notes: Note,
) -> dict[str, Loop]:
    """One delivery loop per partner and per platform."""
    settings, party, direct = config.delivery, config.node.party, ring.signer("direct")
    loops = {}
    for partner in found.partners.values():
        client = PeerClient(session, partner, party, direct, now_ms, _nonce(ring.provider), settings.timeout_ms)
        to_peer = ToPeer(party, partner, client, journal, vault, parts, settings, random.random, notes)
        loops[to_peer.destination] = Loop(to_peer.destination, journal, to_peer, now_ms, settings.batch)
    names = {partner.id: partner.name for partner in found.partners.values()}
    for platform in platforms.values():
        to_platform = ToPlatform(platform, journal, vault, settings, random.random, names)
        loops[to_platform.destination] = Loop(to_platform.destination, journal, to_platform, now_ms, settings.parallel)
    return loops


def _waker(loops: dict[str, Loop]) -> Callable[[str], None]:
    """Wake one destination's loop; ``platform`` wakes those of all local platforms."""

    def wake(destination: str) -> None:
        for name, loop in loops.items():
            if name == destination or (destination == "platform" and name.startswith("platform:")):
                loop.wake()

    return wake


def _platforms(
    config: Config, ring: Keyring, provider: Provider, session: aiohttp.ClientSession
) -> dict[str, Platform]:
    signer, nonce = ring.signer("platform"), _nonce(provider)
    profiles = resources.files("adapters") / "profiles"
    files = {one.name: one.read_bytes() for one in profiles.iterdir() if one.is_file()}
    return {
        one.id: open_platform(one, files[f"{one.profile}.toml"], files, signer, provider, nonce, now_ms, session)
        for one in config.platform
    }


def _stamps(config: Config, base: Path, ring: Keyring, found: Ground, parts: Parts) -> Stamps:
    anchors = {one.id: [certs.parse(der) for der in one.anchors] for one in found.partners.values()}
    lists = {peer.id: base / peer.crl for peer in config.peer if peer.crl}

    def crls(party: str) -> list[crl.RevocationList]:
        path = lists.get(party)
        try:
            return [crl.load(path.read_bytes())] if path is not None and path.exists() else []
        except (OSError, Malformed):
            return []

    return Stamps(
        stamper=_stamper(config, base, ring, found), parts=parts, provider=ring.provider,
        anchors=lambda party: anchors.get(party, []), crls=crls, policy=CRL_IF_PRESENT, now_ms=now_ms,
    )  # fmt: skip


def _stamper(config: Config, base: Path, ring: Keyring, found: Ground) -> Stamper | None:
    stamp = config.stamp
    if not stamp.uri:
        return None
    if stamp.uri != "local:":
        raise ConfigError("stamp.uri", "只支持 local:（试验）", "only local: (lab) is supported")
    ours = [certs.parse(key.certificate) for key in found.card.keys if key.use == "seal-anchor"]
    return LocalStamper(
        ring.signer(stamp.key),
        certs.parse(_read(base / stamp.certificate)),
        _read(base / stamp.seal),
        ours,
        CRL_IF_PRESENT,
    )


def _held(path: Path, signers: Mapping[str, cards.Card], provider: Provider) -> Held:
    """An agreement with the parties whose signature holds: made with a direct key of that party's card."""
    try:
        signed = agreements.parse(_read(path))
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


async def _register_peers(journal: Journal, partners: Mapping[str, Partner]) -> None:
    known = {row[0] for row in journal.read().all("SELECT id FROM peer")}

    def work(tx: Tx) -> None:
        for party in partners.keys() - known:
            tx.run(
                "INSERT INTO peer (id, state, cause, held, held_size, held_key, held_signature, told) "
                "VALUES (?,'active','','',0,'',x'',0)",
                party,
            )

    (await journal.submit(work)).only()


def _card(path: Path, data: bytes, fingerprint: str, provider: Provider) -> cards.Card:
    try:
        return cards.read(data, fingerprint, provider)
    except cards.CardError as error:
        raise ConfigError(str(path), error.zh, error.en) from None


def _nonce(provider: Provider) -> Callable[[], str]:
    return lambda: provider.random(16).hex()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})") from None


def _data(name: str) -> bytes:
    return (resources.files("schemas") / "data" / name).read_bytes()
