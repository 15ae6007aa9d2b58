"""A reason's sentences are whole."""

from __future__ import annotations

from collections.abc import Mapping

from signing.reasons import Reason, Words


def whole(reason: Reason, *tables: Mapping[str, Words]) -> bool:
    """In both languages, nothing left of a template, and a detail wherever the words of one of these tables take one."""
    words = [table[reason.code] for table in tables if reason.code in table]
    bare = {one.format(detail="") for pair in words for one in pair if "{detail}" in one}
    return bool(reason.zh and reason.en) and "{" not in reason.zh + reason.en and not bare & {reason.zh, reason.en}
