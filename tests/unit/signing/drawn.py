"""Small OFD documents with a page as it is given, for the tests of their readers."""

from __future__ import annotations

from signing.ofd.content import Shape
from signing.ofd.package import open_package
from signing.ofd.pages import Reading, read_pages
from tests.vectors.ofd.generate import Files, xml
from tests.vectors.ofd.zips import Item, build

BOX = 'Boundary="10 20 30 40"'
FONTS = '<ofd:Fonts><ofd:Font ID="3" FontName="宋体" FamilyName="SimSun"/></ofd:Fonts>'
PAGE = "Doc_0/Pages/P/Content.xml"


def layer(inside: str, attributes: str = "") -> str:
    return f"<ofd:Content><ofd:Layer {attributes}>{inside}</ofd:Layer></ofd:Content>"


def files(
    page: str = "", *, common: str = "", resources: str = FONTS, rest: str = "", info: str = "", body: str = ""
) -> Files:
    """A document of one page: ``page`` inside of ofd:Page, ``common`` of CommonData, ``rest`` of Document."""
    area = "<ofd:PageArea><ofd:PhysicalBox>0 0 100 50</ofd:PhysicalBox></ofd:PageArea>"
    listed = '<ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/P/Content.xml"/></ofd:Pages>'
    given = f"<ofd:CommonData>{area}<ofd:PublicRes>PublicRes.xml</ofd:PublicRes>{common}</ofd:CommonData>{listed}{rest}"
    root = f"<ofd:DocBody><ofd:DocInfo>{info}</ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>{body}</ofd:DocBody>"
    return {
        "OFD.xml": xml("OFD", root),
        "Doc_0/Document.xml": xml("Document", given),
        "Doc_0/PublicRes.xml": xml("Res", resources, 'BaseLoc="Res"'),
        PAGE: xml("Page", page),
    }


def stored(of: Files) -> bytes:
    """The package, nothing compressed: what repeats itself is no bomb."""
    return build([Item(name, data, method=0) for name, data in of.items()])


def reading(of: Files) -> Reading:
    return read_pages(open_package(stored(of)))


def shapes(inside: str, **more: str) -> tuple[Shape, ...]:
    """What one layer shows; nothing may be left out."""
    found = reading(files(layer(inside), **more))
    assert found.skipped == ()
    return found.document.pages[0].shapes


def skipped(inside: str, **more: str) -> list[tuple[str, str]]:
    """What of one layer is left out: the element and why."""
    return [(one.what, one.code) for one in reading(files(layer(inside), **more)).skipped]
