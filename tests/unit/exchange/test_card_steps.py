"""A card against the one held before it, and which keys of all cards count when: the tables, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exchange import card as cards
from gateway.exchange.card import STEP, Card, CardKey, Next, Revoked, follow
from gateway.exchange.known import known_keys
from signing import certs, issue
from signing.providers import open_provider
from signing.sm2 import Signer

PROVIDER = open_provider()
PARTY = "420104.11420104000000000X"
T0 = 1_790_000_000_000
MINUTE = 60_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def made(profile: str = "direct") -> tuple[Signer, bytes]:
    """A key with a certificate of its own little authority."""
    root, signer = Signer(PROVIDER, PROVIDER.generate()), Signer(PROVIDER, PROVIDER.generate())
    times = {"not_before": BEGIN, "not_after": BEGIN + timedelta(days=3000)}
    name = (("C", "CN"), ("O", "试"))
    authority = issue.Authority(root, certs.parse(issue.build_root(root, subject=name, serial=1, **times)))
    return signer, issue.build_certificate(
        authority, subject=name, public_key=signer.public, serial=2, profile=profile, **times
    )


KEYS = [made() for _ in range(3)]
IDENTITY = made("identity")


def key(number: int, since: int = T0, until: int = 0, use: str = "direct") -> CardKey:
    signer, certificate = KEYS[number]
    return CardKey(use, signer.key_id, certificate, since, until)


def card(version: int = 1, *keys: CardKey, issued: int = 0, revoked: tuple[Revoked, ...] = (), **more: object) -> Card:
    base = Card(
        party=PARTY, name="甲", division="420104", version=version, issued_ms=issued or T0 + version, endpoint="http://a",
        body_limit=1, part_limit=1, origin=f"{PARTY}/1", keys=keys or (key(0),), revoked=revoked,
    )  # fmt: skip
    return msgspec.structs.replace(base, **more)


GONE = Revoked(KEYS[0][0].key_id, T0, 7, "ab" * 32)
STEPS = {
    "the same": (card(3), card(3), Next.SAME),
    "the next": (card(3), card(4), Next.NEWER),
    "the furthest step": (card(3), card(3 + STEP), Next.NEWER),
    "a jump beyond it C26": (card(3), card(4 + STEP), Next.JUMP),
    "an older version C26 L09": (card(3), card(2), Next.ROLLBACK),
    "a newer version issued earlier C26": (card(3), card(4, issued=T0), Next.ROLLBACK),
    "the same version with other content": (card(3), card(3, name="乙"), Next.CONFLICT),
    "another party's C17": (card(3), card(4, party="110101." + "1" * 18), Next.OTHER),
    "another ledger's": (card(3), card(4, origin=f"{PARTY}/2"), Next.OTHER),
    "a key under another use L09": (card(3), card(4, key(0, use="checkpoint")), Next.OTHER),
    "a revocation taken back": (card(3, revoked=(GONE,)), card(4), Next.ROLLBACK),
    "a revocation with another root": (
        card(3, revoked=(GONE,)), card(4, revoked=(msgspec.structs.replace(GONE, root="cd" * 32),)), Next.ROLLBACK
    ),
    "one more revocation": (card(3), card(4, key(1), revoked=(GONE,)), Next.NEWER),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_C26_a_card_follows_or_does_not(name: str) -> None:
    held, offered, step = STEPS[name]
    assert follow(held, offered) is step


def signed(content: bytes) -> bytes:
    signer, certificate = IDENTITY
    return msgspec.json.encode(
        cards.SignedCard(content, signer.key_id, signer.sign(cards.DOMAIN + content), certificate), order="sorted"
    )


def content(**changes: object) -> bytes:
    found = msgspec.to_builtins(card()) | changes
    return msgspec.json.encode({name: value for name, value in found.items() if value is not None}, order="sorted")


def test_a_card_of_the_first_form_still_reads() -> None:
    data = signed(content(v=1, revoked=None))
    assert cards.read(data, IDENTITY[0].key_id, PROVIDER).v == 1


REFUSED = {
    "a form of tomorrow": content(v=3),
    "an unknown field": content(zzz=1),
    "a revocation in the first form": content(v=1, revoked=[msgspec.to_builtins(GONE)]),
    "a key twice L09": content(keys=[msgspec.to_builtins(key(0))] * 2),
    "a version below one": content(version=0),
    "a root that is no digest": content(revoked=[{"id": GONE.id, "at_ms": T0, "root": "xyz"}]),
    "too many keys": content(keys=[msgspec.to_builtins(key(0))] * 65),
    "no JSON": b"\xff{",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_card_in_another_form_is_refused(name: str) -> None:
    with pytest.raises(cards.CardError) as caught:
        cards.read(signed(REFUSED[name]), IDENTITY[0].key_id, PROVIDER)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in caught.value.zh)


def counting(at: int, *held: Card, window: int = 5 * MINUTE) -> set[int]:
    """Which of KEYS count at a time, by their numbers."""
    known = known_keys(held)
    ids = [signer.key_id for signer, _ in KEYS]
    return {ids.index(one.id) for one in known.values() if one.revoked is None and one.counts(at, window)}


OLD, BOTH = card(1, key(0)), card(2, key(0, until=T0 + 60 * MINUTE), key(1, T0 + 50 * MINUTE))
LATER = card(3, key(1, T0 + 50 * MINUTE), issued=T0 + 55 * MINUTE)


@pytest.mark.parametrize(
    ("at", "held", "expected"),
    [
        (T0 - 6 * MINUTE, (OLD,), set()),
        (T0 - 4 * MINUTE, (OLD,), {0}),  # their clock may be behind ours
        (T0 + 40 * MINUTE, (OLD, BOTH), {0}),  # L07: announced, not yet in use
        (T0 + 46 * MINUTE, (OLD, BOTH), {0, 1}),  # L07: the overlap, as wide as clocks may differ
        (T0 + 64 * MINUTE, (OLD, BOTH), {0, 1}),
        (T0 + 66 * MINUTE, (OLD, BOTH), {1}),
        (T0 + 59 * MINUTE, (OLD, BOTH, LATER), {0, 1}),  # retired before its day: counts to the card's date
        (T0 + 61 * MINUTE, (OLD, BOTH, LATER), {1}),
        (T0 + 30 * MINUTE, (OLD, BOTH, LATER), {0}),  # what it signed while it counted stays good
        (T0 + 59 * MINUTE, (OLD, BOTH, card(3, key(1), revoked=(GONE,))), {1}),  # revoked: never
    ],
)
def test_L07_which_keys_count_when(at: int, held: tuple[Card, ...], expected: set[int]) -> None:
    assert counting(at, *held) == expected


def test_C05_an_encryption_certificate_signs_nothing_even_if_a_card_says_so() -> None:
    signer, certificate = made("encryption")
    wrong = CardKey("direct", signer.key_id, certificate, T0)
    assert set(known_keys([card(1, key(0), wrong)])) == {KEYS[0][0].key_id}


def test_L09_a_key_id_is_its_thumbprint_so_it_cannot_name_another_key() -> None:
    borrowed = msgspec.structs.replace(key(1), id=KEYS[0][0].key_id)
    assert known_keys([card(1, borrowed)]) == {}
    known = known_keys([card(1, key(0)), card(2, borrowed)])
    assert known[KEYS[0][0].key_id].public == KEYS[0][0].public


HOSTILE = {
    "deep": b"[" * 100_000, "deep inside": b'{"card":' + b"[" * 100_000, "not text": b"\xff\xfe\x00", "nothing": b"",
    "a list": b"[]", "no certificate": msgspec.json.encode({"card": b"", "key": "", "signature": b"", "certificate": b""}),
    "a lone surrogate": b'{"key":"\\ud800"}',
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_signed_card_of_nonsense_is_refused_and_never_raises_anything_else(name: str) -> None:
    with pytest.raises(cards.CardError):
        cards.read(HOSTILE[name], IDENTITY[0].key_id, PROVIDER)
    with pytest.raises(cards.CardError):
        cards.content(HOSTILE[name])


@given(st.binary(max_size=400), st.integers(0, 3000), st.integers(1, 255))
def test_N05_any_bytes_and_any_changed_byte_are_a_card_refused(noise: bytes, where: int, bits: int) -> None:
    good = bytearray(signed(content()))
    good[where % len(good)] ^= bits
    for data in (noise, bytes(good)):
        try:
            found = cards.read(data, IDENTITY[0].key_id, PROVIDER)
        except cards.CardError:
            continue
        assert found == cards.read(signed(content()), IDENTITY[0].key_id, PROVIDER), (
            "only bytes that say nothing changed"
        )
