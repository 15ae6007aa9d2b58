"""The vectors as questions: each vector with what an implementation is told (never the answer)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILES = ("signatures", "ciphertexts", "keys")
_OPS = {"Sm2Verify": "verify", "Sm2Decrypt": "decrypt", "Sm2PrivateKey": "private-key", "Sm2PublicKey": "public-key"}
_TOLD = (
    "encoding",
    "publicKey",
    "publicKeyDer",
    "id",
    "msg",
    "sig",
    "form",
    "privateKey",
    "privateKeyDer",
    "ct",
    "pem",
)
# What a right acceptance has to give back, by act.
_GIVES = {"verify": (), "decrypt": ("msg",), "private-key": ("publicKey",), "public-key": ("publicKey",)}


@dataclass(frozen=True)
class Vector:
    """``question``: op and fields as in README.md; ``gives``: what an implementation that accepts must answer."""

    file: str
    number: int
    comment: str
    flags: tuple[str, ...]
    result: str
    question: dict[str, str]
    gives: dict[str, str]
    code: str = ""

    def __str__(self) -> str:
        return f"{self.file} {self.number} {' '.join(self.flags)}: {self.comment}"


@cache
def load(file: str) -> list[Vector]:
    """All vectors of one file."""
    whole = json.loads((HERE / f"{file}.json").read_text("utf-8"))
    return [_vector(file, group, test) for group in whole["testGroups"] for test in group["tests"]]


@cache
def notes(file: str) -> dict[str, dict[str, str]]:
    """The notes on this file's flags."""
    found: dict[str, dict[str, str]] = json.loads((HERE / f"{file}.json").read_text("utf-8"))["notes"]
    return found


def _vector(file: str, group: dict[str, Any], test: dict[str, Any]) -> Vector:
    op = _OPS[group["type"]]
    both = group | test
    gives = {name: both[name] for name in _GIVES[op] if name in both}
    told = {name: both[name] for name in _TOLD if name in both and name not in gives}
    return Vector(
        file, test["tcId"], test["comment"], tuple(test["flags"]), test["result"], {"op": op} | told, gives,
        test.get("code", ""),
    )  # fmt: skip
