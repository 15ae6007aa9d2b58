"""Signed messages judged (签名数据核验, GB/T 35275-2017): one numbered list, several signers, chains at a given time.

Every signer must hold for the message to hold. Certificates in the message help to find a signer and to build its chain;
what is trusted are the anchors given. The signing time among the attributes is the signer's own word: it is shown and
decides nothing. Reasons of one signer follow those of the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from signing import crl, der, sm2
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Malformed, Rejected
from signing.message_reasons import message_reason
from signing.path import check_path
from signing.policy import PathPolicy
from signing.reasons import Reason
from signing.signed_data import CONTENT_TYPE, SIGNING_TIME, SignedData, SignerInfo, parse, single
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider


@dataclass(frozen=True, slots=True)
class SignerReport:
    """What came of one signer. ``certificate`` None: not found. ``stated_time``: its own word."""

    certificate: Certificate | None
    reasons: tuple[Reason, ...]
    stated_time: datetime | None


@dataclass(frozen=True, slots=True)
class SignedReport:
    """``ok`` False: something is bad; None: something cannot be told. ``content``: what was signed, None if unknown."""

    ok: bool | None
    reasons: tuple[Reason, ...]
    signers: tuple[SignerReport, ...] = ()
    content: bytes | None = None


def verify_signed(
    data: bytes,
    content: bytes | None = None,
    *,
    at: datetime,
    anchors: Sequence[Certificate],
    provider: Provider,
    policy: PathPolicy,
    crls: Sequence[RevocationList] = (),
    intermediates: Sequence[Certificate] = (),
    signer_id: bytes = sm2.DEFAULT_ID,
) -> SignedReport:
    """Judge a message as of ``at``; ``content``: the octets it was made over, where it does not carry them."""
    # 1. form
    try:
        signed = parse(data)
    except Malformed as fault:
        return _report([message_reason("message-form", (fault.zh, fault.en))])
    # 2. somebody signed it
    if not signed.signers:
        return _report([message_reason("message-unsigned")])
    # 3. the content is at hand, and one only
    if signed.content is not None and content is not None and content != signed.content:
        return _report([message_reason("message-content")])
    octets = signed.content if signed.content is not None else content
    pool = (*signed.certificates, *intermediates)
    lists = (*crls, *carried_lists(signed))
    reports = []
    for info in signed.signers:
        certificate, reasons = check_signer(signed, info, octets, pool, provider, signer_id)
        # 7. the chain, at the time of verification
        if certificate is not None:
            path = check_path(certificate, pool, anchors, at, provider, crls=lists, policy=policy)
            reasons += path.reasons
        reports.append(SignerReport(certificate, tuple(reasons), _stated_time(info)))
    return _report([reason for one in reports for reason in one.reasons], reports, octets)


def check_signer(
    signed: SignedData,
    info: SignerInfo,
    content: bytes | None,
    pool: Sequence[Certificate],
    provider: Provider,
    signer_id: bytes = sm2.DEFAULT_ID,
) -> tuple[Certificate | None, list[Reason]]:
    """The signer's certificate, if it is there, and all that is wrong with its signature over this content."""
    # 4. algorithms
    if not info.algorithms_known:
        named = f"{info.digest_algorithm}, {info.signature_algorithm}"
        return None, [message_reason("message-algorithm", named)]
    certificate = next((one for one in pool if info.fits(one)), None)
    if certificate is None:
        return None, [message_reason("message-signer-unknown")]
    if content is None:
        return certificate, [message_reason("message-content-missing")]
    # 5. the signed attributes speak of this content
    reasons = _attributes(signed, info, content)
    # 6. the signature
    key = certificate.public_key
    message = content if info.covered is None else info.covered
    if key is None or not sm2.verify(provider, key, message, info.signature, signer_id=signer_id):
        reasons.append(message_reason("message-signature"))
    return certificate, reasons


def _attributes(signed: SignedData, info: SignerInfo, content: bytes) -> list[Reason]:
    if info.covered is None:
        return []
    reasons = []
    if info.attributes.get(CONTENT_TYPE, ()) != (der.oid(signed.content_type),):
        reasons.append(message_reason("message-content-type"))
    if info.stated != sm3(content):
        reasons.append(message_reason("message-digest"))
    return reasons


def carried_lists(signed: SignedData) -> list[RevocationList]:
    """The lists in the message that can be read; each counts only if the issuer of what it lists signed it."""
    found = []
    for one in signed.lists:
        try:
            found.append(crl.parse(one))
        except Malformed:
            continue
    return found


def _stated_time(info: SignerInfo) -> datetime | None:
    try:
        value = single(info, SIGNING_TIME)
        return value.as_time() if value else None
    except Malformed:
        return None


def _report(
    reasons: Sequence[Reason], signers: Sequence[SignerReport] = (), content: bytes | None = None
) -> SignedReport:
    ok = False if any(isinstance(reason, Rejected) for reason in reasons) else None if reasons else True
    return SignedReport(ok, tuple(reasons), tuple(signers), content)
