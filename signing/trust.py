"""Who is trusted with which key, when: anchors and keys per party, as one versioned value that never goes back (row C26).

A key is named by the thumbprint of its public point, so a name cannot be reused for another key, and one key belongs to
one party only: a certificate of A under B's name finds nothing (row C17). Using a key is a question with three answers:
the key, or why it may not be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from signing import certs
from signing.certs import Certificate
from signing.errors import Indeterminate, Malformed, Rejected
from signing.sm2 import PublicKey

Use = Literal["identity", "checkpoint", "direct", "tls", "encryption"]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class TrustedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key of a party. ``point``: 04||x||y. ``revoked`` None: not revoked. Valid from ``valid_from`` to ``valid_until``."""

    use: Use
    point: bytes
    valid_from: Moment
    valid_until: Moment
    revoked: Moment | None = None

    @property
    def key_id(self) -> str:
        """The thumbprint; Malformed if the point is not on the curve."""
        return PublicKey.from_bytes(self.point).thumbprint


class TrustedParty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A party with its certificate anchors (DER) and keys."""

    party: str
    anchors: tuple[bytes, ...] = ()
    keys: tuple[TrustedKey, ...] = ()


class TrustSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All parties at one version; ``expires``: after this the set says nothing any more."""

    version: int
    issued: Moment
    expires: Moment
    parties: tuple[TrustedParty, ...] = ()


class Trust:
    """A trust set made ready for look-up. Malformed if it contradicts itself."""

    def __init__(self, source: TrustSet) -> None:
        self.source = source
        self._parties = {party.party: party for party in source.parties}
        self._keys: dict[str, tuple[str, TrustedKey, PublicKey]] = {}
        if len(self._parties) != len(source.parties):
            raise Malformed("trust-duplicate", "信任集中有重复的机构", "a party occurs twice in the trust set")
        for party in source.parties:
            for key in party.keys:
                public = PublicKey.from_bytes(key.point)
                if public.thumbprint in self._keys:
                    raise Malformed(
                        "trust-duplicate", "信任集中同一密钥出现两次", "a key occurs twice in the trust set"
                    )
                self._keys[public.thumbprint] = (party.party, key, public)
        self._anchors = {
            party.party: tuple(certs.parse(anchor) for anchor in party.anchors) for party in source.parties
        }

    def anchors(self, party: str) -> Sequence[Certificate]:
        """The party's own anchors, none for a party that is not in the set."""
        return self._anchors.get(party, ())

    def key(self, party: str, use: Use, key_id: str, at: datetime) -> PublicKey | Rejected | Indeterminate:
        """The key ``key_id`` of this party for this use at this time, or why not."""
        if at > self.source.expires:
            return Indeterminate(
                "trust-expired", "信任集已过期，需要更新", "the trust set has expired and needs an update"
            )
        if party not in self._parties:
            return Rejected("unknown-party", "该机构不在信任集中", "the party is not in the trust set")
        owner, key, public = self._keys.get(key_id, ("", None, None))
        if key is None or public is None:
            return Rejected("unknown-key", "未登记的密钥", "the key is not registered")
        if owner != party:
            return Rejected("other-partys-key", "密钥属于另一机构", "the key belongs to another party")
        if key.use != use:
            return Rejected("key-use", "密钥不是用于此用途的", "the key is not for this use")
        if key.revoked is not None and at >= key.revoked:
            return Rejected("key-revoked", "密钥已吊销", "the key has been revoked")
        if not key.valid_from <= at <= key.valid_until:
            return Rejected("key-outside-validity", "不在密钥有效期内", "outside the key's validity")
        return public

    def keys(self, party: str, use: Use, at: datetime) -> list[PublicKey]:
        """All keys of the party that may be used so now."""
        found = []
        for key_id, (owner, key, _) in self._keys.items():
            if owner == party and key.use == use:
                answer = self.key(party, use, key_id, at)
                if isinstance(answer, PublicKey):
                    found.append(answer)
        return found


def advance(current: TrustSet | None, offered: TrustSet, at: datetime) -> TrustSet | Rejected:
    """The set to use from now on: the offered one if it is newer and in force, else why not."""
    if at > offered.expires:
        return Rejected("trust-expired", "所给信任集已过期", "the offered trust set has expired")
    if current is None or offered.version > current.version or offered == current:
        return offered
    return Rejected(
        "trust-rollback", "所给信任集版本不高于现有版本", "the offered trust set is no newer than the present one"
    )
