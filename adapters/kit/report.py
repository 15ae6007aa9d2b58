"""The score card as a page and as data (评分报告): one HTML file that needs nothing but itself, and the same as JSON.

What it shows is already masked. The page may load nothing and run nothing: its content security policy allows only its own
style, by digest.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any, NamedTuple

from adapters.kit.score import Result, Side, overall


class About(NamedTuple):
    """What was tried, when, against what. ``at``: local time as text; ``seconds``: how long it took."""

    profile: str
    title: str
    family: str
    mapping: str
    base_url: str
    at: str
    seconds: float
    left_out: int = 0


def data(about: About, results: Sequence[Result]) -> dict[str, Any]:
    """The score card as plain values."""
    count = counts(results)
    return {
        "profile": about.profile, "family": about.family, "mapping": about.mapping, "base_url": about.base_url,
        "at": about.at, "seconds": round(about.seconds, 2), "not_tried": about.left_out, **count,
        "steps": [
            {
                "name": one.name, "verdict": one.said.verdict, "promise": {"zh": one.zh, "en": one.en},
                "seen": {"zh": one.said.zh, "en": one.said.en},
                "exchanges": [{"request": _side(pair.request), "answer": _side(pair.answer)} for pair in one.exchanges],
            }
            for one in results
        ],
    }  # fmt: skip


def counts(results: Sequence[Result]) -> dict[str, int]:
    """How many of each verdict."""
    names = {"passed": "pass", "failed": "fail", "not_applicable": "na", "unknown": "unknown"}
    return {name: sum(one.said.verdict == verdict for one in results) for name, verdict in names.items()}


def _side(side: Side) -> dict[str, Any]:
    return {"line": side.line, "headers": [list(one) for one in side.headers], "body": side.body}


def page(about: About, results: Sequence[Result]) -> str:
    """The score card as a page of HTML."""
    from jinja2 import Environment, StrictUndefined

    folder = resources.files("adapters") / "kit"
    style = (folder / "report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = made.from_string((folder / "report.html").read_text("utf-8"))
    return template.render(
        about=about, results=results, counts=counts(results), ok=overall(results), style=style, policy=policy
    )
