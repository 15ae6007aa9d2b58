"""Vectors that tell profiles of one family apart: what each place's platform writes and expects, by the standard library.

``python tests/vectors/profiles/generate.py`` writes ``vectors.json``. One vector for each thing that a ``like`` profile assumes,
named by it (``assumed``: its place in the profile's list). ``in``: a message of the platform and what it says; ``out``: words that
stand in ours; ``front``, ``drop``: the tables, or the files, that ours arrives in.
"""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

HERE = Path(__file__).parent
CASE, SERIAL = "420104.X/0195-1", "SN-1"
OFFICER, UNIT = "测试审批员", "试验审批局"
Node = dict[str, str]


def tree(node: Node) -> dict[str, Any]:
    """The shape of the front-database family, of Fujian's cities."""
    return {"Body": {"ApasInfo": {"SN": SERIAL, "UnionSN": CASE, "CaseNo": "N1"}, "Node": node}}


def xml(node: Node, encoding: str = "") -> bytes:
    """With a declaration where the column holds bytes; as UTF-8 text where it holds characters."""
    root = ElementTree.Element("Case")
    _fill(root, tree(node))
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode("gbk") if encoding else text.encode()


def _fill(parent: ElementTree.Element, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        child = ElementTree.SubElement(parent, name)
        if isinstance(value, dict):
            _fill(child, value)
        else:
            child.text = value


def accepted(at: str, result: str = "1") -> Node:
    return {"Result": result, "DocNo": "受字1号", "Dept": UNIT, "User": OFFICER, "Time": at}


def row(table: str, **columns: str) -> dict[str, Any]:
    """A table that takes our row, and the columns that it finds there."""
    return {"table": table, "columns": columns}


AT = "2025-03-03T01:30:00Z"
SAYS = {"outcome": "accepted", "number": "受字1号", "unit": UNIT, "officer": OFFICER, "at": AT}
GO = {"type": "10", "fromareacode": "tongban"}


def vectors() -> list[dict[str, Any]]:
    text = json.dumps(tree(accepted("2025-03-03 09:30:00")), ensure_ascii=False).encode()
    return [
        into("xiamen_front", 0, "99", text, SAYS),
        front("xiamen_front", 1, row("provinceinfo", **GO, toareacode="350200"), digest="digest"),
        into("quanzhou", 0, "99", xml(accepted("2025-03-03T09:30:00"), "GB2312"), SAYS),
        out("quanzhou", 0, "application", '<?xml version="1.0" encoding="gbk"?>', encoding="gbk"),
        out("quanzhou", 1, "application", "<ReceiveTime>2025-03-03T09:30:00</ReceiveTime>", encoding="gbk"),
        into("zhangzhou", 0, "99", xml(accepted("1740965400000", "SL")), SAYS),
        out("zhangzhou", 0, "application", "<ReceiveTime>1740965400000</ReceiveTime>"),
        into("zhangzhou", 1, "85", xml(accepted("1740965400000", "ZY")), SAYS | {"outcome": "granted"}),
        front("longyan", 0, row("t_exchange", kind="10", sender="tongban", receiver="350800")),
        out("longyan", 1, "application", "<ReceiveTime>1740965400</ReceiveTime>"),
        out("pingtan", 0, "application", "<CityCode>360113000</CityCode>"),
        front("pingtan", 1, row("provinceinfo", **GO, toareacode="350128000")),
        out("yueyanglou", 0, "application", "测试事项"),
        drop("yueyanglou", 1, "out", ".json", ".done"),
        out("yueyanglou", 2, "decision", '"sj":"20250303T093000"'),
        out("yueyanglou", 3, "application", '"bld":"360113"'),
    ]


def into(profile: str, assumed: int, operation: str, body: bytes, says: dict[str, str]) -> dict[str, Any]:
    return _one(profile, assumed, "in", operation=operation, body=b64encode(body).decode(), says=says)


def out(profile: str, assumed: int, type_: str, words: str, encoding: str = "utf-8") -> dict[str, Any]:
    return _one(profile, assumed, "out", type=type_, words=words, encoding=encoding)


def front(profile: str, assumed: int, written: dict[str, Any], digest: str = "") -> dict[str, Any]:
    return _one(profile, assumed, "front", written=written, digest=digest)


def drop(profile: str, assumed: int, folder: str, *suffixes: str) -> dict[str, Any]:
    return _one(profile, assumed, "drop", folder=folder, suffixes=sorted(suffixes))


def _one(profile: str, assumed: int, way: str, **rest: Any) -> dict[str, Any]:
    return {"profile": profile, "assumed": assumed, "way": way, **rest}


if __name__ == "__main__":
    text = json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n"
    (HERE / "vectors.json").write_text(text, "utf-8")
