"""The files of a profile (方案的文件): in the package, or in a folder of the node's own, leaning on one of the package or not."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from adapters.leaning import leans_on

BUNDLED: Final = resources.files("adapters") / "profiles"
NAMED: Final = (".xsd", ".xsl")
"""What a profile may name among the files beside it."""


def beside(folder: Traversable, profile: bytes) -> dict[str, bytes]:
    """The files beside a profile, and those of the one that it leans on. Raises OSError."""
    base = leans_on(profile)
    return {
        one.name: one.read_bytes() for place in _places(folder, base) for one in place.iterdir() if _wanted(one, base)
    }


def _places(folder: Traversable, base: str) -> Iterator[Traversable]:
    """What stands beside the profile comes last, so that it counts."""
    if base:
        yield BUNDLED
    yield folder


def _wanted(one: Traversable, base: str) -> bool:
    return one.name.endswith(NAMED) or (one.name == base != "")
