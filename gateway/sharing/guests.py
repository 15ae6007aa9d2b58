"""Platforms on this node that belong to another party (客方): of our certificates they see what an agreement grants, no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agreements.match import Book, Refusal
from agreements.model import CertificateUse
from agreements.release import Release, ReleaseRequest, decide_release
from gateway.problems import CODES, Refused


@dataclass(frozen=True, slots=True)
class Guests:
    """``party``: ours; ``parties``: the platforms that belong to others, and to whom."""

    party: str
    parties: Mapping[str, str]
    book: Book
    now_ms: Callable[[], int]

    def release(self, platform: str, type_code: str, use: CertificateUse, purpose: str) -> Release | None:
        """What a guest is granted; None for a platform of our own, which no agreement limits. ``Refused`` with the clause."""
        if platform not in self.parties:
            return None
        request = ReleaseRequest(self.party, self.parties[platform], type_code, use, purpose)
        decision = decide_release(request, self.book, datetime.fromtimestamp(self.now_ms() / 1000, UTC))
        if isinstance(decision, Refusal):
            raise Refused(CODES.get(decision.code, "TB-7011"), decision.zh, decision.clause)
        return decision
