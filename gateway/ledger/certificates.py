"""The e-certificates that stood in place of materials (免证办), as the messages of a package name them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.ledger.messages import Message
from schemas.canonical import CertificateReference
from schemas.errors import Invalid

NAMING = frozenset({"application", "correction"})


class _Named(msgspec.Struct):
    certificates: list[CertificateReference] = []


def certificates_used(messages: Sequence[Message]) -> tuple[CertificateReference, ...]:
    """In the messages' order; none of a message whose content is sealed or cannot be read (which is found elsewhere)."""
    used: list[CertificateReference] = []
    for message in messages:
        if message.head.type in NAMING and message.content is not None:
            used += _named(message.content.body)
    return tuple(used)


def _named(body: bytes) -> list[CertificateReference]:
    try:
        return msgspec.json.decode(body, type=_Named).certificates
    except (msgspec.MsgspecError, Invalid, ValueError, RecursionError):
        return []
