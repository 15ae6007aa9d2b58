"""The way to one sharing platform, the same for all dialects: JSON questions over ``adapters.transport``, files out of answers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from yarl import URL

from adapters.sharing.base import No
from adapters.sharing.translate import AnswerWords, Dialect, at, read
from adapters.transport import Line, Request, exchange
from schemas.codec import strict_json
from schemas.errors import Invalid
from signing.errors import Malformed

Decrypt = Callable[[bytes], bytes]
"""Opens 04||C1||C3||C2 with the key that the platform encrypts to; ``Malformed`` if it does not open."""


@dataclass(frozen=True, slots=True)
class Caller:
    """``base_url``: where the platform answers; times in ms, sizes in bytes."""

    line: Line
    base_url: str
    connect_ms: int
    total_ms: int
    max_answer: int

    async def ask(
        self, method: str, path: str, words: AnswerWords, body: Any = None, query: Mapping[str, str] | None = None
    ) -> tuple[str, Any] | No:
        """One question; (code, data) of a good answer."""
        url = URL(self.base_url.rstrip("/") + path).with_query(dict(query or {}))
        sent = b"" if body is None else msgspec.json.encode(body)
        headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if sent else {})}
        request = Request(method, url, headers, sent)
        return read(
            await exchange(self.line.session(), request, self.connect_ms, self.total_ms, self.max_answer), words
        )


def file_of(data: Any, dialect: Dialect) -> bytes | No:
    """The Base64 file in an answer's data."""
    found = at(data, dialect.file)
    try:
        file = base64.b64decode(found, validate=True) if type(found) is str else b""
    except (binascii.Error, ValueError):
        file = b""
    return file or No("unusable", "no-file-in-answer")


def opened(data: Any, dialect: Dialect, decrypt: Decrypt | None) -> Any | No:
    """The data, decrypted where the dialect says so: SM2 (GB/T 32918.4), hex, JSON inside."""
    if not dialect.encrypted:
        return data
    found = at(data, dialect.encrypted)
    if found is None:
        return None
    if decrypt is None or type(found) is not str:
        return No("unusable", "not-decryptable")
    try:
        clear = _decrypted(bytes.fromhex(found), dialect.cipher, decrypt)
        return strict_json(clear, max_bytes=max(len(clear), 1))
    except (ValueError, Malformed, Invalid):
        return No("unusable", "not-decryptable")


def _decrypted(data: bytes, order: str, decrypt: Decrypt) -> bytes:
    """Some libraries leave the leading 04 out, and a point may begin with that byte by chance: both are tried."""
    if data[:1] == b"\x04":
        try:
            return decrypt(_c1c3c2(data, order))
        except Malformed:
            pass
    return decrypt(_c1c3c2(b"\x04" + data, order))


def _c1c3c2(data: bytes, order: str) -> bytes:
    """With the check before the ciphertext."""
    return data if order == "c1c3c2" else data[:65] + data[-32:] + data[65:-32]
