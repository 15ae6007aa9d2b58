"""A certificate's page: template and metadata as the shapes of a ``Document``.

Frame, headings, lines, permits, QR code, and where they apply the band of an annotated copy (加注件) and the watermark of a
laboratory (样章·测试无效). What does not fit is refused with the words of its label; nothing is cut off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta, timezone
from math import cos, pi, sin
from typing import Final

from gateway.certificates.qr import code
from gateway.certificates.template import SOURCES, Heading, Line, PermitTable, Template, chinese_day
from gateway.certificates.typeset import LEADING, block, fit, width
from signing.ecert import Annotation, Metadata, Permit
from signing.ofd.content import BLACK, Box, Colour, Document, Font, Image, Page, Path, Run, Shape, Text
from signing.seal_picture import LAB_MARK

FONTS: Final = (Font("宋体", "SimSun"), Font("黑体", "SimHei"), Font("楷体", "KaiTi"))
_RED: Final = Colour(0xD7, 0, 0x0F)
_WHITE: Final = Colour(255, 255, 255)
_GREY: Final = Colour(0x99, 0x99, 0x99, 70)
_BEIJING: Final = timezone(timedelta(hours=8))
_TURN: Final = -pi / 6


class DoesNotFit(Exception):
    """A value has no room on the page; ``label``: of its place."""

    def __init__(self, label: str) -> None:
        super().__init__("a value has no room on the page")
        self.label = label


def lay_out(
    template: Template,
    metadata: Metadata,
    custom: tuple[tuple[str, str], ...],
    *,
    lab: bool,
    pictures: Mapping[str, bytes],
) -> Document:
    """The document; DoesNotFit where a value has no room. ``custom``: its custom data; ``pictures``: by the template's names."""
    page = Page(template.page.width, template.page.height, tuple(_shapes(template, metadata, lab, pictures)))
    return Document(
        pages=(page,),
        media=pictures,
        fonts=FONTS,
        custom=custom,
        title=metadata.type_name,
        author=metadata.issuer_name,
        created=metadata.issued,
    )


def _shapes(template: Template, data: Metadata, lab: bool, pictures: Mapping[str, bytes]) -> Iterator[Shape]:
    yield from _frame(template)
    if lab:
        yield from _watermark(template.page.width, template.page.height)
    for one in template.pictures:
        if one.name in pictures:
            yield Image(Box(one.x, one.y, one.width, one.height), one.name, (one.width, 0, 0, one.height, 0, 0))
    for heading in template.headings:
        yield _heading(heading, template.page.width)
    values = _values(template, data)
    labels = {rule.name: rule.label for rule in template.fields}
    for line in template.lines:
        if line.of in values:  # of a copy with fewer fields the others leave no trace
            yield from _line(line, values[line.of], labels.get(line.of, ""))
    if template.permits is not None:
        yield from _permits(template.permits, data.permits)
    if data.url:
        yield _paper(template.qr.x, template.qr.y, template.qr.size)
        yield _code(template, data.url)
    if data.annotation is not None:
        yield _band(template, data.annotation)


def _values(template: Template, data: Metadata) -> dict[str, str]:
    """What each line prints."""
    from_fields = {field.name: field.value for field in data.fields}
    dates = {rule.name for rule in template.fields if rule.kind == "date"}
    printed = {name: _printed_day(value) if name in dates else value for name, value in from_fields.items()}
    return {name: of(data) for name, of in SOURCES.items()} | printed


def _printed_day(value: str) -> str:
    """A day as it is printed; what is no day stays as it is."""
    try:
        return chinese_day(date.fromisoformat(value))
    except ValueError:
        return value


def _code(template: Template, url: str) -> Path:
    drawn = code(url, template.qr.x, template.qr.y, template.qr.size)
    if drawn is None:
        raise DoesNotFit("二维码")
    return drawn


def _line(line: Line, value: str, label: str) -> Iterator[Shape]:
    shown = label if line.label is None else line.label
    if shown and line.label_width:
        yield block(
            line.x, line.y, line.label_width, line.size, [shown], font="黑体", spacing=_spread(shown, line.size)
        )
    if value:
        yield _value(line, value, shown)


def _spread(label: str, size: float) -> float:
    """Extra room between the characters of a short label, which takes as much as four do (分散对齐)."""
    return size * (4 - width(label)) / (len(label) - 1) if len(label) > 1 and width(label) < 4 else 0.0


def _value(line: Line, value: str, label: str) -> Text:
    fitted = fit(value, line.width, line.size, line.rows)
    if fitted is None:
        raise DoesNotFit(label or line.of)
    size, lines = fitted
    return block(line.x + line.label_width, line.y, line.width, size, lines, bold=line.bold)


def _heading(heading: Heading, page_width: float) -> Text:
    long = width(heading.text) * heading.size + heading.spacing * (len(heading.text) - 1)
    x = (page_width - long) / 2 if heading.x is None else heading.x
    return block(
        x, heading.y, long, heading.size, [heading.text], font=heading.font, bold=heading.bold,
        colour=_colour(heading.colour), spacing=heading.spacing,
    )  # fmt: skip


def _colour(text: str) -> Colour:
    return Colour(*bytes.fromhex(text))


def _frame(template: Template) -> Iterator[Shape]:
    """A broad line and a thin one inside it."""
    page, colour = template.page, _colour(template.page.colour)
    for inset, line in ((page.frame, 1.0), (page.frame + 1.8, 0.3)) if page.frame else ():
        wide, high = page.width - 2 * inset, page.height - 2 * inset
        box = Box(inset, inset, wide, high)
        yield Path(box, f"M 0 0 L {wide:g} 0 L {wide:g} {high:g} L 0 {high:g} C", stroke=colour, line_width=line)


def _paper(x: float, y: float, size: float) -> Path:
    """White beneath the QR code: its light modules must be light over a watermark, too."""
    return Path(
        Box(x, y, size, size), f"M 0 0 L {size:g} 0 L {size:g} {size:g} L 0 {size:g} C", fill=_WHITE, stroke=None
    )


def _watermark(page_width: float, page_height: float) -> Iterator[Shape]:
    """The laboratory's words across the page, rising to the right."""
    size = min(page_width, page_height) / 18
    long, high = width(LAB_MARK) * size, size * LEADING
    box_width, box_height = long * cos(_TURN) + high, long * -sin(_TURN) + high
    matrix = (cos(_TURN), sin(_TURN), -sin(_TURN), cos(_TURN), 0.0, box_height - high)
    advances = tuple(size * width(one) for one in LAB_MARK[:-1])
    for across, down in ((0.28, 0.24), (0.72, 0.24), (0.5, 0.5), (0.28, 0.76), (0.72, 0.76)):
        box = Box(page_width * across - box_width / 2, page_height * down - box_height / 2, box_width, box_height)
        yield Text(box, "黑体", size, (Run(0, size, LAB_MARK, advances),), _GREY, 700, matrix)


def _band(template: Template, copy: Annotation) -> Text:
    """What an annotated copy is for, in red under the frame."""
    until = copy.expires.astimezone(_BEIJING)
    said = f"加注件：仅供{copy.relying_party}用于{copy.reason}，{copy.made_by}加注，有效至{until:%Y-%m-%d %H:%M}"
    frame = template.page.frame
    room, size = template.page.width - 2 * frame, min(3.2, (frame - 1) / (2 * LEADING)) if frame > 1 else 3.2
    fitted = fit(said, room, size, 2)
    if fitted is None:
        raise DoesNotFit("加注")
    return block(frame, template.page.height - size * LEADING * 2, room, *fitted, colour=_RED)


# --- permits ----------------------------------------------------------------------------------------------------------


def _permits(table: PermitTable, permits: tuple[Permit, ...]) -> Iterator[Shape]:
    """A ruled table: the head, a row for each permit."""
    if len(permits) > table.rows:
        raise DoesNotFit("许可")
    rows = [[(column.label, "黑体") for column in table.columns]]
    rows += [[(_cell(permit, column.of), "宋体") for column in table.columns] for permit in permits]
    yield _rules(table, len(rows))
    for down, row in enumerate(rows):
        x, y = table.x, table.y + down * table.row_height
        for column, (value, font) in zip(table.columns, row, strict=True):
            yield _set_cell(table, x, y, column.width, value, font)
            x += column.width


def _cell(permit: Permit, of: str) -> str:
    first, last = chinese_day(permit.valid_from), chinese_day(permit.valid_to)
    said = {
        "id": permit.id, "name": permit.name, "number": permit.number, "valid_from": first, "valid_to": last,
        "validity": f"{first}至{last}" if permit.valid_to else f"{first}起长期有效",
    }  # fmt: skip
    return said[of]


def _set_cell(table: PermitTable, x: float, y: float, wide: float, value: str, font: str) -> Text:
    room = wide - 2
    rows = max(1, int(table.row_height / (table.size * LEADING)))
    fitted = fit(value, room, table.size, rows)
    if fitted is None:
        raise DoesNotFit("许可")
    size, lines = fitted
    above = (table.row_height - size * LEADING * len(lines)) / 2
    return block(x + 1, y + above, room, size, lines, font=font)


def _rules(table: PermitTable, rows: int) -> Path:
    high, drawn, x = rows * table.row_height, [], 0.0
    for row in range(rows + 1):
        drawn.append(f"M 0 {row * table.row_height:g} L {table.width:g} {row * table.row_height:g}")
    for edge in (0.0, *(column.width for column in table.columns)):
        x += edge
        drawn.append(f"M {x:g} 0 L {x:g} {high:g}")
    return Path(Box(table.x, table.y, table.width, high), " ".join(drawn), stroke=BLACK, line_width=0.25)
