"""Every defect an OFD document can have comes out under its own code, and every code has a document that shows it."""

from __future__ import annotations

import re
import time

import pytest

from signing import ofd_reasons
from signing.errors import Indeterminate, Malformed
from signing.ofd import MAX_REFERENCES, open_ofd, read_time, resolve
from signing.ofd_verify import OfdReport, verify_ofd
from signing.policy import CRL_IF_PRESENT
from tests import pki
from tests.sizes import ROOT
from tests.vectors.ofd.generate import PAGE, PLACE, VECTORS, Vector, description, stamped, twice, xml, zipped


def judge(vector: Vector) -> OfdReport:
    return verify_ofd(
        vector.data,
        at=vector.at,
        anchors=[pki.root().certificate] if vector.anchors else [],
        provider=pki.PROVIDER,
        policy=CRL_IF_PRESENT,
        uncovered="note" if vector.uncovered == "note" else "reject",
    )


@pytest.mark.parametrize("name", [name for name, vector in VECTORS.items() if not vector.refused])
def test_each_document_has_its_verdict(name: str) -> None:
    vector = VECTORS[name]
    report = judge(vector)
    assert report.codes == vector.codes
    assert [note.code for note in report.notes] == list(vector.notes)
    assert report.ok is vector.ok
    for reason in (*report.reasons, *report.notes):
        assert reason.zh and reason.en and "{" not in reason.zh + reason.en
    for one in report.signatures:
        outcomes = {
            getattr(one, group) for group in ("references", "coverage", "signature", "chain", "document", "window")
        }
        assert one.ok is not True or outcomes <= {"ok", "absent"}
        assert one.stamp is None or (one.stamp.verified is not None) is (one.stamp.ok is True)


@pytest.mark.parametrize("name", [name for name, vector in VECTORS.items() if vector.refused])
def test_F01_F02_F03_X01_X08_what_cannot_be_judged_is_refused_quickly(name: str) -> None:
    vector = VECTORS[name]
    began = time.perf_counter()
    with pytest.raises(Malformed) as caught:
        open_ofd(vector.data)
    assert time.perf_counter() - began < 1
    assert caught.value.code == vector.refused and caught.value.zh and caught.value.en


def test_every_code_has_a_document() -> None:
    said = {code for vector in VECTORS.values() for code in (*vector.codes, *vector.notes, vector.refused)}
    assert ofd_reasons.REJECTED.keys() | ofd_reasons.UNKNOWN.keys() | ofd_reasons.NOTES.keys() <= said
    sources = {name: (ROOT / f"signing/{name}.py").read_text("utf-8") for name in ("package", "ofd", "ofd_xml")}
    raised = {f"package-{what}" for what in re.findall(r'_wrong\("([a-z0-9]+)"', sources["package"])}
    raised |= {f"ofd-xml-{what}" for what in re.findall(r'_wrong\("([a-z]+)"', sources["ofd_xml"])}
    raised |= set(re.findall(r'Malformed\("([a-z-]+)"', sources["ofd"])) - {"ofd-references"}
    assert raised <= said


def test_too_many_references_are_that_signatures_fault() -> None:
    files = {f"{number}.xml": b"" for number in range(MAX_REFERENCES + 1)}
    (listed,) = open_ofd(zipped({**stamped(), PLACE: description(files)})).signatures
    assert listed.description is None and listed.fault is not None and listed.fault.code == "ofd-references"


def test_groups_of_checks_are_told_apart() -> None:
    def outcomes(name: str) -> tuple[str, ...]:
        one = judge(VECTORS[name]).signatures[0]
        return one.references, one.coverage, one.seal_file, one.signature, one.chain, one.document

    assert outcomes("good") == ("ok", "ok", "ok", "ok", "ok", "ok")
    assert outcomes("good-no-seal-file") == ("ok", "ok", "absent", "ok", "ok", "ok")
    assert outcomes("page-changed") == ("failed", "ok", "ok", "ok", "ok", "failed")
    assert outcomes("entry-uncovered") == ("ok", "failed", "ok", "ok", "ok", "failed")
    assert outcomes("seal-file-of-another") == ("failed", "ok", "failed", "ok", "ok", "failed")
    assert outcomes("description-changed") == ("ok", "ok", "ok", "ok", "ok", "failed")
    assert outcomes("root-unknown") == ("ok", "ok", "ok", "ok", "failed", "ok")
    assert judge(VECTORS["page-changed"]).signatures[0].codes == ("ofd-reference-digest",)
    assert outcomes("sign-bare-value") == ("ok", "ok", "absent", "unknown", "unknown", "unknown")


def test_findings_name_the_files() -> None:
    report = judge(VECTORS["page-changed"])
    assert report.reasons[0].zh == f"被保护的文件已被改动：{PAGE}" and PAGE in report.reasons[0].en
    report = judge(VECTORS["entry-uncovered"])
    assert report.signatures[0].uncovered == ("Doc_0/Pages/Page_1/Content.xml",)
    extra = {f"Doc_0/{n}.xml": b"" for n in range(9)}
    many = Vector("many", zipped({**stamped(), **extra}))
    assert "等 9 个" in judge(many).reasons[0].zh and "and 6 more" in judge(many).reasons[0].en


def test_one_bad_signature_does_not_hide_the_other() -> None:
    files = {name: data for name, data in stamped().items() if name != PAGE}
    report = judge(Vector("x", zipped({**files, PAGE: b"<x/>"})))
    assert report.ok is False and report.outcome("signature") == "ok" and report.outcome("document") == "failed"
    both = judge(VECTORS["good-two-signatures"])
    assert [one.ok for one in both.signatures] == [True, True] and both.version == "V4"
    unsigned = judge(VECTORS["unsigned"])
    assert isinstance(unsigned.reasons[0], Indeterminate) and unsigned.outcome("signature") == "absent"


def test_a_signature_that_cannot_be_read_has_its_place_and_no_files() -> None:
    files = twice()
    later = next(name for name in files if name.endswith("Sign_1/Signature.xml"))
    report = judge(Vector("x", zipped({**files, later: b"garbage"})))
    assert [one.codes for one in report.signatures] == [("ofd-uncovered",), ("ofd-signature-file",)]
    assert report.signatures[0].uncovered == (later.replace("Signature.xml", "SignedValue.dat"),)


def test_a_body_without_a_list_is_unsigned() -> None:
    assert open_ofd(zipped({"OFD.xml": xml("OFD", "<ofd:DocBody/>")})).signatures == ()


@pytest.mark.parametrize(
    ("location", "path"),
    [("/a/b.xml", "a/b.xml"), ("b.xml", "Doc_0/Signs/b.xml"), ("./b.xml", "Doc_0/Signs/b.xml"), ("../b", "Doc_0/b")],
)
def test_locations_start_at_the_root_or_at_the_file_that_names_them(location: str, path: str) -> None:
    assert resolve(location, "Doc_0/Signs/Signatures.xml") == path


@pytest.mark.parametrize("location", ["", "/", "..", "../../..", "/../a", "a//b", "a/", "a\\b", "/."])
def test_locations_that_lead_nowhere(location: str) -> None:
    with pytest.raises(Malformed):
        resolve(location, "Doc_0/Signatures.xml")


def test_the_three_forms_of_time() -> None:
    shown = {text: str(read_time(text)) for text in ("20201010151120", "20201004072855.302Z", "2026-08-04 10:08:09")}
    assert list(shown.values()) == [
        "2020-10-10 07:11:20+00:00",
        "2020-10-04 07:28:55+00:00",
        "2026-08-04 02:08:09+00:00",
    ]
    for text in ("", "2020", "20201310151120", "0001-01-01 00:00:00", "２０２０1010151120"):
        assert read_time(text) is None
