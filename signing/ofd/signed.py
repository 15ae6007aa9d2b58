"""Signatures of an OFD without a seal (Type=Sign; GM/T 0099-2020 7.2.2): GB/T 35275 signed data, or a bare value.

What is signed is the description, in one of the forms that writers use: its bytes, its digest, that digest as Base64. Of
a bare value only the one who has the certificate can tell whose it is: it is looked for among those that were given and
those that lie beside the value.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from signing import der, signed_data, sm2
from signing import seal_checks as checks
from signing.certs import Certificate
from signing.errors import Malformed
from signing.ofd import reasons as ofd_reasons
from signing.ofd.container import Description
from signing.oids import SM2_CURVE, SM2_SIGN, SM2_WITH_SM3
from signing.reasons import Reason
from signing.signed_data import SignedData, SignerInfo
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider

METHODS: Final = frozenset(
    {SM2_WITH_SM3, SM2_SIGN, SM2_CURVE, "sm2", "sm2withsm3", "sm3withsm2", "sm2-with-sm3", "sm2sign_with_sm3"}
)


def judge(
    description: Description,
    value: bytes,
    beside: Sequence[Certificate],
    against: checks.Against,
    found: checks.Findings,
) -> str:
    """Adds what is found in a signed value; the subject of its signer, empty if nobody knows."""
    found.outcome.update(window="absent", membership="absent")
    found.add("time", _future(description.time, against))
    if _is_bare(value):
        return _bare(description, value, (*against.intermediates, *beside), against, found)
    try:
        signed = signed_data.parse(value)
        info = signed.only_signer
    except Malformed as fault:
        found.add("signature", [_unreadable(description, fault)])
        return ""
    signer = next((one for one in signed.certificates if info.fits(one)), None)
    found.add("document", [] if _is_about(signed, info, description) else [ofd_reasons.rejected("ofd-signed-content")])
    found.add("signature", _signature(signed, info, signer, description, against.provider))
    _trusted(signer, description, signed.certificates, against, found)
    return signer.subject if signer else ""


def _is_bare(value: bytes) -> bool:
    try:
        der.decode_signature(value)
    except Malformed:
        return False
    return True


def _bare(
    description: Description,
    value: bytes,
    candidates: Sequence[Certificate],
    against: checks.Against,
    found: checks.Findings,
) -> str:
    signer = next((one for one in candidates if _holds(one, _forms(description), value, against.provider)), None)
    found.add("signature", [] if signer else [ofd_reasons.unknown("ofd-signer-unknown")])
    if signer:
        found.add("document", [])
    _trusted(signer, description, (), against, found)
    return signer.subject if signer else ""


def _forms(description: Description) -> tuple[bytes, ...]:
    digest = sm3(description.raw)
    return description.raw, digest, base64.b64encode(digest)


def _holds(signer: Certificate, messages: Sequence[bytes], signature: bytes, provider: Provider) -> bool:
    key = signer.public_key
    return key is not None and any(
        sm2.verify(provider, key, message, signature, signer_id=sm2.DEFAULT_ID) for message in messages
    )


def _unreadable(description: Description, fault: Malformed) -> Reason:
    """A value that is no signed data: garbage, unless an algorithm is named that nobody here can read."""
    method = description.method.strip()
    if not method or method.lower() in METHODS:
        return ofd_reasons.rejected("ofd-signed-value", (fault.zh, fault.en))
    return ofd_reasons.unknown("ofd-signed-algorithm", ofd_reasons.listed([method[:40]]))


def _is_about(signed: SignedData, info: SignerInfo, description: Description) -> bool:
    """The content is the description in one of its forms, or is left out; a digest among the signed attributes is that of
    the description or, as in other signed data, that of the content."""
    forms = _forms(description)
    fits = signed.content is None or signed.content in forms or signed.content.strip() in forms
    return fits and info.stated in (None, *(sm3(form) for form in forms))


def _signature(
    signed: SignedData, info: SignerInfo, signer: Certificate | None, description: Description, provider: Provider
) -> list[Reason]:
    if not info.algorithms_known:
        named = f"{info.digest_algorithm}, {info.signature_algorithm}"
        return [ofd_reasons.unknown("ofd-signed-algorithm", named)]
    if signer is None:
        return [ofd_reasons.unknown("ofd-signer-unknown")]
    said = info.covered or signed.content
    messages = (said,) if said is not None else _forms(description)
    return [] if _holds(signer, messages, info.signature, provider) else [ofd_reasons.rejected("ofd-signed-signature")]


def _trusted(
    signer: Certificate | None,
    description: Description,
    carried: Sequence[Certificate],
    against: checks.Against,
    found: checks.Findings,
) -> None:
    if signer is None:
        return
    trust = replace(against, intermediates=(*against.intermediates, *carried))
    checks.signer_chain(signer, description.time or against.at, None, trust, found)
    found.notes.append(ofd_reasons.note("ofd-time-self-declared"))


def _future(time: datetime | None, against: checks.Against) -> list[Reason]:
    if time is None or time - against.at <= against.policy.clock_skew:
        return []
    return [ofd_reasons.rejected("ofd-time-future", f"{time:%Y-%m-%d %H:%M:%S}Z")]
