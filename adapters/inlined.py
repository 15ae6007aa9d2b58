"""Files that go inside a message (随文文件) to a platform that has no way to fetch them. Pure.

A frozen message names its files by digest; their content is put in at each send, always the same bytes, so that a large
file is not kept a second time and a repetition is what it was. ``[send] files`` of a profile says which element holds the
digest and which, beside it, the content in Base64.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from lxml import etree

from adapters.base import Wire
from adapters.profile import Files, Profile
from adapters.soap.tree import to_bytes
from schemas.xml import parse_xml

MAX_FILES: Final = 7 << 20
"""Bytes of all files of one message: as Base64 they stay below what XML readers take as one text."""


@dataclass(frozen=True, slots=True)
class Inlined:
    """For XML messages in this encoding, whose frozen body is an element without a declaration."""

    words: Files
    encoding: str
    max_bytes: int

    def wanted(self, wire: Wire) -> tuple[str, ...]:
        """The digests of the files that this message names and does not hold, lower-case hex, each once."""
        return tuple(dict.fromkeys(digest for digest, _ in self._places(self._read(wire))))

    def filled(self, wire: Wire, files: Mapping[str, bytes]) -> Wire:
        """The message with its files. KeyError where one is not among them."""
        root = self._read(wire)
        for digest, place in list(self._places(root)):
            etree.SubElement(place, self.words.content).text = b64encode(files[digest]).decode("ascii")
        return msgspec.structs.replace(wire, body=to_bytes(root, self.encoding))

    def _read(self, wire: Wire) -> etree._Element:
        return parse_xml(wire.body, max_bytes=self.max_bytes, charset=self.encoding)

    def _places(self, root: etree._Element) -> Iterator[tuple[str, etree._Element]]:
        for found in root.iter(self.words.digest):
            place = found.getparent()
            if place is not None and place.find(self.words.content) is None:
                yield (found.text or "").lower(), place


def inlined(profile: Profile, encoding: str, max_bytes: int) -> Inlined | None:
    """For a profile that says where files go; None for one that does not."""
    words = profile.text.send.files
    return None if words is None else Inlined(words, encoding, max_bytes)
