"""What a stored message says to a local platform: its body with the case's numbers, names and state beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from adapters.base import Outbound, Status
from gateway.core.labels import LABELS
from gateway.flow import casefile, post, reports
from gateway.flow.casefile import CaseFile
from gateway.flow.spend import certificates_say
from gateway.problems import Refused
from gateway.store.journal import Reader
from gateway.store.vault import Vault
from schemas import codec


class Stored(NamedTuple):
    """What is needed of a message row; ``original`` and ``frozen`` are sealed, ``mapping`` is what made them."""

    id: str
    type: str
    direction: str
    act: str
    sealed: bytes
    original: bytes | None
    frozen: bytes | None
    created_ms: int
    mapping: str
    seq: int


def load(tx: Reader, message: str) -> tuple[CaseFile, Stored]:
    """A message with its case; raises ``Refused`` TB-5001 when there is none."""
    row = tx.one(
        "SELECT case_id, type, direction, act, sealed, original, frozen, created_ms, mapping, seq FROM message WHERE id = ?",
        message,
    )  # fmt: skip
    case = casefile.load(tx, row[0]) if row is not None else None
    if row is None or case is None:
        raise Refused("TB-5001")
    return case, Stored(message, *row[1:])


def outbound(tx: Reader, case: CaseFile, row: Stored, vault: Vault, names: Mapping[str, str]) -> Outbound:
    """The message as the platform's translator takes it. ``names``: party id -> name."""
    if row.direction == post.NOTE:
        body: Any = _status(tx, case, row, names)
    elif row.direction == post.REPORT:
        body = reports.body(tx, case, vault, row.id, row.sealed, row.seq, row.created_ms)
    else:
        body = codec.decode(row.type, vault.open(vault.unwrap(case.wrapped_key), row.sealed, post.body_label(row.id)))
    party = case.counterpart if row.direction == post.IN else ""
    return Outbound(
        type=row.type, id=row.id, case_id=case.id, case_number=case.case_number, at_ms=row.created_ms, body=body,
        local_number=case.local_number, agreement=case.agreement, agreement_version=case.agreement_version,
        clause=case.clause, item=case.item, item_name=case.item_name, from_party=party, from_name=names.get(party, ""),
        status=case.state,
    )  # fmt: skip


def _status(tx: Reader, case: CaseFile, row: Stored, names: Mapping[str, str]) -> Status:
    about = tx.one("SELECT problem FROM message WHERE id = ?", row.act)
    zh, _ = LABELS[case.state]
    if about is not None and about[0]:
        zh = f"对方网关未予接收（{about[0]}）"
    else:
        zh += certificates_say(tx, row.act)
    at = datetime.fromtimestamp(row.created_ms / 1000, UTC)
    return Status(state=case.state, text=zh, at=at, by=names.get(case.counterpart, ""), receipt=row.act)
