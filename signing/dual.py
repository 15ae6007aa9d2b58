"""Dual certificates (双证书): one to sign with, one to be encrypted to, never mixed up (GM/T 0015-2012, GB/T 20518-2018).

The encryption key is made by the CA's key centre, so others may hold it: what it signed would prove nothing. A signing
key is the holder's alone, so what was encrypted to it could never be recovered. Where a certificate says nothing of its
use (no keyUsage), it signs and is not encrypted to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from signing import names
from signing.certs import Certificate
from signing.errors import Rejected
from signing.policy import USAGES
from signing.reasons import PAIR_REJECTED


def may_sign(certificate: Certificate) -> bool:
    """Whether its holder signs with it (C05)."""
    return certificate.key_usage is None or bool(USAGES["sign"] & certificate.key_usage)


def may_encrypt(certificate: Certificate) -> bool:
    """Whether others encrypt to it, and it signs nothing (C06)."""
    usage = certificate.key_usage or frozenset()
    return bool(USAGES["encrypt"] & usage) and not usage & (USAGES["sign"] | {"keyCertSign", "cRLSign"})


def same_holder(one: Certificate, other: Certificate) -> bool:
    """Whether both name one organisation; the common name may tell the two keys of a holder apart (C07)."""
    return _organisation(one) == _organisation(other) != []


def refuse_recipient(encryption: Certificate, signing: Iterable[Certificate], at: datetime) -> Rejected | None:
    """Why nothing may be encrypted to a certificate at a time, None if it may. ``signing``: its holder's other ones."""
    if not may_encrypt(encryption):
        zh, en = "该证书不是加密证书（密钥用途不符）", "the certificate is not for encryption (key usage)"
        return Rejected("key-usage", zh, en)
    if not encryption.not_before <= at <= encryption.not_after:
        return Rejected("not-valid-now", "加密证书不在有效期内", "the encryption certificate is not valid now")
    if not all(same_holder(encryption, other) for other in signing):
        zh, en = "加密证书与签名证书不属同一单位", "encryption and signing certificates are of different holders"
        return Rejected("certificates-not-paired", zh, en)
    return None


def check_pair(signing: Certificate, encryption: Certificate) -> tuple[Rejected, ...]:
    """All that keeps two certificates from being the pair that one authority issued to one holder; empty if they are one.

    Stricter than ``same_holder``, which tells whose a key is: a pair has one subject and one issuer, and its key usages have
    nothing in common. Whether each is valid is ``signing.path``'s to say.
    """
    signs, enciphers = signing.key_usage or frozenset(), encryption.key_usage or frozenset()
    no_key = signing.public_key is None or encryption.public_key is None
    rules = {
        "pair-key-missing": no_key,
        "pair-same-key": not no_key and signing.public_key == encryption.public_key,
        "pair-subject": signing.subject_der != encryption.subject_der,
        "pair-issuer": (signing.issuer_der, signing.aki) != (encryption.issuer_der, encryption.aki),
        "pair-is-ca": signing.is_ca or encryption.is_ca,
        "pair-signing-usage": not signs & USAGES["sign"],
        "pair-encryption-usage": not may_encrypt(encryption),
        "pair-usage-overlap": bool(signs & enciphers),
    }
    return tuple(Rejected(code, *PAIR_REJECTED[code]) for code, broken in rules.items() if broken)


def _organisation(certificate: Certificate) -> list[str]:
    return [value for kind, value in names.attributes(certificate.subject_der) if kind == names.OIDS["O"]]
