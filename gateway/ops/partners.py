"""Is a partner's gateway there, is it the one we know, and does its clock agree with ours: one GET of its card."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.exchange import card as cards
from gateway.ops.probe import Answer, call
from signing.providers import Provider

PATH = "/.well-known/tongban/card"
SKEW_S = 5.0

# what the published card is, held against the stored one -> (ok, Chinese, English)
CARDS: dict[str, tuple[bool | None, str, str]] = {
    "same": (True, "名片一致", "the card is the one we hold"),
    "newer": (None, "对方已发布新版名片，请核对后更新", "a newer card is published: check it and update"),
    "older": (False, "对方给出的是旧版名片", "an older card is published"),
    "other": (
        False,
        "名片与登记的指纹不符，或签名无效",
        "the card is not of the registered fingerprint, or not signed by it",
    ),
    "none": (False, "没有取得名片", "no card was got"),
}


@dataclass(frozen=True, slots=True)
class Ping:
    """``card`` a key of ``CARDS``; ``skew_s`` their clock less ours, None if it was not told; ``reason`` of no answer."""

    ok: bool | None
    card: str
    status: int
    skew_s: float | None
    reason: str
    zh: str
    en: str


def ping(url: str, stored: bytes, fingerprint: str, provider: Provider, window_ms: int, seconds: float = 5.0) -> Ping:
    """Fetch the card and compare. ``window_ms``: how far signed times may differ before everything is refused."""
    answer = call("GET", url.rstrip("/") + PATH, seconds)
    kind = compare(answer, stored, fingerprint, provider)
    ok, zh, en = CARDS[kind]
    if kind == "none":
        why = answer.reason or f"HTTP {answer.status}"
        return Ping(False, kind, answer.status, answer.skew_s, why, f"{zh}（{why}）", f"{en} ({why})")
    skew = answer.skew_s
    if skew is not None and abs(skew) > SKEW_S:
        far = abs(skew) * 1000 >= window_ms
        ok = False if far or ok is False else None
        zh, en = f"{zh}；时钟相差 {skew:+.0f} 秒", f"{en}; clocks differ by {skew:+.0f} s"
    return Ping(ok, kind, answer.status, skew, "", zh, en)


def compare(answer: Answer, stored: bytes, fingerprint: str, provider: Provider) -> str:
    """Which card was published: a key of ``CARDS``."""
    if answer.status != 200:
        return "none"
    if answer.body == stored:
        return "same"
    try:
        theirs = cards.read(answer.body, fingerprint, provider)
        ours = cards.read(stored, fingerprint, provider)
    except cards.CardError:
        return "other"
    if theirs.party != ours.party or theirs.version == ours.version:
        return "other"  # one version is one card
    return "newer" if theirs.version > ours.version else "older"
