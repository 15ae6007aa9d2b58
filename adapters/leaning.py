"""Profiles that lean on another (别名与差异): a platform that is another's under a new name, or differs from it in little. Pure.

``alias_of = "fujian_front"``   differs in nothing but name, title and division: no other key may stand in the file
``like = "fujian_front"``       says only what differs, and under ``assumed`` what that is: what stands in a table of the file
                                (``[front] come``, ``[tables] granted``) replaces what the other has there, all of it;
                                ``[codecs]`` exchanges a way of writing wherever the other profile uses it

The other profile stands beside it, or is one of the package, and leans on nobody itself.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from adapters.base import Untranslatable

ALIAS, LIKE = "alias_of", "like"
OWN: Final = ("name", "title", "division")
"""What an alias has of its own."""
_NAMED: Final = re.compile(rb'^(?:alias_of|like)[ \t]*=[ \t]*"([a-z0-9_]{1,64})"', re.MULTILINE)


def leans_on(toml: bytes) -> str:
    """The file of the profile that this one leans on; "" for one that stands alone."""
    found = _NAMED.search(toml)
    return f"{found[1].decode()}.toml" if found else ""


def whole(profile: Mapping[str, Any], resources: Mapping[str, bytes]) -> dict[str, Any]:
    """The profile with what it leans on. Raises Untranslatable."""
    alias, like = profile.get(ALIAS), profile.get(LIKE)
    if alias is None and like is None:
        return dict(profile)
    if type(alias or like) is not str or (alias and like):
        raise _bad("alias_of 与 like 只写一个，为方案名", "one of alias_of and like, the name of a profile")
    base = _base(f"{alias or like}.toml", resources)
    if alias:
        if set(profile) != {ALIAS, *OWN}:
            raise _bad("别名只有 name、title、division", "an alias has name, title and division only")
        return base | dict(profile)
    if not profile.get("assumed") or not all(profile.get(name) for name in OWN):
        raise _bad(
            "有差异的方案须写 name、title、division 与 assumed", "a profile that differs says name, place and assumed"
        )
    laid = _laid(base, {key: value for key, value in profile.items() if key not in ("codecs", "assumed")})
    laid["assumed"] = [*base.get("assumed", []), *profile["assumed"]]
    swapped: dict[str, Any] = _swapped(laid, profile.get("codecs", {}))
    return swapped


def in_place(value: Any, division: str) -> Any:
    """A table with ``{division}`` filled in wherever it is a part of a word."""
    if isinstance(value, str):
        return value.replace("{division}", division)
    if isinstance(value, Mapping):
        return {key: in_place(entry, division) for key, entry in value.items()}
    if isinstance(value, list):
        return [in_place(entry, division) for entry in value]
    return value


def _base(name: str, resources: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        base = tomllib.loads(resources[name].decode("utf-8"))
    except KeyError:
        raise _bad(f"没有 {name}", f"there is no {name}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise _bad(f"{name} 不是合法的 TOML", f"{name} is not TOML") from None
    if ALIAS in base or LIKE in base:
        raise _bad(f"{name} 自己也依附别的方案", f"{name} leans on another itself")
    return base


def _laid(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: {**under[key], **over[key]} for key in over if _tables(under.get(key), over[key])}
    return {**under, **over, **both}


def _tables(one: Any, other: Any) -> bool:
    return isinstance(one, Mapping) and isinstance(other, Mapping)


def _swapped(value: Any, codecs: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        done = {key: _swapped(entry, codecs) for key, entry in value.items()}
        codec = done.get("codec")
        return {**done, "codec": codecs[codec]} if isinstance(codec, str) and codec in codecs else done
    return [_swapped(entry, codecs) for entry in value] if isinstance(value, list) else value


def _bad(zh: str, en: str) -> Untranslatable:
    return Untranslatable("profile-leans", zh, en)
