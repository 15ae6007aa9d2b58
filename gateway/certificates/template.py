"""A certificate's template (证照模板): what a type of certificate says and where it stands on the page, as TOML.

Read strictly: a key that is not known, a line of something that does not exist, a thing off the page are refused with what
and where. Lengths are millimetres from the page's top left corner. ``confirmed`` false: the type code is a laboratory's,
because the official one of this certificate is not published.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.errors import Invalid
from schemas.explain import explain
from schemas.strict import check_texts
from signing.ecert import Metadata

MAX_BYTES: Final = 256 << 10
LAB_TYPE: Final = "TONGBANLAB00000000"
_TYPE: Final = re.compile(r"[0-9A-Z]{18}[0-9]{3}")

Length = Annotated[float, Meta(ge=0, le=2000)]
Name = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,39}$(?!\n)")]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
FontName = Literal["宋体", "黑体", "楷体"]
Kind = Literal["text", "date", "uscc", "citizen"]


def chinese_day(day: date | None) -> str:
    """A day as certificates print it; 长期 where there is no end."""
    return "长期" if day is None else f"{day.year}年{day.month}月{day.day}日"


def _validity(data: Metadata) -> str:
    return f"自{chinese_day(data.valid_from)}至{chinese_day(data.valid_to)}" if data.valid_to else "长期"


# What a line can print beside the template's own fields.
SOURCES: Final[dict[str, Callable[[Metadata], str]]] = {
    "holder": lambda data: data.holder.name,
    "holder_code": lambda data: data.holder.code,
    "number": lambda data: data.number,
    "identifier": lambda data: data.identifier,
    "issuer": lambda data: data.issuer_name,
    "issued": lambda data: chinese_day(data.issued),
    "valid_from": lambda data: chinese_day(data.valid_from),
    "valid_to": lambda data: chinese_day(data.valid_to),
    "validity": _validity,
}


class FieldRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A surface field (照面字段) and what may stand in it. ``kind`` date: ``2026-06-01``, printed in Chinese."""

    name: Name
    label: Word
    kind: Kind = "text"
    required: bool = True
    max_length: Annotated[int, Meta(ge=1, le=2000)] = 200


class PictureRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A picture on the page (a photograph, an emblem) that each certificate brings along."""

    name: Name
    label: Word
    x: Length
    y: Length
    width: Length
    height: Length
    required: bool = True


class Heading(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fixed words, in the middle of the page or at ``x``; ``spacing``: extra room between characters."""

    text: Word
    y: Length
    x: Length | None = None
    size: Length
    font: FontName = "宋体"
    bold: bool = False
    spacing: Length = 0
    colour: Annotated[str, Meta(pattern=r"^[0-9a-f]{6}$(?!\n)")] = "000000"


class Line(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Label and value; ``of``: a source or a field's name. ``width``: of the value, in which it wraps to at most ``rows``
    rows, smaller if it must."""

    of: Word
    x: Length
    y: Length
    width: Length
    label: str | None = None
    label_width: Length = 0
    size: Length = 4.2
    rows: Annotated[int, Meta(ge=1, le=40)] = 1
    bold: bool = False


class Column(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A column of the table of permits."""

    of: Literal["id", "name", "number", "valid_from", "valid_to", "validity"]
    label: Word
    width: Length


class PermitTable(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The permits (许可) that one certificate carries, a row each; ``rows``: at most so many."""

    x: Length
    y: Length
    row_height: Length = 8
    size: Length = 3.6
    rows: Annotated[int, Meta(ge=1, le=64)] = 10
    columns: Annotated[list[Column], Meta(min_length=1, max_length=8)]

    @property
    def width(self) -> float:
        return sum(column.width for column in self.columns)


class PageRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The page; ``frame``: distance of its double frame from the edge, 0 for none."""

    width: Annotated[float, Meta(ge=50, le=1000)]
    height: Annotated[float, Meta(ge=50, le=1000)]
    frame: Length = 10
    colour: Annotated[str, Meta(pattern=r"^[0-9a-f]{6}$(?!\n)")] = "8c6d1f"


class Square(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the QR code stands."""

    x: Length
    y: Length
    size: Annotated[float, Meta(ge=15, le=100)]


class Place(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the seal's picture stands."""

    x: Length
    y: Length
    width: Length = 42
    height: Length = 42


class Template(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """See the module. ``holder_code_types``: 111 citizen number, 001 USCC (GB/T 36903 annex A)."""

    type_code: str
    confirmed: bool
    name: Word
    legal_basis: Annotated[list[Word], Meta(min_length=1, max_length=10)]
    holder_code_types: Annotated[list[Word], Meta(min_length=1, max_length=10)]
    page: PageRule
    qr: Square
    seal: Place
    headings: Annotated[list[Heading], Meta(min_length=1, max_length=40)]
    fields: list[FieldRule] = []
    lines: list[Line]
    pictures: list[PictureRule] = []
    permits: PermitTable | None = None

    def __post_init__(self) -> None:
        if not _TYPE.fullmatch(self.type_code) or self.confirmed == self.type_code.startswith(LAB_TYPE):
            zh = f"应为18位统一社会信用代码加3位序号；未确认的用 {LAB_TYPE} 加3位序号"
            raise Invalid(
                "ecert-type-code", zh, f"18 and 3 characters; {LAB_TYPE} and a number if not confirmed", "type_code"
            )
        names = [*(one.name for one in self.fields), *(one.name for one in self.pictures)]
        if len(set(names)) != len(names):
            raise Invalid("ecert-field-repeated", "字段或图片重名", "two fields or pictures of one name", "fields")
        known = {*SOURCES, *(one.name for one in self.fields)}
        for place, line in enumerate(self.lines):
            if line.of not in known:
                zh, en = f"没有这一项：{line.of[:40]}", f"nothing of this name: {line.of[:40]}"
                raise Invalid("ecert-line-of", zh, en, f"lines[{place}].of")
        for path, right, bottom in self._extents():
            if right > self.page.width or bottom > self.page.height:
                raise Invalid("ecert-off-page", "超出页面", "stands off the page", path)

    def _extents(self) -> Iterator[tuple[str, float, float]]:
        """(path, right end, lower end) of all that has a place."""
        yield "qr", self.qr.x + self.qr.size, self.qr.y + self.qr.size
        yield "seal", self.seal.x + self.seal.width, self.seal.y + self.seal.height
        for place, line in enumerate(self.lines):
            yield f"lines[{place}]", line.x + line.label_width + line.width, line.y + line.size
        for place, one in enumerate(self.pictures):
            yield f"pictures[{place}]", one.x + one.width, one.y + one.height
        if self.permits is not None:
            table = self.permits
            yield "permits", table.x + table.width, table.y + (table.rows + 1) * table.row_height


def read(data: bytes) -> Template:
    """A template, or Invalid with what and where."""
    if len(data) > MAX_BYTES:
        raise Invalid("too-large", f"模板超过 {MAX_BYTES} 字节", f"a template of more than {MAX_BYTES} bytes")
    try:
        table = tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise Invalid("not-utf8", "不是UTF-8文本", "not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid("bad-toml", f"不是合法TOML（{str(error)[:120]}）", f"not TOML: {str(error)[:120]}") from None
    try:
        check_texts(table)
        return msgspec.convert(table, Template, strict=True)
    except msgspec.ValidationError as error:
        raise explain(error, Template) from None
