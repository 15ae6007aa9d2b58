"""Wires certificate sharing (免证办): where certificates come from, the window's acts, the loop that completes applications."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from pathlib import Path

from gateway.config import Config
from gateway.flow.agreed import Agreed
from gateway.flow.loop import Loop
from gateway.flow.notes import Note
from gateway.flow.outbox import SHARING
from gateway.flow.sharing import Shares
from gateway.flow.to_sharing import ToSharing
from gateway.keys.keyring import Keyring
from gateway.sharing.bound import Bound
from gateway.sharing.getting import Getting
from gateway.sharing.guests import Guests
from gateway.sharing.own import OwnRegister
from gateway.sharing.sources import open_sources
from gateway.stamping.external import Expected
from gateway.store.journal import Journal, Reader
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from signing.providers import Provider


def sources(
    config: Config,
    base: Path,
    ring: Keyring,
    expected: Expected,
    read: Callable[[], Reader],
    vault: Vault,
    parts: Parts,
    clock: Callable[[], int],
) -> Getting:
    """Our own register and the platforms that are configured. ``expected``: what stamps from our own seal have to be."""
    own = OwnRegister(read, vault, parts, clock)
    return Getting(open_sources(config, base, ring, own, expected, clock), expected.provider, clock)


def acts(
    config: Config,
    getting: Getting,
    journal: Journal,
    vault: Vault,
    parts: Parts,
    agreed: Agreed,
    new_id: Callable[[], str],
) -> Shares:
    """Query, authorise, fetch, verify. A use code is 192 random bits."""
    provider: Provider = getting.provider

    def new_code() -> str:
        return base64.urlsafe_b64encode(provider.random(24)).decode()

    parties = {one.id: one.party for one in config.platform if one.party and one.party != config.node.party}
    guests = Guests(config.node.party, parties, agreed.book, getting.now_ms)
    code_ms, bound = config.limits.use_code_ms, Bound(config.limits.sharing_per_hour)
    return Shares(config.node.party, journal, vault, parts, agreed, getting, guests, bound, new_id, new_code, code_ms)


def completing(
    config: Config,
    getting: Getting,
    agreed: Agreed,
    journal: Journal,
    vault: Vault,
    parts: Parts,
    notes: Note,
    clock: Callable[[], int],
    wake: Callable[[str], None],
) -> dict[str, Loop]:
    """The loop that brings the certificates which applications name."""
    to_sharing = ToSharing(getting, agreed, journal, vault, parts, config.delivery, notes, random.random, wake)
    return {SHARING: Loop(SHARING, journal, to_sharing, clock, config.delivery.parallel)}
