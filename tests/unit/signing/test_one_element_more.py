"""Certificates, requests, lists and status messages with one element more or less, anywhere in them: read or Malformed (C20).

What is read after all is the form that a CHOICE, an optional member or a list allows; nothing else may come of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from signing import certs, constraints, crl, der, issue, ocsp
from signing.errors import Malformed
from signing.issue import Revoked
from signing.ocsp_build import Said, build_response
from tests import pki
from tests.pki import BORN, DAY, DIES
from tests.vectors.certs.constrained import directory, dns, limits
from tests.vectors.certs.rsa import RSA_1024

CONSTRUCTED = 0x20


def changed(element: der.Tlv) -> Iterator[bytes]:
    """The element with a NULL more at its end, its last member gone or twice, and the same of all that is in it."""
    if element.tag == der.OCTET_STRING:
        try:
            inside = der.parse(element.value)
        except Malformed:
            return
        yield from (der.octets(one) for one in changed(inside))
    if not element.tag & CONSTRUCTED:
        return
    children = element.children()
    members = [child.raw for child in children]
    for other in ([*members, der.null()], members[:-1], [*members, *members[-1:]]):
        yield der.tlv(element.tag, b"".join(other))
    for place, child in enumerate(children):
        for one in changed(child):
            yield der.tlv(element.tag, b"".join([*members[:place], one, *members[place + 1 :]]))


def constrained() -> bytes:
    own = pki.extensions(pki.constraints(True), limits([dns("a.example")], [directory(("O", "a"))]))
    return pki.certificate(extensions=own).der


ID = ocsp.identify(pki.leaf("end"), pki.root().certificate)
SAID = [Said(ID, BORN, DIES), Said(ID, BORN, None, DAY, "keyCompromise")]
RESPONDER = pki.leaf("responder", "ocsp-responder")
READ: dict[str, tuple[Callable[[bytes], object], Callable[[], bytes]]] = {
    "certificate": (certs.parse, lambda: pki.leaf("end", "tls-server").der),
    "authority": (certs.parse, lambda: pki.authority("sub", path_len=1).certificate.der),
    "constrained": (certs.parse, constrained),
    "RSA key": (certs.parse, lambda: pki.certificate(spki=RSA_1024.spki).der),
    "constraints": (constraints.read, lambda: limits([dns("a.example")], [directory(("O", "a"))]).value),
    "request": (issue.parse_csr, lambda: issue.build_csr(pki.signer("a"), subject=pki.subject("a"), dns=["a.example"])),
    "list": (
        crl.parse,
        lambda: issue.build_crl(
            pki.root(), number=1, this_update=BORN, next_update=DAY, revoked=[Revoked(5, BORN, "superseded", BORN)]
        ),
    ),
    "status request": (ocsp.parse_request, lambda: ocsp.build_request(ID, b"n" * 16)),
    "status": (
        ocsp.parse,
        lambda: build_response(pki.signer("responder"), SAID, produced_at=DAY, nonce=b"n" * 16, responder=RESPONDER),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", READ)
def test_C20_one_element_more_or_less_is_read_or_malformed(what: str) -> None:
    read, make = READ[what]
    data, refused = make(), 0
    read(data)
    for one in changed(der.parse(data)):
        try:
            read(one)
        except Malformed as fault:
            refused += 1
            assert fault.code and fault.zh and fault.en
    assert refused > 8
