"""Whose seals are recognised, and by what (印章互认): each party's by its own anchors, lists and withdrawals, nobody else's.

A province's root vouches for that province. A seal that comes from party B is judged by what B's card and files say, so a
root of C never makes a seal of B good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.config import Peer, Revocation
from gateway.exchange import withdrawn
from gateway.exchange.trust import Partner
from signing import certs, crl
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Indeterminate, Malformed
from signing.policy import CRL_IF_PRESENT, SealPolicy
from signing.providers import Provider


@dataclass(frozen=True)
class Recognised:
    """What a party's seals are judged by now. ``unknown``: why nothing of theirs can be told now, None as a rule."""

    anchors: Sequence[Certificate]
    crls: Sequence[RevocationList]
    policy: SealPolicy
    unknown: Indeterminate | None = None


Recognition = Callable[[str, datetime], Recognised]
"""Party id and time -> what its seals are judged by. A party that nobody knows has no anchors."""


def recognition(
    partners: Mapping[str, Partner], peers: Sequence[Peer], base: Path, policy: SealPolicy, provider: Provider
) -> Recognition:
    """Files are read at every question, so a list that is replaced counts at once."""
    settings = {peer.id: peer for peer in peers}

    def anchors(party: str) -> list[Certificate]:
        return [certs.parse(der) for der in partners[party].anchors]

    def recognised(party: str, at: datetime) -> Recognised:
        peer = settings.get(party)
        if peer is None:
            return Recognised((), (), policy)
        found = Recognised(anchors(party), lists(base / peer.crl if peer.crl else None), policy)
        if not peer.seals_withdrawn:
            return found
        return _withdrawn(found, base / peer.seals_withdrawn, partners[party], at, provider)

    return recognised


def seal_policy(settings: Revocation) -> SealPolicy:
    """How stamps from elsewhere are judged here."""
    path = replace(
        CRL_IF_PRESENT.path, revocation="require" if settings.required else "if-present",
        crl_grace=timedelta(seconds=settings.crl_grace_s), crl_partitions=settings.crl_partitions,
        ocsp_nonce=settings.ocsp_nonce, ocsp_max_age=timedelta(seconds=settings.ocsp_max_age_s),
    )  # fmt: skip
    return replace(CRL_IF_PRESENT, path=path)


def _withdrawn(found: Recognised, path: Path, partner: Partner, at: datetime, provider: Provider) -> Recognised:
    """A list that is named and cannot be used leaves the question open: not having looked is no reason to accept."""
    try:
        listed = withdrawn.read(path.read_bytes(), partner.id, partner.ever("direct"), provider)
    except OSError:
        return replace(found, unknown=_open("撤销印章清单读不到", "the list of withdrawn seals cannot be read"))
    except withdrawn.WithdrawnError as error:
        return replace(found, unknown=_open(error.zh, error.en))
    until = datetime.fromtimestamp(listed.next_ms / 1000, UTC)
    if until < at:
        day = f"{until:%Y-%m-%d}"
        return replace(
            found,
            unknown=_open(f"撤销印章清单已过更新期（{day}）", f"the list of withdrawn seals is out of date ({day})"),
        )
    return replace(found, policy=replace(found.policy, revoked_seals=listed.by_id()))


def _open(zh: str, en: str) -> Indeterminate:
    return Indeterminate("withdrawn-seals-unknown", zh, en)


def lists(path: Path | None) -> list[RevocationList]:
    """The revocation list in a file, as it is now; none where it cannot be read."""
    try:
        return [crl.load(path.read_bytes())] if path is not None and path.exists() else []
    except (OSError, Malformed):
        return []
