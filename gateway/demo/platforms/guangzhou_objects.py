"""The ten objects of the simulated office (十个报文对象), read and written with the standard library's expat alone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from base64 import b64encode
from datetime import timedelta
from typing import Any

from simkit import now, sm3  # type: ignore[import-not-found]

KEYS = ("SJBBH", "SBLSH", "YWLSH", "SXBM", "SXMC", "XZQHDM", "GXDXZQHDM")
UNIT, OFFICER = "广州市审批部门（模拟）", "测试审批员"
REDRESS = "可在六十日内申请行政复议，或在六个月内提起行政诉讼"
PLANS = {
    "granted": ["PreAcceptOB", "AcceptOB", "ApproveOB", "FinishOB"],
    "correction": ["SupplementOB", "AcceptOB", "ApproveOB", "FinishOB"],
    "special": ["AcceptOB", "SpecialApplyOB", "SpecialResultOB", "FinishOB"],
    "denied": ["AcceptOB", "ApproveOB", "FinishOB"],
}


def document(name: str, keys: dict[str, str], fields: dict[str, Any]) -> bytes:
    """An object as bytes: the common keys first."""
    root = ET.Element(name)
    fill(root, {key: keys[key] for key in KEYS if keys.get(key)} | fields)
    data: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return data


def fill(parent: ET.Element, fields: dict[str, Any]) -> None:
    """Children by name; a dictionary is a group, a list repeats."""
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            child = ET.SubElement(parent, name)
            if isinstance(one, dict):
                fill(child, one)
            else:
                child.text = str(one)


def read(data: bytes) -> tuple[str, dict[str, str]]:
    """(name of the object, its keys)."""
    if b"<!DOCTYPE" in data[:1024]:
        raise ValueError("a DOCTYPE")
    root = ET.fromstring(data)
    return root.tag, {child.tag: child.text or "" for child in root if child.tag in KEYS}


def said(name: str, scenario: str, serial: str) -> dict[str, Any]:
    """The content of an object of this office."""
    at = f"{now():%Y-%m-%d %H:%M:%S}"
    made: dict[str, dict[str, Any]] = {
        "PreAcceptOB": {"YSLR": OFFICER, "YSLYJ": "材料齐全", "YSLSJ": at},
        "AcceptOB": {"SLJG": "1", "SLWSBH": f"穗模受{serial}", "SLDW": UNIT, "SLR": OFFICER, "SLSJ": at,
                     "CNBJRQ": f"{now() + timedelta(days=10):%Y-%m-%d}"},
        "ApproveOB": {"HJMC": "审查", "SPR": OFFICER, "SPYJ": "符合条件", "SPSJ": at},
        "SpecialApplyOB": {"TBCXZL": "B", "TBCXYJ": "《行政许可法》第四十五条", "TBCXYY": "需专家评审", "TBCXSX": "10",
                           "TBCXGZ": f"穗模特{serial}告知书", "TBCXSJ": at},
        "SpecialResultOB": {"TBCXJG": "评审通过", "TBCXJSSJ": at},
        "SupplementOB": {"BZTZBH": f"穗模补{serial}", "BZX": [{"LB": "1", "MC": "申请书", "WT": "缺签字", "BF": "补签"}],
                         "BZQX": f"{now() + timedelta(days=15):%Y-%m-%d}", "BZR": OFFICER, "BZSJ": at},
    }  # fmt: skip
    return made[name] if name in made else _finish(scenario, serial, at)


def _finish(scenario: str, serial: str, at: str) -> dict[str, Any]:
    common = {"JDWSBH": f"穗模决{serial}", "JDDW": UNIT, "JDR": OFFICER, "BJSJ": at}
    if scenario == "denied":
        return {"BJJG": "0", **common, "BJYY": "不符合条件（模拟）", "JJTJ": REDRESS}
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 200"><text x="20" y="60" font-size="24">办理结果</text>'
        '<text x="20" y="140" font-size="40" opacity="0.2">样章·测试无效</text></svg>'
    ).encode()
    content = {
        "MC": "办理结果", "ZY": sm3(drawn).hex(), "DX": len(drawn), "GS": "image/svg+xml", "WJM": f"{serial}.svg",
        "NR": b64encode(drawn).decode("ascii"),
    }  # fmt: skip
    paper = {"ZZBH": f"穗模证{serial}", "ZZMC": "办理结果", "WJ": [{"MC": "办理结果", "ZW": content}], "FZSJ": at}
    return {"BJJG": "1", **common, "JG": paper}
