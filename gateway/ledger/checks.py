"""The judgements that an evidence verification needs from outside (证据核验所需的判断): trust, and other rooms' readers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.ledger.times import TimeView
from signing.errors import Indeterminate, Rejected
from signing.providers import Provider

Reason = Rejected | Indeterminate


class Pool(NamedTuple):
    """Certificates and revocation lists of the package, DER: material to judge, not anchors."""

    certificates: Sequence[bytes]
    crls: Sequence[bytes]


class AgreementView(NamedTuple):
    """What an agreement file says: id, version, its parties, and what is wrong with it or its signatures."""

    id: str
    version: int
    parties: Sequence[str]
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The judgements that need trust or another room. ``anchored``: anchors were given from outside the package.

    ``now_ms``: the time of verification. ``chain(certificate, pool, at_ms, used_ms)``: as of ``at_ms``, for a signature said
    to be of ``used_ms``; ``stamp(stamp, document, pool, at_ms, trusted_ms, anchors)`` with when it is proved to have existed,
    if it is, and the seal anchors (DER) of the issuer's card; ``agreement(file, pool, keys, at_ms)`` with the key ids of each
    party's card, None if the file cannot be read; ``timestamp(token, digest, pool, at_ms)``. Empty reasons mean good.
    """

    provider: Provider
    anchored: bool
    now_ms: int
    chain: Callable[[bytes, Pool, int, int], Sequence[Reason]]
    stamp: Callable[[bytes, bytes, Pool, int, int | None, Sequence[bytes]], Sequence[Reason]]
    timestamp: Callable[[bytes, bytes, Pool, int], TimeView]
    agreement: Callable[[bytes, Pool, Mapping[str, frozenset[str]], int], AgreementView | None]
