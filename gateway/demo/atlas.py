"""The picture of the many systems (多系统) in the story: each with its own protocol at its own gateway, and how each case
between them went, act by act.

Only for ``--platforms all``. The times are those of the gateways' records; the figures those of the systems' own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from xml.sax.saxutils import escape

from gateway.demo.legs import Walked
from gateway.demo.picture import A_SOFT, B_SOFT, FONT, INK, MUTED, SEAL, A, B
from gateway.demo.summary import Many
from gateway.demo.systems import System
from gateway.demo.walk import Reader, Walk
from gateway.demo.words import Words

WIDTH, BOX_W, BOX_H, STEP, TOP = 1200, 268, 74, 92, 84
ACTS: Final[dict[str, Words]] = {
    "application": ("收件", "application"), "acceptance": ("受理", "accepted"), "step": ("审查", "review"),
    "decision": ("决定", "decided"), "result": ("结果", "result"), "arrival": ("到窗", "at the window"),
    "delivery": ("送达", "delivered"), "correction_request": ("补正告知", "correction asked"), "correction": ("补正", "corrected"),
    "special_start": ("特别程序", "special"), "special_end": ("特别程序结束", "special ends"),
}  # fmt: skip
_KNOWN: Final = {
    "window": ("a", ("硚口窗口系统（模拟）", "the window"), ("签名 JSON", "signed JSON")),
    "hall": ("b", ("红谷滩审批系统（模拟）", "the approval system"), ("SOAP · XML · GBK", "SOAP in GBK")),
}


def draw(many: Many, cases: int) -> str:
    """Both gateways with all their systems; on each line how many cases the system collected and handled."""
    sides = {side: [(id_, *told) for id_, told in _boxes(many.further) if told[0] == side] for side in "ab"}
    height = TOP + STEP * max(map(len, sides.values())) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="{FONT}">',
        "<title>一个网关，多个业务系统 One gateway, many systems</title>",
        *_gateways(height),
    ]
    for side, boxes in sides.items():
        for place, (id_, _, title, speaks) in enumerate(boxes):
            y = TOP + STEP * place
            parts += _box(side, y, title, speaks)
            parts += _line(side, y, height, *_counts(many.walked, id_, cases))
    return "\n".join([*parts, "</svg>"])


def ways(many: Many, reader: Reader) -> list[dict[str, Any]]:
    """One row for each case between the systems: who, what, and its acts in order with their times."""
    boxes = dict(_boxes(many.further))
    rows = []
    for one in many.walked:
        found = reader.a.execute("SELECT id FROM case_file WHERE case_number = ?", (one.number,)).fetchone()
        walk = reader.walk(found[0]) if found else None
        rows.append(
            {
                "origin": boxes[one.leg.origin], "target": boxes[one.leg.target], "walk": walk, "ok": one.ok,
                "acts": list(_acts(walk)) if walk else [], "faults": one.faults, "seconds": one.seconds,
            }
        )  # fmt: skip
    return rows


def _acts(walk: Walk) -> Iterator[tuple[str, str, str, str]]:
    """(side, Chinese, English, since the first) of each message."""
    begin = min(one.sent.at_ms for one in walk.messages)
    for one in walk.messages:
        zh, en = ACTS.get(one.type, (one.type, one.type))
        yield one.origin, zh, en, f"+{(one.sent.at_ms - begin) / 1000:.2f} s"


def _boxes(further: tuple[System, ...]) -> Iterator[tuple[str, tuple[str, Words, Words]]]:
    yield from _KNOWN.items()
    for one in further:
        yield one.id, (one.side, one.title, one.speaks)


def _counts(walked: list[Walked], id_: str, cases: int) -> tuple[int, int]:
    collected = sum(one.leg.origin == id_ for one in walked) + (cases if id_ == "window" else 0)
    return collected, sum(one.leg.target == id_ for one in walked) + (cases if id_ == "hall" else 0)


def _text(x: float, y: float, said: str, size: int, colour: str, weight: int = 400, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}" font-weight="{weight}" text-anchor="{anchor}">'
        f"{escape(said)}</text>"
    )


def _gateways(height: int) -> Iterator[str]:
    for x, colour, soft, zh, en in (
        (440, A, A_SOFT, "硚口通办网关", "gateway A"),
        (630, B, B_SOFT, "红谷滩通办网关", "gateway B"),
    ):
        yield (
            f'<rect x="{x}" y="{TOP}" width="130" height="{height - TOP - 38}" rx="12" fill="{soft}" stroke="{colour}" '
            'stroke-width="2"/>'
        )
        yield _text(x + 65, height / 2 + 8, zh, 16, INK, 700)
        yield _text(x + 65, height / 2 + 30, en, 12, MUTED)
    yield f'<path d="M572,{height / 2 - 12} H628 M572,{height / 2 + 12} H628" stroke="{SEAL}" stroke-width="2"/>'
    yield _text(WIDTH / 2, 34, "按事项分流：同一个网关后面，各系统说各自的“语言”", 18, INK, 700)
    yield _text(WIDTH / 2, 56, "Routed by item: behind one gateway each system keeps its own protocol", 12, MUTED)


def _box(side: str, y: int, title: Words, speaks: Words) -> Iterator[str]:
    x, colour = (20, A) if side == "a" else (WIDTH - 20 - BOX_W, B)
    yield f'<rect x="{x}" y="{y}" width="{BOX_W}" height="{BOX_H}" rx="10" fill="#fff" stroke="{colour}" stroke-width="2"/>'
    yield _text(x + 16, y + 27, title[0], 16, INK, 700, "start")
    yield _text(x + 16, y + 44, title[1], 11, MUTED, anchor="start")
    yield _text(x + 16, y + 64, speaks[0], 13, colour, 600, "start")


def _line(side: str, y: int, height: int, collected: int, handled: int) -> Iterator[str]:
    begin, end, colour = (20 + BOX_W, 440, A) if side == "a" else (760, WIDTH - 20 - BOX_W, B)
    middle = y + BOX_H / 2
    yield f'<path d="M{begin},{middle} H{end}" stroke="{colour}" stroke-width="2"/>'
    yield _text((begin + end) / 2, middle - 9, f"收件 {collected} · 办理 {handled}", 13, colour, 600)
    yield _text((begin + end) / 2, middle + 17, f"collected {collected}, handled {handled}", 10, MUTED)
