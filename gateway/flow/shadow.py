"""Stored messages of a local platform mapped once more beside what was made of them (影子运行). Only reads.

Inwards the platform's original bytes are mapped again; outwards what we told it is put together anew. Both mappings see the
same input, so that only the mappings differ: the one that made the message where it is kept, else what was made then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from adapters import again
from adapters.again import Mapped
from adapters.base import Untranslatable, Wire
from adapters.differences import Difference, differences
from gateway.flow import outbound, post
from gateway.flow.casefile import CaseFile
from gateway.flow.outbound import Stored
from gateway.store.journal import Reader
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import BODIES
from schemas.errors import Invalid
from signing.errors import Malformed

_REFUSALS = (Untranslatable, Invalid)


@dataclass(frozen=True, slots=True)
class Compared:
    """One message. ``made_by``: the version it was made with; ``before`` and ``after``: why a mapping refuses it, "" if not.

    ``new`` may hold personal data, as may the values of the differences.
    """

    message: str
    type: str
    direction: Literal["in", "out"]
    made_by: str
    before: str
    after: str
    differences: tuple[Difference, ...]
    new: Any = None

    @property
    def same(self) -> bool:
        """Whether both mappings say the same, be it the same refusal."""
        return not self.differences and self.before == self.after


@dataclass(frozen=True)
class Shadow:
    """``kept`` opens the translator of a version, None where it is not here. ``names``: party id -> name."""

    reader: Reader
    vault: Vault
    names: Mapping[str, str]
    kept: Callable[[str], Mapped | None]

    def last(self, platform: str, translator: Mapped, count: int) -> Iterator[Compared]:
        """The newest messages to and from a platform, newest first. What is shredded is left out."""
        rows = self.reader.all(
            "SELECT m.id FROM message m JOIN case_file c ON c.id = m.case_id WHERE c.platform = ? AND "
            "((m.direction = 'out' AND m.original IS NOT NULL) OR (m.direction <> 'out' AND m.frozen IS NOT NULL)) "
            "ORDER BY m.created_ms DESC, m.id DESC LIMIT ?",
            platform, count,
        )  # fmt: skip
        for row in rows:
            try:
                yield self.one(row[0], translator)
            except Malformed:
                continue  # its key is gone: nobody can read it any more

    def one(self, message: str, translator: Mapped) -> Compared:
        """One message. Raises Refused for none, Malformed for one that nobody can open."""
        case, row = outbound.load(self.reader, message)
        inwards = row.direction == post.OUT
        work = self._came(case, row) if inwards else self._goes(case, row)
        old, before = self._before(case, row, work)
        new, after = _tried(work, translator)
        found = () if before or after else tuple(differences(old, new))
        return Compared(message, row.type, "in" if inwards else "out", row.mapping, before, after, found, new)

    def _came(self, case: CaseFile, row: Stored) -> Callable[[Mapped], Any]:
        original = self._open(case, row.original, post.original_label(row.id))
        return lambda translator: again.came(translator, row.type, row.act, original, case.id)

    def _goes(self, case: CaseFile, row: Stored) -> Callable[[Mapped], Any]:
        said = outbound.outbound(self.reader, case, row, self.vault, self.names)
        return lambda translator: again.goes(translator, said)

    def _before(self, case: CaseFile, row: Stored, work: Callable[[Mapped], Any]) -> tuple[Any, str]:
        kept = self.kept(row.mapping) if row.mapping else None
        if kept is not None:
            return _tried(work, kept)
        if row.direction != post.OUT:
            frozen = self._open(case, row.frozen, post.frozen_label(row.id))
            return again.said(msgspec.msgpack.decode(frozen, type=Wire)), ""
        body = self._open(case, row.sealed, post.body_label(row.id))
        known = codec.decode(row.type, body) if row.type in BODIES else None
        return {"type": row.type, "local_number": case.local_number, "body": msgspec.to_builtins(known)}, ""

    def _open(self, case: CaseFile, sealed: bytes | None, label: bytes) -> bytes:
        if sealed is None:
            raise Malformed("not-kept", "没有保存", "not kept")
        return self.vault.open(self.vault.unwrap(case.wrapped_key), sealed, label)


def _tried(work: Callable[[Mapped], Any], translator: Mapped) -> tuple[Any, str]:
    try:
        return work(translator), ""
    except _REFUSALS as bad:
        return None, f"{bad.code} {bad.path}".strip()
