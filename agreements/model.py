"""The agreement 通办协议 as data: who may send which item (事项) to whom, how, and by when.

An agreement is TOML; these are its frozen shapes. A line (条款) gives a power per items x mode x direction:
``collect`` 委托收件 (the window never decides), ``accept`` 委托受理, ``decide`` 委托下放/授权. Clocks (时限) are
settings with their source, never constants: *notify* 补正/受理告知, *decide* 审批决定, *deliver* 送达. Every refusal
can name a clause because the agreement names, in ``clauses``, where it says what.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from schemas.fields import DivisionCode, FormKey, ItemCode, LongLine, Mode, OptionalLine

PartyId = Annotated[
    str,
    Meta(
        title="主体标识",
        min_length=25,
        max_length=25,
        pattern=r"^[0-9]{6}\.[0-9A-Z]{18}$(?!\n)",
        extra={"zh": "区划代码.统一社会信用代码", "en": "division code, a dot, credit code"},
    ),
]
Clause = Annotated[str, Meta(title="条款", min_length=1, max_length=60)]
Power = Literal["collect", "accept", "decide"]
POWERS: Final = {"collect": "委托收件", "accept": "委托受理", "decide": "委托下放/授权"}
RANK: Final = {"collect": 0, "accept": 1, "decide": 2}
Scope = Literal["跨省通办", "省内通办", "跨市通办", "跨域通办", "都市圈通办", "一圈通办", "同城通办", "市域通办"]
Confidentiality = Literal["end-to-end", "transport"]
CONFIDENTIALITY: Final = {
    "end-to-end": ("正文与附件端到端加密", "contents sealed end to end"),
    "transport": ("只在传输途中加密", "protected on the wire only"),
}
Starts = Literal["collected", "received_there", "accepted", "decided"]
STARTS: Final = {
    "collected": ("收件", "collection"),
    "received_there": ("办理地收到", "receipt at the handling place"),
    "accepted": ("受理", "acceptance"),
    "decided": ("作出决定", "the decision"),
}
FORMAT: Final = "tongban/agreement/1"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every part of an agreement shares: unknown keys are refused."""


class Party(Part, frozen=True):
    """签约方: ``id`` is division code + USCC, ``division`` where it stands."""

    id: Annotated[PartyId, Meta(title="主体标识")]
    name: Annotated[LongLine, Meta(title="名称")]
    division: Annotated[DivisionCode, Meta(title="区划代码")]


class Line(Part, frozen=True):
    """One line of permission. ``collecting`` and ``handling`` are party ids; ``mutual`` 双向 lets them swap roles."""

    clause: Annotated[Clause, Meta(title="条款")]
    items: Annotated[list[ItemCode], Meta(title="事项", min_length=1)]
    mode: Annotated[Mode, Meta(title="办理方式")]
    power: Annotated[Power, Meta(title="授权")]
    collecting: Annotated[list[PartyId], Meta(title="收件方", min_length=1)]
    handling: Annotated[list[PartyId], Meta(title="办理方", min_length=1)]
    direction: Annotated[Literal["one_way", "mutual"], Meta(title="方向")]


SignatureMeans = Literal["handwriting", "app", "event_certificate", "scan"]


class ItemMaterial(Part, frozen=True):
    """材料: ``certificate`` names the e-certificate that can stand for it, ``certificate_type`` its type code if
    known. ``fills``: form field -> field of the certificate's face that fills it (免填写)."""

    name: Annotated[LongLine, Meta(title="材料名称")]
    required: Annotated[Literal["yes", "conditional"], Meta(title="是否必要")]
    certificate: Annotated[OptionalLine, Meta(title="可替代的电子证照")] = ""
    certificate_type: Annotated[OptionalLine, Meta(title="证照类型代码")] = ""
    fills: Annotated[dict[FormKey, LongLine], Meta(title="可填写的表单字段", max_length=100)] = {}


class Item(Part, frozen=True):
    """事项 of the item list, in one version. ``decide_days`` is the item's own promised limit (承诺办结时限), 0 = the
    clock's. ``signatures``: the means of signing of which one is demanded of the applicant; none demanded if empty."""

    code: Annotated[ItemCode, Meta(title="事项编码")]
    name: Annotated[LongLine, Meta(title="事项名称")]
    version: Annotated[int, Meta(title="版本", ge=1, le=999_999)]
    applicant: Annotated[Literal["person", "enterprise", "both"], Meta(title="服务对象")]
    materials: Annotated[list[ItemMaterial], Meta(title="材料")]
    department: Annotated[OptionalLine, Meta(title="主管部门")] = ""
    case_type: Annotated[Literal["immediate", "promised"], Meta(title="办件类型")] = "promised"
    decide_days: Annotated[int, Meta(title="承诺时限", ge=0, le=365)] = 0
    source: Annotated[str, Meta(title="出处", max_length=400)] = ""
    signatures: Annotated[list[SignatureMeans], Meta(title="申请人签名方式", max_length=4)] = []


CertificateUse = Literal["scan", "fetch", "verify"]
USES: Final = {
    "scan": ("扫码查验", "scanning"),
    "fetch": ("调取证照信息", "fetching"),
    "verify": ("核验真伪", "verifying"),
}
EVERYTHING: Final = "*"
TypeCode = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Z]{18}[0-9]{3}$(?!\n)",
        extra={
            "zh": "证照类型代码（定义机构代码18位加3位顺序号）",
            "en": "18 of the defining body's code and 3 digits",
        },
    ),
]
FieldName = Annotated[
    str,
    Meta(
        pattern=r"^(\*|[A-Za-z][0-9A-Za-z_.-]{0,63})$(?!\n)",
        extra={"zh": "照面字段名，或以 * 表示整张证照", "en": "a surface field's name, or * for the whole certificate"},
    ),
]


class CertificateLine(Part, frozen=True):
    """证照条款: certificates of ``types`` that ``issuers`` issued may be used so by ``to``, who then see ``fields`` and no more.

    ``fields``: names of surface fields (照面信息) and those of ``agreements.release.HEAD``; ``["*"]`` alone is the whole
    certificate, its file too. ``purposes``: of which one must be given; those of the agreement if empty.
    """

    clause: Annotated[Clause, Meta(title="条款")]
    types: Annotated[list[TypeCode], Meta(title="证照类型", min_length=1)]
    issuers: Annotated[list[PartyId], Meta(title="颁发方", min_length=1)]
    to: Annotated[list[PartyId], Meta(title="使用方", min_length=1)]
    fields: Annotated[list[FieldName], Meta(title="可见字段", min_length=1)]
    uses: Annotated[list[CertificateUse], Meta(title="用法", min_length=1)]
    purposes: Annotated[list[LongLine], Meta(title="用途")] = []


class ClockRule(Part, frozen=True):
    """时限: so many days from an event, the starting day not counted. ``source`` is the law or clause it comes from."""

    days: Annotated[int, Meta(title="天数", ge=0, le=365)]
    unit: Annotated[Literal["working", "calendar"], Meta(title="单位")]
    starts: Annotated[Starts, Meta(title="起算事件")]
    source: Annotated[LongLine, Meta(title="依据")]
    clause: Annotated[Clause, Meta(title="条款")]


class Clocks(Part, frozen=True):
    """The three clocks of a case."""

    notify: Annotated[ClockRule, Meta(title="告知时限")]
    decide: Annotated[ClockRule, Meta(title="决定时限")]
    deliver: Annotated[ClockRule, Meta(title="送达时限")]


class Clauses(Part, frozen=True):
    """Where the agreement itself says what a refusal must cite."""

    parties: Annotated[Clause, Meta(title="签约方条款")]
    items: Annotated[Clause, Meta(title="事项条款")]
    direction: Annotated[Clause, Meta(title="方向条款")]
    mode: Annotated[Clause, Meta(title="方式条款")]
    power: Annotated[Clause, Meta(title="授权条款")]
    purposes: Annotated[Clause, Meta(title="用途条款")]
    term: Annotated[Clause, Meta(title="期限条款")]
    signing: Annotated[Clause, Meta(title="签署条款")]
    confidentiality: Annotated[OptionalLine, Meta(title="保密条款")] = ""
    certificates: Annotated[OptionalLine, Meta(title="证照条款出处")] = ""


class Agreement(Part, frozen=True):
    """通办协议. In force from ``in_force`` through ``expires``, both included, dates in China.

    ``confidentiality`` 保密: what is sent under it, sealed end to end or not. One that does not say was signed before it could.
    """

    format: Annotated[Literal["tongban/agreement/1"], Meta(title="格式")]
    id: Annotated[
        str, Meta(title="协议编号", min_length=1, max_length=64, pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]*$(?!\n)")
    ]
    version: Annotated[int, Meta(title="版本", ge=1, le=999_999)]
    name: Annotated[LongLine, Meta(title="名称")]
    scope: Annotated[Scope, Meta(title="通办范围")]
    in_force: Annotated[date, Meta(title="生效日")]
    expires: Annotated[date, Meta(title="届满日")]
    purposes: Annotated[list[LongLine], Meta(title="用途", min_length=1)]
    clauses: Annotated[Clauses, Meta(title="条款出处")]
    clocks: Annotated[Clocks, Meta(title="时限")]
    parties: Annotated[list[Party], Meta(title="签约方", min_length=2)] = msgspec.field(name="party")
    lines: Annotated[list[Line], Meta(title="授权条款", min_length=1)] = msgspec.field(name="line")
    items: Annotated[list[Item], Meta(title="事项", min_length=1)] = msgspec.field(name="item")
    notes: Annotated[str, Meta(title="备注", max_length=4000)] = ""
    confidentiality: Annotated[Confidentiality, Meta(title="保密")] = "transport"
    certificates: Annotated[list[CertificateLine], Meta(title="证照条款")] = msgspec.field(
        name="certificate", default_factory=list
    )

    def party(self, party_id: str) -> Party | None:
        """The party of this id."""
        return next((party for party in self.parties if party.id == party_id), None)

    def item(self, code: str, version: int) -> Item | None:
        """The item of this code in this version."""
        return next((item for item in self.items if item.code == code and item.version == version), None)
