"""Every DER structure we read, with each element left out, doubled, emptied or exchanged, or with only its first or last
members left: it is read or refused, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from signing import certs, crl, der, enveloped, issue, keys, ocsp, signed_data, timestamp, timestamp_build
from signing.errors import Malformed
from signing.issue import Revoked, build_crl
from signing.policy import CRL_IF_PRESENT
from signing.seal import ExtData
from signing.verify import SealReport, verify_seal, verify_stamp
from tests import pki
from tests.pki import BORN, DAY
from tests.unit.signing import test_messages as messages
from tests.vectors.certs import statuses
from tests.vectors.ofd import generate as ofd
from tests.vectors.seals import generate as seals

STRANGERS = (
    der.null(),
    der.integer(1),
    der.octets(b""),
    der.seq(),
    der.set_of(),
    der.oid("1.2.3"),
    der.explicit(0, b""),
)
ANCHORS = [pki.root().certificate]
PASSPHRASE = b"passphrase"
CRL = build_crl(pki.root(), number=7, this_update=BORN, next_update=DAY, revoked=[Revoked(5, BORN, "superseded")])
LOCKED = keys.private_to_pem(pki.signer("end").private, PASSPHRASE, salt=b"saltsalt", iv=bytes(16), iterations=1)
ENCRYPTED = keys.from_pem(LOCKED, "ENCRYPTED PRIVATE KEY")[1]


def reshaped(data: bytes) -> Iterator[bytes]:
    """The structure once for each element and each thing that can befall it."""

    def within(element: der.Tlv) -> Iterator[bytes]:
        yield b""
        yield element.raw * 2
        yield der.tlv(element.tag, b"")
        yield from STRANGERS
        if element.tag & 0x20:
            inner = element.children()
            yield der.tlv(element.tag, b"".join(one.raw for one in reversed(inner)))
            for place, one in enumerate(inner):
                before = b"".join(each.raw for each in inner[:place])
                after = b"".join(each.raw for each in inner[place + 1 :])
                yield from (der.tlv(element.tag, before), der.tlv(element.tag, after))
                for changed in within(one):
                    yield der.tlv(element.tag, before + changed + after)

    return within(der.parse(data, limit=1 << 22))


def judge_seal(data: bytes) -> None:
    must(verify_seal(data, at=DAY, anchors=ANCHORS, provider=pki.PROVIDER, policy=CRL_IF_PRESENT))


def judge_stamp(data: bytes) -> None:
    must(verify_stamp(data, seals.DIGEST, at=DAY, anchors=ANCHORS, provider=pki.PROVIDER, policy=CRL_IF_PRESENT))


def must(report: SealReport) -> None:
    """A report says no where a reader raises."""
    if not report.ok:
        assert report.reasons
        raise Malformed(report.codes[0], "不是", "no")


def unlock(data: bytes) -> object:
    return keys.private_from_pem(keys.to_pem("ENCRYPTED PRIVATE KEY", data), PASSPHRASE)


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (certs.parse, pki.leaf("end").der),
        (crl.parse, CRL),
        (ocsp.parse, statuses.delegated(statuses.responder)()),
        (ocsp.parse_request, ocsp.build_request(ocsp.identify(pki.leaf("end"), ANCHORS[0]), bytes(16))),
        (issue.parse_csr, issue.build_csr(pki.signer("end"), subject=pki.subject("end"), dns=["a.test"])),
        (keys.public_from_spki, keys.spki(pki.signer("end").public)),
        (keys.private_from_pkcs8, keys.pkcs8(pki.signer("end").private)),
        (unlock, ENCRYPTED),
        (signed_data.parse, ofd.signed(ofd.signed_data)[ofd.VALUE]),
        (signed_data.parse, messages.build_signed(b"content", [messages.ONE], lists=[CRL])),
        (enveloped.parse, messages.envelope()),
        (timestamp.parse_token, seals.token_over(b"x")),
        (timestamp_build.parse_request, timestamp_build.build_request(bytes(32), nonce=1)),
        (judge_seal, seals.seal(form="V1")),
        (judge_seal, seals.seal()),
        (judge_seal, seals.digest_list(seals.signer())),
        (judge_stamp, seals.stamp(form="V1")),
        (judge_stamp, seals.stamp()),
        (judge_stamp, seals.stamp(extensions=(ExtData("1.2.3", False, b""),), timestamp=b"token")),
    ],
    ids=[
        "certificate",
        "crl",
        "status",
        "status-request",
        "csr",
        "spki",
        "pkcs8",
        "encrypted",
        "signed-data",
        "signed-message",
        "enveloped",
        "time-stamp",
        "time-stamp-request",
        "seal-v1",
        "seal-v4",
        "seal-digests",
        "stamp-v1",
        "stamp-v4",
        "stamp-v4-with-all",
    ],
)
def test_every_reshaped_structure_is_read_or_refused(read: Callable[[bytes], object], data: bytes) -> None:
    read(data)
    refused = 0
    for changed in reshaped(data):
        try:
            read(changed)
        except Malformed:
            refused += 1
    assert refused > 20
