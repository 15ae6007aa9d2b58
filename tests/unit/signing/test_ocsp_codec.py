"""OCSP requests and responses: what is written is read back, what is none is Malformed (verdicts: tests/vectors/certs, C04)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import certs, der, ocsp, oids
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
    with pytest.raises(Malformed) as caught:
        identify(pki.leaf("end"), keyless)
    assert caught.value.code == "ocsp-issuer"


def test_a_bare_nonce_of_an_old_responder_is_read() -> None:
    extension = der.seq(der.seq(der.oid(oids.OCSP_NONCE), der.octets(b"\xffbare")))
    tbs = der.seq(der.seq(der.seq(ID.encode())), der.explicit(2, extension))
    assert parse_request(der.seq(tbs)).nonce == b"\xffbare"


def test_a_request_with_version_and_requestor_is_read() -> None:
    tbs = der.seq(der.explicit(0, der.integer(0)), der.explicit(1, der.null()), der.seq(der.seq(ID.encode())))
    assert parse_request(der.seq(tbs)).ids == (ID,)


def test_the_version_is_1_wherever_it_is_written() -> None:
    tbs = der.seq(der.explicit(0, der.integer(0)), der.seq(der.seq(ID.encode())))
    assert parse_request(der.seq(tbs)).ids == (ID,)
    members = (der.explicit(2, der.octets(bytes(20))), THIS, der.seq())
    body = parse(basic(der.explicit(0, der.integer(0)), *members)).body
    assert body is not None and body.produced_at == BORN and body.responder == bytes(20)
    with pytest.raises(Malformed) as caught:
        parse(basic(der.explicit(0, der.integer(1)), *members))
    assert caught.value.code == "ocsp-form"


GOOD = build_response(ROOT.signer, [Said(ID, BORN, DAY)], produced_at=BORN, nonce=b"n" * 16)
STATUS = der.tlv(0x0A, b"\0")


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("der-truncated", b""),
        ("der-count", der.seq()),
        ("der-count", der.seq(*[member.raw for member in der.parse(GOOD).as_seq()], der.null())),
        ("ocsp-form", der.seq(STATUS)),
        ("ocsp-form", der.seq(der.tlv(0x0A, b"\x09"))),
        ("ocsp-form", der.seq(der.tlv(0x0A, b"\3"), der.explicit(0, der.null()))),
        ("ocsp-form", der.seq(STATUS, der.explicit(0, b""))),
        ("ocsp-form", der.seq(STATUS, der.explicit(0, der.seq(der.oid("1.2.3"), der.octets(b""))))),
        ("der-type", der.seq(STATUS, der.explicit(1, der.null()))),
        ("der-count", wrap(der.seq())),
        ("der-type", wrap(der.null())),
        ("der-trailing", GOOD + b"\0"),
        ("der-size", bytes(70_000)),
    ],
)
def test_what_is_no_response(code: str, data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        parse(data)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("der-count", der.seq()),
        ("der-count", der.seq(der.seq())),
        ("ocsp-form", der.seq(der.seq(der.explicit(0, der.integer(1)), der.seq(der.seq(ID.encode()))))),
        ("ocsp-form", der.seq(der.seq(der.explicit(0, der.integer(0))))),
        ("der-count", der.seq(der.seq(der.seq()))),
        ("der-count", der.seq(der.seq(der.seq(*[der.seq(ID.encode())] * 65)))),
        ("der-count", der.seq(der.seq(der.seq(der.seq(ID.encode(), der.null(), der.null()))))),
        ("der-count", der.seq(der.seq(der.explicit(0, der.integer(0) * 2), der.seq(der.seq(ID.encode()))))),
        ("ocsp-form", build_request(ID, bytes(200))),
    ],
)
def test_what_is_no_request(code: str, data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        parse_request(data)
    assert caught.value.code == code


THIS = der.gtime(BORN)
STATE = der.tlv(0x80, b"")


def basic(*members: bytes, single: bytes | None = None, **more: bytes) -> bytes:
    """A response with these members of ResponseData, in place of its list one ``single``, or what comes after its responder."""
    listed = der.seq(single) if single is not None else der.seq()
    tbs = der.seq(*(members or (der.explicit(2, der.octets(bytes(20))), THIS, listed, *more.values())))
    return wrap(der.seq(tbs, pki.SM2_WITH_SM3, der.bits(b"")))


def single(status: bytes = STATE, *more: bytes) -> bytes:
    return der.seq(ID.encode(), status, THIS, *more)


CRITICAL = der.explicit(1, pki.extensions(certs.Extension("1.2.3", True, b"")))


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("ocsp-form", basic(der.explicit(3, der.octets(bytes(20))), THIS, der.seq())),
        ("ocsp-form", basic(der.explicit(2, der.octets(bytes(20))), THIS, der.seq(), CRITICAL, CRITICAL)),
        ("ocsp-form", basic(der.explicit(2, b""), THIS, der.seq())),
        ("der-type", basic(der.explicit(1, der.null()), THIS, der.seq())),
        ("der-type", basic(version=der.explicit(0, pki.extensions()))),
        ("ocsp-form", basic(single=single(der.tlv(0xA1, b"")))),
        ("ocsp-form", basic(single=single(der.tlv(0x81, b"")))),
        ("ocsp-form", basic(single=single(der.tlv(0x80, b"\0")))),
        ("ocsp-form", basic(single=single(der.tlv(0x82, b"\0")))),
        ("ocsp-form", basic(single=single(STATE, CRITICAL, CRITICAL))),
        ("ocsp-form", basic(single=single(STATE, der.explicit(0, b"")))),
        ("der-type", basic(single=single(STATE, der.explicit(2, pki.extensions())))),
    ],
    ids=["responder by neither", "members", "no responder", "name of nothing", "extensions' tag", "revoked, no time", "status",
         "good and more", "unknown and more", "extensions twice", "no next update in it", "single extensions' tag"],
)  # fmt: skip
def test_what_is_no_basic_response(code: str, data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        parse(data)
    assert caught.value.code == code


def test_a_hand_made_response_is_read() -> None:
    body = parse(basic(single=single(STATE, der.explicit(0, der.gtime(DAY))))).body
    assert body is not None and not body.flaw and body.nonce is None and body.by_key and body.certificates == ()
    (one,) = body.singles
    assert (one.status, one.this_update, one.next_update, one.revoked, one.flaw) == ("good", BORN, DAY, None, False)
    for data in (basic(single=single(STATE, CRITICAL)), basic(extensions=CRITICAL)):
        flawed = parse(data).body
        assert flawed is not None and (flawed.flaw or flawed.singles[0].flaw)


def test_at_most_64_certificates_and_a_nonce_of_128_bytes() -> None:
    """Up to there, and no further."""
    tbs = der.seq(der.seq(*[der.seq(ID.encode())] * ocsp.MAX_SINGLES))
    assert len(parse_request(der.seq(tbs)).ids) == 64
    assert parse_request(build_request(ID, bytes(128))).nonce == bytes(128)
    for data in (build_request(ID, bytes(129)), der.seq(der.seq(der.seq(*[der.seq(ID.encode())] * 65)))):
        with pytest.raises(Malformed):
            parse_request(data)


@pytest.mark.parametrize("count", [8, 9])
def test_eight_certificates_may_come_along(count: int) -> None:
    along = der.explicit(0, der.seq(*[ROOT.certificate.der] * count))
    data = wrap(der.seq(der.parse(_basic(GOOD)).as_seq()[0].raw, pki.SM2_WITH_SM3, der.bits(b"s"), along))
    if count > 8:
        with pytest.raises(Malformed):
            parse(data)
        return
    body = parse(data).body
    assert body is not None and body.certificates == (ROOT.certificate,) * 8 and body.signature == b"s"


def _basic(response: bytes) -> bytes:
    return der.parse(response).as_seq()[1].children(1)[0].as_seq()[1].as_octets()


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
