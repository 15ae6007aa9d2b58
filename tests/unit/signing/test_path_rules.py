"""Chains: one row per rule and reason, and the promise that every reason of the vocabulary has a row."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from signing import certs, der, issue, keys, names, oids, reasons
from signing import path as path_module
from signing.certs import Certificate, Extension
from signing.chains import signed_by
from signing.issue import Authority, Revoked
from signing.policy import PathPolicy
from tests import pki
from tests.pki import BORN, DAY, DIES
from tests.vectors.certs.chain import HOUR, REQUIRE, SIGN, Case, Row, crl
from tests.vectors.certs.generate import ROWS
from tests.vectors.certs.rules import ECDSA, fan, with_list
from tests.vectors.certs.shapes import layers


@pytest.mark.parametrize(("code", "case"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_C01_to_C22_each_case_has_its_verdict(code: str, case: Callable[[], Case]) -> None:
    report = case().judge()
    assert code == "" or code in [reason.code for reason in report.reasons]
    assert report.ok is (True if code == "" else None if code in reasons.PATH_UNKNOWN else False)
    for reason in report.reasons:
        assert reason.zh and reason.en and "{" not in reason.zh + reason.en


DETAILS: dict[str, str] = {
    "C05 key usage empty": "-",
    "C05 extended usage, critical, another purpose": "1.3.6.1.5.5.7.3.8",
    "C05 extended usage asked for, another there": oids.SERVER_AUTH,
    "C12 policy constraints": "2.5.29.36",
    "C22 leaf by RSA-2048 and SHA-1": "SHA1-RSA",
    "C03 revoked": f"{DAY - HOUR:%Y-%m-%d %H:%M:%S}Z, keyCompromise",
    "C21 leaf by RSA-2048": "1.2.840.113549.1.1.11",
}


@pytest.mark.parametrize("name", DETAILS)
def test_reasons_name_what_was_found_and_where(name: str) -> None:
    case = next(row[2] for row in ROWS if row[0] == name)()
    reason = case.judge().reasons[0]
    for words in (reason.zh, reason.en):
        assert DETAILS[name] in words and names.common_name(case.leaf.subject_der) in words


def test_reasons_name_dates_usages_and_keys() -> None:
    ended = pki.leaf("ended", not_after=DAY - HOUR)
    young = pki.leaf("young", not_before=DAY + HOUR)
    wrong = pki.certificate(extensions=pki.extensions(pki.key_usage({2, 3})))
    rsa = pki.certificate(spki=der.seq(der.seq(der.oid("1.2.3")), der.bits(b"")))
    for leaf, words in (
        (ended, f"{DAY - HOUR:%Y-%m-%d %H:%M:%S}Z"), (young, f"{DAY + HOUR:%Y-%m-%d %H:%M:%S}Z"),
        (wrong, "dataEncipherment, keyEncipherment"), (rsa, rsa.key_problem),
    ):  # fmt: skip
        reason = Case(leaf).judge().reasons[0]
        assert words in reason.zh and words in reason.en


def test_every_reason_has_a_row() -> None:
    assert {code for _, code, _ in ROWS} - {""} == reasons.PATH_REJECTED.keys() | reasons.PATH_UNKNOWN.keys()


def test_good_chains_of_several_lengths() -> None:
    by = pki.root()
    middle: list[Certificate] = []
    for depth in range(4):
        report = Case(pki.leaf("end", by=by), middle[::-1]).judge()
        assert report.ok is True and report.reasons == () and len(report.path) == depth + 2
        assert all(child.issuer_der == parent.subject_der for child, parent in pairwise(report.path))
        by = pki.authority(f"level-{depth}", by=by)
        middle.append(by.certificate)


def test_an_anchor_is_trusted_as_itself() -> None:
    any_use = PathPolicy(usage="any", revocation="require")
    assert Case(pki.root().certificate, policy=any_use).judge().ok is True
    assert Case(pki.root().certificate, policy=SIGN).judge().ok is False


def test_C10_self_issued_certificates_do_not_count() -> None:
    """RFC 5280 6.1.4 l: a key change certificate below a path length of 0."""
    by = pki.authority("one", path_len=0)
    name = by.certificate.subject_der
    fresh = pki.certificate(
        issuer=name,
        subject=name,
        spki=issue.keys.spki(pki.signer("one-new").public),
        extensions=pki.extensions(pki.constraints(True)),
        by=by.signer,
    )
    leaf = pki.leaf("end", by=Authority(pki.signer("one-new"), fresh))
    assert Case(leaf, [by.certificate, fresh]).judge().ok is True


def test_C05_signing_bits_are_enough_and_more_do_no_harm() -> None:
    for bits in ({0}, {1}, {0, 1, 2, 3}):
        leaf = pki.certificate(extensions=pki.extensions(pki.key_usage(bits)))
        assert Case(leaf).judge().ok is True


def test_C06_a_signing_certificate_does_not_encipher() -> None:
    encrypt = PathPolicy(usage="encrypt", revocation="ignore")
    assert Case(pki.leaf("end"), policy=encrypt).judge().ok is False
    assert Case(pki.leaf("end", "encryption"), policy=encrypt).judge().ok is True


def test_C13_loops_and_fans_end_quickly() -> None:
    case = fan(9)
    start = time.process_time()
    report = case.judge()
    assert report.ok is False and time.process_time() - start < 5


@pytest.mark.parametrize("row", [row for row in ROWS if row[0].startswith("C13")], ids=lambda row: row[0])
def test_C13_no_graph_costs_more_than_200_ms(row: Row) -> None:
    """Of processor time, with every link still to be checked."""
    case = row[2]()
    signed_by.cache_clear()
    start = time.thread_time()
    case.judge()
    assert time.thread_time() - start < 2


def test_C13_at_most_64_candidates_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[object] = []
    judge = path_module._judge
    monkeypatch.setattr(path_module, "_judge", lambda path, *more: judged.append(path) or judge(path, *more))
    assert layers(6, 3, 0, pki.root()).judge().ok is False
    assert len(judged) == SIGN.max_checks == 64


def test_C13_a_good_path_is_found_among_bad_ones() -> None:
    good = pki.authority("middle")
    expired = pki.leaf("middle", "ca", serial=5, not_after=DAY - HOUR)
    stranger = pki.leaf("middle", "ca", serial=6, by=pki.root("stranger"))
    leaf = pki.leaf("end", by=good)
    for order in ([expired, stranger, good.certificate], [good.certificate, expired, stranger]):
        assert Case(leaf, order).judge().ok is True


def test_C13_a_link_reached_twice_is_checked_once() -> None:
    upper = pki.authority("upper")
    good = pki.authority("middle", by=upper)
    expired = pki.leaf("middle", "ca", by=upper, serial=5, not_after=DAY - HOUR)
    few = PathPolicy(usage="sign", revocation="ignore", max_checks=5)
    for order in ([expired, good.certificate], [good.certificate, expired]):
        assert Case(pki.leaf("end", by=good), [*order, upper.certificate], policy=few).judge().ok is True


def test_C13_of_two_bad_paths_the_one_that_may_yet_be_good_is_told() -> None:
    """One issuer expired, its twin without a list: not a no, but a cannot tell, whichever comes first."""
    expired = pki.leaf("middle", "ca", serial=5, not_after=DAY - HOUR)
    good = pki.authority("middle")
    leaf = pki.leaf("end", by=good)
    for order in ([expired, good.certificate], [good.certificate, expired]):
        report = Case(leaf, order, policy=REQUIRE).judge()
        assert report.ok is None and report.path[1] == good.certificate


def test_C13_of_two_bad_paths_of_one_rank_too() -> None:
    """The first issuer may not sign certificates, its twin has no list."""
    good = pki.authority("middle")
    name, key = good.certificate.subject_der, keys.spki(good.signer.public)
    extensions = pki.extensions(
        pki.constraints(True), pki.key_usage({0}), *pki.identifiers(good.signer.public, pki.root().signer.public)
    )
    bad = pki.certificate(subject=name, spki=key, extensions=extensions)
    for order in ([bad, good.certificate], [good.certificate, bad]):
        report = Case(pki.leaf("end", by=good), order, policy=REQUIRE).judge()
        assert report.ok is None and report.path[1] == good.certificate
        assert Case(pki.leaf("end", by=good), order, policy=SIGN).judge().ok is True


def test_C13_a_link_that_is_no_more_checked_does_not_hold() -> None:
    few = PathPolicy(usage="sign", revocation="ignore", max_checks=1, max_depth=64)
    by = pki.authority("middle")
    report = Case(pki.leaf("end", by=by), [by.certificate], policy=few).judge()
    assert report.ok is False and [reason.code for reason in report.reasons] == ["path-limit"]


def test_an_anchor_of_another_algorithm_ends_no_chain() -> None:
    odd = pki.certificate(
        subject=names.encode(pki.subject("odd")), spki=issue.keys.spki(pki.signer("odd").public), inner=ECDSA, outer=ECDSA,
        extensions=pki.extensions(pki.constraints(True)),
    )  # fmt: skip
    leaf = pki.leaf("end", by=Authority(pki.signer("odd"), odd))
    assert [reason.code for reason in Case(leaf, anchors=[odd]).judge().reasons] == ["not-sm2"]


def test_C16_the_issuer_is_found_by_key_not_by_name() -> None:
    """Two roots of one name: the key identifier leads to the right one, and without it the signature does."""
    name = pki.subject("twin")
    twins = []
    for key in ("twin-a", "twin-b"):
        data = issue.build_root(pki.signer(key), subject=name, serial=1, not_before=BORN, not_after=DIES)
        twins.append(Authority(pki.signer(key), certs.parse(data)))
    anchors = [twin.certificate for twin in twins]
    for twin in twins:
        report = Case(pki.leaf("end", by=twin), anchors=anchors).judge()
        assert report.ok is True and report.path[-1] == twin.certificate
        plain = pki.certificate(issuer=twin.certificate.subject_der, by=twin.signer)
        assert plain.aki is None
        assert Case(plain, anchors=anchors).judge().path[-1] == twin.certificate


def test_C16_a_wrong_authority_key_identifier_is_not_followed() -> None:
    wrong = Extension(oids.AUTHORITY_KEY_ID, False, der.seq(der.implicit(0, bytes(20))))
    leaf = pki.certificate(extensions=pki.extensions(pki.key_usage({0}), wrong))
    assert [reason.code for reason in Case(leaf).judge().reasons] == ["untrusted-root"]


def test_the_empty_signer_id_is_not_the_certificates_id() -> None:
    """Certificates by an OpenSSL 3 that was not told the id carry a signature under the empty one."""
    careless = pki.Signer(pki.PROVIDER, pki.root().signer.private, b"")
    leaf = pki.certificate(by=careless)
    assert [reason.code for reason in Case(leaf).judge().reasons] == ["bad-signature"]
    with pytest.raises(ValueError, match="default signer id"):
        issue.build_root(careless, subject=pki.subject("x"), serial=1, not_before=BORN, not_after=DIES)


def test_validity_ends_after_its_last_second() -> None:
    leaf = pki.leaf("end", not_after=DAY)
    assert Case(leaf, at=DAY).judge().ok is True
    assert Case(leaf, at=DAY + timedelta(milliseconds=900)).judge().ok is True
    assert Case(leaf, at=DAY + timedelta(seconds=1)).judge().ok is False
    assert Case(leaf, at=BORN).judge().ok is True and Case(leaf, at=BORN - HOUR).judge().ok is False


def test_a_revocation_after_the_moment_is_told_and_does_not_fail_it() -> None:
    later = crl(None, Revoked(pki.leaf("end").serial, DAY + HOUR))
    report = with_list(later).judge()
    assert report.ok is True and report.leaf_revoked == DAY + HOUR


def test_an_issuer_with_an_unreadable_key_signs_nothing() -> None:
    keyless = pki.certificate(
        subject=names.encode(pki.subject("keyless")), spki=der.seq(der.seq(der.oid("1.2.3")), der.bits(b"")),
        extensions=pki.extensions(pki.constraints(True)),
    )  # fmt: skip
    leaf = pki.certificate(issuer=keyless.subject_der)
    assert Case(leaf, [keyless]).judge().reasons[0].code == "bad-signature"
    assert Case(keyless).judge().reasons[0].code == "not-sm2"


def test_too_deep_a_chain_is_not_followed() -> None:
    by, middle = pki.root(), []
    for depth in range(8):
        by = pki.authority(f"level-{depth}", by=by)
        middle.append(by.certificate)
    assert Case(pki.leaf("end", by=by), middle).judge().ok is False
