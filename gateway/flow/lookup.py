"""A case found from any entry (一次提交、多端获取): by one number, either place's, and the identity of the person it is about.

A wrong identity and a number that names no case are the same question without an answer: one query, one result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.flow import casefile, post
from gateway.flow.casefile import CaseFile
from gateway.store.journal import Reader
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import Material, Result

TAKEN_BACK: Final = frozenset({"revoked", "cancelled"})
"""States in which a result that was issued is not given out any more."""

_FIND: Final = (
    "SELECT c.id FROM case_file c JOIN blind b ON b.case_id = c.id WHERE b.value = ? AND (c.id = ? OR c.case_number = ? "
    "OR c.local_number = ? OR c.id IN (SELECT case_id FROM alias WHERE number = ?)) ORDER BY c.created_ms DESC, c.id LIMIT 1"
)
_RESULT: Final = (
    "SELECT m.id, m.sealed FROM message m WHERE m.case_id = ? AND m.type = 'result' AND m.status <> 'refused' "
    "AND (m.direction = ? OR EXISTS (SELECT 1 FROM delivery d WHERE d.message = m.id AND d.state = 'delivered')) "
    "ORDER BY m.created_ms DESC, m.id DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Document:
    """A file of the result: its name in front of people, and the file."""

    title: str
    file: Material


def find(reader: Reader, vault: Vault, number: str, id_number: str) -> CaseFile | None:
    """The newest case under this number that this person applied for, or handed in for somebody."""
    row = reader.one(_FIND, vault.blind(id_number), number, number, number, number)
    return None if row is None else casefile.load(reader, row[0])


def documents(reader: Reader, vault: Vault, case: CaseFile) -> list[Document]:
    """What the newest result consists of, once the other place has it too; none where it was taken back."""
    row = None if case.state in TAKEN_BACK else reader.one(_RESULT, case.id, post.IN)
    if row is None:
        return []
    message, sealed = row
    body = codec.decode("result", vault.open(vault.unwrap(case.wrapped_key), sealed, post.body_label(message)))
    assert isinstance(body, Result)  # noqa: S101 - by its type's name
    files = ((one.name, file) for one in body.documents for file in (one.document, one.stamp) if file is not None)
    return [Document(title, file) for title, file in files]


def owner(reader: Reader, case: CaseFile, digest: str) -> tuple[str, int] | None:
    """Under whose name a file of this case lies, and its size."""
    row = reader.one(
        "SELECT p.owner, p.size FROM case_part k JOIN part p ON p.owner = k.owner AND p.sm3 = k.sm3 "
        "WHERE k.case_id = ? AND k.sm3 = ?",
        case.id, digest,
    )  # fmt: skip
    return None if row is None else (str(row[0]), int(row[1]))
