"""Revocation (吊销): what one source, or several together, say of one certificate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from signing.reasons import Words

SKEW: Final = timedelta(minutes=5)  # how far ahead of our clock a source may date its word


@dataclass(frozen=True, slots=True)
class State:
    """What is known: good, revoked since ``when``, unknown because of ``code``, or none: no source speaks of it."""

    kind: Literal["good", "revoked", "unknown", "none"]
    code: str = ""
    detail: Words = ("", "")
    when: datetime | None = None


@dataclass(frozen=True, slots=True)
class AsOf:
    """News must be fresh at ``now``, and none is taken that is dated after ``until``: who looks back has later lists."""

    now: datetime
    until: datetime


NO_SOURCE: Final = State("none", "crl-missing")


def decisive(states: Sequence[State]) -> State:
    """The state that counts: revoked (the earliest) before good, good before unknown."""
    revoked = [state for state in states if state.kind == "revoked"]
    if revoked:
        return min(revoked, key=lambda state: state.when.timestamp() if state.when else 0.0)
    for kind in ("good", "unknown"):
        found = next((state for state in states if state.kind == kind), None)
        if found:
            return found
    return NO_SOURCE
