"""Revocation lists: read, refused, and what they say of a certificate (row C03)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import certs, crl, der, issue, keys, oids
from signing.certs import Extension
from signing.crl import RevocationList
from signing.errors import Malformed
from signing.issue import Authority, Revoked, build_crl
from signing.policy import PathPolicy
from signing.revocation import AsOf, State
from tests import pki
from tests.pki import BORN, DAY

HOUR = timedelta(hours=1)
NONE = timedelta(0)
ANY = PathPolicy(usage="any", revocation="require")


def state(*lists: RevocationList, now: datetime = DAY, grace: timedelta = NONE) -> State:
    leaf, root = pki.leaf("end"), pki.root().certificate
    policy = PathPolicy(usage="any", revocation="require", crl_grace=grace)
    return crl.look_up(leaf, root, lists, as_of=AsOf(now, now), policy=policy, provider=pki.PROVIDER)


def made(*revoked: Revoked, start: datetime = BORN, days: int = 365, by: Authority | None = None) -> RevocationList:
    until = start + timedelta(days=days)
    return crl.parse(build_crl(by or pki.root(), number=7, this_update=start, next_update=until, revoked=revoked))


def by_hand(
    extensions: bytes | None = None,
    entries: bytes = b"",
    next_update: bytes | None = None,
    version: bytes | None = None,
) -> RevocationList:
    due = der.utime(BORN + timedelta(days=365)) if next_update is None else next_update
    tbs = der.seq(
        der.integer(1) if version is None else version,
        pki.SM2_WITH_SM3,
        pki.root().certificate.subject_der,
        der.utime(BORN),
        due,
        entries,
        b"" if extensions is None else der.explicit(0, extensions),
    )
    return crl.parse(issue.sign_structure(pki.root().signer, tbs))


@given(
    st.lists(
        st.tuples(
            st.integers(1, 1 << 150),
            st.integers(0, 300),
            st.sampled_from(sorted(crl.REASONS.values())),
            st.one_of(st.none(), st.integers(-300, 300)),
        ),
        max_size=8,
        unique_by=lambda row: row[0],
    )
)
def test_what_is_listed_is_read_back(rows: list[tuple[int, int, str, int | None]]) -> None:
    revoked = [
        Revoked(serial, BORN + timedelta(days=days), reason, None if lost is None else BORN + timedelta(days=lost))
        for serial, days, reason, lost in rows
    ]
    read = made(*revoked)
    assert (read.number, read.this_update, read.flaw, read.aki) == (7, BORN, "", pki.root().certificate.ski)
    assert len(read.entries) == len(revoked)
    for item in revoked:
        entry = read.entries[item.serial]
        assert (entry.revoked, entry.reason) == (item.at, item.reason)
        assert entry.effective == min(item.at, item.invalid_since or item.at)


def test_good_revoked_and_none() -> None:
    serial = pki.leaf("end").serial
    assert state(made()).kind == "good" and state().kind == "none"
    found = state(made(Revoked(serial, DAY, "keyCompromise", DAY - HOUR)))
    assert found.kind == "revoked" and found.when == DAY - HOUR
    assert state(made(), made(Revoked(serial, DAY))).kind == "revoked"
    assert state(made(Revoked(serial, DAY, "removeFromCRL"))).kind == "good"


def test_C03_an_old_list_still_revokes_but_clears_nobody() -> None:
    now = BORN + timedelta(days=31)
    assert state(made(Revoked(pki.leaf("end").serial, BORN), days=30), now=now).kind == "revoked"
    assert state(made(days=30), now=now).code == "crl-stale"
    assert state(made(days=30), now=now, grace=timedelta(days=2)).kind == "good"
    assert state(made(days=30), made(start=now), now=now).kind == "good"


def test_C03_a_list_of_another_authority_counts_for_nothing() -> None:
    same_name = Authority(pki.signer("x"), certs.parse(_twin_root()))
    forged = made(Revoked(pki.leaf("end").serial, BORN), by=same_name)
    assert state(forged).code == "crl-unusable"
    assert state(made(by=pki.root("stranger"))).kind == "none"


def _twin_root() -> bytes:
    until = pki.DIES
    return issue.build_root(pki.signer("x"), subject=pki.subject("root"), serial=1, not_before=BORN, not_after=until)


def test_C03_an_issuer_that_may_not_sign_lists() -> None:
    leaf, signer = pki.leaf("end"), pki.root().signer
    name = pki.root().certificate.subject_der
    extensions = pki.extensions(pki.constraints(True), pki.key_usage({5}))
    issuer = pki.certificate(subject=name, spki=keys.spki(signer.public), extensions=extensions)
    found = crl.look_up(leaf, issuer, [made()], as_of=AsOf(DAY, DAY), policy=ANY, provider=pki.PROVIDER)
    assert found.code == "crl-unusable"
    keyless = pki.certificate(subject=name, spki=der.seq(), extensions=pki.extensions(pki.constraints(True)))
    assert (
        crl.look_up(leaf, keyless, [made()], as_of=AsOf(DAY, DAY), policy=ANY, provider=pki.PROVIDER).code
        == "crl-unusable"
    )


@pytest.mark.parametrize(
    ("flaw", "extension"),
    [
        ("unknown-critical", Extension("1.2.3.4", True, b"")),
        ("delta", Extension(oids.DELTA_CRL, True, der.integer(1))),
        ("indirect", Extension(oids.ISSUING_POINT, True, der.seq(der.implicit(4, b"\xff")))),
        ("partial", Extension(oids.ISSUING_POINT, True, der.seq(der.implicit(3, b"\1\2")))),
        ("", Extension("1.2.3.4", False, b"")),
        ("", Extension(oids.ISSUING_POINT, True, der.seq(der.implicit(0, b"", constructed=True)))),
        ("", Extension(oids.ISSUING_POINT, True, der.seq(der.implicit(1, b"\xff")))),
    ],
)
def test_C03_incomplete_lists_and_unknown_critical_extensions(flaw: str, extension: Extension) -> None:
    found = by_hand(pki.extensions(extension))
    assert found.flaw == flaw
    assert state(found).kind == ("unknown" if flaw else "good")


def _entry(serial: int, *extensions: Extension) -> bytes:
    return der.seq(der.integer(serial), der.utime(BORN), pki.extensions(*extensions))


def test_C03_flaws_of_entries_and_forms() -> None:
    serial = pki.leaf("end").serial
    indirect = _entry(serial, Extension(oids.CERTIFICATE_ISSUER, True, der.seq()))
    assert state(by_hand(entries=der.seq(indirect))).code == "crl-unusable"
    critical = _entry(5, Extension("1.2.3", True, b""))
    assert state(by_hand(entries=der.seq(critical))).code == "crl-unusable"
    assert state(by_hand(next_update=b"")).code == "crl-unusable"
    assert by_hand(version=b"").number is None
    delta = Extension(oids.DELTA_CRL, True, der.integer(1))
    listed = der.seq(der.seq(der.integer(serial), der.utime(BORN)))
    assert state(by_hand(pki.extensions(delta), listed)).kind == "revoked"


@pytest.mark.parametrize(
    "arguments",
    [
        {"version": der.integer(2)},
        {"entries": der.seq(_entry(5), _entry(5))},
        {"entries": der.seq(der.integer(1))},
        {"extensions": der.seq(der.integer(1))},
        {"entries": der.octets(b"")},
    ],
)
def test_what_is_no_list(arguments: dict[str, bytes]) -> None:
    with pytest.raises(Malformed):
        by_hand(**arguments)


def test_pem_and_der() -> None:
    data = made().der
    assert crl.load(data) == crl.load(keys.to_pem("X509 CRL", data)) == crl.parse(data)
    with pytest.raises(Malformed):
        crl.load(b"nothing")


def test_other_algorithms_and_altered_lists() -> None:
    ecdsa = der.seq(der.oid("1.2.840.10045.4.3.2"))
    tbs, _, bits = der.parse(made().der).as_seq(3, 3)
    mixed = crl.parse(der.seq(tbs.raw, ecdsa, bits.raw))
    assert mixed.flaw == "algorithm" and state(mixed).code == "crl-unusable"
    data = bytearray(made(Revoked(1, BORN)).der)
    place = bytes(data).index(der.utime(BORN), 120)
    data[place + 4] ^= 1
    assert state(crl.parse(bytes(data))).code == "crl-unusable"


def test_every_truncation_is_malformed() -> None:
    data = made(Revoked(5, BORN, "superseded")).der
    for length in range(len(data)):
        with pytest.raises(Malformed):
            crl.parse(data[:length])
