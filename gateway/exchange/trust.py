"""What we hold of a partner: its newest card, all keys its cards ever named, and the judgement on a checkpoint of its ledger.

A checkpoint is believed when a checkpoint key that counts now signed it, its origin is the card's, and it extends the last
one we hold. One that contradicts what we hold is portable proof against the partner, and exchange with it pauses; so it
does when a key of its was seen to use a nonce twice, since anybody could have computed that key.
A newer card takes the place of the held one between two requests (``renew``); nothing that was judged by the old one is
remembered but the arithmetic of signatures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from gateway.exchange import card as cards
from gateway.exchange.known import known_keys
from gateway.exchange.wire import BatchHead
from gateway.ids import now_ms as clock
from gateway.ledger import tree
from gateway.ledger.checkpoint import Checkpoint, SignedCheckpoint, parse_text
from gateway.problems import Refused
from signing import sm2
from signing.providers.watched import Watched

PAUSING = frozenset({"TB-2008", "TB-2013"})  # what is found against a partner for which exchange with it pauses

WINDOW_MS = 300_000  # protocol: how far two clocks may differ


class Partner:
    """A partner as its card shows it. ``url`` is where its exchange listener answers, ``fingerprint`` its identity key as
    confirmed out of band, ``earlier`` its cards before this one, oldest first, ``vouched`` whether the registry of cards,
    where the partner rests on it, still stands for it."""

    def __init__(
        self,
        card: cards.Card,
        url: str,
        provider: Watched,
        *,
        fingerprint: str = "",
        earlier: Sequence[cards.Card] = (),
        now_ms: Callable[[], int] = clock,
        window_ms: int = WINDOW_MS,
        vouched: Callable[[], bool] = lambda: True,
    ) -> None:
        self.id = card.party
        self.url = url.rstrip("/")
        self.fingerprint = fingerprint
        self.provider = provider
        self._card = card
        self._known = known_keys([*earlier, card])
        self._now_ms = now_ms
        self._window_ms = window_ms
        self.vouched = vouched
        self._holds = lru_cache(maxsize=1024)(
            lambda public, message, signature: sm2.verify(
                provider, public, message, signature, signer_id=sm2.DEFAULT_ID
            )
        )

    @property
    def card(self) -> cards.Card:
        """The newest card held."""
        return self._card

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def division(self) -> str:
        return self.card.division

    @property
    def anchors(self) -> tuple[bytes, ...]:
        """Roots (DER) of its e-seals."""
        return tuple(key.certificate for key in self.card.keys if key.use == "seal-anchor")

    @property
    def direct_keys(self) -> dict[str, sm2.PublicKey]:
        """The direct keys that may sign a call now."""
        return self._usable("direct")

    def ever(self, use: str) -> dict[str, sm2.PublicKey]:
        """All keys of one use that the partner ever named and has not revoked: for what carries dates of its own."""
        return {id_: key.public for id_, key in self._known.items() if key.use == use and key.revoked is None}

    def renew(self, card: cards.Card) -> None:
        """From here on the partner is judged by this card. The caller has asked ``cards.follow``."""
        known = known_keys([card], self._known)
        self._card, self._known = card, known

    def revoked(self, key: str) -> bool:
        """Whether this partner has revoked the key."""
        known = self._known.get(key)
        return known is not None and known.revoked is not None

    def _usable(self, use: str) -> dict[str, sm2.PublicKey]:
        now_ms = self._now_ms()
        return {
            id_: key.public
            for id_, key in self._known.items()
            if key.use == use and key.revoked is None and key.counts(now_ms, self._window_ms)
        }

    def verify(self, key: str, message: bytes, signature: bytes) -> bool | None:
        """Whether its checkpoint key signed a checkpoint, today or long ago: the key must have counted at the time that
        the checkpoint states. None for a key that did not, or that has been revoked since: it cannot be told."""
        known, stated = self._known.get(key), parse_text(message)
        if known is None or known.use != "checkpoint" or known.revoked is not None or stated is None:
            return None
        if not known.counts(stated.time_ms, self._window_ms):
            return None
        return self._holds(known.public, message, signature)

    @property
    def exposed(self) -> bool:
        """Whether one of its keys was seen to use a nonce twice (row S25); ends with a card that names other keys."""
        now = (*self._usable("checkpoint").values(), *self.direct_keys.values())
        return any(map(self.provider.exposed, now))

    def check_head(self, head: BatchHead, us: str, held: Checkpoint | None) -> Checkpoint:
        """The partner's checkpoint in a batch's head, once it is signed, its own, and agrees with the one we hold.

        Raises ``Refused``: TB-2009 wrong parties, TB-2007 signature or form, TB-2012 no path from what we hold (ask for
        one), TB-2008 a ledger that contradicts itself.
        """
        if head.sender != self.id or head.to != us:
            raise Refused("TB-2009")
        found = self.believe(head.checkpoint)
        if held is None or held.size == 0 or found.size == 0:
            return found
        if found.size > held.size and head.base == held.size:
            agree(held, found, head.consistency)
        elif found.size != held.size:
            raise Refused("TB-2012", found=found)
        elif found.root != held.root:
            raise Refused("TB-2008")
        return found

    def believe(self, signed: SignedCheckpoint) -> Checkpoint:
        """A checkpoint of this partner's ledger that it shows now, signed by a key that counts now.

        ``Refused``: TB-2017 a revoked key, TB-2013 a key that gave itself away, TB-2007 anything else that is not its
        checkpoint.
        """
        text = signed.text.encode()
        found = parse_text(text)
        if found is None or found.origin != self.card.origin:
            raise Refused("TB-2007", "origin")
        if self.revoked(signed.key):
            raise Refused("TB-2017")
        public = self._usable("checkpoint").get(signed.key)
        if public is None or not self._holds(public, text, signed.signature):
            raise Refused("TB-2013" if self.exposed else "TB-2007")
        return found


def agree(one: Checkpoint, other: Checkpoint, path: list[bytes]) -> None:
    """Both are states of one ledger, by the consistency path between them; otherwise ``Refused('TB-2008')``."""
    old, new = sorted((one, other), key=lambda checkpoint: checkpoint.size)
    if not tree.check_consistency(old.size, new.size, old.root, new.root, path):
        raise Refused("TB-2008")
