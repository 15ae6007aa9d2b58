"""The life of a certificate that we issued (电子证照) as a literal table: ``(state, event): Row(next, by, needs)``.

A missing row is refused and nothing moves. No row leads out of an end: a certificate that was revoked is never valid again, its
holder gets a new one. Whether it has expired is no state: the dates printed on it say so, and ``standing`` reads both, so that
nothing has to happen at midnight for a certificate to be out of date. A permit that stands beside others on one certificate
(多证合一) has a life by the same table, less what concerns the whole sheet.

Terms: 行政许可法 第八条 (撤回), 第五十条 (延续), 第六十九条 (撤销), 第七十条 (注销). Pure: dates and states come in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final


class State(StrEnum):
    STAMPING = "stamping"  # made, and at the stamping system: nobody has seen it yet
    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"  # its series has a newer version
    DROPPED = "dropped"  # given up before it was stamped: it never was a certificate


class Event(StrEnum):
    STAMP = "stamp"
    DROP = "drop"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    WITHDRAW = "withdraw"
    CANCEL = "cancel"
    REISSUE = "reissue"  # a newer version is ordered; this one holds until that is stamped
    SUPERSEDE = "supersede"
    ANNOTATE = "annotate"  # a copy for a relying party (加注件)
    RELEASE = "release"  # what another party may see of it, by an agreement, was given to it


class By(StrEnum):
    ISSUER = "issuer"  # the platform that had it issued, or the node's operator on its order
    NODE = "node"  # follows from another act, nobody asks for it


class Need(StrEnum):
    REASON = "reason"  # one of ``REASONS``
    IN_TERM = "in_term"  # not expired


@dataclass(frozen=True, slots=True)
class Row:
    """Where an event leads, who may cause it, and what must hold."""

    next: State
    by: By = By.ISSUER
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    next: State


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """Nothing moves. ``reason``: "late" (past it), "not-yours", "reason-needed", "expired"."""

    state: State
    event: Event
    reason: str

    @property
    def zh(self) -> str:
        state, event = NAMES[self.state][0], ACTS[self.event][0]
        return _WHY[self.reason][0].format(state=state, event=event)

    @property
    def en(self) -> str:
        state, event = NAMES[self.state][1], ACTS[self.event][1]
        return _WHY[self.reason][1].format(state=state, event=event)


_REASON: Final = (Need.REASON,)
_REVOKE: Final = Row(State.REVOKED, needs=_REASON)
_WITHDRAW: Final = Row(State.WITHDRAWN, needs=_REASON)
_CANCEL: Final = Row(State.CANCELLED, needs=_REASON)

TABLE: Final[dict[tuple[State, Event], Row]] = {
    (State.STAMPING, Event.STAMP): Row(State.VALID, By.NODE),
    (State.STAMPING, Event.DROP): Row(State.DROPPED, needs=_REASON),
    (State.VALID, Event.SUSPEND): Row(State.SUSPENDED, needs=(Need.REASON, Need.IN_TERM)),
    (State.VALID, Event.REVOKE): _REVOKE,
    (State.VALID, Event.WITHDRAW): _WITHDRAW,
    (State.VALID, Event.CANCEL): _CANCEL,
    (State.VALID, Event.REISSUE): Row(State.VALID, needs=_REASON),
    (State.VALID, Event.SUPERSEDE): Row(State.SUPERSEDED, By.NODE),
    (State.VALID, Event.ANNOTATE): Row(State.VALID, needs=(Need.IN_TERM,)),
    (State.VALID, Event.RELEASE): Row(State.VALID, needs=(Need.IN_TERM,)),
    (State.SUSPENDED, Event.RESUME): Row(State.VALID, needs=_REASON),
    (State.SUSPENDED, Event.REVOKE): _REVOKE,
    (State.SUSPENDED, Event.WITHDRAW): _WITHDRAW,
    (State.SUSPENDED, Event.CANCEL): _CANCEL,
}

# What can happen to one permit while the sheet that carries it lives on.
OF_A_PERMIT: Final = frozenset({Event.SUSPEND, Event.RESUME, Event.REVOKE, Event.WITHDRAW, Event.CANCEL})
ENDS: Final = frozenset(State) - {state for state, _ in TABLE}
STARTS: Final = (State.STAMPING, State.VALID)  # at the stamping system, or stamped here at once


def advance(state: State, event: Event, by: By, *, reason: str = "", in_term: bool = True) -> Moved | NotAllowed:
    """What ``event``, caused by ``by``, does to a certificate (or permit) in ``state``. ``reason``: a code of ``REASONS``."""
    row = TABLE.get((state, event))
    if row is None:
        return NotAllowed(state, event, "late")
    if by is not row.by:
        return NotAllowed(state, event, "not-yours")
    if Need.REASON in row.needs and event not in _EVENTS_OF.get(reason, ()):
        return NotAllowed(state, event, "reason-needed")
    if Need.IN_TERM in row.needs and not in_term:
        return NotAllowed(state, event, "expired")
    return Moved(row.next)


# --- what anybody is told --------------------------------------------------------------------------------------------


class Standing(StrEnum):
    """How a certificate stands at a time: its state then, read with its dates. Never two at once, never a mere "invalid"."""

    STAMPING = "stamping"
    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    DROPPED = "dropped"
    NOT_YET = "not_yet_valid"
    EXPIRED = "expired"
    LAPSED = "lapsed"  # none of the permits that it carries stands any more


GOOD: Final = frozenset({Standing.VALID})


@dataclass(frozen=True, slots=True)
class Term:
    """Valid from a date through a date, both included, in China; ``to`` None: no end."""

    begin: date
    end: date | None = None

    def over(self, day: date) -> bool:
        """Whether it has ended before ``day``."""
        return self.end is not None and day > self.end


def standing(state: State, term: Term, day: date) -> Standing:
    """How something in ``state`` stands on ``day``. An end is an end whatever the dates say; then the dates; then a pause."""
    if state in ENDS or state is State.STAMPING:
        return Standing(state.value)
    if term.over(day):
        return Standing.EXPIRED
    if state is State.SUSPENDED:
        return Standing.SUSPENDED
    return Standing.NOT_YET if day < term.begin else Standing.VALID


def of_sheet(own: Standing, permits: Sequence[Standing]) -> Standing:
    """How a sheet stands that carries permits: as itself, unless it is valid and none of them can be used any more."""
    if own is not Standing.VALID or not permits:
        return own
    over = [one for one in permits if one not in (Standing.VALID, Standing.NOT_YET, Standing.SUSPENDED)]
    if len(over) < len(permits):
        return own
    return Standing.EXPIRED if set(over) == {Standing.EXPIRED} else Standing.LAPSED


def of_permit(own: Standing, sheet: Standing) -> Standing:
    """How a permit stands: no better than the sheet that carries it."""
    return own if sheet in (Standing.VALID, Standing.LAPSED) or own in _OVER else sheet


def state_at(moves: Sequence[tuple[int, State]], at_ms: int) -> State | None:
    """The state at a time by its history (ms of each step, oldest first); None before there was any."""
    reached = [state for step_ms, state in moves if step_ms <= at_ms]
    return reached[-1] if reached else None


_OVER: Final = frozenset(
    {Standing.REVOKED, Standing.WITHDRAWN, Standing.CANCELLED, Standing.EXPIRED, Standing.SUPERSEDED, Standing.DROPPED}
)

# The status list of a ministry's interface (住房城乡建设领域): 01 valid … 07 revoked; 05 lapsed, 99 other.
STATUS_CODES: Final[dict[Standing, str]] = {
    Standing.VALID: "01",
    Standing.SUSPENDED: "02",
    Standing.WITHDRAWN: "03",
    Standing.CANCELLED: "04",
    Standing.EXPIRED: "05",
    Standing.LAPSED: "05",
    Standing.REVOKED: "07",
    Standing.STAMPING: "99",
    Standing.SUPERSEDED: "99",
    Standing.DROPPED: "99",
    Standing.NOT_YET: "99",
}

NAMES: Final[dict[str, tuple[str, str]]] = {
    "stamping": ("待签章", "being stamped"),
    "valid": ("有效", "valid"),
    "suspended": ("暂停使用", "suspended"),
    "revoked": ("已撤销", "revoked"),
    "withdrawn": ("已撤回", "withdrawn"),
    "cancelled": ("已注销", "cancelled"),
    "superseded": ("已换发", "superseded"),
    "dropped": ("未制成", "not completed"),
    "not_yet_valid": ("尚未生效", "not yet valid"),
    "expired": ("已过有效期", "expired"),
    "lapsed": ("所载许可均已失效", "none of its permits stands"),
}

ACTS: Final[dict[str, tuple[str, str]]] = {
    "issue": ("签发", "issue"),
    "stamp": ("签章", "stamp"),
    "drop": ("放弃制证", "give up"),
    "suspend": ("暂停", "suspend"),
    "resume": ("恢复", "resume"),
    "revoke": ("撤销", "revoke"),
    "withdraw": ("撤回", "withdraw"),
    "cancel": ("注销", "cancel"),
    "reissue": ("换发", "re-issue"),
    "supersede": ("被换发", "supersede"),
    "annotate": ("加注", "annotate"),
    "release": ("依协议提供", "release"),
}

_WHY: Final = {
    "late": ("证照{state}，不能{event}", "the certificate is {state}: no {event}"),
    "not-yours": ("“{event}”由系统自动作出，不能指令", '"{event}" follows from other acts and cannot be ordered'),
    "reason-needed": ("“{event}”须写明法定事由代码", '"{event}" needs one of its reason codes'),
    "expired": ("证照已过有效期，不能{event}", "the certificate has expired: no {event}"),
}

# reason code -> Chinese, English, the events it can be given for. 行政许可法 第八、四十九、五十、六十九、七十条.
REASONS: Final[dict[str, tuple[str, str, frozenset[Event]]]] = {
    "abuse-of-power": ("滥用职权、玩忽职守作出", "granted by abuse or neglect of duty", frozenset({Event.REVOKE})),
    "beyond-power": ("超越法定职权作出", "granted beyond legal power", frozenset({Event.REVOKE})),
    "against-procedure": ("违反法定程序作出", "granted against procedure", frozenset({Event.REVOKE})),
    "not-qualified": ("申请人不具备资格或条件", "the applicant was not qualified", frozenset({Event.REVOKE})),
    "fraud": ("以欺骗、贿赂等不正当手段取得", "obtained by fraud or bribery", frozenset({Event.REVOKE})),
    "penalty": ("依法吊销（行政处罚）", "taken away as a penalty", frozenset({Event.REVOKE})),
    "law-changed": ("所依据的规定修改或废止", "the rules it rested on were changed", frozenset({Event.WITHDRAW})),
    "facts-changed": ("客观情况发生重大变化", "circumstances changed greatly", frozenset({Event.WITHDRAW})),
    "not-renewed": ("有效期届满未延续", "its term ended without renewal", frozenset({Event.CANCEL})),
    "death-or-incapacity": ("公民死亡或丧失行为能力", "death or incapacity of the person", frozenset({Event.CANCEL})),
    "dissolved": ("法人或其他组织依法终止", "the organisation was dissolved", frozenset({Event.CANCEL})),
    "impossible": ("因不可抗力无法实施", "force majeure", frozenset({Event.CANCEL})),
    "holder-asked": ("持证主体申请", "the holder asked for it", frozenset({Event.CANCEL, Event.SUSPEND, Event.RESUME})),
    "investigation": ("涉嫌违法正在调查", "under investigation", frozenset({Event.SUSPEND})),
    "rectification": ("责令限期整改", "rectification was ordered", frozenset({Event.SUSPEND})),
    "cleared": ("调查终结，事由消除", "the cause has gone", frozenset({Event.RESUME})),
    "rectified": ("整改完成", "rectified", frozenset({Event.RESUME})),
    "change": ("变更登记内容", "what it says has changed", frozenset({Event.REISSUE})),
    "renewal": ("延续有效期", "renewed", frozenset({Event.REISSUE})),
    "correction": ("更正错误", "an error is corrected", frozenset({Event.REISSUE})),
    "stamp-refused": ("签章系统拒绝", "the stamping system refused", frozenset({Event.DROP})),
    "wrong-data": ("制证数据有误", "its data were wrong", frozenset({Event.DROP})),
    "other-legal": (
        "依法应当办理的其他情形",
        "another case laid down by law",
        frozenset({Event.REVOKE, Event.WITHDRAW, Event.CANCEL, Event.SUSPEND, Event.RESUME, Event.REISSUE, Event.DROP}),
    ),
}
_EVENTS_OF: Final = {code: events for code, (_, _, events) in REASONS.items()}
