"""One HTTP call of an operator's tool: no proxy, no redirect, capped and quick; what became of it is a value.

Over TLS it asks for nothing but a card, which is believed by its own signature and fingerprint: the certificate that the
server shows is not judged here, for it is the card that names the right one.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

LIMIT = 1 << 20


class Answer(NamedTuple):
    """``status`` 0 when there was no answer, and ``reason`` says why; ``skew_s``: their clock less ours, None unknown."""

    status: int
    body: bytes = b""
    reason: str = ""
    skew_s: float | None = None


def call(
    method: str,
    url: str,
    seconds: float = 5.0,
    body: bytes | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
    limit: int = LIMIT,
) -> Answer:
    """Call an address and read at most ``limit`` bytes (1 MiB) of the answer."""
    parts = urlsplit(url)
    kinds: dict[str, Callable[..., http.client.HTTPConnection]] = {
        "http": http.client.HTTPConnection,
        "https": partial(http.client.HTTPSConnection, context=_open()),
    }
    try:
        connection = kinds[parts.scheme](parts.hostname or "", parts.port, timeout=seconds)
    except (KeyError, ValueError):
        return Answer(0, reason="address")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body, headers={"Connection": "close", **headers})
        response = connection.getresponse()
        read = response.read(limit)
        if response.length and len(read) < limit:
            return Answer(0, reason="IncompleteRead")
        return Answer(response.status, read, skew_s=_skew(response.getheader("Date")))
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, reason=type(error).__name__)
    finally:
        connection.close()


def _open() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def reachable(url: str, seconds: float = 5.0) -> str:
    """Whether something accepts connections there: "" if so, else why not."""
    parts = urlsplit(url)
    try:
        port = parts.port or {"https": 443, "sftp": 22}.get(parts.scheme, 80)
        socket.create_connection((parts.hostname or "", port), seconds).close()
    except (OSError, ValueError) as error:
        return type(error).__name__
    return ""


def _skew(date: str | None) -> float | None:
    """Whole seconds are all that the header has."""
    try:
        theirs = parsedate_to_datetime(date or "")
        return (theirs - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None
