"""Pinyin initials of Chinese titles (拼音首字母), for telling that ``zjlx`` may be 证件类型. Pure.

The 3,755 characters of the first level of GB 2312-80 stand in the order of their pinyin, so a character's place gives its
first letter; a character with two readings has the one of its place. Good enough to break a tie, never to decide.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

_FIRST: Final = (
    ("a", 0xB0A1), ("b", 0xB0C5), ("c", 0xB2C1), ("d", 0xB4EE), ("e", 0xB6EA), ("f", 0xB7A2), ("g", 0xB8C1), ("h", 0xB9FE),
    ("j", 0xBBF7), ("k", 0xBFA6), ("l", 0xC0AC), ("m", 0xC2E8), ("n", 0xC4C3), ("o", 0xC5B6), ("p", 0xC5BE), ("q", 0xC6DA),
    ("r", 0xC8BB), ("s", 0xC8F6), ("t", 0xCBFA), ("w", 0xCDDA), ("x", 0xCEF4), ("y", 0xD1B9), ("z", 0xD4D1),
)  # fmt: skip
_PLACES: Final = [place for _, place in _FIRST]
_LAST: Final = 0xD7F9


def initials(title: str) -> str:
    """``证件类型`` -> ``zjlx``; ASCII letters and digits stay, everything else is left out."""
    return "".join(map(_initial, title.lower()))


def _initial(character: str) -> str:
    if character.isascii():
        return character if character.isalnum() else ""
    try:
        place = int.from_bytes(character.encode("gb2312"), "big")
    except UnicodeEncodeError:
        return ""
    return _FIRST[bisect_right(_PLACES, place) - 1][0] if _PLACES[0] <= place <= _LAST else ""


def alike(title: str, name: str, key: str) -> float:
    """0 to 1: how much a platform's key is like a field's Chinese title or English name."""
    plain = "".join(character for character in key.lower() if character.isalnum())
    if not plain:
        return 0.0
    if plain == name.replace("_", ""):
        return 1.0
    letters = initials(title)
    shared = _common(letters, plain)
    return 2 * shared / (len(letters) + len(plain)) if letters else 0.0


def _common(one: str, other: str) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for a in one:
        before = 0
        for n, b in enumerate(other, 1):
            row[n], before = (before + 1 if a == b else max(row[n], row[n - 1])), row[n]
    return row[-1]
