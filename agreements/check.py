"""What in a valid agreement works against its own certificates (免证办): read as a whole, before it is signed.

Paper may not be demanded for what is held electronically, and a line should be of use to somebody. Neither is an error of form:
such an agreement is read and signed like any other, and a window would notice only when the applicant stands there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from agreements.model import EVERYTHING, Agreement, CertificateLine, ItemMaterial
from schemas.codes import check_uscc

HEAD: Final = frozenset({"ZZMC", "ZZBH", "CZZT", "CZZTDM", "ZZBFJG", "ZZBFRQ", "ZZYXQQSRQ", "ZZYXQJZRQ"})
"""Fields of every certificate's head that can fill a form, by the standard's keys (GB/T 36903)."""
_TYPE: Final = re.compile(r"[0-9A-Z]{18}[0-9]{3}")
_PAPER: Final = re.compile("原件|复印件|纸质|纸制|影印件")

Faces = Mapping[str, frozenset[str]]
"""Type code -> names of the fields on its face, for the types whose face is known."""


Words = Iterator[tuple[str, str]]
"""A rule's findings: the sentence in Chinese and in English."""


class Finding(msgspec.Struct, frozen=True):
    """``where``: item and material, or the clause; ``code``: stable, see ``CODES``."""

    code: str
    where: str
    zh: str
    en: str


class _Read(msgspec.Struct, frozen=True):
    """What is looked up in an agreement. ``whole``: types that a line lets be fetched as a whole; ``named``: types that
    materials name; ``ends``: parties that collect or handle."""

    faces: Faces
    whole: frozenset[str]
    named: frozenset[str]
    ends: frozenset[str]


def check(agreement: Agreement, faces: Faces) -> list[Finding]:
    """Every finding: those of the materials item by item, then those of the certificate lines."""
    fetched = [line for line in agreement.certificates if "fetch" in line.uses and line.fields == [EVERYTHING]]
    read = _Read(
        faces,
        frozenset(type for line in fetched for type in line.types),
        frozenset(one.certificate_type for item in agreement.items for one in item.materials if one.certificate_type),
        frozenset(party for line in agreement.lines for party in (*line.collecting, *line.handling)),
    )
    found = [
        Finding(code, f"{item.code} {item.name} / {material.name}", zh, en)
        for item in agreement.items
        for material in item.materials
        for code, rule in MATERIAL_RULES.items()
        for zh, en in rule(read, material)
    ]
    return found + [
        Finding(code, line.clause, zh, en)
        for line in agreement.certificates
        for code, rule in LINE_RULES.items()
        for zh, en in rule(read, line)
    ]


# --- materials --------------------------------------------------------------------------------------------------------


def _paper(read: _Read, one: ItemMaterial) -> Words:
    if (one.certificate or one.certificate_type) and (word := _PAPER.search(one.name)):
        held = one.certificate or one.certificate_type
        yield (
            f"材料名称要求“{word[0]}”，而“{held}”可用电子证照，不应再要纸质材料",
            f"it asks for paper by its name ({word[0]}), though {held} is held electronically",
        )


def _no_line(read: _Read, one: ItemMaterial) -> Words:
    if one.certificate_type and one.certificate_type not in read.whole:
        yield (
            f"没有证照条款允许调取整张（fields 为 *，uses 含 fetch）{one.certificate_type}，只能收纸质材料",
            f"no certificate line lets {one.certificate_type} be fetched whole (fields *, uses fetch): only paper is left",
        )


def _no_type(read: _Read, one: ItemMaterial) -> Words:
    if one.certificate and not one.certificate_type:
        yield (
            f"写明可用“{one.certificate}”而无证照类型代码，网关无从查询，只能收纸质材料",
            f"{one.certificate} may stand for it, but without a type code nobody can ask for it: only paper is left",
        )


def _bad_type(read: _Read, one: ItemMaterial) -> Words:
    if one.certificate_type and not _good_type(one.certificate_type):
        yield _BAD_TYPE[0].format(one.certificate_type), _BAD_TYPE[1].format(one.certificate_type)


def _idle_fills(read: _Read, one: ItemMaterial) -> Words:
    if one.fills and not one.certificate_type:
        yield "写有 fills 而无证照类型代码，不会填写", "fills without a type code fill nothing"


def _unknown_fills(read: _Read, one: ItemMaterial) -> Words:
    known = read.faces.get(one.certificate_type)
    for field, name in one.fills.items():
        if known is not None and name not in HEAD | known:
            yield (
                f"fills 的“{field}”取自 {name}，该类证照没有这个字段",
                f"fills takes {field} from {name}, a field that certificates of this type do not have",
            )


# --- certificate lines ------------------------------------------------------------------------------------------------


def _bad_line_type(read: _Read, line: CertificateLine) -> Words:
    for type in line.types:
        if not _good_type(type):
            yield _BAD_TYPE[0].format(type), _BAD_TYPE[1].format(type)


def _idle_type(read: _Read, line: CertificateLine) -> Words:
    """What is only scanned needs no item."""
    for type in line.types if "scan" not in line.uses else ():
        if type not in read.named:
            yield f"没有事项的材料用到 {type}", f"no item's material names {type}"


def _unknown_field(read: _Read, line: CertificateLine) -> Words:
    faces = [read.faces[type] for type in line.types if type in read.faces]
    if len(faces) < len(line.types):
        return  # a face that nobody here knows may have it
    known = HEAD.union([EVERYTHING], *faces)
    for name in line.fields:
        if name not in known:
            yield f"所列各类证照都没有字段 {name}", f"none of the line's types has a field {name}"


def _idle_party(read: _Read, line: CertificateLine) -> Words:
    """A party uses certificates of others only, and for a case it has to collect or handle one."""
    for side, other in ((line.to, line.issuers), (line.issuers, line.to)):
        if len(other) == 1 and other[0] in side:
            yield f"{other[0]} 没有另一方可对应", f"{other[0]} has nobody on the other side"
    for party in line.to if "scan" not in line.uses else ():
        if party not in read.ends:
            yield f"{party} 在各授权条款中既不收件也不办理", f"{party} neither collects nor handles under any line"


_BAD_TYPE: Final = (
    "证照类型代码 {} 不是18位统一社会信用代码加3位序号，或其中的信用代码校验不符",
    "the type code {} is not a credit code of 18 and a number of 3, or the credit code in it is wrong",
)


def _good_type(type: str) -> bool:
    return _TYPE.fullmatch(type) is not None and check_uscc(type[:18]) is None


MATERIAL_RULES: Final[dict[str, Callable[[_Read, ItemMaterial], Words]]] = {
    "paper-demanded": _paper, "certificate-not-fetchable": _no_line, "certificate-without-type": _no_type,
    "certificate-type-wrong": _bad_type, "fills-without-type": _idle_fills, "fills-unknown-field": _unknown_fills,
}  # fmt: skip
LINE_RULES: Final[dict[str, Callable[[_Read, CertificateLine], Words]]] = {
    "line-type-wrong": _bad_line_type, "line-type-unused": _idle_type, "line-field-unknown": _unknown_field,
    "line-party-unused": _idle_party,
}  # fmt: skip
CODES: Final = (*MATERIAL_RULES, *LINE_RULES)
