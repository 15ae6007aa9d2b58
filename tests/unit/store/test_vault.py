"""The vault: what is sealed opens only with its key and label; a wrapped key destroyed is content destroyed."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.vault import Vault
from signing.errors import Malformed


def vault() -> Vault:
    return Vault(b"k" * 16, b"b" * 32, os.urandom)


@given(st.binary(max_size=3000), st.binary(max_size=40))
def test_what_is_sealed_opens_again(data: bytes, label: bytes) -> None:
    one = vault()
    key, wrapped = one.new_key()
    assert one.unwrap(wrapped) == key
    sealed = one.seal(key, data, label)
    assert one.open(key, sealed, label) == data
    assert data not in sealed or len(data) < 4


@given(st.binary(min_size=1, max_size=200), st.integers(min_value=0))
def test_S33_a_changed_bit_opens_nothing(data: bytes, where: int) -> None:
    one = vault()
    key, _ = one.new_key()
    sealed = bytearray(one.seal(key, data, b"x"))
    sealed[where % len(sealed)] ^= 1 << (where % 8)
    with pytest.raises(Malformed):
        one.open(key, bytes(sealed), b"x")


def test_a_field_cannot_be_passed_off_as_another() -> None:
    one = vault()
    key, _ = one.new_key()
    with pytest.raises(Malformed):
        one.open(key, one.seal(key, b"data", b"body:1"), b"body:2")


def test_without_its_wrapped_key_content_is_gone() -> None:
    one, other = vault(), Vault(b"K" * 16, b"b" * 32, os.urandom)
    _, wrapped = one.new_key()
    with pytest.raises(Malformed):
        other.unwrap(wrapped)


def test_blind_values_are_equal_for_equal_numbers_and_keyed() -> None:
    assert vault().blind("420104") == vault().blind("420104") != vault().blind("420105")
    assert vault().blind("420104") != Vault(b"k" * 16, b"c" * 32, os.urandom).blind("420104")
