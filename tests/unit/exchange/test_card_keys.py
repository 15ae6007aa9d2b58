"""Which keys of a partner's card may be used for what: dual certificates are never mixed up (C05-C07)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gateway.exchange import card as cards
from gateway.exchange.card import Card, CardKey
from signing import certs, issue
from signing.errors import Rejected
from signing.providers import open_provider
from signing.sm2 import PublicKey, Signer

PROVIDER = open_provider("auto")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
BEGIN, END = NOW - timedelta(days=100), NOW + timedelta(days=100)
ROOT = Signer(PROVIDER, PROVIDER.generate())
CA = issue.Authority(
    ROOT,
    certs.parse(issue.build_root(ROOT, subject=(("CN", "CA"),), serial=1, not_before=BEGIN, not_after=END)),
)


def key(
    use: str, profile: str = "", *, holder: str = "某市", since: datetime = BEGIN, until: datetime = END
) -> CardKey:
    public = PROVIDER.generate().public
    made = issue.build_certificate(
        CA, subject=(("O", holder), ("CN", use)), public_key=public, serial=2, not_before=BEGIN, not_after=until,
        profile=profile or use,
    )  # fmt: skip
    return CardKey(use, public.thumbprint, made, int(since.timestamp() * 1000))


def card(*keys: CardKey) -> Card:
    return Card(
        party="420104.11420104000000000X", name="某市", division="420104", version=1, issued_ms=0, endpoint="http://x",
        body_limit=1, part_limit=1, origin="o", keys=(key("checkpoint"), key("direct"), *keys),
    )  # fmt: skip


def test_the_newest_key_in_use_is_encrypted_to() -> None:
    old, new, coming = (
        key("encryption", since=NOW + timedelta(days=days)) for days in (-9, -1, 9)
    )  # a key that is announced is not yet used
    found = cards.recipient(card(coming, new, old), NOW)
    assert isinstance(found, PublicKey) and found.thumbprint == new.id


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        ("no-encryption-key", ()),
        ("key-usage", (key("encryption", "direct"),)),  # C06: a signing certificate
        ("key-usage", (key("encryption", "ca"),)),
        ("certificates-not-paired", (key("encryption", holder="另一市"),)),  # C07
        ("not-valid-now", (key("encryption", until=NOW - timedelta(days=1)),)),
        ("no-encryption-key", (CardKey("encryption", "0" * 32, key("encryption").certificate, 0),)),
        ("no-encryption-key", (CardKey("encryption", "0" * 32, b"garbage", 0),)),
    ],
)
def test_C06_C07_what_may_not_be_encrypted_to(code: str, keys: tuple[CardKey, ...]) -> None:
    found = cards.recipient(card(*keys), NOW)
    assert isinstance(found, Rejected) and found.code == code


def test_a_bad_newer_key_does_not_hide_a_good_older_one() -> None:
    good, bad = key("encryption", since=NOW - timedelta(days=9)), key("encryption", "direct", since=NOW)
    found = cards.recipient(card(bad, good), NOW)
    assert isinstance(found, PublicKey) and found.thumbprint == good.id


def test_a_key_that_is_revoked_or_over_is_not_encrypted_to() -> None:
    old, new = (key("encryption", since=NOW - timedelta(days=days)) for days in (9, 1))
    gone = msgspec.structs.replace(card(old, new), revoked=(cards.Revoked(new.id, 1),))
    found = cards.recipient(gone, NOW)
    assert isinstance(found, PublicKey) and found.thumbprint == old.id
    over = msgspec.structs.replace(new, until_ms=int((NOW - timedelta(hours=1)).timestamp() * 1000))
    found = cards.recipient(card(old, over), NOW)
    assert isinstance(found, PublicKey) and found.thumbprint == old.id


def test_C05_an_encryption_certificate_does_not_sign() -> None:
    good, wrong = key("direct"), key("direct", "encryption")
    assert good.id in cards.public_keys(card(good), "direct")
    assert wrong.id not in cards.public_keys(card(wrong), "direct")


@pytest.mark.parametrize("data", [b"", b"[]", b"{" * 9000, b'{"\xff":1}', b'{"card":"\xff"}', b"\xff\xfe{}"])
def test_bytes_that_are_no_card_are_refused_in_words(data: bytes) -> None:
    for reading in (lambda: cards.read(data, "x", PROVIDER), lambda: cards.content(data), lambda: cards.identity(data)):
        with pytest.raises(cards.CardError) as error:
            reading()
        assert error.value.zh
