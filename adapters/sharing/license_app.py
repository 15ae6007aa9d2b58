"""The "license-app" dialect of Guangdong (DB44/T 2167.3): a use code (用证码, auth_code) per certificate, minted for one cause.

Asking for a holder's certificates mints a code for each; those of a mere query are left to run out. A code opens the
structured data and the file; a used or expired one is refused by the platform. The access token goes in the query as the
dialect wants it, so no address of a call is ever logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.sharing.base import Cause, Fetched, Found, Granted, HolderKey, Judged, No
from adapters.sharing.line import Caller, file_of
from adapters.sharing.translate import Dialect, text


@dataclass(frozen=True, slots=True, repr=False)
class LicenseApp:
    """See ``base.Sharing``. ``secret``: the access token."""

    dialect: Dialect
    caller: Caller
    secret: str

    async def query(self, holder: HolderKey, type_code: str, cause: Cause) -> Sequence[Found] | No:
        rows = await self._listed(holder, type_code, cause)
        if isinstance(rows, No):
            return () if rows.kind == "absent" else rows
        return tuple(found for found in map(self.dialect.read_entry, rows) if found is not None)

    async def authorise(self, holder: HolderKey, identifier: str, type_code: str, cause: Cause) -> Granted | No:
        rows = await self._listed(holder, type_code, cause)
        if isinstance(rows, No):
            return rows
        for row in rows:
            found, ticket = self.dialect.read_entry(row), text(row, self.dialect.found.ticket)
            if found is not None and found.identifier == identifier:
                return Granted(ticket) if ticket else No("refused", "no-use-code")
        return No("absent", "not-among-the-holders")

    async def fetch(self, ticket: str, cause: Cause) -> Fetched | No:
        data = await self._get("data", ticket)
        one = data if isinstance(data, No) else self.dialect.single(data)
        if isinstance(one, No):
            return one
        answer = await self._get("file", ticket)
        file = answer if isinstance(answer, No) else file_of(answer, self.dialect)
        return file if isinstance(file, No) else Fetched(file, self.dialect.status_of(one), self.dialect.surface(one))

    async def verify(self, file: bytes, cause: Cause) -> Judged | No:
        return Judged(None, "no-such-operation")

    async def close(self) -> None:
        await self.caller.line.close()

    async def _listed(self, holder: HolderKey, type_code: str, cause: Cause) -> list[Any] | No:
        ask = self.dialect.ask
        body = {ask["holder_code"]: holder.code, ask["type_code"]: type_code, **self.dialect.elements(cause)}
        query = {ask["token"]: self.secret}
        found = await self.caller.ask("POST", self.dialect.paths["query"], self.dialect.answer, body, query)
        return found if isinstance(found, No) else self.dialect.listed(found[1])

    async def _get(self, path: str, ticket: str) -> Any | No:
        query = {self.dialect.ask["token"]: self.secret, self.dialect.ask["ticket"]: ticket}
        found = await self.caller.ask("GET", self.dialect.paths[path], self.dialect.answer, None, query)
        return found if isinstance(found, No) else found[1]
