"""Trusted time in a package (可信时间): until when, at the latest, its signatures existed, as time-stamp authorities say.

A time stamp over the whole package fixes all that is in it; one over a checkpoint fixes what that ledger held, as far as
consistency paths lead there. Of several over the whole the last is judged now and each other one at the time of the one
after it, so an authority whose certificate has expired still counts when a later one covers it (archive time stamps).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.ledger.records import TimestampRecord
from signing.errors import Indeterminate, Rejected

Reason = Rejected | Indeterminate


class TimeView(NamedTuple):
    """What a token says and whether it holds: stated time and the latest time it proves (ms), both None if unknown."""

    reasons: Sequence[Reason]
    time_ms: int | None = None
    proves_ms: int | None = None
    authority: str = ""


# (token, SM3 of what it is over, as of when in ms) -> view
Judge = Callable[[bytes, bytes, int], TimeView]


@dataclass(frozen=True, slots=True)
class TimeNote:
    """One time stamp of the package: ``over`` is ``package`` or the checkpoint's ``origin size``."""

    line: int
    over: str
    view: TimeView

    @property
    def held(self) -> bool:
        """Is it relied on?"""
        return self.view.proves_ms is not None

    @property
    def broken(self) -> Sequence[Reason]:
        """What is wrong with the token itself; that its authority is not trusted here only leaves it without weight."""
        wrong = [one for one in self.view.reasons if isinstance(one, Rejected)]
        return [one for one in wrong if one.code.startswith("timestamp-")]


class Use(NamedTuple):
    """A signature's stated time, and the checkpoint it is under, if it is under one."""

    at_ms: int
    origin: str = ""
    size: int = 0


@dataclass(slots=True)
class Times:
    """What is known: of the whole, of checkpoints by (origin, size), and which sizes are proved to extend which."""

    whole_ms: int | None = None
    checkpoints: dict[tuple[str, int], int] = field(default_factory=dict)
    links: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    notes: list[TimeNote] = field(default_factory=list)

    def seal(self, sealed: Sequence[tuple[int, TimestampRecord, bytes]], judge: Judge, now_ms: int) -> None:
        """Judge the time stamps over the whole, from the last to the first."""
        at_ms, notes = now_ms, []
        for line, record, digest in reversed(sealed):
            note = TimeNote(line, "package", judge(record.token, digest, at_ms))
            notes.append(note)
            if note.view.proves_ms is not None:
                at_ms = self.whole_ms = note.view.proves_ms
        self.notes += reversed(notes)

    def fix(self, line: int, origin: str, size: int, view: TimeView) -> None:
        """One time stamp over a checkpoint, judged."""
        self.notes.append(TimeNote(line, f"{origin} {size}", view))
        if view.proves_ms is not None:
            known = self.checkpoints.get((origin, size), view.proves_ms)
            self.checkpoints[origin, size] = min(known, view.proves_ms)

    def link(self, origin: str, old: int, new: int) -> None:
        """A consistency path that holds."""
        self.links.setdefault((origin, old), set()).add(new)

    def bound(self, use: Use) -> int | None:
        """The earliest proved time at which this signature was there; None if nothing proves one."""
        found = [] if self.whole_ms is None else [self.whole_ms]
        found += [ms for size in self._reached(use) if (ms := self.checkpoints.get((use.origin, size))) is not None]
        return min(found, default=None)

    def leads(self, use: Use, size: int) -> bool:
        """Whether consistency paths lead from its checkpoint to the one of that size."""
        return size in self._reached(use)

    def _reached(self, use: Use) -> set[int]:
        seen, ahead = {use.size}, [use.size]
        while use.origin and ahead:
            further = self.links.get((use.origin, ahead.pop()), set()) - seen
            seen |= further
            ahead += further
        return seen if use.origin else set()
