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

from signing import reasons
from signing import seal_checks as checks
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Malformed
from signing.ocsp import Answer
from signing.policy import SealPolicy
from signing.reasons import Reason
from signing.seal import Seal, Stamp, parse_seal, parse_stamp
from signing.seal_checks import Outcome
from signing.timestamp import TimeTrust

if TYPE_CHECKING:
    from signing.providers import Provider

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


def verify_seal(
    data: bytes,
    *,
    at: datetime,
    anchors: Sequence[Certificate],
    provider: Provider,
    crls: Sequence[RevocationList] = (),
    statuses: Sequence[Answer] = (),
    policy: SealPolicy,
    intermediates: Sequence[Certificate] = (),
    lists_as_of: datetime | None = None,
    times: TimeTrust | None = None,
) -> SealReport:
    """Judge a seal (SESeal DER) as of ``at``: when it is received, or about to be used.

    ``lists_as_of``: when revocation lists and online ``statuses`` must be fresh, ``at`` if not given.
    ``times``: whose time stamps are believed.
    """
    found = checks.Findings()
    against = checks.Against(at, lists_as_of or at, anchors, intermediates, provider, crls, policy, times, statuses)
    # 1. format (6.1.2 a)
    try:
        seal = parse_seal(data)
    except Malformed as fault:
        return _unreadable("seal", fault)
    # 2. the maker's signature (6.1.2 b); 3. the maker's chain (c); 4. extensions; 5. window and withdrawal (d)
    maker = checks.check_seal(seal, at, against, found)
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
    statuses: Sequence[Answer] = (),
    policy: SealPolicy,
    intermediates: Sequence[Certificate] = (),
    property_info: str | None = None,
    trusted_time: datetime | None = None,
    lists_as_of: datetime | None = None,
    times: TimeTrust | None = None,
) -> SealReport:
    """Judge a stamp (SES_Signature DER) over the document with this SM3 digest; ``at`` is the time of verification.

    ``property_info``: what the stamp must say of the document's place, not compared if None. ``trusted_time``: when the
    stamp is proved to have existed, by a time stamp or another party's ledger that the caller has verified.
    ``lists_as_of``: when revocation lists and online ``statuses`` must be fresh, ``at`` if not given.
    ``times``: whose time stamps are believed;
    one that the stamp carries then proves its age as ``trusted_time`` does, the earlier of the two.
    """
    found = checks.Findings()
    against = checks.Against(at, lists_as_of or at, anchors, intermediates, provider, crls, policy, times, statuses)
    # 1. format of the stamp and of the seal in it (6.2.3 a)
    try:
        stamp = parse_stamp(data)
    except Malformed as fault:
        return _unreadable("stamp", fault)
    moment = stamp.time or at
    # 2. the signature over TBS_Sign (b)
    signer = checks.certificate_of(stamp.signer, "signer", found)
    found.add("signature", checks.signature(stamp, signer, "stamp", provider))
    # ... and since when, by a time stamp over it
    proved = [one for one in (trusted_time, checks.proved_time(stamp, against, found)) if one is not None]
    trusted_time = min(proved, default=None)
    # 3. the signer's chain (c), 4. at the time of stamping: validity, revocation before or after (d)
    if signer is not None:
        checks.signer_chain(signer, moment, trusted_time, against, found)
    found.add("time", checks.stamp_time(stamp, trusted_time, against, found))
    # 5. extensions of the stamp (GB/T 38540)
    found.add("format", checks.extensions(stamp.extensions, "stamp"))
    # 6. the document (e)
    checks.document(stamp, document_digest, property_info, found)
    # 7. the seal by 6.1.2, its window at the time of stamping (f)
    maker = checks.check_seal(stamp.seal, moment, against, found)
    checks.withdrawn_later(stamp, moment, trusted_time, against, found)
    # 8. the signer is one of the seal's, and not its maker (6.2.2; the standard demands it when stamping)
    found.add("membership", checks.membership(stamp, policy))
    verified = VerifiedStamp(stamp, signer, at, _MAKER) if signer is not None and found.ok else None
    return _report("stamp", stamp.seal, found, stamp=stamp, signer=signer, maker=maker, verified=verified)


# --- reports ----------------------------------------------------------------------------------------------------------


def _unreadable(kind: Literal["seal", "stamp"], fault: Malformed) -> SealReport:
    reason = reasons.seal_rejected("format", (fault.zh, fault.en))
    return SealReport(kind, "", "unknown", "unknown", "unknown", "unknown", "unknown", False, (reason,))


def _report(
    kind: Literal["seal", "stamp"],
    seal: Seal,
    found: checks.Findings,
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
