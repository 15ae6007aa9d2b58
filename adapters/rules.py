"""Rows of a mapping as a profile writes them, their paths and their conditions (映射规则).

Paths are names with dots: from the current value, or from the whole message with ``$.``; ``.`` alone is the current
value. A condition is ``path`` (given), ``!path`` (not given), ``path == 'word'`` or ``path != 'word'``.
Absent, null and "" are one thing: not given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from adapters.codecs import Misfit

Direction = Literal["in", "out"]
Read = Callable[[Any, Any], Any]
Convert = Callable[[Any], Any]


class _Missing:
    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row, as it stands in the profile. ``null``: write null when nothing is given (TOML has no null).

    ``target = "."`` with ``use`` writes the other table's fields beside this table's own.
    """

    target: str
    source: str | list[str] = ""
    jmespath: str = ""
    codec: str = ""
    table: str = ""
    default: Any = MISSING
    when: str = ""
    each: str = ""
    use: str = ""
    join: str = ""
    null: bool = False

    @property
    def fallback(self) -> Any:
        """What is written when nothing is given; MISSING when nothing is."""
        return None if self.null else self.default

    @property
    def shown(self) -> str:
        """The source as a person reads it."""
        return (
            self.each
            or self.jmespath
            or (self.source if isinstance(self.source, str) else f"{self.join or '+'}".join(self.source))
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a table before any message has come. ``where`` is ``table.name[row]`` of the profile: in, out or both."""

    code: str
    zh: str
    en: str
    where: str


@dataclass(frozen=True, slots=True)
class Traced:
    """Where one target field came from. ``code_row`` is ``foreign=canonical`` of the code table."""

    target: str
    source: str
    rule: str
    codec: str = ""
    code_row: str = ""
    default: bool = False


class Faulty(Exception):
    """A rule table that cannot be compiled; holds the findings."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(f"{f.where} {f.code}" for f in findings))
        self.findings = findings


# --- reading and writing paths ----------------------------------------------------------------------------------------

PATH = re.compile(r"\.|(\$\.)?[^\s.\[\]$!=']+(\.[^\s.\[\]$!=']+)*")
_WHEN = re.compile(r"(!?)([^\s!='][^\s!=']*)|([^\s!='][^\s!=']*) (==|!=) '([^']*)'")


def reader(path: str) -> Read:
    """(current, whole message) -> the value at ``path`` or MISSING. Whole numbers index lists."""
    if path == ".":
        return lambda current, root: MISSING if current is None or current == "" else current
    from_root = path.startswith("$.")
    keys: list[str | int] = [int(key) if key.isdigit() else key for key in path.removeprefix("$.").split(".")]
    if len(keys) == 1:
        only = keys[0]

        def read_one(current: Any, root: Any) -> Any:
            try:
                value = (root if from_root else current)[only]
            except (KeyError, TypeError, IndexError):
                return MISSING
            return MISSING if value is None or value == "" else value

        return read_one

    def read(current: Any, root: Any) -> Any:
        value = root if from_root else current
        try:
            for key in keys:
                value = value[key]
        except (KeyError, TypeError, IndexError):
            return MISSING
        return MISSING if value is None or value == "" else value

    return read


def put(output: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Write into nested objects, making those that are not there."""
    for key in path[:-1]:
        output = output.setdefault(key, {})
    output[path[-1]] = value


def joined(reads: list[Read], separator: str) -> Read:
    def read(current: Any, root: Any) -> Any:
        found = [value for value in (one(current, root) for one in reads) if value is not MISSING]
        if not found:
            return MISSING
        if not all(type(value) is str for value in found):
            raise Misfit("value-type", "类型应为字符串", "expected a string")
        return separator.join(found)

    return read


def listed(reads: list[Read]) -> Read:
    """Several sources as one list, None where nothing is given; MISSING when nothing is given anywhere."""

    def read(current: Any, root: Any) -> Any:
        found = [None if (value := one(current, root)) is MISSING else value for one in reads]
        return MISSING if all(value is None for value in found) else found

    return read


def condition(text: str) -> Read | None:
    found = _WHEN.fullmatch(text)
    if found is None:
        return None
    negated, given, left, operator, word = found.groups()
    read = reader(given or left)
    if given:
        return lambda current, root: (read(current, root) is MISSING) == bool(negated)
    equal = operator == "=="
    return lambda current, root: (_word(read(current, root)) == word) == equal


def condition_path(text: str) -> str:
    """The path that a condition asks about; "" for a condition that cannot be read."""
    found = _WHEN.fullmatch(text)
    return "" if found is None else found[2] or found[3]


def _word(value: Any) -> str:
    return "" if value is MISSING else str(value)


# --- cells ---------------------------------------------------------------------------------------------------------


def scalar(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise Misfit("value-type", "此处应为单个值", "expected a single value")
    return value


SHOWN = 20
"""Codes of a table that a refusal lists."""


def looked_up(table: Mapping[str, str], name: str) -> Convert:
    allowed, more = list(table)[:SHOWN], "…" if len(table) > SHOWN else ""
    zh = f"代码表 {name} 中没有这个代码，只能是：{'、'.join(allowed)}{more}"
    en = f"the code table {name} has no such code; it has: {', '.join(allowed)}{more}"

    def convert(value: Any) -> str:
        found = table.get(value if type(value) is str else str(scalar(value)))
        if found is None:
            raise Misfit("code-unknown", zh, en)
        return found

    return convert


def turned(table: Mapping[str, str]) -> dict[str, str]:
    """canonical -> foreign; of several foreign codes for one canonical the first row counts."""
    back: dict[str, str] = {}
    for foreign, canonical in table.items():
        back.setdefault(canonical, foreign)
    return back
