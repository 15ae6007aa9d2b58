"""Notes to the local platform that are ours, not the other side's: the far receipt is in, or the far gateway refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.flow import post
from gateway.flow.casefile import CaseFile
from gateway.store.journal import Tx


@dataclass(frozen=True)
class Note:
    """Which local platforms want notes, how ids are made, and how their loops are woken."""

    wanted: frozenset[str]
    new_id: Callable[[], str]
    wake: Callable[[], None]


def note(tx: Tx, notes: Note, case: CaseFile, about: str) -> None:
    """Queue a note about one of our messages to the case's platform, if that platform takes notes.

    A note has no body of its own: what it says is read from the case when it is translated.
    """
    if case.platform not in notes.wanted:
        return
    message = notes.new_id()
    post.put(tx, id=message, case_id=case.id, direction=post.NOTE, type="receipt", act=about, sealed=b"", leaf=None)
    post.queue(tx, message, f"platform:{case.platform}", case.id)
