"""Freeze a message for a partner: header built, ``sent`` leaf added, in one transaction; every retry sends these bytes."""

from __future__ import annotations

from typing import NamedTuple

from gateway.core import case as machine
from gateway.core.delivery import Event
from gateway.exchange import message as wireform
from gateway.exchange.message import PartRef
from gateway.flow import casefile, outbox, post
from gateway.ledger.checkpoint import entry_digest
from gateway.problems import Refused
from gateway.store.journal import Reader, Row, Tx, Work
from gateway.store.vault import Vault
from signing.sm3 import sm3


class Frozen(NamedTuple):
    """A message ready to leave: its bytes, digest, the leaf that proves it and the parts it needs over there."""

    id: str
    header: bytes
    body: bytes
    digest: bytes
    leaf: int
    parts: tuple[PartRef, ...]


def freeze(message: str, *, party: str, vault: Vault, expires_ms: int) -> Work[Frozen]:
    """The work that gives a queued message its place in the sequence and its header."""

    def work(tx: Tx) -> Frozen:
        type_, stored, sealed, case_id = _row(tx, message, "type, parts, sealed, case_id")
        case = casefile.load(tx, case_id)
        if case is None:
            raise Refused("TB-5001")
        body = vault.open(vault.unwrap(case.wrapped_key), sealed, post.body_label(message))
        seq, parts = case.seq_out + 1, post.read_parts(stored)
        header = wireform.encode_header(
            wireform.Header(
                id=message, type=type_, sender=party, to=case.counterpart, agreement=case.agreement,
                agreement_version=case.agreement_version, item=case.item, case=case.id, alias=casefile.own_number(case),
                seq=seq, seen=case.seq_in,
                key=message, created=tx.now_ms, expires=tx.now_ms + expires_ms, purpose=case.purpose,
                legal_basis=case.legal_basis, body=sm3(body).hex(), body_size=len(body),
                parts=parts,
            )
        )  # fmt: skip
        digest = wireform.digest(header)
        leaf = tx.leaf("sent", message, entry_digest("sent", message, digest))
        tx.run("UPDATE message SET header = ?, sent_leaf = ?, seq = ? WHERE id = ?", header, leaf, seq, message)
        tx.run("UPDATE case_file SET seq_out = ? WHERE id = ?", seq, case.id)
        outbox.move(tx, message, Event.FREEZE)
        if type_ == "application":
            casefile.move(tx, case, machine.Event.FORWARD, machine.Actor.COLLECTING, message, tx.now_ms)
        return Frozen(message, header, body, digest, leaf, parts)

    return work


def thaw(tx: Reader, message: str, vault: Vault) -> Frozen:
    """A message frozen earlier, exactly as it was."""
    header, leaf, stored, sealed, case_id = _row(tx, message, "header, sent_leaf, parts, sealed, case_id")
    case = casefile.load(tx, case_id)
    if case is None or header is None:
        raise Refused("TB-5001")
    body = vault.open(vault.unwrap(case.wrapped_key), sealed, post.body_label(message))
    return Frozen(message, header, body, wireform.digest(header), leaf, post.read_parts(stored))


def _row(tx: Reader, message: str, columns: str) -> Row:
    row = tx.one(f"SELECT {columns} FROM message WHERE id = ?", message)
    if row is None:
        raise Refused("TB-5001")
    return row
