"""The applicant's signature as evidence: every reason has a record that earns it; what is altered no longer fits."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.applicant_signature import NOTES, REJECTED, UNKNOWN, Believed, SignatureReport, judge
from schemas import applicant_signature as a
from schemas.errors import Invalid
from signing.errors import Rejected
from tests import pki
from tests.pki import BORN, DAY, DIES
from tests.unit.signing.test_picture_look import JPG, png

FORM, LETTER, OTHER = "ab" * 32, "cd" * 32, "ef" * 32
PERSON = "420104196001020019"
STROKES = [[(0, 10, 10, 500), (40, 20, 30, 520), (80, 30, 20, 0)], [(120 + 20 * n, n, n, 1) for n in range(8)]]
WRITTEN = a.Handwriting(a.Picture("image/png", png()), STROKES, "签字板 3 号")
BY_APP = a.AppConfirmation("鄂汇办", "u-1", "L3", FORM)
SCANNED = a.Scan(a.Picture("image/jpeg", JPG), "窗口员甲")
ANCHORED = Believed(anchors=[pki.root().certificate])
CLAIMED = a.Reliability("本人手写", "窗口签字板，本人操作", "附 SM2 签名", "绑定 SM3 摘要")


def record(evidence: Any = WRITTEN, **changes: Any) -> a.ApplicantSignature:
    fields = {
        "v": 1, "signer": "甄无名", "id_number": PERSON, "documents": [a.SignedFile("申请书", FORM)], "at": DAY,
        "where": "3 号窗口", "identity_check": "sight", "evidence": evidence, "reliability": CLAIMED,
    }  # fmt: skip
    return a.ApplicantSignature(**(fields | changes))


def vouched(one: a.ApplicantSignature, key: str = "signer", certificate: Any = None) -> a.ApplicantSignature:
    """With the pad system's signature over it."""
    der = (certificate or pki.leaf("signer")).der
    signature = pki.signer(key).sign(a.statement(one))
    return msgspec.structs.replace(one, attestation=a.Attestation(der, signature))


def event(key: str = "signer", certificate: Any = None, **changes: Any) -> a.ApplicantSignature:
    one = record(a.EventCertificate((certificate or pki.leaf("signer")).der), **changes)
    signature = pki.signer(key).sign(a.statement(one))
    return msgspec.structs.replace(one, evidence=msgspec.structs.replace(one.evidence, signature=signature))


def judged(one: a.ApplicantSignature, believed: Believed = ANCHORED, **changes: Any) -> SignatureReport:
    again = a.decode(a.encode(one))
    assert again == one
    fields = {"documents": {FORM, LETTER}, "people": {PERSON}, "at": DAY + timedelta(days=1)} | changes
    return judge(again, **fields, believed=believed, provider=pki.PROVIDER)


@pytest.mark.parametrize("one", [vouched(record()), vouched(record(BY_APP)), vouched(record(SCANNED)), event()])
def test_each_means_holds_where_something_vouches_for_it(one: a.ApplicantSignature) -> None:
    report = judged(one)
    assert report.ok is True and [note.code for note in report.notes] == ["partly-covered"]


def test_one_act_covers_many_documents() -> None:
    """F3: sign once, stamp many."""
    many = [a.SignedFile(f"文件{n}", f"{n:064x}") for n in range(100)]
    report = judged(event(documents=many), documents={one.sm3 for one in many})
    assert report.ok is True and report.notes == ()


def _drawn(picture: a.Picture) -> a.ApplicantSignature:
    return vouched(record(msgspec.structs.replace(WRITTEN, picture=picture)))


def _moved(strokes: Any) -> a.ApplicantSignature:
    return vouched(record(msgspec.structs.replace(WRITTEN, strokes=strokes)))


CASES: dict[str, tuple[a.ApplicantSignature, Believed, dict[str, Any], str]] = {
    "not a means of this item": (event(), Believed(ANCHORED.anchors, means=("scan",)), {}, "means-not-accepted"),
    "another case's documents": (event(), ANCHORED, {"documents": {OTHER}}, "no-document-covered"),
    "another person": (event(), ANCHORED, {"people": {"420104196001020027"}}, "not-the-applicant"),
    "tomorrow": (event(at=DAY + timedelta(days=3)), ANCHORED, {}, "signed-in-the-future"),
    "a picture that is not one": (_drawn(a.Picture("image/png", b"MZ")), ANCHORED, {}, "picture"),
    "a picture of another type": (_drawn(a.Picture("image/gif", png())), ANCHORED, {}, "picture"),
    "no trace": (_moved([]), ANCHORED, {}, "trace-empty"),
    "a trace that runs back": (_moved([STROKES[1], STROKES[0]]), ANCHORED, {}, "trace-time"),
    "a trace faster than a hand": (_moved([[(n, n, n, 1) for n in range(20)]]), ANCHORED, {}, "trace-time"),
    "no certificate": (record(a.EventCertificate(b"x", b"y")), ANCHORED, {}, "certificate-unreadable"),
    "signed by another key": (event(key="other"), ANCHORED, {}, "signature-wrong"),
    "vouched by another key": (vouched(record(), key="other"), ANCHORED, {}, "signature-wrong"),
    "an unknown root": (event(certificate=pki.leaf("signer", by=pki.root("stranger"))), ANCHORED, {}, "certificate"),
    "an expired certificate": (event(at=DIES + timedelta(days=1)), ANCHORED, {"at": DIES + timedelta(days=2)}, "certificate"),
    "nobody vouches": (record(), ANCHORED, {}, "unattested"),
    "nobody is believed": (event(), Believed(), {}, "anchors-unknown"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_reason_has_a_record_that_earns_it(case: str) -> None:
    one, believed, changes, code = CASES[case]
    report = judged(one, believed, **changes)
    assert [reason.code for reason in report.reasons] == [code]
    assert report.ok is (False if code in REJECTED else None)
    for reason in (*report.reasons, *report.notes):
        assert reason.zh and reason.en and "{" not in reason.zh + reason.en


def test_every_word_is_said() -> None:
    said = {code for *_, code in CASES.values()}
    assert REJECTED.keys() | UNKNOWN.keys() - {"certificate-unknown"} == said
    silent = vouched(record(reliability=a.Reliability(), witness="窗口员甲"))
    assert {note.code for note in judged(silent).notes} == NOTES.keys()


@pytest.mark.parametrize(
    "change",
    [
        {"signer": "别人"}, {"where": "家里"}, {"at": DAY - timedelta(hours=1)}, {"witness": "乙"},
        {"documents": [a.SignedFile("申请书", FORM), a.SignedFile("借条", OTHER)]}, {"reliability": a.Reliability()},
        {"identity_check": "face"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("one", [vouched(record()), event()])
def test_what_is_altered_no_longer_fits(one: a.ApplicantSignature, change: dict[str, Any]) -> None:
    report = judged(msgspec.structs.replace(one, **change))
    assert [reason.code for reason in report.reasons] == ["signature-wrong"]


def test_a_trace_or_picture_put_in_afterwards_no_longer_fits() -> None:
    one = vouched(record())
    traced = [[*STROKES[0][:-1], (90, 30, 20, 0)], STROKES[1]]
    for evidence in (
        msgspec.structs.replace(WRITTEN, strokes=traced),
        msgspec.structs.replace(WRITTEN, picture=a.Picture("image/png", png(9, 9))),
        BY_APP,
    ):
        assert judged(msgspec.structs.replace(one, evidence=evidence)).reasons[0].code == "signature-wrong"


GOOD = a.encode(vouched(record()))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{" * 9000, GOOD + b" ", GOOD[:-1], GOOD.replace(b'"v":1', b'"v":2'), GOOD.replace(b'"v":1', b'"v":1,"v":1'),
        GOOD.replace(b"handwriting", b"telepathy"), GOOD.replace("甄无名".encode(), b"\\u202e"), b" " * (a.MAX_BYTES + 1),
        GOOD.replace(b"2026-06-01T", b"2026-06-01T0"),
    ],
)  # fmt: skip
def test_what_is_not_a_record_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(Invalid) as error:
        a.decode(data)
    assert error.value.zh and error.value.en


@given(st.binary(max_size=200), st.integers(0, 3000))
def test_any_damage_is_refused_or_read_and_judged(junk: bytes, at: int) -> None:
    data = GOOD[:at] + junk + GOOD[at + len(junk) :]
    try:
        one = a.decode(data)
    except Invalid:
        return
    report = judge(one, {FORM}, {PERSON}, at=DAY, believed=ANCHORED, provider=pki.PROVIDER)
    assert report.ok is not True or data == GOOD


def test_times_are_utc() -> None:
    assert BORN.tzinfo is UTC
    with pytest.raises(Invalid):
        record(at=DAY.replace(tzinfo=None))
    assert isinstance(judged(record()).reasons[0], Rejected) is False
