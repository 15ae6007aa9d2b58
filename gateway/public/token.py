"""The token in a certificate's QR code (二维码令牌): 130 random bits, of which the issuer keeps only the SM3 digest.

Nobody can count through 2^130 of them, and who reads the register cannot make the address of a page from it.
"""

from __future__ import annotations

from gateway.ids import ALPHABET
from signing.sm3 import sm3

LENGTH = 26
RANDOM_BYTES = 17


def make(random: bytes) -> str:
    """A token of ``RANDOM_BYTES`` random bytes: 26 characters of Crockford's Base32."""
    value = int.from_bytes(random, "big")
    return "".join(ALPHABET[value >> 5 * place & 31] for place in range(LENGTH))


def digest(token: str) -> bytes:
    """What is kept and looked up, of any text that stands where a token should."""
    return sm3(token.encode("utf-8", "surrogatepass"))
