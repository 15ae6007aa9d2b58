"""The checks that seals and stamps have to pass, each a function of its own; ``signing.verify`` holds their order.

Each returns what it found wrong, nothing if all is well, or adds it to the findings under its group. Clauses are those of
GM/T 0031-2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from signing import certs, der, oids, reasons, sm2
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Malformed, Rejected
from signing.ocsp import Answer
from signing.path import check_path
from signing.policy import SealPolicy
from signing.reasons import Reason
from signing.seal import ExtData, Seal, Stamp
from signing.sm2 import PublicKey
from signing.sm3 import sm3
from signing.timestamp import TimeTrust, verify_timestamp

if TYPE_CHECKING:
    from signing.providers import Provider

Outcome = Literal["ok", "failed", "unknown", "absent"]
_ALGORITHMS: Final = frozenset({oids.SM2_WITH_SM3, oids.SM2_SIGN})


class Findings:
    """Reasons and notes as they are found, and the outcome of each group of checks."""

    def __init__(self) -> None:
        self.reasons: list[Reason] = []
        self.notes: list[Reason] = []
        self.outcome: dict[str, Outcome] = {}

    def add(self, group: str, found: Sequence[Reason]) -> None:
        """Records a check of a group. A group is as good as its worst check."""
        self.reasons += found
        now: Outcome = "ok"
        if found:
            now = "failed" if any(isinstance(reason, Rejected) for reason in found) else "unknown"
        worst = ("failed", "unknown", "ok", "absent")
        self.outcome[group] = min(now, self.outcome.get(group, "absent"), key=worst.index)

    def of(self, group: str) -> Outcome:
        """What came of a group; unknown if none of its checks could be made."""
        return self.outcome.get(group, "unknown")

    @property
    def ok(self) -> bool | None:
        """False if anything is bad, None if something could not be told, else True."""
        if any(isinstance(reason, Rejected) for reason in self.reasons):
            return False
        return None if self.reasons else True


@dataclass(frozen=True, slots=True)
class Against:
    """What a verdict is made against."""

    at: datetime
    lists_as_of: datetime
    anchors: Sequence[Certificate]
    intermediates: Sequence[Certificate]
    provider: Provider
    crls: Sequence[RevocationList]
    policy: SealPolicy
    times: TimeTrust | None = None
    statuses: Sequence[Answer] = ()


def check_seal(seal: Seal, moment: datetime, against: Against, found: Findings) -> Certificate | None:
    """The seal by itself (6.1.2), its window at ``moment``; returns the maker's certificate if it can be read."""
    maker = certificate_of(seal.maker, "seal-maker", found)
    # (b) the maker's signature
    found.add("signature", signature(seal, maker, "seal", against.provider))
    # (c) the maker's chain
    if maker is not None:
        when = seal.property.created if against.policy.maker_at == "creation" else moment
        revoked = _chain(maker, "seal-maker", when, against, found)
        if revoked is not None:
            found.notes.append(reasons.note("seal-maker-revoked-later", f"{revoked:%Y-%m-%d %H:%M:%S}Z"))
    found.add("format", extensions(seal.extensions, "seal"))
    # (d) the seal's own window, and whether its issuer withdrew it
    found.add("window", window(seal, moment, against.policy))
    proved_time(seal, against, found)
    return maker


def certificate_of(data: bytes, party: str, found: Findings) -> Certificate | None:
    """The certificate of the ``seal-maker`` or ``signer``; None, and a finding, where it cannot be read."""
    try:
        return certs.parse(data)
    except Malformed as fault:
        found.add("chain", [reasons.seal_rejected(f"{party}-unreadable", (fault.zh, fault.en))])
        return None


def signature(signed: Seal | Stamp, certificate: Certificate | None, what: str, provider: Provider) -> list[Reason]:
    """The signature of a ``seal`` or ``stamp`` over the bytes it covers, with its certificate's key."""
    if signed.algorithm not in _ALGORITHMS:
        return [reasons.seal_rejected(f"{what}-algorithm", signed.algorithm)]
    key = certificate.public_key if certificate else None
    if key and _holds(signed, key, provider):
        return []
    return [reasons.seal_rejected(f"{what}-signature")]


def _holds(signed: Seal | Stamp, key: PublicKey, provider: Provider) -> bool:
    if isinstance(signed, Seal):  # a stamp is met once, its seal with every stamp
        return _seal_holds(provider, key, sm2.digest(key, signed.covered, sm2.DEFAULT_ID), signed.signature)
    return sm2.verify(provider, key, signed.covered, signed.signature, signer_id=sm2.DEFAULT_ID)


@lru_cache(maxsize=1024)
def _seal_holds(provider: Provider, key: PublicKey, digest: bytes, signature: bytes) -> bool:
    """A fact about bytes, remembered."""
    try:
        r, s = der.decode_signature(signature)
    except Malformed:
        return False
    return provider.verify_digest(key, digest, r, s)


def _chain(
    certificate: Certificate, party: str, moment: datetime, against: Against, found: Findings
) -> datetime | None:
    """Checks a chain; returns when the certificate was revoked if that came after ``moment``."""
    report = check_path(
        certificate,
        against.intermediates,
        against.anchors,
        moment,
        against.provider,
        crls=against.crls,
        statuses=against.statuses,
        policy=against.policy.path,
        now=against.lists_as_of,
        until=max(against.at, against.lists_as_of),
    )
    found.add("chain", [reasons.of_party(reason, party) for reason in report.reasons])
    return report.leaf_revoked


def signer_chain(
    signer: Certificate, moment: datetime, trusted: datetime | None, against: Against, found: Findings
) -> None:
    """The signer's chain at ``moment`` (6.2.3 c, d); a revocation after it counts by proof of time, or else by policy."""
    revoked = _chain(signer, "signer", moment, against, found)
    if revoked is not None:
        _came_later("signer-revoked-later", "chain", revoked, trusted, against, found)
    if against.at > signer.not_after >= moment:
        found.notes.append(reasons.note("signer-expired-since"))


def stamp_time(stamp: Stamp, trusted: datetime | None, against: Against, found: Findings) -> list[Reason]:
    """The stated time of stamping: readable, not in the future, not after its proof."""
    if stamp.time is None:
        return [reasons.seal_unknown("stamp-time-unreadable")]
    day = f"{stamp.time:%Y-%m-%d %H:%M:%S}Z"
    if stamp.time - against.at > against.policy.clock_skew:
        return [reasons.seal_rejected("stamp-time-future", day)]
    if trusted is None:
        found.notes.append(reasons.note("stamp-time-self-declared"))
    elif stamp.time - trusted > against.policy.clock_skew:
        return [reasons.seal_rejected("stamp-time-after-proof", day)]
    return []


def proved_time(signed: Seal | Stamp, against: Against, found: Findings) -> datetime | None:
    """Until when the attached time stamp proves the signature to have existed; None, and a note, where it proves nothing.

    Anybody can put a bad one beside the signature, so it spoils nothing.
    """
    token = signed.timestamp
    if token is None:
        return None
    if against.times is None:
        found.notes.append(
            reasons.note("timestamp-not-relied-on" if _looks_like_one(token) else "timestamp-unreadable")
        )
        return None
    covered = signed.signature if against.policy.timestamp_over == "signature-value" else signed.covered
    report = verify_timestamp(
        token,
        sm3(covered),
        at=against.at,
        anchors=against.times.anchors,
        provider=against.provider,
        policy=against.times.policy,
        crls=against.crls,
        intermediates=against.intermediates,
    )
    if report.proves is None:
        first = report.reasons[0]
        found.notes.append(reasons.note("timestamp-bad", (first.zh, first.en)))
    else:
        found.notes.append(reasons.note("timestamp-relied-on", f"{report.proves:%Y-%m-%d %H:%M:%S}Z"))
    return report.proves


def _looks_like_one(token: bytes) -> bool:
    try:
        der.parse(token).as_seq(2)
    except Malformed:
        return False
    return True


def extensions(extensions: Sequence[ExtData], what: str) -> list[Reason]:
    """No extension of seals or stamps is understood here, so a critical one is a no."""
    critical = [x.oid for x in extensions if x.critical]
    if not critical:
        return []
    return [reasons.seal_rejected(f"{what}-unknown-critical-extension", ", ".join(critical))]


def document(stamp: Stamp, digest: bytes | None, property_info: str | None, found: Findings) -> None:
    """The document by its digest (6.2.3 e), and its place where the caller names one."""
    if digest is None:
        found.add("document", [reasons.seal_unknown("document-not-given")])
        found.outcome["document"] = "absent"
    else:
        found.add("document", [] if digest == stamp.data_hash else [reasons.seal_rejected("document-digest")])
    if property_info is not None and property_info != stamp.property_info:
        found.add("document", [reasons.seal_rejected("property-info")])


def window(seal: Seal, moment: datetime, policy: SealPolicy) -> list[Reason]:
    """The seal's validity at ``moment`` (6.1.2 d), and whether its issuer withdrew it."""
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


def withdrawn_later(
    stamp: Stamp, moment: datetime, trusted: datetime | None, against: Against, found: Findings
) -> None:
    """A seal withdrawn after the stated time of stamping: by proof of time, or else by policy, like a signer revoked later.

    The stated time is the signer's own word, so without proof a withdrawn seal could go on stamping into the past.
    """
    withdrawn = against.policy.revoked_seals.get(stamp.seal.es_id)
    if withdrawn is not None and moment < withdrawn <= against.at:
        _came_later("seal-withdrawn-later", "window", withdrawn, trusted, against, found)


def _came_later(
    code: str, group: str, ended: datetime, trusted: datetime | None, against: Against, found: Findings
) -> None:
    """What ended after the stated time of stamping: a remark where a trusted time proves the stamp older, else by policy."""
    day = f"{ended:%Y-%m-%d %H:%M:%S}Z"
    if (trusted is not None and trusted < ended) or against.policy.revoked_later == "accept":
        found.notes.append(reasons.note(code, day))
    else:
        say = reasons.seal_rejected if against.policy.revoked_later == "reject" else reasons.seal_unknown
        found.add(group, [say(code, day)])


def membership(stamp: Stamp, policy: SealPolicy) -> list[Reason]:
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
