"""The files of a case as its platform may fetch them by names of ours (附件编号), for platforms that know no digests.

A name is an HMAC under the node's blind-index key over platform, case and digest: it cannot be guessed, is the same whenever
it is asked for, and is found again by the blind index that leads to its case. Another platform's name is no name (A06).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from typing import NamedTuple

from adapters.base import Attachment
from gateway.flow import casefile, post
from gateway.flow.casefile import CaseFile
from gateway.problems import Refused
from gateway.store.journal import Reader, Tx, Work
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import Material

_NAME = re.compile(r"[0-9a-f]{64}")


class Found(NamedTuple):
    """Where a file lies."""

    owner: str
    sm3: str
    size: int


def listing(vault: Vault, platform: str, number: str, sm3: str) -> Work[tuple[Attachment, ...]]:
    """The files of a platform's case, or the one of this digest; their names lead to the case from now on. ``Refused`` TB-5001
    for a case that is not this platform's."""

    def work(tx: Tx) -> tuple[Attachment, ...]:
        case = casefile.find(tx, platform, number) if number else None
        if case is None:
            raise Refused("TB-5001")
        shown = []
        for one in _materials(tx, vault, case):
            if sm3 not in ("", one.sm3) or _place(tx, case, one.sm3) is None:
                continue
            name = _name(vault, case, one.sm3)
            if tx.one("SELECT 1 FROM blind WHERE value = ? AND case_id = ?", name, case.id) is None:
                tx.run("INSERT INTO blind (value, case_id) VALUES (?,?)", name, case.id)
            shown.append(Attachment(name.hex(), one.sm3, one.size, one.file_name))
        return tuple(shown)

    return work


def find(reader: Reader, vault: Vault, platform: str, name: str) -> Found:
    """The file behind a name. ``Refused`` TB-6004 for one that is none, or another platform's."""
    value = bytes.fromhex(name) if _NAME.fullmatch(name) else b""
    row = reader.one("SELECT case_id FROM blind WHERE value = ?", value)
    case = casefile.load(reader, row[0]) if row is not None else None
    if case is not None and case.platform == platform:
        for (sm3,) in reader.all("SELECT sm3 FROM case_part WHERE case_id = ?", case.id):
            if hmac.compare_digest(_name(vault, case, sm3), value):
                found = _place(reader, case, sm3)
                if found is not None:
                    return found
    raise Refused("TB-6004")


def _name(vault: Vault, case: CaseFile, sm3: str) -> bytes:
    return vault.blind(f"attachment\n{case.platform}\n{case.id}\n{sm3}")


def _place(reader: Reader, case: CaseFile, sm3: str) -> Found | None:
    row = reader.one(
        "SELECT p.owner, p.size FROM case_part k JOIN part p ON p.owner = k.owner AND p.sm3 = k.sm3 "
        "WHERE k.case_id = ? AND k.sm3 = ?",
        case.id, sm3,
    )  # fmt: skip
    return None if row is None else Found(row[0], sm3, int(row[1]))


def _materials(reader: Reader, vault: Vault, case: CaseFile) -> Iterator[Material]:
    """What the case's messages name, each digest once."""
    key, seen = vault.unwrap(case.wrapped_key), set[str]()
    rows = reader.all(
        "SELECT id, type, sealed FROM message WHERE case_id = ? AND direction != ? AND parts != ? ORDER BY rowid",
        case.id, post.NOTE, b"[]",
    )  # fmt: skip
    for id_, type_, sealed in rows:
        for one in post.materials_of(codec.decode(type_, vault.open(key, sealed, post.body_label(id_)))):
            if one.sm3 not in seen:
                seen.add(one.sm3)
                yield one
