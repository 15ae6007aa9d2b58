"""What a drill found, for people: lines, a page with a chart drawn as SVG, and the figures for machines."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.drill.run import Outcome
from gateway.lang import say

PAGE = "drill.html"
WIDTH, HEIGHT, LEFT, TOP, GAP = 960, 150, 56, 24, 46
TICKS = {"A": "#1f6feb", "B": "#d4731c"}


def figures(outcome: Outcome, page: Path) -> dict[str, Any]:
    """The figures by name; times of requests in ms."""
    ordered = sorted(one.latency_s for one in outcome.samples)
    took = sorted(one.took_s for one in outcome.changes)
    return {
        "failed_requests": outcome.failures.total(), "rotations": len(outcome.changes), "cases": outcome.cases,
        "delivered": outcome.delivered, "lost": outcome.lost, "doubled": outcome.doubled,
        "seconds": round(outcome.seconds, 1), "rate": outcome.plan.rate,
        "per_second": round(len(outcome.samples) / outcome.seconds, 1) if outcome.seconds else 0.0,
        "p50_ms": _ms(ordered, 0.5), "p99_ms": _ms(ordered, 0.99), "skew_ms": outcome.plan.skew_ms,
        "rotation_p50_s": round(_at(took, 0.5), 3), "rotation_max_s": round(_at(took, 1.0), 3),
        "revoked_in_s": None if outcome.revoked_in_s is None else round(outcome.revoked_in_s, 3),
        "failures": dict(outcome.failures), "report": str(page),
    }  # fmt: skip


def lines(found: dict[str, Any]) -> list[str]:
    """The figures as sentences."""
    revoked = found["revoked_in_s"]
    return [
        say(
            f"换钥 {found['rotations']} 次，负载 {found['per_second']} 件/秒 × {found['seconds']} 秒，"
            f"两地时钟一快一慢各 {found['skew_ms'] // 1000} 秒",
            f"{found['rotations']} changes of keys under {found['per_second']} cases/s for {found['seconds']} s, clocks off by "
            f"{found['skew_ms'] // 1000} s each way",
        ),
        say(
            f"失败请求 {found['failed_requests']}；收件 {found['cases']}，对方签收 {found['delivered']}，丢失 {found['lost']}，"
            f"重复 {found['doubled']}",
            f"failed requests {found['failed_requests']}; cases {found['cases']}, receipted {found['delivered']}, lost "
            f"{found['lost']}, doubled {found['doubled']}",
        ),
        say(
            f"应答 p50 {found['p50_ms']} ms，p99 {found['p99_ms']} ms；一次换钥（公布到换用）中位 {found['rotation_p50_s']} 秒，"
            f"最长 {found['rotation_max_s']} 秒",
            f"answers p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms; one change, announced to switched: median "
            f"{found['rotation_p50_s']} s, longest {found['rotation_max_s']} s",
        ),
        say(
            f"紧急吊销：对方 {revoked} 秒后拒绝该密钥" if revoked is not None else "紧急吊销：对方一直没有拒绝该密钥",
            f"emergency revocation: the partner refused the key after {revoked} s"
            if revoked is not None
            else "emergency revocation: the partner never refused the key",
        ),
        say(f"报告 {found['report']}", f"report {found['report']}"),
    ]


def page(outcome: Outcome, found: dict[str, Any]) -> str:
    """The page: verdict, chart, table."""
    verdict = say("通过", "passed") if outcome.good else say("未通过", "failed")
    rows = "".join(
        f"<tr><th>{html.escape(str(name))}</th><td>{html.escape(str(value))}</td></tr>" for name, value in found.items()
    )
    said = "".join(f"<li>{html.escape(line)}</li>" for line in lines(found)[:-1])
    title = say("换钥演练", "Key drill")
    return (
        f'<!doctype html><html lang="{say("zh-CN", "en")}"><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:15px/1.6 sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222}"
        "th{text-align:left;padding-right:2em;font-weight:normal;color:#666}svg{max-width:100%}</style>"
        f"<h1>{title}：{verdict}</h1><ul>{said}</ul>{chart(outcome)}<table>{rows}</table>"
        f"<p>{say('试验网关，样章·测试无效。', 'Laboratory gateways; nothing here is valid outside.')}</p></html>"
    )


def chart(outcome: Outcome) -> str:
    """Answers per second and their latency over time, each change of a key as a tick, the revocation as a red line."""
    seconds = max(int(outcome.seconds) + 1, 1)
    buckets: list[list[float]] = [[] for _ in range(seconds)]
    for one in outcome.samples:
        buckets[min(int(one.due_s), seconds - 1)].append(one.latency_s)
    counts = [float(len(bucket)) for bucket in buckets]
    fast, slow = ([_ms(sorted(bucket), share) for bucket in buckets] for share in (0.5, 0.99))
    below = TOP + HEIGHT + GAP
    parts = [
        _axis(TOP, max(counts), say("件/秒", "requests/s"), seconds), _line(counts, TOP, max(counts), "#2da44e"),
        _axis(below, max(slow), say("毫秒：p50 蓝，p99 紫", "ms: p50 blue, p99 violet"), seconds),
        _line(fast, below, max(slow), "#1f6feb"), _line(slow, below, max(slow), "#8250df"),
    ]  # fmt: skip
    base = below + HEIGHT + 34
    for change in outcome.changes:
        x = _x(change.at_s, seconds)
        note = html.escape(f"{change.node} {change.use} {change.at_s:.1f} s")
        top = base - 8 if change.node == "A" else base + 2
        parts.append(
            f'<rect x="{x:.1f}" y="{top}" width="2" height="8" fill="{TICKS[change.node]}"><title>{note}</title></rect>'
        )
    parts.append(_text(0, base + 4, say("换钥 甲/乙", "keys A/B")))
    x = _x(outcome.revoked_at_s, seconds)
    parts.append(
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{base + 10}" stroke="#cf222e" stroke-dasharray="4 3"/>'
    )
    parts.append(_text(x - 60, TOP - 8, say("紧急吊销", "revocation")))
    return f'<svg viewBox="0 0 {WIDTH + LEFT + 20} {base + 20}" role="img" font-size="12">{"".join(parts)}</svg>'


def _axis(top: int, highest: float, title: str, seconds: int) -> str:
    bottom = top + HEIGHT
    frame = f'<path d="M{LEFT} {top}V{bottom}H{LEFT + WIDTH}" fill="none" stroke="#999"/>'
    marks = _text(4, top + 10, f"{highest:.0f}") + _text(4, bottom, "0") + _text(LEFT + 6, top + 10, title)
    return frame + marks + _text(LEFT + WIDTH - 30, bottom + 14, f"{seconds} s")


def _line(values: Sequence[float], top: int, highest: float, colour: str) -> str:
    scale = HEIGHT / highest if highest else 0.0
    points = " ".join(
        f"{_x(n + 0.5, len(values)):.1f},{top + HEIGHT - value * scale:.1f}" for n, value in enumerate(values)
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _x(at_s: float, seconds: int) -> float:
    return LEFT + WIDTH * at_s / seconds


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="#444">{html.escape(text)}</text>'


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _ms(ordered: Sequence[float], share: float) -> float:
    return round(_at(ordered, share) * 1000, 1)
