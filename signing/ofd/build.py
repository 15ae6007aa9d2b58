"""OFD documents written (版式文件, GB/T 33190-2016): a ``Document`` as the files of an unsigned package.

OFD.xml names the one document body with its custom data; Document.xml its pages and resources; PublicRes.xml holds the
fonts, DocumentRes.xml the pictures, Attachs/ the attachments. Pages have the ids 1, 2, …, by which a stamp's annotation
names them. The same document makes the same files: the document's id is taken from their digest.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Final

from signing.ofd.content import Attachment, Document, Font
from signing.ofd.element import element, leaf, number, numbers, root
from signing.ofd.page_build import NewId, write_page
from signing.sm3 import new, sm3

BODY: Final = "Doc_0"
CREATOR: Final = "Tongban"
_PICTURES: Final = ((b"\x89PNG", "png"), (b"\xff\xd8", "jpg"), (b"GIF8", "gif"), (b"BM", "bmp"))


def build_ofd(document: Document) -> dict[str, bytes]:
    """Path in the package -> content, for ``signing.ofd.sign`` or ``signing.ofd.package_build``. ValueError for a document that
    no package can hold: no page, a font or picture that it does not have, text that XML cannot carry."""
    if not document.pages:
        raise ValueError("a document has at least one page")
    ids = count(1)
    page_ids = [str(next(ids)) for _ in document.pages]

    def new_id() -> str:
        return str(next(ids))

    resources, files = _resources(document, new_id)
    where = [f"Pages/Page_{number}/Content.xml" for number in range(len(page_ids))]
    for path, page in zip(where, document.pages, strict=True):
        files[f"{BODY}/{path}"] = write_page(page, new_id, resources)
    files |= _attachments(document.attachments)
    whole = _document(document, files, list(zip(page_ids, where, strict=True)), int(new_id()) - 1)
    rest = {f"{BODY}/Document.xml": whole, **files}
    return {"OFD.xml": _ofd(document, rest), **rest}


def _ofd(document: Document, files: dict[str, bytes]) -> bytes:
    custom = "".join(leaf("CustomData", value, Name=name) for name, value in document.custom)
    info = (
        leaf("DocID", _document_id(document, files))
        + leaf("Title", document.title)
        + leaf("Author", document.author)
        + leaf("CreationDate", document.created.isoformat() if document.created else "")
        + leaf("Creator", CREATOR)
        + (element("CustomDatas", custom) if custom else "")
    )
    body = element("DocInfo", info) + leaf("DocRoot", f"{BODY}/Document.xml")
    return root("OFD", element("DocBody", body), Version="1.0", DocType="OFD")


def _document_id(document: Document, files: dict[str, bytes]) -> str:
    """32 hexadecimal digits that no other document has."""
    digest = new()
    for name, value in document.custom:
        digest.update(sm3(name.encode()) + sm3(value.encode()))
    for content in files.values():
        digest.update(sm3(content))
    return digest.digest()[:16].hex()


def _document(document: Document, files: dict[str, bytes], pages: list[tuple[str, str]], last_id: int) -> bytes:
    first = document.pages[0]
    there = [name for name in ("PublicRes", "DocumentRes") if f"{BODY}/{name}.xml" in files]
    common = (
        leaf("MaxUnitID", str(last_id))
        + element("PageArea", leaf("PhysicalBox", numbers((0, 0, first.width, first.height))))
        + "".join(leaf(name, f"{name}.xml") for name in there)
    )
    listed = "".join(element("Page", ID=own, BaseLoc=path) for own, path in pages)
    inside = element("CommonData", common) + element("Pages", listed)
    if document.attachments:
        inside += leaf("Attachments", "Attachs/Attachments.xml")
    return root("Document", inside)


def _resources(document: Document, new_id: NewId) -> tuple[dict[str, str], dict[str, bytes]]:
    """The id of each font and picture, and the files that hold them."""
    ids: dict[str, str] = {}
    files: dict[str, bytes] = {}
    fonts = "".join(_font(font, ids, files, new_id) for font in document.fonts)
    if fonts:
        files[f"{BODY}/PublicRes.xml"] = root("Res", element("Fonts", fonts), BaseLoc="Res")
    media = "".join(_picture(name, data, ids, files, new_id) for name, data in document.media.items())
    if media:
        files[f"{BODY}/DocumentRes.xml"] = root("Res", element("MultiMedias", media), BaseLoc="Res")
    return ids, files


def _font(font: Font, ids: dict[str, str], files: dict[str, bytes], new_id: NewId) -> str:
    own = ids[f"font:{font.name}"] = new_id()
    file = ""
    if font.data:
        path = f"Font_{own}.{'otf' if font.data.startswith(b'OTTO') else 'ttf'}"
        files[f"{BODY}/Res/{path}"], file = font.data, leaf("FontFile", path)
    return element("Font", file, ID=own, FontName=font.name, FamilyName=font.family or None)


def _picture(name: str, data: bytes, ids: dict[str, str], files: dict[str, bytes], new_id: NewId) -> str:
    kind = next((kind for start, kind in _PICTURES if data.startswith(start)), None)
    if kind is None:
        raise ValueError("a picture is PNG, JPEG, GIF or BMP")
    own = ids[f"media:{name}"] = new_id()
    path = f"Image_{own}.{kind}"
    files[f"{BODY}/Res/{path}"] = data
    return element("MultiMedia", leaf("MediaFile", path), ID=own, Type="Image", Format=kind.upper())


def _attachments(attachments: tuple[Attachment, ...]) -> Iterator[tuple[str, bytes]]:
    listed = []
    for place, one in enumerate(attachments, 1):
        path = f"Attachment_{place}.bin"
        yield f"{BODY}/Attachs/{path}", one.data
        size = number(len(one.data) / 1024)
        listed.append(
            element(
                "Attachment", leaf("FileLoc", path), ID=f"a{place:03}", Name=one.name, Format=one.media_type, Size=size
            )
        )
    if listed:
        yield f"{BODY}/Attachs/Attachments.xml", root("Attachments", "".join(listed))
