"""The values in the XML of a fixed-layout document (版式文件, GB/T 33190-2016 clause 7.3): numbers, boxes, matrices, colours,
and the distances between characters with their short form ``g N v`` (v, N times over; clause 11.3).

Every number is finite and within ``LARGEST``, so that nothing that is reckoned with them overflows. Faults are ``Malformed``
with the code ``ofd-value``.
"""

from __future__ import annotations

import re
from typing import Final

from signing.errors import Malformed
from signing.ofd.content import IDENTITY, Box, Colour, Matrix

LARGEST: Final = 1e6
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,20}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?", re.ASCII)
_CHANNEL: Final = re.compile(r"\d{1,3}|#[0-9A-Fa-f]{1,2}", re.ASCII)


def wrong() -> Malformed:
    """A value that is not what it should be."""
    return Malformed("ofd-value", "数值不合规定", "a value is malformed")


def number(text: str) -> float:
    """A number within ``LARGEST``."""
    if not _NUMBER.fullmatch(text) or abs(found := float(text)) > LARGEST:
        raise wrong()
    return found


def numbers(text: str, count: int) -> tuple[float, ...]:
    """Numbers with white space between, exactly ``count`` of them."""
    words = text.split() if len(text) <= 64 * count else []
    if len(words) != count:
        raise wrong()
    return tuple(map(number, words))


def lengths(text: str) -> tuple[float, ...]:
    """Numbers in a row, not below zero and not all of them zero; at most sixteen."""
    found = numbers(text, min(len(text.split()), 16))
    if any(one < 0 for one in found) or (found and not any(found)):
        raise wrong()
    return found


def box(text: str) -> Box:
    """ST_Box: x y width height, none of the sizes below zero."""
    found = Box(*numbers(text, 4))
    if found.width < 0 or found.height < 0:
        raise wrong()
    return found


def matrix(text: str | None) -> Matrix:
    """CTM; the identity where it is unsaid."""
    if text is None:
        return IDENTITY
    a, b, c, d, e, f = numbers(text, 6)
    return a, b, c, d, e, f


def deltas(text: str | None, most: int) -> tuple[float, ...]:
    """DeltaX or DeltaY, written out; what is beyond ``most`` moves no character and is left away."""
    if text is None:
        return ()
    found: list[float] = []
    words = iter(text.split())
    for word in words:
        if word != "g":
            found.append(number(word))
            continue
        times, step = next(words, ""), number(next(words, ""))
        if not (times.isascii() and times.isdecimal() and len(times) <= 9):
            raise wrong()
        found += [step] * min(int(times), most)
    return tuple(found[:most])


def colour(value: str, alpha: str | None) -> Colour:
    """CT_Color by its channels: one of grey, three of RGB, four of CMYK; decimal or ``#`` and hexadecimal, 0 to 255."""
    channels = [_channel(word) for word in value[:64].split()]
    opaque = 255 if alpha is None else _channel(alpha)
    match channels:
        case [grey]:
            return Colour(grey, grey, grey, opaque)
        case [red, green, blue]:
            return Colour(red, green, blue, opaque)
        case [cyan, magenta, yellow, key]:
            red, green, blue = ((255 - ink) * (255 - key) // 255 for ink in (cyan, magenta, yellow))
            return Colour(red, green, blue, opaque)
    raise wrong()


def _channel(word: str) -> int:
    if not _CHANNEL.fullmatch(word):
        raise wrong()
    found = int(word[1:], 16) if word.startswith("#") else int(word)
    if found > 255:
        raise wrong()
    return found


def faded(one: Colour, alpha: int) -> Colour:
    """The colour under an opacity of 0 to 255."""
    return one._replace(alpha=one.alpha * alpha // 255)


def times(outer: Matrix, inner: Matrix) -> Matrix:
    """The matrix that does ``inner`` and then ``outer``."""
    a, b, c, d, e, f = outer
    k, l, m, n, o, p = inner  # noqa: E741
    return (a * k + c * l, b * k + d * l, a * m + c * n, b * m + d * n, a * o + c * p + e, b * o + d * p + f)
