"""The outbox as rows: what is due to a destination, and every change of a delivery, by the one delivery table."""

from __future__ import annotations

from typing import NamedTuple

from gateway.config import Delivery
from gateway.core import backoff, delivery
from gateway.core.delivery import Event, State
from gateway.problems import Refused
from gateway.store.journal import Reader, Tx

STAMPER = "stamper"  # the city's stamping system, where results go first that lack stamps
SHARING = "sharing"  # where certificates come from, for what names them in place of materials
_TRIES = frozenset({Event.ATTEMPT, Event.UNCLEAR, Event.TEMPORARY})
OPEN = "('queued','frozen','unknown','awaiting_parts')"


class Due(NamedTuple):
    """One delivery that may be tried now."""

    message: str
    case_id: str
    state: State
    attempt: int
    type: str


def due(tx: Reader, destination: str, now_ms: int, limit: int) -> list[Due]:
    """What may go to a destination now, oldest first; a case's later messages wait for its earlier ones.

    What goes to a partner also waits for what is still with the stamper or sharing and goes there after that.
    """
    rows = tx.all(
        "SELECT d.message, d.case_id, d.state, d.attempt, m.type FROM delivery d JOIN message m ON m.id = d.message "
        f"WHERE d.destination = ? AND d.state IN {OPEN} AND d.next_ms <= ? AND NOT EXISTS ("
        "SELECT 1 FROM delivery e WHERE e.case_id = d.case_id AND e.destination IN (d.destination, ?, ?) "
        "AND e.state NOT IN ('delivered','refused','given_up') "
        "AND (e.turn < d.turn OR (e.turn = d.turn AND e.message < d.message))) "
        "ORDER BY d.turn, d.message LIMIT ?",
        destination, now_ms, *_before(destination), limit,
    )  # fmt: skip
    return [Due(message, case_id, State(state), attempt, type_) for message, case_id, state, attempt, type_ in rows]


def next_due_ms(tx: Reader, destination: str, now_ms: int) -> int | None:
    """When a delivery that waits for its time may be tried next; None if none does. What is not due although its time has come
    waits behind another of its case."""
    row = tx.one(
        f"SELECT min(next_ms) FROM delivery WHERE destination = ? AND state IN {OPEN} AND next_ms > ?",
        destination,
        now_ms,
    )
    return None if row is None or row[0] is None else int(row[0])


def resting_until(tx: Reader, destination: str) -> int:
    """Until when the whole destination backs off (ms since 1970)."""
    row = tx.one("SELECT next_ms FROM destination WHERE id = ?", destination)
    return 0 if row is None else int(row[0])


def move(tx: Tx, message: str, event: Event, cause: str = "", next_ms: int = 0) -> State:
    """Advance one delivery; raises ``Refused('TB-5002')`` when the table has no such row."""
    row = tx.one("SELECT state FROM delivery WHERE message = ?", message)
    if row is None:
        raise Refused("TB-5001")
    outcome = delivery.advance(State(row[0]), event)
    if isinstance(outcome, delivery.NotAllowed):
        raise Refused("TB-5002", f"{outcome.state.value} × {event.value}")
    done = tx.now_ms if outcome.next in delivery.DONE else 0
    attempt = 1 if event in (Event.TEMPORARY, Event.UNCLEAR) else 0
    tx.run(
        "UPDATE delivery SET state = ?, cause = ?, next_ms = ?, done_ms = ?, attempt = attempt + ? WHERE message = ?",
        outcome.next.value, cause[:256], next_ms, done, attempt, message,
    )  # fmt: skip
    if event in _TRIES:
        _tried(tx, message, event, cause)
    return outcome.next


def _tried(tx: Tx, message: str, event: Event, cause: str) -> None:
    """Of the last attempt: when it began, and what it brought; a crash in between leaves it without a word."""
    if event is Event.ATTEMPT:
        tx.run("UPDATE delivery SET tried_ms = ?, said = '' WHERE message = ?", tx.now_ms, message)
    else:
        tx.run("UPDATE delivery SET said = ? WHERE message = ?", cause[:256], message)


def later(tx: Tx, message: str, event: Event, cause: str, settings: Delivery, jitter: float) -> State:
    """Advance to a state that waits, for longer the more often this message has been tried."""
    row = tx.one("SELECT attempt FROM delivery WHERE message = ?", message)
    attempt = 1 if row is None else int(row[0]) + 1
    return move(
        tx, message, event, cause, tx.now_ms + backoff.delay_ms(attempt, jitter, settings.base_ms, settings.cap_ms)
    )


def hand_over(tx: Tx, message: str, destination: str) -> None:
    """One destination has done its work on the message: it is owed to the next, in its old place in the order."""
    move(tx, message, Event.RECEIPT)
    tx.run(
        "UPDATE delivery SET destination = ?, state = ?, attempt = 0, next_ms = 0, cause = '', done_ms = 0 WHERE message = ?",
        destination, delivery.START.value, message,
    )  # fmt: skip


def rest(tx: Tx, destination: str, cause: str, settings: Delivery, jitter: float) -> int:
    """The destination failed as a whole: raise its attempt count and store when to try next."""
    row = tx.one("SELECT attempt FROM destination WHERE id = ?", destination)
    attempt = 1 if row is None else int(row[0]) + 1
    until = tx.now_ms + backoff.delay_ms(attempt, jitter, settings.base_ms, settings.cap_ms)
    if row is None:
        tx.run(
            "INSERT INTO destination (id, attempt, next_ms, cause) VALUES (?,?,?,?)",
            destination, attempt, until, cause[:256],
        )  # fmt: skip
    else:
        tx.run(
            "UPDATE destination SET attempt = ?, next_ms = ?, cause = ? WHERE id = ?",
            attempt, until, cause[:256], destination,
        )  # fmt: skip
    return until


def answers(tx: Tx, destination: str) -> None:
    """The destination answers, or was heard from: its waiting time is over, and so is that of what waits for it."""
    tx.run("UPDATE destination SET attempt = 0, next_ms = 0, cause = '' WHERE id = ? AND attempt > 0", destination)


def _before(destination: str) -> tuple[str, str]:
    """Where a case's earlier messages may be on their way to this destination."""
    return (STAMPER, SHARING) if destination.startswith("peer:") else (destination, destination)
