"""The signed registry of cards: threshold, steps, no way back, soft expiry, recovery by fingerprint (row C26)."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exchange import registry as registries
from gateway.exchange.registry import Keeper, Listed, Registry, SignedRegistry, encode, first, follow, sign
from signing.errors import Malformed, Rejected
from signing.sm2 import Signer
from tests import pki

DAY = 86_400_000
NOW = 1_800_000_000_000
CITY = "420104.11420104000000000X"


@cache
def keeper(name: str) -> Signer:
    return pki.signer(f"keeper-{name}")


def made(version: int = 1, keepers: str = "abc", threshold: int = 2, **changes: object) -> Registry:
    found = Registry(
        name="试验名册", version=version, issued_ms=NOW, renew_ms=NOW + 30 * DAY, expires_ms=NOW + 60 * DAY,
        grace_ms=10 * DAY, threshold=threshold,
        keepers=tuple(Keeper(f"保管人{name}", keeper(name).public.point) for name in keepers),
        cards=(Listed(CITY, "ab" * 16, b"card"),),
    )  # fmt: skip
    return msgspec.structs.replace(found, **changes)


def signed(registry: Registry, by: str = "ab") -> bytes:
    data = msgspec.json.encode(SignedRegistry(encode(registry)), order="sorted")
    for name in by:
        data = sign(data, keeper(name))
    return data


def code(answer: Registry | Rejected) -> str:
    assert isinstance(answer, Rejected) and answer.zh and answer.en
    return answer.code


def test_the_first_list_is_believed_by_its_keepers_fingerprint() -> None:
    one = made()
    expected = registries.fingerprint(one)
    assert first(signed(one), expected, NOW, pki.PROVIDER) == one
    assert code(first(signed(one), registries.fingerprint(made(keepers="abd")), NOW, pki.PROVIDER)) == "keepers"
    assert registries.fingerprint(made(threshold=1)) != expected, "a lower threshold is another trust"


@pytest.mark.parametrize("by", ["", "a", "aa"])
def test_too_few_keepers_are_not_enough_and_one_counts_once(by: str) -> None:
    one = made()
    assert code(first(signed(one, by), registries.fingerprint(one), NOW, pki.PROVIDER)) == "registry-threshold"


def test_a_signature_of_another_list_counts_for_nothing() -> None:
    other = msgspec.json.decode(signed(made(version=2)), type=SignedRegistry)
    moved = msgspec.json.encode(SignedRegistry(encode(made()), other.signatures), order="sorted")
    assert code(first(moved, registries.fingerprint(made()), NOW, pki.PROVIDER)) == "registry-threshold"


@pytest.mark.parametrize(
    ("offered", "by", "expected"),
    [
        (made(2), "ab", "registry-rollback"),
        (made(3, cards=()), "ab", "registry-conflict"),
        (made(3 + registries.MAX_STEP + 1), "ab", "registry-step"),
        (made(4, issued_ms=NOW - 1), "ab", "registry-rollback"),
        (made(4, name="别的名册"), "ab", "registry-name"),
        (made(4), "a", "registry-threshold"),
        (made(4, keepers="xyz"), "xyz", "registry-threshold"),  # the keepers before it did not agree
        (made(4, keepers="abx", threshold=3), "ab", "registry-threshold"),  # its own keepers did not sign
        (made(4, issued_ms=NOW + DAY), "ab", "registry-future"),
        (made(4, renew_ms=NOW, expires_ms=NOW, grace_ms=0, issued_ms=NOW), "ab", "registry-expired"),
    ],
)
def test_C26_what_does_not_follow_is_refused(offered: Registry, by: str, expected: str) -> None:
    now = NOW + 1 if expected == "registry-expired" else NOW
    assert code(follow(made(3), signed(offered, by), now, pki.PROVIDER)) == expected


def test_keepers_change_when_both_lists_agree() -> None:
    held, after = made(3), made(4, keepers="bcd")
    assert follow(held, signed(after, "bc"), NOW, pki.PROVIDER) == after
    assert follow(after, signed(made(5, keepers="bcd"), "cd"), NOW, pki.PROVIDER) == made(5, keepers="bcd")
    assert follow(held, signed(held), NOW, pki.PROVIDER) == held, "the same list again changes nothing"


def test_C26_a_frozen_list_is_seen_to_age() -> None:
    one = made()
    ages = {0: "good", 30: "good", 31: "renew", 60: "renew", 61: "grace", 70: "grace", 71: "refused"}
    assert {day: one.standing(NOW + day * DAY) for day in ages} == ages


@given(st.integers(1, 80), st.integers(1, 80))
def test_C26_versions_only_grow_and_by_bounded_steps(held: int, offered: int) -> None:
    answer = follow(made(held), signed(made(offered)), NOW, pki.PROVIDER)
    if held <= offered <= held + registries.MAX_STEP:
        assert answer == made(offered)
    else:
        assert code(answer) == ("registry-step" if offered > held else "registry-rollback")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "registry-form"),
        (b"[" * 100_000, "registry-form"),
        (b"x" * (registries.MAX_BYTES + 1), "registry-size"),
        (signed(made()).replace(b'"signatures"', b'"other"'), "registry-form"),
        (msgspec.json.encode(SignedRegistry(encode(made()) + b" ")), "registry-form"),
        (msgspec.json.encode(SignedRegistry(encode(made(keepers="aab", threshold=1)))), "registry-duplicate"),
        (msgspec.json.encode(SignedRegistry(encode(made(threshold=4)))), "registry-terms"),
        (msgspec.json.encode(SignedRegistry(encode(made(renew_ms=NOW + 90 * DAY)))), "registry-terms"),
    ],
    ids=["empty", "nested", "huge", "unknown-field", "not-canonical", "keeper-twice", "threshold", "times"],
)
def test_what_is_no_registry_is_refused(data: bytes, expected: str) -> None:
    with pytest.raises(Malformed) as caught:
        registries.read(data)
    assert caught.value.code == expected


def test_only_a_keeper_can_sign() -> None:
    with pytest.raises(Malformed) as caught:
        sign(signed(made()), keeper("stranger"))
    assert caught.value.code == "not-a-keeper"
