"""Requests, and what the laboratory authority refuses to make."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signing import certs, der, issue, keys, names, oids
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
