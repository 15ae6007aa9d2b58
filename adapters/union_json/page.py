"""A list in an answer taken apart without being read (分页): every entry as its bytes stand. Pure.

Entries are judged one by one: one that is no clean JSON (a lone surrogate, a key twice, a number beyond) must not take its
neighbours with it, as it would if the answer were read whole. Only strings and brackets are looked at, once, from left to right.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)
_KEY: Final = re.compile(rb"[ \t\r\n]*:")


class Page(NamedTuple):
    """``head``: the answer with an empty list in the list's place; ``entries``: its entries."""

    head: bytes
    entries: list[bytes]


def apart(body: bytes, place: str) -> Page | None:
    """The list at a dotted place. None where the answer has none there, or ends before it does."""
    wanted = tuple(key.encode() for key in place.split("."))
    path: list[bytes] = []  # the key that each open bracket stands under
    key, begin, commas = b"", -1, list[int]()
    for token in _TOKEN.finditer(body):
        text, at = token[0], token.start()
        if text[:1] == b'"':
            key = text[1:-1] if begin < 0 and _KEY.match(body, token.end()) else key
        elif text in (b"[", b"{"):
            path.append(key)
            if begin < 0 and text == b"[" and tuple(path[1:]) == wanted:
                begin, commas = at, [at]
                inside = len(path)
        elif text == b"," and begin >= 0 and len(path) == inside:
            commas.append(at)
        elif text in (b"]", b"}"):
            if not path:
                return None
            if begin >= 0 and len(path) == inside:
                return _cut(body, [*commas, at])
            path.pop()
    return None


def _cut(body: bytes, marks: list[int]) -> Page:
    entries = [body[before + 1 : after].strip() for before, after in pairwise(marks)]
    return Page(body[: marks[0]] + b"[]" + body[marks[-1] + 1 :], [one for one in entries if one])


def loose(raw: bytes, place: str) -> str:
    """The string at a place of an entry that will be refused, for the one thing that its refusal needs: its id. "" where it
    cannot be told."""
    key = re.escape(place.rpartition(".")[2].encode())
    found = re.search(rb'"' + key + rb'"[ \t\r\n]*:[ \t\r\n]*"([A-Za-z0-9_.:-]{1,128})"', raw)
    return found[1].decode("ascii") if found else ""
