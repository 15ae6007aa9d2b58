"""Seal what goes to a partner (端到端加密): message keys wrapped to its encryption key, the digests of the sealed parts.

All this is done before a message gets its header, outside any transaction and off the event loop; a crash leaves nothing
behind, and the next round draws new keys. The sealed form of a part is not stored: it is made once to know its digest and
again, from the same key, while it is sent, a segment in memory at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from gateway.exchange import card as cards
from gateway.exchange import sealing
from gateway.exchange.message import PartRef
from gateway.exchange.trust import Partner
from gateway.flow import post
from gateway.flow.freeze import Carried, Sealing
from gateway.problems import Refused
from gateway.store.journal import Reader
from gateway.store.parts import SEGMENT, Parts
from signing import sealed
from signing.errors import Rejected
from signing.providers import Provider
from signing.sm2 import PublicKey
from signing.sm3 import new

PORTION = 16 << 20  # bytes of files that one round waits for


class Terms(Protocol):
    """Which agreements are kept how."""

    def seals(self, agreement: str, version: int) -> bool:
        """Whether what is sent under this version is sealed."""


@dataclass(frozen=True)
class Sealer:
    """Seals messages to one partner."""

    partner: Partner
    provider: Provider
    parts: Parts
    terms: Terms

    async def prepare(
        self, reader: Reader, messages: Sequence[str], now_ms: int
    ) -> dict[str, Sealing | Rejected | Refused | None]:
        """What each message is frozen with: None for one that travels open, a refusal for one that has to wait.

        Large files must not hold the others back: what goes beyond ``PORTION`` bytes of files is left out, for the next
        round, the first one excepted.
        """
        wanted = {message: parts for message in messages if (parts := self._wanted(reader, message)) is not None}
        found: dict[str, Sealing | Rejected | Refused | None] = {one: None for one in messages if one not in wanted}
        if not wanted:
            return found
        recipient = cards.recipient(self.partner.card, datetime.fromtimestamp(now_ms / 1000, UTC))
        if isinstance(recipient, Rejected):
            return found | dict.fromkeys(wanted, recipient)
        chosen = {one: wanted[one] for one in portion({one: _bytes(parts) for one, parts in wanted.items()})}
        return found | await asyncio.to_thread(self._seal_all, chosen, recipient, _sources(reader, chosen))

    def read(self, owner: str, carried: Carried, start: int) -> Iterator[bytes]:
        """A file as it travels, from byte ``start``, in segments."""
        if carried.stream is None:
            for at in range(start, carried.part.size, SEGMENT):
                yield b"".join(self.parts.read(owner, carried.source.sm3, at, SEGMENT))
        elif start < carried.part.size:
            first, skip = divmod(start, sealed.SEGMENT)
            plain = self.parts.read(owner, carried.source.sm3, first * sealed.PLAIN)
            for segment in sealed.seal(plain, carried.stream, first):
                yield segment[skip:]
                skip = 0

    def _wanted(self, reader: Reader, message: str) -> tuple[PartRef, ...] | None:
        """The files of a message that is to be sealed; None for one that travels open."""
        row = reader.one(
            "SELECT m.parts, coalesce(c.agreement, q.agreement), coalesce(c.agreement_version, q.agreement_version) "
            "FROM message m LEFT JOIN case_file c ON c.id = m.case_id LEFT JOIN inquiry q ON q.id = m.case_id WHERE m.id = ?",
            message,
        )
        return post.read_parts(row[0]) if row is not None and self.terms.seals(row[1], row[2]) else None

    def _seal_all(
        self, chosen: dict[str, tuple[PartRef, ...]], recipient: PublicKey, owners: dict[str, str]
    ) -> dict[str, Sealing | Refused]:
        found: dict[str, Sealing | Refused] = {}
        for message, parts in chosen.items():
            key = self.provider.random(16)
            try:
                refs = tuple(self._digest(key, message, n, part, owners) for n, part in enumerate(parts))
            except Refused as refused:
                found[message] = refused
            else:
                wrapped = sealing.wrap(self.provider, recipient, key)
                found[message] = Sealing(key, recipient.thumbprint, wrapped, refs)
        return found

    def _digest(self, key: bytes, message: str, n: int, part: PartRef, owners: dict[str, str]) -> PartRef:
        """One part as the header names it."""
        digest, size = new(), 0
        plain = self.parts.read(owners.get(part.sm3, ""), part.sm3)
        for segment in sealed.seal(plain, sealing.part_stream(key, message, n)):
            digest.update(segment)
            size += len(segment)
        if size != sealed.sealed_size(part.size):
            raise Refused("TB-6004")
        return PartRef(digest.digest().hex(), size, "", "", "")


def portion(sizes: dict[str, int]) -> list[str]:
    """What goes in one round: all that brings no files, and of the rest as much as makes ``PORTION`` bytes, at least one."""
    chosen, total = [], 0
    for name, size in sizes.items():
        if not (size and total and total + size > PORTION):
            chosen.append(name)
            total += size
    return chosen


def owner_of(reader: Reader, digest: str) -> str:
    """Who brought this file here; ``Refused('TB-6004')`` when nobody did."""
    row = reader.one("SELECT owner FROM part WHERE sm3 = ? AND owner LIKE 'platform:%'", digest)
    if row is None:
        raise Refused("TB-6004")
    return str(row[0])


def _sources(reader: Reader, chosen: dict[str, tuple[PartRef, ...]]) -> dict[str, str]:
    found = {}
    for digest in {part.sm3 for parts in chosen.values() for part in parts}:
        try:
            found[digest] = owner_of(reader, digest)
        except Refused:
            continue  # told for the message that needs it, when its file cannot be read
    return found


def _bytes(parts: Sequence[PartRef]) -> int:
    return sum(part.size for part in parts)
