"""Every defect an OFD document can have comes out under its own code, and every code has a document that shows it."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from signing.errors import Indeterminate, Malformed
from signing.ofd import reasons as ofd_reasons
from signing.ofd.container import MAX_REFERENCES, open_ofd
from signing.ofd.verify import OfdReport, verify_ofd
from signing.policy import CRL_IF_PRESENT
from tests import pki
from tests.sizes import ROOT
from tests.unit.signing.said import whole
from tests.unit.signing.test_seal_statuses import DEMANDED, said
from tests.vectors.ofd.foreign import ALL as VECTORS
from tests.vectors.ofd.generate import (
    PAGE,
    PLACE,
    Vector,
    description,
    signed,
    signed_data,
    stamped,
    twice,
    zipped,
)
from tests.vectors.seals import generate as seals


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
        assert whole(reason, ofd_reasons.REJECTED, ofd_reasons.NOTES, ofd_reasons.UNKNOWN)
    for one in report.signatures:
        outcomes = {
            getattr(one, group) for group in ("references", "coverage", "signature", "chain", "document", "window")
        }
        assert one.ok is not True or outcomes <= {"ok", "absent"}
        assert one.stamp is None or (one.stamp.verified is not None) is (one.stamp.ok is True)


@pytest.mark.parametrize("name", [name for name, vector in VECTORS.items() if vector.refused])
def test_F01_F02_F03_X01_X08_what_cannot_be_judged_is_refused_quickly(name: str) -> None:
    vector = VECTORS[name]
    began = time.process_time()
    with pytest.raises(Malformed) as caught:
        open_ofd(vector.data)
    assert time.process_time() - began < 5
    assert caught.value.code == vector.refused and caught.value.zh and caught.value.en


def test_every_code_has_a_document() -> None:
    named = {code for vector in VECTORS.values() for code in (*vector.codes, *vector.notes, vector.refused)}
    assert ofd_reasons.REJECTED.keys() | ofd_reasons.UNKNOWN.keys() | ofd_reasons.NOTES.keys() <= named
    sources = {name: (ROOT / f"signing/ofd/{name}.py").read_text("utf-8") for name in ("package", "container", "xml")}
    raised = {f"package-{what}" for what in re.findall(r'_wrong\("([a-z0-9]+)"', sources["package"])}
    raised |= {f"ofd-xml-{what}" for what in re.findall(r'_wrong\("([a-z]+)"', sources["xml"])}
    raised |= set(re.findall(r'Malformed\("([a-z-]+)"', sources["container"])) - {"ofd-references"}
    assert raised <= named


def test_too_many_references_are_that_signatures_fault() -> None:
    files = {f"{number}.xml": b"" for number in range(MAX_REFERENCES + 1)}
    (listed,) = open_ofd(zipped({**stamped(), PLACE: description(files)})).signatures
    assert isinstance(listed.description, Malformed) and listed.description.code == "ofd-references"


def test_groups_of_checks_are_told_apart() -> None:
    def others(name: str) -> tuple[str, ...]:
        one = judge(VECTORS[name]).signatures[0]
        return one.description, one.window, one.membership, one.signer_subject[:10]

    assert others("good") == ("ok", "ok", "ok", "CN=signer,")
    assert others("good-signed-data") == ("ok", "absent", "absent", "CN=signer,")
    assert others("sign-no-certificate") == ("ok", "absent", "absent", "")
    assert others("description-missing") == ("failed", "unknown", "unknown", "")

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
    beside = Vector("x", zipped({**signed(signed_data), "Doc_0/more.xml": b""}))
    assert judge(beside).signatures[0].uncovered == ("Doc_0/more.xml",)
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
    assert report.codes == ("ofd-uncovered", "ofd-signature-file") and "XML" in report.reasons[1].en
    assert report.signatures[0].uncovered == (later.replace("Signature.xml", "SignedValue.dat"),)


def test_the_document_is_as_good_as_its_worst_signature() -> None:
    report = judge(VECTORS["good"])
    (one,) = report.signatures
    for worse, better in pairwise(("failed", "unknown", "ok", "absent")):
        both = tuple(replace(one, signature=value) for value in (better, worse))  # type: ignore[arg-type]
        assert replace(report, signatures=both).outcome("signature") == worse


def test_C04_the_online_status_of_an_ofds_signers_counts() -> None:
    data = zipped(stamped())
    against = {"at": seals.LATER, "anchors": [pki.root().certificate], "provider": pki.PROVIDER, "uncovered": "reject"}
    clear = said(seals.maker(), seals.signer())
    assert verify_ofd(data, statuses=[clear], policy=DEMANDED, **against).ok is True  # type: ignore[arg-type]
    assert verify_ofd(data, policy=DEMANDED, **against).ok is None  # type: ignore[arg-type]
    against |= {"at": seals.LATER + timedelta(days=2), "statuses": [clear], "policy": DEMANDED}
    assert verify_ofd(data, **against).ok is None  # type: ignore[arg-type]
    assert verify_ofd(data, lists_as_of=seals.LATER, **against).ok is True  # type: ignore[arg-type]
