"""Use codes and the record of certificate sharing as rows. Every function that changes something runs inside a transaction.

A record has two statements, sealed, each with a ledger entry of its own: what was asked, stored before anything leaves this
machine, and what was answered. So nobody is asked about without a trace, whatever happens in between.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import msgspec

from adapters.sharing.base import Cause, HolderKey
from gateway.core import use_code
from gateway.core.use_code import Event, State
from gateway.flow import post
from gateway.ledger.checkpoint import entry_digest
from gateway.problems import Refused
from gateway.sharing.judge import Seen
from gateway.store.journal import Reader, Tx
from gateway.store.vault import Vault
from signing.sm3 import sm3

WHY_NOT = {use_code.REPLAYED: "TB-7022", use_code.EXPIRED: "TB-7023", use_code.FAILED: "TB-7029"}


@dataclass(frozen=True, slots=True, repr=False)
class UseCode:
    """One row, see ``tables.use_code``."""

    digest: bytes
    id: str
    state: str
    platform: str
    source: str
    case_number: str
    item: str
    type_code: str
    identifier: str
    holder: bytes
    expires_ms: int
    wrapped_key: bytes
    sealed: bytes
    status: str
    status_ms: int
    seen: bytes
    file: str
    file_size: int
    reason: str
    message: str
    material: str
    filled: int
    attempts: int
    created_ms: int


class Secret(msgspec.Struct, frozen=True):
    """What of a use code is sealed. ``ticket``: what its source takes for it. ``limited``: a guest's that may see some fields
    only, so the certificate cannot go whole into a case."""

    holder: HolderKey
    cause: Cause
    ticket: str
    limited: bool = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # it is about a person


_COLUMNS = ", ".join(field.name for field in fields(UseCode))


def by_code(tx: Reader, code: str) -> UseCode | None:
    """The row of a code as it was given out."""
    return _one(tx, "digest = ?", sm3(code.encode()))


def of_message(tx: Reader, message: str) -> list[UseCode]:
    """The codes that were spent on an application, in order of material."""
    rows = tx.all(f"SELECT {_COLUMNS} FROM use_code WHERE message = ? ORDER BY created_ms, id", message)
    return [UseCode(*row) for row in rows]


def insert(tx: Tx, row: UseCode) -> None:
    """A new code."""
    values = tuple(getattr(row, field.name) for field in fields(UseCode))
    tx.run(f"INSERT INTO use_code ({_COLUMNS}) VALUES ({','.join('?' * len(values))})", *values)


def move(tx: Tx, row: UseCode, event: Event) -> State:
    """Apply an event by the table; ``Refused`` when it does not allow it."""
    outcome = use_code.advance(State(row.state), event, over=tx.now_ms >= row.expires_ms)
    if not isinstance(outcome, State):
        raise Refused(WHY_NOT[outcome])
    tx.run("UPDATE use_code SET state = ? WHERE digest = ?", outcome.value, row.digest)
    return outcome


def secret(vault: Vault, row: UseCode) -> Secret:
    """What is sealed in it."""
    return msgspec.json.decode(
        vault.open(vault.unwrap(row.wrapped_key), row.sealed, _label(row.id, b"code")), type=Secret
    )


def seal_secret(vault: Vault, id: str, wrapped: bytes, of: Secret) -> bytes:
    """The same, sealed."""
    return vault.seal(vault.unwrap(wrapped), msgspec.json.encode(of), _label(id, b"code"))


def seen(vault: Vault, row: UseCode) -> Seen:
    """What the fetched file says."""
    return msgspec.json.decode(vault.open(vault.unwrap(row.wrapped_key), row.seen, _label(row.id, b"seen")), type=Seen)


def arrived(tx: Tx, vault: Vault, row: UseCode, of: Seen, status: str, file: str, size: int) -> State:
    """The file is here and holds; how the certificate stood now is kept for good (状态时点)."""
    reached = move(tx, row, Event.ARRIVE)
    sealed = vault.seal(vault.unwrap(row.wrapped_key), msgspec.json.encode(of), _label(row.id, b"seen"))
    tx.run(
        "UPDATE use_code SET status = ?, status_ms = ?, seen = ?, file = ?, file_size = ? WHERE digest = ?",
        status, tx.now_ms, sealed, file, size, row.digest,
    )  # fmt: skip
    if file:  # kept while the code lives, or its case does
        post.bind_part(tx, row.id, f"platform:{row.platform}", file)
    return reached


def forget(tx: Tx, before_ms: int) -> None:
    """Codes that ran out before a time and were never spent go, and let go of their files."""
    unspent = "FROM use_code WHERE message = '' AND expires_ms < ?"
    tx.run(f"DELETE FROM case_part WHERE case_id IN (SELECT id {unspent})", before_ms)
    tx.run(f"DELETE {unspent}", before_ms)


def failed(tx: Tx, row: UseCode, reason: str) -> None:
    """It cannot be had, for good."""
    move(tx, row, Event.FAIL)
    tx.run("UPDATE use_code SET reason = ?, status_ms = ? WHERE digest = ?", reason[:64], tx.now_ms, row.digest)


def counters(tx: Reader) -> tuple[int, int]:
    """免证、免填: materials that certificates stand for, and fields of forms that they filled."""
    row = tx.one("SELECT count(*), sum(filled) FROM use_code WHERE state = 'used'")
    return (0, 0) if row is None else (int(row[0]), int(row[1] or 0))


# --- the record ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """Who asks what about whom. ``act``: query, authorise, fetch, verify, use; ``certificate``: its identifier, if one is meant."""

    act: str
    party: str
    platform: str
    cause: Cause
    holder: HolderKey | None
    type_code: str
    certificate: str = ""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was answered. ``outcome``: ``ok`` or a code; ``certificates``: identifiers; ``file``: SM3 of what was released;
    ``findings``: what of the identifier is not after the standard."""

    outcome: str
    certificates: tuple[str, ...] = ()
    status: str = ""
    status_ms: int = 0
    file: str = ""
    reason: str = ""
    findings: tuple[str, ...] = ()


def ask(tx: Tx, vault: Vault, id: str, asked: Asked) -> int:
    """Put a question on record; its ledger leaf."""
    statement = msgspec.json.encode({"id": id, "at_ms": tx.now_ms, **asdict(asked)}, order="sorted")
    key, wrapped = vault.new_key()
    leaf = tx.leaf("sharing", id, entry_digest("sharing", id, sm3(statement)))
    blind = b"" if asked.holder is None else vault.blind(asked.holder.code)
    tx.run(
        "INSERT INTO certificate_use (id, act, platform, case_number, item, type_code, holder, wrapped_key, asked, leaf, "
        "outcome, answered, at_ms) VALUES (?,?,?,?,?,?,?,?,?,?,'',?,?)",
        id, asked.act, asked.platform, asked.cause.case_number, asked.cause.item, asked.type_code, blind, wrapped,
        vault.seal(key, statement, _label(id, b"asked")), leaf, b"", tx.now_ms,
    )  # fmt: skip
    return leaf


def answer(tx: Tx, vault: Vault, id: str, told: Told) -> int:
    """Put the answer beside its question; its ledger leaf."""
    row = tx.one("SELECT wrapped_key FROM certificate_use WHERE id = ? AND outcome = ''", id)
    if row is None:
        raise Refused("TB-9002")
    statement = msgspec.json.encode({"id": id, "at_ms": tx.now_ms, **msgspec.to_builtins(told)}, order="sorted")
    subject = f"{id}/answer"
    leaf = tx.leaf("sharing", subject, entry_digest("sharing", subject, sm3(statement)))
    tx.run(
        "UPDATE certificate_use SET outcome = ?, answered = ?, answer_leaf = ? WHERE id = ?",
        told.outcome, vault.seal(vault.unwrap(row[0]), statement, _label(id, b"answered")), leaf, id,
    )  # fmt: skip
    return leaf


def about(tx: Reader, vault: Vault, holder_code: str) -> list[dict[str, object]]:
    """Everything that was asked about a person or company, oldest first: both statements and their ledger entries."""
    rows = tx.all(
        "SELECT id, wrapped_key, asked, leaf, answered, answer_leaf FROM certificate_use WHERE holder = ? ORDER BY at_ms, id",
        vault.blind(holder_code),
    )
    found = []
    for id, wrapped, asked, leaf, answered, answer_leaf in rows:
        key = vault.unwrap(wrapped)
        said = msgspec.json.decode(vault.open(key, answered, _label(id, b"answered"))) if answered else None
        question = msgspec.json.decode(vault.open(key, asked, _label(id, b"asked")))
        found.append({"asked": question, "leaf": leaf, "answered": said, "answer_leaf": answer_leaf})
    return found


def _one(tx: Reader, where: str, value: object) -> UseCode | None:
    row = tx.one(f"SELECT {_COLUMNS} FROM use_code WHERE {where}", value)
    return None if row is None else UseCode(*row)


def _label(id: str, what: bytes) -> bytes:
    """Associated data that binds sealed bytes to their row and use."""
    return b"sharing:" + what + b":" + id.encode()
