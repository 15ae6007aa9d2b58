"""Online status beside revocation lists when a stamp is judged: it clears, revokes, or leaves open, like a list (C04)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from signing import ocsp
from signing.certs import Certificate
from signing.ocsp import Answer, identify
from signing.ocsp_build import Said, build_response
from signing.policy import CRL_IF_PRESENT
from signing.verify import SealReport, verify_seal, verify_stamp
from tests import pki
from tests.vectors.seals import generate as seals

DEMANDED = replace(CRL_IF_PRESENT, path=replace(CRL_IF_PRESENT.path, revocation="require"))
ROOT = pki.root()


def said(*about: Certificate, **parts: object) -> Answer:
    fresh: dict[str, object] = {"this_update": seals.LATER, "next_update": seals.LATER + timedelta(hours=1)}
    items = [Said(identify(one, ROOT.certificate), **fresh | parts) for one in about]  # type: ignore[arg-type]
    return Answer(None, ocsp.parse(build_response(ROOT.signer, items, produced_at=seals.LATER)))


def judged(*statuses: Answer) -> SealReport:
    return verify_stamp(
        seals.stamp(), seals.DIGEST, at=seals.LATER, anchors=[ROOT.certificate], provider=pki.PROVIDER,
        statuses=statuses, policy=DEMANDED,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("statuses", "ok", "code"),
    [
        ((said(seals.maker(), seals.signer()),), True, ""),
        ((said(seals.maker()), said(seals.signer())), True, ""),
        ((said(seals.maker()),), None, "signer-crl-missing"),
        ((said(seals.maker(), seals.signer(), next_update=seals.DAY),), None, "seal-maker-ocsp-stale"),
        ((said(seals.maker()), said(seals.signer(), revoked=pki.BORN)), False, "signer-revoked-before-stamping"),
    ],
    ids=["both in one", "one each", "one is not spoken of", "stale", "signer revoked"],
)
def test_C04_a_stamp_by_the_online_status_of_its_certificates(
    statuses: tuple[Answer, ...], ok: bool | None, code: str
) -> None:
    report = judged(*statuses)
    assert report.ok is ok and (not code or code in report.codes), report.codes


def test_a_seal_likewise() -> None:
    against = {"at": seals.LATER, "anchors": [ROOT.certificate], "provider": pki.PROVIDER, "policy": DEMANDED}
    assert verify_seal(seals.seal(), statuses=[said(seals.maker())], **against).ok is True  # type: ignore[arg-type]
    assert verify_seal(seals.seal(), **against).ok is None  # type: ignore[arg-type]
