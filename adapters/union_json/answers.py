"""What an answer means that carries its codes in its body (响应码): ``status`` of the transport, ``custom`` of the matter. Pure.

The outer code says whether the platform's server worked at all, the inner one what became of the matter. Only both together
are a yes. An outer failure says nothing about the matter: it may have happened, so it is unclear, unless the code is one of
those that are known to come before anything is done (a bad token).
"""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.base import Accepted, Answer, NotThere, Outcome, Refused, Temporary, Unclear, Untranslatable
from adapters.profile import Profile
from adapters.rules import MISSING, reader
from adapters.transport import Reply
from schemas.codec import strict_json
from schemas.errors import Invalid


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[answer]`` table: dotted places, and codes as text. ``outer`` "" where there is one code only; ``before``: codes that
    are known to come before anything is done (a bad token), of the outer code where there is one."""

    code: str
    message: str = ""
    reference: str = ""
    ok: tuple[str, ...] = ("1",)
    duplicate: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    outer: str = ""
    outer_ok: tuple[str, ...] = ("1",)
    before: tuple[str, ...] = ()


TRY_LATER = frozenset({401, 403, 404, 405, 408, 425, 429})
"""Answers about the address or about us, not about the message: it may be sent again when that is mended."""


def read_form(profile: Profile) -> Form:
    """Raises Untranslatable for a table that cannot be read."""
    try:
        return msgspec.convert(profile.text.answer, Form)
    except msgspec.ValidationError as error:
        raise Untranslatable(
            "answer-unreadable", f"answer 有误：{error}", f"bad answer table: {error}", "answer"
        ) from None


def _code(value: dict[str, Any], place: str) -> str:
    found = reader(place)(value, value)
    return str(found) if type(found) in (int, str) else ""


def _text(value: dict[str, Any], place: str, most: int) -> str:
    found = reader(place)(value, value) if place else MISSING
    return found[:most] if type(found) is str else ""


def opened(form: Form, reply: Reply, max_bytes: int) -> tuple[str, dict[str, Any]] | Temporary | Unclear:
    """The inner code and the answer; or why there is none."""
    if reply.status >= 500 or reply.status in TRY_LATER:
        return Temporary(f"http-{reply.status}")
    if 300 <= reply.status < 400:
        return Temporary("redirect-refused")
    try:
        value = strict_json(reply.body, max_bytes=max_bytes)
    except Invalid:
        return Unclear("answer-unreadable")
    if type(value) is not dict:
        return Unclear("answer-unreadable")
    first = _code(value, form.outer or form.code)
    if first in form.before:
        return Temporary(f"status-{first[:32]}")
    if form.outer and first not in form.outer_ok:
        return Unclear(f"status-{first[:32]}")
    code = _code(value, form.code)
    return (code, value) if code else Unclear("answer-unreadable")


def judge(form: Form, reply: Reply, max_bytes: int) -> Outcome:
    """What the answer to a call of ours means."""
    found = opened(form, reply, max_bytes)
    if not isinstance(found, tuple):
        return found
    code, value = found
    if code in form.ok or code in form.duplicate:
        return Accepted(_text(value, form.reference, 128))
    if code in form.busy:
        return Temporary(f"busy-{code[:32]}")
    said = _text(value, form.message, 200)
    return Refused(code[:64], said or "平台未说明原因", "refused by the platform")


def judge_ask(form: Form, reply: Reply, max_bytes: int) -> Answer:
    """What the answer to a question means: only a plain yes or a plain no counts."""
    found = opened(form, reply, max_bytes)
    if not isinstance(found, tuple):
        return Temporary(found.reason)
    code, value = found
    if code in form.absent:
        return NotThere()
    if code in form.ok or code in form.duplicate:
        return Accepted(_text(value, form.reference, 128))
    return Temporary("answer-unreadable")
