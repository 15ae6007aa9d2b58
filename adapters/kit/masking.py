"""An exchange as a report shows it (脱敏后的往来): text in its own encoding, shortened, masked. Pure but for its types."""

from __future__ import annotations

import json
import re

from adapters.kit.mask import Mask
from adapters.kit.score import Shown, Side
from adapters.kit.tap import Answered, Exchange
from adapters.transport import Reply, Request

LONGEST = 6000


def shown(exchange: Exchange, mask: Mask) -> Shown:
    """Both halves, side by side."""
    return Shown(_asked(exchange.request, mask), _answered(exchange.answer, mask))


def text_of(body: bytes, content_type: str) -> tuple[str, str]:
    """The text of a body and the encoding it was read by: what is declared, else UTF-8, else byte for byte."""
    declared = re.search(
        rb"charset=[\"']?([A-Za-z0-9_-]+)|encoding=[\"']([A-Za-z0-9_-]+)", content_type.encode() + body[:200]
    )
    named = (declared[1] or declared[2]).decode() if declared else "utf-8"
    for encoding in (named, "utf-8"):
        try:
            return body.decode(encoding), encoding
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("latin-1"), "latin-1"


def _asked(request: Request, mask: Mask) -> Side:
    headers = tuple(mask.headers(request.headers.items()))
    line = mask.shown(f"{request.method} {request.url.raw_path_qs}")
    return Side(
        line,
        headers,
        _body(request.body, request.headers.get("content-type", request.headers.get("Content-Type", "")), mask),
    )


def _answered(answer: Answered, mask: Mask) -> Side:
    if not isinstance(answer, Reply):
        return Side(f"（没有应答 no answer：{answer.reason}）", (), "")
    return Side(
        f"HTTP {answer.status}", (("content-type", answer.content_type),), _body(answer.body, answer.content_type, mask)
    )


def _body(body: bytes, content_type: str, mask: Mask) -> str:
    text = re.sub(r" {100,}", lambda found: f"…（{len(found[0])} 个空格 blanks）…", text_of(body, content_type)[0])
    text = mask.shown(_pretty(text[: LONGEST * 10]))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…（其余略 cut off）"


def _pretty(text: str) -> str:
    """JSON laid out for reading, its escapes undone; anything else as it came."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text
