"""``tables:``: libcrypto signs and decrypts; a signer seen often is verified through its own table (``pure:``).

With gmpy2 a table verifies more than twice as fast as OpenSSL 3.0, which has no such tables for SM2, and verification handles
public values only, so variable time costs nothing. A table's "no" is never the last word: libcrypto is asked again before
anybody is refused, and a disagreement is kept for ``doctor`` to report (GmSSL issue 951 is why).
"""

from __future__ import annotations

from signing.providers import Provider
from signing.providers.around import Around
from signing.providers.pure import Pure
from signing.sm2 import PublicKey


class Tables(Around):
    """The provider over a libcrypto provider."""

    def __init__(self, inner: Provider) -> None:
        super().__init__(inner)
        self._pure = Pure()
        self.uri = "tables:"
        self.description = f"{inner.description} + {self._pure.description}"
        self.disagreements = 0

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        known = self._pure.knows(public)
        if known and self._pure.verify_digest(public, e, r, s):
            return True
        good = self._inner.verify_digest(public, e, r, s)
        self.disagreements += known and good
        return good
