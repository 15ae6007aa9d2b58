"""Chains: one row per rule and reason, and the promise that every reason of the vocabulary has a row."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from signing import certs, der, issue, names, oids, reasons
from signing.certs import Certificate, Extension
from signing.crl import RevocationList
from signing.crl import parse as parse_crl
from signing.issue import Authority, Revoked, build_crl
from signing.path import PathReport, check_path
from signing.policy import PathPolicy
from tests import pki
from tests.pki import BORN, DAY, DIES

SIGN = PathPolicy(usage="sign", revocation="if-present")
REQUIRE = PathPolicy(usage="sign", revocation="require")
HOUR = timedelta(hours=1)


@dataclass
class Case:
    leaf: Certificate
    middle: Sequence[Certificate] = ()
    anchors: Sequence[Certificate] = ()
    at: datetime = DAY
    crls: Sequence[RevocationList] = ()
    policy: PathPolicy = SIGN
    now: datetime | None = None

    def judge(self) -> PathReport:
        anchors = self.anchors or [pki.root().certificate]
        return check_path(
            self.leaf, self.middle, anchors, self.at, pki.PROVIDER, crls=self.crls, policy=self.policy, now=self.now
        )


def crl(by: Authority | None = None, *revoked: Revoked, start: datetime = BORN, days: int = 365) -> RevocationList:
    until = start + timedelta(days=days)
    return parse_crl(build_crl(by or pki.root(), number=1, this_update=start, next_update=until, revoked=revoked))


def under(middle: Certificate | bytes, key: str, name: str = "end") -> Case:
    """A leaf below a hand-made certificate of ``key``."""
    issuer = certs.parse(middle) if isinstance(middle, bytes) else middle
    return Case(pki.leaf(name, by=Authority(pki.signer(key), issuer)), [issuer])


def hand_made_ca(key: str, *items: Extension, version: bytes | None = None) -> Certificate:
    parts: dict[str, object] = {"spki": issue.keys.spki(pki.signer(key).public)}
    parts["subject"] = names.encode(pki.subject(key))
    parts["extensions"] = pki.extensions(*items) if items else None
    if version is not None:
        parts["version"] = version
    return pki.certificate(**parts)


def old_ca() -> Case:
    short = pki.leaf("old-ca", "ca", not_after=DAY - timedelta(days=1))
    return under(short, "old-ca")


def young_ca() -> Case:
    return under(pki.leaf("young-ca", "ca", not_before=DAY + timedelta(days=1)), "young-ca")


def root_of(not_before: datetime, not_after: datetime) -> Case:
    signer = pki.signer("other-root")
    data = issue.build_root(
        signer, subject=pki.subject("other-root"), serial=1, not_before=not_before, not_after=not_after
    )
    by = Authority(signer, certs.parse(data))
    return Case(pki.leaf("end", by=by), anchors=[by.certificate])


def too_long() -> Case:
    by = pki.authority("one", path_len=0)
    second = pki.authority("two", by=by)
    return Case(pki.leaf("end", by=second), [by.certificate, second.certificate])


def fan(count: int) -> Case:
    """Issuers of one name and key, cross-signed each by each, none of them leading to the anchor."""
    name, spki = names.encode(pki.subject("fan")), issue.keys.spki(pki.signer("fan").public)
    ca = pki.extensions(pki.constraints(True))
    by = pki.signer("fan")
    pool = [
        pki.certificate(subject=name, issuer=name, spki=spki, extensions=ca, serial=der.integer(100 + i), by=by)
        for i in range(count)
    ]
    signers = [pki.signer(f"fan-{i}") for i in range(count)]
    others = [
        pki.certificate(
            subject=names.encode(pki.subject("fan")),
            issuer=name,
            spki=issue.keys.spki(one.public),
            extensions=ca,
            by=two,
        )
        for one in signers
        for two in [by, *signers]
    ]
    return Case(pki.leaf("end", by=Authority(by, pool[0])), [*pool, *others])


def revoked_ca() -> Case:
    by = pki.authority("middle")
    case = Case(pki.leaf("end", by=by), [by.certificate])
    case.crls = [crl(None, Revoked(by.certificate.serial, DAY - timedelta(days=1)))]
    return case


def with_list(found: RevocationList | None, policy: PathPolicy = REQUIRE, **leaf: datetime) -> Case:
    return Case(pki.leaf("end", **leaf), crls=[found] if found else [], policy=policy)  # type: ignore[arg-type]


def tampered() -> Certificate:
    data = bytearray(pki.leaf("end").der)
    place = data.index("测试".encode(), len(data) // 3)
    data[place + 2] ^= 1
    return certs.parse(bytes(data))


def null_parameters() -> bytes:
    return der.seq(der.oid(oids.SM2_WITH_SM3), der.null())


def root_with_key(key: str) -> Authority:
    signer = pki.signer(key)
    data = issue.build_root(signer, subject=pki.subject("root"), serial=1, not_before=BORN, not_after=DIES)
    return Authority(signer, certs.parse(data))


def silent_list() -> Case:
    """Judged as of a time when the certificate lived, with a list of a time when it no longer did."""
    case = with_list(crl(start=DAY), not_after=DAY - HOUR)
    case.at, case.now = DAY - 2 * HOUR, DAY + HOUR
    return case


def critical_leaf() -> Case:
    return Case(pki.certificate(extensions=pki.extensions(Extension("1.2.3", True, b""))))


def critical_issuer() -> Case:
    return under(hand_made_ca("m", pki.constraints(True), Extension("1.2.3", True, b"")), "m")


def nameless() -> Certificate:
    return pki.certificate(issuer=der.seq(), subject=der.seq())


def odd_parameters() -> Certificate:
    odd = der.seq(der.oid(oids.SM2_WITH_SM3), der.integer(1))
    return pki.certificate(inner=odd, outer=odd)


def impostor() -> Authority:
    """A self-signed certificate with the name of the root, without key identifiers, and its own key."""
    signer = pki.signer("impostor")
    name = pki.root().certificate.subject_der
    spki = issue.keys.spki(signer.public)
    extensions = pki.extensions(pki.constraints(True), pki.key_usage({5, 6}))
    return Authority(signer, pki.certificate(subject=name, spki=spki, extensions=extensions, by=signer))


ECDSA = der.seq(der.oid("1.2.840.10045.4.3.2"))
ROWS: list[tuple[str, str, Callable[[], Case]]] = [
    ("C01 leaf", "expired", lambda: Case(pki.leaf("end", not_after=DAY - HOUR))),
    ("C01 intermediate", "ca-expired", old_ca),
    ("C01 root", "root-expired", lambda: root_of(BORN, DAY - HOUR)),
    ("C02 leaf", "not-yet-valid", lambda: Case(pki.leaf("end", not_before=DAY + HOUR))),
    ("C02 intermediate", "ca-not-yet-valid", young_ca),
    ("C02 root", "root-not-yet-valid", lambda: root_of(DAY + HOUR, DIES)),
    ("C02 inverted", "validity-inverted", lambda: Case(pki.certificate(validity=der.seq(der.utime(DIES), der.utime(BORN))))),
    ("C02 form", "time-form", lambda: Case(pki.certificate(validity=der.seq(der.utime(BORN), der.gtime(DIES))))),
    ("C03 leaf", "revoked", lambda: with_list(crl(None, Revoked(pki.leaf("end").serial, DAY - HOUR)))),
    ("C03 intermediate", "ca-revoked", revoked_ca),
    ("C03 none", "crl-missing", lambda: with_list(None)),
    ("C03 old", "crl-stale", lambda: with_list(crl(days=30))),
    ("C03 early", "crl-future", lambda: with_list(crl(start=DAY + HOUR))),
    ("C03 other key", "crl-unusable", lambda: with_list(crl(root_with_key("x")))),
    ("C03 silent", "crl-not-covering", silent_list),
    ("C05 encryption certificate", "key-usage", lambda: Case(pki.leaf("end", "encryption"))),
    ("C08 leaf as issuer", "not-a-ca", lambda: under(pki.leaf("mid"), "mid")),
    ("C09 no constraints", "not-a-ca", lambda: under(hand_made_ca("m", pki.key_usage({5})), "m")),
    ("C09 version 1", "not-a-ca", lambda: under(hand_made_ca("m", version=b""), "m")),
    ("C09 may not sign", "ca-key-usage", lambda: under(hand_made_ca("m", pki.constraints(True), pki.key_usage({0})), "m")),
    ("C10 too long", "path-length", too_long),
    ("C12 leaf", "unknown-critical-extension", critical_leaf),
    ("C12 issuer", "unknown-critical-extension", critical_issuer),
    ("C13 fan", "path-limit", lambda: fan(9)),
    ("C14 serial", "serial-number", lambda: Case(pki.certificate(serial=der.integer(0)))),
    ("C14 subject", "subject-empty", lambda: Case(pki.certificate(subject=der.seq()))),
    ("C14 issuer", "issuer-empty", lambda: Case(nameless(), anchors=[nameless()])),
    ("C14 name", "duplicate-name-part", lambda: Case(pki.certificate(subject=names.encode([("CN", "a"), ("CN", "a")])))),
    ("C15 differ", "algorithm-mismatch", lambda: Case(pki.certificate(inner=null_parameters()))),
    ("C15 parameters", "algorithm-parameters", lambda: Case(odd_parameters())),
    ("C16 same name, other key", "bad-signature", lambda: Case(pki.certificate(by=impostor().signer))),
    ("C18 self-signed with the root's name", "bad-signature", lambda: Case(impostor().certificate)),
    ("C21 other algorithm", "not-sm2", lambda: Case(pki.certificate(inner=ECDSA, outer=ECDSA))),
    ("altered", "bad-signature", lambda: Case(tampered())),
    ("unknown root", "untrusted-root", lambda: Case(pki.leaf("end", by=pki.root("stranger")))),
]  # fmt: skip


@pytest.mark.parametrize(("code", "case"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_C01_to_C21_each_rule_has_its_reason(code: str, case: Callable[[], Case]) -> None:
    report = case().judge()
    assert code in [reason.code for reason in report.reasons]
    assert report.ok is (None if code in reasons.PATH_UNKNOWN else False)
    for reason in report.reasons:
        assert reason.zh and reason.en and "{" not in reason.zh + reason.en


def test_every_reason_has_a_row() -> None:
    assert {code for _, code, _ in ROWS} == reasons.PATH_REJECTED.keys() | reasons.PATH_UNKNOWN.keys()


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
    start = time.perf_counter()
    report = case.judge()
    assert report.ok is False and time.perf_counter() - start < 1.0


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
