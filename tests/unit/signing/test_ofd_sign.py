"""OFD documents sealed and signed: what is made verifies, an outside eye finds the same digests, what may not stamp does not."""

from __future__ import annotations

import base64
import subprocess
from datetime import timedelta, timezone

import pytest
from hypothesis import given, settings
from lxml import etree

from signing import ecert_data
from signing.errors import Malformed, Rejected
from signing.issue import Authority
from signing.ofd import custom as ofd_custom
from signing.ofd.build import build_ofd
from signing.ofd.container import Annotation, Description, open_ofd
from signing.ofd.content import Attachment, Document, Page
from signing.ofd.package_build import build_package
from signing.ofd.sign import finish, prepare, stamp
from signing.ofd.verify import OfdReport, verify_ofd
from signing.oids import SM3
from signing.policy import CRL_IF_PRESENT
from signing.seal import parse_stamp
from signing.signed_build import build_signed
from signing.sm3 import sm3
from signing.stamper import LocalStamper
from tests import pki
from tests.ecerts_any import metadata
from tests.pki import DAY, DIES
from tests.vectors.ofd.generate import NAMESPACE, signed_data, zipped
from tests.vectors.seals import generate as seals

ANCHORS = [pki.root().certificate]
STAMPER = LocalStamper(pki.signer("signer"), seals.signer(), seals.seal(), ANCHORS, CRL_IF_PRESENT)
PLAIN = Document(
    (Page(210, 297, ()),), attachments=(Attachment("数据", "text/plain", b"x"),), custom=(("ZZMC", "样章"),)
)
WHERE = Annotation("s001", "1", "140 220 42 42")


def judge(data: bytes) -> OfdReport:
    return verify_ofd(data, at=DAY, anchors=ANCHORS, provider=pki.PROVIDER, policy=CRL_IF_PRESENT, uncovered="reject")


def sealed(document: Document = PLAIN, seal: bytes = b"") -> bytes:
    made = stamp(build_ofd(document), STAMPER, at=DAY, annotations=(WHERE,), seal=seal, company="样章·测试无效")
    assert isinstance(made, bytes)
    return made


@pytest.mark.parametrize("seal", [b"", seals.seal()])
def test_what_is_sealed_verifies_with_every_file_covered(seal: bytes) -> None:
    report = judge(sealed(seal=seal))
    assert (report.ok, report.codes, report.outcome("coverage")) == (True, (), "ok")
    (one,) = report.ofd.signatures
    said = one.description
    assert isinstance(said, Description) and said.annotations == (WHERE,) and said.time == DAY
    assert said.check_method == SM3 and said.provider == "Tongban 1 样章·测试无效"
    assert {reference.path for reference in said.references} == {
        "OFD.xml", "Doc_0/Document.xml", "Doc_0/Pages/Page_0/Content.xml", "Doc_0/Attachs/Attachment_1.bin",
        "Doc_0/Attachs/Attachments.xml", *(["Doc_0/Signs/Sign_0/Seal.esl"] if seal else []),
    }  # fmt: skip
    assert report.outcome("seal_file") == ("ok" if seal else "absent")


@settings(max_examples=25)
@given(metadata())
def test_a_sealed_certificate_gives_its_metadata_back(data) -> None:  # type: ignore[no-untyped-def]
    document = Document((Page(210, 297, ()),), custom=ecert_data.write(data))
    report = judge(sealed(document))
    assert report.ok is True
    assert ecert_data.read(ofd_custom.custom_data(report.ofd.package)).metadata == data


@pytest.mark.processes
def test_openssl_recomputes_every_digest(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The foreign eye: SM3 by the openssl command over files that Python's own zip reader took out."""
    package = tmp_path / "a.ofd"
    package.write_bytes(sealed(seal=seals.seal()))
    subprocess.run(["python3", "-m", "zipfile", "-e", str(package), str(tmp_path)], check=True)

    def digest(name: str) -> bytes:
        done = subprocess.run(
            ["openssl", "dgst", "-sm3", "-binary", str(tmp_path / name)], capture_output=True, check=True
        )
        return done.stdout

    place = "Doc_0/Signs/Sign_0/Signature.xml"
    names = {"o": "http://www.ofdspec.org/2016"}
    said = etree.parse(str(tmp_path / place)).findall(".//o:Reference", names)
    assert len(said) == 6
    for one in said:
        assert base64.b64decode(one.findtext("o:CheckValue", "", names)) == digest(
            one.get("FileRef", "").removeprefix("/")
        )
    value = parse_stamp((tmp_path / "Doc_0/Signs/Sign_0/SignedValue.dat").read_bytes())
    assert value.data_hash == digest(place) and value.property_info == f"/{place}"


def test_one_changed_byte_of_any_file_is_found() -> None:
    opened = open_ofd(sealed(seal=seals.seal()))
    files = {name: opened.package.read(name) for name in opened.package.digests}
    for name, data in files.items():
        if data and not name.endswith(".xml"):
            assert judge(build_package({**files, name: bytes([data[0] ^ 1]) + data[1:]})).ok is False


def test_C24_an_other_system_may_stamp_at_another_time() -> None:
    """Prepared here, the digest handed out, the stamp that comes back put in; from a clock of another zone."""
    prepared = prepare(build_ofd(PLAIN), at=DAY.astimezone(timezone(-timedelta(hours=5))))
    assert prepared.value not in prepared.files
    assert prepared.digest == sm3(prepared.files["Doc_0/Signs/Sign_0/Signature.xml"])
    made = STAMPER.stamp(prepared.digest, prepared.property_info, DAY)
    assert isinstance(made, bytes)
    assert judge(build_package(finish(prepared, made))).ok is True
    other = STAMPER.stamp(sm3(b"another document"), prepared.property_info, DAY)
    assert isinstance(other, bytes)
    assert "document-digest" in judge(build_package(finish(prepared, other))).codes


def test_a_plain_signature_after_a_seal_leaves_the_seal_good() -> None:
    opened = open_ofd(sealed())
    before = {name: opened.package.read(name) for name in opened.package.digests}
    prepared = prepare(before, at=DAY, kind="Sign")
    by = Authority(pki.signer("signer"), seals.signer())
    files = finish(prepared, build_signed(prepared.digest, [by], attributes=False))
    assert {name for name in before if files[name] != before[name]} == {"Doc_0/Signs/Signatures.xml"}
    report = judge(build_package(files))
    assert report.ok is True and [(one.listed.id, one.listed.type) for one in report.signatures] == [
        ("s001", "Seal"),
        ("s002", "Sign"),
    ]


def test_a_document_whose_list_is_named_and_not_there_gets_one() -> None:
    files = build_ofd(PLAIN)
    named = files["OFD.xml"].replace(
        b"</ofd:DocBody>", b"<ofd:Signatures>Doc_0/S/List.xml</ofd:Signatures></ofd:DocBody>"
    )
    prepared = prepare({**files, "OFD.xml": named}, at=DAY, kind="Sign")
    assert prepared.place == "Doc_0/S/Sign_0/Signature.xml" and prepared.files["OFD.xml"] == named
    assert judge(build_package(finish(prepared, signed_data(prepared.digest)))).ok is True


def test_C23_the_stampers_refusal_comes_back() -> None:
    assert isinstance(stamp(build_ofd(PLAIN), STAMPER, at=DIES + timedelta(days=1)), Rejected)


@pytest.mark.parametrize("files", [{}, {"OFD.xml": b"<x/>"}, {"OFD.xml": f"<ofd:OFD {NAMESPACE}/>".encode()}])
def test_what_is_no_ofd_is_not_signed(files: dict[str, bytes]) -> None:
    with pytest.raises(Malformed):
        prepare(files, at=DAY)
    assert zipped(files)
