"""Codecs (编码转换): how one cell of a foreign message is written, in both directions.

``decode`` turns the platform's value into the canonical one, ``encode`` the other way. A value that does not fit raises
``Misfit``; the message never repeats the value, which may be personal data. A codec is named ``name`` or
``name:argument``; ``fn:name`` are functions that an installed package brings (see ``adapters.functions``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from adapters.codecs.amounts import amount, counted, unit
from adapters.codecs.base import Codec, Misfit, integer, plain_int, text
from adapters.codecs.moments import MOMENTS, day, moment
from adapters.codecs.names import HALF_WIDTH, names
from adapters.codecs.values import VALUES, division, flag, pairs, split

__all__ = ["CODECS", "FACTORIES", "Codec", "Misfit", "find_codec"]

CODECS: Final[dict[str, Codec]] = {
    "text": Codec("text", text, text),
    "name": names({}),
    "half_width": HALF_WIDTH,
    "int": Codec("int", integer, plain_int),
    "int_text": Codec("int", integer, lambda value: str(plain_int(value))),
    **MOMENTS,
    **VALUES,
}
FACTORIES: Final[dict[str, Callable[[str], Codec | None]]] = {
    "moment": moment, "day": day, "division": division, "flag": flag, "pairs": pairs, "split": split,
    "amount": amount, "unit": unit, "counted": counted,
}  # fmt: skip


def find_codec(name: str, more: Mapping[str, Codec] | None = None) -> Codec | None:
    """``name`` or ``name:argument``, a profile's own (``more``) first; None when there is no such codec."""
    if more and name in more:
        return more[name]
    base, mark, argument = name.partition(":")
    return FACTORIES[base](argument) if mark and base in FACTORIES else CODECS.get(name)
