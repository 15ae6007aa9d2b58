"""What differs between two mapped messages (差异): by path, without values unless they are asked for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from msgspec import inspect as mi

from adapters.check_cells import bare
from adapters.profile import Profile
from schemas.canonical import BODIES

Kind = Literal["added", "removed", "changed"]
MAX_DIFFERENCES: Final = 200
_GONE: Final = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One path that differs. ``old`` and ``new`` may be personal data: shown only to those who reveal."""

    path: str
    kind: Kind
    old: Any = None
    new: Any = None

    def __repr__(self) -> str:
        return f"Difference({self.kind} {self.path})"


def differences(old: Any, new: Any) -> list[Difference]:
    """The first 200, in the order of the old message."""
    found: list[Difference] = []
    for one in _walk(old, new, ""):
        found.append(one)
        if len(found) == MAX_DIFFERENCES:
            break
    return found


def _walk(old: Any, new: Any, path: str) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            below = f"{path}.{key}" if path else str(key)
            yield from _walk(old.get(key, _GONE), new.get(key, _GONE), below)
    elif isinstance(old, list) and isinstance(new, list):
        for n in range(max(len(old), len(new))):
            yield from _walk(old[n] if n < len(old) else _GONE, new[n] if n < len(new) else _GONE, f"{path}[{n}]")
    elif old is _GONE:
        yield Difference(path, "added", None, new)
    elif new is _GONE:
        yield Difference(path, "removed", old, None)
    elif old != new or type(old) is not type(new):
        yield Difference(path, "changed", old, new)


def masked(path: str, known: frozenset[str]) -> str:
    """The path with ``*`` for every name that no profile wrote: a form's field names come from people."""
    return ".".join(part if re.sub(r"\[\d+\]$", "", part) in known else "*" for part in path.split("."))


def names_of(profile: Profile) -> frozenset[str]:
    """Every name that a profile or the canonical form writes: what may stand in a path that is shown to anybody."""
    found: set[str] = set()
    for table in (*profile.inward.values(), *profile.outward.values(), profile.head):
        for step in table.steps:
            sources = [step.rule.source] if isinstance(step.rule.source, str) else step.rule.source
            for path in (*sources, step.rule.target, step.rule.each, profile.text.send.body):
                found.update(path.split("."))
            found.update(step.rule.codec.partition(":")[2].split(",") if step.rule.codec.startswith("pairs:") else ())
    for body in BODIES.values():
        _fields(mi.type_info(body), found)
    return frozenset(found)


def _fields(kind: mi.Type, found: set[str]) -> None:
    kind = bare(kind)
    if isinstance(kind, mi.StructType):
        for field in kind.fields:
            found.add(field.encode_name)
            _fields(field.type, found)
    elif isinstance(kind, mi.ListType):
        _fields(kind.item_type, found)
