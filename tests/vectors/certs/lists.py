"""Revocation lists in a chain (row C03): fresh, stale, in grace, of others, incomplete, and partitions by policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from signing import certs, der, issue, oids
from signing.certs import Certificate, Extension
from signing.crl import RevocationList
from signing.crl import parse as parse_crl
from signing.issue import Authority, Revoked
from signing.policy import PathPolicy
from tests import pki
from tests.pki import BORN, DAY
from tests.vectors.certs.chain import HOUR, REQUIRE, SIGN, Case, Row, crl

HERE, THERE = (der.implicit(6, f"http://crl.example/{name}.crl".encode()) for name in ("1", "2"))


def by_hand(
    *extensions: Extension, entry: tuple[Extension, ...] | None = None, due: bytes | None = None
) -> RevocationList:
    """A list of the root. ``entry``: lists serial 5 with these extensions."""
    entries = der.seq(der.seq(der.integer(5), der.utime(BORN), pki.extensions(*entry))) if entry is not None else b""
    tbs = der.seq(
        der.integer(1), pki.SM2_WITH_SM3, pki.root().certificate.subject_der, der.utime(BORN),
        der.utime(BORN + timedelta(days=365)) if due is None else due,
        entries, der.explicit(0, pki.extensions(*extensions)) if extensions else b"",
    )  # fmt: skip
    return parse_crl(issue.sign_structure(pki.root().signer, tbs))


def point(*parts: bytes) -> Extension:
    return Extension(oids.ISSUING_POINT, True, der.seq(*parts))


def full_name(*general: bytes) -> bytes:
    return der.explicit(0, der.tlv(0xA0, b"".join(general)))


def pointing(*general: bytes) -> Certificate:
    """A leaf that names these distribution points."""
    points = Extension(oids.CRL_POINTS, False, der.seq(*(der.seq(full_name(one)) for one in general)))
    return pki.certificate(extensions=pki.extensions(pki.key_usage({0, 1}), points))


def judged(
    *lists: Callable[[], RevocationList],
    leaf: Callable[[], Certificate] | None = None,
    policy: PathPolicy = REQUIRE,
    now: datetime | None = None,
    **changes: Any,
) -> Callable[[], Case]:
    def made() -> Case:
        certificate = leaf() if leaf else pki.leaf("end")
        return Case(certificate, crls=[one() for one in lists], policy=replace(policy, **changes), now=now)

    return made


def revokes(reason: str = "keyCompromise", at: datetime = DAY - HOUR, days: int = 365) -> RevocationList:
    return crl(None, Revoked(pki.leaf("end").serial, at, reason), days=days)


def month() -> RevocationList:
    return crl(days=30)


def no_list_signer() -> Case:
    """An authority that may sign certificates and no lists."""
    key = "no-lists"
    ca = pki.certificate(
        subject=issue.names.encode(pki.subject(key)), spki=issue.keys.spki(pki.signer(key).public),
        extensions=pki.extensions(pki.constraints(True), pki.key_usage({5})),
    )  # fmt: skip
    by = Authority(pki.signer(key), ca)
    return Case(pki.leaf("end", by=by), [ca], crls=[crl(by), crl()], policy=REQUIRE)


def other_key() -> RevocationList:
    """Under the root's name, by another key."""
    data = issue.build_root(
        pki.signer("x"), subject=pki.subject("root"), serial=1, not_before=BORN, not_after=pki.DIES
    )  # fmt: skip
    return crl(Authority(pki.signer("x"), certs.parse(data)))


def altered() -> RevocationList:
    found = month()
    return parse_crl(found.der.replace(der.utime(BORN), der.utime(BORN + timedelta(days=1)), 1))


OTHER_ISSUER = Extension(oids.CERTIFICATE_ISSUER, True, der.seq())
END_OF_TIME = der.gtime(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
LATE = BORN + timedelta(days=31)
UNUSABLE = "crl-unusable"
PART_HERE = lambda: by_hand(point(full_name(HERE)))  # noqa: E731 - a row, not a function
ROWS: list[Row] = [
    ("C03 fresh", "", judged(crl)),
    ("C03 revoked", "revoked", judged(revokes)),
    ("C03 on hold", "revoked", judged(lambda: revokes("certificateHold"))),
    ("C03 removed from the list", "", judged(lambda: revokes("removeFromCRL"))),
    ("C03 revoked after the moment judged", "", judged(lambda: revokes(at=DAY + HOUR))),
    ("C03 revoked by an old list", "revoked", judged(lambda: revokes(at=BORN, days=30))),
    ("C03 revoked by one of two lists", "revoked", judged(crl, revokes)),
    ("C03 stale", "crl-stale", judged(month, now=LATE)),
    ("C03 stale, in grace", "", judged(month, now=LATE, crl_grace=timedelta(days=2))),
    ("C03 stale, grace over", "crl-stale", judged(month, now=LATE, crl_grace=HOUR)),
    ("C03 stale beside a fresh one", "", judged(month, crl, now=LATE)),
    ("C03 for ever", "", judged(lambda: by_hand(due=END_OF_TIME), crl_grace=HOUR)),
    ("C03 no next update", UNUSABLE, judged(lambda: by_hand(due=b""))),
    ("C03 of the same name and another key", UNUSABLE, judged(other_key)),
    ("C03 of another authority", "crl-missing", judged(lambda: crl(pki.root("stranger")))),
    ("C03 altered", UNUSABLE, judged(altered)),
    ("C03 by one who may not sign lists", UNUSABLE, no_list_signer),
    ("C03 unusable though not demanded", UNUSABLE, judged(other_key, policy=SIGN)),
    ("C03 ignored", "", judged(revokes, revocation="ignore")),
    ("C03 unknown critical extension", UNUSABLE, judged(lambda: by_hand(Extension("1.2.3", True, b"")))),
    ("C03 unknown critical extension of an entry", UNUSABLE, judged(lambda: by_hand(entry=(Extension("1.2.3", True, b""),)))),
    ("C03 delta", UNUSABLE, judged(lambda: by_hand(Extension(oids.DELTA_CRL, True, der.integer(1))))),
    ("C03 indirect", UNUSABLE, judged(lambda: by_hand(point(der.implicit(4, b"\xff"))))),
    ("C03 indirect by its entries", UNUSABLE, judged(lambda: by_hand(entry=(OTHER_ISSUER,)))),
    ("C03 some reasons only", UNUSABLE, judged(lambda: by_hand(point(der.implicit(3, b"\1\2"))))),
    ("C03 attribute certificates only", UNUSABLE, judged(lambda: by_hand(point(der.implicit(5, b"\xff"))))),
    ("C03 authorities only", UNUSABLE, judged(lambda: by_hand(point(der.implicit(2, b"\xff"))))),
    ("C03 users only", "", judged(lambda: by_hand(point(der.implicit(1, b"\xff"))))),
    ("C03 partition of this leaf", "", judged(PART_HERE, leaf=lambda: pointing(HERE))),
    ("C03 partition of this leaf, one of two", "", judged(PART_HERE, leaf=lambda: pointing(THERE, HERE))),
    ("C03 partition of others", UNUSABLE, judged(PART_HERE, leaf=lambda: pointing(THERE))),
    ("C03 partition, and a leaf that names no point", UNUSABLE, judged(PART_HERE)),
    ("C03 partition, refused by policy", UNUSABLE, judged(PART_HERE, leaf=lambda: pointing(HERE), crl_partitions="refuse")),
    ("C03 partition, complete by policy", "", judged(PART_HERE, crl_partitions="as-complete")),
]  # fmt: skip
