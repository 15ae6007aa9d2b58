"""An unclear outcome at a platform that cannot be asked: the platform's own act is its answer, else it is for a person.

Who accepts an application, or asks for more, has it, whatever became of our call: such an act wins whenever it comes, before
anybody's word and after it. Of any other message an act tells nothing.
"""

from __future__ import annotations

from gateway.core.delivery import Event
from gateway.flow import outbound, outbox, post
from gateway.flow.casefile import CaseFile
from gateway.store.journal import Tx, Work

CANNOT_ASK = "待人工确认"
ANSWERED = "answered-by-act"
BY_WORD = "人工确认"


def acted(tx: Tx, case: CaseFile) -> None:
    """The handling place's platform has just acted on a case: it has the application of which nobody knew, whether a person was
    still to be asked or has just said that it is not there."""
    rows = tx.all(
        "SELECT d.message FROM delivery d JOIN message m ON m.id = d.message WHERE d.case_id = ? AND d.destination = ? "
        "AND m.type = 'application' AND m.direction = ? AND (d.state = 'awaiting_person' OR (d.state = 'frozen' AND d.cause = ?))",
        case.id, f"platform:{case.platform}", post.IN, BY_WORD,
    )  # fmt: skip
    for (message,) in rows:
        outbox.move(tx, message, Event.RECEIPT, ANSWERED)


def cannot_be_asked(message: str) -> Work[None]:
    """The platform has no way to be asked: its acts since then are looked for, and then it is for a person."""

    def work(tx: Tx) -> None:
        case, row = outbound.load(tx, message)
        since = tx.one(
            "SELECT 1 FROM message WHERE case_id = ? AND direction = ? AND original IS NOT NULL", case.id, post.OUT
        )  # fmt: skip
        if row.type == "application" and row.direction == post.IN and since is not None:
            outbox.move(tx, message, Event.RECEIPT, ANSWERED)
        else:
            outbox.move(tx, message, Event.CANNOT_ASK, CANNOT_ASK)

    return work
