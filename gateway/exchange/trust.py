"""What we hold of a partner: its card's keys, and the judgement on a checkpoint of its ledger.

A checkpoint is believed when a checkpoint key of the card signed it, its origin is the card's, and it extends the last
one we hold. One that contradicts what we hold is portable proof against the partner, and exchange with it pauses; so it
does when a key of its was seen to use a nonce twice, since anybody could have computed that key.
"""

from __future__ import annotations

from functools import lru_cache

from gateway.exchange import card as cards
from gateway.exchange.wire import BatchHead
from gateway.ledger import tree
from gateway.ledger.checkpoint import Checkpoint, SignedCheckpoint, parse_text
from gateway.problems import Refused
from signing import sm2
from signing.providers.watched import Watched

PAUSING = frozenset({"TB-2008", "TB-2013"})  # what is found against a partner for which exchange with it pauses


class Partner:
    """A partner as its card shows it. ``url`` is where its exchange listener answers."""

    def __init__(self, card: cards.Card, url: str, provider: Watched) -> None:
        self.id = card.party
        self.name = card.name
        self.division = card.division
        self.url = url.rstrip("/")
        self.card = card
        self.direct_keys = cards.public_keys(card, "direct")
        self.anchors = tuple(key.certificate for key in card.keys if key.use == "seal-anchor")
        self._checkpoint_keys = cards.public_keys(card, "checkpoint")
        self.provider = provider
        self.verify = lru_cache(maxsize=1024)(self._verify)

    def _verify(self, key: str, message: bytes, signature: bytes) -> bool | None:
        public = self._checkpoint_keys.get(key)
        if public is None:
            return None
        return sm2.verify(self.provider, public, message, signature, signer_id=sm2.DEFAULT_ID)

    @property
    def exposed(self) -> bool:
        """Whether one of its keys was seen to use a nonce twice (row S25); ends with a card that names other keys."""
        return any(map(self.provider.exposed, (*self._checkpoint_keys.values(), *self.direct_keys.values())))

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
        """A checkpoint of this partner's ledger, signed by it; ``Refused``: TB-2013 from a key that gave itself away,
        TB-2007 for anything else."""
        text = signed.text.encode()
        found = parse_text(text)
        if found is None or found.origin != self.card.origin:
            raise Refused("TB-2007", "origin")
        if self.verify(signed.key, text, signed.signature) is not True:
            raise Refused("TB-2013" if self.exposed else "TB-2007")
        return found


def agree(one: Checkpoint, other: Checkpoint, path: list[bytes]) -> None:
    """Both are states of one ledger, by the consistency path between them; otherwise ``Refused('TB-2008')``."""
    old, new = sorted((one, other), key=lambda checkpoint: checkpoint.size)
    if not tree.check_consistency(old.size, new.size, old.root, new.root, path):
        raise Refused("TB-2008")
