"""Reads for people: find a case, its timeline, its messages with their proofs and deliveries. Nothing here decrypts.

Free text that came from outside (a partner's or a platform's words about a refusal) may hold personal data, so of a
cause only its code is shown; the rest is for those who reveal and say why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.flow import casefile
from gateway.flow.casefile import CaseFile
from gateway.store.journal import Reader

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_LONG_NUMBER = re.compile(r"[0-9]{7}")
_OURS = frozenset({"not there", "待人工确认", "人工确认"})
DONE = "('delivered','refused','given_up')"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a case: who caused it, by which message, when it was done and when we recorded it (ms)."""

    n: int
    event: str
    state: str
    by: str
    message: str
    act_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Owed:
    """A delivery. ``cause`` is a code only; ``next_ms`` 0 means at once; ``rests_ms``: the whole destination rests."""

    message: str
    destination: str
    state: str
    attempt: int
    next_ms: int
    cause: str
    done_ms: int
    rests_ms: int = 0


@dataclass(frozen=True, slots=True)
class Letter:
    """A message. ``sent``: our ledger holds that it left; ``answer``: ``receipt``, ``refusal`` or none yet."""

    id: str
    case_id: str
    type: str
    direction: str
    seq: int
    status: str
    problem: str
    created_ms: int
    sent: bool
    answer: str
    delivery: Owed | None


def find(reader: Reader, text: str) -> list[CaseFile]:
    """Cases by our id, its last part, the collecting side's number or the handling side's; oldest first."""
    rows = reader.all(
        "SELECT id FROM case_file WHERE id = ? OR case_number = ? OR local_number = ? OR id IN "
        "(SELECT case_id FROM alias WHERE number = ?) ORDER BY created_ms, id",
        text, text, text, text,
    )  # fmt: skip
    if not rows and re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", text):
        rows = reader.all("SELECT id FROM case_file WHERE id LIKE '%/' || ? ORDER BY id", text)
    return [case for row in rows if (case := casefile.load(reader, row[0])) is not None]


def cases(
    reader: Reader, *, state: str = "", item: str = "", blind: bytes | None = None, limit: int = 50
) -> list[CaseFile]:
    """The newest cases, filtered; ``blind`` is the blind index of an identity number."""
    where, values = ["1"], list[object]()
    if state:
        where.append("state = ?")
        values.append(state)
    if item:
        where.append("item = ?")
        values.append(item)
    if blind is not None:
        where.append("id IN (SELECT case_id FROM blind WHERE value = ?)")
        values.append(blind)
    rows = reader.all(
        f"SELECT id FROM case_file WHERE {' AND '.join(where)} ORDER BY created_ms DESC, id DESC LIMIT ?",
        *values, limit,
    )  # fmt: skip
    return [case for row in rows if (case := casefile.load(reader, row[0])) is not None]


def timeline(reader: Reader, case_id: str) -> list[Entry]:
    """All events of a case in order."""
    rows = reader.all(
        "SELECT n, event, state, by, message, act_ms, at_ms FROM case_event WHERE case_id = ? ORDER BY n", case_id
    )
    return [Entry(*row) for row in rows]


_LETTER = (
    "SELECT m.id, m.case_id, m.type, m.direction, m.seq, m.status, m.problem, m.created_ms, m.sent_leaf IS NOT NULL, "
    "m.receipt IS NOT NULL, m.leaf IS NOT NULL, d.destination, d.state, d.attempt, d.next_ms, d.cause, d.done_ms, t.next_ms "
    "FROM message m LEFT JOIN delivery d ON d.message = m.id LEFT JOIN destination t ON t.id = d.destination "
)


def letters(reader: Reader, case_id: str) -> list[Letter]:
    """All messages of a case, in the order in which they came about."""
    return [_letter(row) for row in reader.all(f"{_LETTER} WHERE m.case_id = ? ORDER BY m.created_ms, m.id", case_id)]


def letter(reader: Reader, message: str) -> Letter | None:
    """One message."""
    row = reader.one(f"{_LETTER} WHERE m.id = ?", message)
    return None if row is None else _letter(row)


def newest(reader: Reader, *, state: str = "", destination: str = "", type_: str = "", limit: int = 50) -> list[Letter]:
    """The newest messages, filtered by their delivery's state (``open``: all that is not done) and destination."""
    where, values = ["1"], list[object]()
    if state == "open":
        where.append(f"d.state NOT IN {DONE}")
    elif state:
        where.append("d.state = ?")
        values.append(state)
    if destination:
        where.append("d.destination = ?")
        values.append(destination)
    if type_:
        where.append("m.type = ?")
        values.append(type_)
    rows = reader.all(
        f"{_LETTER} WHERE {' AND '.join(where)} ORDER BY m.created_ms DESC, m.id DESC LIMIT ?", *values, limit
    )
    return [_letter(row) for row in rows]


def stuck(reader: Reader) -> list[Letter]:
    """What goes no further without a person: held (untranslatable), parked, awaiting a person; oldest first."""
    where = "WHERE d.state IN ('held','parked','awaiting_person') ORDER BY d.destination, d.cause, m.created_ms, m.id"
    return [_letter(row) for row in reader.all(f"{_LETTER} {where}")]


def safe_cause(cause: str) -> str:
    """The code at the head of a stored cause; "" when it does not begin with one."""
    if cause in _OURS:
        return cause
    head = cause.split(" ", 1)[0]
    return head if _CODE.fullmatch(head) and not _LONG_NUMBER.search(head) else ""


def _letter(row: tuple[object, ...]) -> Letter:
    id_, case_id, type_, direction, seq, status, problem, created, sent, answered, ours, *owed = row
    answer = "receipt" if answered or (direction == "in" and ours) else ""
    if answer and problem:
        answer = "refusal"
    destination, state, attempt, next_ms, cause, done_ms, rests_ms = owed
    delivery = None
    if destination is not None:
        delivery = Owed(
            str(id_), str(destination), str(state), _int(attempt), _int(next_ms), safe_cause(str(cause)), _int(done_ms),
            _int(rests_ms),
        )  # fmt: skip
    return Letter(
        str(id_), str(case_id), str(type_), str(direction), _int(seq), str(status), str(problem), _int(created),
        bool(sent), answer, delivery,
    )  # fmt: skip


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
