"""W5: what in an agreement still demands paper, or is of use to nobody; one agreement for each finding."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from agreements import samples
from agreements.check import CODES, Finding, check
from agreements.load import parse
from agreements.model import Agreement, CertificateLine, Item, ItemMaterial
from tests.unit.agreements.places import A, B, agreement

CARD, LICENCE = samples.IDENTITY_CARD, samples.LICENCE
FACES = {LICENCE: frozenset({"JYCS"})}
FETCH = CertificateLine("第九条", [CARD, LICENCE], [A, B], [A, B], ["*"], ["fetch"])
PROOF = ItemMaterial("身份证明", "yes", "居民身份证", CARD, {"姓名": "CZZT"})
PLACE = ItemMaterial("主体资格证明", "conditional", "营业执照", LICENCE, {"名称": "CZZT", "经营场所": "JYCS"})


def written(*materials: ItemMaterial, lines: tuple[CertificateLine, ...] = (FETCH,)) -> Agreement:
    item = Item("QX-1", "测试事项", 1, "both", list(materials))
    return agreement(listed=(item,), certificates=lines)


def found(*materials: ItemMaterial, lines: tuple[CertificateLine, ...] = (FETCH,)) -> list[Finding]:
    return check(written(*materials, lines=lines), FACES)


def material(**changed: Any) -> ItemMaterial:
    said = {"name": "身份证明", "required": "yes", "certificate": "居民身份证", "certificate_type": CARD}
    return ItemMaterial(**said | changed)


def line(**changed: Any) -> CertificateLine:
    said = {name: getattr(FETCH, name) for name in FETCH.__struct_fields__}
    return CertificateLine(**said | {"clause": "第十条"} | changed)


MATERIALS: dict[str, tuple[ItemMaterial, tuple[str, ...]]] = {
    "the original by its name": (material(name="身份证原件"), ("paper-demanded",)),
    "a copy by its name": (material(name="身份证（复印件）"), ("paper-demanded",)),
    "on paper, a certificate by its code only": (material(name="纸质身份证", certificate=""), ("paper-demanded",)),
    "a type that no line has": (
        material(certificate_type="11100000000013338W001"), ("certificate-not-fetchable",),
    ),
    "no type code": (material(certificate_type=""), ("certificate-without-type",)),
    "a credit code with a wrong check": (
        material(certificate_type="11100000000013127X001"), ("certificate-not-fetchable", "certificate-type-wrong"),
    ),
    "a type code of another form": (
        material(certificate_type="0101"), ("certificate-not-fetchable", "certificate-type-wrong"),
    ),
    "fills without a type": (material(certificate="", certificate_type="", fills={"姓名": "CZZT"}), ("fills-without-type",)),
    "a field the face has not": (
        material(certificate="营业执照", certificate_type=LICENCE, fills={"住址": "DZ"}), ("fills-unknown-field",),
    ),
}  # fmt: skip
LINES: dict[str, tuple[CertificateLine, str]] = {
    "a credit code with a wrong check": (line(types=["11100000000013127X001"], uses=["scan"]), "line-type-wrong"),
    "a type no material names": (line(types=["11100000000013338W001"]), "line-type-unused"),
    "a field no face has": (line(types=[LICENCE], fields=["ZZBH", "HZL"]), "line-field-unknown"),
    "a user of none but its own": (line(issuers=[A], to=[A, B]), "line-party-unused"),
    "an issuer for none but itself": (line(issuers=[A, B], to=[B]), "line-party-unused"),
}


def test_an_agreement_whose_certificates_all_serve_has_no_finding() -> None:
    paper = ItemMaterial("申请书原件", "yes")
    scan = CertificateLine("第十条", [LICENCE, "11100000000013338W001"], [A], [B], ["ZZBH", "CZZT"], ["scan"])
    assert found(PROOF, PLACE, paper, lines=(FETCH, scan)) == []


@pytest.mark.parametrize("case", MATERIALS)
def test_W5_a_material_that_leaves_only_paper_is_named(case: str) -> None:
    wrong, codes = MATERIALS[case]
    findings = found(PROOF, PLACE, wrong)
    assert tuple(one.code for one in findings) == codes
    for one in findings:
        assert one.where == f"QX-1 测试事项 / {wrong.name}" and one.zh and one.en


@pytest.mark.parametrize("case", LINES)
def test_W5_a_line_that_nobody_can_use_is_named(case: str) -> None:
    wrong, code = LINES[case]
    (one,) = found(PROOF, PLACE, lines=(FETCH, wrong))
    assert (one.code, one.where) == (code, "第十条")


def test_a_party_that_neither_collects_nor_handles_has_no_case_to_fetch_for() -> None:
    c = samples.lab_party("430602")
    text = samples.render(A, B, certificates=(line(to=[B, c]),)).decode()
    third = f'[[party]]\nid = "{c}"\nname = "丙地"\ndivision = "430602"\n\n[[line]]\n'
    three = parse(text.replace("[[line]]\n", third, 1).encode()).agreement
    (one,) = [one for one in check(three, FACES) if one.code == "line-party-unused"]
    assert c in one.zh


@pytest.mark.parametrize("limited", [line(fields=["CZZT"]), line(uses=["verify"])], ids=["some fields", "verify only"])
def test_a_line_that_does_not_give_the_whole_leaves_only_paper(limited: CertificateLine) -> None:
    """A certificate of which some fields may be seen cannot take a material's place (TB-7012)."""
    codes = [one.code for one in found(PROOF, PLACE, lines=(limited,))]
    assert codes == ["certificate-not-fetchable"] * 2


def test_a_face_that_nobody_here_knows_is_not_judged() -> None:
    assert found(material(fills={"住址": "DZ"}), PLACE, lines=(FETCH, line(fields=["DZ"]))) == []


def test_every_finding_has_its_case() -> None:
    tried = {code for _, codes in MATERIALS.values() for code in codes} | {code for _, code in LINES.values()}
    assert tried == set(CODES)


def test_the_sample_lacks_only_what_no_public_source_tells() -> None:
    """Type codes that are not published stay empty, and one guide does ask for an original; its certificate lines all serve."""
    codes = Counter(one.code for one in check(parse(samples.render(A, B)).agreement, FACES))
    assert codes == {"certificate-without-type": 17, "paper-demanded": 1}
