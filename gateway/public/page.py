"""The page behind a certificate's QR code (扫码核验页), as HTML and as JSON: one big verdict, what it is, and no more.

No script runs and nothing is fetched: the policy allows this one style, by its digest. The page prints when it was made and
until when it counts, and its style itself uncovers "out of date" two minutes later, so an old screenshot is seen to be one.
Whatever is not a certificate (unknown, malformed, absent) is one and the same page, byte for byte but for the times (P08).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

import msgspec
from jinja2 import Environment, StrictUndefined

from agreements.calendar import CHINA, china_date
from gateway.public.shown import FACES, UNKNOWN, Shown, judge
from gateway.public.source import News

COUNTS_S = 120  # as in page.css
CSS = (resources.files("gateway.public") / "page.css").read_text("utf-8")
_STYLE = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE}'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Vary": "Accept",
}
_PAGE = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
    (resources.files("gateway.public") / "page.html").read_text("utf-8").replace("/* page.css */", CSS)
)
_ENCODER = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered at ``now_ms``. ``sample``: a laboratory's node, whose certificates are no certificates."""

    found: Shown | None
    news: News
    now_ms: int
    sample: bool

    def html(self) -> bytes:
        """For people."""
        found, verdict, permits = self.found, UNKNOWN, list[Any]()
        if found is not None:
            verdict, each = judge(found, self._today, self.news.stale)
            permits = [(permit, FACES[one]) for permit, one in zip(found.permits, each, strict=True)]
        return _PAGE.render(
            face=FACES[verdict], found=found, permits=permits, stale=self.news.stale, sample=self.sample,
            since=_clock(found.since_ms) if found is not None and verdict == found.status != "valid" else "",
            as_of=_clock(self.news.as_of_ms), made=_clock(self.now_ms), until=_clock(self._until_ms),
        ).encode()  # fmt: skip

    def json(self) -> bytes:
        """For programs: the same."""
        verdict, answer = UNKNOWN, dict[str, Any]()
        if self.found is not None:
            verdict, each = judge(self.found, self._today, self.news.stale)
            told = msgspec.to_builtins(self.found)
            told.pop("status", None)
            for permit, one in zip(told.get("permits", ()), each, strict=True):
                permit["status"] = one
            answer["certificate"] = told
        answer |= {
            "verdict": verdict, "valid": verdict == "valid", "title": FACES[verdict].zh, "title_en": FACES[verdict].en,
            "as_of": _rfc3339(self.news.as_of_ms), "stale": self.news.stale, "made": _rfc3339(self.now_ms),
            "until": _rfc3339(self._until_ms), "sample": self.sample,
        }  # fmt: skip
        return _ENCODER.encode(answer)

    @property
    def _today(self) -> Any:
        return china_date(_at(self.now_ms))

    @property
    def _until_ms(self) -> int:
        return self.now_ms + COUNTS_S * 1000


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, CHINA)


def _clock(ms: int) -> str:
    return _at(ms).replace(tzinfo=None).isoformat(" ")


def _rfc3339(ms: int) -> str:
    return _at(ms).isoformat()
