"""What we hold of a partner: its card's keys, and the judgement on a checkpoint of its ledger.

A checkpoint is believed when a checkpoint key of the card signed it, its origin is the card's, and it extends the last
one we hold. One that contradicts what we hold is portable proof against the partner, and exchange with it pauses.
"""

from __future__ import annotations

from functools import lru_cache

from gateway.exchange import card as cards
from gateway.exchange.wire import BatchHead
from gateway.ledger import tree
from gateway.ledger.checkpoint import Checkpoint, parse_text
from gateway.problems import Refused
from signing import sm2
from signing.providers import Provider


class Partner:
    """A partner as its card shows it. ``url`` is where its exchange listener answers."""

    def __init__(self, card: cards.Card, url: str, provider: Provider) -> None:
        self.id = card.party
        self.name = card.name
        self.division = card.division
        self.url = url.rstrip("/")
        self.card = card
        self.direct_keys = cards.public_keys(card, "direct")
        self.anchors = tuple(key.certificate for key in card.keys if key.use == "seal-anchor")
        self._checkpoint_keys = cards.public_keys(card, "checkpoint")
        self._provider = provider
        self.verify = lru_cache(maxsize=1024)(self._verify)

    def _verify(self, key: str, message: bytes, signature: bytes) -> bool | None:
        public = self._checkpoint_keys.get(key)
        if public is None:
            return None
        return sm2.verify(self._provider, public, message, signature, signer_id=sm2.DEFAULT_ID)

    def check_head(self, head: BatchHead, us: str, held: Checkpoint | None) -> Checkpoint:
        """The partner's checkpoint in a batch's head, once it is signed, its own, and extends the one we hold.

        Raises ``Refused``: TB-2009 wrong parties, TB-2007 signature or form, TB-2012 a base that is not what we hold,
        TB-2008 a ledger that contradicts itself.
        """
        if head.sender != self.id or head.to != us:
            raise Refused("TB-2009")
        signed = head.checkpoint
        text = signed.text.encode()
        found = parse_text(text)
        if found is None or found.origin != self.card.origin:
            raise Refused("TB-2007", "origin")
        if self.verify(signed.key, text, signed.signature) is not True:
            raise Refused("TB-2007")
        if held is None or found.size == 0:
            return found
        if found.size < held.size or (found.size == held.size and found.root != held.root):
            raise Refused("TB-2008" if found.size == held.size else "TB-2012", "size")
        if found.size > held.size:
            if head.base != held.size:
                raise Refused("TB-2012", "base")
            if not tree.check_consistency(held.size, found.size, held.root, found.root, head.consistency):
                raise Refused("TB-2008")
        return found
