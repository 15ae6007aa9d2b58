"""``tongban item``: 事项清单 listed, and read from CSV and XLSX into the TOML an agreement holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.sm import JSON
from gateway.lang import say

if TYPE_CHECKING:
    from agreements.model import Item, ItemMaterial

_LIMIT = 16 << 20
_MATERIALS = click.option(
    "--materials", metavar="F", help=say("材料表（csv 或 xlsx）", "table of materials (csv or xlsx)")
)
_MAX_ROWS = 100_000


@click.group("item", help=say("事项清单：列出、导入。", "Item lists: list, import."))
def group() -> None:
    """Item lists."""


def _rows(path: str, json: bool) -> list[list[str]]:
    """Rows of a CSV or of the first sheet of an XLSX, as text; the end (65) if it cannot be read."""
    from agreements.items import read_csv
    from agreements.problems import AgreementError
    from gateway.cli.agreement_tools import refuse
    from gateway.cli.output import read_bytes

    data = read_bytes(path, _LIMIT)
    try:
        return _sheet(data) if data[:4] == b"PK\x03\x04" else read_csv(data)
    except AgreementError as error:
        refuse(path, error, json)


def _sheet(data: bytes) -> list[list[str]]:
    import io
    import zipfile
    from xml.etree.ElementTree import ParseError

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    from agreements.problems import AgreementError

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > 20 * _LIMIT:
                raise AgreementError("too-large", "表格解压后过大", "the sheet is too large when unpacked")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book[book.sheetnames[0]]
        rows = [
            ["" if cell is None else str(cell) for cell in row]
            for row in sheet.iter_rows(values_only=True, max_row=_MAX_ROWS)
        ]
    except (InvalidFileException, zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, EOFError):
        raise AgreementError("bad-xlsx", "不是可读的XLSX表格", "not a readable XLSX sheet") from None
    return [row for row in rows if any(row)]


def read_items(path: str, materials: str | None, json: bool) -> list[Item]:
    """Items of a CSV, an XLSX or an agreement, or the end (65)."""
    from agreements.items import items_from_rows, materials_from_rows
    from agreements.problems import AgreementError
    from gateway.cli.agreement_tools import load, refuse

    if path.endswith(".toml"):
        return load(path, json).agreement.items
    known: dict[str, list[ItemMaterial]] = {}
    where = path
    try:
        if materials:
            where = materials
            known = materials_from_rows(_rows(materials, json))
        where = path
        return items_from_rows(_rows(path, json), known)
    except AgreementError as error:
        refuse(where, error, json)


@group.command(
    "list", help=say("列出事项；不给文件时列出所附的跨省通办事项。", "List items; without a file the enclosed ones.")
)
@click.argument("file", required=False)
@_MATERIALS
@JSON
def list_(file: str | None, materials: str | None, json: bool) -> None:
    """From an agreement (.toml), a CSV or an XLSX."""
    import msgspec

    from gateway.cli.output import finish

    items = read_items(file, materials, json) if file else _enclosed()
    lines = [f"{item.code}\t{item.name}\tv{item.version}\t{item.department}\t{len(item.materials)}" for item in items]
    if not file:
        note = say(
            "以上为公开报道中点名的跨省通办事项，不是国家清单全文。",
            "Items named in published reports, not the national list.",
        )
        lines.append(note)
    finish(True, {"count": len(items), "items": msgspec.to_builtins(items)}, json, lines)


def _enclosed() -> list[Item]:
    """The cross-province items of the package, with the materials known by the same name."""
    from importlib import resources

    from agreements.items import items_from_rows, materials_from_rows, read_csv

    data = resources.files("agreements.samples") / "data"
    materials = materials_from_rows(read_csv((data / "materials-examples.csv").read_bytes()))
    return items_from_rows(read_csv((data / "items-crossprovince.csv").read_bytes()), materials)


@group.command(
    "import", help=say("由 CSV 或 XLSX 生成协议用的事项（TOML）。", "Items from CSV or XLSX as TOML for an agreement.")
)
@click.argument("file")
@_MATERIALS
@click.option("--out", "-o", metavar="F", help=say("输出文件，默认标准输出", "output file, default standard output"))
@JSON
def import_(file: str, materials: str | None, out: str | None, json: bool) -> None:
    """Every row is checked; a wrong one is named by its line."""
    from agreements.items import to_toml
    from gateway.cli.output import finish
    from gateway.cli.sm_files import write

    items = read_items(file, materials, json)
    text = to_toml(items)
    if out:
        write(out, text.encode())
    elif not json:
        click.echo(text, nl=False)
        return
    done = say(f"已导入 {len(items)} 个事项", f"{len(items)} items imported")
    finish(True, {"count": len(items), "file": out, "toml": "" if out else text}, json, [done])
