"""Make ``vectors.json``: events as a receiver after changsha.toml gets them, by plain ``json`` and ``hmac``, not by our code.

Run by hand: ``python tests/vectors/webhook/generate.py``. Each vector says what is told (``said``), the exact bytes of the event,
the lines under its signature, and their HMAC-SM3 under the shared secret. Rare characters stand in names and texts (K03).
"""

from __future__ import annotations

import hmac
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "gateway" / "demo" / "platforms"))

from changsha import signed_lines  # noqa: E402

SECRET = "a secret of at least thirty-two bytes"
NOW, NONCE, APP = 1_767_225_600_123, "nonce-0123456789", "tongban"
HEAD = {
    "id": "01JH5X0000000000000000TEST",
    "case_id": "420104.11420104MB0000000X/0195-1",
    "case_number": "430100202601010001",
    "item": "11430100000011",
    "item_name": "营业执照补领",
}
WHO = {
    "from_party": "420104.11420104MB0000000X",
    "from_name": "武汉市硚口区行政审批局",
    "agreement": "A-1",
    "agreement_version": 2,
    "clause": "第三条",
}
AT, AT_MS = "2026-01-01T00:00:00.123000Z", 1_767_225_600_123
ODD = "/e%2Fv?tenant=430100&x=%E5%8A%9E"
TARGETS = {
    "https://hook.example.cn/tongban/events": ("hook.example.cn", "/tongban/events"),
    f"https://hook.example.cn:8443{ODD}": ("hook.example.cn:8443", ODD),
}
DAY = "2026-01-01T00:00:00Z"
ACCEPTANCE = {
    "outcome": "accepted",
    "number": "长受字〔2026〕1号",
    "unit": "长沙市行政审批服务局",
    "officer": "试验员",
    "at": DAY,
}
SPECIAL = {
    "kind": "hearing",
    "legal_basis": "行政许可法第四十六条",
    "reason": "听证",
    "limit_days": 20,
    "at": DAY,
    "notice": "已告知",
}
EVENTS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("case.acceptance", "acceptance", HEAD | WHO, ACCEPTANCE),
    (
        "case.step",
        "step",
        HEAD,
        {"name": "审查", "handler": "𠀀某", "opinion": "符合条件", "at": "2026-01-01T01:02:03Z"},
    ),
    ("case.withdrawal", "withdrawal", HEAD | {"local_number": "CS-1"}, {"reason": "不再办理\n(另行申请)", "at": DAY}),
    ("case.special_started", "special_start", HEAD, SPECIAL),
]


def vector(event: str, type_: str, said: dict[str, Any], body: dict[str, Any], url: str) -> dict[str, Any]:
    told = said | {"event": event, "type": type_, "at": AT, "body": body}
    data = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    host, target = TARGETS[url]
    headers = {"host": host, "content-type": "application/json", "x-cs-delivery": said["id"], "x-cs-event": event,
               "x-cs-app": APP, "x-cs-timestamp": str(NOW), "x-cs-nonce": NONCE}  # fmt: skip
    lines = signed_lines("POST", target, headers, data)
    headers["x-cs-signature"] = hmac.new(SECRET.encode(), lines, "sm3").hexdigest()
    return {
        "url": url,
        "type": type_,
        "said": said | {"at_ms": AT_MS},
        "body": body,
        "event": data.decode(),
        "headers": headers,
        "lines": lines.decode(),
    }


def main() -> None:
    vectors = [vector(*one, url) for one in EVENTS for url in TARGETS]
    found = {"secret": SECRET, "now_ms": NOW, "nonce": NONCE, "app": APP, "vectors": vectors}
    (HERE / "vectors.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
