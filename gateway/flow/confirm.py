"""A person's word on an unclear outcome (人工确认): who looked, how, and what they found, in one transaction with what it does.

The word moves the delivery by the one table, is kept sealed with the case, and is a leaf of the ledger: a crash leaves all of
it or nothing. What is not there is sent again, the same frozen bytes. A second word is refused, and told what came first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.base import Wire
from gateway.core.delivery import DONE, Event, State
from gateway.flow import casefile, outbound, outbox, post, unclear
from gateway.flow.accept import spend_nonce
from gateway.flow.casefile import CaseFile
from gateway.flow.outbound import Stored
from gateway.ledger.checkpoint import entry_digest
from gateway.problems import Refused
from gateway.store.journal import Reader, Tx, Work
from gateway.store.vault import Vault
from signing.sm3 import sm3

FORMAT = "tongban/v1/confirmation"
_BEIJING = timezone(timedelta(hours=8))


class Word(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person found at the platform. ``id``: the order's own number, said twice it is done once; ``by``: who looked,
    ``reason``: and how; ``number``: the platform's number for the case."""

    id: Annotated[str, Meta(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$")]
    there: bool
    by: Annotated[str, Meta(min_length=1, max_length=64)]
    reason: Annotated[str, Meta(min_length=1, max_length=400)]
    number: Annotated[str, Meta(max_length=64)] = ""


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A word as it is kept; SM3 of its bytes is the leaf's. ``digest``: SM3 of the frozen bytes; ``operator``: who told us."""

    format: str
    id: str
    message: str
    case: str
    destination: str
    digest: str
    there: bool
    by: str
    reason: str
    operator: str
    at_ms: int
    number: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """Who gives the order, by a nonce that is spent with it."""

    name: str
    nonce: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """How the delivery stands after the word; ``leaf`` proves it."""

    destination: str
    state: State
    leaf: int
    at_ms: int


def confirm(vault: Vault, message: str, word: Word, operator: Operator) -> Work[Confirmed]:
    """``Refused``: TB-5001 no such delivery, TB-5008 settled already (says by what), TB-5002 it does not wait for a person,
    TB-5003 the number is another case's, or this id has said something else."""

    def work(tx: Tx) -> Confirmed:
        spend_nonce(tx, f"operator:{operator.name}", operator.nonce, operator.until_ms)
        case, row = outbound.load(tx, message)
        known = _repeated(tx, vault, case, message, word)
        if known is not None:
            return known
        destination, state = _delivery(tx, message)
        if state is not State.AWAITING_PERSON:
            raise _not_waiting(tx, message, state)
        event = Event.CONFIRMED_THERE if word.there else Event.CONFIRMED_NOT_THERE
        state = outbox.move(tx, message, event, unclear.BY_WORD)
        tx.run("UPDATE delivery SET attempt = 0 WHERE message = ?", message)
        if word.there and word.number:
            _name(tx, case, word.number)
        said = Statement(
            format=FORMAT, id=word.id, message=message, case=case.id, destination=destination,
            digest=sent_digest(vault, case, row), there=word.there, by=word.by, reason=word.reason,
            operator=operator.name, at_ms=tx.now_ms, number=word.number,
        )  # fmt: skip
        return Confirmed(destination, state, _keep(tx, vault, case, said), tx.now_ms)

    return work


def _keep(tx: Tx, vault: Vault, case: CaseFile, said: Statement) -> int:
    data = msgspec.json.encode(said, order="sorted")
    leaf = tx.leaf("confirmation", said.id, entry_digest("confirmation", said.id, sm3(data)))
    tx.run(
        "INSERT INTO confirmation (id, message, case_id, word, operator, sealed, leaf, at_ms) VALUES (?,?,?,?,?,?,?,?)",
        said.id, said.message, case.id, "there" if said.there else "not_there", said.operator,
        vault.seal(vault.unwrap(case.wrapped_key), data, _label(said.id)), leaf, said.at_ms,
    )  # fmt: skip
    return leaf


def _repeated(tx: Tx, vault: Vault, case: CaseFile, message: str, word: Word) -> Confirmed | None:
    row = tx.one("SELECT sealed, leaf, at_ms FROM confirmation WHERE id = ?", word.id)
    if row is None:
        return None
    said = statement(vault, case, word.id, row[0])
    same = (said.message, said.there, said.by, said.reason, said.number)
    if same != (message, word.there, word.by, word.reason, word.number):
        raise Refused("TB-5003", "id")
    destination, state = _delivery(tx, message)
    return Confirmed(destination, state, row[1], row[2])


def statement(vault: Vault, case: CaseFile, id_: str, sealed: bytes) -> Statement:
    """A kept word in clear."""
    return msgspec.json.decode(statement_bytes(vault, case, id_, sealed), type=Statement)


def statement_bytes(vault: Vault, case: CaseFile, id_: str, sealed: bytes) -> bytes:
    """The bytes whose SM3 is the leaf's."""
    return vault.open(vault.unwrap(case.wrapped_key), sealed, _label(id_))


def sent_wire(vault: Vault, case: CaseFile, row: Stored) -> Wire | None:
    """The frozen bytes for a platform; None while there are none."""
    if row.frozen is None:
        return None
    clear = vault.open(vault.unwrap(case.wrapped_key), row.frozen, post.frozen_label(row.id))
    return msgspec.msgpack.decode(clear, type=Wire)


def sent_digest(vault: Vault, case: CaseFile, row: Stored) -> str:
    """SM3 (hex) of the body that every attempt sends; "" while there is none."""
    wire = sent_wire(vault, case, row)
    return "" if wire is None else sm3(wire.body).hex()


def _delivery(tx: Reader, message: str) -> tuple[str, State]:
    row = tx.one("SELECT destination, state FROM delivery WHERE message = ?", message)
    if row is None:
        raise Refused("TB-5001")
    return str(row[0]), State(row[1])


def _not_waiting(tx: Reader, message: str, state: State) -> Refused:
    """Who or what was first, said politely."""
    word = tx.one("SELECT operator, word, at_ms FROM confirmation WHERE message = ? ORDER BY at_ms DESC", message)
    cause = tx.one("SELECT cause FROM delivery WHERE message = ?", message)
    if cause is not None and cause[0] == unclear.ANSWERED:
        return Refused("TB-5008", "平台已就此办件作出行为，表明已收到 (the platform has acted on the case: it has it)")
    if word is not None:
        at = datetime.fromtimestamp(word[2] / 1000, _BEIJING).strftime("%Y-%m-%d %H:%M:%S")
        what = "已收 (it is there)" if word[1] == "there" else "未收 (it is not there)"
        return Refused("TB-5008", f"{word[0]} {at} 已确认{what}")
    return Refused("TB-5008" if state in DONE else "TB-5002", state.value)


def _name(tx: Tx, case: CaseFile, number: str) -> None:
    taken = tx.one("SELECT case_id FROM alias WHERE platform = ? AND number = ?", case.platform, number)
    if taken is not None and taken[0] != case.id:
        raise Refused("TB-5003")
    casefile.name(tx, case, number)
    tx.run("UPDATE case_file SET local_number = ? WHERE id = ?", number, case.id)


def _label(id_: str) -> bytes:
    return b"confirmation:" + id_.encode()
