"""What the self-check looks at: a node at rest, each part of it opened when a check first asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from gateway.config import Config
from gateway.exchange import trail
from gateway.exchange.card import Card
from gateway.keys import keyring
from gateway.keys.ownkeys import KeyDesk
from signing.providers import Provider


@dataclass(frozen=True)
class Patient:
    """A node to look at: its configuration, where its files lie, and the time."""

    config: Config
    base: Path
    now: datetime

    @cached_property
    def opened(self) -> tuple[Provider, str]:
        """The provider and its warning."""
        return keyring.provider(self.config.keys.provider, self.config.node.lab)

    @cached_property
    def ring(self) -> keyring.Keyring:
        """The keys."""
        return keyring.open_ring(self.config, self.base)[0]

    @cached_property
    def card(self) -> Card:
        """Our own card, by our own identity key."""
        return self.own[-1].card

    @cached_property
    def own(self) -> list[trail.HeldCard]:
        """Our own cards, oldest first."""
        return trail.of_node(self.config, self.base, self.ring.certificate("identity"), self.opened[0])

    @property
    def desk(self) -> KeyDesk:
        """Where custodians would sit."""
        return KeyDesk(self.ring, self.config, self.base, int(self.now.timestamp() * 1000))

    def partner(self, number: int) -> Card:
        """The newest card held of a configured peer."""
        return self.trail(number)[-1].card

    def trail(self, number: int) -> list[trail.HeldCard]:
        """The cards held of a configured peer, oldest first."""
        return trail.of_peer(self.config, self.base, self.config.peer[number], self.opened[0])
