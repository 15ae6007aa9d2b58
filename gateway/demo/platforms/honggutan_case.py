"""Papers of the simulated handling platform (补正、受理、特别程序、决定、结果), as elements of its own names."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any
from xml.sax.saxutils import escape

from honggutan_soap import element  # type: ignore[import-not-found]
from simkit import now, sm3  # type: ignore[import-not-found]

UNIT = "红谷滩区行政审批局（模拟）"
OFFICER = "测试审批员"
REDRESS = "如不服本决定，可在收到之日起六十日内申请行政复议，或在六个月内提起行政诉讼。"
GRANTED = ["SLTZ", "BLHJ", "BLJD", "BLJG"]
PLANS = {
    "granted": GRANTED,
    "correction": ["BZTZ", *GRANTED],
    "special": ["SLTZ", "BLHJ", "TSCXKS", "TSCXJS", "BLJD", "BLJG"],
    "denied": ["SLTZ", "BLHJ", "BLJD"],
}


def _moment() -> str:
    return str(now().strftime("%Y-%m-%dT%H:%M:%S"))


def paper(kind: str, case: dict[str, str]) -> Any:
    """The message of this kind for a case: keys tbbh, ywlsh, scenario, item, material (name of its first material)."""
    number = f"{case['ywlsh']}-{kind}"
    head = element("BWT", LSH=number, TBBH=case["tbbh"], YWLSH=case["ywlsh"], FSSJ=_moment())
    made = _BUILD[kind](case, f"红模字〔{case['ywlsh'][-6:]}〕号")
    made.insert(0, head)
    return made


def _correction(case: dict[str, str], number: str) -> Any:
    what = element("BZ", LB="CL", MC=case["material"], WT="缺少申请人签字页", BF="补交有签字页的扫描件")
    due = f"{now() + timedelta(days=15):%Y-%m-%d}"
    made = element("BZTZ", WH=number)
    made.append(what)
    made.extend(element("x", QX=due, RY=OFFICER, SJ=_moment())[:])
    return made


def _acceptance(case: dict[str, str], number: str) -> Any:
    promised = f"{now() + timedelta(days=10):%Y-%m-%d}"
    return element("SLTZ", SLJG="SL", WH=number, DW=UNIT, RY=OFFICER, SJ=_moment(), CNRQ=promised)


def _step(case: dict[str, str], number: str) -> Any:
    return element("BLHJ", HJMC="审查", RY=OFFICER, YJ="材料齐全，进入审查", SJ=_moment())


def _special_start(case: dict[str, str], number: str) -> Any:
    return element(
        "TSCXKS", ZL="ZJPS", FLYJ="《行政许可法》第四十五条", YY="需组织专家评审", SXGZR="10",
        GZS=f"{number}特别程序告知书已送申请人", SJ=_moment(),
    )  # fmt: skip


def _special_end(case: dict[str, str], number: str) -> Any:
    return element("TSCXJS", JG="专家评审通过", SJ=_moment())


def _decision(case: dict[str, str], number: str) -> Any:
    if case["scenario"] == "denied":
        return element(
            "BLJD", JDJG="BYXK", WH=number, DW=UNIT, RY=OFFICER, SJ=_moment(),
            LY="申报的经营场所不符合规划用途（模拟）", JJTJ=REDRESS,
        )  # fmt: skip
    return element("BLJD", JDJG="ZY", WH=number, DW=UNIT, RY=OFFICER, SJ=_moment())


def certificate(case: dict[str, str], number: str) -> bytes:
    """The result document: an A5 sheet as SVG, with its watermark; the seal belongs over unit and date."""
    rows = (
        ("事项名称", escape(case["item"])), ("办件编号", case["ywlsh"]), ("决定文书", number), ("办理结果", "准予"),
    )  # fmt: skip
    lines = "".join(
        f'<text x="96" y="{top}" font-size="21" fill="#6b5a4a">{name}</text>'
        f'<text x="226" y="{top}" font-size="23">{said}</text>'
        f'<path d="M96 {top + 15}H744" stroke="#d9cfc0"/>'
        for top, (name, said) in zip(range(222, 500, 58), rows, strict=False)
    )
    drawn = f"""<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 592" width="210mm" height="148mm"
 font-family="'Noto Serif CJK SC','Source Han Serif SC','Songti SC',SimSun,serif" fill="#23201c">
<rect width="840" height="592" fill="#fffefb"/>
<rect x="26" y="26" width="788" height="540" fill="none" stroke="#a8322a" stroke-width="3"/>
<rect x="34" y="34" width="772" height="524" fill="none" stroke="#a8322a"/>
<text x="420" y="345" font-size="88" fill="#c8161d" opacity="0.09" text-anchor="middle"
 transform="rotate(-22 420 320)">样章·测试无效</text>
<text x="426" y="118" font-size="40" font-weight="700" letter-spacing="12" text-anchor="middle">办理结果</text>
<text x="420" y="152" font-size="17" fill="#6b5a4a" text-anchor="middle">{UNIT}</text>
{lines}
<text x="640" y="490" font-size="20" text-anchor="middle">{UNIT}</text>
<text x="640" y="524" font-size="20" text-anchor="middle">{now():%Y年%m月%d日}</text>
<text x="96" y="524" font-size="15" fill="#8a7a69">模拟文书，仅供演示</text>
</svg>
"""
    return drawn.encode("utf-8")


def _result(case: dict[str, str], number: str) -> Any:
    data = certificate(case, number)
    text = element(
        "ZW", MC="办理结果", GS="image/svg+xml", WJM=f"{case['ywlsh']}.svg", ZY=sm3(data).hex(),
        NR=b64encode(data).decode("ascii"),
    )  # fmt: skip
    document = element("WJ", MC=f"{case['item']}办理结果")
    document.append(text)
    made = element("BLJG", BH=f"JG{case['ywlsh']}", MC=f"{case['item']}办理结果")
    made.append(document)
    made.extend(element("x", YXQQ=f"{now():%Y-%m-%d}", SJ=_moment())[:])
    return made


_BUILD = {
    "BZTZ": _correction, "SLTZ": _acceptance, "BLHJ": _step, "TSCXKS": _special_start, "TSCXJS": _special_end,
    "BLJD": _decision, "BLJG": _result,
}  # fmt: skip
