"""Two languages beside each other: every user-facing sentence is written once in Chinese and once in English."""

from __future__ import annotations

import os

_VARIABLES = ("TONGBAN_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


def language() -> str:
    """``zh`` or ``en``. Chinese unless the first locale variable that is set names English."""
    for variable in _VARIABLES:
        value = os.environ.get(variable, "")
        if value:
            return "en" if value.lower().startswith("en") else "zh"
    return "zh"


def say(zh: str, en: str) -> str:
    """The sentence in the reader's language."""
    return en if language() == "en" else zh
