"""What reports and recordings must not show (脱敏): identity numbers, telephones, names, addresses, keys, tokens. Pure.

Two ways: ``shown`` for people leaves enough to recognise a place by; ``kept`` for recordings puts marks in the place of the
two numbers that the kit's own sample person has, which ``restored`` turns back into the very bytes, and the same marks in
the place of anybody else's, so that a recording never holds a real one and still can be read again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from adapters import samples
from adapters.samples import CITIZEN
from schemas.canonical import Delivery, Identity

MOBILE: Final = "13800000000"
HIDDEN: Final = "***"
_CITIZEN_MARK, _MOBILE_MARK, _FILE_MARK = "⟦citizen⟧", "⟦mobile⟧", "⟦file⟧"
_CITIZEN: Final = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx]"
    r"|\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3})(?![0-9A-Za-z])"
)
_MOBILE: Final = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![0-9A-Za-z])")
_FILE: Final = re.compile(r"[A-Za-z0-9+/_-]{400,}={0,2}")
_SECRET_NAME: Final = re.compile(r"sign|auth|token|secret|licen|passw|cookie|credential|api-?key|x-tif-passid", re.I)


def personal(value: Any) -> Iterator[str]:
    """The names, addresses and the like that a canonical body holds."""
    if isinstance(value, Identity):
        yield from (value.name, value.id_number, value.mobile, value.address)
    elif isinstance(value, Delivery):
        yield value.receiver
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            yield from inner.values() if name == "form" and isinstance(inner, Mapping) else personal(inner)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from personal(one)


def _written(text: str) -> Iterator[str]:
    """The ways in which a text may stand in a message: as it is, escaped, referred to, or read by the wrong encoding."""
    yield from (text, json.dumps(text)[1:-1], text.encode("gbk", "xmlcharrefreplace").decode("gbk"))
    for encoding in ("utf-8", "gb18030"):
        yield text.encode(encoding).decode("latin-1")


_INVENTED: Final = frozenset(
    form for type_ in samples.types() for one in personal(samples.body(type_)) if one for form in _written(one)
)
"""What the kit's own samples say of people who do not exist."""


class Mask:
    """``secrets``: values that may stand nowhere (licences, keys). People whose acts come in are added as they come."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({one for one in secrets if len(one) >= 4}, key=len, reverse=True)
        self._people: set[str] = set()

    def meet(self, body: Any) -> None:
        """The people of this body are nobody's business from now on."""
        for one in personal(body):
            if one in (CITIZEN, MOBILE) or len(one) < 2 or (one.isascii() and len(one) < 8):
                continue
            self._people |= set(_written(one))

    def shown(self, text: str) -> str:
        """For people."""
        text = self._without_secrets(text)
        text = _FILE.sub(lambda found: f"{found[0][:12]}…（{len(found[0])} 字符 characters）", text)
        text = _CITIZEN.sub(lambda found: f"{found[0][:6]}{'*' * (len(found[0]) - 7)}{found[0][-1]}", text)
        text = _MOBILE.sub(lambda found: f"{found[0][:3]}****{found[0][-2:]}", text)
        for one in self._named():
            text = text.replace(one, f"{one[0]}**" if one[0] > "\u3000" else HIDDEN)
        return text

    def kept(self, text: str) -> str:
        """For recordings."""
        text = _FILE.sub(_FILE_MARK, self._without_secrets(text))
        text = _MOBILE.sub(_MOBILE_MARK, _CITIZEN.sub(_CITIZEN_MARK, text))
        for one in self._named():
            if one not in _INVENTED:  # what our own samples say has to stay what it was
                text = text.replace(one, "测试甲")
        return text

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Header values that authenticate are hidden whole."""
        return [
            (name, HIDDEN if _SECRET_NAME.search(name) else self._without_secrets(value)) for name, value in headers
        ]

    def _without_secrets(self, text: str) -> str:
        for one in self._secrets:
            text = text.replace(one, HIDDEN)
        return text

    def _named(self) -> list[str]:
        return sorted(self._people, key=len, reverse=True)


def restored(text: str) -> str:
    """The very text of a sample message."""
    return text.replace(_CITIZEN_MARK, CITIZEN).replace(_MOBILE_MARK, MOBILE)


def whole(text: str) -> bool:
    """Whether nothing was taken out of this text that cannot be put back."""
    return _FILE_MARK not in text and HIDDEN not in text
