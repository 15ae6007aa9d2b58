"""A provider around another: everything goes to the inner one; a subclass says only what it does differently."""

from __future__ import annotations

from signing.providers import Provider
from signing.sm2 import PrivateKey, PublicKey


class Around:
    """Passes every act on to ``inner``."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner
        self.uri = inner.uri
        self.description = inner.description

    def random(self, count: int) -> bytes:
        return self._inner.random(count)

    def generate(self) -> PrivateKey:
        return self._inner.generate()

    def load(self, d: int) -> PrivateKey:
        return self._inner.load(d)

    def sign_digest(self, private: PrivateKey, e: bytes) -> tuple[int, int]:
        return self._inner.sign_digest(private, e)

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        return self._inner.verify_digest(public, e, r, s)

    def encrypt(self, public: PublicKey, plaintext: bytes) -> bytes:
        return self._inner.encrypt(public, plaintext)

    def decrypt(self, private: PrivateKey, ciphertext: bytes) -> bytes:
        return self._inner.decrypt(private, ciphertext)
