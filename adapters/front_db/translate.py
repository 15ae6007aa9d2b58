"""Front-exchange tables (前置交换库): which tables and columns a platform uses, and the statements made of them. Pure.

Two systems meet in a database that both may write: a message is a row with an id, a type and a document; the reader says
that it has it by a row of its own in a second table. Names are the profile's, held to plain identifiers; values are always
parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Final, NamedTuple, TypeVar

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


class Dialect(NamedTuple):
    """What databases write differently. ``mark``: the n-th value, from 1; ``quote``: around a name, which may be a word of SQL's;
    ``size``: the bytes of a content; ``content``: a content as it is read, by the kind of its column (``text``, ``bytes``)."""

    mark: Callable[[int], str]
    quote: str
    size: Mapping[str, str]
    content: Mapping[str, str]


_AS_IT_IS: Final = {"text": "{}", "bytes": "{}"}
DIALECTS: Final = {
    "sqlite": Dialect(lambda n: "?", "`", dict.fromkeys(_AS_IT_IS, "length(CAST({} AS BLOB))"), _AS_IT_IS),
    "postgresql": Dialect(
        lambda n: f"${n}",
        '"',
        {"text": "octet_length({}::text)", "bytes": "octet_length({})"},
        {"text": "convert_to({}::text, 'UTF8')", "bytes": "{}"},
    ),
    "mariadb": Dialect(lambda n: "%s", "`", dict.fromkeys(_AS_IT_IS, "octet_length({})"), _AS_IT_IS),
}


T = TypeVar("T", "Box", "Ack")
_NAMES: Final = ("table", "id", "type", "content", "order", "state", "at", "digest")


class Statements(msgspec.Struct, frozen=True):
    """SQL with a mark for every value. A list of ids is always ``PAGE`` long: see ``padded``.

    ``look``: (types …, fixed …, page, offset) -> id, type, bytes of the content, in order, without those acknowledged;
    ``contents``: (limit of bytes, ids …) -> id, type, content or NULL where it is larger;
    ``ack``: see ``ack_values``; ``acked``: (ids …) -> id; ``write``: see ``values``; ``written``: (ids …) -> id, content.
    """

    look: str
    contents: str
    ack: str
    acked: str
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


def statements(words: Words, types: int, kind: str = "sqlite", column: str = "text") -> Statements:
    """For so many row types, in the dialect of a kind of database, with contents in columns of text or of bytes."""
    dialect = DIALECTS[kind]
    come, go = _quoted(words.come, dialect.quote), _quoted(words.go, dialect.quote)
    ack = _quoted(words.ack, dialect.quote)
    fixed = "".join(f" AND m.{name} = ?" for name in come.fixed)
    size, content = (form[column].format(f"m.{come.content}") for form in (dialect.size, dialect.content))
    columns = [ack.id, ack.state, ack.content, ack.at, *([ack.digest] if ack.digest else []), *ack.fixed]
    written = [go.id, go.type, go.content, go.order, *go.fixed]

    def marked(sql: str) -> str:
        counted = count(1)
        return re.sub(r"\?", lambda found: dialect.mark(next(counted)), sql)

    return Statements(
        look=marked(
            f"SELECT m.{come.id}, m.{come.type}, {size} FROM {come.table} m WHERE m.{come.type} IN ({_marks(types)}){fixed} "
            f"AND NOT EXISTS (SELECT 1 FROM {ack.table} a WHERE a.{ack.id} = m.{come.id}) "
            f"ORDER BY m.{come.order}, m.{come.id} LIMIT ? OFFSET ?"
        ),
        contents=marked(
            f"SELECT m.{come.id}, m.{come.type}, CASE WHEN {size} <= ? THEN {content} END FROM {come.table} m "
            f"WHERE m.{come.id} IN ({_marks(PAGE)})"
        ),
        ack=marked(f"INSERT INTO {ack.table} ({', '.join(columns)}) VALUES ({_marks(len(columns))})"),
        acked=marked(f"SELECT {ack.id} FROM {ack.table} WHERE {ack.id} IN ({_marks(PAGE)})"),
        write=marked(f"INSERT INTO {go.table} ({', '.join(written)}) VALUES ({_marks(len(written))})"),
        written=marked(
            f"SELECT {go.id}, {dialect.content[column].format(go.content)} FROM {go.table} WHERE {go.id} IN ({_marks(PAGE)})"
        ),
    )


def _quoted(table: T, quote: str) -> T:
    """The table with its names as SQL writes them."""
    names = {field: f"{quote}{getattr(table, field)}{quote}" for field in _NAMES if getattr(table, field, "")}
    fixed = {f"{quote}{name}{quote}": value for name, value in table.fixed.items()}
    return msgspec.structs.replace(table, fixed=fixed, **names)


def _marks(number: int) -> str:
    return ", ".join("?" * number)


def padded(ids: Sequence[object]) -> tuple[object, ...]:
    """At most ``PAGE`` ids as a list of ``PAGE``, so that a statement is one text, which a database knows again."""
    return (*ids, *[ids[-1]] * (PAGE - len(ids)))


def ack_values(words: Words, row: object, ok: bool, content: str | bytes, at: str, digest: str) -> tuple[object, ...]:
    """The values of ``Statements.ack`` in its order."""
    ack = words.ack
    state = ack.ok if ok else ack.refused
    return (row, state, content, at, *([digest] if ack.digest else []), *ack.fixed.values())


def values(words: Words, row: str, type_: str, content: str | bytes, at: str) -> tuple[object, ...]:
    """The values of ``Statements.write`` in its order."""
    return (row, type_, content, at, *words.go.fixed.values())
