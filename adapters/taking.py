"""Documents of a platform that does not call us, handed to the gateway (收取): taken, refused, or told to wait.

Documents of different cases go side by side, those of one case one after the other. Of a case that has to wait, later
documents wait with the earlier one; other cases go on.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from adapters.base import Act, Backend, Denied, Presented, Problem, Signed, Untranslatable
from adapters.documents import DocumentTranslator
from schemas.errors import Invalid

T = TypeVar("T")
R = TypeVar("R")
AT_ONCE: Final = 16
"""Documents that are handed over side by side: the gateway makes them durable together."""


@dataclass(frozen=True)
class Cases:
    """``waiting``: cases that have to wait; ``turns``: whose turn it is in each."""

    waiting: set[str] = field(default_factory=set)
    turns: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))


class Said(NamedTuple):
    """What the platform is told: the answer's document, and whether its own was taken; if not, the ``code`` of why."""

    ok: bool
    answer: bytes
    code: str = ""


def never_calls(shown: Presented, now_ms: int) -> Signed | Denied:
    """``Platform.authenticate`` of platforms that put their documents down and call nobody."""
    return Denied("missing-signature", "此平台不直接调用网关", "this platform makes no calls")


async def each(items: Sequence[T], work: Callable[[T], Awaitable[R]]) -> list[R]:
    """The work on each, started in their order, ``AT_ONCE`` side by side. A fault is raised when those beside it have ended."""
    done: list[R] = []
    for start in range(0, len(items), AT_ONCE):
        some = [work(one) for one in items[start : start + AT_ONCE]]
        for found in await asyncio.gather(*some, return_exceptions=True):
            if isinstance(found, BaseException):
                raise found
            done.append(found)
    return done


async def take(
    translator: DocumentTranslator, operation: str, document: bytes, backend: Backend, cases: Cases
) -> Said | None:
    """None while the case has to wait. Documents of one case are taken in the order of the calls."""
    try:
        acts = translator.every(operation, document)
    except (Untranslatable, Invalid) as bad:
        return refused(translator, bad)
    async with cases.turns[acts[0].case]:
        return await _taken(translator, acts, backend, cases.waiting)


async def _taken(
    translator: DocumentTranslator, acts: Sequence[Act], backend: Backend, waiting: set[str]
) -> Said | None:
    receipt: dict[str, str] = {}
    for act in acts:
        if act.case in waiting:
            return None
        found = await backend.accept(act)
        if isinstance(found, Problem):
            if found.busy:
                waiting.add(act.case)
                return None
            return Said(False, translator.reply_refused(dict(found.fields)), found.fields.get("code", ""))
        receipt = found
    return Said(True, translator.reply_ok(acts[-1], receipt))


def refused(translator: DocumentTranslator, bad: Untranslatable | Invalid) -> Said:
    """The answer to a document that cannot be read."""
    text = f"{bad.path} {bad.zh}".strip()
    return Said(False, translator.reply_refused({"code": bad.code, "title": text, "title_en": bad.en}), bad.code)
