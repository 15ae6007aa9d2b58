"""Wires seals: by what they are judged, who stamps here, and the loop of a city's stamping system."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from adapters.transport import Line
from gateway.config import Config, ConfigError, secret
from gateway.flow.certificate_entry import TYPE as CERTIFICATE
from gateway.flow.certificates_to_stamp import CertificatesToStamp
from gateway.flow.loop import Loop
from gateway.flow.outbox import STAMPER
from gateway.flow.recognition import lists, recognition, seal_policy
from gateway.flow.stamps import Stamps
from gateway.flow.statuses import Online, asking
from gateway.flow.to_stamper import RESULT, Kind, Results, ToStamper
from gateway.ground import Ground, read_file
from gateway.ids import Ids, now_ms
from gateway.keys.keyring import Keyring
from gateway.ops.alarms import alarm
from gateway.ops.ocsp import StatusClient
from gateway.stamping.external import Authenticate, Expected, ExternalStamper, Stamping, hmac_sm3, sm2_signed, unsigned
from gateway.store.journal import Journal
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from gateway.timestamping import time_trust
from signing import certs, crl
from signing.errors import Unavailable
from signing.policy import CRL_IF_PRESENT
from signing.providers import Provider, open_provider
from signing.providers.watched import SecondOpinion
from signing.stamper import LocalStamper, Stamper


def stamps(config: Config, base: Path, ring: Keyring, found: Ground, parts: Parts, clock: Callable[[], int]) -> Stamps:
    """Who stamps results here, and by what partners' seals are judged."""
    judges = _judges(config, ring.provider)
    return Stamps(
        stamper=_stamper(config, base, ring, found), elsewhere=bool(config.stamp.url), parts=parts, provider=judges,
        recognised=recognition(found.partners, config.peer, base, seal_policy(config.revocation), judges), now_ms=clock,
        times=time_trust(config.tsa, base),
    )  # fmt: skip


def online(config: Config, session: aiohttp.ClientSession, provider: Provider, clock: Callable[[], int]) -> Online:
    """Where the status of the certificates of partners' seals is asked for."""
    how = asking(config.revocation, provider, lambda: datetime.fromtimestamp(clock() / 1000, UTC))
    responders = {one.id: one.ocsp for one in config.peer if one.ocsp}
    return Online(StatusClient(session, how), responders, config.revocation.ocsp_timeout_ms / 1000)


def stamping(config: Config, base: Path, ring: Keyring) -> Stamping | None:
    """The city's stamping system, where one is configured."""
    stamp = config.stamp
    if not stamp.url:
        return None
    if stamp.external is None:
        raise ConfigError("stamp.external", "external: 须有 [stamp.external] 一节", "external: needs its table")
    authenticate: Authenticate = unsigned
    if stamp.external.auth == "sm2":
        authenticate = sm2_signed(ring.signer(stamp.key))
    elif stamp.external.auth == "hmac-sm3":
        if stamp.secret is None:
            raise ConfigError("stamp.secret", "HMAC-SM3 须有密钥", "HMAC-SM3 needs its secret")
        authenticate = hmac_sm3(secret(stamp.secret, base))
    return ExternalStamper(
        Line(), stamp.url, stamp.external, authenticate, now_ms, lambda: ring.provider.random(16).hex()
    )


def expected(config: Config, base: Path, ring: Keyring, found: Ground) -> Expected:
    """What a stamp from the city's system has to be."""
    stamp = config.stamp
    anchors = [certs.parse(key.certificate) for key in found.card.keys if key.use == "seal-anchor"]
    for name in stamp.anchors:
        anchors += certs.load(read_file(base / name))

    def crls() -> list[crl.RevocationList]:
        return lists(base / stamp.crl if stamp.crl else None)

    seal_id = stamp.external.seal_id if stamp.external else ""
    return Expected(seal_id, anchors, crls, _judges(config, ring.provider), seal_policy(config.revocation))


def stamping_loop(
    config: Config,
    stamping: Stamping | None,
    expected: Expected,
    journal: Journal,
    vault: Vault,
    parts: Parts,
    new_id: Ids,
    clock: Callable[[], int],
    wake: Callable[[str], None],
) -> dict[str, Loop]:
    """The loop of the city's stamping system, where there is one: results and certificates."""
    if stamping is None:
        return {}
    kinds: dict[str, Kind] = {
        RESULT: Results(journal, vault, parts, stamping.wants_file, wake),
        CERTIFICATE: CertificatesToStamp(journal, vault, parts, new_id),
    }
    to_stamper = ToStamper(stamping, expected, journal, config.delivery, random.random, clock, kinds)
    return {STAMPER: Loop(STAMPER, journal, to_stamper, clock, config.delivery.parallel)}


def _stamper(config: Config, base: Path, ring: Keyring, found: Ground) -> Stamper | None:
    stamp = config.stamp
    if not stamp.uri or stamp.url:
        return None
    if stamp.uri != "local:":
        raise ConfigError(
            "stamp.uri", "应为 local:（试验）或 external:网址", "local: (lab) or external:URL is expected"
        )
    ours = [certs.parse(key.certificate) for key in found.card.keys if key.use == "seal-anchor"]
    return LocalStamper(
        ring.signer(stamp.key),
        certs.parse(read_file(base / stamp.certificate)),
        read_file(base / stamp.seal),
        ours,
        CRL_IF_PRESENT,
    )


def _judges(config: Config, provider: Provider) -> Provider:
    """Who verifies seals: our provider, with a second opinion where one is set."""
    if not config.keys.second_opinion:
        return provider
    try:
        second = open_provider(config.keys.second_opinion)
    except Unavailable as error:
        raise ConfigError("keys.second_opinion", error.zh, error.en) from None
    return SecondOpinion(provider, second, alarm("second-opinion"))
