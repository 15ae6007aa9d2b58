"""The resources that pages draw with (资源, GB/T 33190-2016 clause 7.9): fonts, pictures, drawing parameters, composite units.

A document names its common resources (PublicRes, DocumentRes), a page may have its own. An identifier means one thing in a
document: where it is given twice, the first is taken and the second put on record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from signing.errors import Malformed
from signing.ofd import xml
from signing.ofd.container import resolve
from signing.ofd.content import Font
from signing.ofd.files import Files, TooMuch

if TYPE_CHECKING:
    from lxml import etree

One = TypeVar("One")
MAX_FONTS: Final = 1_000


@dataclass
class Resources:
    """By identifier. ``media``: path in the package; ``params``, ``composites``: the elements that describe them."""

    fonts: dict[str, Font] = field(default_factory=dict)
    media: dict[str, str] = field(default_factory=dict)
    params: dict[str, etree._Element] = field(default_factory=dict)
    composites: dict[str, etree._Element] = field(default_factory=dict)

    def add(self, files: Files, locations: Iterable[str]) -> None:
        """What these resource files hold, beside what is known already."""
        for path in locations:
            with files.skipping("Res"):
                self._read(files, path)

    def _read(self, files: Files, path: str) -> None:
        root = files.xml(path, "Res")
        base = root.get("BaseLoc", "")
        where = resolve(f"{base.rstrip('/')}/x", path) if base else path  # a file of the folder that the others lie in
        for group, name, found in (
            ("DrawParams", "DrawParam", self.params),
            ("CompositeGraphicUnits", "CompositeGraphicUnit", self.composites),
        ):
            self._each(files, root, group, name, found, lambda element: element)
        self._each(files, root, "MultiMedias", "MultiMedia", self.media, lambda one: _location(one, "MediaFile", where))
        self._each(files, root, "Fonts", "Font", self.fonts, lambda one: self._font(files, one, where))

    @staticmethod
    def _each(
        files: Files,
        root: etree._Element,
        group: str,
        name: str,
        found: dict[str, One],
        read: Callable[[etree._Element], One],
    ) -> None:
        for holder in xml.every(root, group):
            for element in xml.every(holder, name):
                with files.skipping(name):
                    own = element.get("ID", "")
                    if own in found:
                        raise Malformed("ofd-repeated-id", "资源标识重复", "an identifier of a resource is given twice")
                    found[own] = read(element)

    def _font(self, files: Files, element: etree._Element, where: str) -> Font:
        name = element.get("FontName", "")
        if len(self.fonts) >= MAX_FONTS:
            raise TooMuch("ofd-too-much", "字体过多", "too many fonts")
        if any(font.name == name for font in self.fonts.values()):
            name = f"{name}#{element.get('ID', '')}"
        data = b""
        with files.skipping("FontFile"):
            if xml.one(element, "FontFile") is not None:
                data = files.media(_location(element, "FontFile", where))
        return Font(name, element.get("FamilyName", ""), data)


def _location(element: etree._Element, name: str, where: str) -> str:
    return resolve(xml.text(xml.need(element, name)), where)
