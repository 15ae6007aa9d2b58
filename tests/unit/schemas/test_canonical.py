"""Impossible values are refused by construction, each with its own code and a Chinese sentence that names the path."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from schemas import canonical as c
from schemas import codec
from schemas.errors import Invalid
from tests.unit.schemas.examples import ATTESTATION, CITIZEN, DOCUMENT, ENTERPRISE, EXAMPLES, MATERIAL, PERSON, changed


def refused(type_: str, **fields: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        codec.build(type_, changed(type_, **fields))
    assert any("\u4e00" <= character <= "\u9fff" for character in caught.value.zh)
    return caught.value


def party(**fields: Any) -> dict[str, Any]:
    plain = changed("application")["applicant"]["party"]
    return {"party": {**plain, **fields}}


def test_every_example_is_whole() -> None:
    assert set(EXAMPLES) == set(c.BODIES)
    for type_, body in EXAMPLES.items():
        assert codec.build(type_, changed(type_)) == body


def test_a_citizen_number_with_a_wrong_check_digit() -> None:
    error = refused("application", applicant=party(id_number=CITIZEN[:-1] + "1"))
    assert (error.code, error.path) == ("citizen-id-check-digit", "applicant.party.id_number")
    assert "证件号码" in error.zh and CITIZEN[:-1] not in error.zh + error.en


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"id_number": "110105194912310021"}, "citizen-id-check-digit"),
        ({"id_number": "110105194913310021"}, "citizen-id-date"),
        ({"id_number": "1101051949123100"}, "citizen-id-format"),
        ({"id_number": "１1010519491231002X"}, "wrong-form"),
        ({"kind": "enterprise", "id_type": "001", "id_number": "91370406L24894136K"}, "uscc-check-digit"),
        ({"kind": "enterprise", "id_type": "001", "id_number": "91370406"}, "uscc-format"),
        ({"id_type": "001", "id_number": "91370406L24894136J"}, "id-type-for-kind"),
        ({"id_type": "1"}, "wrong-form"),
        ({"name": ""}, "empty"),
        ({"name": "x" * 201}, "too-long"),
        ({"name": " 张三"}, "wrong-form"),
        ({"name": "张\n三"}, "wrong-form"),
        ({"name": "张三\n"}, "wrong-form"),
        ({"mobile": "12345"}, "wrong-form"),
        ({"kind": "robot"}, "not-allowed"),
    ],
)  # fmt: skip
def test_an_identity_that_cannot_be(fields: dict[str, str], code: str) -> None:
    assert refused("application", applicant=party(**fields)).code == code


@pytest.mark.parametrize(
    ("type_", "fields", "code", "path"),
    [
        ("application", {"handling": "36011"}, "too-short", "handling"),
        ("application", {"handling": "36011a"}, "wrong-form", "handling"),
        ("application", {"item_version": 0}, "out-of-range", "item_version"),
        ("application", {"attestation": None}, "attestation-missing", "attestation"),
        ("application", {"case_number": "x" * 51}, "too-long", "case_number"),
        ("application", {"item": "../etc"}, "wrong-form", "item"),
        ("application", {"form": {str(n): "" for n in range(201)}}, "too-long", "form"),
        ("application", {"form": {"k" * 65: "v"}}, "too-long", "form"),
        ("acceptance", {"outcome": "not_accepted"}, "reason-missing", "reason"),
        ("acceptance", {"outcome": "not_accepted", "reason": "不属于受理范围"}, "redress-missing", "redress"),
        ("decision", {"reason": ""}, "reason-missing", "reason"),
        ("decision", {"redress": ""}, "redress-missing", "redress"),
        ("decision", {"redress": "  "}, "wrong-form", "redress"),
        ("decision", {"at": "2026-01-05T01:30:00+08:00"}, "time-not-utc", "at"),
        ("decision", {"at": "2026-01-05T01:30:00"}, "wrong-time", "at"),
        ("decision", {"at": "2026-13-05T01:30:00Z"}, "wrong-time", "at"),
        ("special_start", {"limit_days": 366}, "out-of-range", "limit_days"),
        ("special_start", {"legal_basis": ""}, "empty", "legal_basis"),
        ("special_start", {"notice": " \n "}, "wrong-form", "notice"),
        ("correction", {"materials": []}, "correction-empty", ""),
        ("correction_request", {"reasons": []}, "empty", "reasons"),
        ("correction_request", {"due": "2026-02-30"}, "wrong-date", "due"),
        ("arrival", {"documents": ["A" * 64]}, "wrong-form", "documents[0]"),
        ("delivery", {"method": "courier"}, "waybill-missing", "waybill"),
        ("result", {"valid_until": "2025-01-01"}, "validity-order", "valid_until"),
        ("result", {"documents": []}, "empty", "documents"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be(type_: str, fields: dict[str, Any], code: str, path: str) -> None:
    error = refused(type_, **fields)
    assert (error.code, error.path) == (code, path)


def test_rules_across_fields_hold_for_hand_made_values_too() -> None:
    with pytest.raises(Invalid, match="reason"):
        c.Decision("denied", "1", "局", "王五", datetime.now(UTC))
    with pytest.raises(Invalid):
        c.Identity("person", "张三", "111", CITIZEN[:-1] + "0")
    with pytest.raises(Invalid):
        c.ResultDocument("营业执照", MATERIAL, None)
    with pytest.raises(Invalid):
        c.ResultDocument("营业执照", DOCUMENT, DOCUMENT)
    with pytest.raises(Invalid):
        c.Step("审查", "赵六", "", datetime.now(timezone(timedelta(hours=8))))


def test_a_hand_made_value_outside_its_type_gets_no_canonical_bytes() -> None:
    with pytest.raises(Invalid) as caught:
        codec.encode(c.Arrival("三号窗", "李四", datetime.now(UTC), ["not a digest"]))
    assert (caught.value.code, caught.value.path) == ("too-short", "documents[0]")


@pytest.mark.parametrize("role", ["result", "stamp"])
def test_an_application_carries_materials_only(role: Any) -> None:
    material = {**changed("application")["materials"][0], "role": role}
    assert refused("application", materials=[material]).code == "material-role"


def test_a_full_online_application_needs_no_window() -> None:
    body = codec.build("application", changed("application", mode="full_online", attestation=None))
    assert isinstance(body, c.Application) and body.attestation is None


def test_K02_text_is_kept_as_given_and_ids_are_ascii() -> None:
    composed, decomposed = "é", "e\u0301"
    forms = [codec.build("application", changed("application", form={"名": text})) for text in (composed, decomposed)]
    assert codec.encode(forms[0]) != codec.encode(forms[1])
    assert refused("application", handling="３６０１１３").code == "wrong-form"
    assert refused("application", item="ＱＸ-TB-001").code == "wrong-form"


def test_A08_extra_fields_are_refused_by_name() -> None:
    error = refused("application", operatorRole="admin")
    assert (error.code, error.path) == ("unknown-field", "operatorRole")
    hidden = refused("application", **{"x" * 500: "admin"})
    assert "x" * 50 not in hidden.zh + hidden.en


def test_people_and_enterprises_are_both_parties() -> None:
    assert PERSON.kind == "person" and ENTERPRISE.kind == "enterprise" and ATTESTATION.at.tzinfo is UTC
    assert c.Acceptance("accepted", "1", "局", "王五", datetime.now(UTC), promised=date(2026, 2, 2)).reason == ""
