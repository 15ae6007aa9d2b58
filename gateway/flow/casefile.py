"""The case file (办件档) as rows: load, open, move, record an event. Every function runs inside a transaction."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core import case as machine
from gateway.problems import Refused
from gateway.store.journal import Reader, Tx

_COLUMNS = (
    "id, role, state, counterpart, platform, agreement, agreement_version, clause, item, item_name, purpose, legal_basis, "
    "case_number, local_number, wrapped_key, seq_out, seq_in, events, created_ms, updated_ms"
)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One row of ``case_file``; ``role`` is our side of the case, ``counterpart`` the other side's party id."""

    id: str
    role: str
    state: str
    counterpart: str
    platform: str
    agreement: str
    agreement_version: int
    clause: str
    item: str
    item_name: str
    purpose: str
    legal_basis: str
    case_number: str
    local_number: str
    wrapped_key: bytes
    seq_out: int
    seq_in: int
    events: int
    created_ms: int
    updated_ms: int


def load(tx: Reader, case_id: str) -> CaseFile | None:
    """The case with this id of ours."""
    row = tx.one(f"SELECT {_COLUMNS} FROM case_file WHERE id = ?", case_id)
    return None if row is None else CaseFile(*row)


def find(tx: Reader, platform: str, number: str) -> CaseFile | None:
    """The case a local platform means: by our id, or by any number it is known under there (either side's number)."""
    found = load(tx, number)
    if found is not None:
        return found if found.platform == platform else None
    row = tx.one("SELECT case_id FROM alias WHERE platform = ? AND number = ?", platform, number)
    return None if row is None else load(tx, row[0])


def open_case(tx: Tx, case: CaseFile) -> None:
    """Insert a new case and its number as an alias."""
    tx.run(
        f"INSERT INTO case_file ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        case.id, case.role, case.state, case.counterpart, case.platform, case.agreement, case.agreement_version,
        case.clause, case.item, case.item_name, case.purpose, case.legal_basis, case.case_number, case.local_number,
        case.wrapped_key, case.seq_out, case.seq_in, case.events, case.created_ms, case.updated_ms,
    )  # fmt: skip
    name(tx, case, case.case_number)


def own_number(case: CaseFile) -> str:
    """Our side's own number for the case; "" while the handling platform has given none."""
    return case.case_number if case.role == machine.Actor.COLLECTING.value else case.local_number


def learn_number(tx: Tx, case: CaseFile, number: str) -> None:
    """The other side's own number: the case is found by it here too."""
    name(tx, case, number)
    if number and not case.local_number and case.role == machine.Actor.COLLECTING.value:
        tx.run("UPDATE case_file SET local_number = ? WHERE id = ?", number, case.id)


def name(tx: Tx, case: CaseFile, number: str) -> None:
    """Let the case be found under one more number; a number that already names another case stays with that one."""
    if number and tx.one("SELECT 1 FROM alias WHERE platform = ? AND number = ?", case.platform, number) is None:
        tx.run("INSERT INTO alias (platform, number, case_id) VALUES (?,?,?)", case.platform, number, case.id)


def move(tx: Tx, case: CaseFile, event: machine.Event, by: machine.Actor, message: str, act_ms: int) -> str:
    """Apply an event by the one table and record it; the new state. Raises ``Refused`` when the table does not allow it."""
    outcome = machine.advance(machine.State(case.state), event, by)
    if not isinstance(outcome, machine.Moved):
        raise not_allowed(outcome)
    record(tx, case.id, case.events + 1, event, outcome.next, by, message, act_ms)
    tx.run(
        "UPDATE case_file SET state = ?, events = events + 1, updated_ms = ? WHERE id = ?",
        outcome.next.value, tx.now_ms, case.id,
    )  # fmt: skip
    return outcome.next.value


def check(case: CaseFile, event: machine.Event, by: machine.Actor) -> None:
    """Whether the table would allow the event now; raises ``Refused``, moves nothing."""
    outcome = machine.advance(machine.State(case.state), event, by)
    if not isinstance(outcome, machine.Moved):
        raise not_allowed(outcome)


def not_allowed(outcome: machine.Parked | machine.NotAllowed) -> Refused:
    """The refusal for an event that the table does not allow, with the state it met."""
    if isinstance(outcome, machine.Parked):
        return Refused("TB-5006", f"{outcome.state.value} × {outcome.event.value}", early=True)
    code = "TB-5004" if outcome.reason == "not-yours" else "TB-5002"
    return Refused(code, outcome.zh)


def record(
    tx: Tx,
    case_id: str,
    n: int,
    event: machine.Event,
    state: machine.State,
    by: machine.Actor,
    message: str,
    act_ms: int,
) -> None:
    """One line of the case's timeline. ``act_ms`` is when the actor says it happened, ``at_ms`` when we recorded it."""
    tx.run(
        "INSERT INTO case_event (case_id, n, event, state, by, message, act_ms, at_ms) VALUES (?,?,?,?,?,?,?,?)",
        case_id, n, event.value, state.value, by.value, message, act_ms, tx.now_ms,
    )  # fmt: skip
