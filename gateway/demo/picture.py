"""The picture of the walk (办件的路): window, gateway A, gateway B, platform, with receipts on the way back, as SVG.

``python -m gateway.demo.picture docs/walk.svg`` writes the one that the READMEs show; the story draws it too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 1200, 500
INK, MUTED, LINE = "#1d2733", "#5b6775", "#c9d1da"
A, B, SEAL = "#1d4f91", "#0d6e5f", "#c8161d"
A_SOFT, B_SOFT = "#eef3fa", "#ebf5f2"
FONT = "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif"
BOX_W, BOX_H, BOX_Y = 160, 152, 136
BOXES = (
    (40, A, "窗口系统", "window system", "签名 JSON · SM2", "signed JSON"),
    (356, A, "硚口通办网关", "gateway A", "自有库·密钥·账本", "own store, keys, ledger"),
    (684, B, "红谷滩通办网关", "gateway B", "自有库·密钥·账本", "own store, keys, ledger"),
    (1000, B, "审批系统", "approval system", "SOAP · XML · GBK", "SOAP, GBK"),
)
# (from box, to box, y, Chinese, English, dashed)
FORTH = (
    (0, 1, 162, "① 收件", "application"),
    (1, 2, 162, "② 报文＋账本证明", "message + ledger proof"),
    (2, 3, 162, "③ 译成对方格式", "translated"),
)
BACK = (
    (1, 0, 214, "签名收件回执", "signed receipt"),
    (2, 1, 214, "签收回执", "receipt"),
    (3, 2, 214, "④ 受理·补正·决定", "accept, decide"),
    (3, 2, 266, "⑤ 出具结果", "result"),
    (2, 1, 266, "⑥ 盖章的结果＋证明", "stamped result + proof"),
    (1, 0, 266, "⑦ 验章后到窗", "stamp checked"),
)


def draw() -> str:
    """The whole picture."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="{FONT}">',
        "<title>办件的路 The walk of a case</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="14" fill="#ffffff"/>',
        "<defs>",
        *(_head(name, colour) for name, colour in (("a", A), ("b", B), ("r", MUTED))),
        "</defs>",
        *_places(),
        *_agreement(),
        *_boxes(),
        *(_arrow(*arrow, back=False) for arrow in FORTH),
        *(_arrow(*arrow, back=True) for arrow in BACK),
        *_ledgers(),
        *_foot(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _head(name: str, colour: str) -> str:
    return (
        f'<marker id="h{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0,1 L10,5 L0,9 z" fill="{colour}"/></marker>'
    )


def _text(x: float, y: float, said: str, size: int, colour: str, weight: int = 400, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}" font-weight="{weight}" text-anchor="{anchor}">'
        f"{escape(said)}</text>"
    )


def _places() -> Iterator[str]:
    for x, width, colour, soft, zh, en in (
        (20, 514, A, A_SOFT, "武汉 · 硚口区　收件地", "collecting place 420104"),
        (666, 514, B, B_SOFT, "南昌 · 红谷滩区　办理地", "handling place 360113"),
    ):
        yield f'<rect x="{x}" y="78" width="{width}" height="334" rx="12" fill="{soft}" stroke="{colour}" stroke-opacity=".35"/>'
        yield _text(x + 20, 112, zh, 20, colour, 700, "start")
        yield _text(x + width - 20, 112, en, 13, MUTED, anchor="end")


def _agreement() -> Iterator[str]:
    yield f'<rect x="430" y="18" width="340" height="44" rx="22" fill="#fff" stroke="{SEAL}" stroke-width="1.5"/>'
    yield _text(600, 38, "通办协议　双方签署，逐条可判", 16, SEAL, 700)
    yield _text(600, 54, "one agreement, signed by both, decides by its clauses", 11, MUTED)
    for x in (534, 666):
        yield f'<path d="M600,62 L{x},98" fill="none" stroke="{SEAL}" stroke-opacity=".5" stroke-dasharray="3 4"/>'


def _boxes() -> Iterator[str]:
    for x, colour, zh, en, what, what_en in BOXES:
        middle = x + BOX_W / 2
        yield (
            f'<rect x="{x}" y="{BOX_Y}" width="{BOX_W}" height="{BOX_H}" rx="10" fill="#fff" stroke="{colour}" '
            'stroke-width="2"/>'
        )
        yield _text(middle, BOX_Y + 44, zh, 20, INK, 700)
        yield _text(middle, BOX_Y + 66, en, 13, MUTED)
        yield _text(middle, BOX_Y + 104, what, 14, colour, 600)
        yield _text(middle, BOX_Y + 124, what_en, 11, MUTED)


def _arrow(origin: int, target: int, y: int, zh: str, en: str, *, back: bool) -> str:
    left, right = sorted((origin, target))
    begin, end = BOXES[left][0] + BOX_W + 6, BOXES[right][0] - 6
    receipt = "回执" in zh
    colour = MUTED if receipt else (B if back else A)
    name = "r" if receipt else ("b" if back else "a")
    x1, x2 = (end, begin) if back else (begin, end)
    dash = ' stroke-dasharray="5 4"' if receipt else ""
    middle = (begin + end) / 2
    wide = end - begin > 120
    size = 13 if wide else 11
    label = _text(middle, y - 7, zh, size, colour, 600)
    under = _text(middle, y + 15, en, 11 if wide else 10, MUTED)
    line = f'<line x1="{x1}" y1="{y}" x2="{x2}" y2="{y}" stroke="{colour}" stroke-width="2"{dash} marker-end="url(#h{name})"/>'
    return line + label + under


def _ledgers() -> Iterator[str]:
    for x, colour in ((356, A), (684, B)):
        for n in range(9):
            yield (
                f'<rect x="{x + n * 18}" y="322" width="14" height="14" rx="3" fill="{colour}" '
                f'fill-opacity="{0.25 + n * 0.08:.2f}"/>'
            )
        yield _text(x + BOX_W / 2, 364, "账本：SM3 树，SM2 检查点", 13, colour, 600)
        yield _text(x + BOX_W / 2, 384, "ledger: SM3 tree, signed checkpoints", 11, MUTED)
        yield f'<line x1="{x + BOX_W / 2}" y1="{BOX_Y + BOX_H + 4}" x2="{x + BOX_W / 2}" y2="316" stroke="{colour}"/>'
    yield f'<path d="M524,330 C560,346 640,346 676,330" fill="none" stroke="{MUTED}" stroke-dasharray="2 4"/>'
    yield _text(600, 364, "互相见证", 13, MUTED, 600)
    yield _text(600, 382, "each logs the other's", 11, MUTED)


def _foot() -> Iterator[str]:
    yield _text(WIDTH / 2, 452, "每一步都留在两边各自的账本里；证据包离线可验，改动一个字节即被指出", 18, INK, 700)
    yield _text(
        WIDTH / 2, 478, "Every step stands in both ledgers; the evidence verifies offline, and one changed byte is named",
        13, MUTED,
    )  # fmt: skip


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(draw(), "utf-8")
