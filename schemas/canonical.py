"""The canonical case (规范办件) after GB/T 39046-2020, one frozen body per message type.

Element names of the standard stand in the titles; tables are named in the docstrings: T5 申请 apply, T6 受理 accept,
T7 过程 process (with the special procedure 特别程序), T8 办结 finish, T13 签章 seal record, T15 物流 logistics.
Words of our own for what the standard does not hold: 收件 attestation of the collecting window, 到件 arrival, 送达
delivery.

A body cannot hold an impossible value: ranges, lengths and forms are in the types and checked by ``codec.decode``,
``codec.build`` and ``codec.encode``; rules across fields are in ``__post_init__`` and hold for every construction.
Times are aware UTC datetimes. A field that has its default is left out of the canonical bytes, so a later version may
add optional fields without changing older bytes. Text is kept as given and never normalised (no NFC, no full-width
folding).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from schemas.codes import CITIZEN_ID, USCC, check_citizen_id, check_uscc
from schemas.errors import Invalid
from schemas.fields import IDENTITY_CHECKS as IDENTITY_CHECKS
from schemas.fields import MODES as MODES
from schemas.fields import SPECIAL_KINDS as SPECIAL_KINDS
from schemas.fields import (
    Digest,
    DivisionCode,
    FormKey,
    IdentityCheck,
    IdNumber,
    ItemCode,
    Line,
    LongLine,
    Mode,
    Moment,
    Number,
    OptionalLine,
    OptionalProse,
    PartyKind,
    Phone,
    Prose,
    SpecialKind,
)


def utc(at: datetime, path: str = "at") -> None:
    """``Invalid`` for a time in another zone: one moment has one form."""
    if at.tzinfo is not UTC and (at.tzinfo is None or at.utcoffset()):
        raise Invalid("time-not-utc", "时间应为以Z结尾的UTC时间", "a time must be in UTC and end in Z", path)


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every canonical structure shares."""


class Identity(Body, frozen=True):
    """Applicant or agent (T5 申请人/代理人): ``id_type`` is a code of GA/T 2000.156, 111 citizen number, 001 USCC."""

    kind: Annotated[PartyKind, Meta(title="服务对象类型")]
    name: Annotated[LongLine, Meta(title="姓名或名称")]
    id_type: Annotated[
        str,
        Meta(title="证件类型", pattern=r"^[0-9]{3}$(?!\n)", extra={"zh": "3位数字证件类型代码", "en": "three digits"}),
    ]
    id_number: Annotated[IdNumber, Meta(title="证件号码")]
    mobile: Annotated[Phone, Meta(title="联系电话")] = ""
    address: Annotated[OptionalLine, Meta(title="通讯地址")] = ""

    def __post_init__(self) -> None:
        problem = None
        if self.id_type == CITIZEN_ID:
            problem = check_citizen_id(self.id_number)
        elif self.id_type == USCC:
            if self.kind == "person":
                zh = "自然人的证件类型不能是统一社会信用代码"
                raise Invalid("id-type-for-kind", zh, "a natural person is not identified by a credit code", "id_type")
            problem = check_uscc(self.id_number)
        if problem is not None:
            raise problem.at("id_number")


class Applicant(Body, frozen=True):
    """Who applies, and who hands in for them (T5)."""

    party: Annotated[Identity, Meta(title="申请人")]
    agent: Annotated[Identity | None, Meta(title="代理人")] = None


class Attestation(Body, frozen=True):
    """What the collecting window vouches for (形式审查、身份核验、原件已核); it decides nothing."""

    clerk: Annotated[Line, Meta(title="收件人员")]
    clerk_no: Annotated[Number, Meta(title="工号")]
    window: Annotated[Line, Meta(title="窗口")]
    identity_check: Annotated[IdentityCheck, Meta(title="身份核验方式")]
    originals_seen: Annotated[list[LongLine], Meta(title="已核原件", max_length=100)]
    at: Annotated[Moment, Meta(title="核验时间")]

    def __post_init__(self) -> None:
        utc(self.at)


class Material(Body, frozen=True):
    """One file (T5 材料): the bytes travel apart, named by their SM3 digest. ``size`` in bytes, 1 to 1 GiB."""

    name: Annotated[LongLine, Meta(title="材料名称")]
    sm3: Annotated[Digest, Meta(title="SM3摘要")]
    size: Annotated[int, Meta(title="字节数", ge=1, le=1 << 30)]
    media_type: Annotated[
        str,
        Meta(
            title="媒体类型", max_length=100, pattern=r"^[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*$(?!\n)",
            extra={"zh": "媒体类型，如 application/pdf", "en": "a media type like application/pdf"},
        ),
    ]  # fmt: skip
    file_name: Annotated[
        str,
        Meta(
            title="文件名", min_length=1, max_length=200, pattern=r"^[^/\\\n\t]+$(?!\n)",
            extra={"zh": "文件名，不含路径", "en": "a file name without a path"},
        ),
    ]  # fmt: skip
    role: Annotated[Literal["material", "result", "stamp", "applicant-signature"], Meta(title="用途")] = "material"
    certificate_identifier: Annotated[OptionalLine, Meta(title="电子证照标识")] = ""


class CertificateReference(Body, frozen=True):
    """免证办: an e-certificate that takes a material's place, in an application or a correction. The window names the material,
    the type and the use code (用证码); the collecting gateway brings the certificate, judges it and says the rest: how it stood
    at ``status_at``, and which fields of the form it filled. ``reason``: why it did not come, or what was remarked on in one that
    did (codes). Its file is a material of the same name with its identifier."""

    name: Annotated[LongLine, Meta(title="所代替的材料")]
    type_code: Annotated[Number, Meta(title="证照类型代码")]
    use_code: Annotated[Number, Meta(title="用证码")]
    outcome: Annotated[Literal["pending", "verified", "failed"], Meta(title="取证结果")] = "pending"
    identifier: Annotated[OptionalLine, Meta(title="电子证照标识")] = ""
    status: Annotated[OptionalLine, Meta(title="证照状态")] = ""
    status_at: Annotated[Moment | None, Meta(title="状态时点")] = None
    reason: Annotated[OptionalLine, Meta(title="未取得的原因或核验附注")] = ""
    filled: Annotated[list[FormKey], Meta(title="填写的表单字段", max_length=200)] = []

    def __post_init__(self) -> None:
        if self.status_at is not None:
            utc(self.status_at, "status_at")
        if self.outcome == "verified" and not (self.identifier and self.status and self.status_at):
            zh = "已取得的电子证照须有标识、状态和时点"
            raise Invalid(
                "certificate-state", zh, "a certificate that came has identifier, status and time", "status_at"
            )


Certificates = Annotated[list[CertificateReference], Meta(title="代替材料的电子证照", max_length=50)]
Materials = Annotated[list[Material], Meta(title="材料", max_length=100)]
Form = Annotated[
    dict[FormKey, Annotated[str, Meta(max_length=4000)]],
    Meta(title="表单", max_length=200, extra={"zh": "字段名到文字的对照", "en": "field names to texts"}),
]


class Application(Body, frozen=True):
    """申请 T5, with the window's attestation. ``case_number`` is the collecting platform's 办件编号, ``handling``
    办理地."""

    case_number: Annotated[Number, Meta(title="办件编号")]
    item: Annotated[ItemCode, Meta(title="事项编码")]
    item_name: Annotated[LongLine, Meta(title="事项名称")]
    item_version: Annotated[int, Meta(title="事项版本", ge=1, le=999_999)]
    mode: Annotated[Mode, Meta(title="办理方式")]
    handling: Annotated[DivisionCode, Meta(title="办理地区划")]
    applicant: Annotated[Applicant, Meta(title="申请人信息")]
    form: Annotated[Form, Meta(title="表单")]
    materials: Annotated[Materials, Meta(title="材料")]
    attestation: Annotated[Attestation | None, Meta(title="收件核验")]
    collected_at: Annotated[Moment, Meta(title="收件时间")]
    purpose: Annotated[LongLine, Meta(title="用途")]
    legal_basis: Annotated[OptionalProse, Meta(title="法律依据")] = ""
    certificates: Certificates = []

    def __post_init__(self) -> None:
        utc(self.collected_at, "collected_at")
        if self.mode == "collect_elsewhere" and self.attestation is None:
            zh = "异地代收代办须有窗口收件核验"
            raise Invalid(
                "attestation-missing", zh, "collecting elsewhere needs the window's attestation", "attestation"
            )
        if any(material.role not in ("material", "applicant-signature") for material in self.materials):
            zh = "申请材料的用途应为 material 或 applicant-signature"
            raise Invalid("material-role", zh, "an application carries materials and signatures only", "materials")


class CorrectionItem(Body, frozen=True):
    """One thing that is missing or wrong, and how to put it right."""

    kind: Annotated[Literal["material", "field"], Meta(title="类别")]
    name: Annotated[LongLine, Meta(title="材料或字段名称")]
    what: Annotated[Prose, Meta(title="问题")]
    how: Annotated[Prose, Meta(title="补正办法")]


class CorrectionRequest(Body, frozen=True):
    """补正通知 (T6 补正告知): names at once all that is missing (一次性告知)."""

    number: Annotated[Number, Meta(title="补正通知书文号")]
    reasons: Annotated[list[CorrectionItem], Meta(title="补正事项", min_length=1, max_length=100)]
    due: Annotated[date, Meta(title="补正期限")]
    officer: Annotated[Line, Meta(title="经办人")]
    at: Annotated[Moment, Meta(title="通知时间")]

    def __post_init__(self) -> None:
        utc(self.at)


class Correction(Body, frozen=True):
    """补正材料: what the applicant brought after a correction request."""

    form: Annotated[Form, Meta(title="表单")]
    materials: Annotated[Materials, Meta(title="材料")]
    note: Annotated[OptionalProse, Meta(title="说明")]
    at: Annotated[Moment, Meta(title="补正时间")]
    clerk: Annotated[Line, Meta(title="收件人员")]
    certificates: Certificates = []

    def __post_init__(self) -> None:
        utc(self.at)
        if not self.form and not self.materials and not self.certificates:
            raise Invalid(
                "correction-empty", "补正须至少有一个字段或一份材料", "a correction brings a field or a material"
            )


def _reasoned(refused: bool, reason: str, redress: str) -> None:
    """A written refusal gives its reason and names review and litigation (行政许可法 38)."""
    if refused and not reason.strip():
        raise Invalid("reason-missing", "不予受理或不予许可须说明理由", "a refusal must give its reason", "reason")
    if refused and not redress.strip():
        raise Invalid(
            "redress-missing", "不予受理或不予许可须告知救济途径", "a refusal must name the ways of redress", "redress"
        )


class Acceptance(Body, frozen=True):
    """受理/不予受理 T6: the handling place's act, or 视为受理 when its term to speak ran out (行政许可法 32).

    ``promised`` is the promised finish day.
    """

    outcome: Annotated[Literal["accepted", "not_accepted", "deemed_accepted"], Meta(title="受理结果")]
    number: Annotated[Number, Meta(title="受理文书编号")]
    unit: Annotated[LongLine, Meta(title="受理单位")]
    officer: Annotated[Line, Meta(title="受理人员")]
    at: Annotated[Moment, Meta(title="受理时间")]
    reason: Annotated[OptionalProse, Meta(title="理由")] = ""
    redress: Annotated[OptionalProse, Meta(title="救济途径")] = ""
    promised: Annotated[date | None, Meta(title="承诺办结日期")] = None

    def __post_init__(self) -> None:
        utc(self.at)
        _reasoned(self.outcome == "not_accepted", self.reason, self.redress)


class Step(Body, frozen=True):
    """过程 T7: one step of the handling."""

    name: Annotated[Line, Meta(title="环节名称")]
    handler: Annotated[Line, Meta(title="办理人员")]
    opinion: Annotated[OptionalProse, Meta(title="办理意见")]
    at: Annotated[Moment, Meta(title="办理时间")]

    def __post_init__(self) -> None:
        utc(self.at)


class SpecialStart(Body, frozen=True):
    """特别程序开始 T7: names its legal basis, its own limit in working days and the notice to the applicant."""

    kind: Annotated[SpecialKind, Meta(title="特别程序种类")]
    legal_basis: Annotated[Prose, Meta(title="法律依据")]
    reason: Annotated[Prose, Meta(title="理由")]
    limit_days: Annotated[int, Meta(title="时限工作日", ge=1, le=365)]
    at: Annotated[Moment, Meta(title="开始时间")]
    notice: Annotated[Prose, Meta(title="告知书")]

    def __post_init__(self) -> None:
        utc(self.at)


class SpecialEnd(Body, frozen=True):
    """特别程序结束 T7."""

    result: Annotated[Prose, Meta(title="结果")]
    at: Annotated[Moment, Meta(title="结束时间")]

    def __post_init__(self) -> None:
        utc(self.at)


class Decision(Body, frozen=True):
    """办结/决定 T8."""

    outcome: Annotated[Literal["granted", "denied"], Meta(title="决定")]
    number: Annotated[Number, Meta(title="决定书文号")]
    unit: Annotated[LongLine, Meta(title="决定单位")]
    officer: Annotated[Line, Meta(title="决定人员")]
    at: Annotated[Moment, Meta(title="决定时间")]
    reason: Annotated[OptionalProse, Meta(title="理由")] = ""
    redress: Annotated[OptionalProse, Meta(title="救济途径")] = ""

    def __post_init__(self) -> None:
        utc(self.at)
        _reasoned(self.outcome == "denied", self.reason, self.redress)


class ResultDocument(Body, frozen=True):
    """One result file with its stamp (T8 结果, T13 签章); ``identifier`` is the certificate identifier of GB/T
    36904."""

    name: Annotated[LongLine, Meta(title="结果名称")]
    document: Annotated[Material, Meta(title="结果文件")]
    stamp: Annotated[Material | None, Meta(title="电子签章")]
    identifier: Annotated[OptionalLine, Meta(title="电子证照标识")] = ""

    def __post_init__(self) -> None:
        if self.document.role != "result":
            raise Invalid(
                "material-role", "结果文件的用途应为 result", "a result file has the role result", "document.role"
            )
        if self.stamp is not None and self.stamp.role != "stamp":
            raise Invalid("material-role", "签章文件的用途应为 stamp", "a stamp file has the role stamp", "stamp.role")


class Result(Body, frozen=True):
    """结果 T8: what a grant brings."""

    number: Annotated[Number, Meta(title="结果编号")]
    name: Annotated[LongLine, Meta(title="结果名称")]
    documents: Annotated[list[ResultDocument], Meta(title="结果文件", min_length=1, max_length=100)]
    at: Annotated[Moment, Meta(title="出件时间")]
    valid_from: Annotated[date | None, Meta(title="有效期起")] = None
    valid_until: Annotated[date | None, Meta(title="有效期止")] = None

    def __post_init__(self) -> None:
        utc(self.at)
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise Invalid("validity-order", "有效期止早于有效期起", "the validity ends before it begins", "valid_until")


class Arrival(Body, frozen=True):
    """到件: the result is at the collecting window, digests of what came."""

    window: Annotated[Line, Meta(title="窗口")]
    clerk: Annotated[Line, Meta(title="收件人员")]
    at: Annotated[Moment, Meta(title="到件时间")]
    documents: Annotated[list[Digest], Meta(title="文件摘要", min_length=1, max_length=100)]

    def __post_init__(self) -> None:
        utc(self.at)


class Delivery(Body, frozen=True):
    """送达 (T8 送达, T15 物流): the applicant has the result."""

    method: Annotated[Literal["pick_up", "courier", "download"], Meta(title="送达方式")]
    receiver: Annotated[Line, Meta(title="签收人")]
    identity_check: Annotated[IdentityCheck, Meta(title="身份核验方式")]
    at: Annotated[Moment, Meta(title="送达时间")]
    waybill: Annotated[OptionalLine, Meta(title="运单号")] = ""

    def __post_init__(self) -> None:
        utc(self.at)
        if self.method == "courier" and not self.waybill:
            raise Invalid("waybill-missing", "快递送达须有运单号", "delivery by courier needs its waybill", "waybill")


class Withdrawal(Body, frozen=True):
    """撤回: the applicant takes the application back."""

    reason: Annotated[Prose, Meta(title="理由")]
    at: Annotated[Moment, Meta(title="撤回时间")]

    def __post_init__(self) -> None:
        utc(self.at)


BODIES: Final[dict[str, type[Body]]] = {
    "application": Application, "correction_request": CorrectionRequest, "correction": Correction,
    "acceptance": Acceptance, "step": Step, "special_start": SpecialStart, "special_end": SpecialEnd,
    "decision": Decision, "result": Result, "arrival": Arrival, "delivery": Delivery, "withdrawal": Withdrawal,
}  # fmt: skip
"""Message type -> the body it carries."""
