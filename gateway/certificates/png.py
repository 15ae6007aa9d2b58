"""A page as pixels (extra ``pdf``): drawn from our own PDF, so that there is one picture of a document and not two."""

from __future__ import annotations

import io
from math import sqrt
from typing import Final

MAX_PIXELS: Final = 40_000_000
DPI: Final = 150


def pixels(pdf: bytes, dpi: int = DPI) -> bytes:
    """The first page of a PDF as PNG; a page too large for ``MAX_PIXELS`` has fewer dots to the inch."""
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        width, height = page.get_size()
        scale = min(dpi / 72, sqrt(MAX_PIXELS / (width * height)))
        out = io.BytesIO()
        page.render(scale=scale).to_pil().save(out, "PNG", dpi=(72 * scale, 72 * scale))
        return out.getvalue()
