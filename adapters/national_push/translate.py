"""Tables of case data (归集库表): which rows an event of a case fills, and the statements for them. Pure.

One report becomes rows in several tables, written in one transaction. A row's key is made of the report's id, so that the
same report written again is the same rows. Names are the profile's, held to plain identifiers; values are always parameters
and always text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from adapters.base import Act, Outbound, Untranslatable, Wire
from adapters.mapping import RuleMap
from adapters.profile import Profile, body_of, envelope
from adapters.report import Report
from adapters.rules import MISSING, reader

TYPE: Final = "report"
PIECE: Final = "common"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``each``: one row for each entry of this list of the report, else one for the report. ``required``: columns that may not
    be empty; ``longest``: characters that a column holds; ``once``: a case has one row here, counted by it."""

    required: tuple[str, ...] = ()
    longest: dict[str, int] = {}
    each: str = ""
    once: bool = False


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[national]`` table of a profile. ``key``, ``case`` and ``time``: the columns of a row's own id, the case's number
    and the time by which days are counted; ``ours``: columns whose words tell our rows from others'; ``events``: which tables
    each event of the case machine fills, in this order; ``every_ms``: how often new events are looked for."""

    key: str
    case: str
    time: str
    ours: dict[str, str]
    tables: dict[str, Table]
    events: dict[str, tuple[str, ...]]
    every_ms: int = 2_000


class Filled(msgspec.Struct, frozen=True):
    """A row: its table, its columns and what they hold."""

    table: str
    values: dict[str, str]


_ROWS = msgspec.json.Decoder(list[Filled])


def read_words(profile: Profile) -> Words:
    """Raises Untranslatable for tables that cannot be read, a name that is no identifier, or a table without rows."""
    try:
        words = msgspec.convert(profile.text.national, Words)
    except msgspec.ValidationError as error:
        zh, en = f"national 有误：{error}", f"bad national table: {error}"
        raise Untranslatable("national-unreadable", zh, en, "national") from None
    for name in (words.key, words.case, words.time, *words.ours, *_columns(profile, words), *words.tables):
        if not _NAME.fullmatch(name):
            raise Untranslatable("national-name", "表名或列名不合规范", "not an identifier", f"national: {name[:64]}")
    for name in {*words.tables, *(one for tables in words.events.values() for one in tables)}:
        if name not in words.tables or name not in profile.outward:
            zh, en = f"表 {name} 没有列", f"no columns for the table {name}"
            raise Untranslatable("national-table", zh, en, f"national: {name[:64]}")
    return words


def _columns(profile: Profile, words: Words) -> Iterator[str]:
    for name in (PIECE, *words.tables):
        if name in profile.outward:
            yield from columns(profile.outward[name])


def columns(table: RuleMap) -> tuple[str, ...]:
    """The columns that a table's rows can fill, in their order."""
    return tuple(dict.fromkeys(".".join(step.path) for step in table.steps))


def rows_of(body: bytes) -> list[Filled]:
    """The rows of a frozen report. Raises Untranslatable for what is none."""
    try:
        rows = _ROWS.decode(body)
    except msgspec.MsgspecError:
        rows = []
    if not rows or not all(_NAME.fullmatch(name) for row in rows for name in (row.table, *row.values)):
        raise Untranslatable("rows-unreadable", "不是归集库表的行", "no rows of case data")
    return rows


@dataclass(frozen=True, slots=True)
class RowsTranslator:
    """See ``adapters.base.Translator``; a collector says nothing."""

    profile: Profile
    words: Words

    def can_send(self, type_: str) -> bool:
        return type_ == TYPE

    def outbound(self, out: Outbound) -> Wire:
        report = out.body
        if out.type != TYPE or not isinstance(report, Report) or report.event not in self.words.events:
            raise Untranslatable("type-not-mapped", "方案未映射这类报文", "the profile maps no such message")
        rows = list(self._rows(out, self.words.events[report.event]))
        return Wire(id=out.id, operation=report.event, body=msgspec.json.encode(rows))

    def _rows(self, out: Outbound, tables: Sequence[str]) -> Iterator[Filled]:
        body, whole = body_of(out), envelope(out)
        common = self.profile.outward[PIECE].run(body, whole)
        count = 0
        for name in tables:
            table = self.words.tables[name]
            for entry in _entries(body, table.each):
                key = {self.words.key: key_of(out.id, count)}
                values = key | common | self.words.ours | self.profile.outward[name].run(entry, whole)
                yield Filled(name, _text(name, table, values))
                count += 1

    def inbound(self, operation: str, payload: bytes, *, case: str = "") -> Act:
        raise Untranslatable("operation-unknown", "没有这个操作", "no such operation")

    def reply_ok(self, act: Act, receipt: dict[str, str]) -> bytes:
        return b""

    def reply_refused(self, problem: dict[str, str]) -> bytes:
        return b""


def key_of(report: str, count: int) -> str:
    """The id of a report's row, from 0."""
    return f"{report}-{count}"


def _entries(body: Mapping[str, Any], each: str) -> list[Any]:
    if not each:
        return [body]
    found = reader(each)(body, body)
    return [] if found is MISSING else list(found)


def _text(name: str, table: Table, values: Mapping[str, Any]) -> dict[str, str]:
    """Columns that hold something, as text. Raises Untranslatable for one that is missing or too long."""
    told = {column: str(value) for column, value in values.items() if value not in ("", None)}
    for column in table.required:
        if column not in told:
            zh, en = "必填列没有内容", "a column that must not be empty has nothing"
            raise Untranslatable("column-missing", zh, en, f"{name}.{column}")
    for column, longest in table.longest.items():
        if len(told.get(column, "")) > longest:
            raise Untranslatable(
                "column-too-long", f"超过 {longest} 字", f"over {longest} characters", f"{name}.{column}"
            )
    return told
