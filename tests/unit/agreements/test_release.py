"""What of a certificate another party may see: by one line, for one purpose, in one way; everything else with its clause."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreements import samples
from agreements.diff import diff
from agreements.load import parse
from agreements.model import CertificateLine
from agreements.problems import AgreementError
from agreements.refuse import Refusal
from agreements.release import NEARNESS, Release, ReleaseRequest, decide_release
from tests.unit.agreements.places import NOW, A, B, agreement, book, held

C = samples.lab_party("430602")
SCAN = CertificateLine(
    "第九条第一款", [samples.LICENCE], [A, B], [A, B], ["ZZBH", "CZZT"], ["scan"], [samples.INSPECTION]
)


def asked(**fields: Any) -> ReleaseRequest:
    """红谷滩's inspector scans a licence that 硚口 issued."""
    return ReleaseRequest(
        **{
            "issuer": A, "to": B, "type_code": samples.LICENCE, "use": "scan", "purpose": samples.INSPECTION, **fields,
        }
    )  # fmt: skip


def refused(*held_ones: Any, now: datetime = NOW, **fields: Any) -> Refusal:
    answer = decide_release(asked(**fields), book(*held_ones), now)
    assert isinstance(answer, Refusal), answer
    return answer


def test_W7_an_inspector_sees_the_fields_of_the_line_and_no_more() -> None:
    answer = decide_release(asked(), book(), NOW)
    assert answer == Release(
        samples.AGREEMENT_ID, 1, "第九条第一款", ("ZZBH", "CZZT"), "scan", samples.INSPECTION
    )  # fmt: skip
    assert answer.shows("CZZT") and not answer.shows("CZZTDM") and not answer.whole


def test_W5_a_window_gets_the_whole_for_the_purpose_of_its_case() -> None:
    answer = decide_release(asked(use="fetch", purpose=samples.PURPOSE), book(), NOW)
    assert isinstance(answer, Release) and answer.whole and answer.shows("anything") and answer.clause == "第九条第二款"


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "a type that no line names": ({"type_code": "11100000000013338W001"}, "certificate-not-agreed"),
    "one's own": ({"to": A}, "no-agreement-with-place"),
    "a stranger": ({"to": C}, "no-agreement-with-place"),
    "another use": (
        {"use": "verify", "purpose": samples.INSPECTION, "type_code": samples.LICENCE},
        "purpose-not-agreed",
    ),
    "a use that no line has": ({"type_code": samples.IDENTITY_CARD}, "use-not-agreed"),
    "another purpose": ({"purpose": samples.PURPOSE}, "purpose-not-agreed"),
    "before its term": ({"now": datetime(2020, 1, 1, tzinfo=UTC)}, "agreement-not-in-force"),
    "after its term": ({"now": datetime(2040, 1, 1, tzinfo=UTC)}, "agreement-expired"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_A14_a_refusal_names_its_clause(case: str) -> None:
    fields, code = REFUSALS[case]
    answer = refused(**fields)
    assert answer.code == code and answer.zh and answer.en
    assert bool(answer.clause) is (code != "no-agreement-with-place")


def test_an_agreement_that_not_all_signed_or_that_was_replaced_releases_nothing() -> None:
    assert refused(held(signed_by=frozenset({A}))).code == "agreement-not-signed-by-both"
    newer = held(version=2, certificates=())
    dropped = refused(held(), newer)
    assert dropped.code == "certificate-not-agreed" and "第2版" in dropped.zh, "the version in force explains"
    other = held(
        version=2, certificates=(CertificateLine("第九条", [samples.LICENCE], [B], [A], ["ZZBH"], ["scan"], []),)
    )
    assert refused(held(), other).code == "certificate-not-agreed", "the other direction only"


def test_every_code_has_been_seen() -> None:
    narrower = CertificateLine("第九条第一款", [samples.LICENCE], [A, B], [A, B], ["ZZBH"], ["verify"], ["x"])
    replaced = refused(held(), held(version=2, in_force=date(2025, 1, 1), certificates=(narrower,)))
    assert replaced.code == "use-not-agreed", "of the two versions, the one in force explains"
    over = book(held(), held(version=2, certificates=(SCAN,), expires=date(2025, 1, 1)))
    assert refused(*over.held).code == "agreement-expired"
    seen = {code for _, code in REFUSALS.values()} | {refused(held(signed_by=frozenset({A}))).code}
    assert seen | {"agreement-superseded"} == set(NEARNESS)


def test_an_agreement_signed_before_there_were_such_lines_reads_and_releases_nothing() -> None:
    older = held(certificates=())
    assert older.agreement.certificates == [] and older.agreement.clauses.certificates == ""
    answer = refused(older)
    assert answer.code == "certificate-not-agreed" and "第二条" in answer.clause


def test_of_several_lines_the_one_that_shows_most_is_taken() -> None:
    more = CertificateLine("第九条第三款", [samples.LICENCE], [A], [B], ["ZZBH", "CZZT", "CZZTDM"], ["scan"], [])
    answer = decide_release(asked(purpose=samples.PURPOSE), book(held(certificates=(SCAN, more))), NOW)
    assert isinstance(answer, Release) and answer.clause == "第九条第三款", "its purposes are those of the agreement"
    assert decide_release(asked(), book(held(certificates=(SCAN, more))), NOW).clause == "第九条第一款"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"issuers": [C]}, "certificate-party"),
        ({"issuers": [A], "to": [A]}, "certificate-alone"),
        ({"fields": ["*", "CZZT"]}, "certificate-fields"),
        ({"fields": ["CZZT", "CZZT"]}, "certificate-twice"),
        ({"fields": ["持有人"]}, "wrong-form"),
        ({"types": ["11100000MB0143028R00"]}, "wrong-form"),
        ({"types": []}, "empty"),
        ({"uses": ["print"]}, "not-allowed"),
    ],
)
def test_a_line_that_cannot_be_meant_is_refused_with_its_place(change: dict[str, Any], code: str) -> None:
    line = CertificateLine(**{name: getattr(SCAN, name) for name in SCAN.__struct_fields__} | change)
    with pytest.raises(AgreementError) as caught:
        agreement(certificates=(line,))
    assert caught.value.code == code and "certificate[0]" in caught.value.where


def test_lines_want_their_clause_and_each_its_own() -> None:
    with pytest.raises(AgreementError) as caught:
        agreement(lambda text: text.replace('certificates = "第九条"\n', ""))
    assert caught.value.code == "certificate-clause"
    with pytest.raises(AgreementError) as caught:
        agreement(certificates=(SCAN, SCAN))
    assert caught.value.code == "certificate-clause-twice"


def test_the_difference_of_two_versions_names_what_more_is_shown() -> None:
    wider = CertificateLine(
        "第九条第一款", [samples.LICENCE], [A, B], [A, B], ["ZZBH", "CZZTDM"], ["scan"], ["行政检查"]
    )
    changes = {change.key: change for change in diff(agreement(certificates=(SCAN,)), agreement(certificates=(wider,)))}
    assert changes.keys() == {"第九条第一款"}
    assert changes["第九条第一款"].zh == "变更证照条款 第九条第一款：fields -CZZT +CZZTDM"
    (gone,) = [one for one in diff(agreement(), agreement(certificates=(SCAN,))) if one.what == "certificate"]
    assert gone.kind == "removed" and "调取证照信息、核验真伪" in gone.zh and "整张证照" in gone.zh


PARTIES = st.sampled_from([A, B, C])


@given(
    PARTIES,
    PARTIES,
    st.sampled_from([samples.LICENCE, samples.IDENTITY_CARD, "0" * 21]),
    st.sampled_from(["scan", "fetch", "verify"]),
    st.sampled_from([samples.PURPOSE, samples.INSPECTION, "x"]),
    st.datetimes(datetime(2023, 1, 1), datetime(2032, 1, 1)),  # noqa: DTZ001
)
def test_a_release_only_when_every_condition_holds(issuer, to, type_code, use, purpose, when) -> None:  # type: ignore[no-untyped-def]
    answer = decide_release(ReleaseRequest(issuer, to, type_code, use, purpose), book(), when.replace(tzinfo=UTC))
    lines = samples.certificate_lines(A, B)
    fits = [
        line for line in lines
        if {issuer, to} == {A, B} and type_code in line.types and use in line.uses and purpose in line.purposes
    ]  # fmt: skip
    if isinstance(answer, Release):
        assert answer.fields in [tuple(line.fields) for line in fits] and 2023 < when.year < 2031
    else:
        assert not fits or not 2024 <= when.year < 2030


def test_it_is_read_back_as_it_was_written() -> None:
    lines = samples.certificate_lines(A, B)
    assert tuple(parse(samples.render(A, B)).agreement.certificates) == lines
