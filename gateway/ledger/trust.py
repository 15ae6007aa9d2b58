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
from signing import certs, crl
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Indeterminate, Malformed, Rejected
from signing.path import PathReport, check_path
from signing.policy import CRL_IF_PRESENT, SealPolicy
from signing.providers import Provider
from signing.sm3 import sm3
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


def compose(provider: Provider, anchors: Sequence[bytes] = (), policy: SealPolicy = CRL_IF_PRESENT) -> Checks:
    """The checks for ``evidence.verify``; ``anchors``: root certificates (DER) given from outside."""
    given = [certs.parse(der) for der in anchors]

    def held(pool: Pool) -> _Held:
        packed = [found for der in pool.certificates if (found := _certificate(der))]
        roots = given or [c for c in packed if c.is_ca and c.subject_der == c.issuer_der]
        return _Held(roots, packed, [read for der in pool.crls if (read := _list(der))])

    def path(der: bytes, ready: _Held, at_ms: int) -> PathReport | None:
        certificate = _certificate(der)
        if certificate is None:
            return None
        return check_path(
            certificate, ready.others, ready.anchors, _time(at_ms), provider, crls=ready.crls, policy=policy.path
        )

    def chain(certificate: bytes, pool: Pool, at_ms: int) -> Sequence[Reason]:
        ready = held(pool)
        if not ready.anchors:
            return [_NO_ANCHOR]
        report = path(certificate, ready, at_ms)
        return [_UNREADABLE] if report is None else report.reasons

    def stamp(data: bytes, document: bytes, pool: Pool, at_ms: int, announced: Sequence[bytes]) -> Sequence[Reason]:
        ready = held(pool)
        roots = [found for der in announced if (found := _certificate(der))] or ready.anchors
        if not roots:
            return [_NO_ANCHOR]
        report = verify_stamp(
            data, sm3(document), at=_time(at_ms), anchors=roots, provider=provider, crls=ready.crls,
            policy=policy, intermediates=ready.others,
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
            crls=ready.crls, keys=_announced(signed, keys),
        )  # fmt: skip
        reasons = [_reason(check) for check in signatures.check(signed, trusting) if check.ok is not True]
        found = signed.agreement
        return AgreementView(found.id, found.version, [party.id for party in found.parties], reasons)

    return Checks(provider=provider, anchored=bool(given), chain=chain, stamp=stamp, agreement=agreement)


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
