"""OCSP responses (RFC 6960) as a laboratory's responder writes them: the other half of ``signing.ocsp``.

Pure: the responder's signer, times and what is known of each certificate are arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from signing import crl, der, oids
from signing.certs import Certificate
from signing.issue import sign_structure
from signing.ocsp import STATUSES, CertId, encode_nonce
from signing.sm2 import Signer
from signing.sm3 import sm3

_CODES: Final = {word: code for code, word in STATUSES.items()}
_REASONS: Final = {word: code for code, word in crl.REASONS.items()}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one certificate: good, unless ``revoked`` gives a time, or it is not ``known``."""

    id: CertId
    this_update: datetime
    next_update: datetime | None = None
    revoked: datetime | None = None
    reason: str = "unspecified"
    known: bool = True


def build_response(
    signer: Signer,
    said: Sequence[Said],
    *,
    produced_at: datetime,
    nonce: bytes | None = None,
    responder: Certificate | None = None,
) -> bytes:
    """A successful response, DER. ``responder``: the certificate of a delegated signer, sent along; None: the issuer's key
    signs and is named by its digest."""
    tbs = der.seq(
        der.explicit(1, responder.subject_der) if responder else der.explicit(2, der.octets(sm3(signer.public.point))),
        der.gtime(produced_at),
        der.seq(*map(_single, said)),
        b"" if nonce is None else der.explicit(1, encode_nonce(nonce)),
    )
    body = sign_structure(signer, tbs)
    if responder is not None:
        members = [member.raw for member in der.parse(body).as_seq()]
        body = der.seq(*members, der.explicit(0, der.seq(responder.der)))
    return wrap(body)


def wrap(body: bytes) -> bytes:
    """A basic response as the content of a successful one."""
    content = der.seq(der.oid(oids.OCSP_BASIC), der.octets(body))
    return der.seq(_status("successful"), der.explicit(0, content))


def build_failure(status: str) -> bytes:
    """A response without a body: ``tryLater``, ``unauthorized`` and the like."""
    return der.seq(_status(status))


def _status(word: str) -> bytes:
    return der.tlv(0x0A, bytes((_CODES[word],)))


def _single(said: Said) -> bytes:
    status = der.implicit(0, b"") if said.known else der.implicit(2, b"")
    if said.revoked is not None:
        reason = b""
        if said.reason != "unspecified":
            reason = der.explicit(0, der.tlv(0x0A, bytes((_REASONS[said.reason],))))
        status = der.implicit(1, der.gtime(said.revoked) + reason, constructed=True)
    until = b"" if said.next_update is None else der.explicit(0, der.gtime(said.next_update))
    return der.seq(said.id.encode(), status, der.gtime(said.this_update), until)
