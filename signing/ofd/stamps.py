"""The seals' pictures (印模) where a document shows them (签章外观, GB/T 33190-2016 clause 18.2.2).

The picture is taken from the seal inside the signed value, which is what the stamp's signature covers; its place from the
description that names it. Nothing is verified here, and no picture is decoded: one that is an OFD document itself, as tax
seals carry it, is read like any other, without stamps of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from signing import seal
from signing.errors import Malformed
from signing.ofd import xml
from signing.ofd.container import Annotation, Description, Listed, Ofd, resolve
from signing.ofd.content import Box, Document
from signing.ofd.files import Files, Skipped, TooMuch, unsupported
from signing.ofd.package import looks_like, open_package
from signing.ofd.pages import Reading, read_pages
from signing.ofd.values import box

MAX_DRAWINGS: Final = 8  # pictures that are OFD documents; each is a package to unpack
MAX_STAMPS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of a seal on a page. ``page``: from 1; ``clip``: the part of the box that shows, from the box's corner;
    ``drawing``: what an OFD picture shows; ``signature``: its identifier in the list."""

    page: int
    box: Box
    clip: Box | None
    picture: seal.Picture
    drawing: Document | None
    signature: str


def read_stamps(ofd: Ofd, reading: Reading) -> tuple[tuple[Shown, ...], tuple[Skipped, ...]]:
    """The seals of the document that was read, and what of them cannot be shown."""
    reader = _Reader(ofd, reading)
    shown = tuple(reader.read())
    return shown, tuple(reader.files.skipped)


class _Reader:
    def __init__(self, ofd: Ofd, reading: Reading) -> None:
        self.ofd = ofd
        self.files = Files(ofd.package)
        self.pages = {own: place for place, own in reversed(list(enumerate(reading.page_ids, 1)))}
        self.list = reading.signatures
        self.drawings: dict[bytes, Document] = {}

    def read(self) -> Iterator[Shown]:
        ours = self._ours()
        count = 0
        for listed in self.ofd.signatures:
            said = listed.description
            if listed.path not in ours or listed.type != "Seal" or isinstance(said, Malformed) or not said.annotations:
                continue
            with self.files.skipping("Signature"):
                picture, drawing = self._picture(said)
                for note in said.annotations:
                    count += 1
                    if count > MAX_STAMPS:
                        raise Malformed(
                            "ofd-stamps", f"签章外观超过 {MAX_STAMPS} 处", f"more than {MAX_STAMPS} stamps shown"
                        )
                    with self.files.skipping("StampAnnot"):
                        yield self._shown(listed, note, picture, drawing)

    def _ours(self) -> frozenset[str]:
        """The signatures that this document lists; another document of the package has its own pages and seals."""
        if not self.list:
            return frozenset()
        listed = xml.every(self.files.xml(self.list, "Signatures"), "Signature")
        return frozenset(resolve(one.get("BaseLoc", ""), self.list) for one in listed)

    def _picture(self, said: Description) -> tuple[seal.Picture, Document | None]:
        entry = self.ofd.package.entries.get(said.value)
        if entry is None or entry.size > seal.MAX_BYTES:
            raise Malformed("ofd-entry", "OFD 所需的文件不在包内", "a file that the OFD needs is not in the package")
        picture = seal.parse_stamp(self.ofd.package.read(said.value)).seal.picture
        return picture, self._drawing(picture.data) if looks_like(picture.data) else None

    def _drawing(self, data: bytes) -> Document:
        if data not in self.drawings:
            if len(self.drawings) == MAX_DRAWINGS:
                raise unsupported("OFD 形式的印模过多", "too many pictures that are OFD documents")
            self.drawings[data] = Document(())  # counts even if it cannot be read
            try:
                inner = read_pages(open_package(data))
            except TooMuch as fault:  # of the picture, not of the document
                raise Malformed(fault.code, fault.zh, fault.en) from None
            self.files.skipped += inner.skipped
            self.drawings[data] = inner.document
        found = self.drawings[data]
        if not found.pages:
            raise Malformed("ofd-pages", "OFD 形式的印模没有页面", "a picture that is an OFD document has no page")
        return found

    def _shown(self, listed: Listed, note: Annotation, picture: seal.Picture, drawing: Document | None) -> Shown:
        page = self.pages.get(note.page)
        if page is None:
            raise Malformed("ofd-no-page", "签章所在的页面不存在", "a stamp names a page that is not there")
        clip = box(note.clip) if note.clip else None
        return Shown(page, box(note.boundary), clip, picture, drawing, listed.id)
