"""One document of a platform that does not call us, handed to the gateway (收取): taken, refused, or told to wait.

Of a case that has to wait, later documents wait with the earlier one; other cases go on.
"""

from __future__ import annotations

from typing import NamedTuple

from adapters.base import Backend, Denied, Presented, Problem, Signed, Untranslatable
from adapters.documents import DocumentTranslator
from schemas.errors import Invalid


class Said(NamedTuple):
    """What the platform is told: the answer's document, and whether its own was taken; if not, the ``code`` of why."""

    ok: bool
    answer: bytes
    code: str = ""


def never_calls(shown: Presented, now_ms: int) -> Signed | Denied:
    """``Platform.authenticate`` of platforms that put their documents down and call nobody."""
    return Denied("missing-signature", "此平台不直接调用网关", "this platform makes no calls")


async def take(
    translator: DocumentTranslator, operation: str, document: bytes, backend: Backend, waiting: set[str]
) -> Said | None:
    """None while the case has to wait; ``waiting`` are the cases that do, and grows by it."""
    try:
        acts = translator.every(operation, document)
    except (Untranslatable, Invalid) as bad:
        return refused(translator, bad)
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
