"""The delivery machine (投递): one message to one destination, at least once on the wire and once in effect.

A literal table, ``(state, event): Row(next, effects)``; a missing row is refused and nothing moves. The bytes are
frozen under the message id in the transaction that leaves ``queued``; every attempt sends those bytes. After an unclear
outcome the destination is asked before anything is sent again; one that cannot be asked goes to a person (待人工确认)
and is never sent again by itself. A crash between two rows finds the earlier state: the next row is the first try.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"  # 待转递: accepted, not yet translated
    HELD = "held"  # 待修正: cannot be translated as things are; nothing was frozen, nothing was sent
    FROZEN = "frozen"  # 待发: bytes fixed; will be sent, or sent again
    UNKNOWN = "unknown"  # 结果未明: an attempt ended without an answer; ask before sending
    AWAITING_PARTS = "awaiting_parts"  # 待附件: the destination holds the message and lacks parts
    DELIVERED = "delivered"  # 已签收: its receipt is stored
    REFUSED = "refused"  # 被拒: its refusal is stored
    PARKED = "parked"  # 搁置: failed too long; waits for an operator with its reason
    AWAITING_PERSON = "awaiting_person"  # 待人工确认
    GIVEN_UP = "given_up"  # 已放弃: shown not received and refused henceforth, or dropped before anything was sent


class Event(StrEnum):
    FREEZE = "freeze"  # bytes fixed under the id
    ATTEMPT = "attempt"  # about to call one that takes no second try: a crash now leaves unknown
    RECEIPT = "receipt"  # receipt came, by answer or by asking
    REFUSAL = "refusal"
    NEEDS_PARTS = "needs_parts"
    PARTS_SENT = "parts_sent"
    TEMPORARY = "temporary"  # surely not taken: refused connection, 503, retry-later
    UNCLEAR = "unclear"  # perhaps taken: time-out, cut connection, garbage
    NOT_THERE = "not_there"  # asked: it does not have the message
    CANNOT_ASK = "cannot_ask"
    EXHAUSTED = "exhausted"  # tried as often or as long as settings allow
    RESEND = "resend"  # an operator lets it go on, same bytes
    CONFIRMED_THERE = "confirmed_there"  # a person found it there
    CONFIRMED_NOT_THERE = "confirmed_not_there"  # a person found that it is not
    REFUSED_HENCEFORTH = "refused_henceforth"  # the destination's signed "not received, refused henceforth"
    DROP = "drop"  # an operator drops what never left


class Effect(StrEnum):
    SEND = "send"  # send the frozen bytes now
    BACK_OFF = "back_off"  # raise the destination's attempt count, store when to try next
    CLEAR_BACK_OFF = "clear_back_off"  # the destination answers: its waiting time is over
    SEND_PARTS = "send_parts"
    ASK = "ask"  # ask by idempotency key
    STORE_ANSWER = "store_answer"  # receipt or refusal, in the same transaction
    TELL_OPERATOR = "tell_operator"
    CALL_PERSON = "call_person"


@dataclass(frozen=True, slots=True)
class Row:
    next: State
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    next: State
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """Nothing moves. ``done`` is True when the message already has its end."""

    state: State
    event: Event
    done: bool


START = State.QUEUED
DONE = frozenset({State.DELIVERED, State.REFUSED, State.GIVEN_UP})

_TAKEN = Row(State.DELIVERED, (Effect.STORE_ANSWER, Effect.CLEAR_BACK_OFF))
_TURNED_DOWN = Row(State.REFUSED, (Effect.STORE_ANSWER, Effect.CLEAR_BACK_OFF, Effect.TELL_OPERATOR))
_PARTS = Row(State.AWAITING_PARTS, (Effect.SEND_PARTS, Effect.CLEAR_BACK_OFF))
_AGAIN = Row(State.FROZEN, (Effect.SEND,))
_LATER = Row(State.FROZEN, (Effect.BACK_OFF,))
_ASK = Row(State.UNKNOWN, (Effect.ASK,))
_ASK_LATER = Row(State.UNKNOWN, (Effect.BACK_OFF, Effect.ASK))
_PARK = Row(State.PARKED, (Effect.TELL_OPERATOR,))
_PERSON = Row(State.AWAITING_PERSON, (Effect.CALL_PERSON,))
_OVER = Row(State.GIVEN_UP, (Effect.STORE_ANSWER,))

TABLE: dict[tuple[State, Event], Row] = {
    (State.QUEUED, Event.FREEZE): _AGAIN,
    (State.QUEUED, Event.TEMPORARY): Row(State.QUEUED, (Effect.BACK_OFF,)),
    (State.QUEUED, Event.EXHAUSTED): Row(State.HELD, (Effect.TELL_OPERATOR,)),
    (State.QUEUED, Event.DROP): Row(State.GIVEN_UP),
    (State.HELD, Event.RESEND): Row(State.QUEUED),
    (State.HELD, Event.DROP): Row(State.GIVEN_UP, (Effect.TELL_OPERATOR,)),
    (State.FROZEN, Event.ATTEMPT): Row(State.UNKNOWN),
    (State.FROZEN, Event.RECEIPT): _TAKEN,
    (State.FROZEN, Event.REFUSAL): _TURNED_DOWN,
    (State.FROZEN, Event.NEEDS_PARTS): _PARTS,
    (State.FROZEN, Event.TEMPORARY): _LATER,
    (State.FROZEN, Event.UNCLEAR): _ASK,
    (State.FROZEN, Event.CANNOT_ASK): _PERSON,
    (State.FROZEN, Event.EXHAUSTED): _PARK,
    (State.FROZEN, Event.REFUSED_HENCEFORTH): _OVER,
    (State.UNKNOWN, Event.RECEIPT): _TAKEN,
    (State.UNKNOWN, Event.REFUSAL): _TURNED_DOWN,
    (State.UNKNOWN, Event.NEEDS_PARTS): _PARTS,
    (State.UNKNOWN, Event.TEMPORARY): _ASK_LATER,
    (State.UNKNOWN, Event.UNCLEAR): _ASK_LATER,
    (State.UNKNOWN, Event.NOT_THERE): _AGAIN,
    (State.UNKNOWN, Event.CANNOT_ASK): _PERSON,
    (State.UNKNOWN, Event.EXHAUSTED): _PARK,
    (State.UNKNOWN, Event.REFUSED_HENCEFORTH): _OVER,
    (State.AWAITING_PARTS, Event.PARTS_SENT): _ASK,
    (State.AWAITING_PARTS, Event.NEEDS_PARTS): _PARTS,
    (State.AWAITING_PARTS, Event.RECEIPT): _TAKEN,
    (State.AWAITING_PARTS, Event.REFUSAL): _TURNED_DOWN,
    (State.AWAITING_PARTS, Event.TEMPORARY): Row(State.AWAITING_PARTS, (Effect.BACK_OFF, Effect.SEND_PARTS)),
    (State.AWAITING_PARTS, Event.UNCLEAR): _ASK_LATER,
    (State.AWAITING_PARTS, Event.NOT_THERE): _AGAIN,
    (State.AWAITING_PARTS, Event.EXHAUSTED): _PARK,
    (State.AWAITING_PARTS, Event.REFUSED_HENCEFORTH): _OVER,
    # what was parked may have arrived: going on means asking first, and a late answer still counts
    (State.PARKED, Event.RESEND): _ASK,
    (State.PARKED, Event.RECEIPT): _TAKEN,
    (State.PARKED, Event.REFUSAL): _TURNED_DOWN,
    (State.PARKED, Event.CANNOT_ASK): _PERSON,
    (State.PARKED, Event.REFUSED_HENCEFORTH): _OVER,
    (State.AWAITING_PERSON, Event.CONFIRMED_THERE): Row(State.DELIVERED, (Effect.STORE_ANSWER,)),
    (State.AWAITING_PERSON, Event.CONFIRMED_NOT_THERE): _AGAIN,
    (State.AWAITING_PERSON, Event.RECEIPT): _TAKEN,
    (State.AWAITING_PERSON, Event.REFUSAL): _TURNED_DOWN,
    (State.AWAITING_PERSON, Event.REFUSED_HENCEFORTH): _OVER,
}


def advance(state: State, event: Event) -> Moved | NotAllowed:
    """The next state and what to do, or NotAllowed: nothing moves. The caller stores both in one transaction."""
    row = TABLE.get((state, event))
    return Moved(row.next, row.effects) if row else NotAllowed(state, event, state in DONE)
