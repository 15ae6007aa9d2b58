"""Signed and enveloped messages (GB/T 35275): what is written reads back, what is bent is refused with its own code."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import ber, certs, cms, der, enveloped, message_reasons, oids, signed_data
from signing.certs import Certificate
from signing.enveloped import build_enveloped, open_enveloped
from signing.errors import Malformed
from signing.issue import Authority, Revoked, build_crl
from signing.policy import PathPolicy
from signing.signed_build import build_signed
from signing.signed_verify import SignedReport, verify_signed
from tests import pki
from tests.pki import BORN, DAY, DIES
from tests.unit.signing.said import whole

POLICY = PathPolicy(usage="sign", revocation="if-present")
CONTENT = "一次性告知".encode()
KEY, IV, NONCE = bytes(range(16)), bytes(range(16, 32)), bytes(12)
SIGNED, ENVELOPED = cms.GM.content_type("signed"), cms.GM.content_type("enveloped")


def holder(name: str, profile: str = "seal-signer", by: Authority | None = None) -> Authority:
    return Authority(pki.signer(name), pki.leaf(name, profile, by=by))


ONE, TWO = holder("one"), holder("two")
INBOX = holder("inbox", "encryption")


def judged(data: bytes, content: bytes | None = None, **more: Any) -> SignedReport:
    anchors: Sequence[Certificate] = more.pop("anchors", [pki.root().certificate])
    return verify_signed(
        data, content, at=more.pop("at", DAY), anchors=anchors, provider=pki.PROVIDER, policy=POLICY, **more
    )


def codes(report: SignedReport) -> list[str]:
    assert all(whole(reason, message_reasons.REJECTED, message_reasons.UNKNOWN) for reason in report.reasons)
    return [reason.code for reason in report.reasons]


def loose(data: bytes, step: int = 7) -> bytes:
    """The same structure as loose BER: indefinite lengths outside certificates, octet strings in pieces, padded lengths."""

    def element(one: der.Tlv, depth: int) -> bytes:
        if one.tag == der.OCTET_STRING and len(one.value) > step and depth < 8:
            parts = [one.value[at : at + step] for at in range(0, len(one.value), step)]
            return b"\x24\x80" + b"".join(der.octets(part) for part in parts) + b"\0\0"
        if one.tag & 0x20 and depth < 4:
            return bytes((one.tag, 0x80)) + b"".join(element(x, depth + 1) for x in one.children()) + b"\0\0"
        if one.tag == der.INTEGER and depth < 4:
            return bytes((one.tag, 0x82)) + len(one.value).to_bytes(2, "big") + one.value
        return one.raw

    return element(der.parse(data), 0)


# --- signed -----------------------------------------------------------------------------------------------------------


@given(
    content=st.binary(max_size=200),
    detached=st.booleans(),
    attributes=st.booleans(),
    family=st.sampled_from(cms.FAMILIES),
    both=st.booleans(),
    as_ber=st.booleans(),
)
def test_what_we_sign_holds(
    content: bytes, detached: bool, attributes: bool, family: cms.Family, both: bool, as_ber: bool
) -> None:
    by = [ONE, TWO] if both else [ONE]
    data = build_signed(
        content, by, detached=detached, attributes=attributes, signing_time=DAY if attributes else None, family=family
    )
    report = judged(loose(data) if as_ber else data, content if detached else None)
    assert (report.ok, report.content, len(report.signers)) == (True, content, len(by)), report.reasons
    assert {one.certificate for one in report.signers} == {one.certificate for one in by}
    assert {one.stated_time for one in report.signers} == {DAY if attributes else None}
    assert ber.to_der(loose(data)) == data and ber.to_der(data) == data


def test_a_bare_structure_without_content_info_is_read() -> None:
    data = build_signed(CONTENT, [ONE])
    assert judged(cms.body(data, "signed").raw).ok is True


def bent(place: Sequence[int], change: Callable[[der.Tlv], bytes], data: bytes | None = None) -> bytes:
    """A signed message with the element at ``place`` (child numbers from the root) exchanged."""

    def within(element: der.Tlv, path: Sequence[int]) -> bytes:
        if not path:
            return change(element)
        inner = [one.raw for one in element.children()]
        inner[path[0]] = within(element.children()[path[0]], path[1:])
        return der.tlv(element.tag, b"".join(inner))

    return within(der.parse(data or build_signed(CONTENT, [ONE])), place)


INFO = (1, 0, 4, 0)  # the first SignerInfo
RSA = der.seq(der.oid("1.2.840.113549.1.1.1"), der.null())


def to(data: bytes) -> Callable[[der.Tlv], bytes]:
    return lambda _: data


def flipped(element: der.Tlv) -> bytes:
    return element.raw[:-1] + bytes((element.raw[-1] ^ 1,))


def attribute(name: str, value: bytes) -> bytes:
    return der.seq(der.oid(name), der.set_of(value))


BENT: dict[str, tuple[Callable[[], bytes], str]] = {
    "content altered": (lambda: bent((1, 0, 2, 1, 0), flipped), "message-digest"),
    "signature altered": (lambda: bent((*INFO, 5), flipped), "message-signature"),
    "signature of RSA": (lambda: bent((*INFO, 4), to(RSA)), "message-algorithm"),
    "digest by SHA-256": (
        lambda: bent((*INFO, 2), to(der.seq(der.oid("2.16.840.1.101.3.4.2.1")))),
        "message-algorithm",
    ),
    "nobody signed": (lambda: bent((1, 0, 4), to(der.set_of())), "message-unsigned"),
    "version 2": (lambda: bent((1, 0, 0), to(der.integer(2))), "message-form"),
    "an attribute twice": (
        lambda: bent((*INFO, 3), lambda e: der.tlv(0xA0, e.children()[0].raw * 2)), "message-form",
    ),
    "no digest attribute": (
        lambda: bent((*INFO, 3), to(der.tlv(0xA0, attribute("1.2.3", der.null())))), "message-form",
    ),
    "certificate of another kind of message": (lambda: bent((0,), to(der.oid(ENVELOPED))), "message-form"),
    "no certificate": (lambda: bent((1, 0, 3), to(b"")), "message-signer-unknown"),
}  # fmt: skip


@pytest.mark.parametrize("name", BENT)
def test_a_bent_message_is_refused_with_its_code(name: str) -> None:
    make, code = BENT[name]
    report = judged(make())
    assert code in codes(report) and report.ok is (None if code == "message-signer-unknown" else False)


def test_the_signed_content_type_must_be_the_contents() -> None:
    info = build_signed(CONTENT, [ONE], content_type="1.2.3.4", detached=True)
    assert judged(info, CONTENT).ok is True
    swapped = bent((1, 0, 2, 0), to(der.oid("1.2.3.5")), info)
    assert codes(judged(swapped, CONTENT)) == ["message-content-type"]


def test_a_detached_message_needs_its_content() -> None:
    data = build_signed(CONTENT, [ONE], detached=True)
    assert judged(data).ok is None and codes(judged(data)) == ["message-content-missing"]
    assert codes(judged(data, b"another")) == ["message-digest"]
    assert codes(judged(build_signed(CONTENT, [ONE]), b"another")) == ["message-content"]


def test_one_bad_signer_spoils_the_message() -> None:
    stranger = holder("stranger", by=pki.root("elsewhere"))
    report = judged(build_signed(CONTENT, [ONE, stranger]))
    assert report.ok is False and codes(report) == ["untrusted-root"]


def test_a_carried_root_is_not_trusted_for_being_there() -> None:
    own = pki.root("own-root")
    data = build_signed(CONTENT, [holder("member", by=own)], certificates=[own.certificate])
    assert codes(judged(data)) == ["untrusted-root"]
    assert judged(data, anchors=[own.certificate]).ok is True


def test_c05_an_encryption_certificate_signs_nothing() -> None:
    assert codes(judged(build_signed(CONTENT, [INBOX]))) == ["key-usage"]


def test_a_carried_list_of_the_issuer_counts() -> None:
    listed = build_crl(
        pki.root(), number=1, this_update=BORN, next_update=DIES, revoked=[Revoked(ONE.certificate.serial, BORN)]
    )
    assert codes(judged(build_signed(CONTENT, [ONE], lists=[listed]))) == ["revoked"]
    foreign = build_crl(pki.root("elsewhere"), number=1, this_update=BORN, next_update=DIES)
    assert judged(build_signed(CONTENT, [ONE], lists=[foreign])).ok is True


def test_lists_are_carried_whole() -> None:
    lists = [build_crl(pki.root(), number=n, this_update=BORN, next_update=DIES) for n in (1, 2)]
    assert sorted(signed_data.parse(build_signed(CONTENT, [ONE], lists=lists)).lists) == sorted(lists)


def test_a_signer_named_by_its_key_identifier_is_found() -> None:
    key_id = ONE.certificate.ski
    assert key_id is not None
    assert judged(bent((*INFO, 1), to(der.implicit(0, key_id)))).ok is True


@pytest.mark.parametrize("null", [True, False], ids=["parameters NULL", "parameters absent"])
@pytest.mark.parametrize("name", [oids.SM2_SIGN, oids.SM2_WITH_SM3])
def test_both_names_of_the_signature_with_null_or_absent_parameters(name: str, null: bool) -> None:
    assert judged(bent((*INFO, 4), to(cms.algorithm(name, null=null)))).ok is True


# --- BER --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x30\x80" * 40 + b"\0\0" * 40, "der-depth"),
        (b"\x30\x80" + b"\x05\x00" * 60_000 + b"\0\0", "der-count"),
        (b"\x30\x80\x05\x00", "der-truncated"),
        (b"\x30\x80\x05\x00\0", "der-truncated"),
        (b"\x04\x80\x00\x00", "der-length"),
        (b"\x30\x8f" + bytes(15), "der-length"),
        (b"\x30\x84\xff\xff\xff\xff", "der-truncated"),
        (b"\x1f\x01\x00", "der-tag"),
        (b"\x05\x00\x05\x00", "der-trailing"),
        (b"\x24\x80\x02\x01\x00\0\0", "der-type"),
        (bytes(2 << 20), "der-size"),
    ],
)
def test_ber_beyond_its_bounds_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        ber.to_der(data)
    assert caught.value.code == code


def test_what_was_der_inside_ber_keeps_its_bytes() -> None:
    read = signed_data.parse(loose(build_signed(CONTENT, [ONE])))
    assert read.certificates == (ONE.certificate,) and certs.parse(read.certificates[0].der) == ONE.certificate


# --- enveloped --------------------------------------------------------------------------------------------------------


def envelope(content: bytes = CONTENT, mode: enveloped.Mode = "cbc", **more: Any) -> bytes:
    iv = IV if mode == "cbc" else NONCE
    to_whom = more.pop("recipients", [INBOX.certificate])
    return build_enveloped(content, to_whom, pki.PROVIDER, key=KEY, iv=iv, mode=mode, **more)


def opened(data: bytes, by: Authority = INBOX) -> bytes:
    return open_enveloped(data, by.signer.private, by.certificate, pki.PROVIDER)


@given(
    content=st.binary(max_size=100),
    mode=st.sampled_from(["cbc", "gcm"]),
    family=st.sampled_from(cms.FAMILIES),
    as_ber=st.booleans(),
)
def test_an_envelope_opens_for_each_recipient(
    content: bytes, mode: enveloped.Mode, family: cms.Family, as_ber: bool
) -> None:
    other = holder("other-inbox", "encryption")
    data = envelope(content, mode, family=family, recipients=[INBOX.certificate, other.certificate])
    data = loose(data) if as_ber else data
    assert opened(data) == opened(data, other) == content


def test_an_encrypted_content_in_pieces_is_joined() -> None:
    whole = envelope(bytes(64))
    content = (1, 0, 2, 2)
    cut = bent(content, lambda e: der.tlv(0xA0, der.octets(e.value[:16]) + der.octets(e.value[16:])), whole)
    assert opened(cut) == bytes(64)


def test_a_wrapped_key_in_plain_form_is_read() -> None:
    plain = bent((1, 0, 1, 0, 3), lambda e: der.octets(enveloped.sm2.ciphertext_from_der(e.value)), envelope())
    assert opened(plain) == CONTENT


@pytest.mark.parametrize("mode", ["cbc", "gcm"])
def test_s30_every_failure_to_decrypt_is_the_same(mode: enveloped.Mode) -> None:
    data = envelope(bytes(40), mode)
    key, content = (1, 0, 1, 0, 3), (1, 0, 2, 2)
    wrong_padding = [bent(content, lambda e: der.tlv(e.tag, e.value[:-16]), data)] if mode == "cbc" else []
    broken = [
        bent(key, flipped, data),
        bent(key, to(der.octets(b"")), data),
        bent(key, to(der.octets(bytes(120))), data),
        bent(key, to(der.octets(b"\x04" + bytes(112))), data),
        bent(content, lambda e: der.tlv(e.tag, e.value[:-1]), data),
        bent(content, to(der.implicit(0, b"")), data),
        *wrong_padding,
    ]
    told = set()
    for one in broken:
        with pytest.raises(Malformed) as caught:
            opened(one)
        told.add((caught.value.code, caught.value.zh, caught.value.en))
    assert told == {("decrypt-failed", "解密失败", "decryption failed")}
    stolen = Authority(INBOX.signer, INBOX.certificate)
    with pytest.raises(Malformed, match=r"^decrypt-failed\b"):
        open_enveloped(data, pki.signer("another").private, stolen.certificate, pki.PROVIDER)


def test_c06_a_signing_certificate_receives_nothing() -> None:
    with pytest.raises(Malformed, match=r"^recipient-usage\b"):
        envelope(recipients=[ONE.certificate])
    for_one = bent((1, 0, 1, 0, 1), to(cms.issuer_and_serial(ONE.certificate)), envelope())
    with pytest.raises(Malformed, match=r"^recipient-usage\b"):
        opened(for_one, ONE)


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        ((1, 0, 1, 0, 1), cms.issuer_and_serial(TWO.certificate), "not-recipient"),
        ((1, 0, 1, 0, 2), RSA, "key-algorithm"),
        ((1, 0, 2, 1), der.seq(der.oid("2.16.840.1.101.3.4.1.2"), der.octets(IV)), "content-algorithm"),
        ((1, 0, 2, 1, 1), der.octets(IV[:8]), "content-algorithm"),
        ((1, 0, 0), der.integer(3), "message-form"),
    ],
)
def test_what_stands_in_the_open_has_its_own_code(place: Sequence[int], value: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        opened(bent(place, to(value), envelope()))
    assert caught.value.code == code


def test_a_short_gcm_tag_is_refused() -> None:
    short = bent((1, 0, 2, 1, 1, 1), to(der.integer(4)), envelope(mode="gcm"))
    with pytest.raises(Malformed, match=r"^content-algorithm\b"):
        opened(short)


@pytest.mark.parametrize(("family", "version"), [(cms.GM, 1), (cms.PKCS7, 0)])
def test_versions_are_those_of_the_family(family: cms.Family, version: int) -> None:
    body = cms.body(envelope(family=family), "enveloped").as_seq()
    assert (body[0].as_int(), body[1].children()[0].as_seq()[0].as_int()) == (version, version)
    signed = cms.body(build_signed(CONTENT, [ONE], family=family), "signed").as_seq()
    assert (signed[0].as_int(), signed[4].children()[0].as_seq()[0].as_int()) == (1, 1)
    typed = cms.body(build_signed(CONTENT, [ONE], family=family, content_type="1.2.3.4"), "signed").as_seq()
    assert typed[0].as_int() == 3


# --- what few messages do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"\x30\x04\x30\x80\x05\x00\0\0", b"\x30\x82\x01", b"\x30\x04\x30\x84\x00\x00"])
def test_ber_that_runs_out_of_its_bounds_is_truncated(data: bytes) -> None:
    with pytest.raises(Malformed, match=r"^der-truncated\b"):
        ber.to_der(data)


def test_what_a_caller_gets_wrong_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="recipients"):
        envelope(recipients=[])
    with pytest.raises(ValueError, match="recipients"):
        build_enveloped(b"", [INBOX.certificate], pki.PROVIDER, key=KEY, iv=NONCE)
    other_id = Authority(dataclasses.replace(pki.signer("one"), signer_id=b"other"), ONE.certificate)
    with pytest.raises(ValueError, match="signer id"):
        build_signed(CONTENT, [other_id])


def test_an_envelope_for_a_certificate_of_another_algorithm_is_refused() -> None:
    foreign = der.seq(der.seq(der.oid("1.2.840.113549.1.1.1"), der.null()), der.bits(b"\x30\x00"))
    with pytest.raises(Malformed, match=r"^recipient-key\b"):
        envelope(recipients=[pki.certificate(spki=foreign)])


def signed_with(**attributes: bytes) -> bytes:
    """A signed message with one more attribute by object identifier (underscores for dots)."""
    return build_signed(CONTENT, [ONE], more={name[1:].replace("_", "."): value for name, value in attributes.items()})


def test_a_carried_list_that_cannot_be_read_is_passed_over() -> None:
    assert judged(build_signed(CONTENT, [ONE], lists=[der.seq(der.null())])).ok is True


def test_a_signing_time_that_is_none_is_not_shown() -> None:
    report = judged(signed_with(_1_2_840_113549_1_9_5=der.integer(1)))
    assert report.ok is True and report.signers[0].stated_time is None


def test_an_attribute_of_several_values_is_no_single_value() -> None:
    two = der.seq(der.oid(signed_data.SIGNING_TIME), der.set_of(der.utime(BORN), der.utime(DAY)))
    changed = bent((*INFO, 3), lambda e: der.tlv(0xA0, e.value + two))
    assert judged(changed).signers[0].stated_time is None


def test_a_data_content_that_is_no_octet_string_is_refused() -> None:
    assert codes(judged(bent((1, 0, 2, 1, 0), to(der.utf8("text"))))) == ["message-form"]


def test_other_content_types_may_lack_the_octet_string() -> None:
    data = build_signed(b"\x05\x00", [ONE], content_type="1.2.3.4")
    assert signed_data.parse(bent((1, 0, 2, 1, 0), to(der.seq(der.null())), data)).content == b"\x05\x00"


def test_more_signers_than_one_are_not_one() -> None:
    with pytest.raises(Malformed):
        _ = signed_data.parse(build_signed(CONTENT, [ONE, TWO])).only_signer


def test_unsigned_attributes_change_nothing() -> None:
    added = der.tlv(0xA1, attribute(signed_data.SIGNING_TIME, der.utime(BORN)))
    report = judged(bent(INFO, lambda e: der.tlv(e.tag, e.value + added)))
    assert report.ok is True and report.signers[0].stated_time is None
