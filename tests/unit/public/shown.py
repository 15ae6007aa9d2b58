"""Certificates of nobody for the public page's tests, and an in-memory register."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from agreements.calendar import CHINA
from gateway.core.ecert import State
from gateway.public import token
from gateway.public.shown import Shown, ShownPermit, show
from gateway.public.source import News
from signing.ecert import Field, Holder, Metadata, Permit

NAME, NUMBER = "甄无名", "420104199003070038"
NOW_MS = int(datetime(2026, 11, 20, 15, 32, 10, tzinfo=CHINA).timestamp() * 1000)
TOKEN = "7" * token.LENGTH


def metadata(**changes: object) -> Metadata:
    """A waste-transport permit (W7) with every field that must not come out."""
    fields: dict[str, object] = {
        "identifier": "1.2.156.3005.2.11100000000013338W071.11420104000000000X.0000000001.001.K", "type_code": "JZLJ",
        "type_name": "城市建筑垃圾处置核准证", "number": "硚建渣字第420104199003070038号",
        "holder": Holder(NAME, NUMBER, "111"), "issuer_name": "武汉市硚口区城市管理执法局",
        "issuer_code": "11420104000000000X", "issued": date(2026, 1, 1), "valid_from": date(2026, 1, 5),
        "valid_to": date(2026, 12, 31), "fields": (Field("KZ_ADDR", "住址", "测试市无名路9号"),),
        "permits": (
            Permit("1", "道路运输", "许可甲1", date(2026, 1, 5), date(2026, 6, 30)),
            Permit("2", "消纳处置", "许可乙2", date(2026, 1, 5), None),
        ), "url": f"https://zz.example/v/{TOKEN}",
    }  # fmt: skip
    return Metadata(**(fields | changes))  # type: ignore[arg-type]


def shown(status: State = State.VALID, **changes: object) -> Shown:
    return show(metadata(**changes), status, NOW_MS - 86_400_000, {})


def simple(status: State = State.VALID) -> Shown:
    return Shown("营业执照", "某市场监督管理局", "甄**", "****0038", date(2026, 1, 1), None, status)


def permit(status: State, valid_to: date | None = None) -> ShownPermit:
    return ShownPermit("许可", date(2026, 1, 1), valid_to, status)


@dataclass
class Memory:
    """``Source`` with knobs."""

    held: dict[bytes, Shown] = field(default_factory=dict)
    as_of_ms: int = NOW_MS
    stale: bool = False
    asked: list[bytes] = field(default_factory=list)

    def look(self, digest: bytes) -> Shown | None:
        self.asked.append(digest)
        return self.held.get(digest)

    def news(self, now_ms: int) -> News:
        return News(self.as_of_ms, self.stale)
