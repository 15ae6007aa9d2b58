"""The timeline a package tells (时间线), held against its messages and the case table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.core.case import (
    EVENT_OF_MESSAGE,
    EVENT_OF_RECEIPT,
    EVENT_OF_REFUSAL,
    Actor,
    Event,
    Moved,
    State,
    advance,
    start,
)
from gateway.ledger.messages import Message
from gateway.ledger.package import Finding
from gateway.ledger.records import Told


def check_story(entries: Sequence[Told], messages: Sequence[Message], line: int) -> Iterator[Finding]:
    """Every entry names a message of the package whose event it is, and the states follow each other by the table."""
    by_id = {message.head.id: message for message in messages}
    state: State | None = None
    for number, told in enumerate(entries, 1):
        if not told.event:
            continue
        message = by_id.get(told.message)
        if told.message and message is None:
            zh, en = (
                f"时间线第 {number} 项的报文不在包内",
                f"the message of timeline entry {number} is not in the package",
            )
            yield Finding("story", "story-message", zh, en, line, told.message, bad=False)
        elif message is not None and told.event not in _events(message):
            zh, en = f"时间线第 {number} 项与其报文不符", f"timeline entry {number} is not what its message says"
            yield Finding("story", "story-event", zh, en, line, told.message)
        following = _next(state, told)
        if following is None or following.value != told.state:
            zh, en = f"时间线第 {number} 项的状态不合办件规则", f"the state of timeline entry {number} breaks the rules"
            yield Finding("story", "story-state", zh, en, line, told.message)
            return
        state = following


def _events(message: Message) -> set[str]:
    """The events that a message can stand for: with a sealed content nobody knows which outcome it tells."""
    if message.content is None:
        told = {event for (type_, _), event in EVENT_OF_MESSAGE.items() if type_ == message.head.type}
    else:
        told = {message.event} if message.event else set()
    own = {Event.COLLECT, Event.FORWARD} if message.head.type == "application" else set()
    type_ = message.head.type
    return {event.value for event in (*told, EVENT_OF_RECEIPT.get(type_), EVENT_OF_REFUSAL.get(type_), *own) if event}


def _next(state: State | None, told: Told) -> State | None:
    try:
        event, by = Event(told.event), Actor(told.by)
    except ValueError:
        return None
    outcome = start(event, by) if state is None else advance(state, event, by)
    return outcome.next if isinstance(outcome, Moved) else None
