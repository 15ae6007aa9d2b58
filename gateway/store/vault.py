"""Content at rest: every case has its own SM4 key, wrapped by the node's key-encryption key (KEK).

What is sealed: 12-byte nonce, ciphertext, 16-byte tag (SM4-GCM), with a label as associated data that says what
the bytes are, so that one field cannot be passed off as another. Destroying a case's wrapped key destroys its
content (crypto-shredding). Search over identity numbers uses HMAC-SM3 under a key of its own (blind index).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from signing import sm4
from signing.sm3 import hmac_sm3

NONCE = 12
KEY = 16
HELD = 4096  # keys kept open; the oldest leaves


class Vault:
    """Seals and opens content. ``kek`` and ``blind_key`` are 16 and 32 bytes; ``random`` gives n random bytes for keys."""

    def __init__(self, kek: bytes, blind_key: bytes, random: Callable[[int], bytes]) -> None:
        self._kek = kek
        self._blind_key = blind_key
        self._random = random
        self._open: dict[bytes, bytes] = {}
        self._lock = threading.Lock()  # files are sealed and opened in threads

    def new_key(self) -> tuple[bytes, bytes]:
        """A fresh content key and its wrapped form."""
        key = self._random(KEY)
        wrapped = self.wrap(key)
        self._hold(wrapped, key)
        return key, wrapped

    def wrap(self, key: bytes) -> bytes:
        """The key under the KEK."""
        return self.seal(self._kek, key, b"key")

    def unwrap(self, wrapped: bytes) -> bytes:
        """The content key of its wrapped form; ``Malformed`` when it is not one of ours."""
        key = self._open.get(wrapped)
        if key is None:
            key = self.open(self._kek, wrapped, b"key")
            self._hold(wrapped, key)
        return key

    def _hold(self, wrapped: bytes, key: bytes) -> None:
        with self._lock:
            while len(self._open) >= HELD:
                self._open.pop(next(iter(self._open)))
            self._open[wrapped] = key

    def seal(self, key: bytes, data: bytes, label: bytes) -> bytes:
        """Encrypt and authenticate ``data`` under ``key``; ``label`` must be given again to open it."""
        nonce = os.urandom(NONCE)
        return nonce + sm4.seal(key, nonce, data, label)

    def open(self, key: bytes, sealed: bytes, label: bytes) -> bytes:
        """The sealed bytes in clear. Raises ``Malformed`` when key, label or bytes do not belong together."""
        return sm4.open_(key, sealed[:NONCE], sealed[NONCE:], label)

    def blind(self, value: str) -> bytes:
        """Blind index of an identity number: equal numbers give equal values, the value tells nothing."""
        return hmac_sm3(self._blind_key, value.encode())
