"""Certificates issued from templates: sealed, verified, read back; wrong input is refused with its reason."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.certificates import qr
from gateway.certificates.issue import LEGAL_BASIS, WantedHolder, WantedPermit, compose, draw, issue
from gateway.certificates.layout import lay_out
from gateway.certificates.template import Template
from signing import ecert_data, ecert_id
from signing.ecert import Annotation, Metadata
from signing.errors import Rejected
from signing.ofd import custom as ofd_custom
from signing.ofd.container import Description
from signing.ofd.content import Path, Text
from signing.ofd.verify import verify_ofd
from signing.policy import CRL_IF_PRESENT
from signing.seal_picture import LAB_MARK
from signing.stamper import LocalStamper
from tests import pki
from tests.ecerts import CITIZEN, PERMITS, composed, template, wanted
from tests.pki import DAY, DIES
from tests.unit.certificates.test_templates import NAMES
from tests.vectors.seals import generate as seals

ANCHORS = [pki.root().certificate]
STAMPER = LocalStamper(pki.signer("signer"), seals.signer(), seals.seal(), ANCHORS, CRL_IF_PRESENT)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e366"
    "0000000049454e44ae426082"
)
LICENCE, PERSON, PERMITS_TEMPLATE = (
    template(name) for name in ("business-licence", "disabled-person", "construction-permits")
)


def words(made: Template, data: Metadata, *, lab: bool = True) -> list[str]:
    """The texts on the page."""
    (page,) = lay_out(made, data, (), lab=lab, pictures={}).pages
    return ["".join(run.text for run in shape.runs) for shape in page.shapes if isinstance(shape, Text)]


@pytest.mark.parametrize("name", NAMES)
def test_W5_an_issued_certificate_verifies_and_says_what_was_wanted(name: str) -> None:
    one = template(name)
    data = composed(one)
    made = issue(one, data, STAMPER, DAY, lab=True, seal=STAMPER.seal)
    assert isinstance(made, bytes) and made == issue(one, data, STAMPER, DAY, lab=True, seal=STAMPER.seal)
    report = verify_ofd(made, at=DAY, anchors=ANCHORS, provider=pki.PROVIDER, policy=CRL_IF_PRESENT, uncovered="reject")
    assert report.ok is True and report.outcome("coverage") == "ok"
    said = report.signatures[0].listed.description
    assert isinstance(said, Description) and LAB_MARK in said.provider
    assert said.annotations[0].boundary == f"{one.seal.x:g} {one.seal.y:g} {one.seal.width:g} {one.seal.height:g}"
    custom = ofd_custom.custom_data(report.ofd.package)
    assert ecert_data.read(custom).metadata == data
    assert dict(custom)[LEGAL_BASIS] == "；".join(one.legal_basis)
    assert ecert_id.parse(data.identifier).findings == ()


def test_the_page_prints_values_dates_and_labels() -> None:
    found = words(LICENCE, composed(LICENCE))
    assert {"营业执照", "样章商贸有限公司", "2026年6月1日", "经营者", "自2026年6月1日至2031年5月31日"} <= set(found)
    assert sum(text == LAB_MARK for text in found) == 5
    assert LAB_MARK not in words(LICENCE, composed(LICENCE), lab=False)
    without = {**wanted(LICENCE).fields, "ZCXS": ""}
    assert "长期" in words(LICENCE, composed(LICENCE, valid_to=None, fields=without))


def test_a_copy_with_fewer_fields_prints_no_label_of_the_others() -> None:
    data = composed(LICENCE)
    fewer = dataclasses.replace(data, fields=tuple(one for one in data.fields if one.name == "ZCRQ"))
    assert {"经营者", "经营范围"} & set(words(LICENCE, fewer)) == set() and "注册日期" in words(LICENCE, fewer)
    odd = dataclasses.replace(data, fields=(dataclasses.replace(fewer.fields[0], value="二〇二六年"),))
    assert "二〇二六年" in words(LICENCE, odd)


def test_W9_each_permit_has_a_row_with_its_own_validity() -> None:
    found = words(PERMITS_TEMPLATE, composed(PERMITS_TEMPLATE))
    assert {"2026年6月1日至2028年5月31日", "2026年6月1日起长期有效", "占道2026001"} <= set(found)


def test_an_annotated_copy_says_for_whom_and_until_when() -> None:
    copy = Annotation("样章窗口", DAY, "办理贷款", "样章银行", datetime(2026, 6, 8, 4, tzinfo=UTC))
    data = dataclasses.replace(composed(PERSON), annotation=copy)
    assert any("仅供样章银行用于办理贷款" in text and "2026-06-08 12:00" in text for text in words(PERSON, data))
    long = dataclasses.replace(data, annotation=dataclasses.replace(copy, reason="用" * 400))
    refused = draw(PERSON, long, lab=True)
    assert isinstance(refused, Rejected) and refused.code == "ecert-does-not-fit"


@given(st.text("ABCDEFGHJKLMNPQRSTUVWXYZ234567", min_size=26, max_size=32))
def test_the_qr_code_is_the_one_an_other_program_draws(token: str) -> None:
    """The rectangles of the path, put back on a grid, are the modules that segno gives."""
    url = f"https://ecert.example/v/{token}"
    path = qr.code(url, 0, 0, 30)
    rows = segno.make_qr(url, error="m", mask=2).matrix
    assert path is not None
    module = 30 / (len(rows) + 2 * qr.QUIET)
    dark = set()
    for rectangle in re.findall(r"M (\S+) (\S+) L \S+ \S+ L (\S+) (\S+) L \S+ \S+ C", path.data):
        left, top, right, bottom = (round(float(edge) / module) - qr.QUIET for edge in rectangle)
        dark |= set(product(range(top, bottom), range(left, right)))
    assert dark == {(down, across) for down, row in enumerate(rows) for across, one in enumerate(row) if one}


printed = st.text(st.sampled_from("样章，。（）A1 .W·㎡"), min_size=1, max_size=300).map(str.strip).filter(bool)


@given(
    st.dictionaries(st.sampled_from([rule.name for rule in LICENCE.fields if rule.kind == "text"]), printed), printed
)
def test_whatever_is_wanted_is_drawn_on_the_page_or_refused(values: dict[str, str], holder: str) -> None:
    own = wanted(LICENCE)
    data = compose(LICENCE, replace(own, fields={**own.fields, **values}, holder=replace(own.holder, name=holder)))
    files = draw(LICENCE, data, lab=True) if isinstance(data, Metadata) else data
    if isinstance(files, Rejected):
        assert files.code in ("ecert-field-long", "ecert-does-not-fit")
        return
    assert isinstance(data, Metadata)
    (page,) = lay_out(LICENCE, data, (), lab=False, pictures={}).pages
    for shape in page.shapes:
        assert shape.box.x + shape.box.width <= page.width and shape.box.y + shape.box.height <= page.height
        for run in shape.runs if isinstance(shape, Text) else ():
            assert sum(run.delta_x) <= shape.box.width


def fields(**changed: str) -> dict[str, str]:
    return {**wanted(LICENCE).fields, **changed}


@pytest.mark.parametrize(
    ("one", "changed", "code"),
    [
        (LICENCE, {"holder": WantedHolder("样章", CITIZEN, "111")}, "ecert-holder-type"),
        (LICENCE, {"holder": WantedHolder("样章", "91370406L24894136K", "001")}, "ecert-uscc-check-digit"),
        (PERSON, {"holder": WantedHolder("样章", CITIZEN[:-1] + "1", "111")}, "ecert-citizen-id-check-digit"),
        (LICENCE, {"fields": fields(XX="1")}, "ecert-field-unknown"),
        (LICENCE, {"fields": fields(JYZ="")}, "ecert-field-missing"),
        (LICENCE, {"fields": fields(JYZ="样" * 41)}, "ecert-field-long"),
        (LICENCE, {"fields": fields(ZCRQ="2026-02-31")}, "ecert-date"),
        (LICENCE, {"fields": fields(ZCRQ="20260601")}, "ecert-date"),
        (LICENCE, {"fields": fields(JYZ="样\n章")}, "ecert-text"),
        (LICENCE, {"permits": PERMITS}, "ecert-permits"),
        (PERMITS_TEMPLATE, {"permits": []}, "ecert-permits"),
        (PERMITS_TEMPLATE, {"permits": [PERMITS[0], PERMITS[0]]}, "ecert-repeated"),
        (LICENCE, {"serial": "a-1"}, "ecert-identifier"),
        (LICENCE, {"issuer_code": "420104"}, "ecert-identifier"),
        (LICENCE, {"valid_to": date(2026, 5, 31)}, "ecert-validity"),
    ],
)  # fmt: skip
def test_wrong_input_is_refused_with_its_reason(one: Template, changed: dict[str, Any], code: str) -> None:
    found = compose(one, wanted(one, **changed))
    assert isinstance(found, Rejected) and found.code == code and found.zh and found.en
    assert CITIZEN[:-1] not in found.zh + found.en


@pytest.mark.parametrize(
    ("one", "changed", "label"),
    [
        (LICENCE, {"fields": fields(JYFW="样" * 600)}, "经营范围"),
        (LICENCE, {"number": "样" * 100}, "证照编号"),
        (LICENCE, {"url": "https://ecert.example/v/" + "A" * 190}, "二维码"),
        (PERMITS_TEMPLATE, {"permits": [WantedPermit(str(n), "样", "1", date(2026, 6, 1)) for n in range(9)]}, "许可"),
        (PERMITS_TEMPLATE, {"permits": [WantedPermit("1", "样" * 60, "1", date(2026, 6, 1))]}, "许可"),
    ],
)  # fmt: skip
def test_what_has_no_room_is_refused_by_its_label_and_never_cut(
    one: Template, changed: dict[str, Any], label: str
) -> None:
    found = issue(one, composed(one, **changed), STAMPER, DAY, lab=True)
    assert isinstance(found, Rejected) and found.code == "ecert-does-not-fit" and label in found.zh


def test_pictures_are_those_of_the_template_and_sound() -> None:
    """F04: a picture that is none does not get onto a certificate."""
    data = composed(PERSON)
    files = draw(PERSON, data, lab=True, pictures={"ZP": PNG})
    assert isinstance(files, dict) and PNG in files.values()
    demanding = replace(PERSON, pictures=[replace(PERSON.pictures[0], required=True)])
    for one, given_pictures, code in (
        (PERSON, {"XX": PNG}, "ecert-picture-unknown"),
        (PERSON, {"ZP": b"MZ" + PNG}, "ecert-picture"),
        (PERSON, {"ZP": PNG + b"x"}, "ecert-picture"),
        (demanding, {}, "ecert-picture-missing"),
    ):
        found = draw(one, data, lab=True, pictures=given_pictures)
        assert isinstance(found, Rejected) and found.code == code


def test_metadata_of_another_making_are_checked_before_they_are_drawn() -> None:
    found = draw(LICENCE, dataclasses.replace(composed(LICENCE), number=""), lab=True)
    assert isinstance(found, Rejected) and found.code == "ecert-text"


def test_C23_the_stampers_refusal_comes_back() -> None:
    found = issue(LICENCE, composed(LICENCE), STAMPER, DIES + timedelta(days=1), lab=True)
    assert isinstance(found, Rejected) and found.code == "signer-expired-at-stamping"


def test_a_certificate_without_an_address_has_no_code() -> None:
    (page,) = lay_out(LICENCE, composed(LICENCE, url=""), (), lab=False, pictures={}).pages
    assert not any(isinstance(shape, Path) and shape.stroke is None for shape in page.shapes)
