"""Named functions (命名函数) for what no rule can say: codecs ``fn:NAME`` that an installed package brings.

A package declares them under the entry-point group ``tongban.codecs``: a ``Codec`` for both directions, or a plain
function of one value for reading only. With several sources and no ``join`` the value is their list. Whatever a function
raises is a refusal of the message, never a crash, and its text is not repeated: it may hold personal data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, Final, NoReturn

from adapters.base import Untranslatable
from adapters.codecs import Codec, Misfit

GROUP: Final = "tongban.codecs"


@lru_cache(maxsize=1)
def installed() -> Mapping[str, Codec]:
    """``fn:NAME`` -> codec, of all installed packages. Raises Untranslatable for one that cannot be loaded."""
    found: dict[str, Codec] = {}
    for point in entry_points(group=GROUP):
        name = f"fn:{point.name}"
        if name in found:
            raise Untranslatable("function-twice", f"函数 {name} 有两个来源", f"{name} comes from two packages", name)
        try:
            loaded = point.load()
        except Exception:
            raise Untranslatable(
                "function-unloadable", f"函数 {name} 装不上", f"{name} cannot be loaded", name
            ) from None
        found[name] = as_codec(loaded, name)
    return found


def as_codec(loaded: object, name: str) -> Codec:
    """What an entry point gave, guarded."""
    if isinstance(loaded, Codec):
        kind, decode, encode, one_way = loaded.kind, loaded.decode, loaded.encode, loaded.one_way
        return Codec(kind, _guarded(decode, name), _guarded(encode, name), one_way)
    if callable(loaded):
        return Codec("any", _guarded(loaded, name), _reads_only(name), one_way=True)
    raise Untranslatable("function-unloadable", f"{name} 不是函数", f"{name} is no function", name)


def _guarded(call: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
    def guarded(value: Any) -> Any:
        try:
            return call(value)
        except Misfit:
            raise
        except Exception:
            raise Misfit("function-failed", f"函数 {name} 未能处理", f"the function {name} failed") from None

    return guarded


def _reads_only(name: str) -> Callable[[Any], NoReturn]:
    def refuse(value: Any) -> NoReturn:
        raise Misfit("function-failed", f"函数 {name} 只能读入", f"the function {name} only reads")

    return refuse
