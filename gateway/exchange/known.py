"""The keys that a party's cards have ever named (历次名片的密钥), and when each of them counts.

Two questions are asked. *Now*: may this key sign something fresh? *Then*: did it count at the time that a stored
signature states? A key counts from ``since`` to ``until``, give or take the window by which clocks may differ; one that a
newer card leaves out counted until that card was issued; a revoked one never counts now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from gateway.exchange.card import Card, CardKey, Revoked
from signing import certs, dual
from signing.errors import Malformed
from signing.sm2 import PublicKey

SIGNING = ("checkpoint", "direct")


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key with its use, its certificate (DER), and when it counts; ``until_ms`` 0: open."""

    id: str
    use: str
    public: PublicKey
    certificate: bytes
    since_ms: int
    until_ms: int
    revoked: Revoked | None = None

    def counts(self, at_ms: int, window_ms: int) -> bool:
        """Whether a signature of this time counts by the key's own dates."""
        return self.since_ms - window_ms <= at_ms and not self.over(at_ms - window_ms)

    def over(self, at_ms: int) -> bool:
        """Whether the key's time was over then."""
        return 0 < self.until_ms < at_ms


def known_keys(cards: Iterable[Card], before: Mapping[str, KnownKey] = MappingProxyType({})) -> Mapping[str, KnownKey]:
    """The keys of a party's cards, oldest card first, by id; ``before``: those of the cards before these.

    A key whose certificate is not its own, or an encryption certificate put down for signing (C05), is left out.
    """
    found = dict(before)
    for card in cards:
        listed = {key.id for key in card.keys}
        for id_, key in found.items():
            if id_ not in listed:
                found[id_] = replace(key, until_ms=min(key.until_ms or card.issued_ms, card.issued_ms))
        for made in filter(None, map(_known, card.keys)):
            known = found.get(made.id, made)
            if known.use == made.use:
                found[made.id] = replace(made, since_ms=min(known.since_ms, made.since_ms), revoked=known.revoked)
        for revoked in card.revoked:
            if revoked.id in found:
                found[revoked.id] = replace(found[revoked.id], revoked=revoked)
    return found


@lru_cache(maxsize=1024)
def _known(key: CardKey) -> KnownKey | None:
    try:
        certificate = certs.parse(key.certificate)
    except Malformed:
        return None
    public = certificate.public_key
    if public is None or public.thumbprint != key.id or (key.use in SIGNING and not dual.may_sign(certificate)):
        return None
    return KnownKey(key.id, key.use, public, key.certificate, key.since_ms, key.until_ms)
