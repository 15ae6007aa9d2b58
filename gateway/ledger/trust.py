"""The checks of an evidence package composed from the rooms that own them: chains, stamps, agreement signatures.

Without anchors from outside, the self-signed certificates in the package serve as anchors: that shows the package to be
whole in itself (``as-packaged``), and the identity fingerprints in the report are what a person compares. A stamp is held
against the seal anchors that its issuer's card announces, where it announces any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from agreements import load, signatures
from gateway.ledger.checks import AgreementView, Checks, Pool, Reason
from gateway.ledger.times import TimeView
from signing import certs, crl
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Indeterminate, Malformed, Rejected
from signing.path import check_path
from signing.policy import CRL_IF_PRESENT, TIMESTAMPS, SealPolicy, TimestampPolicy
from signing.providers import Provider
from signing.sm3 import sm3
from signing.timestamp import TimeTrust, verify_timestamp
from signing.verify import verify_stamp

_UNREADABLE = Rejected("certificate-malformed", "证书读不出", "the certificate cannot be read")
_NO_ANCHOR = Indeterminate(
    "no-anchor", "没有可用的根证书，证书链无法判断", "there is no root certificate, so the chain cannot be judged"
)
_LATEST_MS = 32_503_680_000_000  # the year 3000: no certificate reaches so far


class _Held(NamedTuple):
    """A pool made ready: anchors, everything else, lists."""

    anchors: list[Certificate]
    others: list[Certificate]
    crls: list[RevocationList]


def compose(
    provider: Provider,
    anchors: Sequence[bytes] = (),
    policy: SealPolicy = CRL_IF_PRESENT,
    *,
    now_ms: int,
    tsa_anchors: Sequence[bytes] = (),
    tsa_policy: TimestampPolicy = TIMESTAMPS,
) -> Checks:
    """The checks for ``evidence.verify`` at ``now_ms``; ``anchors``: root certificates (DER) given from outside.

    ``tsa_anchors``: roots of time-stamp authorities. A party's root is none of them: whoever issues certificates for a
    party could issue one that dates back. Only without any anchor do the package's own roots serve for time as well.
    """
    judge = _Judge(
        provider, [certs.parse(der) for der in anchors], [certs.parse(der) for der in tsa_anchors], policy, tsa_policy,
        _time(now_ms),
    )  # fmt: skip
    return Checks(
        provider=provider, anchored=bool(judge.given), now_ms=now_ms, chain=judge.chain, stamp=judge.stamp,
        timestamp=judge.timestamp, agreement=judge.agreement,
    )  # fmt: skip


@dataclass(frozen=True)
class _Judge:
    """The four judgements over one pool after another. ``given``, ``clocks``: anchors from outside, of parties and of time."""

    provider: Provider
    given: list[Certificate]
    clocks: list[Certificate]
    policy: SealPolicy
    tsa_policy: TimestampPolicy
    now: datetime

    def held(self, pool: Pool) -> _Held:
        packed = [found for der in pool.certificates if (found := _certificate(der))]
        roots = self.given or [c for c in packed if c.is_ca and c.subject_der == c.issuer_der]
        return _Held(roots, packed, [read for der in pool.crls if (read := _list(der))])

    def times(self, ready: _Held) -> TimeTrust:
        return TimeTrust(self.clocks or ([] if self.given else ready.anchors), self.tsa_policy)

    def chain(self, certificate: bytes, pool: Pool, at_ms: int, used_ms: int) -> Sequence[Reason]:
        ready, leaf, used = self.held(pool), _certificate(certificate), _time(used_ms)
        if not ready.anchors:
            return [_NO_ANCHOR]
        if leaf is None:
            return [_UNREADABLE]
        return check_path(
            leaf, ready.others, ready.anchors, _time(at_ms), self.provider, crls=ready.crls, policy=self.policy.path,
            now=used, until=max(self.now, used),
        ).reasons  # fmt: skip

    def timestamp(self, token: bytes, digest: bytes, pool: Pool, at_ms: int) -> TimeView:
        ready = self.held(pool)
        trust = self.times(ready)
        report = verify_timestamp(
            token, digest, at=_time(at_ms), anchors=trust.anchors, provider=self.provider, policy=trust.policy,
            crls=ready.crls, intermediates=ready.others,
        )  # fmt: skip
        stated = _ms(report.info.time) if report.info else None
        proves = _ms(report.proves) if report.proves else None
        return TimeView(report.reasons, stated, proves, report.authority.subject if report.authority else "")

    def stamp(
        self, data: bytes, document: bytes, pool: Pool, at_ms: int, trusted_ms: int | None, announced: Sequence[bytes]
    ) -> Sequence[Reason]:
        ready, at = self.held(pool), _time(at_ms)
        roots = [found for der in announced if (found := _certificate(der))] or ready.anchors
        if not roots:
            return [_NO_ANCHOR]
        return verify_stamp(
            data, sm3(document), at=max(self.now, at), anchors=roots, provider=self.provider, crls=ready.crls,
            policy=self.policy, intermediates=ready.others, lists_as_of=at, times=self.times(ready),
            trusted_time=None if trusted_ms is None else _time(trusted_ms),
        ).reasons  # fmt: skip

    def agreement(
        self, file: bytes, pool: Pool, keys: Mapping[str, frozenset[str]], at_ms: int
    ) -> AgreementView | None:
        try:
            signed = load.parse(file)
        except load.AgreementError:
            return None
        ready, at = self.held(pool), _time(at_ms)
        trusting = signatures.Trusting(
            provider=self.provider, anchors=ready.anchors, now=at, policy=self.policy.path, intermediates=ready.others,
            crls=ready.crls, keys=_announced(signed, keys), until=max(self.now, at),
        )  # fmt: skip
        reasons = [_reason(check) for check in signatures.check(signed, trusting) if check.ok is not True]
        found = signed.agreement
        return AgreementView(found.id, found.version, [party.id for party in found.parties], reasons)


def _announced(signed: load.SignedAgreement, keys: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """The card's key ids for the parties that signed with one of them; the others are known by their certificate's name."""
    found = {}
    for signature in signed.signatures:
        certificate, ids = _certificate(signature.certificate), keys.get(signature.party, frozenset())
        if certificate and certificate.public_key and certificate.public_key.thumbprint in ids:
            found[signature.party] = ids
    return found


def _reason(check: load.SignatureCheck) -> Reason:
    if isinstance(check.reason, Rejected | Indeterminate):
        return check.reason
    return Rejected(
        "agreement-not-signed", f"{check.party} 尚未签署协议", f"{check.party} has not signed the agreement"
    )


def _certificate(der: bytes) -> Certificate | None:
    try:
        return certs.parse(der)
    except Malformed:
        return None


def _list(der: bytes) -> RevocationList | None:
    try:
        return crl.parse(der)
    except Malformed:
        return None


def _time(at_ms: int) -> datetime:
    """A stated time as a value. One beyond the year 3000 counts as that year: adding a clock's skew must not fail."""
    return datetime.fromtimestamp(min(at_ms, _LATEST_MS) / 1000, UTC)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
