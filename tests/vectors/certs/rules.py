"""One chain per rule and reason: validity, revocation, usage, form, algorithm, roots (rows C01-C22)."""

from __future__ import annotations

from datetime import datetime, timedelta

from signing import certs, der, issue, names, oids
from signing.certs import Certificate, Extension
from signing.crl import RevocationList
from signing.issue import Authority, Revoked
from signing.policy import PathPolicy
from tests import pki
from tests.pki import BORN, DAY, DIES
from tests.vectors.certs.chain import HOUR, REQUIRE, Case, Row, crl, hand_made_ca, under


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
ROWS: list[Row] = [
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
