"""10⁵ inputs at every reader of certificates, requests, lists and online status, and at the judgement of chains: a verdict
each (rows C04, C11, C14, C20)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from signing import certs, crl, issue, keys, ocsp
from signing.issue import Revoked, build_crl
from signing.ocsp import Answer, build_request, identify
from signing.path import check_path
from signing.policy import PathPolicy
from tests import pki
from tests.attacks import fuzz
from tests.attacks.fuzz import Target
from tests.pki import BORN, DAY, DIES
from tests.vectors.certs import constrained, statuses
from tests.vectors.certs.lists import HERE, by_hand, full_name, point, pointing

POLICY = PathPolicy(usage="sign", revocation="if-present")
ROOT = pki.root().certificate
LEAF = pki.leaf("end")
MIDDLE = constrained.limited(
    constrained.limits(
        [constrained.dns("example"), constrained.directory(*constrained.SUBJECT), constrained.mail("example")],
        [constrained.dns("bad.example"), constrained.ip(10, 0, 0, 0, 255, 0, 0, 0), constrained.uri(".bad.example")],
    )
)
BELOW = constrained.bearing(
    MIDDLE, constrained.dns("a.example"), constrained.mail("a@example"), constrained.ip(11, 0, 0, 1),
    constrained.uri("https://a.example/"),
)  # fmt: skip
REQUEST = issue.build_csr(pki.signer("asker"), subject=pki.subject("asker"), dns=["a.example"])
LISTED = Revoked(5, BORN, "keyCompromise", BORN - timedelta(days=1))
LIST = build_crl(pki.root(), number=7, this_update=BORN, next_update=DIES, revoked=[LISTED])
PARTITION = by_hand(point(full_name(HERE)), entry=()).der
GOOD = statuses.good()()
DELEGATED = statuses.delegated(statuses.responder)()
ASKING = build_request(identify(LEAF, ROOT), bytes(16))


def verdict(leaf: certs.Certificate, middle: list[certs.Certificate], **news: object) -> bool | None:
    return check_path(leaf, middle, [ROOT], DAY, pki.PROVIDER, policy=POLICY, **news).ok  # type: ignore[arg-type]


def judged_leaf(data: bytes) -> object:
    """Good for the certificates that were issued alone."""
    ok = verdict(certs.parse(data), [MIDDLE.certificate])
    assert ok is not True or data in (LEAF.der, BELOW.der)
    return ok


def judged_authority(data: bytes) -> object:
    """A leaf below an authority that was tampered with; nobody else issued the leaf."""
    ok = verdict(BELOW, [certs.parse(data)])
    assert ok is not True or data == MIDDLE.certificate.der
    return ok


def signed_anew(data: bytes) -> object:
    """The fuzzed bytes as an authority's own certificate, signed by the root again where it still has three parts: the
    judgement is reached, whatever its extensions say."""
    tbs, algorithm, _ = certs.der.parse(data, limit=certs.MAX_BYTES).as_seq(3, 3)
    signature = certs.der.bits(pki.root().signer.sign(tbs.raw))
    return verdict(BELOW, [certs.parse(certs.der.seq(tbs.raw, algorithm.raw, signature))])


def judged_list(data: bytes) -> object:
    """A list that says nothing of the leaf never revokes it, and clears it as it was signed only."""
    found = crl.parse(data)
    ok = verdict(pki.leaf("end"), [], crls=[found])
    assert ok is not False and (ok is None or data == LIST or found.issuer_der != ROOT.subject_der)
    return ok


def judged_status(data: bytes) -> object:
    """Good as it was signed alone. The certificates beside the signed part may change."""
    response = ocsp.parse(data)
    ok = verdict(LEAF, [], statuses=[Answer(LEAF, response, statuses.NONCE)])
    body = response.body
    assert ok is not False and (ok is None or (body is not None and body.tbs in GOOD + DELEGATED))
    return ok


POINTED = pointing(HERE).der
TARGETS = [
    Target("certificate", certs.parse, [LEAF.der, ROOT.der, MIDDLE.certificate.der, BELOW.der, POINTED]),
    Target("certificate file", certs.load, [certs.to_pem(LEAF.der) + certs.to_pem(ROOT.der), LEAF.der]),
    Target("revocation list", crl.parse, [LIST, PARTITION]),
    Target("certificate request", issue.parse_csr, [REQUEST]),
    Target("certificate request file", issue.load_csr, [keys.to_pem("CERTIFICATE REQUEST", REQUEST)]),
    Target("status request", ocsp.parse_request, [ASKING]),
    Target("status response", ocsp.parse, [GOOD, DELEGATED, statuses.build_failure("tryLater")]),
    Target("judging a leaf", judged_leaf, [LEAF.der, BELOW.der]),
    Target("judging an authority", judged_authority, [MIDDLE.certificate.der]),
    Target("judging an authority signed anew", signed_anew, [MIDDLE.certificate.der]),
    Target("judging a list", judged_list, [LIST]),
    Target("judging a status", judged_status, [GOOD, DELEGATED]),
]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_fuzzed_certificates_get_a_verdict(target: Target) -> None:
    verdicts = fuzz.attack(target, fuzz.SHORT)
    assert verdicts.total() == fuzz.SHORT and len(verdicts) > 1


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_many_certificates_each(target: Target, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        assert fuzz.attack(target, fuzz.LONG).total() == fuzz.LONG
