"""Names with rare characters (含生僻字的姓名): nothing is lost, nothing is guessed (K02, K03).

A character that the city's fonts lacked was once written with a code point of the private use area, which means
something else, or nothing, anywhere else. Those that GB 18030 itself had put there until it moved them (the last 24 in
the edition of 2022, and U+1E3F in 2005) are read as the characters they are; a profile names its city's own in
``[characters]``; any other private code point is refused, because nobody here can say who is meant. Outwards the profile's
own are written back, everything else as it is: UTF-8 and four-byte GB 18030 hold all of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from adapters.codecs.base import Codec, Misfit, text

# GB 18030-2000/-2005 code point -> where GB 18030-2005/-2022 has the character
MOVED: Final = {
    **{0xE78D + n: 0xFE10 + to for n, to in enumerate((0, 2, 1, 3, 4, 5, 6, 7, 8, 9))},
    0xE7C7: 0x1E3F, 0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7, 0xE832: 0x9FB8, 0xE843: 0x9FB9,
    0xE854: 0x9FBA, 0xE864: 0x9FBB, 0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC, 0xE831: 0x215D7, 0xE83B: 0x2298F,
    0xE855: 0x241FE,
}  # fmt: skip
_PRIVATE: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
_FULL_WIDTH: Final = {0xFF01 + n: 0x21 + n for n in range(94)} | {0x3000: 0x20}


def is_private(character: str) -> bool:
    """Whether this is one code point of a private use area."""
    return _PRIVATE.fullmatch(character) is not None


def names(characters: Mapping[str, str]) -> Codec:
    """The codec ``name`` of a profile. ``characters``: hexadecimal private code point -> the character it stands for."""
    own = {int(code, 16): character for code, character in characters.items()}
    inwards: dict[int, int | str] = {**MOVED, **own}
    outwards = {ord(character): chr(code) for code, character in own.items() if len(character) == 1}

    def decode(value: Any) -> str:
        name = text(value)
        if not _PRIVATE.search(name):
            return name
        name = name.translate(inwards)
        if _PRIVATE.search(name):
            zh = "含有本方案未登记的私有区字符（生僻字），请在方案的 characters 中登记"
            raise Misfit("character-private", zh, "a private-use character that the profile's characters do not name")
        return name

    def encode(value: Any) -> str:
        name = text(value)
        if _PRIVATE.search(name):
            raise Misfit("character-private", "含有私有区字符", "holds a private-use character")
        return name.translate(outwards)

    return Codec("text", decode, encode)


def _half_width(value: Any) -> str:
    return text(value).translate(_FULL_WIDTH)


HALF_WIDTH: Final = Codec("text", _half_width, text, one_way=True)
"""Full-width letters, digits and signs as ASCII: an explicit rule for numbers, after the signature has been checked."""
