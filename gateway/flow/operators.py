"""Orders of the node's operators (运维指令) over the admin listener: by whom, when, and a MAC that only the keyring can make.

One header: name, time (ms), nonce, and HMAC-SM3 under the node's blind-index key, which the keyring's passphrase opens, over a
domain line, method, path, the body's SM3, name, time and nonce. It is used once, and only near its time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.problems import Refused
from gateway.store.vault import Vault
from signing.sm3 import same

HEADER = "X-Tongban-Operator"
DOMAIN = "tongban/v1/operator"
NAME = re.compile(r"[0-9A-Za-z._-]{1,32}")
_FORM = re.compile(r"([0-9A-Za-z._-]{1,32}) ([0-9]{13}) ([0-9a-f]{32}) ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Call:
    """The request that an operator makes: method, path with query as sent, SM3 of the body."""

    method: str
    path: str
    digest: bytes


def header(vault: Vault, call: Call, name: str, at_ms: int, nonce: str) -> str:
    """The header's value for a call."""
    return f"{name} {at_ms} {nonce} {_mac(vault, call, name, str(at_ms), nonce)}"


def check(vault: Vault, call: Call, value: str, now_ms: int, window_ms: int) -> tuple[str, str]:
    """The operator's name and the nonce, to be spent. ``Refused``: TB-2001 none, TB-2002 not ours, TB-2004 not now."""
    if not value:
        raise Refused("TB-2001")
    found = _FORM.fullmatch(value)
    if found is None or not same(_mac(vault, call, *found.groups()[:3]).encode(), found[4].encode()):
        raise Refused("TB-2002")
    if abs(int(found[2]) - now_ms) > window_ms:
        raise Refused("TB-2004")
    return found[1], found[3]


def _mac(vault: Vault, call: Call, name: str, at_ms: str, nonce: str) -> str:
    lines = (DOMAIN, call.method, call.path, call.digest.hex(), name, at_ms, nonce)
    return vault.blind("\n".join(lines)).hex()
