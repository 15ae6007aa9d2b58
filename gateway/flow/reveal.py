"""Message bodies in clear, for those who may: the terms a notice sets, and what a person reveals with a reason."""

from __future__ import annotations

from typing import Any

from gateway.flow import post
from gateway.flow.casefile import CaseFile
from gateway.flow.inquiries import Inquiry
from gateway.store.journal import Reader
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import BODIES
from schemas.inquiry import INQUIRIES
from signing.errors import Malformed


def body(reader: Reader, vault: Vault, of: CaseFile | Inquiry, message: str) -> Any:
    """The canonical body of a message of this case or inquiry; None for one that is not kept (refused, a note, unreadable)."""
    row = reader.one(
        "SELECT type, sealed FROM message WHERE id = ? AND case_id = ? AND direction IN ('in','out')", message, of.id
    )
    if row is None or row[0] not in BODIES | INQUIRIES:
        return None
    try:
        clear = vault.open(vault.unwrap(of.wrapped_key), row[1], post.body_label(message))
    except Malformed:
        return None  # a refused message: nobody holds its key
    return codec.decode(row[0], clear) if clear else None
