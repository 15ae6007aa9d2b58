"""``gmssl:``: the PyPI package ``gmssl`` 3.2.2 as a second opinion on verification, never more.

Its defects are kept out by asking it one question only, over values checked here first: it draws nonces from
the Mersenne Twister and its decryption ignores C3 (so it never signs, encrypts or decrypts); its constructor
strips leading 0 and 4 digits from one key in eight (so the key is set after construction); it checks neither
ranges nor the curve and accepts sloppy DER (so r and s come decoded and ranged, the key is a ``PublicKey``);
its SM3 is slow (so it sees the digest only).
"""

from __future__ import annotations

import secrets
from typing import Any, Final, NoReturn

from signing.errors import Unavailable
from signing.keys import private_from_int
from signing.providers import selftest
from signing.sm2 import N, PrivateKey, PublicKey

_DUMMY_KEY: Final = "f" * 128


class Gmssl:
    """The provider; ``module`` is ``gmssl.sm2``."""

    uri = "gmssl:"

    def __init__(self, module: Any) -> None:
        self._module = module
        self.description = "PyPI gmssl, verification only"
        selftest.passes(self, signs=False)

    def random(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def load(self, d: int) -> PrivateKey:
        return private_from_int(d)

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        if not (0 < r < N and 0 < s < N and (r + s) % N and len(e) == 32):
            return False
        verifier = self._module.CryptSM2(private_key="", public_key=_DUMMY_KEY)
        verifier.public_key = public.point[1:].hex()
        try:
            return bool(verifier.verify(f"{r:064x}{s:064x}", e))
        except (ValueError, TypeError, IndexError, ArithmeticError):
            return False

    def generate(self) -> NoReturn:
        raise _verify_only()

    def sign_digest(self, private: PrivateKey, e: bytes) -> NoReturn:
        raise _verify_only()

    def encrypt(self, public: PublicKey, plaintext: bytes) -> NoReturn:
        raise _verify_only()

    def decrypt(self, private: PrivateKey, ciphertext: bytes) -> NoReturn:
        raise _verify_only()


def open_gmssl() -> Gmssl:
    """The provider, or Unavailable where the package is absent or is another package of the same import name."""
    try:
        from gmssl import sm2
    except ImportError:
        raise Unavailable("gmssl-missing", "未安装 gmssl", "gmssl is not installed") from None
    if not hasattr(sm2, "CryptSM2"):
        raise Unavailable("gmssl-other", "装的是另一个同名 gmssl 包", "another package of the name gmssl is installed")
    return Gmssl(sm2)


def _verify_only() -> Unavailable:
    return Unavailable("signing-not-allowed", "gmssl: 只用于复核验签", "gmssl: only verifies, as a second opinion")
