"""SM3 digest (密码杂凑算法, GB/T 32905-2016 = ISO/IEC 10118-3) and HMAC-SM3 (GB/T 15852.2).

``hashlib`` when the interpreter's OpenSSL knows SM3, else the SM3 inside ``cryptography``; both are native
code. A MAC is always HMAC: ``SM3(key || message)`` can be extended by anybody who sees it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol, Self

from cryptography.hazmat.primitives import hashes

SIZE = 32
BLOCK = 64


class Hash(Protocol):
    """A running digest."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def copy(self) -> Self: ...


class _Cryptography:
    """SM3 of ``cryptography`` in the shape of ``hashlib``, for interpreters whose own OpenSSL lacks SM3."""

    __slots__ = ("_inner",)
    name = "sm3"
    digest_size = SIZE
    block_size = BLOCK

    def __init__(self, inner: hashes.Hash | None = None) -> None:
        self._inner = inner if inner is not None else hashes.Hash(hashes.SM3())

    def update(self, data: bytes, /) -> None:
        self._inner.update(data)

    def digest(self) -> bytes:
        return self._inner.copy().finalize()

    def copy(self) -> _Cryptography:
        return _Cryptography(self._inner.copy())


def _template() -> Hash:
    try:
        return hashlib.new("sm3")
    except ValueError:
        return _Cryptography()


_EMPTY = _template()


def new() -> Hash:
    """A fresh running digest."""
    return _EMPTY.copy()


def sm3(*parts: bytes) -> bytes:
    """SM3 over the concatenation of the parts: 32 bytes."""
    running = _EMPTY.copy()
    for part in parts:
        running.update(part)
    return running.digest()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC-SM3: 32 bytes. Compare tags with ``same`` only."""
    if len(key) > BLOCK:
        key = sm3(key)
    key = key.ljust(BLOCK, b"\0")
    inner = sm3(key.translate(_IPAD), data)
    return sm3(key.translate(_OPAD), inner)


def same(left: bytes, right: bytes) -> bool:
    """Constant-time comparison of two tags or digests; an empty or shortened tag never equals a whole one."""
    return hmac.compare_digest(left, right)


_IPAD = bytes(value ^ 0x36 for value in range(256))
_OPAD = bytes(value ^ 0x5C for value in range(256))
