"""Times as the operator's commands show them: Beijing wall clock for people, RFC 3339 in UTC for machines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))


def local(ms: int) -> str:
    """Milliseconds since 1970 as Beijing time."""
    return datetime.fromtimestamp(ms / 1000, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def rfc3339(ms: int) -> str:
    """Milliseconds since 1970 as RFC 3339, whole seconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
