"""Requests, and what the laboratory authority refuses to make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from signing import certs, crl, der, issue, keys, names, oids
from signing.certs import Extension
from signing.errors import Malformed
from signing.issue import Authority
from tests import pki
from tests.pki import BORN, DIES

MAIL = Extension(oids.KEY_USAGE, True, der.flags({0}))
HOST = Extension(oids.SUBJECT_ALT_NAME, False, der.seq(der.implicit(1, b"m@x.example"), der.implicit(2, b"h.example")))


@pytest.mark.parametrize("dns", [(), ("a.example",), ("a.example", "b.example")])
def test_a_request_is_read_back_and_checked(dns: tuple[str, ...]) -> None:
    data = issue.build_csr(pki.signer("asker"), subject=pki.subject("asker"), dns=dns)
    request = issue.parse_csr(data)
    assert request == issue.load_csr(data) == issue.load_csr(keys.to_pem("CERTIFICATE REQUEST", data))
    assert request.public_key == pki.signer("asker").public and request.dns == list(dns)
    assert request.subject_der == names.encode(pki.subject("asker"))
    assert issue.check_csr(request, pki.PROVIDER)


def test_a_request_for_anothers_key_is_not_checked() -> None:
    request = issue.parse_csr(issue.build_csr(pki.signer("asker"), subject=pki.subject("asker")))
    assert not issue.check_csr(replace(request, public_key=pki.signer("other").public), pki.PROVIDER)
    assert not issue.check_csr(replace(request, tbs=request.tbs + b"\0"), pki.PROVIDER)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_request_that_is_none(place: int) -> None:
    members = [m.raw for m in der.parse(issue.build_csr(pki.signer("asker"), subject=pki.subject("a"))).as_seq()]
    members[place] = der.integer(1)
    with pytest.raises(Malformed):
        issue.parse_csr(der.seq(*members))
    ecdsa = der.seq(der.oid("1.2.840.10045.4.3.2"))
    members = [m.raw for m in der.parse(issue.build_csr(pki.signer("asker"), subject=pki.subject("a"))).as_seq()]
    with pytest.raises(Malformed):
        issue.parse_csr(der.seq(members[0], ecdsa, members[2]))
    with pytest.raises(Malformed):
        issue.load_csr(b"-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----")


@pytest.mark.parametrize(
    ("attributes", "dns"),
    [
        (b"", []),
        (der.implicit(0, der.seq(der.oid("1.2.3"), der.set_of()), constructed=True), []),
        (der.implicit(0, der.seq(der.oid(oids.EXTENSION_REQUEST), der.set_of()), constructed=True), []),
        (
            der.implicit(
                0, der.seq(der.oid(oids.EXTENSION_REQUEST), der.set_of(pki.extensions(MAIL, HOST))), constructed=True
            ),
            ["h.example"],
        ),
    ],
)
def test_requests_with_other_attributes(attributes: bytes, dns: list[str]) -> None:
    tbs = der.seq(der.integer(0), names.encode(pki.subject("a")), keys.spki(pki.signer("asker").public), attributes)
    assert issue.parse_csr(issue.sign_structure(pki.signer("asker"), tbs)).dns == dns


def asking(*attributes: bytes, version: int = 0) -> bytes:
    name, key = names.encode(pki.subject("a")), keys.spki(pki.signer("asker").public)
    given = der.tlv(0xA0, b"".join(attributes))
    return issue.sign_structure(pki.signer("asker"), der.seq(der.integer(version), name, key, given))


def hosts(*general: bytes) -> bytes:
    wanted = Extension(oids.SUBJECT_ALT_NAME, False, der.seq(*general))
    return der.seq(der.oid(oids.EXTENSION_REQUEST), der.set_of(pki.extensions(wanted)))


OTHER = der.seq(der.oid("1.2.3"), der.set_of())
HOSTS = [der.implicit(2, f"h{number}.example".encode()) for number in range(65)]


def test_a_request_within_its_bounds() -> None:
    assert issue.parse_csr(asking(*[OTHER] * 31, hosts(HOSTS[0]))).dns == ["h0.example"]
    assert len(issue.parse_csr(asking(hosts(*HOSTS[:64]))).dns) == 64
    assert issue.parse_csr(asking(hosts(der.implicit(2, b"a\xff")))).dns == ["a\ufffd"]
    with pytest.raises(Malformed):
        _ = issue.parse_csr(asking(hosts(*HOSTS))).dns


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("csr-form", lambda: asking(version=1)),
        ("der-count", lambda: asking(*[OTHER] * 33)),
        ("der-type", lambda: asking(der.seq(der.oid(oids.EXTENSION_REQUEST), der.seq(pki.extensions())))),
        ("der-count", lambda: asking(der.seq(der.oid("1.2.3")))),
        ("der-count", lambda: asking(der.seq(der.oid(oids.EXTENSION_REQUEST), der.set_of(*[pki.extensions()] * 2)))),
        ("der-size", lambda: b"\x30\x83" + certs.MAX_BYTES.to_bytes(3, "big") + bytes(certs.MAX_BYTES)),
    ],
)
def test_a_request_beyond_its_bounds(code: str, data: Callable[[], bytes]) -> None:
    with pytest.raises(Malformed) as caught:
        issue.parse_csr(data())
    assert caught.value.code == code


def test_what_the_authority_writes() -> None:
    """Which extensions are critical, the form of its times, and whose identifiers stand in what it issues."""
    root, leaf = pki.root().certificate, pki.leaf("holder", "tls-server")
    critical = {one.oid for one in leaf.extensions if one.critical}
    assert critical == {oids.BASIC_CONSTRAINTS, oids.KEY_USAGE} and leaf.version == root.version == 3
    assert (leaf.aki, leaf.ski) == (root.ski, issue.key_identifier(pki.signer("holder").public))
    assert root.aki == root.ski == issue.key_identifier(pki.root().signer.public) and root.path_len is None
    assert leaf.extension(oids.BASIC_CONSTRAINTS) == der.seq() and leaf.extension(oids.SUBJECT_ALT_NAME) is None
    for profile, wanted in issue.PROFILES.items():
        made = {one.oid: one for one in pki.leaf("holder", profile).extensions}
        assert (oids.OCSP_NO_CHECK in made) is (oids.OCSP_SIGNING in wanted.extended)
        assert oids.OCSP_NO_CHECK not in made or made[oids.OCSP_NO_CHECK] == Extension(
            oids.OCSP_NO_CHECK, False, der.null()
        )
        assert (oids.EXTENDED_KEY_USAGE in made) is bool(wanted.extended)
        assert not wanted.extended or made[oids.EXTENDED_KEY_USAGE].critical is wanted.only
    assert pki.authority("sub", path_len=0).certificate.path_len == 0
    data = issue.build_certificate(
        pki.root(), subject=root.subject_der, public_key=pki.signer("x").public, serial=(1 << 159) - 1, not_before=BORN,
        not_after=datetime(2050, 1, 1, tzinfo=UTC), profile="tls-server", dns=["a.example", "b.example"],
    )  # fmt: skip
    read = certs.parse(data)
    assert read.subject_der == root.subject_der and read.defects == ()
    names_in = Extension(
        oids.SUBJECT_ALT_NAME, False, der.seq(der.implicit(2, b"a.example"), der.implicit(2, b"b.example"))
    )
    assert names_in in read.extensions


def test_times_by_their_year() -> None:
    east = timezone(timedelta(hours=8))
    for moment, form in (
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), der.utime), (datetime(2050, 1, 1, tzinfo=UTC), der.gtime),
        (datetime(2050, 1, 1, 7, tzinfo=east), der.utime), (datetime(2050, 1, 1, 8, tzinfo=east), der.gtime),
    ):  # fmt: skip
        assert issue.time(moment) == form(moment)


def test_an_authority_without_an_identifier_is_named_by_its_key() -> None:
    signer = pki.signer("plain")
    plain = Authority(signer, pki.certificate(spki=keys.spki(signer.public)))
    assert plain.certificate.ski is None
    wanted = issue.key_identifier(signer.public)
    assert pki.leaf("below", by=plain).aki == wanted
    assert crl.parse(issue.build_crl(plain, number=3, this_update=BORN, next_update=DIES)).aki == wanted


def test_a_list_has_no_entries_or_sorted_ones() -> None:
    empty = crl.parse(issue.build_crl(pki.root(), number=3, this_update=BORN, next_update=DIES))
    assert len(der.parse(empty.tbs).as_seq()) == 6 and empty.number == 3
    two = issue.build_crl(
        pki.root(),
        number=3,
        this_update=BORN,
        next_update=DIES,
        revoked=[issue.Revoked(9, BORN), issue.Revoked(2, BORN)],
    )
    assert list(crl.parse(two).entries) == [2, 9]


def test_the_authority_holds_its_own_key() -> None:
    with pytest.raises(ValueError, match="another key"):
        Authority(pki.signer("other"), pki.root().certificate)


@pytest.mark.parametrize("serial", [0, -1, 1 << 159])
def test_serial_numbers_within_bounds(serial: int) -> None:
    with pytest.raises(ValueError, match="serial"):
        issue.build_root(pki.signer("x"), subject=pki.subject("x"), serial=serial, not_before=BORN, not_after=DIES)


def test_every_profile_is_issued() -> None:
    for profile, wanted in issue.PROFILES.items():
        certificate = pki.leaf("holder", profile)
        assert certificate.extended_usage == wanted.extended
        assert certificate.ski == issue.key_identifier(pki.signer("holder").public)
    data = issue.build_certificate(
        pki.root(), subject=pki.subject("tls"), public_key=pki.signer("tls").public, serial=5, not_before=BORN,
        not_after=DIES, profile="tls-server", dns=["gateway.example"],
    )  # fmt: skip
    assert b"gateway.example" in certs.parse(data).tbs
