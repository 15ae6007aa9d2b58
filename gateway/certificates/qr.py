"""The QR code (二维码, GB/T 18284) of a certificate as one path: each run of dark modules a rectangle."""

from __future__ import annotations

import re
from typing import Final

import segno

from signing.ofd.content import BLACK, Box, Path

QUIET: Final = 4  # light modules around, as the standard asks
MAX_BYTES: Final = 213  # version 10, 57 modules: half a millimetre each on 30 mm
# Any mask reads alike; trying all eight to find the prettiest takes longer than signing the certificate.
_MASK: Final = 2
_DARK: Final = re.compile(b"\x01+")


def code(url: str, x: float, y: float, size: float) -> Path | None:
    """The code with its quiet zone in a square of ``size`` mm; None for an address too long to be scanned from paper."""
    if len(url.encode()) > MAX_BYTES:
        return None
    rows = segno.make_qr(url, error="m", mask=_MASK).matrix
    module = size / (len(rows) + 2 * QUIET)
    edges = [f"{module * place:.3f}" for place in range(len(rows) + 2 * QUIET)]
    drawn = []
    for down, row in enumerate(rows, QUIET):
        top, bottom = edges[down], edges[down + 1]
        for run in _DARK.finditer(row):
            left, right = edges[run.start() + QUIET], edges[run.end() + QUIET]
            drawn.append(f"M {left} {top} L {right} {top} L {right} {bottom} L {left} {bottom} C")
    return Path(Box(x, y, size, size), " ".join(drawn), fill=BLACK, stroke=None)
