"""Signed calls between gateways that are not messages: parts, outcome, proof, consistency (docs/protocol.md).

The direct key signs method, raw path with query, body digest, time, nonce, sender and receiver.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from signing import sm2
from signing.providers import Provider
from signing.sm3 import sm3

PARTY = "Tongban-Party"
TO = "Tongban-To"
TIME = "Tongban-Time"
NONCE = "Tongban-Nonce"
SIGNATURE = "Tongban-Signature"
_NONCE = re.compile(r"[0-9a-f]{32}")
_TIME = re.compile(r"\d{13}")


def _form(method: str, target: str, body: bytes, stamp: str, nonce: str, sender: str, to: str) -> bytes:
    lines = ("tongban/v1/request", method, target, sm3(body).hex(), stamp, nonce, sender, to)
    return "\n".join(lines).encode()


def sign(
    signer: sm2.Signer, method: str, target: str, body: bytes, now_ms: int, nonce: str, sender: str, to: str
) -> dict[str, str]:
    """The headers that authenticate one call."""
    signature = signer.sign(_form(method, target, body, str(now_ms), nonce, sender, to))
    return {
        PARTY: sender,
        TO: to,
        TIME: str(now_ms),
        NONCE: nonce,
        SIGNATURE: base64.b64encode(signature).decode(),
    }


def check(
    headers: Mapping[str, str],
    method: str,
    target: str,
    body: bytes,
    now_ms: int,
    window_ms: int,
    us: str,
    keys: Mapping[str, sm2.PublicKey],
    provider: Provider,
) -> str | None:
    """None when one of the sender's direct keys signed this very call now; otherwise the reason in a word."""
    try:
        stamp, nonce, to = headers[TIME], headers[NONCE], headers[TO]
        signature = base64.b64decode(headers[SIGNATURE], validate=True)
        sender = headers[PARTY]
    except (KeyError, binascii.Error, ValueError):
        return "missing-signature"
    if to != us:
        return "bad-signature"
    if not _NONCE.fullmatch(nonce):
        return "bad-nonce"
    if not _TIME.fullmatch(stamp) or abs(int(stamp) - now_ms) > window_ms:
        return "time-outside-window"
    form = _form(method, target, body, stamp, nonce, sender, to)
    for key in keys.values():
        if sm2.verify(provider, key, form, signature, signer_id=sm2.DEFAULT_ID):
            return None
    return "bad-signature"
