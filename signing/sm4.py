"""SM4-GCM (分组密码 SM4, GB/T 32907-2016 with RFC 8998) for content keys, whole and in segments.

Keys and nonces are arguments. A nonce is used once under a key: a whole message takes 12 fresh random bytes
or a counter that the caller stores; never both styles under one key.

Segments (for streams, each at most 1 MiB): a stream draws a 12-byte random ``prefix`` once and stores it in
front of its segments. Segment n uses the nonce ``prefix XOR n`` (n as 12 bytes, the construction of RFC 8446
5.3) and binds n and the final flag as associated data, so segments cannot be cut off, swapped, repeated or
moved to another stream. n < 2^32. Two streams under one key share a nonce with a chance of about q²/2^64 for
q streams: give each case its own key.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from signing.errors import Malformed

KEY: Final = 16
NONCE: Final = 12
TAG: Final = 16
SEGMENT: Final = 1 << 20
_DOMAIN: Final = b"tongban/v1/segment\n"


def _cipher(key: bytes, nonce: bytes, tag: bytes | None) -> Cipher[modes.GCM]:
    if len(key) != KEY or len(nonce) != NONCE:
        raise ValueError("SM4-GCM takes a 16-byte key and a 12-byte nonce")
    return Cipher(algorithms.SM4(key), modes.GCM(nonce, tag))


def seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Ciphertext || 16-byte tag. ValueError on a key that is not 16 or a nonce that is not 12 bytes (S33)."""
    encryptor = _cipher(key, nonce, None).encryptor()
    encryptor.authenticate_additional_data(aad)
    return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag


def open_(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    """The plaintext; Malformed("decrypt-failed") whatever is wrong with ciphertext, tag or associated data."""
    body, tag = ciphertext[:-TAG], ciphertext[-TAG:]
    if len(tag) != TAG:
        raise _failed()
    decryptor = _cipher(key, nonce, tag).decryptor()
    decryptor.authenticate_additional_data(aad)
    try:
        return decryptor.update(body) + decryptor.finalize()
    except InvalidTag:
        raise _failed() from None


def seal_segment(key: bytes, prefix: bytes, index: int, final: bool, plaintext: bytes, aad: bytes = b"") -> bytes:
    """Segment ``index`` of a stream: ciphertext || tag. ValueError above 1 MiB or outside 0..2^32-1."""
    if len(plaintext) > SEGMENT:
        raise ValueError("a segment has at most 1 MiB")
    return seal(key, _nonce(prefix, index), plaintext, _bound(index, final, aad))


def open_segment(key: bytes, prefix: bytes, index: int, final: bool, ciphertext: bytes, aad: bytes = b"") -> bytes:
    """The plaintext of segment ``index``; the caller says whether it is the last one it has, and a lie fails."""
    if len(ciphertext) > SEGMENT + TAG:
        raise _failed()
    return open_(key, _nonce(prefix, index), ciphertext, _bound(index, final, aad))


def _nonce(prefix: bytes, index: int) -> bytes:
    if len(prefix) != NONCE or not 0 <= index < 1 << 32:
        raise ValueError("a stream has a 12-byte prefix and at most 2^32 segments")
    return (int.from_bytes(prefix) ^ index).to_bytes(NONCE)


def _bound(index: int, final: bool, aad: bytes) -> bytes:
    return _DOMAIN + index.to_bytes(4) + (b"\1" if final else b"\0") + aad


def _failed() -> Malformed:
    return Malformed("decrypt-failed", "解密失败", "decryption failed")
