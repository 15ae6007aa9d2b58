"""Signing an agreement for a party, and the checks that ``load.check_signatures`` asks for, on SM2 certificates.

A signature counts for a party when: the certificate can be read; the time is not ahead of now; the SM2 signature over the
domain-separated message holds; the certificate is the party's (its key is one the party's card announced, or its subject
holds the party id, the credit code or the party's exact name); and its chain reached a trusted root at the time of signing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agreements.load import PartySignature, SignatureCheck, check_signatures, message, parse, time_text, with_signature
from agreements.load import SignedAgreement as SignedAgreement
from agreements.model import Party
from agreements.problems import AgreementError
from signing import certs, names, sm2
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Indeterminate, Malformed, Rejected
from signing.path import check_path
from signing.policy import PathPolicy

if TYPE_CHECKING:
    from signing.providers import Provider
    from signing.sm2 import Signer

SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Trusting:
    """What a verifier trusts. ``keys``: party id -> key ids its card announced, where cards are held.

    Without anchors a signature can be found wrong, never good: the answer is then "cannot tell". ``until``: revocation lists
    of as late as this are at hand (``now`` if not given).
    """

    provider: Provider
    anchors: Sequence[Certificate]
    now: datetime
    policy: PathPolicy
    intermediates: Sequence[Certificate] = ()
    crls: Sequence[RevocationList] = ()
    keys: Mapping[str, frozenset[str]] | None = None
    until: datetime | None = None


def belongs(certificate: Certificate, party: Party, keys: Mapping[str, frozenset[str]] | None) -> bool:
    """Whether the certificate is the party's."""
    if keys is not None and party.id in keys:
        return certificate.public_key is not None and certificate.public_key.thumbprint in keys[party.id]
    values = [text for _, text in names.attributes(certificate.subject_der)]
    uscc = party.id.partition(".")[2]
    return party.name in values or any(uscc in text for text in values)


def _reason(
    party: Party, signature: PartySignature, text: bytes, trusting: Trusting
) -> Rejected | Indeterminate | None:
    """The numbered checks of the module's header, in their order."""
    try:
        certificate = certs.parse(signature.certificate)
    except Malformed as error:
        return Rejected(error.code, error.zh, error.en)
    if signature.time - trusting.now > SKEW:
        return Rejected("signed-in-future", "签署时间晚于现在", "the time of signing lies ahead of now")
    covered = message(text, party.id, signature.at)
    key = certificate.public_key
    if key is None or not sm2.verify(trusting.provider, key, covered, signature.signature, signer_id=sm2.DEFAULT_ID):
        zh = "签名与正文、主体或时间不符，协议可能被改动"
        return Rejected("wrong-signature", zh, "the signature does not fit text, party or time: it may be altered")
    if not belongs(certificate, party, trusting.keys):
        zh = "证书不属于签署方"
        return Rejected("certificate-of-another", zh, "the certificate is not the signing party's")
    if not trusting.anchors:
        return Indeterminate("no-anchor", "未给出所信任的根证书，不能判断证书链", "no trusted root is given")
    report = check_path(
        certificate, trusting.intermediates, trusting.anchors, signature.time, trusting.provider,
        crls=trusting.crls, policy=trusting.policy, now=trusting.now, until=trusting.until,
    )  # fmt: skip
    return None if report.ok else report.reasons[0]


def check(signed: SignedAgreement, trusting: Trusting) -> list[SignatureCheck]:
    """The state of every party's signature."""
    parties = {party.id: party for party in signed.agreement.parties}
    lines = {signature.party: signature for signature in signed.signatures}

    def verify(party: str, *_: object) -> Rejected | Indeterminate | None:
        return _reason(parties[party], lines[party], signed.text, trusting)

    return check_signatures(signed, verify=verify)


def sign(data: bytes, party: str, signer: Signer, certificate: bytes, at: datetime) -> bytes:
    """The file with this party's signature added. AgreementError: not the party's certificate or key, signed already."""
    signed = parse(data)
    text = signed.text if signed.text.endswith(b"\n") else signed.text + b"\n"
    found = signed.agreement.party(party)
    if found is None:
        raise AgreementError(
            "signature-by-stranger", "签署者不是协议的一方", "the signer is no party of the agreement", party
        )
    parsed = certs.parse(certificate)
    if parsed.public_key != signer.public:
        raise AgreementError(
            "key-certificate-mismatch", "私钥与证书不成对", "key and certificate do not belong together"
        )
    if not belongs(parsed, found, None):
        zh = "证书主体中没有该方的主体标识、统一社会信用代码或名称"
        raise AgreementError("certificate-of-another", zh, "the certificate is not this party's", party)
    stamp = time_text(at)
    made = PartySignature(party, stamp, certificate, signer.sign(message(text, party, stamp)))
    return with_signature(text + b"".join(s.line() for s in signed.signatures), made)
