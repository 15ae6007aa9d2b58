"""``tables:``: libcrypto signs and decrypts; a signer seen often is verified through its own table (``pure:``).

With gmpy2 a table verifies more than twice as fast as OpenSSL 3.0, which has no such tables for SM2, and verification handles
public values only, so variable time costs nothing. A table's "no" is never the last word: libcrypto is asked again before
anybody is refused, and a disagreement is kept for ``doctor`` to report (GmSSL issue 951 is why).
"""

from __future__ import annotations

from signing.providers import Provider
from signing.providers.pure import Pure
from signing.sm2 import PrivateKey, PublicKey


class Tables:
    """The provider over a libcrypto provider."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner
        self._pure = Pure()
        self.uri = "tables:"
        self.description = f"{inner.description} + {self._pure.description}"
        self.disagreements = 0

    def random(self, count: int) -> bytes:
        return self._inner.random(count)

    def generate(self) -> PrivateKey:
        return self._inner.generate()

    def load(self, d: int) -> PrivateKey:
        return self._inner.load(d)

    def sign_digest(self, private: PrivateKey, e: bytes) -> tuple[int, int]:
        return self._inner.sign_digest(private, e)

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        known = self._pure.knows(public)
        if known and self._pure.verify_digest(public, e, r, s):
            return True
        good = self._inner.verify_digest(public, e, r, s)
        self.disagreements += known and good
        return good

    def encrypt(self, public: PublicKey, plaintext: bytes) -> bytes:
        return self._inner.encrypt(public, plaintext)

    def decrypt(self, private: PrivateKey, ciphertext: bytes) -> bytes:
        return self._inner.decrypt(private, ciphertext)
