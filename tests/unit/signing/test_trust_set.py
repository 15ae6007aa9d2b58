"""Who is trusted with which key, when; and that the set never goes back (rows C17, C26, L09)."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.errors import Indeterminate, Malformed, Rejected
from signing.sm2 import PublicKey
from signing.trust import Trust, TrustedKey, TrustedParty, TrustSet, advance
from tests import pki
from tests.pki import BORN, DAY, DIES

HOUR = timedelta(hours=1)


def key(name: str, use: str = "checkpoint", revoked: datetime | None = None, until: datetime = DIES) -> TrustedKey:
    point = pki.signer(name).public.point
    return TrustedKey(use, point, BORN, until, revoked)  # type: ignore[arg-type]


def trust_set(version: int = 1, expires: datetime = DIES, *more: TrustedParty) -> TrustSet:
    parties = (
        TrustedParty("a", (pki.root().certificate.der,), (key("a1"), key("a2", "direct"), key("a3", revoked=DAY))),
        TrustedParty("b", (), (key("b1"), key("b2", until=DAY))),
        *more,
    )
    return TrustSet(version, BORN, expires, parties)


def key_id(name: str) -> str:
    return pki.signer(name).public.thumbprint


@pytest.mark.parametrize(
    ("party", "use", "name", "at", "code"),
    [
        ("a", "checkpoint", "b1", DAY, "other-partys-key"),
        ("b", "checkpoint", "a1", DAY, "other-partys-key"),
        ("a", "direct", "a1", DAY, "key-use"),
        ("a", "checkpoint", "a3", DAY, "key-revoked"),
        ("b", "checkpoint", "b2", DAY + HOUR, "key-outside-validity"),
        ("b", "checkpoint", "b1", BORN - HOUR, "key-outside-validity"),
        ("c", "checkpoint", "a1", DAY, "unknown-party"),
        ("a", "checkpoint", "nobody", DAY, "unknown-key"),
    ],
)
def test_C17_a_key_is_refused_outside_its_party_use_and_time(
    party: str, use: str, name: str, at: datetime, code: str
) -> None:
    answer = Trust(trust_set()).key(party, use, key_id(name), at)  # type: ignore[arg-type]
    assert isinstance(answer, Rejected) and answer.code == code and answer.zh and answer.en


def test_a_key_is_given_within_them() -> None:
    trust = Trust(trust_set())
    assert trust.key("a", "checkpoint", key_id("a1"), DAY) == pki.signer("a1").public
    assert trust.key("a", "checkpoint", key_id("a3"), DAY - HOUR) == pki.signer("a3").public
    assert trust.keys("a", "checkpoint", DAY) == [pki.signer("a1").public]
    assert len(trust.keys("a", "checkpoint", DAY - HOUR)) == 2
    assert trust.anchors("a") == (pki.root().certificate,) and trust.anchors("nobody") == ()


def test_C26_an_expired_set_cannot_tell() -> None:
    answer = Trust(trust_set(expires=DAY)).key("a", "checkpoint", key_id("a1"), DAY + HOUR)
    assert isinstance(answer, Indeterminate) and answer.code == "trust-expired"


@given(st.integers(1, 50), st.integers(1, 50))
def test_C26_versions_only_grow(current: int, offered: int) -> None:
    one, two = trust_set(current), trust_set(offered, DIES, TrustedParty("new"))
    answer = advance(one, two, DAY)
    if offered > current:
        assert answer is two
    else:
        assert isinstance(answer, Rejected) and answer.code == "trust-rollback"
    assert advance(None, two, DAY) is two and advance(two, two, DAY) is two


def test_C26_an_expired_set_is_not_taken_over() -> None:
    answer = advance(None, trust_set(expires=DAY), DAY + HOUR)
    assert isinstance(answer, Rejected) and answer.code == "trust-expired"


@pytest.mark.parametrize(
    "parties",
    [
        (TrustedParty("a"), TrustedParty("a")),
        (TrustedParty("a", (), (key("x"),)), TrustedParty("b", (), (key("x", "direct"),))),
        (TrustedParty("a", (), (TrustedKey("tls", b"\4" + bytes(64), BORN, DIES),)),),
        (TrustedParty("a", (b"no certificate",)),),
    ],
)
def test_L09_a_set_that_contradicts_itself_is_malformed(parties: tuple[TrustedParty, ...]) -> None:
    with pytest.raises(Malformed):
        Trust(TrustSet(1, BORN, DIES, parties))


def test_the_set_travels_as_json() -> None:
    data = msgspec.json.encode(trust_set())
    assert msgspec.json.decode(data, type=TrustSet) == trust_set()
    naive = data.replace(b"+00:00", b"").replace(b"00Z", b"00")
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(naive, type=TrustSet)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(data.replace(b'"version"', b'"extra":1,"version"'), type=TrustSet)
    assert isinstance(pki.signer("a1").public, PublicKey) and key("a1").key_id == key_id("a1")
