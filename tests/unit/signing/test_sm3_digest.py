"""SM3 and HMAC-SM3: the standard's vectors, both engines, and why a MAC is never SM3(key || message)."""

from __future__ import annotations

import hashlib
import hmac

import gmalg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import sm3
from signing.sm3 import _Cryptography

KNOWN = {
    b"": "1AB21D8355CFA17F8E61194831E81A8F22BEC8C728FEFB747ED035EB5082AA2B",
    b"abc": "66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0",
    b"abcd" * 16: "DEBE9FF92275B8A138604889C18E5A4D6FDB70E5387E5765293DCBA39C0C5732",
    b"a" * 10**6: "C8AAF89429554029E231941A2ACC0AD61FF2A5ACD8FADD25847A3A732B3B02C3",
}


@pytest.mark.parametrize("message", KNOWN, ids=len)
def test_known_answers(message: bytes) -> None:
    assert sm3.sm3(message).hex().upper() == KNOWN[message]


@pytest.mark.parametrize("message", KNOWN, ids=len)
def test_known_answers_of_the_second_engine(message: bytes) -> None:
    engine = _Cryptography()
    engine.update(message)
    assert engine.digest().hex().upper() == KNOWN[message] == engine.copy().digest().hex().upper()


def test_the_second_engine_stands_in_where_hashlib_lacks_sm3(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(name: str) -> None:
        raise ValueError(f"unsupported hash type {name}")

    assert not isinstance(sm3._template(), _Cryptography)
    monkeypatch.setattr(hashlib, "new", lacks)
    assert isinstance(sm3._template(), _Cryptography)


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_parts_are_one_message(parts: list[bytes]) -> None:
    running = sm3.new()
    for part in parts:
        running.update(part)
    assert sm3.sm3(*parts) == sm3.sm3(b"".join(parts)) == running.digest()


@given(st.binary(max_size=300))
def test_agrees_with_an_independent_implementation(message: bytes) -> None:
    other = gmalg.SM3()
    other.update(message)
    assert sm3.sm3(message) == other.value()


def test_a_copy_runs_by_itself() -> None:
    first = sm3.new()
    first.update(b"a")
    second = first.copy()
    second.update(b"bc")
    assert first.digest() == sm3.sm3(b"a")
    assert second.digest() == sm3.sm3(b"abc")


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_hmac_agrees_with_the_standard_library(key: bytes, data: bytes) -> None:
    assert sm3.hmac_sm3(key, data) == hmac.new(key, data, "sm3").digest()


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 128])
def test_hmac_keys_around_the_block_size(size: int) -> None:
    key = bytes(range(size))
    assert sm3.hmac_sm3(key, b"m") == hmac.new(key, b"m", "sm3").digest()


def _compress_on(state: bytes, block: bytes) -> bytes:
    """SM3's compression function from a given state: what somebody does who extends a digest."""
    mask = 0xFFFFFFFF

    def rol(value: int, by: int) -> int:
        return (value << by % 32 | value >> (32 - by % 32)) & mask if by % 32 else value

    w = [int.from_bytes(block[at : at + 4], "big") for at in range(0, 64, 4)]
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ rol(w[j - 3], 15)
        w.append(x ^ rol(x, 15) ^ rol(x, 23) ^ rol(w[j - 13], 7) ^ w[j - 6])
    v = [int.from_bytes(state[at : at + 4], "big") for at in range(0, 32, 4)]
    a, b, c, d, e, f, g, h = v
    for j in range(64):
        early = j < 16
        ss1 = rol((rol(a, 12) + e + rol(0x79CC4519 if early else 0x7A879D8A, j)) & mask, 7)
        ff = a ^ b ^ c if early else a & b | a & c | b & c
        gg = e ^ f ^ g if early else e & f | ~e & g
        tt1 = (ff + d + (ss1 ^ rol(a, 12)) + (w[j] ^ w[j + 4])) & mask
        tt2 = (gg + h + ss1 + w[j]) & mask
        a, b, c, d = tt1, a, rol(b, 9), c
        e, f, g, h = tt2 ^ rol(tt2, 9) ^ rol(tt2, 17), e, rol(f, 19), g
    return b"".join((x ^ y).to_bytes(4, "big") for x, y in zip((a, b, c, d, e, f, g, h), v, strict=True))


def _padding(length: int) -> bytes:
    return b"\x80" + bytes((55 - length) % 64) + (8 * length).to_bytes(8, "big")


def test_S31_a_prefix_mac_can_be_extended_and_hmac_cannot() -> None:
    key, message, more = b"sixteen byte key", b"amount=1", b"&amount=1000000"
    glue = _padding(len(key + message))
    forged = _compress_on(sm3.sm3(key + message), more + _padding(len(key + message + glue + more)))
    assert forged == sm3.sm3(key + message + glue + more)
    extended = _compress_on(sm3.hmac_sm3(key, message), more + _padding(len(key + message + glue + more)))
    assert extended != sm3.hmac_sm3(key, message + glue + more)


@pytest.mark.parametrize("tag", ["", "cut", "longer", "other", "doubled"])
def test_S32_only_the_whole_tag_is_the_tag(tag: str) -> None:
    good = sm3.hmac_sm3(b"key", b"data")
    bad = {"": b"", "cut": good[:-1], "longer": good + b"\0", "other": good[:-1] + b"\0", "doubled": good + good}[tag]
    assert sm3.same(good, bytes(good))
    assert not sm3.same(good, bad)
