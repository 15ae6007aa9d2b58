"""Shares of a secret: enough give it back, fewer fit every secret, slips and strangers are told apart."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import split
from signing.errors import Malformed
from signing.split import Share
from tests.vectors.split import generate

VECTORS = json.loads(generate.FILE.read_text("utf-8"))
SECRETS = st.binary(min_size=16, max_size=16)
MARK = b"mark"


def test_the_file_is_current() -> None:
    """After a change: ``python -m tests.vectors.split.generate``."""
    assert generate.FILE.read_text("utf-8") == generate.text()


@pytest.mark.parametrize("name", VECTORS["good"])
def test_any_set_of_enough_shares_in_any_order_gives_the_secret(name: str) -> None:
    shares = [split.read(text) for text in VECTORS["good"][name]]
    threshold = int(name[0])
    secret = bytes.fromhex(VECTORS["secret"])
    for chosen in combinations(shares, threshold):
        assert split.join(chosen) == secret
    for chosen in list(permutations(shares))[:24]:
        assert split.join(chosen) == secret
    for chosen in combinations(shares, threshold - 1):
        with pytest.raises(Malformed, match=r"^shares-few:"):
            split.join(chosen)


def test_our_split_gives_the_vectors_shares() -> None:
    """The vectors' values come from logarithm tables, ours from shifts."""
    for name, texts in VECTORS["good"].items():
        threshold, count = int(name[0]), len(texts)
        rows = iter(generate.coefficient(number) for number in range(1, threshold))
        made = split.split(generate.SECRET, threshold, count, generate.MARK, lambda _, rows=rows: next(rows))  # type: ignore[misc]
        assert [split.write(one) for one in made] == texts


@pytest.mark.parametrize("code", ["share-form", "share-check"])
def test_each_defect_has_its_reason(code: str) -> None:
    for name, text in VECTORS[code].items():
        with pytest.raises(Malformed) as refused:
            split.read(text)
        assert refused.value.code == code, name


def test_how_it_is_typed_does_not_matter() -> None:
    text = VECTORS["good"]["2-of-3"][0]
    for typed in (text.lower(), text.replace("-", " "), text.replace("-", ""), f"  {text}\n"):
        assert split.read(typed) == split.read(text)


def test_shares_of_two_backups_and_one_twice_are_refused() -> None:
    one, two, _ = (generate.share(2, index) for index in (1, 2, 3))
    for other in (generate.share(2, 2, mark=b"else"), generate.share(3, 2), one):
        with pytest.raises(Malformed, match=r"^shares-mixed:"):
            split.join([one, other])
    with pytest.raises(Malformed, match=r"^shares-few:"):
        split.join([])
    assert split.join([one, two]) == generate.SECRET


@pytest.mark.parametrize(("threshold", "count", "secret", "mark"), [(1, 3, bytes(16), MARK), (4, 3, bytes(16), MARK),
    (2, 33, bytes(16), MARK), (2, 3, bytes(15), MARK), (2, 3, bytes(16), b"")])  # fmt: skip
def test_what_cannot_be_split_is_a_mistake_of_ours(threshold: int, count: int, secret: bytes, mark: bytes) -> None:
    with pytest.raises(ValueError, match="threshold"):
        split.split(secret, threshold, count, mark, bytes)


@given(SECRETS, st.data())
def test_round_trip(secret: bytes, data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 32))
    threshold = data.draw(st.integers(2, min(count, 6)))
    shares = split.split(
        secret, threshold, count, MARK, lambda size: data.draw(st.binary(min_size=size, max_size=size))
    )
    chosen = data.draw(st.permutations(shares))[:threshold]
    assert split.join([split.read(split.write(one)) for one in chosen]) == secret


@given(SECRETS, SECRETS, SECRETS)
def test_fewer_shares_fit_every_secret(secret: bytes, other: bytes, row: bytes) -> None:
    """Perfect secrecy: for what one of two shares holds, each secret has exactly one polynomial."""
    (held, *_) = split.split(secret, 2, 2, MARK, lambda _: row)
    bent = bytes(a ^ b for a, b in zip(held.value, other, strict=True))  # at x = 1 the coefficient is value - secret
    (again, *_) = split.split(other, 2, 2, MARK, lambda _: bent)
    assert again.value == held.value


def test_the_field_is_the_field() -> None:
    for a in range(256):
        assert Counter(split._times(a, b) for b in range(256))[0] == (256 if a == 0 else 1)
        assert all(split._times(a, b) == generate.times(a, b) for b in range(256))
        assert a == 0 or split._times(a, split._inverse(a)) == 1


@given(st.text(max_size=80))
def test_noise_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        split.read(text)


def test_L10_a_share_does_not_show_its_value() -> None:
    assert repr(generate.share(2, 1)) == repr(Share(generate.MARK, 2, 1, b"other"))
