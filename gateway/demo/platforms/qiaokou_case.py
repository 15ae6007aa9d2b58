"""Papers of the simulated window system (申请、补正、到件、送达): people who do not exist, in the platform's own names."""

from __future__ import annotations

from typing import Any

from simkit import citizen_id, now, pdf, sm3  # type: ignore[import-not-found]

NAMES = "甲乙丙丁戊己庚辛壬癸"
ITEM: dict[str, Any] = {
    "code": "360113-0001", "name": "内资企业设立登记", "version": 1,
    "materials": ["设立登记申请书", "公司章程", "负责人身份证明"],
}  # fmt: skip


def _stamp() -> str:
    return str(now().strftime("%Y%m%d%H%M%S"))


def application(config: dict[str, Any], number: int, size: int, item: str) -> dict[str, Any]:
    """One application, item after item in turn unless one is named (``only_named``: never in turn); the first material is the
    large PDF."""
    items = config.get("items") or [ITEM]
    named = [*items, *config.get("only_named", [])]
    chosen = next((one for one in named if one["code"] == item), items[(number - 1) % len(items)])
    bjbh = f"{config.get('division', '420104')}{now():%Y%m%d}{number:06d}"
    names = [*(chosen.get("materials") or ITEM["materials"]), "授权委托书", "其他证明材料"][:3]
    message: dict[str, Any] = {
        "lsh": f"{bjbh}-SB", "bjbh": bjbh, "sxbm": chosen["code"], "sxmc": chosen["name"],
        "sxbb": int(chosen.get("version", 1)), "blfs": "2", "bldq": config.get("handling", "360113").ljust(12, "0"),
        "sqr": {
            "lx": "1", "xm": f"测试{NAMES[number % 10]}{NAMES[number // 10 % 10]}", "xb": "12"[number % 2],
            "zjlx": "01", "zjhm": citizen_id("420104", f"19{60 + number % 40:02d}0102", number),
            "sjh": f"138{number % 100_000_000:08d}", "dz": "测试路1号",
        },
        "bd": {"申请事由": "测试用例，不是真实申请", "经营场所": f"测试大道{number}号", **chosen.get("form", {})},
        "cl": [], "hy": attestation(config), "sjsj": _stamp(), "yt": config.get("purpose", "办理政务服务事项"),
    }  # fmt: skip
    if config.get("legal_basis"):
        message["yj"] = config["legal_basis"]
    for position, name in enumerate(names):
        data = _paper(bjbh, position, size)
        message["cl"].append(_material(name, data, f"{bjbh}-{position + 1}.pdf"))
    return message


def attestation(config: dict[str, Any]) -> dict[str, Any]:
    """What the window vouches for."""
    return {
        "ry": "测试窗口员", "gh": "K001", "ck": config.get("window", "3号窗口"), "fs": "1", "yj": ["居民身份证"],
        "sj": _stamp(),
    }  # fmt: skip


def _paper(bjbh: str, position: int, size: int) -> bytes:
    data: bytes = pdf(f"TEST {bjbh} material {position + 1}", size if position == 0 else 2048)
    return data


def _material(name: str, data: bytes, file_name: str) -> dict[str, Any]:
    return {"mc": name, "zy": sm3(data).hex(), "dx": len(data), "gs": "application/pdf", "wjm": file_name}


def materials(message: dict[str, Any], size: int) -> dict[str, bytes]:
    """The files of an application again, by the digests it names: they are made from the case number alone."""
    return {one["zy"]: _paper(message["bjbh"], position, size) for position, one in enumerate(message["cl"])}


def correction(config: dict[str, Any], bjbh: str, asked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What was asked for: new materials as PDF, fields as text."""
    files: dict[str, bytes] = {}
    message: dict[str, Any] = {
        "bd": {}, "cl": [], "sm": "已按补正通知补齐", "ry": "测试窗口员", "sj": _stamp(),
    }  # fmt: skip
    for position, reason in enumerate(asked["bz"]):
        if reason["lb"] == "2":
            message["bd"][reason["mc"]] = "已补正"
            continue
        data = pdf(f"TEST {bjbh} correction {position + 1}", 4096)
        material = _material(reason["mc"], data, f"{bjbh}-BZ{position + 1}.pdf")
        message["cl"].append(material)
        files[material["zy"]] = data
    return message, files


def arrival(config: dict[str, Any], digests: list[str]) -> dict[str, Any]:
    """到件: what came to the window."""
    return {"ck": config.get("window", "3号窗口"), "ry": "测试窗口员", "sj": _stamp(), "wj": digests}


def delivery(config: dict[str, Any], receiver: str) -> dict[str, Any]:
    """送达: handed over against an identity check."""
    return {"fs": "1", "lqr": receiver, "hyfs": "1", "sj": _stamp()}
