"""Seals and stamps that nobody here made: each comes out as the README beside the fixtures says."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from signing.ofd.verify import OfdReport, verify_ofd
from signing.policy import CRL_IF_PRESENT
from signing.seal import parse_seal, parse_stamp
from signing.sm3 import sm3
from signing.verify import SealReport, verify_seal, verify_stamp
from tests import pki
from tests.vectors.ofd import generate

IN_WINDOW = datetime(2021, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def seals(shared: Path) -> Path:
    folder = shared / "fixtures/seals"
    if not folder.is_dir():
        pytest.skip(f"no seal fixtures at {folder} (set TONGBAN_SHARED)")
    return folder


def judge_seal(data: bytes, at: datetime = IN_WINDOW) -> SealReport:
    return verify_seal(data, at=at, anchors=[], provider=pki.PROVIDER, policy=CRL_IF_PRESENT)


def judge_stamp(data: bytes, digest: bytes | None) -> SealReport:
    return verify_stamp(data, digest, at=NOW, anchors=[], provider=pki.PROVIDER, policy=CRL_IF_PRESENT)


@pytest.mark.parametrize(
    ("name", "version", "es_id"),
    [
        ("UserV1.esl", "V1", "40C8CDD24DEF43388B86E62CCE1D6832"),
        ("UserV4.esl", "V4", "51f044b76510434e9bc67a1185c2fba5"),
    ],
)
def test_seals_whose_signature_holds_and_whose_root_is_unknown(
    seals: Path, name: str, version: str, es_id: str
) -> None:
    report = judge_seal((seals / name).read_bytes())
    assert (report.version, report.signature, report.window) == (version, "ok", "ok")
    assert report.codes == ("seal-maker-untrusted-root",) and report.chain == "failed"
    assert report.seal is not None and report.seal.es_id == es_id and report.seal.picture.data.startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["UserV1.esl", "UserV4.esl"])
def test_an_old_seal_is_outside_its_window_today(seals: Path, name: str) -> None:
    report = judge_seal((seals / name).read_bytes(), NOW)
    assert report.signature == "ok" and report.window == "failed"
    assert "seal-expired" in report.codes and "seal-maker-untrusted-root" in report.codes


def test_V5_with_a_dummy_timestamp(seals: Path) -> None:
    report = judge_seal((seals / "UserV5_ts.esl").read_bytes(), NOW)
    assert (report.version, report.signature, report.window) == ("V5", "ok", "ok")
    assert [note.code for note in report.notes] == ["timestamp-unreadable"]
    assert "seal-maker-untrusted-root" in report.codes and "format" not in report.codes


def test_SESealData_parses_and_is_refused_for_its_signature(seals: Path) -> None:
    data = (seals / "SESealData.DER").read_bytes()
    assert parse_seal(data).property.name == "测试单位名称 合同专用章"
    report = judge_seal(data)
    assert report.codes[0] == "seal-signature" and report.signature == "failed" and report.ok is False
    assert "seal-unknown-critical-extension" in report.codes


def test_SignedValueV4_holds_but_fits_no_document(seals: Path) -> None:
    data = (seals / "SignedValueV4.dat").read_bytes()
    assert parse_stamp(data).data_hash == bytes(32)
    report = judge_stamp(data, sm3(b"any document"))
    assert (report.version, report.signature, report.document, report.window) == ("V4", "ok", "failed", "ok")
    assert report.codes == ("signer-untrusted-root", "document-digest", "seal-maker-untrusted-root")
    assert report.membership == "ok" and report.stamp_time == datetime(2020, 10, 12, 11, 14, 3, tzinfo=UTC)
    assert judge_stamp(data, None).document == "absent"


def test_the_stamp_and_seal_of_a_whole_document(seals: Path) -> None:
    """The digest a stamp covers is that of Signature.xml (GB/T 33190-2016 18.3); Seal.esl is the seal in the stamp."""
    with zipfile.ZipFile(seals / "SESV4SignDoc.ofd") as package:
        folder = "Doc_0/Signs/Sign_0/"
        stamp, seal, description = (
            package.read(folder + name) for name in ("SignedValue.dat", "Seal.esl", "Signature.xml")
        )
    assert parse_stamp(stamp).seal.raw == seal
    report = judge_stamp(stamp, sm3(description))
    assert (report.signature, report.document) == ("ok", "ok")
    assert "document-digest" not in report.codes and "stamp-signature" not in report.codes
    assert judge_stamp(stamp, sm3(description + b" ")).document == "failed"
    assert judge_seal(seal).signature == "ok"


def judge_ofd(data: bytes) -> OfdReport:
    return verify_ofd(
        data, at=NOW.replace(month=9), anchors=[], provider=pki.PROVIDER, policy=CRL_IF_PRESENT, uncovered="reject"
    )


def test_SESV4SignDoc_holds_as_a_whole_and_its_root_is_unknown(seals: Path) -> None:
    """Every file, the stamp and the seal verify; that nobody vouches for the test certificates is another matter."""
    report = judge_ofd((seals / "SESV4SignDoc.ofd").read_bytes())
    (one,) = report.signatures
    assert (one.description, one.references, one.coverage, one.seal_file) == ("ok", "ok", "ok", "ok")
    assert (one.signature, one.document, one.membership, one.uncovered) == ("ok", "ok", "ok", ())
    assert one.chain == "failed" and report.ok is False and (one.version, report.version) == ("V4", "V4")
    assert {"signer-untrusted-root", "seal-maker-untrusted-root"} <= set(one.codes)
    assert not any(code.startswith("ofd-") or code.endswith(("-signature", "-digest")) for code in one.codes)
    assert one.time == datetime(2026, 8, 4, 2, 8, 9, tzinfo=UTC)
    own = one.listed.description
    assert own is not None and len(own.references) == 5 and own.provider == "ofdrw-sign 2.4.0 ofdrw"
    assert [note.code for note in report.notes] == ["stamp-time-self-declared"]


def test_DigitalSign_opens_as_a_plain_signature_without_seal(seals: Path) -> None:
    """A bare r, s: the files are as they were signed, but nothing tells who signed."""
    report = judge_ofd((seals / "DigitalSign.ofd").read_bytes())
    (one,) = report.signatures
    assert one.listed.type == "Sign" and one.stamp is None and [note.code for note in one.notes] == ["ofd-no-seal"]
    assert (one.references, one.coverage, one.seal_file) == ("ok", "ok", "absent")
    assert report.ok is None and report.codes == ("ofd-signer-unknown",) and one.signature == "unknown"


@pytest.mark.parametrize("name", ["SESV4SignDoc.ofd", "DigitalSign.ofd"])
def test_a_changed_page_of_a_foreign_document_is_noticed(seals: Path, name: str) -> None:
    with zipfile.ZipFile(seals / name) as package:
        files = {item: package.read(item) for item in package.namelist() if not item.endswith("/")}
    page = "Doc_0/Pages/Page_0/Content.xml"
    assert judge_ofd(generate.zipped(files)).codes == judge_ofd((seals / name).read_bytes()).codes
    assert "ofd-reference-digest" in judge_ofd(generate.zipped({**files, page: files[page] + b" "})).codes
    assert "ofd-uncovered" in judge_ofd(generate.zipped({**files, "Doc_0/Extra.xml": b""})).codes


def test_one_changed_byte_of_what_is_signed_is_noticed(seals: Path) -> None:
    """The certificate behind it is vouched for by its root only, which is not at hand."""
    for name, digest in (("UserV4.esl", None), ("SignedValueV4.dat", bytes(32))):
        data = (seals / name).read_bytes()
        before = judge_seal(data) if digest is None else judge_stamp(data, digest)
        for place in range(0, 16_400, 97):
            changed = bytearray(data)
            changed[place] ^= 0x10
            report = judge_seal(bytes(changed)) if digest is None else judge_stamp(bytes(changed), digest)
            assert report.codes != before.codes, place
