"""Administrative divisions 行政区划 (GB/T 2260): the table of codes, with retired codes as aliases of their successors.

The table is built from the bytes of ``data/regions.csv`` and ``data/regions-retired.csv``, which the caller reads.
A code is matched exactly, six digits: a prefix or a padded form is another string (attack row A07). Rows of the
scheme ``placeholder`` (市辖区, 县) group others and are no authority; rows of the scheme ``stat`` (development zones
of the statistics bureau) are authorities in practice and are refused only by a caller that asks for it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from schemas.canonical import Application
from schemas.errors import Invalid

_SIX = re.compile(r"[0-9]{6}")


class Division(NamedTuple):
    """One row: ``level`` is province, city or county; ``scheme`` is gb2260, stat or placeholder."""

    code: str
    name: str
    level: str
    parent: str
    short_name: str
    scheme: str


class Resolved(NamedTuple):
    """A division that stands today, and the retired code (``""`` if none) it was asked for by."""

    division: Division
    alias: str


def _rows(data: bytes, columns: int) -> list[list[str]]:
    """The rows after the header. The two files hold no quotes; a row of another width is refused with its line."""
    rows = []
    for number, line in enumerate(data.decode().splitlines()[1:], 2):
        cells = line.split(",")
        if len(cells) != columns:
            raise Invalid(
                "division-table", f"区划表第{number}行列数不对", f"line {number} of the table has the wrong width"
            )
        rows.append(cells)
    return rows


class Divisions:
    """The table. Built in a few milliseconds; build it once."""

    def __init__(self, regions: bytes, retired: bytes = b"") -> None:
        self._by_code = {row[0]: Division(*row) for row in _rows(regions, 6)}
        self._retired = {row[0]: (row[1], row[2]) for row in _rows(retired, 4)} if retired else {}

    def __len__(self) -> int:
        return len(self._by_code)

    def __contains__(self, code: str) -> bool:
        return code in self._by_code

    def get(self, code: str) -> Division | None:
        """The row as it stands, or None; retired codes are not followed."""
        return self._by_code.get(code)

    def resolve(self, code: str, *, accept_stat: bool = True) -> Resolved | Invalid:
        """The place that answers for ``code`` today.

        Codes of refusal: ``division-format``, ``unknown-division``, ``placeholder-division``, ``statistical-division``.
        """
        if not _SIX.fullmatch(code):
            return Invalid("division-format", "行政区划代码应为6位数字", "a division code has six digits")
        alias = ""
        if code in self._retired and code not in self._by_code:
            alias, code = code, self._retired[code][1]
        division = self._by_code.get(code)
        if division is None:
            return Invalid("unknown-division", "行政区划代码不在代码表中", "the division code is not in the table")
        if division.scheme == "placeholder":
            zh = f"“{division.name}”是汇总码，不是可以办理的地方"
            return Invalid("placeholder-division", zh, "a grouping code is not a place that can handle a case")
        if division.scheme == "stat" and not accept_stat:
            return Invalid("statistical-division", "仅用于统计的区划代码", "a code used by the statistics bureau only")
        return Resolved(division, alias)

    def full_name(self, code: str) -> str:
        """``江西省南昌市红谷滩区``; the code itself if unknown. Grouping rows are left out."""
        names: list[str] = []
        division = self._by_code.get(code)
        while division is not None:
            if division.scheme != "placeholder":
                names.append(division.name)
            division = self._by_code.get(division.parent)
        return "".join(reversed(names)) or code


def check_application(application: Application, divisions: Divisions) -> Invalid | None:
    """What only the table can tell of an application: its handling place exists and can handle cases.

    A retired code passes: the body keeps it as given, and ``divisions.resolve(code)`` names the successor and the
    alias.
    """
    resolved = divisions.resolve(application.handling)
    return resolved.at("handling") if isinstance(resolved, Invalid) else None
