"""Structured logs: one JSON object per line on standard error, with only the fields that this list allows.

Masking by allow-list (P05): a field that is not listed is dropped, so personal data has no way in. aiohttp's own
server logger, which prints offending header bytes, is silenced (KF9); what it would say is counted by the guard.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict

ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "logger", "trace_id", "code", "status", "method", "destination", "message", "cause",
        "peer", "party", "platform", "reason", "outcome", "exception", "exchange", "admin", "attempt", "port", "name", "size",
        "public", "step", "version", "revoked", "record", "collector", "case", "file", "found", "kind", "card", "switched",
        "error", "use", "taken", "digest", "zh", "en",
    }
)  # fmt: skip
"""``case``, ``record``: our own numbers; ``file``, ``digest``: SM3; ``error``: a type; ``zh``, ``en``: sentences of our tables."""


def setup(level: str = "info") -> None:
    """Configure structlog and silence foreign loggers."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _allow,
            structlog.processors.JSONRenderer(serializer=_encode),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def _allow(_: Any, __: str, event: EventDict) -> EventDict:
    """Drop what is not listed; cut what is long; a traceback keeps its frames and loses its values."""
    kept: EventDict = {}
    for name, value in event.items():
        if name in ALLOWED:
            kept[name] = value if isinstance(value, int | float | bool) else str(value)[:2000]
    if "exception" in kept:
        kept["exception"] = _frames(str(event["exception"]))
    return kept


def _frames(text: str) -> str:
    """File, line and function of each frame and the exception's type, without messages that may hold input."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("File ")]
    last = text.strip().splitlines()[-1].split(":", 1)[0] if text.strip() else ""
    return " | ".join([*lines[-12:], last])


def _encode(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event).decode()
