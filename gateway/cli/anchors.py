"""What the offline verifiers share: root certificates from files, and a provider that can check signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signing.providers import Provider


def read_anchors(paths: Sequence[str]) -> list[bytes]:
    """The certificates (DER) of PEM or DER files; exit 65 for a file that holds none."""
    from gateway.cli.output import read_bytes, unreadable
    from signing import certs
    from signing.errors import Malformed

    found = []
    for path in paths:
        try:
            found += [certificate.der for certificate in certs.load(read_bytes(path, 1 << 20))]
        except Malformed as error:
            unreadable(path, error.zh, error.en)
    return found


def open_checking_provider() -> Provider:
    """The default provider; where its library is unusable, the pure one, which always verifies."""
    from signing.errors import Unavailable
    from signing.providers import open_provider

    try:
        return open_provider()
    except Unavailable:
        return open_provider("pure:")
