"""Our own register of issued certificates behind the sharing port: what this node issued needs no other platform."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.sharing.base import UNKNOWN, Cause, Fetched, Found, Granted, HolderKey, Judged, No
from gateway.core.ecert import State
from gateway.flow import issued
from gateway.flow.issued import Issued
from gateway.problems import Refused
from gateway.store.journal import Reader
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from signing.sm3 import sm3

SHOWN = frozenset(State) - {State.STAMPING, State.DROPPED, State.SUPERSEDED}  # what a holder has, or had


@dataclass(frozen=True, slots=True)
class OwnRegister:
    """See ``adapters.sharing.base.Sharing``. ``read``: a reader on the store as it is now."""

    read: Callable[[], Reader]
    vault: Vault
    parts: Parts
    now_ms: Callable[[], int]

    async def query(self, holder: HolderKey, type_code: str, cause: Cause) -> Sequence[Found] | No:
        reader = self.read()
        rows = issued.by_holder(reader, self.vault.blind(holder.code), type_code)
        return [self._found(reader, one, holder.code) for one in rows if one.state in SHOWN]

    async def authorise(self, holder: HolderKey, identifier: str, type_code: str, cause: Cause) -> Granted | No:
        row = issued.by_identifier(self.read(), identifier)
        if row is None or row.holder != self.vault.blind(holder.code) or row.type_code != type_code:
            return No("absent", "not-among-the-holders")
        return Granted(identifier)

    async def fetch(self, ticket: str, cause: Cause) -> Fetched | No:
        reader = self.read()
        row = issued.by_identifier(reader, ticket)
        if row is None or not row.file:
            return No("absent", "no-such-certificate")
        try:
            file = await asyncio.to_thread(lambda: b"".join(self.parts.read(issued.OWNER, row.file)))
        except Refused as refused:
            return No("unusable", refused.code)
        return Fetched(file, self._status(reader, row))

    async def verify(self, file: bytes, cause: Cause) -> Judged | No:
        digest = sm3(file).hex()
        row = self.read().one("SELECT identifier FROM certificate WHERE file = ?", digest)
        return Judged(None, "not-of-this-register") if row is None else Judged(True, "of-this-register")

    async def close(self) -> None:
        """Nothing is open."""

    def _found(self, reader: Reader, row: Issued, holder: str) -> Found:
        of = issued.metadata(self.vault, row)
        return Found(row.identifier, row.type_code, of.type_name, of.number, holder, self._status(reader, row))

    def _status(self, reader: Reader, row: Issued) -> str:
        stood = issued.stands(reader, row, self.now_ms())
        return UNKNOWN if stood is None else stood.standing.value
