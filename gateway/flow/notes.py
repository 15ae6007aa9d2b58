"""Notes to the local platform that are ours, not the other side's: the far receipt is in, or the far gateway refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from gateway.flow import post
from gateway.flow.casefile import CaseFile
from gateway.store.journal import Tx
from gateway.store.vault import Vault


class NoteBody(msgspec.Struct, frozen=True):
    """What a note says: which message it is about; the rest is read from the case when the note is translated."""

    about: str


@dataclass(frozen=True)
class Note:
    """Which local platforms want notes, how ids are made, and how their loops are woken."""

    wanted: frozenset[str]
    new_id: Callable[[], str]
    wake: Callable[[], None]


def note(tx: Tx, notes: Note, case: CaseFile, about: str, vault: Vault) -> None:
    """Queue a note about one of our messages to the case's platform, if that platform takes notes."""
    if case.platform not in notes.wanted:
        return
    message = notes.new_id()
    sealed = vault.seal(vault.unwrap(case.wrapped_key), msgspec.json.encode(NoteBody(about)), post.body_label(message))
    post.put(tx, id=message, case_id=case.id, direction=post.NOTE, type="receipt", act=about, sealed=sealed, leaf=None)
    post.queue(tx, message, f"platform:{case.platform}", case.id)
