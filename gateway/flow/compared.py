"""What is known of a delivery that stands still, side by side (两边对照): what we sent, and what the platform has said since.

For the person who has to decide (待人工确认). Nothing of it is personal: types, numbers, times, digests and codes. Who gave a
word and why is in it only when it is opened, for those who reveal.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.flow import confirm, outbound, post, show
from gateway.flow.casefile import CaseFile
from gateway.flow.show import Letter
from gateway.problems import Refused
from gateway.store.journal import Reader
from gateway.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Sent:
    """Our side. ``digest``: SM3 of the very bytes of every attempt; ``tried_ms``: when the last began, 0 if none did."""

    operation: str
    digest: str
    size: int
    frozen: bool
    tries: int
    tried_ms: int


@dataclass(frozen=True, slots=True)
class Heard:
    """The platform's side. ``said``: what the last attempt brought, "" where nothing was recorded; ``acts``: its acts on the
    case since then; ``number``: its own number for the case."""

    said: str
    acts: tuple[Letter, ...]
    number: str


@dataclass(frozen=True, slots=True)
class Given:
    """A word that was given before."""

    id: str
    message: str
    word: str
    operator: str
    leaf: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides, the case, the words given so far, and how many later messages wait behind this one."""

    letter: Letter
    case: CaseFile
    sent: Sent
    heard: Heard
    words: tuple[Given, ...]
    behind: int


def compare(reader: Reader, vault: Vault, message: str) -> Compared:
    """``Refused('TB-5001')`` when there is no such delivery."""
    letter = show.letter(reader, message)
    row = reader.one("SELECT tried_ms, said, attempt, turn FROM delivery WHERE message = ?", message)
    if letter is None or letter.delivery is None or row is None:
        raise Refused("TB-5001")
    case, stored = outbound.load(reader, message)
    tried_ms, said, attempt, turn = row
    to_platform = letter.delivery.destination.startswith("platform:")
    wire = confirm.sent_wire(vault, case, stored) if to_platform else None
    sent = Sent(
        wire.operation if wire else letter.type, confirm.sent_digest(vault, case, stored) if wire else "",
        len(wire.body) if wire else 0, wire is not None, max(attempt, 1 if tried_ms else 0), tried_ms,
    )  # fmt: skip
    behind = reader.one(
        "SELECT count(*) FROM delivery WHERE case_id = ? AND destination = ? AND turn > ? AND state = 'queued'",
        case.id, letter.delivery.destination, turn,
    )  # fmt: skip
    heard = Heard(show.safe_cause(said), _acts(reader, case, tried_ms), case.local_number)
    return Compared(letter, case, sent, heard, words(reader, case.id, message), int(behind[0]) if behind else 0)


def words(reader: Reader, case_id: str, message: str = "") -> tuple[Given, ...]:
    """The words given on a case's deliveries, or on one; oldest first."""
    rows = reader.all(
        "SELECT id, message, word, operator, leaf, at_ms FROM confirmation WHERE case_id = ? AND ? IN ('', message) ORDER BY leaf",
        case_id, message,
    )  # fmt: skip
    return tuple(Given(*row) for row in rows)


def _acts(reader: Reader, case: CaseFile, since_ms: int) -> tuple[Letter, ...]:
    return tuple(
        one
        for one in show.letters(reader, case.id)
        if one.direction == post.OUT and since_ms and one.created_ms >= since_ms
    )
