"""The checks of an evidence package composed from the rooms that own them: chains, stamps, agreement signatures.

Without anchors from outside, the self-signed certificates in the package serve as anchors: that shows the package to be
whole in itself (``as-packaged``), and the identity fingerprints in the report are what a person compares. A stamp is held
against the seal anchors that its issuer's card announces, where it announces any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from agreements import load, signatures
from gateway.ledger.evidence import AgreementView, Checks, Pool, Reason
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
    given = [certs.parse(der) for der in anchors]
    clocks = [certs.parse(der) for der in tsa_anchors]
    now = _time(now_ms)

    def held(pool: Pool) -> _Held:
        packed = [found for der in pool.certificates if (found := _certificate(der))]
        roots = given or [c for c in packed if c.is_ca and c.subject_der == c.issuer_der]
        return _Held(roots, packed, [read for der in pool.crls if (read := _list(der))])

    def chain(certificate: bytes, pool: Pool, at_ms: int, used_ms: int) -> Sequence[Reason]:
        ready, leaf = held(pool), _certificate(certificate)
        if not ready.anchors:
            return [_NO_ANCHOR]
        if leaf is None:
            return [_UNREADABLE]
        return check_path(
            leaf, ready.others, ready.anchors, _time(at_ms), provider, crls=ready.crls, policy=policy.path,
            now=_time(used_ms), until=max(now, _time(used_ms)),
        ).reasons  # fmt: skip

    def times(ready: _Held) -> TimeTrust:
        return TimeTrust(clocks or ([] if given else ready.anchors), tsa_policy)

    def timestamp(token: bytes, digest: bytes, pool: Pool, at_ms: int) -> TimeView:
        ready = held(pool)
        trust = times(ready)
        report = verify_timestamp(
            token, digest, at=_time(at_ms), anchors=trust.anchors, provider=provider, policy=trust.policy,
            crls=ready.crls, intermediates=ready.others,
        )  # fmt: skip
        stated = _ms(report.info.time) if report.info else None
        proves = _ms(report.proves) if report.proves else None
        return TimeView(report.reasons, stated, proves, report.authority.subject if report.authority else "")

    def stamp(
        data: bytes, document: bytes, pool: Pool, at_ms: int, trusted_ms: int | None, announced: Sequence[bytes]
    ) -> Sequence[Reason]:
        ready = held(pool)
        roots = [found for der in announced if (found := _certificate(der))] or ready.anchors
        if not roots:
            return [_NO_ANCHOR]
        report = verify_stamp(
            data, sm3(document), at=max(now, _time(at_ms)), anchors=roots, provider=provider, crls=ready.crls,
            policy=policy, intermediates=ready.others, lists_as_of=_time(at_ms), times=times(ready),
            trusted_time=None if trusted_ms is None else _time(trusted_ms),
        )  # fmt: skip
        return report.reasons

    def agreement(file: bytes, pool: Pool, keys: Mapping[str, frozenset[str]], at_ms: int) -> AgreementView | None:
        try:
            signed = load.parse(file)
        except load.AgreementError:
            return None
        ready = held(pool)
        trusting = signatures.Trusting(
            provider=provider, anchors=ready.anchors, now=_time(at_ms), policy=policy.path, intermediates=ready.others,
            crls=ready.crls, keys=_announced(signed, keys), until=max(now, _time(at_ms)),
        )  # fmt: skip
        reasons = [_reason(check) for check in signatures.check(signed, trusting) if check.ok is not True]
        found = signed.agreement
        return AgreementView(found.id, found.version, [party.id for party in found.parties], reasons)

    return Checks(
        provider=provider, anchored=bool(given), now_ms=now_ms, chain=chain, stamp=stamp, timestamp=timestamp,
        agreement=agreement,
    )  # fmt: skip


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
