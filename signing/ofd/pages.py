"""The pages of any fixed-layout document (版式文件, GB/T 33190-2016 ch. 7), read into what they show.

The first document body is read: its page area, templates, layers and annotations, each page's shapes from the lowest to the
highest (template below, page, annotations, template above), and the fonts and pictures they use. Nothing is decoded or trusted
here. A document whose structure cannot be read is ``Malformed``; a page or an object that cannot is left out and put on
record in ``skipped``, so that a picture of the document can say that it is not the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from signing.errors import Malformed
from signing.ofd import xml
from signing.ofd.container import resolve
from signing.ofd.content import Attachment, Box, Document, Image, Page, Shape
from signing.ofd.files import Files, Skipped
from signing.ofd.package import Package
from signing.ofd.pens import Pen, pen
from signing.ofd.resources import Resources
from signing.ofd.shapes import FALSE, Drawing, Frame
from signing.ofd.values import box

if TYPE_CHECKING:
    from lxml import etree

MAX_PAGES: Final = 500
_ROOT: Final = "OFD.xml"
_A4: Final = Box(0.0, 0.0, 210.0, 297.0)
_LAYERS: Final = ("Background", "Body", "Foreground")


@dataclass(frozen=True, slots=True)
class Reading:
    """``page_ids``: by which a stamp's annotation names a page; ``signatures``: the path of this body's list of signatures,
    empty without; ``bodies``: how many documents the package holds, of which the first was read."""

    document: Document
    page_ids: tuple[str, ...]
    signatures: str
    bodies: int
    skipped: tuple[Skipped, ...]


def read_pages(package: Package) -> Reading:
    """What the first document of the package shows."""
    files = Files(package)
    bodies = xml.every(files.xml(_ROOT, "OFD"), "DocBody")
    if not bodies:
        raise xml.missing("ofd:DocBody")
    return _Reader(files, bodies[0]).read(len(bodies))


class _Reader:
    """One document body."""

    def __init__(self, files: Files, body: etree._Element) -> None:
        self.files = files
        self.body = body
        self.where = resolve(xml.text(xml.need(body, "DocRoot")), _ROOT)
        self.root = files.xml(self.where, "Document")
        self.common = xml.need(self.root, "CommonData")
        self.area = _area(xml.one(self.common, "PageArea"), _A4)
        self.resources = Resources()
        self.templates = {one.get("ID", ""): one for one in xml.every(self.common, "TemplatePage")}
        self.drawn: dict[str, etree._Element] = {}

    def read(self, bodies: int) -> Reading:
        for name in ("PublicRes", "DocumentRes"):
            self.resources.add(self.files, self._locations(self.common, name))
        listed = xml.every(xml.need(self.root, "Pages"), "Page")
        if len(listed) > MAX_PAGES:
            raise Malformed("ofd-pages", f"页数超过 {MAX_PAGES}", f"more than {MAX_PAGES} pages")
        notes = self._annotations()
        pages = [self._page(place, one, notes.get(one.get("ID", ""), [])) for place, one in enumerate(listed, 1)]
        self.files.page = 0
        info = xml.one(self.body, "DocInfo")
        signatures = xml.text(xml.one(self.body, "Signatures"))
        document = Document(
            tuple(pages),
            self._media(pages),
            tuple(self.resources.fonts.values()),
            tuple(self._attachments()),
            tuple(_custom(info)),
            _info(info, "Title"),
            _info(info, "Author"),
            _date(_info(info, "CreationDate")),
        )
        return Reading(
            document,
            tuple(one.get("ID", "") for one in listed),
            resolve(signatures, _ROOT) if signatures else "",
            bodies,
            tuple(self.files.skipped),
        )

    def _locations(self, parent: etree._Element, name: str) -> Iterator[str]:
        for element in xml.every(parent, name):
            with self.files.skipping(name):
                yield resolve(xml.text(element), self.where)

    def _page(self, place: int, listed: etree._Element, notes: list[etree._Element]) -> Page:
        self.files.page = place
        shapes: list[Shape] = []
        area = self.area
        with self.files.skipping("Page"):
            root = self.files.xml(resolve(listed.get("BaseLoc", ""), self.where), "Page")
            area = _area(xml.one(root, "Area"), self.area)
            self.resources.add(self.files, self._locations(root, "PageRes"))
            self._draw(Drawing(self.files, self.resources, shapes), root, area, notes)
        return Page(area.width, area.height, tuple(shapes))

    def _draw(self, drawing: Drawing, root: etree._Element, area: Box, notes: list[etree._Element]) -> None:
        below: list[etree._Element] = []
        above: list[etree._Element] = []
        for said in xml.every(root, "Template"):
            with self.files.skipping("Template"):
                element = self._template(said.get("TemplateID", ""))
                order = said.get("ZOrder") or self.templates[said.get("TemplateID", "")].get("ZOrder")
                (above if order == "Foreground" else below).append(element)
        for element in (*below, root):
            self._layers(drawing, element, area)
        for note in notes:
            self._note(drawing, note, area)
        for element in above:
            self._layers(drawing, element, area)

    def _template(self, own: str) -> etree._Element:
        """The page that others are based on, read once."""
        if own not in self.drawn:
            if own not in self.templates:
                raise Malformed("ofd-no-template", "页面所用的模板不存在", "a page names a template that is not there")
            root = self.files.xml(resolve(self.templates[own].get("BaseLoc", ""), self.where), "Page")
            self.resources.add(self.files, self._locations(root, "PageRes"))
            self.drawn[own] = root
        return self.drawn[own]

    def _layers(self, drawing: Drawing, root: etree._Element, area: Box) -> None:
        content = xml.one(root, "Content")
        layers = xml.every(content, "Layer") if content is not None else []
        for kind in _LAYERS:
            for layer in layers:
                said = layer.get("Type")
                if (said if said in _LAYERS else "Body") == kind:
                    with self.files.skipping("Layer"):
                        drawing.add(layer, _on(area), pen(self.files, layer, self.resources.params, Pen()))

    # --- annotations (clause 15) --------------------------------------------------------------------------------------

    def _annotations(self) -> dict[str, list[etree._Element]]:
        """The annotations of each page, by its identifier."""
        found: dict[str, list[etree._Element]] = {}
        for listing in self._locations(self.root, "Annotations"):
            with self.files.skipping("Annotations"):
                for one in xml.every(self.files.xml(listing, "Annotations"), "Page"):
                    with self.files.skipping("PageAnnot"):
                        path = resolve(xml.text(xml.need(one, "FileLoc")), listing)
                        root = self.files.xml(path, "PageAnnot")
                        found.setdefault(one.get("PageID", ""), []).extend(xml.every(root, "Annot"))
        return found

    def _note(self, drawing: Drawing, note: etree._Element, area: Box) -> None:
        if note.get("Visible") in FALSE:
            return
        with self.files.skipping("Annot"):
            look = xml.one(note, "Appearance")
            if look is not None:
                place = _on(area).within(box(look.get("Boundary", "")), _on(area).matrix)
                drawing.add(look, place, Pen())

    # --- what comes with the pages ------------------------------------------------------------------------------------

    def _media(self, pages: list[Page]) -> Mapping[str, bytes]:
        """The pictures that the pages show, by their path."""
        found: dict[str, bytes] = {}
        for page in pages:
            for shape in page.shapes:
                if isinstance(shape, Image) and shape.media not in found:
                    with self.files.skipping("MultiMedia"):
                        found[shape.media] = self.files.media(shape.media)
        return found

    def _attachments(self) -> Iterator[Attachment]:
        for listing in self._locations(self.root, "Attachments"):
            with self.files.skipping("Attachments"):
                for one in xml.every(self.files.xml(listing, "Attachments"), "Attachment"):
                    with self.files.skipping("Attachment"):
                        path = resolve(xml.text(xml.need(one, "FileLoc")), listing)
                        yield Attachment(one.get("Name", ""), one.get("Format", ""), self.files.media(path))


def _on(area: Box) -> Frame:
    """The page itself: its origin is the corner of the physical box (table 4), whatever numbers that box begins with."""
    return Frame(Box(0.0, 0.0, area.width, area.height))


def _area(element: etree._Element | None, otherwise: Box) -> Box:
    """PhysicalBox of a page area that names one."""
    said = xml.text(xml.one(element, "PhysicalBox")) if element is not None else ""
    found = box(said) if said else otherwise
    if found.width <= 0 or found.height <= 0:
        raise Malformed("ofd-area", "页面没有大小", "a page has no size")
    return found


def _info(info: etree._Element | None, name: str) -> str:
    return xml.text(xml.one(info, name)) if info is not None else ""


def _custom(info: etree._Element | None) -> Iterator[tuple[str, str]]:
    for group in xml.every(info, "CustomDatas") if info is not None else []:
        for one in xml.every(group, "CustomData"):
            yield one.get("Name", ""), xml.text(one)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
