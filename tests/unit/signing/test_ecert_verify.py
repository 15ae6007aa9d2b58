"""A certificate judged from its file: each thing that can be wrong under its own code, and what is only remarked on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from signing import ecert_data, ecert_reasons
from signing.ecert import Annotation, Permit
from signing.ecert_verify import FIELD, EcertPolicy, EcertReport, judge, status_at
from signing.errors import Indeterminate, Malformed, Rejected
from signing.issue import Authority
from signing.ofd.build import build_ofd
from signing.ofd.content import Document, Page
from signing.ofd.package_build import build_package
from signing.ofd.sign import finish, prepare, stamp
from signing.ofd.verify import verify_ofd
from signing.policy import CRL_IF_PRESENT
from signing.signed_build import build_signed
from tests import pki
from tests.ecerts import ISSUER, TYPE, sample
from tests.pki import DAY
from tests.unit.signing.test_ofd_sign import ANCHORS, STAMPER
from tests.vectors.ofd.generate import stamped, zipped
from tests.vectors.seals import generate as seals

STRICT = EcertPolicy(identifier="reject", issuer="reject")
LATER = DAY + timedelta(hours=1)
Pairs = tuple[tuple[str, str], ...]


def issuer() -> str:
    """A name that the test seal carries."""
    from signing.seal import parse_seal

    return parse_seal(STAMPER.seal).property.name


def pairs(**changed: Any) -> Pairs:
    return ecert_data.write(sample(issuer_name=issuer(), **changed))


def other(**by_key: str) -> Pairs:
    return tuple((key, by_key.get(key, value)) for key, value in pairs())


def judged(custom: Pairs, *, at: datetime = DAY, policy: EcertPolicy = FIELD, trusted: bool = True) -> EcertReport:
    made = stamp(build_ofd(Document((Page(210, 297, ()),), custom=custom)), STAMPER, at=DAY)
    assert isinstance(made, bytes)
    return judge(report(made, at=at, trusted=trusted), at=at, policy=policy)


def report(data: bytes, *, at: datetime = DAY, trusted: bool = True, uncovered: str = "reject"):  # type: ignore[no-untyped-def]
    return verify_ofd(
        data, at=at, anchors=ANCHORS if trusted else [], provider=pki.PROVIDER, policy=CRL_IF_PRESENT,
        uncovered="note" if uncovered == "note" else "reject",
    )  # fmt: skip


def codes(found: EcertReport) -> tuple[list[str], list[str]]:
    """The reasons, and the notes less what every self-dated stamp has."""
    notes = [
        note.code
        for note in found.notes
        if note.code not in ("stamp-time-self-declared", "ofd-no-seal", "ofd-time-self-declared")
    ]
    return [reason.code for reason in found.reasons], notes


def test_a_good_certificate_is_valid() -> None:
    found = judged(pairs())
    assert (found.ok, found.status, found.check_char, found.issuer, codes(found)) == (
        True,
        "valid",
        "ok",
        "ok",
        ([], []),
    )
    assert found.metadata == sample(issuer_name=issuer()) and str(found.identifier) == found.metadata.identifier


@pytest.mark.parametrize(
    ("custom", "said"),
    [
        (other(ZZBS=sample().identifier[:-1] + "?"), ["ecert-id-form"]),
        (other(ZZBS=sample().identifier[:-1] + "x"), ["ecert-id-check"]),
        (other(ZZLXDM=TYPE[:-1] + "1"), ["ecert-id-other-type"]),
        (other(ZZBFJGDM=ISSUER[:-1] + "1"), ["ecert-id-other-issuer"]),
        (other(ZZBS=sample().identifier.replace(".001.", ".1.")), ["ecert-id-version", "ecert-id-check"]),
    ],
)
def test_a_deviating_identifier_is_remarked_on_or_refused_as_told(custom: Pairs, said: list[str]) -> None:
    found = judged(custom)
    assert (found.ok, codes(found)) == (True, ([], said))
    found = judged(custom, policy=STRICT)
    assert (found.ok, codes(found)) == (False, (said, []))
    assert found.check_char == {"ecert-id-form": "absent", "ecert-id-check": "failed"}.get(said[-1], "ok")


def test_a_seal_of_somebody_else_is_refused_unless_told_otherwise() -> None:
    custom = ecert_data.write(sample())
    found = judged(custom)
    assert (found.ok, found.issuer, codes(found)) == (False, "failed", (["ecert-issuer-seal"], []))
    found = judged(custom, policy=EcertPolicy("note", "note"))
    assert (found.ok, found.issuer, codes(found)) == (True, "failed", ([], ["ecert-issuer-seal"]))


def test_a_certificate_that_names_no_issuer_is_nobodys() -> None:
    found = judged(tuple(pair for pair in pairs() if pair[0] != "ZZBFJG"))
    assert (found.ok, codes(found)) == (False, (["ecert-issuer-seal"], ["ecert-data-missing"]))
    assert any("ZZBFJG" in note.zh for note in found.notes)


def test_the_name_is_the_same_in_full_width_and_with_spaces() -> None:
    name = " ".join(issuer().replace("(", "（"))
    assert judged(tuple((key, name if key == "ZZBFJG" else value) for key, value in pairs())).ok is True


def test_a_bad_seal_is_the_first_reason_and_the_issuer_is_not_asked_about() -> None:
    found = judged(pairs(), trusted=False)
    assert found.ok is False and found.issuer == "unknown" and codes(found)[0][0] == "signer-untrusted-root"


def test_the_signers_certificate_may_carry_the_issuers_name() -> None:
    """A plain signature without a seal (Type=Sign)."""
    custom = tuple((key, "signer" if key == "ZZBFJG" else value) for key, value in pairs())
    prepared = prepare(build_ofd(Document((Page(210, 297, ()),), custom=custom)), at=DAY, kind="Sign")
    value = build_signed(prepared.digest, [Authority(pki.signer("signer"), seals.signer())], attributes=False)
    found = judge(report(build_package(finish(prepared, value))), at=DAY)
    assert "signer" in seals.signer().subject and (found.ok, found.issuer) == (True, "ok")


def test_metadata_that_no_seal_covers_are_not_believed() -> None:
    """Files that no signature covers may be allowed; the certificate's own words may not be among them."""
    first = b'<ofd:Reference FileRef="/OFD.xml">'
    files = stamped(lambda data: data[: data.index(first)] + data[data.index(b"</ofd:Reference>") + 16 :])
    body = build_ofd(Document((Page(210, 297, ()),), custom=pairs()))["OFD.xml"]
    signatures = b"<ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures></ofd:DocBody>"
    data = zipped({**files, "OFD.xml": body.replace(b"</ofd:DocBody>", signatures)})
    found = judge(report(data, uncovered="note"), at=DAY)
    assert found.seal.ok is True and (found.ok, codes(found)[0]) == (False, ["ecert-unprotected"])


DATES = [
    ({}, datetime(2026, 5, 31, 15, 59, 59, tzinfo=UTC), "not_yet_valid"),
    ({}, datetime(2026, 5, 31, 16, 0, 0, tzinfo=UTC), "valid"),
    ({}, datetime(2031, 5, 31, 15, 59, 59, tzinfo=UTC), "valid"),
    ({}, datetime(2031, 5, 31, 16, 0, 0, tzinfo=UTC), "expired"),
    ({"valid_to": None}, datetime(2999, 1, 1, tzinfo=UTC), "valid"),
]


@pytest.mark.parametrize(("changed", "at", "status"), DATES)
def test_a_validity_counts_in_days_of_beijing(changed: dict[str, Any], at: datetime, status: str) -> None:
    assert status_at(sample(**changed), at) == status


@pytest.mark.parametrize(
    ("changed", "at", "code"),
    [
        ({"valid_to": date(2026, 6, 1)}, DAY + timedelta(days=2), "ecert-expired"),
        ({"valid_from": date(2026, 6, 2)}, DAY, "ecert-not-yet-valid"),
        ({"annotation": Annotation("窗口", DAY, "核验", "银行", LATER)}, LATER, "ecert-copy-expired"),
    ],
)  # fmt: skip
def test_dates_refuse_whatever_the_seal_says(changed: dict[str, Any], at: datetime, code: str) -> None:
    found = judged(pairs(**changed), at=at)
    copy = ["ecert-copy"] if "annotation" in changed else []
    assert (found.seal.ok, found.ok, codes(found)) == (True, False, ([code], copy))


def test_a_copy_says_for_whom_and_for_what_it_was_made() -> None:
    found = judged(pairs(annotation=Annotation("窗口", DAY, "核验资格", "样章银行", LATER)))
    assert (found.ok, codes(found)) == (True, ([], ["ecert-copy"]))
    assert any("样章银行 核验资格" in note.zh for note in found.notes)


def test_W9_a_lapsed_permit_shows_and_the_last_one_ends_the_certificate() -> None:
    permits = tuple(
        Permit(str(n), name, "1", date(2026, 6, 1), date(2026, 6, n)) for n, name in ((2, "道路占用"), (5, "施工"))
    )
    at = DAY + timedelta(days=2)
    found = judged(pairs(permits=permits), at=at)
    assert [status for _, status in found.permits] == ["expired", "valid"]
    assert (found.ok, found.status, codes(found)) == (True, "valid", ([], ["ecert-permits-lapsed"]))
    assert any("道路占用" in note.zh and "施工" not in note.zh for note in found.notes)
    found = judged(pairs(permits=permits), at=DAY + timedelta(days=9))
    assert (found.status, codes(found)[0]) == ("expired", ["ecert-expired"])


def test_an_ofd_that_is_no_certificate_is_malformed() -> None:
    with pytest.raises(Malformed, match="ecert-none"):
        judge(report(zipped(stamped())), at=DAY)


def test_every_code_of_a_verdict_has_its_words() -> None:
    for code, (zh, en) in ecert_reasons.WORDS.items():
        assert ecert_reasons.rejected(code) == Rejected(code, zh, en)
        assert ecert_reasons.note(code, "x") == Indeterminate(code, zh.format(detail="x"), en.format(detail="x"))
