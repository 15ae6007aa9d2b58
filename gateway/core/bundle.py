"""Where several cases that were handed in as one stand together (一张表单的总状态). Pure.

A literal table from the states of the parts to one word: the first row that fits is the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

GOOD: Final = frozenset({"granted", "result_issued", "at_window", "delivered", "closed", "corrected"})
BAD: Final = frozenset(
    {
        "refused_there", "not_accepted", "denied", "transferred", "withdrawn", "correction_lapsed", "terminated", "revoked",
        "cancelled",
    }
)  # fmt: skip
WAITING: Final = frozenset({"correction_requested", "returned"})
WORDS: Final = {
    "waiting": ("等申请人补正", "waiting for the applicant"),
    "under_way": ("办理中", "under way"),
    "granted": ("全部准予", "all granted"),
    "partly_granted": ("部分准予", "partly granted"),
    "not_granted": ("均未准予", "none granted"),
}


@dataclass(frozen=True, slots=True)
class Overall:
    """``code`` is a key of ``WORDS``; ``ended`` of ``parts`` have a decision or came to another end."""

    code: str
    ended: int
    parts: int

    @property
    def zh(self) -> str:
        """For people."""
        return f"{WORDS[self.code][0]}（{self.parts} 件中 {self.ended} 件已有结论）"

    @property
    def en(self) -> str:
        """The same in English."""
        return f"{WORDS[self.code][1]} ({self.ended} of {self.parts} decided)"


def overall(states: Sequence[str]) -> Overall:
    """One status of all parts, of which there is one at least."""
    good, bad = (sum(state in kind for state in states) for kind in (GOOD, BAD))
    ended = good + bad
    rows = (
        (any(state in WAITING for state in states), "waiting"),
        (ended < len(states), "under_way"),
        (bad == 0, "granted"),
        (good > 0, "partly_granted"),
        (True, "not_granted"),
    )
    return Overall(next(code for fits, code in rows if fits), ended, len(states))
