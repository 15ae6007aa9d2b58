"""Seals and stamps judged: every check of GM/T 0031-2014 6.1.2 and 6.2.3 in its order, with the additions of GB/T 38540-2020.

``verify_seal`` and ``verify_stamp`` are the two numbered lists. All checks are made and all findings reported, so that a
clerk sees everything at once; the first reason is the one at which the standard would stop. Signatures are checked over
received bytes with the id 1234567812345678. What is bad (Rejected) stays apart from what cannot be told (Indeterminate).
Only this module can make a ``VerifiedSeal`` or ``VerifiedStamp``, and makes it only when every check came out good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from signing import certs, der, oids, reasons, sm2
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Malformed, Rejected
from signing.path import check_path
from signing.policy import SealPolicy
from signing.reasons import Reason
from signing.seal import ExtData, Seal, Stamp, parse_seal, parse_stamp
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider

Outcome = Literal["ok", "failed", "unknown", "absent"]
_ALGORITHMS: Final = frozenset({oids.SM2_WITH_SM3, oids.SM2_SIGN})
_MAKER: Final = object()


@dataclass(frozen=True, slots=True)
class VerifiedSeal:
    """A seal that passed every check at ``at``."""

    seal: Seal
    maker: Certificate
    at: datetime
    _made_by: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        _only_here(self._made_by)


@dataclass(frozen=True, slots=True)
class VerifiedStamp:
    """A stamp that passed every check, over the document with ``stamp.data_hash``."""

    stamp: Stamp
    signer: Certificate
    at: datetime
    _made_by: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        _only_here(self._made_by)


def _only_here(made_by: object) -> None:
    if made_by is not _MAKER:
        raise TypeError("verified values are made by signing.verify only")


@dataclass(frozen=True, slots=True)
class SealReport:
    """What came out. ``reasons``: why not (Rejected) or why it cannot be told (Indeterminate), in the order of the checks;
    ``notes`` change nothing. ``chain``, ``window``: of seal maker and signer together. ``ok`` None: cannot tell."""

    kind: Literal["seal", "stamp"]
    version: str
    signature: Outcome
    chain: Outcome
    document: Outcome
    window: Outcome
    membership: Outcome
    ok: bool | None
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...] = ()
    seal: Seal | None = None
    stamp_time: datetime | None = None
    signer_subject: str = ""
    maker_subject: str = ""
    verified: VerifiedSeal | VerifiedStamp | None = None

    @property
    def seal_name(self) -> str:
        """The name on the seal, empty where it could not be read."""
        return self.seal.property.name if self.seal else ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the reasons."""
        return tuple(reason.code for reason in self.reasons)


class _Findings:
    """Reasons and notes as they are found, and the outcome of each group of checks."""

    def __init__(self) -> None:
        self.reasons: list[Reason] = []
        self.notes: list[Reason] = []
        self.outcome: dict[str, Outcome] = {}

    def add(self, group: str, found: Sequence[Reason]) -> bool:
        """Records a check of a group; True if it came out good. A group is as good as its worst check."""
        self.reasons += found
        now: Outcome = "ok"
        if found:
            now = "failed" if any(isinstance(reason, Rejected) for reason in found) else "unknown"
        worst = ("failed", "unknown", "ok", "absent")
        self.outcome[group] = min(now, self.outcome.get(group, "absent"), key=worst.index)
        return not found

    def of(self, group: str) -> Outcome:
        return self.outcome.get(group, "unknown")

    @property
    def ok(self) -> bool | None:
        if any(isinstance(reason, Rejected) for reason in self.reasons):
            return False
        return None if self.reasons else True


@dataclass(frozen=True, slots=True)
class _Against:
    """What a verdict is made against."""

    at: datetime
    anchors: Sequence[Certificate]
    intermediates: Sequence[Certificate]
    provider: Provider
    crls: Sequence[RevocationList]
    policy: SealPolicy


def verify_seal(
    data: bytes,
    *,
    at: datetime,
    anchors: Sequence[Certificate],
    provider: Provider,
    crls: Sequence[RevocationList] = (),
    policy: SealPolicy,
    intermediates: Sequence[Certificate] = (),
) -> SealReport:
    """Judge a seal (SESeal DER) as of ``at``: when it is received, or about to be used."""
    found = _Findings()
    against = _Against(at, anchors, intermediates, provider, crls, policy)
    # 1. format (6.1.2 a)
    try:
        seal = parse_seal(data)
    except Malformed as fault:
        return _unreadable("seal", fault)
    # 2. the maker's signature (6.1.2 b); 3. the maker's chain (c); 4. extensions; 5. window and withdrawal (d)
    maker = _check_seal(seal, at, against, found)
    found.outcome["document"] = "absent"
    found.outcome["membership"] = "absent"
    verified = VerifiedSeal(seal, maker, at, _MAKER) if maker is not None and found.ok else None
    return _report("seal", seal, found, maker=maker, verified=verified)


def verify_stamp(
    data: bytes,
    document_digest: bytes | None,
    *,
    at: datetime,
    anchors: Sequence[Certificate],
    provider: Provider,
    crls: Sequence[RevocationList] = (),
    policy: SealPolicy,
    intermediates: Sequence[Certificate] = (),
    property_info: str | None = None,
    trusted_time: datetime | None = None,
) -> SealReport:
    """Judge a stamp (SES_Signature DER) over the document with this SM3 digest; ``at`` is the time of verification.

    ``property_info``: what the stamp must say of the document's place, not compared if None. ``trusted_time``: when the
    stamp is proved to have existed, by a time stamp or another party's ledger that the caller has verified.
    """
    found = _Findings()
    against = _Against(at, anchors, intermediates, provider, crls, policy)
    # 1. format of the stamp and of the seal in it (6.2.3 a)
    try:
        stamp = parse_stamp(data)
    except Malformed as fault:
        return _unreadable("stamp", fault)
    moment = stamp.time or at
    # 2. the signature over TBS_Sign (b)
    signer = _certificate(stamp.signer, "signer", found)
    found.add("signature", _signature(stamp, signer, "stamp", provider))
    # 3. the signer's chain (c), 4. at the time of stamping: validity, revocation before or after (d)
    if signer is not None:
        _signer_chain(signer, moment, trusted_time, against, found)
    found.add("time", _stamp_time(stamp, trusted_time, against, found))
    # 5. extensions of the stamp (GB/T 38540)
    found.add("format", _extensions(stamp.extensions, "stamp"))
    # 6. the document (e)
    _document(stamp, document_digest, property_info, found)
    # 7. the seal by 6.1.2, its window at the time of stamping (f)
    maker = _check_seal(stamp.seal, moment, against, found)
    # 8. the signer is one of the seal's, and not its maker (6.2.2; the standard demands it when stamping)
    found.add("membership", _membership(stamp, policy))
    verified = VerifiedStamp(stamp, signer, at, _MAKER) if signer is not None and found.ok else None
    return _report("stamp", stamp.seal, found, stamp=stamp, signer=signer, maker=maker, verified=verified)


# --- the checks -------------------------------------------------------------------------------------------------------


def _check_seal(seal: Seal, moment: datetime, against: _Against, found: _Findings) -> Certificate | None:
    """The seal by itself (6.1.2), its window at ``moment``; returns the maker's certificate if it can be read."""
    maker = _certificate(seal.maker, "seal-maker", found)
    # (b) the maker's signature
    found.add("signature", _signature(seal, maker, "seal", against.provider))
    # (c) the maker's chain
    if maker is not None:
        when = seal.property.created if against.policy.maker_at == "creation" else moment
        revoked = _chain(maker, "seal-maker", when, against, found)
        if revoked is not None:
            found.notes.append(reasons.note("seal-maker-revoked-later", f"{revoked:%Y-%m-%d %H:%M:%S}Z"))
    found.add("format", _extensions(seal.extensions, "seal"))
    # (d) the seal's own window, and whether its issuer withdrew it
    found.add("window", _window(seal, moment, against.policy))
    _timestamp_note(seal.timestamp, found)
    return maker


def _certificate(data: bytes, party: str, found: _Findings) -> Certificate | None:
    try:
        return certs.parse(data)
    except Malformed as fault:
        found.add("chain", [reasons.seal_rejected(f"{party}-unreadable", (fault.zh, fault.en))])
        return None


def _signature(signed: Seal | Stamp, certificate: Certificate | None, what: str, provider: Provider) -> list[Reason]:
    if signed.algorithm not in _ALGORITHMS:
        return [reasons.seal_rejected(f"{what}-algorithm", signed.algorithm)]
    key = certificate.public_key if certificate else None
    if key and sm2.verify(provider, key, signed.covered, signed.signature, signer_id=sm2.DEFAULT_ID):
        return []
    return [reasons.seal_rejected(f"{what}-signature")]


def _chain(
    certificate: Certificate, party: str, moment: datetime, against: _Against, found: _Findings
) -> datetime | None:
    """Checks a chain; returns when the certificate was revoked if that came after ``moment``."""
    report = check_path(
        certificate,
        against.intermediates,
        against.anchors,
        moment,
        against.provider,
        crls=against.crls,
        policy=against.policy.path,
        now=against.at,
    )
    found.add("chain", [reasons.of_party(reason, party) for reason in report.reasons])
    return report.leaf_revoked


def _signer_chain(
    signer: Certificate, moment: datetime, trusted: datetime | None, against: _Against, found: _Findings
) -> None:
    revoked = _chain(signer, "signer", moment, against, found)
    if revoked is not None:
        day = f"{revoked:%Y-%m-%d %H:%M:%S}Z"
        proved = trusted is not None and trusted < revoked
        if proved or against.policy.revoked_later == "accept":
            found.notes.append(reasons.note("signer-revoked-later", day))
        else:
            found.add("chain", [reasons.seal_unknown("signer-revoked-later", day)])
    if against.at > signer.not_after >= moment:
        found.notes.append(reasons.note("signer-expired-since"))


def _stamp_time(stamp: Stamp, trusted: datetime | None, against: _Against, found: _Findings) -> list[Reason]:
    _timestamp_note(stamp.timestamp, found)
    if stamp.time is None:
        return [reasons.seal_unknown("stamp-time-unreadable")]
    day = f"{stamp.time:%Y-%m-%d %H:%M:%S}Z"
    if stamp.time > against.at + against.policy.clock_skew:
        return [reasons.seal_rejected("stamp-time-future", day)]
    if trusted is None:
        found.notes.append(reasons.note("stamp-time-self-declared"))
    elif stamp.time > trusted + against.policy.clock_skew:
        return [reasons.seal_rejected("stamp-time-after-proof", day)]
    return []


def _timestamp_note(token: bytes | None, found: _Findings) -> None:
    """An attached time stamp is never relied on here; whoever verified it passes ``trusted_time``."""
    if token is None:
        return
    try:
        der.parse(token).as_seq(2)
    except Malformed:
        found.notes.append(reasons.note("timestamp-unreadable"))
    else:
        found.notes.append(reasons.note("timestamp-not-relied-on"))


def _extensions(extensions: Sequence[ExtData], what: str) -> list[Reason]:
    """No extension of seals or stamps is understood here, so a critical one is a no."""
    critical = [x.oid for x in extensions if x.critical]
    if not critical:
        return []
    return [reasons.seal_rejected(f"{what}-unknown-critical-extension", ", ".join(critical))]


def _document(stamp: Stamp, digest: bytes | None, property_info: str | None, found: _Findings) -> None:
    if digest is None:
        found.add("document", [reasons.seal_unknown("document-not-given")])
        found.outcome["document"] = "absent"
    else:
        found.add("document", [] if digest == stamp.data_hash else [reasons.seal_rejected("document-digest")])
    if property_info is not None and property_info != stamp.property_info:
        found.add("document", [reasons.seal_rejected("property-info")])


def _window(seal: Seal, moment: datetime, policy: SealPolicy) -> list[Reason]:
    found: list[Reason] = []
    window = seal.property
    span = f"{window.valid_from:%Y-%m-%d}…{window.valid_until:%Y-%m-%d}"
    if moment < window.valid_from:
        found.append(reasons.seal_rejected("seal-not-yet-valid", span))
    elif moment > window.valid_until:
        found.append(reasons.seal_rejected("seal-expired", span))
    withdrawn = policy.revoked_seals.get(seal.es_id)
    if withdrawn is not None and withdrawn <= moment:
        found.append(reasons.seal_rejected("seal-revoked", f"{withdrawn:%Y-%m-%d %H:%M:%S}Z"))
    return found


def _membership(stamp: Stamp, policy: SealPolicy) -> list[Reason]:
    """Byte-equal to a listed certificate, or to one whose digest is listed; a re-issued certificate is another one."""
    if stamp.signer == stamp.seal.maker:
        return [reasons.seal_rejected("maker-as-signer")]
    listed = stamp.seal.property
    if stamp.signer in listed.certificates:
        return []
    if listed.digests:
        if policy.digest_list == "cannot-tell":
            return [reasons.seal_unknown("certificate-list-unknown")]
        if any(digest.value == sm3(stamp.signer) for digest in listed.digests):
            return []
    return [reasons.seal_rejected("not-in-certificate-list")]


# --- reports ----------------------------------------------------------------------------------------------------------


def _unreadable(kind: Literal["seal", "stamp"], fault: Malformed) -> SealReport:
    reason = reasons.seal_rejected("format", (fault.zh, fault.en))
    return SealReport(kind, "", "unknown", "unknown", "unknown", "unknown", "unknown", False, (reason,))


def _report(
    kind: Literal["seal", "stamp"],
    seal: Seal,
    found: _Findings,
    *,
    stamp: Stamp | None = None,
    signer: Certificate | None = None,
    maker: Certificate | None,
    verified: VerifiedSeal | VerifiedStamp | None,
) -> SealReport:
    return SealReport(
        kind=kind,
        version=seal.form,
        signature=found.of("signature"),
        chain=found.of("chain"),
        document=found.of("document"),
        window=found.of("window"),
        membership=found.of("membership"),
        ok=found.ok,
        reasons=tuple(found.reasons),
        notes=tuple(found.notes),
        seal=seal,
        stamp_time=stamp.time if stamp else None,
        signer_subject=signer.subject if signer else "",
        maker_subject=maker.subject if maker else "",
        verified=verified,
    )
