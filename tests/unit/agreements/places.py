"""Two districts with keys and certificates of a lab, the sample agreement, and the tables it is judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import Any

from agreements import samples, signatures
from agreements.calendar import Calendar, Calendars
from agreements.load import parse
from agreements.match import Book, Held, Request
from agreements.model import Agreement
from schemas.divisions import Divisions
from signing import certs
from signing.issue import Authority, build_certificate, build_root
from signing.policy import PathPolicy
from signing.providers import Provider, open_provider
from signing.sm2 import Signer

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)  # Monday 09:00 in China
A, B = samples.lab_party(samples.QIAOKOU), samples.lab_party(samples.HONGGUTAN)
NAMES = {A: "武汉市硚口区", B: "南昌市红谷滩区"}
DATA = resources.files("schemas") / "data"
DIVISIONS = Divisions((DATA / "regions.csv").read_bytes(), (DATA / "regions-retired.csv").read_bytes())
CALENDAR = Calendar.from_csv((DATA / "holidays-cn.csv").read_bytes())
CALENDARS = Calendars(CALENDAR)
TEXT = samples.render(A, B)
BOTH = frozenset({A, B})


def agreement(change: Callable[[str], str] = str, **options: Any) -> Agreement:
    """The sample, rendered with options and its text changed."""
    return parse(change(samples.render(A, B, **options).decode()).encode()).agreement


def held(change: Callable[[str], str] = str, signed_by: frozenset[str] = BOTH, **options: Any) -> Held:
    return Held(agreement(change, **options), signed_by)


def book(*entries: Held) -> Book:
    return Book(entries or (held(),), DIVISIONS)


def request(**fields: Any) -> Request:
    """硚口's window hands in item 001 for 红谷滩."""
    return Request(
        **{
            "sender": A, "item": "QX-TB-001", "item_version": 1, "mode": "collect_elsewhere", "handling": "360113",
            "purpose": samples.PURPOSE, **fields,
        }
    )  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A party's lab: its root and one signing key with certificate."""

    root: bytes
    certificate: bytes
    signer: Signer


@lru_cache(maxsize=1)
def provider() -> Provider:
    return open_provider()


@lru_cache(maxsize=8)
def place(party: str, organisation: str = "", begin: date = date(2025, 1, 1), end: date = date(2035, 1, 1)) -> Place:
    ca, key = Signer(provider(), provider().generate()), Signer(provider(), provider().generate())
    times = {
        "not_before": datetime(begin.year, begin.month, begin.day, tzinfo=UTC),
        "not_after": datetime(end.year, end.month, end.day, tzinfo=UTC),
    }
    root = build_root(ca, subject=(("C", "CN"), ("O", f"{NAMES[party]}试验根")), serial=1, **times)
    subject = (("C", "CN"), ("O", organisation or NAMES[party]), ("CN", "样章·测试无效"))
    leaf = build_certificate(
        Authority(ca, certs.parse(root)), subject=subject, public_key=key.public, serial=2, profile="direct", **times
    )
    return Place(root, leaf, key)


def signed(text: bytes = TEXT, *parties: str, at: datetime = NOW) -> bytes:
    """The file signed by these parties in turn."""
    for party in parties or (A, B):
        text = signatures.sign(text, party, place(party).signer, place(party).certificate, at)
    return text


def trusting(now: datetime = NOW + timedelta(days=1), **options: Any) -> signatures.Trusting:
    anchors = options.pop("anchors", [certs.parse(place(party).root) for party in (A, B)])
    return signatures.Trusting(provider(), anchors, now, PathPolicy(usage="sign", revocation="if-present"), **options)
