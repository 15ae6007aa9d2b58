"""What a conformance run comes to (评分): for each step a verdict and a sentence, and what went over the wire. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

Verdict = Literal["pass", "fail", "na", "unknown"]
"""``na``: the profile or the platform has no such thing; ``unknown``: nobody was there to say."""


class Said(NamedTuple):
    """What a step found."""

    verdict: Verdict
    zh: str
    en: str


class Side(NamedTuple):
    """One half of an exchange as people may see it: a first line, headers, the text of the body."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: str


class Shown(NamedTuple):
    """A request and its answer, masked."""

    request: Side
    answer: Side


class Result(NamedTuple):
    """One line of the score card. ``zh``, ``en``: what is promised; ``said``: what was seen."""

    name: str
    zh: str
    en: str
    said: Said
    exchanges: tuple[Shown, ...] = ()


def passed(zh: str, en: str) -> Said:
    return Said("pass", zh, en)


def failed(zh: str, en: str) -> Said:
    return Said("fail", zh, en)


def not_applicable(zh: str, en: str) -> Said:
    return Said("na", zh, en)


def unknown(zh: str, en: str) -> Said:
    return Said("unknown", zh, en)


def overall(results: Sequence[Result]) -> bool | None:
    """True: all that applies passed; False: something failed; None: nothing could be told."""
    verdicts = {one.said.verdict for one in results}
    if "fail" in verdicts:
        return False
    return True if "pass" in verdicts and "unknown" not in verdicts else None
