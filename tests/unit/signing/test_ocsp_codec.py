"""OCSP requests and responses: what is written is read back, what is none is Malformed (verdicts: tests/vectors/certs, C04)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import der, ocsp, oids
from signing.errors import Malformed
from signing.ocsp import CertId, build_request, identify, parse, parse_request
from signing.ocsp_build import Said, build_failure, build_response, wrap
from signing.sm3 import sm3
from tests import pki
from tests.pki import BORN, DAY

ROOT = pki.root()
ID = identify(pki.leaf("end"), ROOT.certificate)
MOMENTS = st.integers(0, 3000).map(lambda hours: BORN + timedelta(hours=hours))
IDS = st.builds(
    CertId,
    st.sampled_from([oids.SM3, oids.SHA1, f"{oids.SM3}.1", "1.2.3"]),
    st.binary(min_size=20, max_size=32),
    st.binary(min_size=20, max_size=32),
    st.integers(-5, 1 << 160),
)


@given(IDS, st.none() | st.binary(min_size=1, max_size=32))
def test_a_request_is_read_back(wanted: CertId, nonce: bytes | None) -> None:
    read = parse_request(build_request(wanted, nonce))
    assert read.ids == (wanted,) and read.nonce == nonce


@given(
    rows=st.lists(st.tuples(IDS, MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS, st.booleans()), max_size=4),
    produced_at=MOMENTS,
    nonce=st.none() | st.binary(min_size=1, max_size=32),
    delegated=st.booleans(),
)
def test_a_response_is_read_back(
    rows: list[tuple[CertId, datetime, datetime | None, datetime | None, bool]],
    produced_at: datetime,
    nonce: bytes | None,
    delegated: bool,
) -> None:
    said = [Said(wanted, this, until, revoked, "superseded", known) for wanted, this, until, revoked, known in rows]
    responder = pki.leaf("responder", "ocsp-responder") if delegated else None
    body = parse(build_response(ROOT.signer, said, produced_at=produced_at, nonce=nonce, responder=responder)).body
    assert body is not None
    assert (body.produced_at, body.nonce, body.flaw, body.by_key) == (produced_at, nonce, False, not delegated)
    assert body.certificates == ((responder,) if responder else ())
    assert body.responder == (responder.subject_der if responder else sm3(ROOT.signer.public.point))
    for wanted, single in zip(said, body.singles, strict=True):
        status = "revoked" if wanted.revoked else "good" if wanted.known else "unknown"
        assert (single.id, single.status, single.revoked) == (wanted.id, status, wanted.revoked)
        assert (single.this_update, single.next_update) == (wanted.this_update, wanted.next_update)


@pytest.mark.parametrize("status", [word for word in ocsp.STATUSES.values() if word != "successful"])
def test_a_failure_is_a_word_without_a_body(status: str) -> None:
    assert parse(build_failure(status)) == ocsp.Response(status, None)


def test_names_by_sm3_and_by_sha1_are_told_apart_and_both_known() -> None:
    leaf, other = pki.leaf("end"), pki.leaf("other")
    for digest, size in (("sm3", 32), ("sha1", 20)):
        made = identify(leaf, ROOT.certificate, digest)  # type: ignore[arg-type]
        assert len(made.name_hash) == len(made.key_hash) == size
        assert made.names(leaf, ROOT.certificate) and not made.names(other, ROOT.certificate)
        assert not made.names(leaf, pki.root("stranger").certificate)
    assert not CertId("1.2.3", ID.name_hash, ID.key_hash, ID.serial).names(leaf, ROOT.certificate)


def test_an_issuer_without_an_sm2_key_names_nothing() -> None:
    keyless = pki.certificate(spki=der.seq())
    with pytest.raises(Malformed):
        identify(pki.leaf("end"), keyless)


def test_a_bare_nonce_of_an_old_responder_is_read() -> None:
    extension = der.seq(der.seq(der.oid(oids.OCSP_NONCE), der.octets(b"\xffbare")))
    tbs = der.seq(der.seq(der.seq(ID.encode())), der.explicit(2, extension))
    assert parse_request(der.seq(tbs)).nonce == b"\xffbare"


def test_a_request_with_version_and_requestor_is_read() -> None:
    tbs = der.seq(der.explicit(0, der.integer(0)), der.explicit(1, der.null()), der.seq(der.seq(ID.encode())))
    assert parse_request(der.seq(tbs)).ids == (ID,)


GOOD = build_response(ROOT.signer, [Said(ID, BORN, DAY)], produced_at=BORN, nonce=b"n" * 16)
STATUS = der.tlv(0x0A, b"\0")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        der.seq(),
        der.seq(STATUS),
        der.seq(der.tlv(0x0A, b"\x09")),
        der.seq(der.tlv(0x0A, b"\3"), der.explicit(0, der.null())),
        der.seq(STATUS, der.explicit(0, b"")),
        der.seq(STATUS, der.explicit(0, der.seq(der.oid("1.2.3"), der.octets(b"")))),
        der.seq(STATUS, der.explicit(1, der.null())),
        wrap(der.seq()),
        wrap(der.null()),
        GOOD + b"\0",
        bytes(70_000),
    ],
)
def test_what_is_no_response(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse(data)


@pytest.mark.parametrize(
    "data",
    [
        der.seq(),
        der.seq(der.seq()),
        der.seq(der.seq(der.explicit(0, der.integer(1)), der.seq(der.seq(ID.encode())))),
        der.seq(der.seq(der.explicit(0, der.integer(0)))),
        der.seq(der.seq(der.seq())),
        der.seq(der.seq(der.seq(*[der.seq(ID.encode())] * 65))),
        build_request(ID, bytes(200)),
    ],
)
def test_what_is_no_request(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_request(data)


def test_every_truncation_is_malformed() -> None:
    request = build_request(ID, b"n" * 16)
    for read, data in ((parse, GOOD), (parse_request, request)):
        for length in range(len(data)):
            with pytest.raises(Malformed):
                read(data[:length])


def test_a_certificate_that_cannot_be_read_is_not_the_responders() -> None:
    response = build_response(
        ROOT.signer, [Said(ID, BORN, DAY)], produced_at=BORN, responder=pki.leaf("responder", "ocsp-responder")
    )
    broken = response.replace(b"\x55\x1d\x0f", b"\x55\x1d\x0e", 1)  # key usage becomes a second key identifier
    body = parse(broken).body
    assert body is not None and body.certificates == ()
