"""The case machine (办件): a literal table, ``(state, event): Row(next, effects, by)``. A missing row moves nothing.

Both gateways of a case keep a copy and run this one table. The collecting side (收件地) starts at ``collected``, the
handling side (办理地) at ``received_there``. What the handling place settles, the collecting side's copy follows:

* the collecting side's correction, withdrawal and application move its own copy only when the handling side's receipt
  is in (``EVENT_OF_RECEIPT``), and only one of a kind is under way at a time; a crossing (withdrawal meets decision) is
  thereby settled by the handling place's table;
* clock events are raised at the handling side only; the collecting side hears of them from there.

``by`` says who may cause a row. An agreement line with the power *collect* (委托收件) never makes a window decide: no
row of acceptance, procedure or decision names the collecting side. Early events park, late ones are refused, nothing
regresses. Sources: GB/T 39046-2020; 行政许可法 第二十九、三十二、三十七、三十八、四十四、四十五条.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.core.labels import LABELS


class Actor(StrEnum):
    COLLECTING = "collecting"  # 收件地
    HANDLING = "handling"  # 办理地
    CLOCK = "clock"  # a term ran out at the handling side


class State(StrEnum):
    COLLECTED = "collected"  # 已收件
    FORWARDED = "forwarded"  # 已转递
    REFUSED_THERE = "refused_there"  # 办理地拒收: its gateway refused the application, with a signed reason
    RECEIVED_THERE = "received_there"  # 办理地已签收
    CORRECTION_REQUESTED = "correction_requested"  # 待补正
    NOT_ACCEPTED = "not_accepted"  # 不予受理
    ACCEPTED = "accepted"  # 已受理
    DEEMED_ACCEPTED = "deemed_accepted"  # 视为受理
    IN_REVIEW = "in_review"  # 审查中
    SPECIAL_PROCEDURE = "special_procedure"  # 特别程序
    GRANTED = "granted"  # 准予
    DENIED = "denied"  # 不予
    RESULT_ISSUED = "result_issued"  # 已出结果
    AT_WINDOW = "at_window"  # 结果到窗
    DELIVERED = "delivered"  # 已送达
    CLOSED = "closed"  # 已办结
    TRANSFERRED = "transferred"  # 已移送
    WITHDRAWN = "withdrawn"  # 已撤回
    CORRECTION_LAPSED = "correction_lapsed"  # 逾期未补正
    TERMINATED = "terminated"  # 终止办理
    CORRECTED = "corrected"  # 决定已更正
    REVOKED = "revoked"  # 已撤销
    CANCELLED = "cancelled"  # 已注销
    RETURNED = "returned"  # 退件


class Event(StrEnum):
    COLLECT = "collect"
    FORWARD = "forward"
    RECEIVE = "receive"
    RECEIVED_THERE = "received_there"
    REFUSED_THERE = "refused_there"
    REQUEST_CORRECTION = "request_correction"
    CORRECT = "correct"
    LAPSE_CORRECTION = "lapse_correction"
    ACCEPT = "accept"
    NOT_ACCEPT = "not_accept"
    DEEM_ACCEPTED = "deem_accepted"
    STEP = "step"
    START_SPECIAL = "start_special"
    END_SPECIAL = "end_special"
    DECIDE_GRANT = "decide_grant"
    DECIDE_DENY = "decide_deny"
    ISSUE_RESULT = "issue_result"
    ARRIVE_AT_WINDOW = "arrive_at_window"
    DELIVER = "deliver"
    CLOSE = "close"
    WITHDRAW = "withdraw"
    TERMINATE = "terminate"
    TRANSFER = "transfer"
    CORRECT_DECISION = "correct_decision"
    REVOKE = "revoke"
    CANCEL = "cancel"
    RETURN_PARCEL = "return_parcel"


class Effect(StrEnum):
    START_NOTIFY = "start_notify"  # notify clock runs: 受理 or 一次性告知 is due
    STOP_NOTIFY = "stop_notify"
    START_CORRECTION = "start_correction"  # the applicant's term for 补正
    STOP_CORRECTION = "stop_correction"
    START_DECIDE = "start_decide"
    PAUSE_DECIDE = "pause_decide"
    RESUME_DECIDE = "resume_decide"
    STOP_DECIDE = "stop_decide"
    START_SPECIAL_LIMIT = "start_special_limit"
    STOP_SPECIAL_LIMIT = "stop_special_limit"
    START_DELIVER = "start_deliver"
    STOP_DELIVER = "stop_deliver"
    TELL_APPLICANT = "tell_applicant"  # a notice is due to the person
    OVERDUE = "overdue"  # the handling side let a term lapse: efficiency monitoring counts it
    WITHDRAW_RESULT = "withdraw_result"  # a result in somebody's hands no longer holds


Effects = tuple[Effect, ...]

BY_COLLECTING = frozenset({Actor.COLLECTING})
BY_HANDLING = frozenset({Actor.HANDLING})
BY_EITHER = frozenset({Actor.COLLECTING, Actor.HANDLING})
BY_CLOCK = frozenset({Actor.CLOCK, Actor.HANDLING})  # the term ran out; the other side hears it from the handling side


@dataclass(frozen=True, slots=True)
class Row:
    next: State
    by: frozenset[Actor]
    effects: Effects = ()


@dataclass(frozen=True, slots=True)
class Moved:
    next: State
    effects: Effects


@dataclass(frozen=True, slots=True)
class Parked:
    """Too early: keep it, apply it when the case has moved on; nothing moves now."""

    state: State
    event: Event


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """Refused, nothing moves. ``reason``: "not-yours" (not this side's act) or "late" (the case is past it)."""

    state: State
    event: Event
    reason: str

    @property
    def zh(self) -> str:
        state, event = LABELS[self.state][0], LABELS[self.event][0]
        if self.reason == "not-yours":
            return f"“{event}”不由本方作出（办件状态：{state}）"
        return f"办件已处于“{state}”，不能再“{event}”"

    @property
    def en(self) -> str:
        state, event = LABELS[self.state][1], LABELS[self.event][1]
        if self.reason == "not-yours":
            return f'"{event}" is not this side\'s act (case state: {state})'
        return f'the case is "{state}", so "{event}" comes too late'


STARTS: dict[Event, Row] = {
    Event.COLLECT: Row(State.COLLECTED, BY_COLLECTING, (Effect.TELL_APPLICANT,)),
    Event.RECEIVE: Row(State.RECEIVED_THERE, BY_COLLECTING, (Effect.START_NOTIFY,)),
}

_TELL = Effect.TELL_APPLICANT
_RECEIVED = Row(State.RECEIVED_THERE, BY_HANDLING, (Effect.START_NOTIFY,))
_REFUSED = Row(State.REFUSED_THERE, BY_HANDLING, (_TELL,))
_ACCEPT = Row(State.ACCEPTED, BY_HANDLING, (Effect.STOP_NOTIFY, Effect.START_DECIDE, _TELL))
_NOT_ACCEPT = Row(State.NOT_ACCEPTED, BY_HANDLING, (Effect.STOP_NOTIFY, _TELL))
_GRANT = Row(State.GRANTED, BY_HANDLING, (Effect.STOP_DECIDE, Effect.START_DELIVER, _TELL))
_DENY = Row(State.DENIED, BY_HANDLING, (Effect.STOP_DECIDE, Effect.START_DELIVER, _TELL))
_REVIEW = Row(State.IN_REVIEW, BY_HANDLING)
_SPECIAL = Row(State.SPECIAL_PROCEDURE, BY_HANDLING, (Effect.PAUSE_DECIDE, Effect.START_SPECIAL_LIMIT, _TELL))
_TERMINATE = Row(State.TERMINATED, BY_HANDLING, (Effect.STOP_NOTIFY, Effect.STOP_DECIDE, _TELL))
_TRANSFER = Row(State.TRANSFERRED, BY_HANDLING, (Effect.STOP_NOTIFY, Effect.STOP_DECIDE, _TELL))
_WITHDRAW = Row(State.WITHDRAWN, BY_COLLECTING, (Effect.STOP_NOTIFY, Effect.STOP_DECIDE, _TELL))
_DELIVER = Row(State.DELIVERED, BY_EITHER, (Effect.STOP_DELIVER,))
_ARRIVE = Row(State.AT_WINDOW, BY_COLLECTING, (_TELL,))
_CLOSE = Row(State.CLOSED, BY_EITHER)
_CORRECT_DECISION = Row(State.CORRECTED, BY_HANDLING, (Effect.WITHDRAW_RESULT, Effect.START_DELIVER, _TELL))
_REVOKE = Row(State.REVOKED, BY_HANDLING, (Effect.STOP_DELIVER, Effect.WITHDRAW_RESULT, _TELL))
_CANCEL = Row(State.CANCELLED, BY_HANDLING, (Effect.STOP_DELIVER, Effect.WITHDRAW_RESULT, _TELL))

TABLE: dict[tuple[State, Event], Row] = {
    (State.COLLECTED, Event.FORWARD): Row(State.FORWARDED, BY_COLLECTING),
    (State.COLLECTED, Event.RECEIVED_THERE): _RECEIVED,
    (State.COLLECTED, Event.REFUSED_THERE): _REFUSED,
    # only while the application has not left: dropped from the outbox in the same transaction
    (State.COLLECTED, Event.WITHDRAW): Row(State.WITHDRAWN, BY_COLLECTING, (_TELL,)),
    (State.FORWARDED, Event.RECEIVED_THERE): _RECEIVED,
    (State.FORWARDED, Event.REFUSED_THERE): _REFUSED,
    # a new message that supersedes the refused one
    (State.REFUSED_THERE, Event.FORWARD): Row(State.FORWARDED, BY_COLLECTING),
    (State.REFUSED_THERE, Event.WITHDRAW): Row(State.WITHDRAWN, BY_COLLECTING, (_TELL,)),
    (State.RECEIVED_THERE, Event.REQUEST_CORRECTION): Row(
        State.CORRECTION_REQUESTED, BY_HANDLING, (Effect.STOP_NOTIFY, Effect.START_CORRECTION, _TELL)
    ),
    (State.RECEIVED_THERE, Event.ACCEPT): _ACCEPT,
    (State.RECEIVED_THERE, Event.NOT_ACCEPT): _NOT_ACCEPT,
    (State.RECEIVED_THERE, Event.DEEM_ACCEPTED): Row(
        State.DEEMED_ACCEPTED, BY_CLOCK, (Effect.STOP_NOTIFY, Effect.START_DECIDE, Effect.OVERDUE, _TELL)
    ),
    (State.RECEIVED_THERE, Event.TERMINATE): _TERMINATE,
    (State.RECEIVED_THERE, Event.TRANSFER): _TRANSFER,
    (State.RECEIVED_THERE, Event.WITHDRAW): _WITHDRAW,
    (State.CORRECTION_REQUESTED, Event.CORRECT): Row(
        State.RECEIVED_THERE, BY_COLLECTING, (Effect.STOP_CORRECTION, Effect.START_NOTIFY)
    ),
    (State.CORRECTION_REQUESTED, Event.ACCEPT): Row(
        State.ACCEPTED, BY_HANDLING, (Effect.STOP_CORRECTION, Effect.START_DECIDE, _TELL)
    ),
    (State.CORRECTION_REQUESTED, Event.NOT_ACCEPT): Row(
        State.NOT_ACCEPTED, BY_HANDLING, (Effect.STOP_CORRECTION, _TELL)
    ),
    (State.CORRECTION_REQUESTED, Event.LAPSE_CORRECTION): Row(
        State.CORRECTION_LAPSED, BY_CLOCK, (Effect.STOP_CORRECTION, _TELL)
    ),
    (State.CORRECTION_REQUESTED, Event.TERMINATE): Row(State.TERMINATED, BY_HANDLING, (Effect.STOP_CORRECTION, _TELL)),
    (State.CORRECTION_REQUESTED, Event.TRANSFER): Row(State.TRANSFERRED, BY_HANDLING, (Effect.STOP_CORRECTION, _TELL)),
    (State.CORRECTION_REQUESTED, Event.WITHDRAW): Row(State.WITHDRAWN, BY_COLLECTING, (Effect.STOP_CORRECTION, _TELL)),
    # the paper follows, the clock runs on
    (State.DEEMED_ACCEPTED, Event.ACCEPT): Row(State.ACCEPTED, BY_HANDLING, (_TELL,)),
    (State.DEEMED_ACCEPTED, Event.STEP): _REVIEW,
    (State.DEEMED_ACCEPTED, Event.START_SPECIAL): _SPECIAL,
    (State.DEEMED_ACCEPTED, Event.DECIDE_GRANT): _GRANT,
    (State.DEEMED_ACCEPTED, Event.DECIDE_DENY): _DENY,
    (State.DEEMED_ACCEPTED, Event.TERMINATE): _TERMINATE,
    (State.DEEMED_ACCEPTED, Event.TRANSFER): _TRANSFER,
    (State.DEEMED_ACCEPTED, Event.WITHDRAW): _WITHDRAW,
    (State.ACCEPTED, Event.STEP): _REVIEW,
    (State.ACCEPTED, Event.START_SPECIAL): _SPECIAL,
    (State.ACCEPTED, Event.DECIDE_GRANT): _GRANT,  # 即办件: accepted and decided in one go
    (State.ACCEPTED, Event.DECIDE_DENY): _DENY,
    (State.ACCEPTED, Event.TERMINATE): _TERMINATE,
    (State.ACCEPTED, Event.TRANSFER): _TRANSFER,
    (State.ACCEPTED, Event.WITHDRAW): _WITHDRAW,
    (State.IN_REVIEW, Event.STEP): _REVIEW,
    (State.IN_REVIEW, Event.START_SPECIAL): _SPECIAL,
    (State.IN_REVIEW, Event.DECIDE_GRANT): _GRANT,
    (State.IN_REVIEW, Event.DECIDE_DENY): _DENY,
    (State.IN_REVIEW, Event.TERMINATE): _TERMINATE,
    (State.IN_REVIEW, Event.TRANSFER): _TRANSFER,
    (State.IN_REVIEW, Event.WITHDRAW): _WITHDRAW,
    (State.SPECIAL_PROCEDURE, Event.STEP): Row(State.SPECIAL_PROCEDURE, BY_HANDLING),
    (State.SPECIAL_PROCEDURE, Event.END_SPECIAL): Row(
        State.IN_REVIEW, BY_HANDLING, (Effect.STOP_SPECIAL_LIMIT, Effect.RESUME_DECIDE)
    ),
    (State.SPECIAL_PROCEDURE, Event.TERMINATE): Row(
        State.TERMINATED, BY_HANDLING, (Effect.STOP_SPECIAL_LIMIT, Effect.STOP_DECIDE, _TELL)
    ),
    (State.SPECIAL_PROCEDURE, Event.TRANSFER): Row(
        State.TRANSFERRED, BY_HANDLING, (Effect.STOP_SPECIAL_LIMIT, Effect.STOP_DECIDE, _TELL)
    ),
    (State.SPECIAL_PROCEDURE, Event.WITHDRAW): Row(
        State.WITHDRAWN, BY_COLLECTING, (Effect.STOP_SPECIAL_LIMIT, Effect.STOP_DECIDE, _TELL)
    ),
    (State.GRANTED, Event.ISSUE_RESULT): Row(State.RESULT_ISSUED, BY_HANDLING),
    (State.GRANTED, Event.CORRECT_DECISION): _CORRECT_DECISION,
    (State.GRANTED, Event.REVOKE): _REVOKE,
    (State.GRANTED, Event.CANCEL): _CANCEL,
    (State.DENIED, Event.ARRIVE_AT_WINDOW): _ARRIVE,  # the letter of denial is delivered like a result
    (State.DENIED, Event.DELIVER): _DELIVER,
    (State.DENIED, Event.CORRECT_DECISION): _CORRECT_DECISION,
    (State.DENIED, Event.REVOKE): _REVOKE,
    (State.NOT_ACCEPTED, Event.DELIVER): Row(State.DELIVERED, BY_EITHER),
    (State.NOT_ACCEPTED, Event.CLOSE): _CLOSE,
    (State.NOT_ACCEPTED, Event.REVOKE): Row(State.REVOKED, BY_HANDLING, (_TELL,)),
    # one document after another, or anew after the other side refused one (a bad stamp)
    (State.RESULT_ISSUED, Event.ISSUE_RESULT): Row(State.RESULT_ISSUED, BY_HANDLING),
    (State.RESULT_ISSUED, Event.ARRIVE_AT_WINDOW): _ARRIVE,
    (State.RESULT_ISSUED, Event.DELIVER): _DELIVER,
    (State.RESULT_ISSUED, Event.RETURN_PARCEL): Row(State.RETURNED, BY_HANDLING, (_TELL,)),
    (State.RESULT_ISSUED, Event.CORRECT_DECISION): _CORRECT_DECISION,
    (State.RESULT_ISSUED, Event.REVOKE): _REVOKE,
    (State.RESULT_ISSUED, Event.CANCEL): _CANCEL,
    (State.AT_WINDOW, Event.DELIVER): _DELIVER,
    (State.AT_WINDOW, Event.CORRECT_DECISION): _CORRECT_DECISION,
    (State.AT_WINDOW, Event.REVOKE): _REVOKE,
    (State.AT_WINDOW, Event.CANCEL): _CANCEL,
    (State.RETURNED, Event.ISSUE_RESULT): Row(State.RESULT_ISSUED, BY_HANDLING),
    (State.RETURNED, Event.ARRIVE_AT_WINDOW): _ARRIVE,
    (State.RETURNED, Event.DELIVER): _DELIVER,
    (State.RETURNED, Event.CORRECT_DECISION): _CORRECT_DECISION,
    (State.RETURNED, Event.REVOKE): _REVOKE,
    (State.RETURNED, Event.CANCEL): _CANCEL,
    (State.DELIVERED, Event.CLOSE): _CLOSE,
    (State.DELIVERED, Event.CORRECT_DECISION): _CORRECT_DECISION,
    (State.DELIVERED, Event.REVOKE): _REVOKE,
    (State.DELIVERED, Event.CANCEL): _CANCEL,
    # a corrected case stays so while the corrected document goes out: an arrival or delivery that was on its way when the
    # correction came can then never be taken for that of the new document
    (State.CORRECTED, Event.ISSUE_RESULT): Row(State.CORRECTED, BY_HANDLING),
    (State.CORRECTED, Event.CORRECT_DECISION): _CORRECT_DECISION,
    (State.CORRECTED, Event.ARRIVE_AT_WINDOW): Row(State.CORRECTED, BY_COLLECTING, (_TELL,)),
    (State.CORRECTED, Event.DELIVER): Row(State.CORRECTED, BY_EITHER, (Effect.STOP_DELIVER,)),
    (State.CORRECTED, Event.CLOSE): Row(State.CLOSED, BY_HANDLING),
    (State.CORRECTED, Event.REVOKE): _REVOKE,
    (State.CORRECTED, Event.CANCEL): _CANCEL,
    (State.CLOSED, Event.CORRECT_DECISION): _CORRECT_DECISION,
    (State.CLOSED, Event.REVOKE): _REVOKE,
    (State.CLOSED, Event.CANCEL): _CANCEL,
}

_AFTER_DECISION = frozenset({Event.CORRECT_DECISION, Event.REVOKE, Event.CANCEL})
_HANDING_OVER = frozenset({Event.ARRIVE_AT_WINDOW, Event.DELIVER, Event.CLOSE})
_AFTER_GRANT = _HANDING_OVER | _AFTER_DECISION | {Event.ISSUE_RESULT, Event.RETURN_PARCEL}
_PROCEDURE = frozenset({Event.STEP, Event.START_SPECIAL, Event.END_SPECIAL, Event.DECIDE_GRANT, Event.DECIDE_DENY})
_INTAKE = frozenset(
    {
        Event.REQUEST_CORRECTION, Event.LAPSE_CORRECTION, Event.ACCEPT, Event.NOT_ACCEPT, Event.DEEM_ACCEPTED,
        Event.TERMINATE, Event.TRANSFER,
    }
)  # fmt: skip

# Early events that wait in a state until the case has moved on. What is neither here nor in TABLE is too late.
PARKS: dict[State, frozenset[Event]] = {
    State.COLLECTED: _INTAKE | _PROCEDURE | _AFTER_GRANT,
    State.FORWARDED: _INTAKE | _PROCEDURE | _AFTER_GRANT | {Event.WITHDRAW},
    State.RECEIVED_THERE: _PROCEDURE | _AFTER_GRANT,
    # a second request overtakes the receipt of the correction: it waits for it
    State.CORRECTION_REQUESTED: _PROCEDURE | _AFTER_GRANT | {Event.REQUEST_CORRECTION, Event.DEEM_ACCEPTED},
    State.DEEMED_ACCEPTED: _AFTER_GRANT | {Event.END_SPECIAL},
    State.ACCEPTED: _AFTER_GRANT | {Event.END_SPECIAL},
    State.IN_REVIEW: _AFTER_GRANT | {Event.END_SPECIAL},
    State.SPECIAL_PROCEDURE: _AFTER_GRANT | {Event.START_SPECIAL, Event.DECIDE_GRANT, Event.DECIDE_DENY},
    State.GRANTED: _HANDING_OVER | {Event.RETURN_PARCEL},
    State.DENIED: frozenset({Event.CLOSE}),  # closed only after 送达
    State.RESULT_ISSUED: frozenset({Event.CLOSE}),
    State.AT_WINDOW: frozenset({Event.CLOSE}),
    State.RETURNED: frozenset({Event.CLOSE}),
}

# Message type and outcome -> what it does to the copy of the side that receives it.
EVENT_OF_MESSAGE: dict[tuple[str, str], Event] = {
    ("application", ""): Event.RECEIVE,
    ("correction_request", ""): Event.REQUEST_CORRECTION,
    ("correction", ""): Event.CORRECT,
    ("acceptance", "accepted"): Event.ACCEPT,
    ("acceptance", "not_accepted"): Event.NOT_ACCEPT,
    ("acceptance", "deemed_accepted"): Event.DEEM_ACCEPTED,
    ("step", ""): Event.STEP,
    ("special_start", ""): Event.START_SPECIAL,
    ("special_end", ""): Event.END_SPECIAL,
    ("decision", "granted"): Event.DECIDE_GRANT,
    ("decision", "denied"): Event.DECIDE_DENY,
    ("result", ""): Event.ISSUE_RESULT,
    ("arrival", ""): Event.ARRIVE_AT_WINDOW,
    ("delivery", ""): Event.DELIVER,
    ("withdrawal", ""): Event.WITHDRAW,
}
# What the handling side's receipt (or refusal) of the collecting side's message does to the collecting side's copy.
# Sending these moves nothing (but ``forward`` when the application's bytes are frozen); late here means: overtaken,
# ignore.
EVENT_OF_RECEIPT: dict[str, Event] = {
    "application": Event.RECEIVED_THERE,
    "correction": Event.CORRECT,
    "withdrawal": Event.WITHDRAW,
}
EVENT_OF_REFUSAL: dict[str, Event] = {"application": Event.REFUSED_THERE}

# Who may cause an event anywhere: whoever stands in one of its rows.
WHO: dict[Event, frozenset[Actor]] = {
    event: frozenset(
        actor
        for rows in (TABLE.items(), (((None, start), row) for start, row in STARTS.items()))
        for (_, caused), row in rows
        if caused is event
        for actor in row.by
    )
    for event in Event
}
ENDS = frozenset(State) - {state for state, _ in TABLE}


def start(event: Event, by: Actor) -> Moved | NotAllowed:
    """The first state of a copy: ``collect`` at the collecting side, ``receive`` at the handling side."""
    row = STARTS.get(event)
    if row is None or by not in row.by:
        return NotAllowed(State.COLLECTED, event, "not-yours")
    return Moved(row.next, row.effects)


def advance(state: State, event: Event, by: Actor) -> Moved | Parked | NotAllowed:
    """What ``event``, caused by ``by``, does to a case in ``state``. Duplicates are recognised by id before this."""
    if by not in WHO[event]:
        return NotAllowed(state, event, "not-yours")
    row = TABLE.get((state, event))
    if row is not None:
        return Moved(row.next, row.effects) if by in row.by else NotAllowed(state, event, "not-yours")
    if event in PARKS.get(state, ()):
        return Parked(state, event)
    return NotAllowed(state, event, "late")


def moves_on_receipt(message_type: str) -> bool:
    """Whether the author's copy waits for the other side's receipt instead of moving at once.

    The flow refuses a second message of such a type for a case while one is unanswered: a correction sent twice could
    otherwise be taken for the answer to a later request.
    """
    return message_type in EVENT_OF_RECEIPT
