"""The desk at which the commands about our own keys do a custodian's acts, and how such an act ends."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, TypeVar

from gateway.cli.node import Files, no

if TYPE_CHECKING:
    from gateway.keys.ownkeys import KeyDesk
    from signing.errors import Rejected

T = TypeVar("T")


def desk(node: Files, by: str = "", order: str | None = None) -> KeyDesk:
    """The desk at which a custodian's acts are done."""
    from gateway.cli.output import read_bytes
    from gateway.ids import now_ms
    from gateway.keys.ownkeys import KeyDesk

    signed = read_bytes(order, 1 << 20) if order else b""
    return KeyDesk(node.ring, node.config, node.base, now_ms(), (by.strip() or _login(),), signed)


def done(found: T | Rejected, as_json: bool) -> T:
    """What was made, or the end with the reason (1)."""
    from signing.errors import Rejected

    if isinstance(found, Rejected):
        no(found.zh, found.en, as_json, found.code)
    return found


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "?"
