"""The "CertShare" dialect of a city in Shandong: JSON with head and data, status 0, certificate data SM2-encrypted to the asker.

It knows no use codes: a certificate is asked for by its identifier with the cause in one text, and comes as an annotated copy
(加注件) that runs out. The single use is kept by the gateway's own code.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from adapters.sharing.base import Cause, Fetched, Found, Granted, HolderKey, Judged, No
from adapters.sharing.line import Caller, Decrypt, file_of, opened
from adapters.sharing.translate import Dialect, text

COPY_LASTS = timedelta(days=30)
BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True, repr=False)
class CertShare:
    """See ``base.Sharing``. ``account`` and ``secret``: accessId and accessToken."""

    dialect: Dialect
    caller: Caller
    account: str
    secret: str
    decrypt: Decrypt | None
    now_ms: Callable[[], int]

    async def query(self, holder: HolderKey, type_code: str, cause: Cause) -> Sequence[Found] | No:
        ask, types = self.dialect.ask, self.dialect.holder_types
        wanted = {
            ask["holder_code"]: holder.code, ask["holder_type"]: types.get(holder.code_type, holder.code_type),
            ask["type_code"]: type_code,
        }  # fmt: skip
        data = await self._call("query", wanted, cause)
        rows = data if isinstance(data, No) else self.dialect.listed(data)
        if isinstance(rows, No):
            return () if rows.kind == "absent" else rows
        return tuple(found for found in map(self.dialect.read_entry, rows) if found is not None)

    async def authorise(self, holder: HolderKey, identifier: str, type_code: str, cause: Cause) -> Granted | No:
        return Granted(identifier)

    async def fetch(self, ticket: str, cause: Cause) -> Fetched | No:
        data = await self._call("data", {self.dialect.ask["identifier"]: ticket}, cause)
        one = data if isinstance(data, No) else self.dialect.single(data)
        if isinstance(one, No):
            return one
        ends = datetime.fromtimestamp(self.now_ms() / 1000, UTC) + COPY_LASTS
        copy = {
            self.dialect.ask["copy_identifier"]: ticket,
            self.dialect.ask["copy_cause"]: self.dialect.sentence(cause),
            self.dialect.ask["copy_expires"]: ends.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
        }
        answer = await self._post("file", copy)
        file = answer if isinstance(answer, No) else file_of(answer, self.dialect)
        if isinstance(file, No):
            return file
        return Fetched(file, self.dialect.status_of(one), self.dialect.surface(one))

    async def verify(self, file: bytes, cause: Cause) -> Judged | No:
        data = await self._post("verify", {self.dialect.ask["verify_file"]: base64.b64encode(file).decode()})
        if isinstance(data, No):
            return data
        said = text(data, "result")
        return Judged(
            {"true": True, "0": True, "false": False, "1": False}.get(said.lower()), text(data, "message")[:120]
        )

    async def close(self) -> None:
        await self.caller.line.close()

    async def _call(self, path: str, wanted: dict[str, str], cause: Cause) -> Any | No:
        data = await self._post(path, {**wanted, **self.dialect.elements(cause)})
        return data if isinstance(data, No) else opened(data, self.dialect, self.decrypt)

    async def _post(self, path: str, data: dict[str, str]) -> Any | No:
        body = {"head": {"accessId": self.account, "accessToken": self.secret}, "data": data}
        found = await self.caller.ask("POST", self.dialect.paths[path], self.dialect.answer, body)
        return found if isinstance(found, No) else found[1]
