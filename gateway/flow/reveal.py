"""Message bodies in clear, for those who may: the terms a notice sets, and what a person reveals with a reason."""

from __future__ import annotations

from typing import Any

from gateway.flow import post
from gateway.flow.casefile import CaseFile
from gateway.store.journal import Reader
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import BODIES
from signing.errors import Malformed


def body(reader: Reader, vault: Vault, case: CaseFile, message: str) -> Any:
    """The canonical body of a message of this case; None for one that is not kept (refused, a note, unreadable)."""
    row = reader.one(
        "SELECT type, sealed FROM message WHERE id = ? AND case_id = ? AND direction IN ('in','out')", message, case.id
    )
    if row is None or row[0] not in BODIES:
        return None
    try:
        clear = vault.open(vault.unwrap(case.wrapped_key), row[1], post.body_label(message))
    except Malformed:
        return None  # a refused message: nobody holds its key
    return codec.decode(row[0], clear) if clear else None
