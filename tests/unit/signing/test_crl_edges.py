"""Revocation lists at their limits: times, parts, flaws, and the code of each refusal (row C03)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from signing import certs, crl, der, issue, keys, oids
from signing.certs import Certificate, Extension
from signing.crl import RevocationList
from signing.issue import Revoked, build_crl
from signing.policy import PathPolicy
from signing.revocation import SKEW, AsOf, State
from tests import pki
from tests.pki import BORN, DAY, DIES
from tests.unit.signing.test_cert_edges import code_of, extended

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
ROOT = pki.root()
LEAF = pki.leaf("end")


def made(*revoked: Revoked, days: int = 30) -> RevocationList:
    due = BORN + timedelta(days=days)
    return crl.parse(build_crl(ROOT, number=1, this_update=BORN, next_update=due, revoked=revoked))


def listed(
    *lists: RevocationList, at: datetime, until: datetime | None = None, leaf: Certificate = LEAF, **policy: Any
) -> State:
    wanted = PathPolicy(usage="any", revocation="require", **policy)
    as_of = AsOf(at, until or at)
    return crl.look_up(leaf, ROOT.certificate, lists, as_of=as_of, policy=wanted, provider=pki.PROVIDER)


def test_C03_a_list_counts_to_its_last_moment_and_through_its_grace() -> None:
    due = BORN + timedelta(days=30)
    assert listed(made(), at=due).kind == listed(made(), at=due + HOUR, crl_grace=HOUR).kind == "good"
    stale = listed(made(), at=due + SECOND)
    assert (stale.kind, stale.code, stale.detail) == ("unknown", "crl-stale", ("2026-01-31 00:00:00Z",) * 2)
    assert listed(made(), at=due + HOUR + SECOND, crl_grace=HOUR).code == "crl-stale"


def test_C03_a_list_may_be_dated_a_little_ahead() -> None:
    assert listed(made(), at=BORN - SKEW).kind == "good" and timedelta(minutes=5) == SKEW
    assert listed(made(), at=BORN - SKEW - SECOND) == State("unknown", "crl-future")
    assert listed(made(), at=DAY, until=BORN - SKEW - SECOND).code == "crl-future"
    assert listed(made(), at=BORN - HOUR, until=BORN).kind == "good"


def test_C03_a_list_made_after_the_certificates_end_says_nothing_of_it() -> None:
    ends = pki.leaf("ends", not_before=BORN - HOUR, not_after=BORN)
    ended = pki.leaf("ended", not_before=BORN - HOUR, not_after=BORN - SECOND)
    assert listed(made(), at=BORN, leaf=ends).kind == "good"
    assert listed(made(), at=BORN, leaf=ended) == State("unknown", "crl-not-covering")


def test_C03_what_is_said_of_a_revocation() -> None:
    found = listed(made(Revoked(LEAF.serial, DAY, "superseded", DAY - HOUR)), at=DAY)
    words = "2026-06-01 07:00:00Z, superseded"
    assert found == State("revoked", "revoked", (words, words), DAY - HOUR)


def test_C03_flaws_are_said_in_words() -> None:
    due, name = der.utime(DIES), ROOT.certificate.subject_der
    tbs = der.seq(pki.SM2_WITH_SM3, name, der.utime(BORN))
    flaws = {
        "no next update stated": issue.sign_structure(ROOT.signer, tbs),
        "wrong signature or another issuer's": der.seq(
            der.seq(pki.SM2_WITH_SM3, name, der.utime(BORN), due), pki.SM2_WITH_SM3, der.bits(b"s")
        ),
    }
    for words, data in flaws.items():
        found = listed(crl.parse(data), at=BORN)
        assert (found.kind, found.code, found.detail[1]) == ("unknown", "crl-unusable", words)


def test_C03_name_and_key_identifier_both_have_to_fit() -> None:
    """The signature is the root's; what the list says of its issuer is not."""

    def signed(name: bytes, key_id: bytes | None) -> RevocationList:
        known = [] if key_id is None else [Extension(oids.AUTHORITY_KEY_ID, False, der.seq(der.implicit(0, key_id)))]
        last = der.explicit(0, pki.extensions(*known)) if known else b""
        tbs = der.seq(der.integer(1), pki.SM2_WITH_SM3, name, der.utime(BORN), der.utime(DIES), last)
        return crl.parse(issue.sign_structure(ROOT.signer, tbs))

    root, ours = ROOT.certificate, ROOT.certificate.ski
    for name, key_id, flaw in (
        (root.subject_der, ours, ""), (root.subject_der, None, ""), (root.subject_der, b"x", "signature"),
        (LEAF.subject_der, ours, "signature"), (LEAF.subject_der, b"x", "signature"),
    ):  # fmt: skip
        assert crl.signed_by(signed(name, key_id), root, pki.PROVIDER) == flaw


def list_code(*fields: bytes) -> str:
    data = der.seq(der.seq(*fields), pki.SM2_WITH_SM3, der.bits(b"s"))
    return code_of(lambda: crl.parse(data))


def test_codes_of_what_is_no_list() -> None:
    head = (pki.SM2_WITH_SM3, ROOT.certificate.subject_der, der.utime(BORN))
    entry = der.seq(der.integer(5), der.utime(BORN))
    assert list_code(der.integer(2), *head) == list_code(der.integer(0), *head) == "crl-form"
    assert list_code(der.integer(1), *head[:2]) == "crl-form"
    assert list_code(der.integer(1), *head, der.seq(entry, entry)) == "crl-form"
    assert list_code(der.integer(1), *head, der.utime(DAY), der.seq(entry), der.null()) == "crl-form"
    assert list_code(der.integer(1), *head, der.explicit(1, der.seq())) == "crl-form"
    for data in (b"", keys.to_pem("X509 CRL", made().der) * 2):
        assert code_of(lambda data=data: crl.load(data)) == "pem-form"


def test_lists_of_the_first_version_and_with_empty_extensions() -> None:
    head = (pki.SM2_WITH_SM3, ROOT.certificate.subject_der, der.utime(BORN))
    for fields in (
        head,
        (*head, der.gtime(DAY)),
        (der.integer(1), *head, der.utime(DAY), der.seq(), der.tlv(0xA0, b"")),
    ):
        read = crl.parse(der.seq(der.seq(*fields), pki.SM2_WITH_SM3, der.bits(b"s")))
        assert (read.entries, read.number, read.aki, read.flaw, read.part) == ({}, None, None, "", None)
        assert read.next_update == (None if fields is head else DAY) and read.signature == b"s"


def reasoned(*extensions: Extension) -> crl.Entry:
    entry = der.seq(der.integer(5), der.utime(DAY), pki.extensions(*extensions))
    head = (pki.SM2_WITH_SM3, ROOT.certificate.subject_der, der.utime(BORN))
    return crl.parse(der.seq(der.seq(der.integer(1), *head, der.seq(entry)), pki.SM2_WITH_SM3, der.bits(b"s"))).entries[
        5
    ]


def test_reasons_and_dates_of_an_entry() -> None:
    why, since = (
        Extension(oids.CRL_REASON, False, b"\x0a\x01\x01"),
        Extension(oids.INVALIDITY_DATE, False, der.gtime(BORN)),
    )
    assert reasoned(why, since) == reasoned(since, why) == crl.Entry(5, DAY, "keyCompromise", BORN)
    later = Extension(oids.INVALIDITY_DATE, False, der.gtime(DIES))
    unknown = Extension(oids.CRL_REASON, False, b"\x0a\x01\x07")
    assert reasoned(later, unknown) == crl.Entry(5, DAY, "unspecified", DAY)


def test_C20_a_list_larger_than_8_mib_is_not_read() -> None:
    data = b"\x30\x84" + crl.MAX_BYTES.to_bytes(4, "big") + bytes(crl.MAX_BYTES)
    assert code_of(lambda: crl.parse(data)) == "der-size"
    assert code_of(lambda: crl.parse(data[:-6])) != "der-size"


def test_nothing_in_our_entries_is_critical() -> None:
    entry = issue._entry(Revoked(5, DAY, "keyCompromise", BORN))
    read = certs.read_extensions(der.parse(entry).as_seq()[2])
    assert [(one.oid, one.critical) for one in read] == [(oids.CRL_REASON, False), (oids.INVALIDITY_DATE, False)]
    assert len(der.parse(issue._entry(Revoked(5, DAY))).as_seq()) == 2


HERE, THERE = (der.implicit(6, f"http://crl.example/{name}.crl".encode()) for name in "12")


def full(*general: bytes) -> bytes:
    return der.explicit(0, der.tlv(0xA0, b"".join(general)))


def pointing(value: bytes) -> Certificate:
    return extended(pki.key_usage({0}), Extension(oids.CRL_POINTS, False, value))


@pytest.mark.parametrize(
    ("value", "points"),
    [
        (der.seq(), set()), (der.seq(der.seq(full(HERE))), {HERE}), (der.seq(der.seq(full(HERE, THERE))), {HERE, THERE}),
        (der.seq(der.seq(full(HERE)), der.seq(full(THERE))), {HERE, THERE}),
        (der.seq(der.seq(full(HERE), der.implicit(1, b"\1\2"))), {HERE}), (der.seq(der.seq(der.implicit(1, b"\1\2"))), set()),
        (der.seq(der.seq(full(HERE), der.implicit(1, b"\1"), der.implicit(2, b"x"))), {HERE}),
        (der.seq(der.seq(full(HERE), *[der.implicit(1, b"\1")] * 3)), set()),
        (der.seq(der.seq(der.explicit(0, der.tlv(0xA1, b"")))), set()), (der.seq(der.seq(der.tlv(0xA0, b""))), set()),
        (der.seq(der.seq(full(HERE)), der.null()), set()), (der.null(), set()), (b"", set()),
        (der.seq(*[der.seq(full(HERE))] * 64), {HERE}), (der.seq(*[der.seq(full(HERE))] * 65), set()),
        (der.seq(der.seq(full(*[HERE] * 64))), {HERE}), (der.seq(der.seq(full(*[HERE] * 65))), set()),
    ],
)  # fmt: skip
def test_distribution_points_of_a_certificate(value: bytes, points: set[bytes]) -> None:
    assert crl.points_of(pointing(value)) == points


def test_a_certificate_without_distribution_points() -> None:
    assert crl.points_of(LEAF) == frozenset()


def parted(*parts: bytes) -> RevocationList:
    point = Extension(oids.ISSUING_POINT, True, der.seq(*parts))
    tbs = der.seq(
        der.integer(1), pki.SM2_WITH_SM3, ROOT.certificate.subject_der, der.utime(BORN), der.utime(DIES),
        der.explicit(0, pki.extensions(point)),
    )  # fmt: skip
    return crl.parse(issue.sign_structure(ROOT.signer, tbs))


USER, CA = der.implicit(1, b"\xff"), der.implicit(2, b"\xff")
RELATIVE = der.explicit(0, der.tlv(0xA1, b""))


@pytest.mark.parametrize(
    ("parts", "flaw", "part"),
    [
        ((), "", crl.Part(None, "")), ((USER,), "", crl.Part(None, "user")), ((CA,), "", crl.Part(None, "ca")),
        ((full(HERE),), "", crl.Part(frozenset({HERE}), "")),
        ((full(HERE, THERE), CA), "", crl.Part(frozenset({HERE, THERE}), "ca")),
        ((der.tlv(0xA0, b""),), "", crl.Part(None, "")), ((RELATIVE,), "partial", None),
        ((der.implicit(3, b"\1\2"),), "partial", None), ((der.implicit(4, b"\xff"),), "indirect", None),
        ((der.implicit(5, b"\xff"),), "partial", None), ((USER, der.implicit(4, b"\xff")), "indirect", None),
        ((full(*[HERE] * 64),), "", crl.Part(frozenset({HERE}), "")),
    ],
)  # fmt: skip
def test_C03_parts_of_a_partition(parts: tuple[bytes, ...], flaw: str, part: crl.Part | None) -> None:
    read = parted(*parts)
    assert (read.flaw, read.part) == (flaw, part)


def test_C03_a_partition_has_six_members_at_most() -> None:
    assert parted(*[USER] * 6).part == crl.Part(None, "user")
    assert code_of(lambda: parted(*[USER] * 7)) == "der-count"


def test_C03_a_partition_speaks_of_its_own() -> None:
    here, ca = pointing(der.seq(der.seq(full(HERE)))), ROOT.certificate
    for parts, leaf, good in (
        ((full(HERE),), here, True), ((full(THERE),), here, False), ((full(THERE, HERE), USER), here, True),
        ((full(HERE), CA), here, False), ((USER,), LEAF, True), ((CA,), LEAF, False), ((CA,), ca, True), ((USER,), ca, False),
        ((full(HERE),), LEAF, False), ((), LEAF, True),
    ):  # fmt: skip
        found = listed(parted(*parts), at=DAY, leaf=leaf)
        assert (found.kind == "good") is good and (good or found.detail[1].startswith("partial list"))
        assert listed(parted(*parts), at=DAY, leaf=leaf, crl_partitions="as-complete").kind == "good"
        assert listed(parted(*parts), at=DAY, leaf=leaf, crl_partitions="refuse").code == "crl-unusable"
