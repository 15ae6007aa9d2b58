"""Item lists 事项清单 as they arrive: CSV or rows of a sheet, to items of the model and to TOML.

Columns by their Chinese or English heading; only code and name are needed. Materials stand in a sheet of their own
shape: item, material, required (是, 条件, 未载明), ecert_type_name, ecert_type_code, source
(``samples/data/materials-examples.csv``).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from agreements.model import Item, ItemMaterial
from agreements.problems import AgreementError
from schemas.errors import Invalid
from schemas.explain import explain
from schemas.strict import check_texts

_HEADINGS: Final = {
    "code": ("code", "item_code", "事项编码", "编码", "no"),
    "name": ("name", "item_name", "item", "事项名称", "事项", "名称"),
    "version": ("version", "版本", "事项版本"),
    "applicant": ("applicant", "applicant_type", "服务对象", "申请人类型"),
    "department": ("department", "主管部门", "部门"),
    "case_type": ("case_type", "办件类型"),
    "decide_days": ("decide_days", "承诺时限", "承诺办结时限"),
    "source": ("source", "来源", "出处"),
    "signatures": ("signatures", "申请人签名方式"),
}
_APPLICANTS: Final = {
    "个人": "person",
    "自然人": "person",
    "企业": "enterprise",
    "法人": "enterprise",
    "个人/企业": "both",
}
_MEANS: Final = {"手写签名": "handwriting", "应用内确认": "app", "事件证书": "event_certificate", "纸面签名": "scan"}
_CASE_TYPES: Final = {"即办件": "immediate", "承诺件": "promised"}
_WORDS: Final[dict[str, Mapping[str, str]]] = {"applicant": _APPLICANTS, "case_type": _CASE_TYPES}


def read_csv(data: bytes) -> list[list[str]]:
    """The rows of a CSV in UTF-8 (with or without BOM) or GB18030, as Chinese spreadsheet programs write it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            raise AgreementError("wrong-encoding", "不是UTF-8或GB18030文本", "neither UTF-8 nor GB18030") from None
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if any(row)]
    except csv.Error:
        raise AgreementError("bad-csv", "不是合法CSV", "not CSV") from None


def _columns(header: Sequence[str]) -> dict[str, int]:
    found = {}
    headings = [cell.strip().lower() for cell in header]
    for field, names in _HEADINGS.items():
        index = next((headings.index(name) for name in names if name in headings), None)
        if index is not None:
            found[field] = index
    missing = [field for field in ("code", "name") if field not in found]
    if missing:
        wanted = "、".join({"code": "事项编码", "name": "事项名称"}[field] for field in missing)
        raise AgreementError(
            "missing-column", f"缺少列：{wanted}", f"missing column: {', '.join(missing)}", "第1行 line 1"
        )
    return found


def items_from_rows(
    rows: Sequence[Sequence[str]], materials: Mapping[str, list[ItemMaterial]] | None = None
) -> list[Item]:
    """Items of a table whose first row is the heading. AgreementError names the row."""
    if not rows:
        raise AgreementError("empty", "没有内容", "nothing in it")
    try:
        check_texts(list(map(list, rows)))
    except Invalid as error:
        raise AgreementError(error.code, error.zh, error.en) from None
    columns = _columns(rows[0])
    items = []
    for number, row in enumerate(rows[1:], 2):
        values: dict[str, Any] = {
            field: row[i].strip() for field, i in columns.items() if i < len(row) and row[i].strip()
        }
        for field, words in _WORDS.items():
            if field in values:
                values[field] = words.get(values[field], values[field])
        for field in ("version", "decide_days"):
            if str(values.get(field, "")).isdecimal():
                values[field] = int(values[field])
        if "signatures" in values:
            values["signatures"] = [_MEANS.get(word, word) for word in re.split("[、,，; ]+", values["signatures"])]
        name = values.get("name", "")
        fields = {"version": 1, "applicant": "both", **values, "materials": (materials or {}).get(name, [])}
        try:
            items.append(msgspec.convert(fields, Item, from_attributes=True))
        except msgspec.ValidationError as error:
            problem = explain(error, Item)
            raise AgreementError(problem.code, problem.zh, problem.en, f"第{number}行 line {number}") from None
    return items


def materials_from_rows(rows: Sequence[Sequence[str]]) -> dict[str, list[ItemMaterial]]:
    """Item name -> its materials. 未载明 (not stated) is kept as conditional: never demanded without a source."""
    table: dict[str, list[ItemMaterial]] = {}
    for row in rows[1:]:
        item, name, required, certificate, code = row[:5]
        needed: Any = "yes" if required == "是" else "conditional"
        table.setdefault(item, []).append(ItemMaterial(name, needed, certificate, code))
    return table


def _string(value: str) -> str:
    return msgspec.json.encode(value).decode()


def to_toml(items: Iterable[Item]) -> str:
    """``[[item]]`` tables, as an agreement holds them."""
    lines = []
    for item in items:
        lines += [
            "[[item]]",
            f"code = {_string(item.code)}",
            f"name = {_string(item.name)}",
            f"version = {item.version}",
        ]
        lines.append(f"applicant = {_string(item.applicant)}")
        for field in ("department", "source"):
            if getattr(item, field):
                lines.append(f"{field} = {_string(getattr(item, field))}")
        if item.case_type != "promised":
            lines.append(f"case_type = {_string(item.case_type)}")
        if item.decide_days:
            lines.append(f"decide_days = {item.decide_days}")
        if item.signatures:
            lines.append(f"signatures = [{', '.join(map(_string, item.signatures))}]")
        lines.append("materials = [")
        for material in item.materials:
            cells = [f"name = {_string(material.name)}", f"required = {_string(material.required)}"]
            if material.certificate:
                cells.append(f"certificate = {_string(material.certificate)}")
            if material.certificate_type:
                cells.append(f"certificate_type = {_string(material.certificate_type)}")
            if material.fills:
                pairs = ", ".join(f"{_string(field)} = {_string(name)}" for field, name in material.fills.items())
                cells.append(f"fills = {{ {pairs} }}")
            lines.append(f"  {{ {', '.join(cells)} }},")
        lines += ["]", ""]
    return "\n".join(lines)
