"""Which mapping made a message (映射版本): a profile's name and number with the digest of all files it is made of. Pure.

The number is for people; the digest tells a profile that was changed without a new number. The files are kept by whoever
keeps the message, so that the old mapping can be run again after the profile has changed (K10).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from adapters.leaning import leans_on
from signing.sm3 import sm3

PROFILE: Final = "profile.toml"
"""Under this name a profile stands among its files."""


def files_of(profile: bytes, read: Mapping[str, Any], resources: Mapping[str, bytes]) -> dict[str, bytes]:
    """The profile and the files that it names: the one it leans on, its XSD, its stylesheets."""
    named = sorted({*_texts(read), leans_on(profile)} & resources.keys())
    return {PROFILE: profile, **{name: resources[name] for name in named}}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def version_of(read: Mapping[str, Any], files: Mapping[str, bytes]) -> str:
    """``name@number#digest``, the digest being the first 16 hex digits of SM3 over the packed files."""
    return f"{str(read.get('name', ''))[:64]}@{read.get('version', 0)}#{sm3(pack(files)).hex()[:16]}"


def pack(files: Mapping[str, bytes]) -> bytes:
    """The files as one piece of bytes, the same for the same files."""
    return msgspec.msgpack.encode(dict(files), order="sorted")


def unpack(data: bytes) -> dict[str, bytes]:
    """The files again. Raises msgspec.DecodeError."""
    return msgspec.msgpack.decode(data, type=dict[str, bytes])
