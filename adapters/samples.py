"""One obviously fictitious body of every message type (示例报文), for ``map run``, ``adapter test`` and the tests. Pure.

The person does not exist: the citizen number is the example that GB 11643-1999 itself prints, and the name says 测试.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from adapters.base import Outbound, Status
from adapters.report import Report
from schemas import canonical as c

AT = datetime(2025, 3, 3, 1, 30, 0, tzinfo=UTC)
CITIZEN = "11010519491231002X"
DIGEST = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
FILE = b"abc"
"""The file whose digest that is: GB/T 32905 A.1."""
REDRESS = "可在六十日内申请行政复议，或在六个月内提起行政诉讼"


def material(name: str = "测试材料", role: Any = "material") -> c.Material:
    """A material whose digest is the SM3 example of GB/T 32905 A.1."""
    return c.Material(name=name, sm3=DIGEST, size=1024, media_type="application/pdf", file_name="测试.pdf", role=role)


def person(name: str = "测试甲") -> c.Identity:
    """A natural person."""
    return c.Identity(
        kind="person", name=name, id_type="111", id_number=CITIZEN, mobile="13800000000", address="测试路1号",
    )  # fmt: skip


def attestation() -> c.Attestation:
    """What a window vouches for."""
    return c.Attestation(
        clerk="窗口测试员", clerk_no="K01", window="3号窗口", identity_check="id_card_reader",
        originals_seen=["居民身份证", "户口簿"], at=AT,
    )  # fmt: skip


def body(type_: str) -> Any:
    """The sample body of a message type, or of the notices ``receipt`` and ``status``. KeyError for another word."""
    return _BODIES[type_]


def types() -> tuple[str, ...]:
    """All that there is a sample of."""
    return tuple(_BODIES)


def outbound(type_: str) -> Outbound:
    """The sample body under way to a platform."""
    return Outbound(
        type=type_, id="01950000-0000-7000-8000-000000000001", case_id="420104.11420104MB0000000X/0195-1",
        case_number="420104202503030001", at_ms=1_740_965_400_000, body=body(type_), local_number="HGT202503030001",
        agreement="TB-420104-360113", agreement_version=1, clause="三", item="360113-0001", item_name="测试事项",
        from_party="420104.11420104MB0000000X", from_name="测试收件单位", status="received_there",
    )  # fmt: skip


def report(event: str) -> Outbound:
    """A report of an event of the sample case, with all that a case can have behind it."""
    whole = Report(
        event=event, number="36011301950000000000000000000001", day="20250303", sequence="0000000001", change="insert",
        unit="测试审批局", unit_code="11360113MB0000000X", division="360113", officer="测试官", step="审查", opinion="符合条件",
        at=AT, recorded=AT, application=body("application"), acceptance=body("acceptance"), special=body("special_start"),
        special_end=body("special_end"), decision=body("decision"), result=body("result"),
    )  # fmt: skip
    return msgspec.structs.replace(outbound("receipt"), type="report", body=whole)


_BODIES: dict[str, Any] = {
    "receipt": Status(state="received_there", text="办理地已收到", at=AT, by="测试单位", receipt="cmVjZWlwdA=="),
    "status": Status(state="in_review", text="审查中", at=AT, by="测试单位"),
    "application": c.Application(
        case_number="420104202503030001", item="360113-0001", item_name="测试事项", item_version=1,
        mode="collect_elsewhere", handling="360113", applicant=c.Applicant(person(), person("测试乙")),
        form={"性别": "女", "经营场所": "测试大道𠀀号"}, materials=[material("申请书"), material("章程")],
        attestation=attestation(), collected_at=AT, purpose="测试用途", legal_basis="测试依据",
    ),
    "correction_request": c.CorrectionRequest(
        number="测补字1号", reasons=[c.CorrectionItem("material", "章程", "缺少签字页", "补交签字页")],
        due=date(2025, 3, 14), officer="测试官", at=AT,
    ),
    "correction": c.Correction(
        form={"经营场所": "测试大道2号"}, materials=[material("章程")], note="已补正", at=AT, clerk="窗口测试员",
    ),
    "acceptance": c.Acceptance(
        outcome="accepted", number="测受字1号", unit="测试审批局", officer="测试官", at=AT, promised=date(2025, 3, 20),
    ),
    "step": c.Step(name="审查", handler="测试官", opinion="符合条件", at=AT),
    "special_start": c.SpecialStart(
        kind="expert_review", legal_basis="行政许可法第四十五条", reason="需要专家评审", limit_days=10, at=AT,
        notice="测特字1号",
    ),
    "special_end": c.SpecialEnd(result="评审通过", at=AT),
    "decision": c.Decision(
        outcome="denied", number="测决字1号", unit="测试审批局", officer="测试官", at=AT, reason="不符合条件",
        redress=REDRESS,
    ),
    "result": c.Result(
        number="测果字1号", name="测试证书", at=AT, valid_from=date(2025, 3, 3), valid_until=date(2030, 3, 2),
        documents=[
            c.ResultDocument(
                name="测试证书", document=material("测试证书", "result"), stamp=material("电子签章", "stamp"),
                identifier="",
            ),
        ],
    ),
    "arrival": c.Arrival(window="3号窗口", clerk="窗口测试员", at=AT, documents=[DIGEST]),
    "delivery": c.Delivery(method="courier", receiver="测试甲", identity_check="sight", at=AT, waybill="测运1"),
    "withdrawal": c.Withdrawal(reason="不再办理", at=AT),
}  # fmt: skip
