"""Candidate chains (候选证书链) from a certificate to a trusted root: built by key and by signature, in bounded time.

An issuer is found by key: where a certificate names its issuer's key identifier, a candidate with another one is passed
over, whatever its name; and a step is taken only after its signature has been checked, with the id 1234567812345678
that certificates always use. Depth first, what looks fit to issue before what does not, so that a good chain among
cross-certificates is met early; signature checks, steps and finished chains are all counted, so that loops and fans of
cross-certificates end (row C13).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from signing import names, oids, sm2
from signing.certs import Certificate
from signing.policy import PathPolicy
from signing.reasons import Reason, Words, path_reason

if TYPE_CHECKING:
    from signing.providers import Provider

Path = tuple[Certificate, ...]

# Broken for signatures whoever uses them, and told so (row C22); everything else that is not SM2 is just not ours.
_WEAK: Final = {
    "1.2.840.113549.1.1.2": "MD2-RSA",
    "1.2.840.113549.1.1.4": "MD5-RSA",
    "1.2.840.113549.1.1.5": "SHA1-RSA",
    "1.2.840.10040.4.3": "SHA1-DSA",
    "1.2.840.10045.4.1": "SHA1-ECDSA",
}
_LEAST_RSA_BITS: Final = 2048


def who(certificate: Certificate) -> Words:
    """The certificate in words."""
    name = names.common_name(certificate.subject_der)
    return f"证书“{name}”", f"certificate “{name}”"


def algorithm_reason(certificate: Certificate) -> Reason | None:
    """Why the certificate's key or the signature on it is not one this project goes by; None for SM2 with SM3."""
    problem = certificate.key_problem
    if problem.startswith("rsa-") and int(problem[4:]) < _LEAST_RSA_BITS:
        return path_reason("weak-algorithm", who(certificate), problem)
    if certificate.algorithm in _WEAK:
        return path_reason("weak-algorithm", who(certificate), _WEAK[certificate.algorithm])
    if problem or certificate.algorithm != oids.SM2_WITH_SM3:
        return path_reason("not-sm2", who(certificate), problem or certificate.algorithm)
    return None


def in_force(certificate: Certificate, at: datetime) -> bool:
    """Within the validity, its last second included."""
    return certificate.not_before <= at and at - certificate.not_after < timedelta(seconds=1)


class Search:
    """All chains from the leaf to an anchor, each link's signature checked once."""

    def __init__(
        self,
        leaf: Certificate,
        intermediates: Sequence[Certificate],
        anchors: Sequence[Certificate],
        at: datetime,
        provider: Provider,
        policy: PathPolicy,
    ) -> None:
        self.leaf = leaf
        self.anchors = {certificate.der for certificate in anchors}
        unique = {certificate.der: certificate for certificate in (*anchors, *intermediates)}
        self.pool = sorted(unique.values(), key=lambda one: self._rank(one, at))
        self.provider = provider
        self.policy = policy
        self.links: dict[tuple[bytes, bytes], bool] = {}
        self.steps = 0
        self.longest: Path = (leaf,)
        self.forged: Certificate | None = None
        self.exhausted = False

    def _rank(self, issuer: Certificate, at: datetime) -> tuple[bool, bool]:
        """What looks fit to issue comes first, and of that the anchors."""
        fit = issuer.is_ca and in_force(issuer, at) and not issuer.defects and not issuer.unknown_critical
        return not fit, issuer.der not in self.anchors

    def paths(self) -> Iterator[Path]:
        """Complete chains, leaf first; ``failure`` says why there was none."""
        return self._from((self.leaf,))

    def _from(self, path: Path) -> Iterator[Path]:
        self.steps += 1
        if self.steps > self.policy.max_checks * self.policy.max_depth:
            self.exhausted = True
            return
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
                yield from self._from((*path, issuer))

    def _candidates(self, tip: Certificate) -> list[Certificate]:
        fitting = [
            issuer
            for issuer in self.pool
            if issuer.subject_der == tip.issuer_der and (None in (tip.aki, issuer.ski) or tip.aki == issuer.ski)
        ]
        return sorted(fitting, key=lambda issuer: tip.aki is None or issuer.ski != tip.aki)

    def _linked(self, tip: Certificate, issuer: Certificate) -> bool:
        key = (tip.der, issuer.der)
        if key not in self.links:
            if len(self.links) >= self.policy.max_checks:
                self.exhausted = True
                return False
            self.links[key] = signed_by(tip, issuer, self.provider)
            if not self.links[key] and self.forged is None:
                self.forged = tip
        return self.links[key]

    def failure(self) -> Reason:
        """Why no chain was found."""
        tip = self.longest[-1]
        foreign = algorithm_reason(tip)
        if foreign:
            return foreign
        if self.exhausted:
            return path_reason("path-limit", who(self.leaf))
        if self.forged is not None and self.forged.der == tip.der:
            return path_reason("bad-signature", who(tip))
        return path_reason("untrusted-root", who(tip))


@lru_cache(maxsize=1024)
def signed_by(child: Certificate, issuer: Certificate, provider: Provider) -> bool:
    """Whether the link holds: a fact about bytes, remembered, because the same few chains come with every stamp."""
    if issuer.public_key is None or child.algorithm != oids.SM2_WITH_SM3:
        return False
    return sm2.verify(provider, issuer.public_key, child.tbs, child.signature, signer_id=sm2.DEFAULT_ID)
