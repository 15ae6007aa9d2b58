"""Stamping (签章): the port, and the laboratory's implementation of it.

A city stamps with its certified e-seal system; in a laboratory and in the demo ``LocalStamper`` holds the signer's key
itself and makes V4 stamps (V1 with a V1 seal). It makes the checks of GM/T 0031-2014 6.2.2 before every stamp: its
certificate is valid, the seal is valid, the certificate is byte-equal to an entry of the seal's list. A message key is
never a seal key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from signing import certs, reasons
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Indeterminate, Rejected
from signing.path import check_path
from signing.policy import SealPolicy
from signing.reasons import Reason
from signing.seal import parse_seal
from signing.seal_build import WrittenForm, build_stamp, build_stamp_tbs
from signing.sm2 import Signer
from signing.verify import verify_seal


class Stamper(Protocol):
    """Makes a stamp over a document's SM3 digest."""

    def stamp(self, document_digest: bytes, property_info: str, at: datetime) -> bytes | Rejected | Indeterminate:
        """SES_Signature DER for the 32-byte digest, or the reason why this seal may not be used now.

        ``property_info``: where the document is (ASCII), for an OFD the package path of its Signature.xml.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalStamper:
    """Signer's key, certificate and seal in one hand; ``anchors``, ``crls`` and ``policy`` as for verifying."""

    signer: Signer
    certificate: Certificate
    seal: bytes
    anchors: Sequence[Certificate]
    policy: SealPolicy
    crls: Sequence[RevocationList] = ()
    intermediates: Sequence[Certificate] = ()

    def stamp(self, document_digest: bytes, property_info: str, at: datetime) -> bytes | Rejected | Indeterminate:
        """See ``Stamper``. ValueError for a digest that is not 32 bytes long."""
        if len(document_digest) != 32:
            raise ValueError("an SM3 digest has 32 bytes")
        reason = self.refusal(at)
        if reason is not None:
            return reason
        form: WrittenForm = "V1" if parse_seal(self.seal).form == "V1" else "V4"  # remembered since it was checked
        tbs = build_stamp_tbs(
            self.seal,
            at=at,
            data_hash=document_digest,
            property_info=property_info,
            form=form,
            signer_certificate=self.certificate.der,
        )
        return build_stamp(tbs, self.certificate.der, self.signer.sign(tbs), form=form)

    def refusal(self, at: datetime) -> Reason | None:
        """Why this seal may not be used at ``at``; None if it may."""
        # 1. the signer's certificate
        path = check_path(
            self.certificate,
            self.intermediates,
            self.anchors,
            at,
            self.signer.provider,
            crls=self.crls,
            policy=self.policy.path,
        )
        if path.reasons:
            return reasons.of_party(path.reasons[0], "signer")
        # 2. the seal
        report = verify_seal(
            self.seal,
            at=at,
            anchors=self.anchors,
            provider=self.signer.provider,
            crls=self.crls,
            policy=self.policy,
            intermediates=self.intermediates,
        )
        if report.reasons:
            return report.reasons[0]
        # 3. the certificate is the seal's, and the key is the certificate's
        listed = self.certificate.der in parse_seal(self.seal).property.certificates
        if not listed or self.certificate.public_key != self.signer.public:
            return reasons.seal_rejected("not-in-certificate-list")
        return None


def local_stamper(
    signer: Signer,
    certificate: bytes,
    seal: bytes,
    *,
    anchors: Sequence[bytes],
    policy: SealPolicy,
) -> LocalStamper:
    """A stamper from DER bytes; Malformed if one of them cannot be read."""
    return LocalStamper(signer, certs.parse(certificate), seal, [certs.parse(data) for data in anchors], policy)
