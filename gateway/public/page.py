"""The page behind a certificate's QR code (扫码核验页), as HTML and as JSON: one big verdict, what it is, and no more.

No script runs and nothing is fetched: the policy allows this one style, by its digest. The page prints when it was made and
until when it counts, and its style itself uncovers "out of date" two minutes later, so an old screenshot is seen to be one.
Whatever is not a certificate (unknown, malformed, absent) is one and the same page, byte for byte but for the times (P08).
"""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any

import msgspec
from jinja2 import Environment, StrictUndefined

from agreements.calendar import CHINA, china_date
from gateway.core.ecert import State
from gateway.public.shown import BUSY, FACES, UNKNOWN, Shown, judge
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
_HTML = (
    (resources.files("gateway.public") / "page.html")
    .read_text("utf-8")
    .replace("/* page.css */", CSS.replace("%", "%%"))
)
_PAGE = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(_HTML)
_NO_END = "长期 no end"
_ACTS = frozenset(State) - {State.VALID}  # verdicts that somebody brought about at a time
_ENCODER = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered at ``now_ms``. ``sample``: a laboratory's node, whose certificates are no certificates; ``none``: the
    verdict where no certificate is shown."""

    found: Shown | None
    news: News
    now_ms: int
    sample: bool
    none: str = UNKNOWN

    def html(self) -> bytes:
        """For people."""
        found, texts = self.found, {
            "as_of": _clock(self.news.as_of_ms), "made": _clock(self.now_ms), "until": _clock(self._until_ms),
        }  # fmt: skip
        if found is None:
            return _fill(_form(self.none, None, self.news.stale, self.sample), texts)
        verdict, each = judge(found, self._today, self.news.stale)
        texts |= {
            "type_name": found.type_name, "holder": found.holder, "holder_code": found.holder_code, "issuer": found.issuer,
            "from": str(found.valid_from), "to": str(found.valid_to or _NO_END), "since": _clock(found.since_ms),
        }  # fmt: skip
        for n, one in enumerate(found.permits):
            texts |= {f"name{n}": one.name, f"from{n}": str(one.valid_from), f"to{n}": str(one.valid_to or _NO_END)}
        return _fill(_form(verdict, tuple(each), self.news.stale, self.sample), texts)

    def json(self) -> bytes:
        """For programs: the same."""
        verdict, answer = self.none, dict[str, Any]()
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


@lru_cache(maxsize=256)
def _form(verdict: str, permits: tuple[str, ...] | None, stale: bool, sample: bool) -> bytes:
    """A page with blanks (``%(holder)s``) where certificates differ; ``permits``: their verdicts, None where none was found."""
    return _PAGE.render(
        face=FACES[verdict], found=permits is not None, permits=[FACES[one] for one in permits or ()], stale=stale,
        sample=sample, since=verdict in _ACTS, busy=verdict == BUSY,
    ).encode()  # fmt: skip


def _fill(form: bytes, texts: dict[str, str]) -> bytes:
    """The page; whatever is filled in is text, never markup."""
    return form % {name.encode(): html.escape(text).encode() for name, text in texts.items()}


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, CHINA)


def _clock(ms: int) -> str:
    return _at(ms).replace(tzinfo=None).isoformat(" ")


def _rfc3339(ms: int) -> str:
    return _at(ms).isoformat()
