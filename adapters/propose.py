"""A first rule table from two samples of one message (映射草稿): the platform's and the canonical one. Pure.

For each canonical field every place of the foreign sample is tried with every codec that gives the field's type; what
reproduces the value is a candidate. Long and rare values speak louder than short ones, and where values leave it open the
names do: platforms abbreviate Chinese titles to pinyin initials (办理方式 → blfs). Codes that only stand for a word are
guessed by name alone and marked so. It is a draft: a person confirms it, ``map check`` and ``map run`` test it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from msgspec import inspect as mi

from adapters.check_cells import bare
from adapters.codecs import Codec, Misfit, find_codec
from adapters.initials import alike
from adapters.rules import MISSING, PATH, reader

Pair = tuple[Any, Any]
_ZONES: Final = ("", "@utc")
_SHAPES: Final = ("yyyy-MM-dd HH:mm:ss.SSS", "yyyy/MM/dd HH:mm:ss", "yyyy年MM月dd日 HH时mm分ss秒", "yyyy年MM月dd日HH时mm分ss秒",
                  "yyyyMMddHHmmss", "yyyyMMddHHmmssSSS", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-ddTHH:mm:ss")  # fmt: skip
CODECS: Final[dict[str, tuple[str, ...]]] = {
    "text": ("", "division:12", "division:9", "sm3"),
    "int": ("int", "int_text", "unit:KB", "counted:个工作日", "counted:工作日", "counted:天", "counted:日"),
    "datetime": ("datetime14", "datetime14t", "datetime_local", "datetime_t", "datetime_zoned", "epoch_s", "epoch_ms",
                 "epoch_s_text", "epoch_ms_text", *(f"moment:{shape}{zone}" for zone in _ZONES for shape in _SHAPES)),
    "date": ("date8", "date10", "day:yyyy/MM/dd", "day:yyyy年MM月dd日", "day:yyyy.MM.dd"),
    "list": ("texts", "split:、", "split:,", "split:，", "split:;", "split:；", "split:|"),
    "map": ("strings",),
}  # fmt: skip
_KINDS: Final = ((mi.DateTimeType, "datetime"), (mi.DateType, "date"), (mi.IntType, "int"), (mi.DictType, "map"),
                 (mi.ListType, "list"), (mi.StrType, "text"), (mi.LiteralType, "text"))  # fmt: skip
_DEEPER: Final = 0.8


@dataclass(slots=True)
class Proposal:
    """``tables``: name -> rows; a row's ``note`` is no part of it. ``codes``: table -> foreign -> canonical.

    ``words``: table -> canonical words that the sample did not show. ``missing`` are canonical fields with a value and no
    source, ``unused`` places of the foreign sample that no row reads.
    """

    tables: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Match:
    target: str
    path: str
    codec: str
    score: float


def propose(type_: str, shape: mi.Type, foreign: dict[str, Any], canonical: dict[str, Any]) -> Proposal:
    """``canonical`` holds datetimes and dates as such. The table of the message is named ``type_``."""
    work = _Work(Proposal())
    work.table(type_, shape, [(foreign, canonical)], "", "")
    work.result.unused = [path for path, value in leaves(foreign) if not _covered(path, work.read, value)]
    return work.result


def _covered(path: str, read: set[str], value: Any) -> bool:
    return isinstance(value, dict) or any(path == one or path.startswith(f"{one}.") for one in read)


def leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every place below an object that a path can name, objects and lists themselves among them."""
    for key, entry in value.items() if isinstance(value, dict) else ():
        path = f"{prefix}.{key}" if prefix else str(key)
        if PATH.fullmatch(path):
            yield path, entry
            yield from leaves(entry, path)


@dataclass
class _Work:
    result: Proposal
    read: set[str] = field(default_factory=set)

    def table(self, name: str, shape: mi.Type, pairs: list[Pair], at: str, where: str) -> None:
        """Rows for one struct. ``at``: the foreign path of its scope, ``where``: the canonical one, both for the report."""
        rows = self.result.tables.setdefault(name, [])
        self._rows(rows, shape, pairs, "", at, where)

    def _rows(
        self, rows: list[dict[str, str]], shape: mi.Type, pairs: list[Pair], target: str, at: str, where: str
    ) -> None:
        kind = bare(shape)
        assert isinstance(kind, mi.StructType)  # noqa: S101 - only structs have tables
        plain: list[tuple[mi.Field, list[Pair]]] = []
        deep: list[tuple[mi.Field, list[Pair]]] = []
        for one in kind.fields:
            given = [
                (foreign, value) for foreign, whole in pairs if (value := _of(whole, one.encode_name)) is not MISSING
            ]
            if given:
                (deep if _struct(one.type) is not None else plain).append((one, given))
        matches = _assign([match for one, given in plain for match in candidates(one, given)])
        for one, given in plain:
            name = f"{target}{one.encode_name}"
            found = matches.get(one.encode_name)
            if found is not None:
                self._add(rows, at, target=name, source=found.path, codec=found.codec)
            else:
                self._code(rows, kind, one, given, name, at, where)
        for one, given in deep:
            self._deep(rows, one, given, f"{target}{one.encode_name}", at, where)

    def _add(self, rows: list[dict[str, str]], at: str, **row: str) -> None:
        source = row.get("source") or row.get("each", "")
        if source and any(source in (other.get("source"), other.get("each")) for other in rows):
            row["only"] = "in"  # outwards the place is written once
        rows.append({key: value for key, value in row.items() if value})
        if source and source != "." and not row.get("use"):
            self.read.add(f"{at}.{source}" if at else source)

    def _code(
        self,
        rows: list[dict[str, str]],
        shape: mi.StructType,
        one: mi.Field,
        given: list[Pair],
        name: str,
        at: str,
        where: str,
    ) -> None:
        """A word that no value gives away: a code, told by its name, or always the same; marked as what it is."""
        used = {row.get("source") for row in rows}
        options = [option for option in _coded(one, given) if option[1] not in used]
        fixed = bare(one.type)
        if options:
            _, path, codes = max(options, key=lambda option: option[0])
            table = self._codes(f"{_snake(shape)}_{one.encode_name}", codes)
            if isinstance(fixed, mi.LiteralType):
                self.result.words[table] = [str(w) for w in fixed.values if w not in self.result.codes[table].values()]
            self._add(rows, at, target=name, source=path, table=table, note="guess")
        elif isinstance(fixed, mi.LiteralType) and len({value for _, value in given}) == 1:
            self._add(rows, at, target=name, default=given[0][1], note="constant")
        else:
            self.result.missing.append(f"{where}{one.encode_name}")

    def _codes(self, name: str, codes: dict[str, str]) -> str:
        """The name under which this code table stands: one that says otherwise gets a name of its own."""
        known = self.result.codes.setdefault(name, {})
        if any(known.get(foreign, word) != word for foreign, word in codes.items()):
            return self._codes(f"{name}_2", codes)
        known.update(codes)
        return name

    def _deep(
        self, rows: list[dict[str, str]], one: mi.Field, given: list[Pair], name: str, at: str, where: str
    ) -> None:
        inner = _struct(one.type)
        assert inner is not None  # noqa: S101 - only those come here
        listed = isinstance(bare(one.type), mi.ListType)
        if not listed and not any(_struct(f.type) is None for f in inner.fields):
            self._rows(rows, inner, given, f"{name}.", at, f"{where}{one.encode_name}.")
            return
        used = {row.get("source") for row in rows if row.get("use")}
        options = [option for option in _scopes(inner, given, listed) if option[1] not in used]
        found = max(options, default=None, key=lambda option: option[0])
        if found is None:
            self.result.missing.append(f"{where}{one.encode_name}")
            return
        _, path, below = found
        use = self._named(inner, below)
        self._add(rows, at, target=name, use=use, **{"each" if listed else "source": path})
        deeper = at if path == "." else f"{at}.{path}" if at else path
        before = set(self.read)
        self.table(use, inner, below, deeper, f"{where}{one.encode_name}.")
        if listed and self.read != before:
            self.read.add(deeper)

    def _named(self, inner: mi.StructType, pairs: list[Pair]) -> str:
        """A table of this struct: an earlier one is not shared, because two places may name their fields differently."""
        base = _snake(inner)
        number = sum(1 for name in self.result.tables if name.rstrip("0123456789_") == base)
        return base if not number else f"{base}_{number + 1}"


# --- what fits --------------------------------------------------------------------------------------------------------


def candidates(one: mi.Field, given: list[Pair]) -> list[_Match]:
    """Every place and codec that gives the field's value in all pairs."""
    kind = next((word for types, word in _KINDS if isinstance(bare(one.type), types)), "")
    found = []
    for path, first in leaves(given[0][0]):
        codec = _fitting(kind, path, given)
        if codec is not None:
            name = path.rpartition(".")[2]
            score = _weight(given) + 2 * alike(_title(one), one.encode_name, name) - _DEEPER * path.count(".")
            found.append(_Match(one.encode_name, path, codec, score))
        elif kind == "map" and isinstance(first, list | dict):
            found += [_Match(one.encode_name, path, codec, 3.0) for codec in _pairs(first, path, given)]
    return found


def _fitting(kind: str, path: str, given: list[Pair]) -> str | None:
    """The first codec that both reads and writes the samples, else one that only reads them."""
    read = reader(path)
    cells = [(read(foreign, foreign), value) for foreign, value in given]
    if any(found is MISSING for found, _ in cells):
        return None
    fits = [name for name in CODECS.get(kind, ()) if _reads(find_codec(name or "text"), cells)]
    exact = [name for name in fits if _writes(find_codec(name or "text"), cells)]
    return next(iter(exact or fits), None)


def _reads(codec: Codec | None, cells: list[Pair]) -> bool:
    try:
        return codec is not None and all(_gives(codec.decode(found), value) for found, value in cells)
    except Misfit:
        return False


def _gives(made: Any, value: Any) -> bool:
    """A form may gain fields from elsewhere, so a part of it will do."""
    if isinstance(made, dict) and isinstance(value, dict):
        return bool(made) and made.items() <= value.items()
    return bool(made == value)


def _writes(codec: Codec | None, cells: list[Pair]) -> bool:
    try:
        return codec is not None and all(codec.encode(value) == found for found, value in cells)
    except Misfit:
        return False


def _pairs(first: Any, path: str, given: list[Pair]) -> list[str]:
    """Repeated names and values; an XML element that came once is an object alone."""
    entry = first[0] if isinstance(first, list) and first else first
    keys = list(entry)[:8] if isinstance(entry, dict) else []
    names = [f"pairs:{a},{b}" for a in keys for b in keys if a != b]
    read = reader(path)
    return [name for name in names if _reads(find_codec(name), [(read(f, f), value) for f, value in given])]


def _weight(given: list[Pair]) -> float:
    """How unlikely it is that the value stands there by chance."""
    value = given[0][1]
    if isinstance(value, datetime | date | dict):
        return 4.0
    if isinstance(value, list):
        return 3.0 if value else 0.0
    return min(3.0, len(str(value)) * 0.75)


def _coded(one: mi.Field, given: list[Pair]) -> Iterator[tuple[float, str, dict[str, str]]]:
    """Places that could hold a code for the word: short, consistent over the pairs, and with a name that is like it."""
    fixed = isinstance(bare(one.type), mi.LiteralType)
    if not (fixed or isinstance(bare(one.type), mi.StrType)) or any(len(value) > 24 for _, value in given):
        return
    for path, first in leaves(given[0][0]):
        read, table, fits = reader(path), dict[str, str](), True
        for foreign, value in given:
            cell = read(foreign, foreign)
            fits = (
                fits
                and type(cell) in (str, int)
                and len(str(cell)) <= 12
                and table.setdefault(str(cell), value) == value
            )
        likeness = alike(_title(one), one.encode_name, path.rpartition(".")[2])
        if fits and type(first) in (str, int) and likeness >= (0.25 if fixed else 0.6):
            yield likeness - _DEEPER * path.count("."), path, table


def _scopes(inner: mi.StructType, given: list[Pair], listed: bool) -> Iterator[tuple[float, str, list[Pair]]]:
    """Foreign objects (or lists of them) that could be this struct, with how well they fit."""
    places = [path for path, entry in leaves(given[0][0]) if isinstance(entry, list if listed else dict)]
    if listed:
        places += [path for path, entry in leaves(given[0][0]) if isinstance(entry, dict)]
    for path in [*places, *([] if listed else ["."])]:
        below = list(_aligned(path, given, listed))
        if not below or any(not isinstance(foreign, dict) for foreign, _ in below):
            continue
        fields = [
            (one, [(f, v) for f, whole in below if (v := _of(whole, one.encode_name)) is not MISSING])
            for one in inner.fields
        ]
        options = [
            match for one, cells in fields if cells and _struct(one.type) is None for match in candidates(one, cells)
        ]
        score = sum(match.score for match in _assign(options).values())
        if score > 0:
            yield score, path, below


def _aligned(path: str, given: list[Pair], listed: bool) -> Iterator[Pair]:
    read = reader(path)
    for foreign, value in given:
        found = read(foreign, foreign)
        if not listed:
            yield found, value
            continue
        entries = found if isinstance(found, list) else [found]
        if len(entries) != len(value):
            yield None, None  # another length: not this list
            return
        yield from zip(entries, value, strict=True)


def _assign(matches: list[_Match]) -> dict[str, _Match]:
    """Best first, each place once; a place may serve a second field that has no other."""
    chosen: dict[str, _Match] = {}
    taken: set[str] = set()
    ranked = sorted(matches, key=lambda match: -match.score)
    for match in ranked:
        if match.target not in chosen and match.path not in taken:
            chosen[match.target] = match
            taken.add(match.path)
    for match in ranked:
        if match.target not in chosen and match.score >= 3:
            chosen[match.target] = match
    return chosen


# --- shapes -----------------------------------------------------------------------------------------------------------


def _struct(kind: mi.Type) -> mi.StructType | None:
    inside = bare(kind)
    if isinstance(inside, mi.ListType):
        inside = bare(inside.item_type)
    return inside if isinstance(inside, mi.StructType) else None


def _snake(kind: mi.StructType) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.cls.__name__).lstrip("_")


def _of(whole: Any, name: str) -> Any:
    value = whole.get(name) if isinstance(whole, dict) else None
    return MISSING if value is None or value in ("", [], {}) else value


def _title(one: mi.Field) -> str:
    kind = one.type
    while not isinstance(kind, mi.Metadata):
        if isinstance(kind, mi.UnionType):
            kind = next((part for part in kind.types if isinstance(part, mi.Metadata)), kind.types[0])
            continue
        return ""
    return str((kind.extra_json_schema or {}).get("title", ""))
