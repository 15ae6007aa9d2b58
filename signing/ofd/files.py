"""The files of one OFD package as its pages are read: each within bounds, all together within bounds, and what was left out
on record.

A page that shows less than the document holds must say so: every object that is passed over leaves a ``Skipped``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from signing.errors import Malformed
from signing.ofd import xml
from signing.ofd.package import Package

if TYPE_CHECKING:
    from lxml import etree

MAX_XML: Final = 32 << 20  # of all files read for the pages, each time one is read
MAX_MEDIA: Final = 64 << 20
MAX_SHAPES: Final = 200_000
MAX_CHARACTERS: Final = 8_000_000  # of texts, their distances and paths, each time one is drawn
MAX_SKIPPED: Final = 1_000


class TooMuch(Malformed):
    """More than a reader should have to bear: the reading ends."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part that is not shown, or not as it stands in the file. ``page``: from 1, 0 for the document as a whole; ``what``:
    the element's name."""

    page: int
    what: str
    code: str
    zh: str
    en: str


@dataclass
class Files:
    """One package being read. ``page``: the page that is read now."""

    package: Package
    page: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    _left: dict[str, int] = field(
        default_factory=lambda: {"xml": MAX_XML, "media": MAX_MEDIA, "shapes": MAX_SHAPES, "characters": MAX_CHARACTERS}
    )

    def xml(self, path: str, root: str) -> etree._Element:
        """The root element of a file; Malformed if it cannot be read."""
        if self._size(path) > xml.MAX_BYTES:
            raise Malformed(
                "ofd-xml-size", f"XML 超过 {xml.MAX_BYTES} 字节", f"the XML is larger than {xml.MAX_BYTES} bytes"
            )
        self.spend("xml", self._size(path))
        return xml.parse(self.package.read(path), root)

    def media(self, path: str) -> bytes:
        """The bytes of a picture, font or attachment."""
        self.spend("media", self._size(path))
        return self.package.read(path)

    def spend(self, what: str, amount: int = 1) -> None:
        """TooMuch when a document has more of it than it may; of pictures, the one that is too much is Malformed."""
        self._left[what] -= amount
        if self._left[what] < 0:
            if what == "media":
                raise Malformed(
                    "ofd-media-size", "图像、字体与附件超出可处理的上限", "too much in pictures, fonts and attachments"
                )
            raise TooMuch("ofd-too-much", "页面内容超出可处理的上限", "the pages hold more than can be dealt with")

    def skip(self, what: str, fault: Malformed) -> None:
        """Put on record that something is not shown."""
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append(Skipped(self.page, what, fault.code, fault.zh, fault.en))

    @contextmanager
    def skipping(self, what: str) -> Iterator[None]:
        """What is malformed in here is passed over; what is too much ends the reading."""
        try:
            yield
        except TooMuch:
            raise
        except Malformed as fault:
            self.skip(what, fault)

    def _size(self, path: str) -> int:
        if path not in self.package.digests:
            raise Malformed("ofd-entry", "OFD 所需的文件不在包内", "a file that the OFD needs is not in the package")
        return self.package.entries[path].size


def unsupported(zh: str, en: str) -> Malformed:
    """Something that the standard knows and this reader does not draw."""
    return Malformed("ofd-unsupported", zh, en)
