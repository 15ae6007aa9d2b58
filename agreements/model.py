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

from schemas.fields import DivisionCode, ItemCode, LongLine, Mode, OptionalLine

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

    id: PartyId
    name: LongLine
    division: DivisionCode


class Line(Part, frozen=True):
    """One line of permission. ``collecting`` and ``handling`` are party ids; ``mutual`` 双向 lets them swap roles."""

    clause: Clause
    items: Annotated[list[ItemCode], Meta(min_length=1)]
    mode: Mode
    power: Power
    collecting: Annotated[list[PartyId], Meta(min_length=1)]
    handling: Annotated[list[PartyId], Meta(min_length=1)]
    direction: Literal["one_way", "mutual"]


class ItemMaterial(Part, frozen=True):
    """材料: ``certificate`` names the e-certificate that can stand for it, ``certificate_type`` its type code if
    known."""

    name: LongLine
    required: Literal["yes", "conditional"]
    certificate: OptionalLine = ""
    certificate_type: OptionalLine = ""


class Item(Part, frozen=True):
    """事项 of the item list, in one version. ``decide_days`` is the item's own promised limit (承诺办结时限), 0 = the
    clock's."""

    code: ItemCode
    name: LongLine
    version: Annotated[int, Meta(ge=1, le=999_999)]
    applicant: Literal["person", "enterprise", "both"]
    materials: list[ItemMaterial]
    department: OptionalLine = ""
    case_type: Literal["immediate", "promised"] = "promised"
    decide_days: Annotated[int, Meta(ge=0, le=365)] = 0
    source: Annotated[str, Meta(max_length=400)] = ""


class ClockRule(Part, frozen=True):
    """时限: so many days from an event, the starting day not counted. ``source`` is the law or clause it comes from."""

    days: Annotated[int, Meta(ge=0, le=365)]
    unit: Literal["working", "calendar"]
    starts: Starts
    source: LongLine
    clause: Clause


class Clocks(Part, frozen=True):
    """The three clocks of a case."""

    notify: ClockRule
    decide: ClockRule
    deliver: ClockRule


class Clauses(Part, frozen=True):
    """Where the agreement itself says what a refusal must cite."""

    parties: Clause
    items: Clause
    direction: Clause
    mode: Clause
    power: Clause
    purposes: Clause
    term: Clause
    signing: Clause


class Agreement(Part, frozen=True):
    """通办协议. In force from ``in_force`` through ``expires``, both included, dates in China."""

    format: Literal["tongban/agreement/1"]
    id: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]*$(?!\n)")]
    version: Annotated[int, Meta(ge=1, le=999_999)]
    name: LongLine
    scope: Scope
    in_force: date
    expires: date
    purposes: Annotated[list[LongLine], Meta(min_length=1)]
    clauses: Clauses
    clocks: Clocks
    parties: Annotated[list[Party], Meta(min_length=2)] = msgspec.field(name="party")
    lines: Annotated[list[Line], Meta(min_length=1)] = msgspec.field(name="line")
    items: Annotated[list[Item], Meta(min_length=1)] = msgspec.field(name="item")
    notes: Annotated[str, Meta(max_length=4000)] = ""

    def party(self, party_id: str) -> Party | None:
        """The party of this id."""
        return next((party for party in self.parties if party.id == party_id), None)

    def item(self, code: str, version: int) -> Item | None:
        """The item of this code in this version."""
        return next((item for item in self.items if item.code == code and item.version == version), None)
