"""Certificate chains (证书链) after RFC 5280 clause 6 and GB/T 20518-2018, SM2 only, judged at a given moment.

``signing.chains`` finds the candidates, whose signatures hold; here each is judged in the order of clause 6.1, all that is
wrong with it is told, and the first good one counts. An unknown root is a plain no; missing or stale news of revocation,
where the policy asks for it, is "cannot tell". Certificate policies constrain nothing here: an extension that would make
them do so (policy constraints, inhibit any policy) is critical, not known to us, and therefore refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from signing import constraints, crl, ocsp_verify, oids
from signing.certs import Certificate
from signing.chains import Path, Search, algorithm_reason, in_force, who
from signing.crl import RevocationList
from signing.errors import Malformed, Rejected
from signing.ocsp import Answer
from signing.policy import USAGES, PathPolicy
from signing.reasons import Reason, Words, path_reason
from signing.revocation import AsOf, decisive

if TYPE_CHECKING:
    from signing.providers import Provider


@dataclass(frozen=True, slots=True)
class PathReport:
    """``ok`` True, False (a Rejected is among the reasons) or None (only Indeterminate ones). ``path``: leaf first, as
    far as it could be built. ``leaf_revoked``: when the leaf was revoked if that is after the moment judged."""

    ok: bool | None
    reasons: tuple[Reason, ...]
    path: Path
    leaf_revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class _News:
    """What is known of revocation, and as of when."""

    as_of: AsOf
    crls: Sequence[RevocationList]
    statuses: Sequence[Answer]


def check_path(
    leaf: Certificate,
    intermediates: Sequence[Certificate],
    anchors: Sequence[Certificate],
    at: datetime,
    provider: Provider,
    *,
    crls: Sequence[RevocationList] = (),
    statuses: Sequence[Answer] = (),
    policy: PathPolicy,
    now: datetime | None = None,
    until: datetime | None = None,
) -> PathReport:
    """Judge ``leaf`` as of ``at``; revocation lists and online ``statuses`` must be fresh at ``now`` (``at`` if not given),
    and none may be of later than ``until`` (``now`` if not given)."""
    news = _News(AsOf(now or at, until or now or at), crls, statuses)
    foreign = algorithm_reason(leaf)
    if foreign:
        return PathReport(False, (foreign,), (leaf,))
    search = Search(leaf, intermediates, anchors, at, provider, policy)
    best: PathReport | None = None
    for path in islice(search.paths(), policy.max_checks):
        report = _judge(path, at, news, provider, policy)
        if report.ok:
            return report
        if best is None or (best.ok is False and report.ok is None):
            best = report
    if best is not None:
        return best
    # No chain reaches an anchor: what is wrong with the leaf itself is said beside that.
    reasons = (search.failure(), *_of_one(leaf, at, ""), *_usage(leaf, policy))
    return PathReport(False, reasons, search.longest)


def _judge(
    path: Path,
    at: datetime,
    news: _News,
    provider: Provider,
    policy: PathPolicy,
) -> PathReport:
    """Every check on one complete chain whose signatures hold, in the order they are explained to people."""
    reasons: list[Reason] = []
    last = len(path) - 1
    # 1. form, algorithm, critical extensions, validity, of each certificate, leaf first
    for depth, certificate in enumerate(path):
        reasons += _of_one(certificate, at, "" if depth == 0 else "root-" if depth == last else "ca-")
    # 2. the right to issue, of each certificate above the leaf
    for depth in range(1, len(path)):
        reasons += _of_issuer(path, depth)
    # 3. the names each of them allows below it
    for depth in range(1, len(path)):
        reasons += _names_below(path, depth)
    # 4. what the leaf's key may do
    reasons += _usage(path[0], policy)
    # 5. revocation, of each certificate below the anchor
    leaf_revoked = None
    for depth in range(last):
        found, later = _revocation(path, depth, at, news, provider, policy)
        reasons += found
        leaf_revoked = later if depth == 0 else leaf_revoked
    ok = False if any(isinstance(r, Rejected) for r in reasons) else None if reasons else True
    return PathReport(ok, tuple(reasons), path, leaf_revoked)


def _of_one(certificate: Certificate, at: datetime, level: str) -> list[Reason]:
    subject = who(certificate)
    reasons = [path_reason(code, subject) for code in certificate.defects]
    foreign = algorithm_reason(certificate)
    if foreign:
        reasons.append(foreign)
    if certificate.unknown_critical:
        reasons.append(path_reason("unknown-critical-extension", subject, ", ".join(certificate.unknown_critical)))
    if at < certificate.not_before:
        reasons.append(path_reason(f"{level}not-yet-valid", subject, f"{certificate.not_before:%Y-%m-%d %H:%M:%S}Z"))
    elif not in_force(certificate, at):
        reasons.append(path_reason(f"{level}expired", subject, f"{certificate.not_after:%Y-%m-%d %H:%M:%S}Z"))
    return reasons


def _of_issuer(path: Path, depth: int) -> list[Reason]:
    issuer = path[depth]
    if not issuer.is_ca or issuer.version != 3:
        return [path_reason("not-a-ca", who(issuer))]
    reasons: list[Reason] = []
    if issuer.key_usage is not None and "keyCertSign" not in issuer.key_usage:
        reasons.append(path_reason("ca-key-usage", who(issuer)))
    # Self-issued certificates between this one and the leaf do not count (RFC 5280 6.1.4 l).
    below = sum(not certificate.self_issued for certificate in path[1:depth])
    if issuer.path_len is not None and below > issuer.path_len:
        reasons.append(path_reason("path-length", who(issuer)))
    return reasons


def _names_below(path: Path, depth: int) -> list[Reason]:
    """RFC 5280 6.1.3 b and c: self-issued certificates are exempt, the leaf never is. Each authority's constraints are
    applied by themselves, which is the intersection that the standard accumulates; an anchor's count as well."""
    limits = path[depth].constraints
    if limits is None:
        return []
    reasons: list[Reason] = []
    for place, bearer in enumerate(path[:depth]):
        if place == 0 or not bearer.self_issued:
            problem = _name_refused(bearer, limits)
            if problem:
                reasons.append(path_reason("name-constraints", who(bearer), problem))
    return reasons


def _name_refused(bearer: Certificate, limits: constraints.NameConstraints) -> Words | None:
    try:
        bears = constraints.names_of(bearer.subject_der, bearer.extension(oids.SUBJECT_ALT_NAME))
        name = limits.refused(bears)
    except Malformed as fault:
        return fault.zh, fault.en
    return None if name is None else (constraints.shown(name),) * 2


def _usage(leaf: Certificate, policy: PathPolicy) -> list[Reason]:
    """Key usage, and extended key usage: what is critical there and not asked for by name may not be done."""
    reasons: list[Reason] = []
    wanted = USAGES[policy.usage]
    if wanted and leaf.key_usage is not None and not wanted & leaf.key_usage:
        reasons.append(path_reason("key-usage", who(leaf), ", ".join(sorted(leaf.key_usage)) or "-"))
    allowed = {policy.purpose, oids.ANY_EXTENDED_USAGE}
    bound = policy.purpose or any(x.oid == oids.EXTENDED_KEY_USAGE and x.critical for x in leaf.extensions)
    if wanted and bound and leaf.extended_usage and not allowed & set(leaf.extended_usage):
        reasons.append(path_reason("extended-key-usage", who(leaf), ", ".join(leaf.extended_usage)))
    return reasons


def _revocation(
    path: Path,
    depth: int,
    at: datetime,
    news: _News,
    provider: Provider,
    policy: PathPolicy,
) -> tuple[list[Reason], datetime | None]:
    """(reasons, revoked only after ``at``)."""
    if policy.revocation == "ignore":
        return [], None
    certificate, issuer = path[depth], path[depth + 1]
    listed = crl.look_up(certificate, issuer, news.crls, as_of=news.as_of, policy=policy, provider=provider)
    asked = ocsp_verify.look_up(certificate, issuer, news.statuses, as_of=news.as_of, policy=policy, provider=provider)
    state = decisive([listed, asked])
    if state.kind == "good" or (state.kind == "none" and policy.revocation == "if-present"):
        return [], None
    if state.kind != "revoked":
        return [path_reason(state.code, who(certificate), state.detail)], None
    if state.when is not None and state.when > at:
        return [], state.when
    return [path_reason("revoked" if depth == 0 else "ca-revoked", who(certificate), state.detail)], None
