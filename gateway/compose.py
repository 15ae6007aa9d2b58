"""The one place where objects are wired: settings in, a node out. Read top-down; nothing here decides anything."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
from aiohttp import web

from adapters.registry import Platform
from gateway import compose_sharing as sharing
from gateway import compose_stamping as sealing
from gateway import profiles
from gateway.compose_certificates import counter, issuing, office, press
from gateway.config import Config, ConfigError
from gateway.core.applicant_signature import Believed
from gateway.core.throttle import Throttle
from gateway.exchange.client import PeerClient
from gateway.exchange.tls import Tls
from gateway.exchange.trust import Partner
from gateway.flow import mappings
from gateway.flow.agreed import Agreed
from gateway.flow.cards import Cards
from gateway.flow.contents import Contents
from gateway.flow.desk import Desk
from gateway.flow.housekeeping import Housekeeping
from gateway.flow.lapses import Lapses
from gateway.flow.loop import Loop
from gateway.flow.notes import Note
from gateway.flow.polling import Polling, polling
from gateway.flow.recognition import lists
from gateway.flow.reporting import Reporting
from gateway.flow.rotate import Rotation
from gateway.flow.scans import Scans
from gateway.flow.seal import Sealer
from gateway.flow.signatures import Signatures
from gateway.flow.timestamps import Timestamps
from gateway.flow.to_peer import ToPeer
from gateway.flow.to_platform import ToPlatform
from gateway.flow.unseal import Opener
from gateway.ground import Ground, ground, read_file
from gateway.ids import Ids, now_ms
from gateway.keys.keyring import Keyring
from gateway.keys.signers import ONLINE, Signers
from gateway.ops import metrics
from gateway.ops.scanner import Scanner
from gateway.public.register import Register
from gateway.sharing.getting import Source
from gateway.stamping.external import Stamping
from gateway.store.head import Head
from gateway.store.journal import Journal, Tx
from gateway.store.parts import Parts
from gateway.store.schema import DATABASE
from gateway.store.vault import Vault
from gateway.timestamping import open_client
from gateway.web.admin import Admin
from gateway.web.deliveries import DeliveryOffice
from gateway.web.guard import Refuse
from gateway.web.lookups import lookups
from gateway.web.partners import Partners
from gateway.web.peeridentity import connected
from gateway.web.platforms import Platforms
from gateway.web.public import Public
from gateway.web.scans import ScanDoor
from gateway.web.union import UnionDoor
from gateway.web.uploads import Uploads
from signing import certs
from signing.providers import Provider
from signing.sealed import sealed_size


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
    lapses: Lapses
    desk: Desk
    tls: Tls
    cards: Cards
    rotation: Rotation
    ring: Keyring
    sources: Mapping[str, Source]
    polls: Sequence[Polling]
    reporting: Sequence[Reporting] = ()
    stamping: Stamping | None = None
    timestamps: Timestamps | None = None
    refusals: Mapping[str, Refuse] = field(default_factory=dict)  # of listeners that say no in their own form

    async def close(self) -> None:
        """Stop taking work, finish what is under way, release connections."""
        await self.journal.close()
        for platform in self.platforms.values():
            await platform.channel.close()
        for source in self.sources.values():
            await source.port.close()
        if self.stamping is not None:
            await self.stamping.close()
        if self.timestamps is not None:
            await self.timestamps.client.close()
        await self.session.close()
        await asyncio.to_thread(self.ring.close)


async def build(config: Config, base: Path) -> Node:
    """Wire the node of a configuration whose files lie under ``base``. Called inside the running event loop."""
    clock = _clock(config)
    found = ground(config, base, clock)
    ring, party, data = found.ring, config.node.party, base / config.node.data
    provider, vault, new_id, signers = ring.provider, ring.vault(), Ids(), Signers(ring, found.card)
    parts = Parts(data / "parts", vault)
    stamps = sealing.stamps(config, base, ring, found, parts, clock)
    signatures, contents = _lookers(config, base, ring, parts, clock)
    printed = press(config, base, stamps.stamper)
    stamping, expected = sealing.stamping(config, base, ring), sealing.expected(config, base, ring, found)
    platforms = profiles.open_all(config, base, signers.of("platform"), provider, _nonce(provider), clock)
    getting = sharing.sources(config, base, ring, expected, lambda: journal.read(), vault, parts, clock)
    tls = _tls(config, base, found)
    metrics.SIGNING.set(any(signers.of(use)().kind == "software" for use in ONLINE))
    journal = Journal(data / DATABASE, Head(found.card.origin, signers.of("checkpoint")), clock)
    await journal.start()
    await journal.submit(mappings.keep(platforms.values()))
    await _register_peers(journal, found.partners)
    session, limits = _session(), config.limits
    uploads, from_peers = (Uploads(parts, journal, size) for size in (limits.part, sealed_size(limits.part)))
    opener = Opener(signers.openers, provider, parts, from_peers.lock)
    agreed = Agreed(party, found.book, found.calendars, frozenset(found.partners))
    cards = await _cards(config, found, signers, journal, session, tls, clock)
    loops: dict[str, Loop] = {}
    rotation = Rotation(ring, signers, tls, cards, base / "card.json", found.fingerprint, _urgent(loops, "peer:"))
    wake = _waker(loops, rotation)
    judges, forms = (stamps, signatures, contents), profiles.forms(config, base)
    desk = Desk(party, journal, vault, parts, agreed, *judges, found.divisions, new_id, clock, wake, forms)
    certificates = issuing(config, printed, agreed, journal, vault, parts, new_id, provider.random, clock, wake)
    notes = _notes(platforms, new_id, wake)
    loops.update(_loops(config, found, journal, vault, parts, agreed, platforms, notes, cards, clock))
    loops.update(sharing.completing(config, getting, agreed, journal, vault, parts, notes, clock, wake))
    loops.update(sealing.stamping_loop(config, stamping, expected, journal, vault, parts, new_id, clock, wake))
    exchange = Partners(
        party=party, cards=cards, partners=found.partners, journal=journal, vault=vault, agreed=agreed,
        stamps=replace(stamps, online=sealing.online(config, session, provider, clock)), signatures=signatures, uploads=from_peers,
        contents=contents, opener=opener, scans=Scans(party, vault, agreed, new_id), batch_limit=limits.batch,
        platform=profiles.by_item(config.platform, party), range_limit=limits.range, window_ms=limits.window_ms, now_ms=clock,
        wake=wake, heard=lambda one: loops[f"peer:{one}"].wake(urgent=True), connected=_connected(config, found),
    )  # fmt: skip
    doors = Platforms(platforms, desk, uploads, parts, limits.body, limits.range, limits.window_ms, clock)
    shares = sharing.acts(config, getting, journal, vault, parts, agreed, new_id)
    scanning = _scanning(config, found, doors, exchange, wake)
    public = _public(config, journal, vault, clock)
    also = [*UnionDoor(doors).routes(), *lookups(config, doors, vault)]
    routes: dict[str, Sequence[web.RouteDef]] = {
        "exchange": exchange.routes(),
        "platform": [*doors.routes(), *also, *scanning, *counter(doors, shares, certificates)],
        "admin": [*_admin(config, journal, ring, clock, wake), *office(config, certificates, doors, vault, clock)],
        **({"public": public.routes()} if config.listen.public else {}),
    }
    lapses = Lapses(config.node.name, party[:6], journal, vault, found.book, found.calendars, new_id, clock, wake)
    housekeeping = Housekeeping(journal, parts, config.limits.upload_idle_ms, clock)
    told = _reporting(config, platforms, journal, vault, new_id, wake)
    return Node(
        config, found.warning, journal, session, loops, routes, platforms, housekeeping, lapses, desk, tls, cards, rotation,
        ring, getting.sources, polling(platforms.values(), doors.door), told, stamping,
        _timestamps(config, base, provider, journal, clock), {"public": public.refuse},
    )  # fmt: skip


def _admin(
    config: Config, journal: Journal, ring: Keyring, clock: Callable[[], int], wake: Callable[[str], None]
) -> list[web.RouteDef]:
    """What the operators' listener answers about the node, and what it does about deliveries."""
    figures = Admin(journal, config.node.party, config.node.name, clock, wake, ring.answers)
    return [
        *figures.routes(),
        *DeliveryOffice(journal, ring.vault(), config.limits.window_ms, clock, wake).routes(),
    ]


def _reporting(
    config: Config,
    platforms: Mapping[str, Platform],
    journal: Journal,
    vault: Vault,
    new_id: Ids,
    wake: Callable[[str], None],
) -> list[Reporting]:
    """What feeds the collectors of case data."""
    guests = {one.id: one.party for one in config.platform if one.party}
    ours = config.node.party, config.node.name, guests
    return [
        Reporting(one.id, one.collecting, journal, vault, *ours, new_id, wake)
        for one in platforms.values()
        if one.collecting is not None
    ]


def _public(config: Config, journal: Journal, vault: Vault, clock: Callable[[], int]) -> Public:
    """The pages behind certificates' QR codes, from our own register."""
    given = config.public
    return Public(
        Register(journal.read, vault), Throttle(given.per_minute), clock, config.node.lab, frozenset(given.proxies),
        given.address_header,
    )  # fmt: skip


def _scanning(
    config: Config, found: Ground, doors: Platforms, exchange: Partners, wake: Callable[[str], None]
) -> list[web.RouteDef]:
    """Where inspectors' platforms ask about the certificates of other places, and issuers' see who scanned theirs."""
    pages, names, journal = _pages(config), _names(config, found), exchange.journal
    return ScanDoor(
        doors.caller, exchange.scans, journal, pages, names, doors.body_limit, doors.window_ms, doors.now_ms, wake
    ).routes()


def _pages(config: Config) -> dict[str, str]:
    """Whose certificates' QR codes lead to which address."""
    told = [(config.public.url, config.node.party), *((one.public, one.id) for one in config.peer)]
    pages = [(address, party) for address, party in told if address]
    if len(dict(pages)) < len(pages):
        raise ConfigError(
            "peer.public", "两方的二维码不能是同一网址", "two parties' QR codes cannot lead to one address"
        )
    return dict(pages)


def _notes(platforms: Mapping[str, Platform], new_id: Ids, wake: Callable[[str], None]) -> Note:
    listening = frozenset(one.id for one in platforms.values() if one.translator.can_send("receipt"))
    return Note(listening, new_id, lambda: wake("platform"))


def _connected(config: Config, found: Ground) -> Callable[[web.Request], str | None]:
    """Whose connection a request came by, judged by the cards as they are then."""
    return lambda request: connected(request, (one.card for one in found.partners.values()), config.tls.client_header)


def _lookers(
    config: Config, base: Path, ring: Keyring, parts: Parts, clock: Callable[[], int]
) -> tuple[Signatures, Contents]:
    """Who looks at the files of a message: as applicants' signatures, and as files."""
    settings = config.content
    scanner = Scanner(settings.scanner, settings.scanner_timeout_ms / 1000) if settings.scanner else None
    return Signatures(parts, ring.provider, _believed(config, base), clock), Contents(parts, settings, scanner)


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=64, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


def _timestamps(
    config: Config, base: Path, provider: Provider, journal: Journal, clock: Callable[[], int]
) -> Timestamps | None:
    client = open_client(config.tsa, base, provider, clock)
    return Timestamps(journal, client, config.tsa.every_s * 1000, random.random) if client else None


async def _cards(
    config: Config,
    found: Ground,
    signers: Signers,
    journal: Journal,
    session: aiohttp.ClientSession,
    tls: Tls,
    clock: Callable[[], int],
) -> Cards:
    """All cards, kept in the store, and the way to each partner."""
    party, provider, timeout_ms = config.node.party, found.ring.provider, config.delivery.timeout_ms
    clients = {
        one.id: PeerClient(session, one, party, signers.of("direct"), clock, _nonce(provider), timeout_ms, tls)
        for one in found.partners.values()
    }
    cards = Cards(list(found.cards), found.partners, journal, provider, tls.trust, clients)
    await cards.keep([*found.cards, *(held for trail in found.peer_cards.values() for held in trail)])
    return cards


def _loops(
    config: Config,
    found: Ground,
    journal: Journal,
    vault: Vault,
    parts: Parts,
    agreed: Agreed,
    platforms: Mapping[str, Platform],
    notes: Note,
    cards: Cards,
    clock: Callable[[], int],
) -> dict[str, Loop]:
    """One delivery loop per partner and per platform."""
    settings, party = config.delivery, config.node.party
    loops = {}
    for partner in found.partners.values():
        client, sealer = cards.clients[partner.id], Sealer(partner, found.ring.provider, parts, agreed)
        to_peer = ToPeer(party, partner, client, journal, vault, sealer, settings, random.random, notes, clock, cards)
        loops[to_peer.destination] = Loop(to_peer.destination, journal, to_peer, clock, settings.batch)
    names = _names(config, found)
    for platform in platforms.values():
        to_platform = ToPlatform(platform, journal, vault, settings, random.random, names, parts)
        loops[to_platform.destination] = Loop(to_platform.destination, journal, to_platform, clock, settings.parallel)
    return loops


def _names(config: Config, found: Ground) -> dict[str, str]:
    """Party id -> name, for people to read."""
    return {one.id: one.name for one in found.partners.values()} | {config.node.party: config.node.name}


def _tls(config: Config, base: Path, found: Ground) -> Tls:
    own = (base / config.tls.certificate, base / config.tls.key) if config.tls.certificate else None
    made = Tls(own, found.ring.passphrase, base / config.tls.socket if config.tls.socket else None)
    for partner in found.partners.values():
        made.trust(partner.card)
    return made


def _clock(config: Config) -> Callable[[], int]:
    """The clock; that of a laboratory node may be set off."""
    skew_ms = config.node.clock_skew_ms
    return (lambda: now_ms() + skew_ms) if skew_ms else now_ms


def _urgent(loops: Mapping[str, Loop], prefix: str) -> Callable[[], None]:
    """Wakes these destinations, also those that rest."""

    def wake() -> None:
        for name, loop in loops.items():
            if name.startswith(prefix):
                loop.wake(urgent=True)

    return wake


def _waker(loops: dict[str, Loop], rotation: Rotation) -> Callable[[str], None]:
    """Wake one destination's loop; ``platform`` wakes those of all local platforms, ``keys`` has our keys looked at."""

    def wake(destination: str) -> None:
        if destination == "keys":
            rotation.wake()
        for name, loop in loops.items():
            if name == destination or (destination == "platform" and name.startswith("platform:")):
                loop.wake()

    return wake


def _believed(config: Config, base: Path) -> Callable[[], Believed]:
    """Whose certificates vouch for applicants' signatures."""
    own = config.applicant_signature
    anchors = [one for name in own.anchors for one in certs.load(read_file(base / name))]
    return lambda: Believed(anchors, lists(base / own.crl if own.crl else None))


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


def _nonce(provider: Provider) -> Callable[[], str]:
    return lambda: provider.random(16).hex()
