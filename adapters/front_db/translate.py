"""Front-exchange tables (前置交换库): which tables and columns a platform uses, and the statements made of them. Pure.

Two systems meet in a database that both may write: a message is a row with an id, a type and a document; the reader says
that it has it by a row of its own in a second table. Names are the profile's, held to plain identifiers; values are always
parameters.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from adapters.base import Untranslatable
from adapters.profile import Profile

PAGE: Final = 100
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


class Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of messages. ``order`` is the time by which rows are read; ``fixed`` are columns that always hold a word: a
    condition when we read, a value when we write."""

    table: str
    id: str
    type: str
    content: str
    order: str
    fixed: dict[str, str] = {}


class Ack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table in which a reader acknowledges. ``state`` holds ``ok`` or ``refused``; ``digest``, where there is such a
    column, the SM3 of what was read."""

    table: str
    id: str
    state: str
    content: str
    at: str
    ok: str = "1"
    refused: str = "9"
    digest: str = ""
    fixed: dict[str, str] = {}


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[front]`` table of a profile: where messages come, how we acknowledge them, where ours go, how often we look."""

    come: Box
    ack: Ack
    go: Box
    poll_ms: int = 500


class Statements(msgspec.Struct, frozen=True):
    """SQL with ``?`` for every value.

    ``read``: (limit of bytes, types …, fixed …, page, offset) -> id, type, content or NULL where it is too large, in order, without
    those acknowledged; ``again``: (id) -> content; ``ack``: see ``acks``; ``write``: see ``values``; ``written``: (id).
    """

    read: str
    again: str
    ack: str
    write: str
    written: str


def read_words(profile: Profile) -> Words:
    """Raises Untranslatable for a table that cannot be read, or a name that is no identifier."""
    try:
        words = msgspec.convert(profile.text.front, Words)
    except msgspec.ValidationError as error:
        raise Untranslatable("front-unreadable", f"front 有误：{error}", f"bad front table: {error}", "front") from None
    boxes = [(box.table, box.id, box.type, box.content, box.order, *box.fixed) for box in (words.come, words.go)]
    ack = words.ack
    names = [name for box in boxes for name in box]
    names += [ack.table, ack.id, ack.state, ack.content, ack.at, *([ack.digest] if ack.digest else []), *ack.fixed]
    for name in names:
        if not _NAME.fullmatch(name):
            raise Untranslatable("front-name", "表名或列名不合规范", "not an identifier", f"front: {name[:64]}")
    return words


def types_of(profile: Profile) -> tuple[str, ...]:
    """The row types that the profile reads: its operations, less those that only stand in another's ``then``."""
    below = {name for rule in profile.text.operations.values() for name in rule.then}
    return tuple(name for name in profile.text.operations if name not in below)


def statements(words: Words, types: int) -> Statements:
    """For so many row types."""
    come, ack, go = words.come, words.ack, words.go
    fixed = "".join(f" AND m.{name} = ?" for name in come.fixed)
    marks = ", ".join("?" * types)
    columns = [ack.id, ack.state, ack.content, ack.at, *([ack.digest] if ack.digest else []), *ack.fixed]
    written = [go.id, go.type, go.content, go.order, *go.fixed]
    return Statements(
        read=f"SELECT m.{come.id}, m.{come.type}, CASE WHEN length(m.{come.content}) <= ? THEN m.{come.content} END "
        f"FROM {come.table} m WHERE m.{come.type} IN ({marks}){fixed} AND NOT EXISTS "
        f"(SELECT 1 FROM {ack.table} a WHERE a.{ack.id} = m.{come.id}) ORDER BY m.{come.order}, m.{come.id} LIMIT ? OFFSET ?",
        again=f"SELECT {come.content} FROM {come.table} WHERE {come.id} = ?",
        ack=f"INSERT INTO {ack.table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
        write=f"INSERT INTO {go.table} ({', '.join(written)}) VALUES ({', '.join('?' * len(written))})",
        written=f"SELECT {go.content} FROM {go.table} WHERE {go.id} = ?",
    )


def ack_values(words: Words, row: str, ok: bool, content: str | bytes, at: str, digest: str) -> tuple[object, ...]:
    """The values of ``Statements.ack`` in its order."""
    ack = words.ack
    state = ack.ok if ok else ack.refused
    return (row, state, content, at, *([digest] if ack.digest else []), *ack.fixed.values())


def values(words: Words, row: str, type_: str, content: str | bytes, at: str) -> tuple[object, ...]:
    """The values of ``Statements.write`` in its order."""
    return (row, type_, content, at, *words.go.fixed.values())
