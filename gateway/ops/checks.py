"""One line of the self-check (自检): a name, how bad it is, what was found, and what to do about it, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

SOON_DAYS = 30
OK, WARN, FAIL, UNKNOWN = "ok", "warn", "fail", "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """``level``: ok, warn (works, but somebody should look), fail, unknown (could not be told)."""

    name: str
    level: str
    zh: str
    en: str
    fix_zh: str = ""
    fix_en: str = ""

    @property
    def ok(self) -> bool | None:
        """For machines: a warning is no failure."""
        return {OK: True, WARN: True, FAIL: False}.get(self.level)


def days_left(until: datetime, now: datetime) -> int:
    """Whole days from ``now`` on; negative once it is over."""
    return (until - now).days


def expiry(name: str, what: tuple[str, str], days: int, fix: tuple[str, str]) -> Check:
    """How long something is still valid: fails when it is over, warns in its last 30 days."""
    zh, en = what
    if days < 0:
        return Check(name, FAIL, f"{zh}已过期 {-days} 天", f"{en} expired {-days} days ago", *fix)
    level = WARN if days < SOON_DAYS else OK
    return Check(name, level, f"{zh}还有 {days} 天", f"{en}: {days} days left", *(fix if level == WARN else ("", "")))
