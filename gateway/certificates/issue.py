"""Issuing an e-certificate: what is wanted, checked against its template, becomes metadata, a page, a sealed OFD.

Three steps that can be taken apart: ``compose`` (values to metadata), ``draw`` (metadata to the files of an unsigned OFD),
``issue`` (all of it, with a stamp through the ``Stamper`` port). A city's own stamping system takes the files of ``draw``
through ``signing.ofd.sign.prepare`` and ``finish``. Wrong input comes back as ``Rejected`` with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gateway.certificates.layout import DoesNotFit, lay_out
from gateway.certificates.template import FieldRule, Template
from schemas.codes import check_citizen_id, check_uscc
from schemas.errors import Invalid
from signing import ecert_data, ecert_id, picture
from signing.ecert import Field, Holder, Metadata, Permit
from signing.errors import Indeterminate, Malformed, Rejected
from signing.ofd import sign as ofd_sign
from signing.ofd.build import build_ofd
from signing.ofd.container import Annotation as Place
from signing.seal_picture import LAB_MARK
from signing.stamper import Stamper

MAX_PICTURE: Final = 2 << 20
LEGAL_BASIS: Final = "TB_FLYJ"
Word = Annotated[str, Meta(min_length=1, max_length=200)]


class WantedPermit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See ``signing.ecert.Permit``."""

    id: Word
    name: Word
    number: Word
    valid_from: date
    valid_to: date | None = None


class WantedHolder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See ``signing.ecert.Holder``."""

    name: Word
    code: Word
    code_type: Word


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A certificate to be issued. ``serial``: of its identifier, digits and capitals; ``fields``: value by field name."""

    number: Word
    serial: Word
    version: Annotated[int, Meta(ge=1, le=999)] = 1
    holder: WantedHolder
    issuer_name: Word
    issuer_code: Word
    issued: date
    valid_from: date
    valid_to: date | None = None
    fields: dict[str, str] = {}
    permits: list[WantedPermit] = []
    url: str = ""


def compose(template: Template, wanted: Wanted) -> Metadata | Rejected:
    """The metadata, or the first thing that is wrong with them."""
    found = _holder(template, wanted.holder) or _names(template, wanted) or _values(template, wanted.fields)
    if found is not None:
        return found
    try:
        identifier = ecert_id.make(template.type_code, wanted.issuer_code, wanted.serial, wanted.version)
    except ValueError as fault:
        return Rejected("ecert-identifier", "颁发机构代码或流水号不能组成证照标识", str(fault))
    metadata = Metadata(
        identifier=str(identifier),
        type_code=template.type_code,
        type_name=template.name,
        number=wanted.number,
        holder=Holder(wanted.holder.name, wanted.holder.code, wanted.holder.code_type),
        issuer_name=wanted.issuer_name,
        issuer_code=wanted.issuer_code,
        issued=wanted.issued,
        valid_from=wanted.valid_from,
        valid_to=_end(wanted.valid_to),
        fields=tuple(Field(rule.name, rule.label, wanted.fields.get(rule.name, "")) for rule in template.fields),
        permits=tuple(
            Permit(one.id, one.name, one.number, one.valid_from, _end(one.valid_to)) for one in wanted.permits
        ),
        url=wanted.url,
    )
    try:
        ecert_data.write(metadata)
    except Malformed as fault:
        return Rejected(fault.code, fault.zh, fault.en)
    return metadata


def _end(day: date | None) -> date | None:
    """The last day there is (99991231) is how many registers write that there is none."""
    return None if day == date.max else day


def draw(
    template: Template, metadata: Metadata, *, lab: bool, pictures: Mapping[str, bytes] | None = None
) -> dict[str, bytes] | Rejected:
    """The files of the unsigned OFD. ``lab``: with the watermark 样章·测试无效; ``pictures``: by the template's names."""
    shown = pictures or {}
    found = _pictures(template, shown)
    if found is not None:
        return found
    try:
        custom = (*ecert_data.write(metadata), (LEGAL_BASIS, "；".join(template.legal_basis)))
        return build_ofd(lay_out(template, metadata, custom, lab=lab, pictures=shown))
    except DoesNotFit as fault:
        zh, en = f"“{fault.label}”太长，页面上放不下", f"{fault.label}: too long for its place on the page"
        return Rejected("ecert-does-not-fit", zh, en)
    except Malformed as fault:
        return Rejected(fault.code, fault.zh, fault.en)


def seal_place(template: Template) -> Place:
    """Where on the first page the seal's picture stands."""
    seal = template.seal
    return Place("s001", "1", f"{seal.x:g} {seal.y:g} {seal.width:g} {seal.height:g}")


def issue(
    template: Template,
    metadata: Metadata,
    stamper: Stamper,
    at: datetime,
    *,
    lab: bool,
    seal: bytes = b"",
    pictures: Mapping[str, bytes] | None = None,
) -> bytes | Rejected | Indeterminate:
    """The sealed OFD. ``seal``: the stamper's seal where it is known, for Seal.esl."""
    files = draw(template, metadata, lab=lab, pictures=pictures)
    if isinstance(files, Rejected):
        return files
    company = LAB_MARK if lab else metadata.issuer_name
    return ofd_sign.stamp(files, stamper, at=at, annotations=(seal_place(template),), seal=seal, company=company)


# --- what may be wrong ------------------------------------------------------------------------------------------------


def _holder(template: Template, holder: WantedHolder) -> Rejected | None:
    if holder.code_type not in template.holder_code_types:
        allowed = "、".join(template.holder_code_types)
        return Rejected(
            "ecert-holder-type", f"持证主体代码类型应为 {allowed}", f"the holder's code is of type {allowed}"
        )
    checked = {"111": check_citizen_id, "001": check_uscc}.get(holder.code_type)
    return _refused(checked(holder.code), "持证主体代码", "holder") if checked else None


def _names(template: Template, wanted: Wanted) -> Rejected | None:
    """Nothing that the template does not know, nothing missing that it wants."""
    known = {rule.name for rule in template.fields}
    unknown = [name for name in wanted.fields if name not in known]
    if unknown:
        return Rejected("ecert-field-unknown", "有模板中没有的照面字段", "a field that the template does not have")
    if wanted.permits and template.permits is None:
        return Rejected("ecert-permits", "这类证照不载许可", "certificates of this type carry no permits")
    if not wanted.permits and template.permits is not None:
        return Rejected("ecert-permits", "这类证照至少载一项许可", "certificates of this type carry a permit at least")
    return None


def _values(template: Template, values: Mapping[str, str]) -> Rejected | None:
    for rule in template.fields:
        found = _value(rule, values.get(rule.name, ""))
        if found is not None:
            return found
    return None


def _value(rule: FieldRule, value: str) -> Rejected | None:
    if not value:
        missing = Rejected("ecert-field-missing", f"缺少“{rule.label}”", f"{rule.name} is missing")
        return missing if rule.required else None
    if len(value) > rule.max_length:
        zh, en = f"“{rule.label}”超过 {rule.max_length} 字", f"{rule.name} has more than {rule.max_length} characters"
        return Rejected("ecert-field-long", zh, en)
    checks = {"uscc": check_uscc, "citizen": check_citizen_id, "date": _day}
    checked = checks.get(rule.kind)
    return _refused(checked(value), f"“{rule.label}”", rule.name) if checked else None


def _day(value: str) -> Invalid | None:
    try:
        if date.fromisoformat(value).isoformat() == value:
            return None
    except ValueError:
        pass
    return Invalid("date", "应为日期，如 2026-01-05", "must be a date like 2026-01-05")


def _refused(found: Invalid | None, zh: str, en: str) -> Rejected | None:
    return Rejected(f"ecert-{found.code}", f"{zh}：{found.zh}", f"{en}: {found.en}") if found is not None else None


def _pictures(template: Template, shown: Mapping[str, bytes]) -> Rejected | None:
    known = {rule.name: rule for rule in template.pictures}
    if any(name not in known for name in shown):
        return Rejected("ecert-picture-unknown", "有模板中没有的图片", "a picture that the template does not have")
    for name, rule in known.items():
        if name not in shown:
            if rule.required:
                return Rejected("ecert-picture-missing", f"缺少“{rule.label}”", f"{name} is missing")
            continue
        seen = picture.look(shown[name])
        if len(shown[name]) > MAX_PICTURE or seen.faults or seen.type not in ("PNG", "JPG"):
            return Rejected(
                "ecert-picture", f"“{rule.label}”不是可用的图片（PNG、JPEG）", f"{name} is no usable picture"
            )
    return None
