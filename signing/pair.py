"""Double certificates (双证书, GB/T 20518-2018): one holder, one signing and one encryption certificate, never mixed up.

The encryption key is known to the authority's key management centre as well, so nothing signed with it proves anything;
and a document enciphered to a signing key is lost to the holder's successors. Both are certificates of one holder by one
issuer, so only key usage and key tell them apart: those must differ beyond doubt (rows C05-C07). Each chain is judged by
``signing.path`` with its own usage; here only what the two say of each other.
"""

from __future__ import annotations

from typing import Final

from signing.certs import Certificate
from signing.errors import Rejected
from signing.policy import USAGES
from signing.reasons import PAIR_REJECTED

_NONE: Final[frozenset[str]] = frozenset()


def check_pair(signing: Certificate, encryption: Certificate) -> tuple[Rejected, ...]:
    """Everything that keeps the two from being a holder's pair; empty if they are one."""
    signs, enciphers = signing.key_usage or _NONE, encryption.key_usage or _NONE
    no_key = signing.public_key is None or encryption.public_key is None
    rules = {
        "pair-key-missing": no_key,
        "pair-same-key": not no_key and signing.public_key == encryption.public_key,
        "pair-subject": signing.subject_der != encryption.subject_der,
        "pair-issuer": (signing.issuer_der, signing.aki) != (encryption.issuer_der, encryption.aki),
        "pair-is-ca": signing.is_ca or encryption.is_ca,
        "pair-signing-usage": not signs & USAGES["sign"],
        "pair-encryption-usage": not enciphers & USAGES["encrypt"] or bool(enciphers & USAGES["sign"]),
        "pair-usage-overlap": bool(signs & enciphers),
    }
    return tuple(Rejected(code, *PAIR_REJECTED[code]) for code, broken in rules.items() if broken)
