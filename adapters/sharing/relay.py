"""The relay dialect of Shanghai, towards the national and the Yangtze-delta store: a login opens a session, and every call repeats
five audit elements and the purpose (UseFor). A session that has run out is opened anew, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.sharing.base import Cause, Fetched, Found, Granted, HolderKey, Judged, No
from adapters.sharing.line import Caller, file_of
from adapters.sharing.translate import Dialect, text


@dataclass(repr=False)
class Relay:
    """See ``base.Sharing``. ``account`` and ``secret``: of the login; ``org``: the asking office's name (orgName)."""

    dialect: Dialect
    caller: Caller
    account: str
    secret: str
    org: str
    _session: str = ""
    _login: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def query(self, holder: HolderKey, type_code: str, cause: Cause) -> Sequence[Found] | No:
        ask, types = self.dialect.ask, self.dialect.holder_types
        wanted = {
            ask["holder_code"]: holder.code, ask["holder_type"]: types.get(holder.code_type, holder.code_type),
            ask["holder_name"]: holder.name, ask["type_code"]: type_code,
        }  # fmt: skip
        data = await self._call("query", wanted, cause)
        rows = data if isinstance(data, No) else self.dialect.listed(data)
        if isinstance(rows, No):
            return () if rows.kind == "absent" else rows
        return tuple(found for found in map(self.dialect.read_entry, rows) if found is not None)

    async def authorise(self, holder: HolderKey, identifier: str, type_code: str, cause: Cause) -> Granted | No:
        return Granted(identifier)

    async def fetch(self, ticket: str, cause: Cause) -> Fetched | No:
        wanted = {self.dialect.ask["identifier"]: ticket}
        data = await self._call("data", wanted, cause)
        one = data if isinstance(data, No) else self.dialect.single(data)
        if isinstance(one, No):
            return one
        place = await self._call("place", wanted, cause)
        if isinstance(place, No):
            return place
        where = text(
            place, self.dialect.ask["place"]
        )  # the relay's own address of the file: handed back, never opened by us
        answer = await self._call("file", {self.dialect.ask["url"]: where, self.dialect.ask["format"]: "ofd"}, cause)
        file = answer if isinstance(answer, No) else file_of(answer, self.dialect)
        return file if isinstance(file, No) else Fetched(file, self.dialect.status_of(one), self.dialect.surface(one))

    async def verify(self, file: bytes, cause: Cause) -> Judged | No:
        return Judged(None, "no-such-operation")

    async def close(self) -> None:
        await self.caller.line.close()

    async def _call(self, path: str, wanted: dict[str, str], cause: Cause) -> Any | No:
        words, elements = self.dialect.answer, self.dialect.elements(cause)
        for _ in range(2):
            session = await self._opened()
            if isinstance(session, No):
                return session
            body = {**wanted, **elements, self.dialect.ask["org"]: self.org, self.dialect.ask["session"]: session}
            found = await self.caller.ask("POST", self.dialect.paths[path], words, body)
            if isinstance(found, No):
                return found
            if found[0] not in words.session:
                return found[1]
            if self._session == session:
                self._session = ""
        return No("refused", "session-refused")

    async def _opened(self) -> str | No:
        async with self._login:
            if self._session:
                return self._session
            body = {self.dialect.ask["account"]: self.account, self.dialect.ask["password"]: self.secret}
            found = await self.caller.ask("POST", self.dialect.paths["login"], self.dialect.answer, body)
            if isinstance(found, No):
                return found
            self._session = text(found[1], self.dialect.ask["session"])
            return self._session or No("unusable", "no-session-in-answer")
