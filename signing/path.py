"""Certificate chains (证书链) after RFC 5280 clause 6 and GB/T 20518-2018, SM2 only, judged at a given moment.

An issuer is found by key: where a certificate names its issuer's key identifier, a candidate with another one is passed
over, whatever its name; and a step is taken only after its signature has been checked, with the id 1234567812345678
that certificates always use. The search is depth-first over at most ``max_checks`` signature checks, so loops and fans
of cross-certificates end in bounded time. An unknown root is a plain no; a missing or stale revocation list, where the
policy asks for one, is "cannot tell".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from signing import crl as crl_module
from signing import names, oids, sm2
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Rejected
from signing.policy import USAGES, PathPolicy
from signing.reasons import Reason, Words, path_reason

if TYPE_CHECKING:
    from signing.providers import Provider

Path = tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class PathReport:
    """``ok`` True, False (a Rejected is among the reasons) or None (only Indeterminate ones). ``path``: leaf first, as
    far as it could be built. ``leaf_revoked``: when the leaf was revoked if that is after the moment judged."""

    ok: bool | None
    reasons: tuple[Reason, ...]
    path: Path
    leaf_revoked: datetime | None = None


def check_path(
    leaf: Certificate,
    intermediates: Sequence[Certificate],
    anchors: Sequence[Certificate],
    at: datetime,
    provider: Provider,
    *,
    crls: Sequence[RevocationList] = (),
    policy: PathPolicy,
    now: datetime | None = None,
    until: datetime | None = None,
) -> PathReport:
    """Judge ``leaf`` as of ``at``; the freshness of lists is judged at ``now`` (``at`` if not given), and none may be of later
    than ``until`` (``now`` if not given)."""
    problem = _not_sm2(leaf)
    if problem:
        return PathReport(False, (path_reason("not-sm2", who(leaf), problem),), (leaf,))
    search = _Search(leaf, intermediates, anchors, provider, policy)
    best: PathReport | None = None
    for path in search.paths((leaf,)):
        report = _judge(path, at, (now or at, until or now or at), crls, provider, policy)
        if report.ok:
            return report
        if best is None or (best.ok is False and report.ok is None):
            best = report
    if best is not None:
        return best
    # No chain reaches an anchor: what is wrong with the leaf itself is said beside that.
    reasons = (search.failure(), *_of_leaf(leaf, at, policy))
    return PathReport(False, reasons, search.longest)


def who(certificate: Certificate) -> Words:
    """The certificate in words."""
    name = names.common_name(certificate.subject_der)
    return f"证书“{name}”", f"certificate “{name}”"


class _Search:
    """All chains from the leaf to an anchor, cheapest first, every link's signature checked once."""

    def __init__(
        self,
        leaf: Certificate,
        intermediates: Sequence[Certificate],
        anchors: Sequence[Certificate],
        provider: Provider,
        policy: PathPolicy,
    ) -> None:
        self.anchors = {certificate.der for certificate in anchors}
        unique = {certificate.der: certificate for certificate in (*anchors, *intermediates)}
        self.pool = list(unique.values())
        self.provider = provider
        self.policy = policy
        self.links: dict[tuple[bytes, bytes], bool] = {}
        self.longest: Path = (leaf,)
        self.forged: Certificate | None = None
        self.exhausted = False

    def paths(self, path: Path) -> Iterator[Path]:
        if len(path) > len(self.longest):
            self.longest = path
        tip = path[-1]
        if tip.der in self.anchors:
            yield path
            return
        if len(path) >= self.policy.max_depth:
            return
        for issuer in self._candidates(tip):
            # The same name with the same key again would be a loop of cross-certificates.
            loop = any(c.subject_der == issuer.subject_der and c.public_key == issuer.public_key for c in path)
            if not loop and self._linked(tip, issuer):
                yield from self.paths((*path, issuer))

    def _candidates(self, tip: Certificate) -> list[Certificate]:
        fitting = [
            issuer
            for issuer in self.pool
            if issuer.subject_der == tip.issuer_der and (None in (tip.aki, issuer.ski) or tip.aki == issuer.ski)
        ]
        return sorted(fitting, key=lambda c: (tip.aki is None or c.ski != tip.aki, c.der not in self.anchors))

    def _linked(self, tip: Certificate, issuer: Certificate) -> bool:
        key = (tip.der, issuer.der)
        if key not in self.links:
            if len(self.links) >= self.policy.max_checks:
                self.exhausted = True
                return False
            self.links[key] = _signed_by(tip, issuer, self.provider)
            if not self.links[key] and self.forged is None:
                self.forged = tip
        return self.links[key]

    def failure(self) -> Reason:
        """Why no chain was found."""
        if self.exhausted:
            return path_reason("path-limit", who(self.longest[0]))
        tip = self.longest[-1]
        if self.forged is not None and self.forged.der == tip.der:
            return path_reason("bad-signature", who(tip))
        return path_reason("untrusted-root", who(tip))


@lru_cache(maxsize=1024)
def _signed_by(child: Certificate, issuer: Certificate, provider: Provider) -> bool:
    """Whether the link holds: a fact about bytes, remembered, because the same few chains come with every stamp."""
    if issuer.public_key is None or child.algorithm != oids.SM2_WITH_SM3:
        return False
    return sm2.verify(provider, issuer.public_key, child.tbs, child.signature, signer_id=sm2.DEFAULT_ID)


def _not_sm2(certificate: Certificate) -> str:
    if certificate.public_key is None:
        return certificate.key_problem
    return "" if certificate.algorithm == oids.SM2_WITH_SM3 else certificate.algorithm


def _judge(
    path: Path,
    at: datetime,
    listed: tuple[datetime, datetime],
    crls: Sequence[RevocationList],
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
    # 3. what the leaf's key may do
    reasons += _usage(path[0], policy)
    # 4. revocation, of each certificate below the anchor
    leaf_revoked = None
    for depth in range(last):
        found, later = _revocation(path, depth, at, listed, crls, provider, policy)
        reasons += found
        leaf_revoked = later if depth == 0 else leaf_revoked
    ok = False if any(isinstance(r, Rejected) for r in reasons) else None if reasons else True
    return PathReport(ok, tuple(reasons), path, leaf_revoked)


def _of_leaf(leaf: Certificate, at: datetime, policy: PathPolicy) -> list[Reason]:
    return [*_of_one(leaf, at, ""), *_usage(leaf, policy)]


def _of_one(certificate: Certificate, at: datetime, level: str) -> list[Reason]:
    subject = who(certificate)
    reasons = [path_reason(code, subject) for code in certificate.defects]
    problem = _not_sm2(certificate)
    if problem:
        reasons.append(path_reason("not-sm2", subject, problem))
    if certificate.unknown_critical:
        reasons.append(path_reason("unknown-critical-extension", subject, ", ".join(certificate.unknown_critical)))
    if at < certificate.not_before:
        reasons.append(path_reason(f"{level}not-yet-valid", subject, f"{certificate.not_before:%Y-%m-%d %H:%M:%S}Z"))
    elif at >= certificate.not_after + timedelta(seconds=1):
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


def _usage(leaf: Certificate, policy: PathPolicy) -> list[Reason]:
    wanted = USAGES[policy.usage]
    if not wanted or leaf.key_usage is None or wanted & leaf.key_usage:
        return []
    return [path_reason("key-usage", who(leaf), ", ".join(sorted(leaf.key_usage)) or "-")]


def _revocation(
    path: Path,
    depth: int,
    at: datetime,
    listed: tuple[datetime, datetime],
    crls: Sequence[RevocationList],
    provider: Provider,
    policy: PathPolicy,
) -> tuple[list[Reason], datetime | None]:
    """(reasons, revoked only after ``at``). ``listed``: when lists must be fresh, and the latest they may be of."""
    if policy.revocation == "ignore":
        return [], None
    certificate = path[depth]
    now, until = listed
    state = crl_module.look_up(
        certificate, path[depth + 1], crls, now=now, until=until, grace=policy.crl_grace, provider=provider
    )
    if state.kind == "good" or (state.kind == "none" and policy.revocation == "if-present"):
        return [], None
    if state.kind != "revoked":
        return [path_reason(state.code, who(certificate), state.detail)], None
    if state.when is not None and state.when > at:
        return [], state.when
    return [path_reason("revoked" if depth == 0 else "ca-revoked", who(certificate), state.detail)], None
