"""A page ready to be drawn (版面): its shapes, the seals on it, and the line beneath that says what the picture is worth.

A picture of a document proves nothing. Whoever draws one without having verified the seals says so under each page, outside of
the page itself, so that no document can write that line for us or cover it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signing import picture
from signing.ofd.content import Document, Image, Page, Run
from signing.ofd.files import Skipped
from signing.ofd.stamps import Shown

STRIP: Final = 0.035  # of the page's longer side


@dataclass(frozen=True, slots=True)
class Strip:
    """The line under a page; ``bad``: it warns of a seal that was found wrong."""

    zh: str
    en: str
    bad: bool = False


UNVERIFIED: Final = Strip(
    "仅供阅览：印章与签名尚未核验，以对 OFD 原件的核验结果为准",
    "For reading only: seals and signatures have not been verified; what counts is the verification of the OFD file",
)
UNSEALED: Final = Strip("仅供阅览：本文件没有签章", "For reading only: this file carries no seal")
REFUSED: Final = Strip(
    "警告：签章核验不通过，本图不得作为凭证",
    "Warning: the seals or signatures are NOT valid; this picture is evidence of nothing",
    True,
)
UNTOLD: Final = Strip(
    "仅供阅览：签章是否有效未能判断，以对 OFD 原件的核验结果为准",
    "For reading only: whether the seals are valid could not be told",
)
INCOMPLETE: Final = Strip(
    "签章核验有效；但本图不完整，文件中有未能显示的内容，以 OFD 原件为准",
    "Seals verified as valid; yet this picture is not the whole: some content of the OFD file could not be shown",
)
# By name, for those who ask for a picture; None: the seals were verified, are good, and all is shown.
STRIPS: Final[dict[str, Strip | None]] = {
    "unverified": UNVERIFIED, "unsealed": UNSEALED, "refused": REFUSED, "untold": UNTOLD, "incomplete": INCOMPLETE,
    "verified": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sheet:
    """``strip`` None: the seals were verified and are good. ``media`` by name; ``stamps``: those of this page."""

    page: Page
    media: Mapping[str, bytes]
    stamps: tuple[Shown, ...]
    strip: Strip | None


def sheets(document: Document, stamps: Sequence[Shown], strip: Strip | None) -> list[Sheet]:
    """The pages of a document, each with its seals."""
    return [
        Sheet(page, document.media, tuple(one for one in stamps if one.page == place), strip)
        for place, page in enumerate(document.pages, 1)
    ]


def strip_height(page: Page) -> float:
    """mm."""
    return max(page.width, page.height) * STRIP


def showable(data: bytes) -> str:
    """What kind of picture this is (``picture.look``), "" for one that is faulty or that no viewer is asked to decode."""
    return "" if _faults(data) else picture.look(data).type


def gaps(drawn: Sequence[Sheet]) -> list[Skipped]:
    """The pictures and seals on these sheets that are crossed out, and why. One that the file lacks is on record already."""
    found: list[Skipped] = []
    for place, sheet in enumerate(drawn, 1):
        used = {shape.media for shape in sheet.page.shapes if isinstance(shape, Image)}
        pictures = [("ImageObject", sheet.media[name]) for name in sorted(used) if name in sheet.media]
        pictures += [("StampAnnot", one.picture.data) for one in sheet.stamps if one.drawing is None]
        found += [
            Skipped(place, what, code, *picture.FAULTS[code]) for what, data in pictures for code in _faults(data)
        ]
    return found


def _faults(data: bytes) -> tuple[str, ...]:
    found = picture.look(data)
    return ("picture-unknown",) if found.type == "ofd" else found.faults


def places(run: Run) -> tuple[list[float], list[float]]:
    """Where the characters of a run start: as many as their distances tell, at least the first. Without any distance the rest
    follows by the font's own advance; with one in a single direction the other coordinate stays."""
    xs, ys = [run.x], [run.y]
    for step in run.delta_x:
        xs.append(xs[-1] + step)
    for step in run.delta_y:
        ys.append(ys[-1] + step)
    if run.delta_y and not run.delta_x:
        xs = [run.x] * len(ys)
    return xs, ys


def fitting(text: str, size: float, width: float) -> tuple[float, float]:
    """(size, length) of a line of the strip, no longer than the page is wide."""
    ems = sum(0.53 if letter.isascii() else 1.0 for letter in text)
    size = min(size, 0.94 * width / ems)
    return size, size * ems
