"""Time stamps (row C25): asked for, given, judged; each way to be wrong has its own code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import cms, crl, der, message_reasons, oids
from signing.certs import Extension
from signing.errors import Malformed
from signing.issue import Authority, Revoked, build_crl, key_identifier
from signing.policy import TIMESTAMPS
from signing.signed_build import build_signed
from signing.sm3 import sm3
from signing.timestamp import TimestampReport, parse_token, verify_timestamp
from signing.timestamp_build import LAB_POLICY, answer, build_request, build_token, parse_request, parse_response
from tests import pki
from tests.pki import BORN, DAY, DIES
from tests.unit.signing.said import whole
from tests.unit.signing.test_messages import ONE, bent, loose, to

DIGEST = sm3(b"what was there")
HOUR = timedelta(hours=1)
TSA_ROOT = pki.root("tsa-root")
TSA = Authority(pki.signer("tsa"), pki.leaf("tsa", "tsa", by=TSA_ROOT))


def token(digest: bytes = DIGEST, by: Authority = TSA, at: datetime = DAY, **more: Any) -> bytes:
    return build_token(digest, by, at=at, serial=7, **more)


def judged(data: bytes, **more: Any) -> TimestampReport:
    given_: dict[str, Any] = {
        "at": DAY + HOUR, "anchors": [TSA_ROOT.certificate], "provider": pki.PROVIDER, "policy": TIMESTAMPS,
    } | more  # fmt: skip
    return verify_timestamp(data, given_.pop("digest", DIGEST), **given_)


def codes(report: TimestampReport) -> list[str]:
    assert all(whole(reason, message_reasons.REJECTED, message_reasons.UNKNOWN) for reason in report.reasons)
    return [reason.code for reason in report.reasons]


def with_usage(*usages: Extension) -> Authority:
    """An authority whose certificate has these extended usages."""
    name = f"tsa {[usage.critical for usage in usages]} {len(usages)} {[len(usage.value) for usage in usages]}"
    made = pki.certificate(
        issuer=TSA_ROOT.certificate.subject_der,
        subject=der.seq(der.set_of(der.seq(der.oid("2.5.4.3"), der.utf8(name)))),
        spki=pki.keys.spki(pki.signer("tsa").public),
        extensions=pki.extensions(
            pki.key_usage({0}),
            *usages,
            Extension(oids.AUTHORITY_KEY_ID, False, der.seq(der.implicit(0, key_identifier(TSA_ROOT.signer.public)))),
        ),
        by=TSA_ROOT.signer,
    )
    return Authority(pki.signer("tsa"), made)


def usage(*purposes: str, critical: bool = True) -> Extension:
    return Extension(oids.EXTENDED_KEY_USAGE, critical, der.seq(*map(der.oid, purposes)))


def test_a_time_stamp_proves_until_when_the_data_existed() -> None:
    report = judged(token())
    assert (report.ok, report.proves, report.authority) == (True, DAY + timedelta(seconds=1), TSA.certificate)
    assert judged(token(digest=sm3(b"other"))).proves is None


@given(nonce=st.integers(1, 1 << 128), policy=st.sampled_from(["", LAB_POLICY]), as_ber=st.booleans())
def test_what_is_asked_is_answered(nonce: int, policy: str, as_ber: bool) -> None:
    request = build_request(DIGEST, nonce=nonce, policy=policy)
    asked = parse_request(request)
    assert (asked.digest, asked.nonce, asked.policy, asked.certificate) == (DIGEST, nonce, policy, True)
    given_ = parse_response(answer(request, TSA, at=DAY, serial=nonce))
    assert given_.token is not None
    data = loose(given_.token) if as_ber else given_.token
    report = judged(data, nonce=nonce)
    assert report.ok is True and report.info is not None and report.info.serial == nonce
    assert codes(judged(data, nonce=nonce + 1)) == ["timestamp-nonce"]


def test_an_authority_says_its_accuracy() -> None:
    for seconds in (0, 1, 90):
        given_ = parse_response(answer(build_request(DIGEST, nonce=1), TSA, at=DAY, serial=1, accuracy=seconds)).token
        assert given_ is not None and judged(given_).proves == DAY + timedelta(seconds=seconds)


def test_c25_wrong_imprint() -> None:
    assert codes(judged(token(), digest=sm3(b"another"))) == ["timestamp-imprint"]


@pytest.mark.parametrize("name", ["1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1"], ids=["SHA-1", "SHA-256"])
def test_c25_an_imprint_that_is_not_sm3(name: str) -> None:
    assert codes(judged(token(algorithm=name))) == ["timestamp-imprint-algorithm"]


@pytest.mark.parametrize(
    "made",
    [
        lambda: with_usage(),
        lambda: with_usage(usage(oids.TIME_STAMPING, critical=False)),
        lambda: with_usage(usage(oids.TIME_STAMPING, oids.SERVER_AUTH)),
        lambda: with_usage(usage(oids.CLIENT_AUTH)),
    ],
    ids=["none", "not critical", "another beside", "another"],
)
def test_c25_an_authority_that_is_not_for_time_stamps_alone(made: Callable[[], Authority]) -> None:
    assert judged(token(by=with_usage(usage(oids.TIME_STAMPING)))).ok is True
    told = codes(judged(token(by=made())))
    assert told[0] == "timestamp-usage" and set(told) <= {"timestamp-usage", "tsa-extended-key-usage"}


def test_c25_later_than_now_and_the_skew() -> None:
    skew = TIMESTAMPS.clock_skew
    assert judged(token(at=DAY), at=DAY - skew).ok is True
    assert codes(judged(token(at=DAY), at=DAY - skew - timedelta(seconds=1))) == ["timestamp-future"]


def test_c25_policy_accuracy_and_nonce() -> None:
    strict = replace(TIMESTAMPS, policies=frozenset({"1.2.3.4"}), accuracy=timedelta(seconds=5))
    assert codes(judged(token(accuracy=10), policy=strict)) == ["timestamp-policy", "timestamp-accuracy"]
    assert judged(token(policy="1.2.3.4", accuracy=5), policy=strict).ok is True
    assert codes(judged(token(), nonce=9)) == ["timestamp-nonce"]


def test_c25_the_authoritys_chain_at_the_time_of_stamping() -> None:
    assert codes(judged(token(), anchors=[pki.root().certificate])) == ["tsa-untrusted-root"]
    old = Authority(pki.signer("old-tsa"), pki.leaf("old-tsa", "tsa", by=TSA_ROOT, not_after=DAY - HOUR))
    assert "tsa-expired" in codes(judged(token(by=old)))
    assert codes(judged(token(by=ONE), anchors=[pki.root().certificate])) == ["timestamp-usage"]


def listed(when: datetime, issued: datetime) -> crl.RevocationList:
    revoked = [Revoked(TSA.certificate.serial, when)]
    return crl.parse(build_crl(TSA_ROOT, number=1, this_update=issued, next_update=DIES, revoked=revoked))


def test_c25_an_authority_revoked_before_is_refused_and_one_revoked_later_needs_a_later_time_stamp() -> None:
    later, now = DAY + timedelta(days=2), DAY + timedelta(days=5)
    assert codes(judged(token(), crls=[listed(DAY - HOUR, BORN)])) == ["tsa-revoked"]
    after = judged(token(), crls=[listed(later, DAY + timedelta(days=3))], at=now)
    assert (after.ok, codes(after)) == (None, ["timestamp-revoked-later"])
    accepting = replace(TIMESTAMPS, since="accept")
    assert judged(token(), crls=[listed(later, DAY + timedelta(days=3))], at=now, policy=accepting).ok is True


def test_l12_an_authority_whose_certificate_has_expired_needs_a_later_time_stamp() -> None:
    expired = judged(token(), at=DIES + HOUR)
    assert (expired.ok, codes(expired), expired.proves) == (None, ["timestamp-expired"], None)
    assert judged(token(), at=DIES + HOUR, policy=replace(TIMESTAMPS, since="accept")).ok is True


def test_the_certificate_named_among_the_signed_attributes_must_be_the_signers() -> None:
    twin = Authority(TSA.signer, pki.leaf("tsa", "tsa", by=TSA_ROOT, serial=99))  # same key, another certificate
    swapped = bent((1, 0, 3), to(der.implicit(0, twin.certificate.der, True)), token())
    swapped = bent((1, 0, 4, 0, 1), to(cms.issuer_and_serial(twin.certificate)), swapped)
    assert codes(judged(swapped)) == ["timestamp-certificate"]


def test_a_token_without_its_authoritys_certificate_cannot_be_told() -> None:
    bare = bent((1, 0, 3), to(b""), token())
    assert (judged(bare).ok, codes(judged(bare))) == (None, ["timestamp-signer-unknown"])
    assert judged(bare, intermediates=[TSA.certificate]).ok is True


def info(*members: bytes) -> bytes:
    return build_signed(der.seq(*members), [TSA], signing_time=DAY, family=cms.PKCS7, content_type=oids.TST_INFO)


HEAD = (
    der.integer(1), der.oid(LAB_POLICY), der.seq(cms.algorithm(oids.SM3), der.octets(DIGEST)), der.integer(1), der.gtime(DAY),
)  # fmt: skip
MICROS = der.seq(der.integer(1), der.implicit(0, b"\x02"), der.implicit(1, b"\x03"))


def test_accuracy_is_read_to_the_microsecond() -> None:
    report = judged(info(*HEAD, MICROS, der.boolean(True), der.integer(5), der.explicit(0, der.null())))
    assert report.info is not None and report.info.accuracy == timedelta(seconds=1, milliseconds=2, microseconds=3)
    assert judged(info(*HEAD)).proves == DAY


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x02\x03",
        b"",
        build_signed(b"x", [TSA]),
        build_signed(der.seq(*HEAD), [TSA], attributes=False, content_type=oids.TST_INFO),
        build_signed(der.seq(*HEAD), [TSA, ONE], content_type=oids.TST_INFO),
        build_signed(der.seq(*HEAD), [TSA], detached=True, content_type=oids.TST_INFO),
        info(der.integer(2), *HEAD[1:]),
        info(*HEAD[:-1], der.utime(DAY)),
        info(*HEAD, der.integer(5), MICROS),
        info(*HEAD, der.seq(der.implicit(0, b"\x03\xe8"))),
        info(*HEAD, der.seq(der.integer(-1))),
        info(*HEAD, der.seq(der.null())),
        info(*HEAD, b"\xa1" + der.seq(der.seq(der.oid("1.2.3"), der.boolean(True), der.octets(b"")))[1:]),
        bytes(65 << 10),
    ],
    ids=[
        "dummy of three bytes", "empty", "other content", "no attributes", "two signers", "detached", "version", "UTCTime",
        "order", "1000 milliseconds", "negative", "odd accuracy", "critical extension", "size",
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused_for_its_form(data: bytes) -> None:
    assert codes(judged(data)) == ["timestamp-form"] and judged(data).ok is False


def test_an_altered_token_is_refused() -> None:
    data = token()
    signature = bent((1, 0, 4, 0, 5), lambda e: e.raw[:-1] + bytes((e.raw[-1] ^ 1,)), data)
    assert codes(judged(signature)) == ["timestamp-signature"]
    content = bent((1, 0, 2, 1, 0), lambda e: der.octets(e.value[:-1] + bytes((e.value[-1] ^ 1,))), data)
    assert codes(judged(content)) == ["timestamp-form"]


@pytest.mark.parametrize(
    ("request_", "failure"),
    [
        (b"", 2),
        (der.seq(), 2),
        (der.seq(der.integer(2), HEAD[2]), 2),
        (der.seq(der.integer(1), der.seq(cms.algorithm("1.3.14.3.2.26"), der.octets(bytes(20)))), 0),
        (der.seq(der.integer(1), der.seq(cms.algorithm(oids.SM3), der.octets(bytes(20)))), 0),
        (build_request(DIGEST, nonce=1, policy="1.2.3.4"), 15),
        (der.seq(der.integer(1), HEAD[2], der.tlv(0xA0, b"")), 16),
    ],
)
def test_the_laboratory_authority_says_why_not(request_: bytes, failure: int) -> None:
    refused = parse_response(answer(request_, TSA, at=DAY, serial=1))
    assert (refused.status, refused.failures, refused.token) == (2, {failure}, None)


@pytest.mark.parametrize(
    "data", [b"", der.seq(), der.seq(der.seq(der.integer(0))), der.seq(der.seq(der.integer(2)), token())]
)
def test_a_response_whose_status_and_content_differ_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_response(data)


def test_every_reason_has_its_words() -> None:
    for code in (*message_reasons.REJECTED, *message_reasons.UNKNOWN):
        said = message_reasons.message_reason(code, "x")
        assert said.code == code and "{" not in said.zh + said.en
    assert parse_token(token()).info.time == DAY


def referring(value: bytes, name: str = oids.SIGNING_CERTIFICATE_V2) -> TimestampReport:
    """A token whose signed certificate reference is this."""
    data = build_signed(
        der.seq(*HEAD), [TSA], family=cms.PKCS7, content_type=oids.TST_INFO, signing_time=DAY, more={name: value}
    )
    return judged(data)


def reference(*members: bytes) -> bytes:
    return der.seq(der.seq(der.seq(*members)))


def test_the_certificate_reference_by_every_digest_it_may_be_by() -> None:
    data = TSA.certificate.der
    sha256, sha1 = (hashlib.new(name, data).digest() for name in ("sha256", "sha1"))
    assert referring(reference(der.octets(sha256))).ok is True  # the default
    assert referring(reference(cms.algorithm("2.16.840.1.101.3.4.2.1"), der.octets(sha256))).ok is True
    assert referring(reference(cms.algorithm(oids.SM3), der.octets(sm3(data)))).ok is True
    assert referring(reference(der.octets(sha1)), oids.SIGNING_CERTIFICATE).ok is True
    for value, name in (
        (reference(cms.algorithm(oids.SM3), der.octets(sha256)), oids.SIGNING_CERTIFICATE_V2),
        (reference(cms.algorithm("1.2.3"), der.octets(sha256)), oids.SIGNING_CERTIFICATE_V2),
        (reference(cms.algorithm(oids.SM3)), oids.SIGNING_CERTIFICATE_V2),
        (reference(der.octets(sha256)), oids.SIGNING_CERTIFICATE),
        (der.null(), oids.SIGNING_CERTIFICATE_V2),
        (der.seq(der.seq()), oids.SIGNING_CERTIFICATE),
    ):
        assert codes(referring(value, name)) == ["timestamp-certificate"]


def test_a_signature_by_another_algorithm_is_a_matter_of_form() -> None:
    (reason,) = judged(bent((1, 0, 4, 0, 4), to(cms.algorithm("1.2.840.113549.1.1.1")), token())).reasons
    assert reason.code == "timestamp-form" and "1.2.840.113549.1.1.1" in reason.zh


def test_an_extension_that_is_not_critical_does_no_harm() -> None:
    extension = der.seq(der.seq(der.oid("1.2.3"), der.octets(b"")))
    assert judged(info(*HEAD, b"\xa1" + extension[1:])).ok is True
