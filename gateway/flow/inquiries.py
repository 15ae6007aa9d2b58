"""Questions about certificates between two parties as rows (证照查验): asked by us or heard by us, each under a key of its own.

An inquiry stands where a message of a case has its case: it holds agreement, purpose and key. Its id is the id of the message
that asks, so both sides mean the same one by it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from gateway.problems import Refused
from gateway.store.journal import Reader, Tx
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import Body

ASKED, HEARD = "asked", "heard"
PENDING, ANSWERED, REFUSED = "pending", "answered", "refused"


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One row. ``certificate``: of those that we issued, the one that was asked about; ``platform``: who asked here, or who
    had that certificate issued; ``problem``: why the other gateway refused to hear it."""

    id: str
    side: str
    counterpart: str
    platform: str
    certificate: str
    agreement: str
    agreement_version: int
    purpose: str
    state: str
    outcome: str
    problem: str
    wrapped_key: bytes
    question: bytes
    answer: bytes
    leaf: int
    created_ms: int
    answered_ms: int

    legal_basis = ""
    item = ""


_COLUMNS = ", ".join(field.name for field in fields(Inquiry))


def load(tx: Reader, id_: str) -> Inquiry | None:
    """The inquiry of this id."""
    row = tx.one(f"SELECT {_COLUMNS} FROM inquiry WHERE id = ?", id_)
    return None if row is None else Inquiry(*row)


def insert(tx: Tx, row: Inquiry) -> None:
    """A new one."""
    values = tuple(getattr(row, field.name) for field in fields(Inquiry))
    tx.run(f"INSERT INTO inquiry ({_COLUMNS}) VALUES ({','.join('?' * len(values))})", *values)


def answer(tx: Tx, id_: str, sealed: bytes, outcome: str) -> None:
    """The answer is here."""
    tx.run(
        "UPDATE inquiry SET state = ?, answer = ?, outcome = ?, answered_ms = ? WHERE id = ?",
        ANSWERED, sealed, outcome, tx.now_ms, id_,
    )  # fmt: skip


def refuse(tx: Tx, id_: str, problem: str) -> None:
    """The other gateway has refused the question; nothing happens for a message that is none of these."""
    tx.run("UPDATE inquiry SET state = ?, problem = ?, answered_ms = ? WHERE id = ?", REFUSED, problem, tx.now_ms, id_)


def heard(tx: Reader, platform: str, after: int, limit: int) -> list[Inquiry]:
    """What others asked about the certificates that a platform had issued, in the order of our ledger."""
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM inquiry WHERE platform = ? AND side = ? AND leaf > ? ORDER BY leaf LIMIT ?",
        platform, HEARD, after, limit,
    )  # fmt: skip
    return [Inquiry(*row) for row in rows]


def newest(tx: Reader, certificate: str, limit: int) -> list[Inquiry]:
    """What was asked about one of our certificates, or about any if none is named; newest first."""
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM inquiry WHERE side = ? AND (? = '' OR certificate = ?) ORDER BY leaf DESC LIMIT ?",
        HEARD, certificate, certificate, limit,
    )  # fmt: skip
    return [Inquiry(*row) for row in rows]


def seal(vault: Vault, key: bytes, id_: str, type_: str, body: Body) -> bytes:
    """A question or an answer as the row holds it."""
    return vault.seal(key, codec.encode(body), _label(id_, type_))


def read(vault: Vault, row: Inquiry, type_: str) -> Body:
    """The question or the answer in clear; ``Refused('TB-7043')`` while there is none."""
    sealed = row.question if type_ == "certificate_query" else row.answer
    if not sealed:
        raise Refused("TB-7043")
    return codec.decode(type_, vault.open(vault.unwrap(row.wrapped_key), sealed, _label(row.id, type_)))


def _label(id_: str, type_: str) -> bytes:
    return f"{type_}:{id_}".encode()
