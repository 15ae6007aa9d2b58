"""A case's event as a report (办件归集): what a collector of case data is told, put together from the case's own messages.

Only the handling place (办理地) reports, so every case is counted once in the nation. A report names its event and its number;
all else is read when its bytes are frozen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from adapters.report import Report
from agreements.calendar import china_date
from gateway.core.case import Event
from gateway.core.labels import LABELS
from gateway.flow import post
from gateway.flow.casefile import CaseFile
from gateway.problems import Refused
from gateway.store.journal import Reader
from gateway.store.vault import Vault
from schemas import codec

TYPE: Final = "report"
ACCEPTING: Final = frozenset({Event.ACCEPT, Event.NOT_ACCEPT, Event.DEEM_ACCEPTED})
ENDING: Final = frozenset(
    {
        Event.DECIDE_GRANT, Event.DECIDE_DENY, Event.ISSUE_RESULT, Event.NOT_ACCEPT, Event.WITHDRAW, Event.TERMINATE,
        Event.TRANSFER, Event.LAPSE_CORRECTION, Event.CORRECT_DECISION, Event.REVOKE, Event.CANCEL,
    }
)  # fmt: skip
"""Events that give a case a result, or change the one that it has."""
BEHIND: Final[Mapping[str, frozenset[Event]]] = {
    "application": frozenset({Event.RECEIVE}), "acceptance": ACCEPTING, "special": frozenset({Event.START_SPECIAL}),
    "special_end": frozenset({Event.END_SPECIAL}), "decision": frozenset({Event.DECIDE_GRANT, Event.DECIDE_DENY}),
    "result": frozenset({Event.ISSUE_RESULT}),
}  # fmt: skip


class Due(msgspec.Struct, frozen=True):
    """What is kept of a report until it is frozen: the event's number in the case, and who reports."""

    event: int
    party: str
    name: str


class Told(msgspec.Struct, frozen=True):
    """One line of a case's history."""

    n: int
    event: str
    message: str
    act_ms: int


def number_of(case: str, party: str) -> str:
    """A case's number in the nation: the handling division and the last part of the case's id, which no other case has."""
    return party[:6] + case.rpartition("/")[2]


def body(tx: Reader, case: CaseFile, vault: Vault, report: str, sealed: bytes, sequence: int, made_ms: int) -> Report:
    """The report. ``Refused('TB-5001')`` where the case's history is not here."""
    key = vault.unwrap(case.wrapped_key)
    due = msgspec.msgpack.decode(vault.open(key, sealed, post.body_label(report)), type=Due)
    rows = tx.all(
        "SELECT n, event, message, act_ms FROM case_event WHERE case_id = ? AND n <= ? ORDER BY n", case.id, due.event
    )
    history = [Told(*row) for row in rows]
    if not history or history[-1].n != due.event:
        raise Refused("TB-5001")
    event = history[-1]
    behind = {
        name: _body(tx, vault, key, next((one.message for one in reversed(history) if one.event in events), ""))
        for name, events in BEHIND.items()
    }
    said, recorded = _body(tx, vault, key, event.message), datetime.fromtimestamp(made_ms / 1000, UTC)
    if behind["application"] is None:
        raise Refused("TB-5001")
    return Report(
        event=event.event, number=number_of(case.id, due.party), day=china_date(recorded).strftime("%Y%m%d"),
        sequence=f"{sequence:010d}", change=_change(history), unit=due.name, unit_code=due.party.partition(".")[2],
        division=due.party[:6], officer=_first(said, "officer", "handler", "clerk"), step=_step(event, said),
        opinion=_opinion(said), at=datetime.fromtimestamp(event.act_ms / 1000, UTC), recorded=recorded, **behind,
    )  # fmt: skip


def _body(tx: Reader, vault: Vault, key: bytes, message: str) -> Any:
    """The canonical body of a message of this case; None where no message said it (a term that ran out)."""
    row = tx.one("SELECT type, sealed FROM message WHERE id = ?", message) if message else None
    return None if row is None else codec.decode(row[0], vault.open(key, row[1], post.body_label(message)))


def _change(history: Sequence[Told]) -> Any:
    """Whether the event repeats what an earlier one has reported already."""
    event = history[-1].event
    alike = ACCEPTING if event in ACCEPTING else ENDING if event in ENDING else frozenset()
    return "update" if any(one.event in alike for one in history[:-1]) else "insert"


def _step(event: Told, said: Any) -> str:
    return _first(said, "name") if event.event == Event.STEP else LABELS[event.event][0]


def _opinion(said: Any) -> str:
    reasons = getattr(said, "reasons", None)
    if isinstance(reasons, list):
        return "；".join(f"{one.name}：{one.what}" for one in reasons)[:2000]
    return _first(said, "opinion", "reason", "note")


def _first(said: Any, *names: str) -> str:
    found = (getattr(said, name, "") for name in names)
    return next((one for one in found if isinstance(one, str) and one), "")
