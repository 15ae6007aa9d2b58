"""Status answers at their limits: times, nonces, who may answer, and which of several sources counts (row C04)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from signing import der, keys, names, ocsp, ocsp_verify, oids
from signing.certs import Certificate, Extension
from signing.ocsp import Answer, identify
from signing.ocsp_build import Said, build_response, wrap
from signing.policy import PathPolicy
from signing.revocation import NO_SOURCE, SKEW, AsOf, State, decisive
from tests import pki
from tests.pki import BORN, DAY, DIES
from tests.unit.signing.test_cert_edges import extended

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
ROOT = pki.root()
LEAF = pki.leaf("end")


def test_of_several_words_the_worst_counts() -> None:
    early, late = State("revoked", "a", when=BORN), State("revoked", "b", when=DAY)
    good, unknown, other = State("good"), State("unknown", "x"), State("unknown", "y")
    assert decisive([late, good, early]) == decisive([early, late]) == early
    assert decisive([unknown, good]) == decisive([good, unknown, other]) == good
    assert decisive([unknown, other]) == unknown and decisive([NO_SOURCE, other]) == other
    assert decisive([]) == decisive([NO_SOURCE]) == NO_SOURCE == State("none", "crl-missing")
    assert decisive([State("revoked", "now"), early]).code == "now", "one without a date is as old as can be"


def asked(
    *said: Said, at: datetime = DAY, until: datetime | None = None, produced: datetime = DAY, leaf: Certificate = LEAF,
    nonce: tuple[bytes | None, bytes | None] = (None, None), **policy: Any,
) -> State:  # fmt: skip
    data = build_response(ROOT.signer, said, produced_at=produced, nonce=nonce[1])
    return judged(data, at=at, until=until, leaf=leaf, nonce=nonce[0], **policy)


def judged(
    data: bytes,
    *,
    at: datetime = DAY,
    until: datetime | None = None,
    leaf: Certificate = LEAF,
    nonce: bytes | None = None,
    **policy: Any,
) -> State:
    answer = Answer(leaf, ocsp.parse(data), nonce)
    wanted = PathPolicy(usage="any", revocation="require", **policy)
    return ocsp_verify.look_up(
        leaf, ROOT.certificate, [answer], as_of=AsOf(at, until or at), policy=wanted, provider=pki.PROVIDER
    )  # fmt: skip


ID = identify(LEAF, ROOT.certificate)


def test_C04_an_answer_counts_to_its_last_moment() -> None:
    until = Said(ID, DAY, DAY + HOUR)
    assert asked(until, at=DAY + HOUR) == State("good")
    words = ("2026-06-01 09:00:00Z",) * 2
    assert asked(until, at=DAY + HOUR + SECOND) == State("unknown", "ocsp-stale", words)
    assert asked(Said(ID, DAY), at=DAY + HOUR, ocsp_max_age=HOUR) == State("good")
    words = ("2026-06-01 08:00:00Z",) * 2
    assert asked(Said(ID, DAY), at=DAY + HOUR + SECOND, ocsp_max_age=HOUR) == State("unknown", "ocsp-stale", words)


def test_C04_an_answer_may_be_dated_a_little_ahead() -> None:
    for this, produced in ((DAY + SKEW, DAY), (DAY, DAY + SKEW)):
        assert asked(Said(ID, this, DIES), produced=produced) == State("good")
        late = asked(Said(ID, this + SECOND, DIES), produced=produced + SECOND)
        assert late == State("unknown", "ocsp-future")
    assert asked(Said(ID, DAY, DIES), until=DAY - SKEW - SECOND).code == "ocsp-future"


def test_C04_an_answer_about_a_certificate_that_has_ended() -> None:
    ends = pki.leaf("ends", not_after=DAY)
    wanted = identify(ends, ROOT.certificate)
    assert asked(Said(wanted, DAY, DIES), leaf=ends) == State("good")
    assert asked(Said(wanted, DAY + SECOND, DIES), leaf=ends) == State("unknown", "ocsp-not-covering")


def test_C04_nonces() -> None:
    said = Said(ID, DAY, DIES)
    assert asked(said, nonce=(b"a", b"a")) == asked(said, nonce=(None, b"a")) == State("good")
    assert asked(said, nonce=(b"a", None), ocsp_nonce="optional") == State("good")
    assert asked(said, nonce=(b"a", None)) == State("unknown", "ocsp-nonce", ("缺少", "missing"))
    for mode in ("require", "optional"):
        found = asked(said, nonce=(b"a", b"b"), ocsp_nonce=mode)
        assert found == State("unknown", "ocsp-nonce", ("不符", "another one"))


def test_C04_what_else_is_said() -> None:
    assert asked(Said(ID, DAY, DIES, known=False)) == State("unknown", "ocsp-unknown")
    words = ("2026-01-01 00:00:00Z",) * 2
    assert asked(Said(ID, DAY, DAY, BORN), at=DIES) == State("revoked", "revoked", words, BORN)
    other = identify(pki.leaf("other"), ROOT.certificate)
    assert asked(Said(other, DAY, DIES)) == State("unknown", "ocsp-other-certificate")
    assert asked(Said(other, DAY, DIES), Said(ID, DAY, DIES)) == State("good")


def test_C04_an_answer_to_a_question_about_another_is_silent() -> None:
    answer = Answer(pki.leaf("other"), ocsp.parse(build_response(ROOT.signer, [], produced_at=DAY)))
    policy = PathPolicy(usage="any", revocation="require")
    for given in ([], [answer], [Answer(None, answer.response)]):
        found = ocsp_verify.look_up(
            LEAF, ROOT.certificate, given, as_of=AsOf(DAY, DAY), policy=policy, provider=pki.PROVIDER
        )  # fmt: skip
        assert found == NO_SOURCE


def delegated(certificate: Certificate, key: str, algorithm: bytes = pki.SM2_WITH_SM3, by_key: bool = False) -> bytes:
    """A good answer by this responder, its certificate along."""
    data = build_response(pki.signer(key), [Said(ID, DAY, DIES)], produced_at=DAY, responder=certificate)
    if not by_key and algorithm == pki.SM2_WITH_SM3:
        return data
    body = der.parse(data).as_seq()[1].children(1)[0].as_seq()[1].as_octets()
    members = der.parse(body).as_seq()
    first, *rest = (member.raw for member in members[0].as_seq())
    digest = ocsp.sha1(pki.signer(key).public.point)
    tbs = der.seq(der.explicit(2, der.octets(digest)) if by_key else first, *rest)
    return wrap(der.seq(tbs, algorithm, der.bits(pki.signer(key).sign(tbs)), members[3].raw))


SIGNS = Extension(oids.EXTENDED_KEY_USAGE, False, der.seq(der.oid(oids.OCSP_SIGNING)))
NOCHECK = Extension(oids.OCSP_NO_CHECK, False, der.null())
OTHER_USE = Extension(oids.EXTENDED_KEY_USAGE, False, der.seq(der.oid(oids.SERVER_AUTH)))


def responder(*items: Extension, **parts: Any) -> Certificate:
    spki = parts.pop("spki", keys.spki(pki.signer("says").public))
    return extended(*items, spki=spki, subject=names.encode(pki.subject("says")), **parts)


SIGNATURE = pki.key_usage({0})
RESPONDERS: list[tuple[str, Callable[[], Certificate]]] = [
    ("", lambda: responder(SIGNATURE, SIGNS, NOCHECK)),
    ("", lambda: responder(SIGNS, NOCHECK)),
    ("", lambda: responder(SIGNS, Extension(oids.OCSP_NO_CHECK, True, der.null()))),
    ("may not sign", lambda: responder(pki.key_usage({2}), SIGNS, NOCHECK)),
    ("not certified to sign responses", lambda: responder(SIGNATURE, OTHER_USE, NOCHECK)),
    ("lacks nocheck", lambda: responder(SIGNATURE, SIGNS)),
    ("not certified by the issuer itself", lambda: responder(SIGNATURE, SIGNS, NOCHECK, by=pki.signer("x"))),
    (
        "not within its validity",
        lambda: responder(SIGNS, NOCHECK, validity=der.seq(der.utime(BORN), der.utime(DAY - HOUR))),
    ),
    ("breaks a rule of form", lambda: responder(SIGNS, NOCHECK, serial=der.integer(0))),
    ("breaks a rule of form", lambda: responder(SIGNS, NOCHECK, Extension("1.2.3", True, b""))),
    ("the responder's certificate is not there", lambda: responder(SIGNS, NOCHECK, spki=der.seq())),
]


@pytest.mark.parametrize(("flaw", "made"), RESPONDERS)
def test_C04_who_may_answer(flaw: str, made: Callable[[], Certificate]) -> None:
    found = judged(delegated(made(), "says"))
    assert found == State("good") if not flaw else (found.code, found.detail[1]) == ("ocsp-responder", flaw)


def test_C04_responders_are_named_by_key_too_and_sign_with_sm2() -> None:
    good = responder(SIGNS, NOCHECK)
    assert judged(delegated(good, "says", by_key=True)) == State("good")
    assert judged(delegated(good, "other", by_key=True)).code == "ocsp-responder"
    assert judged(delegated(good, "other")) == State("unknown", "ocsp-signature", ("签名值不对", "wrong signature"))
    found = judged(delegated(good, "says", der.seq(der.oid("1.2.840.10045.4.3.2"))))
    assert found == State("unknown", "ocsp-signature", ("没有 SM2 签名", "no SM2 signature"))
