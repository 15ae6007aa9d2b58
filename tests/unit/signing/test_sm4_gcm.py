"""SM4-GCM: RFC 8998's vector, hostile ciphertexts, and streams in segments that cannot be cut, swapped or moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import sm4
from signing.errors import Malformed

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
NONCE = bytes.fromhex("00001234567800000000ABCD")
AAD = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
PLAIN = b"".join(bytes([octet]) * 8 for octet in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
SEALED = bytes.fromhex(
    "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4"
    "024A2691233B8D83DE3541E4C2B58177E065A9BF7B62EC"
)
PREFIX = bytes(range(12))


def test_rfc_8998_a_1() -> None:
    assert sm4.seal(KEY, NONCE, PLAIN, AAD) == SEALED
    assert sm4.open_(KEY, NONCE, SEALED, AAD) == PLAIN


@given(st.binary(max_size=300), st.binary(max_size=60), st.binary(min_size=12, max_size=12))
def test_round_trip(plaintext: bytes, aad: bytes, nonce: bytes) -> None:
    sealed = sm4.seal(KEY, nonce, plaintext, aad)
    assert len(sealed) == len(plaintext) + sm4.TAG
    assert sm4.open_(KEY, nonce, sealed, aad) == plaintext


@pytest.mark.parametrize(
    "ciphertext",
    [
        b"", SEALED[-16:], SEALED[:-1], SEALED[:-4], SEALED[:15], SEALED + b"\0", bytes(80),
        bytes((SEALED[0] ^ 1,)) + SEALED[1:], SEALED[:-1] + bytes((SEALED[-1] ^ 1,)),
    ],
    ids=["empty", "tag only", "cut", "short tag", "15 bytes", "longer", "zeros", "first bit", "last bit"],
)  # fmt: skip
def test_S33_bad_ciphertexts_fail_alike(ciphertext: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        sm4.open_(KEY, NONCE, ciphertext, AAD)
    assert (caught.value.code, caught.value.en) == ("decrypt-failed", "decryption failed")


def test_S33_other_key_nonce_or_aad_fails() -> None:
    for key, nonce, aad in ((bytes(16), NONCE, AAD), (KEY, bytes(12), AAD), (KEY, NONCE, b"")):
        with pytest.raises(Malformed):
            sm4.open_(key, nonce, SEALED, aad)


@pytest.mark.parametrize("nonce", [b"", bytes(8), bytes(11), bytes(13), bytes(16)])
def test_S33_a_nonce_has_twelve_bytes(nonce: bytes) -> None:
    with pytest.raises(ValueError):
        sm4.seal(KEY, nonce, b"x", b"")
    with pytest.raises(ValueError):
        sm4.open_(KEY, nonce, SEALED, b"")


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(17), bytes(32)])
def test_a_key_has_sixteen_bytes(key: bytes) -> None:
    with pytest.raises(ValueError):
        sm4.seal(key, NONCE, b"x", b"")


def _stream(pieces: list[bytes], aad: bytes = b"") -> list[bytes]:
    last = len(pieces) - 1
    return [sm4.seal_segment(KEY, PREFIX, n, n == last, piece, aad) for n, piece in enumerate(pieces)]


def _opened(segments: list[bytes], prefix: bytes = PREFIX, aad: bytes = b"") -> bytes:
    last = len(segments) - 1
    return b"".join(sm4.open_segment(KEY, prefix, n, n == last, piece, aad) for n, piece in enumerate(segments))


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=6), st.binary(max_size=20))
def test_a_stream_round_trips(pieces: list[bytes], aad: bytes) -> None:
    assert _opened(_stream(pieces, aad), aad=aad) == b"".join(pieces)


@pytest.mark.parametrize(
    "attack", ["cut", "swap", "repeat", "drop first", "longer", "other stream", "other case", "final"]
)
def test_S33_a_stream_is_whole_or_nothing(attack: str) -> None:
    one, two, three = _stream([b"one", b"two", b"three"], b"case 1")
    changed = {
        "cut": [one, two], "swap": [two, one, three], "repeat": [one, one, two, three], "drop first": [two, three],
        "longer": [one, two, three, three],
    }.get(attack, [one, two, three])  # fmt: skip
    prefix = bytes(12) if attack == "other stream" else PREFIX
    aad = b"case 2" if attack == "other case" else b"case 1"
    if attack == "final":
        with pytest.raises(Malformed):
            sm4.open_segment(KEY, PREFIX, 2, False, three, b"case 1")
        return
    with pytest.raises(Malformed, match=r"^decrypt-failed:"):
        _opened(changed, prefix, aad)


def test_S33_no_two_segments_share_a_nonce() -> None:
    numbers = [*range(3000), *((1 << shift) for shift in range(12, 32)), (1 << 32) - 1]
    assert len({sm4._nonce(PREFIX, n) for n in numbers}) == len(set(numbers))
    assert sm4._nonce(PREFIX, 0) == PREFIX


def test_limits_of_a_segment() -> None:
    whole = sm4.seal_segment(KEY, PREFIX, 0, True, bytes(sm4.SEGMENT))
    assert sm4.open_segment(KEY, PREFIX, 0, True, whole) == bytes(sm4.SEGMENT)
    with pytest.raises(ValueError):
        sm4.seal_segment(KEY, PREFIX, 0, True, bytes(sm4.SEGMENT + 1))
    with pytest.raises(Malformed):
        sm4.open_segment(KEY, PREFIX, 0, True, whole + b"\0")
    for prefix, index in ((bytes(11), 0), (PREFIX, -1), (PREFIX, 1 << 32)):
        with pytest.raises(ValueError):
            sm4.seal_segment(KEY, prefix, index, True, b"")
