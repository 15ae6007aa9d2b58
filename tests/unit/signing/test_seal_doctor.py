"""The seal doctor: every objection has a defect that earns it, and none of it makes a bad seal good."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import der, oids, picture, sm2
from signing.certs import Extension
from signing.policy import CRL_IF_PRESENT
from signing.seal import ExtData, Picture
from signing.seal_build import build_seal
from signing.seal_doctor import CODES, OURS, Diagnosis, examine
from signing.seal_shape import SHAPES
from signing.sm3 import sm3
from signing.verify import verify_seal, verify_stamp
from tests import pki
from tests.pki import BORN, DAY
from tests.unit.signing.test_picture_look import png
from tests.unit.signing.test_shape_fuzz import reshaped
from tests.vectors.seals import generate as g

KEY = pki.signer("maker")
INFO = der.parse(g.seal()).as_seq()[0]


def codes(data: bytes) -> set[str]:
    return {one.code for one in examine(data, pki.PROVIDER).findings}


def pair(e: bytes) -> tuple[int, int]:
    return pki.PROVIDER.sign_digest(KEY.software, e)


def signed(e: bytes | None = None, value: bytes | None = None, info: bytes = INFO.raw, algorithm: bytes = b"") -> bytes:
    """A V4 seal whose signature is over this digest, or is these bytes."""
    signature = value if value is not None else der.encode_signature(*pair(e or _right(info)))
    return der.seq(info, der.octets(g.maker().der), algorithm or der.oid(oids.SM2_WITH_SM3), der.bits(signature))


def _right(message: bytes) -> bytes:
    return sm2.digest(KEY.public, message, sm2.DEFAULT_ID)


def changed(index: int, element: bytes) -> bytes:
    """Seal information with one member exchanged, signed as it should be."""
    return signed(info=g.with_member(INFO.raw, index, element))


def pictured(type_: str, data: bytes, width: int = 40, height: int = 40) -> bytes:
    return build_seal(
        KEY, g.maker().der, es_id="1", name="样章", certificates=[g.signer().der], created=BORN, valid_from=BORN,
        valid_until=DAY, picture=Picture(type_, data, width, height),
    )  # fmt: skip


def padded(data: bytes) -> bytes:
    """The outermost length with a superfluous octet."""
    size = len(data) - 4
    return b"\x30\x83\x00" + size.to_bytes(2, "big") + data[4:]


def with_time(element: bytes) -> bytes:
    return changed(2, g.property_with(5, element))


def raw(e: bytes = b"") -> bytes:
    r, s = pair(e or _right(INFO.raw))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def loose_signature() -> bytes:
    r, s = pair(_right(INFO.raw))
    return der.seq(*(der.tlv(2, b"\0\0" + one.to_bytes(32, "big")) for one in (r, s)))


def stamped(index: int, element: bytes) -> bytes:
    tbs = g.with_member(der.parse(g.stamp()).as_seq()[0].raw, index, element)
    return g.build_stamp(tbs, g.signer().der, pki.signer("signer").sign(tbs))


def stamp_signature(e: Callable[[bytes], bytes]) -> bytes:
    members = der.parse(g.stamp()).as_seq()
    r, s = pki.PROVIDER.sign_digest(pki.signer("signer").software, e(members[0].raw))
    return g.with_member(g.stamp(), 3, der.bits(der.encode_signature(r, s)))


def renumbered(stamp: bytes) -> bytes:
    """A V1 stamp that calls itself the third version, which is nobody's business."""
    tbs = g.with_member(der.parse(stamp).as_seq()[0].raw, 0, der.integer(3))
    return der.seq(tbs, der.bits(pki.signer("signer").sign(tbs)))


MEMBERS = [one.raw for one in INFO.as_seq()]
PLAIN = der.seq(der.seq(der.oid("1.2.3"), der.octets(b"x")))  # an extension list as DER has it
FALSE = der.seq(*MEMBERS, der.seq(der.seq(der.oid("1.2.3"), b"\x01\x01\x00", der.octets(b"x"))))
V1_COVERED = der.seq(INFO.raw, der.octets(g.maker().der), der.oid(oids.SM2_WITH_SM3))
NULL_SIGNED = der.seq(der.oid(oids.SM2_WITH_SM3), b"\x05\x00")
PADDED = pki.certificate(extensions=pki.extensions(Extension(oids.KEY_USAGE, True, bytes.fromhex("030200c6"))))
DEFECTS: dict[str, tuple[bytes, set[str]]] = {
    "PEM": (b"-----BEGIN SEAL-----\n" + base64.encodebytes(g.seal()) + b"-----END SEAL-----\n", {"text-wrapped"}),
    "a byte more": (g.seal() + b"\0", {"extra-bytes"}),
    "padded length": (padded(g.seal()), {"loose-lengths"}),
    "explicit false": (signed(info=FALSE), {"explicit-false"}),
    "boolean 01": (signed(info=FALSE.replace(b"\x01\x01\x00", b"\x01\x01\x01")), {"boolean-form", "not-a-seal"}),
    "integer padded": (changed(0, der.seq(der.ia5("ES"), b"\x02\x02\x00\x04", der.ia5("v"))), {"integer-form", "not-a-seal"}),
    "time with offset": (with_time(der.tlv(der.GENERALIZED_TIME, b"20260101000000+0800")), {"time-form", "not-a-seal"}),
    "time with fraction": (with_time(der.tlv(der.GENERALIZED_TIME, b"20260101000000.5Z")), {"time-form"}),
    "two-digit year": (with_time(der.utime(BORN)), {"utc-time"}),
    "text": (changed(1, der.tlv(der.IA5, b"\xff1")), {"text-form", "not-a-seal"}),
    "NULL parameters": (signed(algorithm=NULL_SIGNED), {"null-parameters", "not-a-seal"}),
    "unused bits": (g.with_member(g.seal(), 3, der.tlv(3, b"\x01\x30\x00")), {"unused-bits", "signature-none", "not-a-seal"}),
    "part": (signed(info=der.seq(*MEMBERS, b"\x30\x03\x02\x09\x00")), {"unreadable-part", "not-a-seal"}),
    "certificate unreadable": (g.with_member(g.seal(), 1, der.octets(b"x")), {"unreadable-part"}),
    "key usage padded": (g.with_member(g.seal(), 1, der.octets(PADDED.der)), {"key-usage-padded", "signature-none"}),
    "nonsense": (b"\x30\x00", {"not-a-seal"}),
    "wrong signature": (g.seal(key="other"), {"signature-none"}),
    "empty id": (signed(sm2.digest(KEY.public, INFO.raw, b"")), {"signature-empty-id"}),
    "no Z_A": (signed(sm3(INFO.raw)), {"signature-no-za"}),
    "digest signed": (signed(_right(sm3(INFO.raw))), {"signature-of-digest"}),
    "V1 bytes": (signed(_right(V1_COVERED)), {"signature-other-version"}),
    "re-encoded": (signed(_right(der.seq(*MEMBERS, PLAIN)), info=FALSE), {"signature-re-encoded", "explicit-false"}),
    "raw": (signed(value=raw()), {"signature-raw"}),
    "loose DER": (signed(value=loose_signature()), {"signature-loose-der"}),
    "loose DER of three": (signed(value=der.seq(*[b"\x02\x02\x00\x01"] * 3)), {"signature-none"}),
    "swapped": (signed(value=der.encode_signature(*reversed(pair(_right(INFO.raw))))), {"signature-swapped"}),
    "raw, no Z_A": (signed(value=raw(sm3(INFO.raw))), {"signature-raw", "signature-no-za"}),
    "stamp without Z_A": (stamp_signature(sm3), {"signature-no-za"}),
    "301.1": (signed(algorithm=der.oid(oids.SM2_SIGN)), {"algorithm-sm2-sign"}),
    "301": (signed(algorithm=der.oid(oids.SM2_CURVE)), {"algorithm-curve"}),
    "ECDSA": (signed(algorithm=der.oid("1.2.840.10045.4.3.2")), {"algorithm-other"}),
    "picture type": (pictured("GIF", png()), {"picture-type"}),
    "picture of nothing": (pictured("PNG", b"MZ"), {"picture-unknown"}),
    "picture cut off": (pictured("PNG", png()[:30]), {"picture-truncated"}),
    "picture and more": (pictured("PNG", png() + b"MZ"), {"picture-extra"}),
    "picture without size": (pictured("PNG", png(0, 1)), {"picture-size"}),
    "picture with a script": (pictured("SVG", b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>'), {"picture-active"}),
    "picture of a metre": (pictured("PNG", png(), 1000, 1000), {"picture-millimetres"}),
    "picture squeezed": (pictured("PNG", png(8, 8), 40, 20), {"picture-shape"}),
    "header version": (changed(0, der.seq(der.ia5("ES"), der.integer(9), der.ia5("v"))), {"header-version"}),
    "nobody may stamp": (g.seal(certificates=()), {"no-certificates"}),
    "maker in the list": (g.seal(certificates=(g.maker(), g.signer())), {"maker-in-list"}),
    "window inverted": (g.seal(starts=DAY, ends=BORN), {"window-inverted"}),
    "critical extension": (g.seal(extensions=(ExtData("1.2.3", True, b""),)), {"critical-extension"}),
    "digest of 20 bytes": (g.stamp(digest=bytes(20)), {"digest-size"}),
    "stamp version": (stamped(0, der.integer(3)), {"stamp-version"}),
    "V1 time": (g.with_v1_time(b"yesterday"), {"time-information"}),
}  # fmt: skip


USUAL = codes(g.seal()) | codes(g.stamp())  # their picture is a test's


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_named(defect: str) -> None:
    data, expected = DEFECTS[defect]
    assert expected <= codes(data) <= expected | USUAL


@pytest.mark.parametrize(
    "data",
    [
        g.seal(),
        g.seal(form="V1"),
        g.stamp(),
        g.stamp(form="V1"),
        g.digest_list(g.signer()),
        renumbered(g.stamp(form="V1")),
    ],
)
def test_what_is_sound_earns_no_objection_but_to_its_test_picture(data: bytes) -> None:
    assert codes(data) <= {"picture-type", "picture-unknown", "picture-truncated"}


def test_every_objection_has_a_defect() -> None:
    named = set().union(*(expected for _, expected in DEFECTS.values()))
    assert SHAPES.keys() | CODES.keys() | picture.FAULTS.keys() == named


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_wrong_way_of_signing_is_named_and_never_accepted(defect: str) -> None:
    """S-rows: what the doctor explains, the verifier still refuses, and says so beside the finding."""
    data, expected = DEFECTS[defect]
    found = examine(data, pki.PROVIDER)
    for one in found.findings:
        assert one.zh and one.en and "{" not in one.zh + one.en
        of_the_whole = {"text-wrapped", "extra-bytes", "loose-lengths", "not-a-seal", "unreadable-part"}
        assert one.where.startswith(("印章 seal", "签章 stamp")) or one.code in of_the_whole
    if not any(code.startswith("signature-") for code in expected):
        return
    common: dict[str, Any] = {
        "at": DAY,
        "anchors": [pki.root().certificate],
        "provider": pki.PROVIDER,
        "policy": CRL_IF_PRESENT,
    }
    verified = verify_stamp(data, g.DIGEST, **common) if found.kind == "stamp" else verify_seal(data, **common)
    assert verified.ok is False
    assert all(OURS in one.readers for one in found.findings if one.code.startswith("signature-"))


def test_what_is_neither_is_called_nothing() -> None:
    assert replace(examine(b"\x30\x00", pki.PROVIDER), findings=()) == Diagnosis("", "", False, ())
    for data, kind, version in ((g.seal(), "seal", "V4"), (g.stamp(form="V1"), "stamp", "V1")):
        assert replace(examine(data, pki.PROVIDER), findings=()) == Diagnosis(kind, version, True, ())
        assert replace(examine(data + b"x", pki.PROVIDER), findings=()) == Diagnosis(kind, version, False, ())


class Deaf(pki.FixedNonce):
    """Holds no signature for right, and is quick about it."""

    def verify_digest(self, public: object, e: bytes, r: int, s: int) -> bool:
        return False


@pytest.mark.parametrize("form", ["V1", "V4"])
@pytest.mark.parametrize("make", [g.seal, g.stamp])
def test_any_reshaped_structure_gives_findings_and_never_a_traceback(make: Callable[..., bytes], form: str) -> None:
    deaf = Deaf(pki.PROVIDER)
    for one in reshaped(make(form=form)):
        assert isinstance(examine(one, deaf), Diagnosis)


def test_certificates_inside_are_looked_at_too() -> None:
    with_null = g.with_member(g.maker().der, 1, NULL_SIGNED)
    found = examine(g.with_member(g.seal(), 1, der.octets(with_null)), pki.PROVIDER).findings
    assert [one.where for one in found if one.code == "null-parameters"] == ["印章 seal: 证书 certificate"]
    for broken in (b"x", b"\x30\x03\x02\x09\x00"):
        found = examine(g.with_member(g.seal(), 1, der.octets(broken)), pki.PROVIDER).findings
        assert [one.where for one in found if one.code == "unreadable-part"] == ["印章 seal: 证书 certificate"]
    lawful = der.seq(der.tlv(der.UTC_TIME, b"2601010000Z"), der.utime(BORN), der.tlv(der.BIT_STRING, b"\x01\x00"))
    assert codes(g.with_member(g.seal(), 1, der.octets(lawful))) <= USUAL


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1500), st.binary(min_size=1, max_size=4), st.booleans())
def test_any_damage_gives_findings_and_never_a_traceback(at: int, junk: bytes, cut: bool) -> None:
    whole = g.stamp()
    data = whole[:at] if cut else whole[:at] + junk + whole[at + len(junk) :]
    found = examine(data, pki.PROVIDER)
    assert isinstance(found, Diagnosis)
    assert found.findings or not cut or at >= len(whole), (
        "damage in a certificate's own signature is the verifier's affair"
    )


@given(st.binary(max_size=300))
def test_any_bytes_give_findings(data: bytes) -> None:
    assert examine(data, pki.PROVIDER).findings
