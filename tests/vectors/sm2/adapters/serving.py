"""The answering side of the scorer's protocol: one JSON question per line in, one JSON answer per line out."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable
from typing import Any

Answer = bool | dict[str, str] | None
UNSUPPORTED = None  # the implementation has no such function


def serve(name: str, acts: dict[str, Callable[..., Answer]]) -> None:
    """Answer until the input ends. An act takes the question's fields, gives True or what it found, False, or None."""
    for line in sys.stdin:
        question: dict[str, Any] = json.loads(line)
        op = question.pop("op")
        print(json.dumps({"name": name} if op == "name" else _answer(acts.get(op), question)), flush=True)


def _answer(act: Callable[..., Answer] | None, question: dict[str, Any]) -> dict[str, str]:
    if act is None:
        return {"result": "unsupported"}
    try:
        found = act(**question)
    except Exception as error:  # whatever the implementation throws at its caller
        return {"result": "error", "detail": type(error).__name__}
    if found is None:
        return {"result": "unsupported"}
    if isinstance(found, dict):
        return {"result": "valid"} | found
    return {"result": "valid" if found else "invalid"}


def unwrap(pem: str, label: str) -> bytes | None:
    """The DER of a PEM block, for implementations without a PEM reader; None where there is no such block."""
    found = re.search(f"-----BEGIN {label}-----([^-]*)-----END {label}-----", pem)
    try:
        return None if found is None else base64.b64decode("".join(found[1].split()), validate=True)
    except ValueError:
        return None
