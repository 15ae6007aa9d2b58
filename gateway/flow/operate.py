"""What an operator may change (运维处置): deliveries that stand still, and exchange with a partner.

Every change goes by the delivery table; none adds a ledger leaf, so it may be made beside a running gateway. The reason is
kept with the row.
"""

from __future__ import annotations

from gateway.core.delivery import DONE, Event, State
from gateway.flow import outbox
from gateway.problems import Refused
from gateway.store.journal import Tx

WAITING = frozenset({State.QUEUED, State.FROZEN, State.UNKNOWN, State.AWAITING_PARTS})


def resend(tx: Tx, message: str, reason: str = "") -> tuple[str, State]:
    """Let a delivery go on, same bytes: what was parked is asked about first, what only waits is tried now.

    Its destination and new state. ``Refused``: TB-5001 no such delivery, TB-5002 it is done or waits for a person's word.
    """
    destination, state = _delivery(tx, message)
    if state in (State.PARKED, State.HELD):
        state = outbox.move(tx, message, Event.RESEND, _cause(reason))
    elif state not in WAITING:
        raise Refused("TB-5002", state.value)
    tx.run("UPDATE delivery SET attempt = 0, next_ms = 0 WHERE message = ?", message)
    outbox.answers(tx, destination)
    return destination, state


def pause(tx: Tx, party: str, reason: str) -> None:
    """Stop exchange with a partner both ways; what is owed stays owed."""
    _peer(tx, party)
    tx.run("UPDATE peer SET state = 'paused', cause = ? WHERE id = ?", _cause(reason), party)


def resume(tx: Tx, party: str) -> str:
    """Exchange again, at once; the cause of the pause that ends."""
    cause = _peer(tx, party)
    tx.run("UPDATE peer SET state = 'active', cause = '' WHERE id = ?", party)
    outbox.answers(tx, f"peer:{party}")
    return cause


def _peer(tx: Tx, party: str) -> str:
    row = tx.one("SELECT cause FROM peer WHERE id = ?", party)
    if row is None:
        raise Refused("TB-2003")
    return str(row[0])


def _delivery(tx: Tx, message: str) -> tuple[str, State]:
    row = tx.one("SELECT destination, state FROM delivery WHERE message = ?", message)
    if row is None:
        raise Refused("TB-5001")
    if State(row[1]) in DONE:
        raise Refused("TB-5002", row[1])
    return str(row[0]), State(row[1])


def _cause(reason: str) -> str:
    """Written by a person: shown only to those who reveal, as all free text is."""
    return f"人工处置 {reason}".strip()[:256]
