"""The pages of a document: templates, layers, annotations, sizes, and what comes with them; what is missing is on record."""

from __future__ import annotations

from datetime import date

import pytest

from signing.errors import Malformed
from signing.ofd import files as ofd_files
from signing.ofd import pages as ofd_pages
from signing.ofd.content import Attachment, Font, Path
from signing.ofd.pages import Reading
from tests.unit.signing.drawn import BOX, FONTS, PAGE, files, layer, reading
from tests.unit.signing.test_ofd_shapes import PICTURE, path, text
from tests.vectors.ofd.generate import xml

FOLDER = PAGE.removesuffix("Content.xml")


def lines(found: Reading, page: int = 0) -> list[str]:
    """What the outlines of a page say."""
    return [one.data for one in found.document.pages[page].shapes if isinstance(one, Path)]


def codes(found: Reading) -> list[tuple[int, str, str]]:
    return [(one.page, one.what, one.code) for one in found.skipped]


def line(mark: int) -> str:
    return path(data=f"M {mark} {mark}")


def test_templates_layers_and_annotations_lie_in_their_order() -> None:
    layers = (
        f'<ofd:Content><ofd:Layer Type="Foreground">{line(5)}</ofd:Layer><ofd:Layer Type="Own">{line(4)}</ofd:Layer>'
        f'<ofd:Layer Type="Background">{line(3)}</ofd:Layer></ofd:Content>'
    )
    used = "".join(
        f'<ofd:Template TemplateID="{own}" {more}/>'
        for own, more in (("t1", 'ZOrder="Foreground"'), ("t2", ""), ("t3", ""))
    )
    common = '<ofd:TemplatePage ID="t1" BaseLoc="T1.xml"/><ofd:TemplatePage ID="t2" BaseLoc="T2.xml"/>'
    common += '<ofd:TemplatePage ID="t3" BaseLoc="T3.xml" ZOrder="Foreground"/>'
    of = files(used + layers, common=common, rest="<ofd:Annotations>Annots.xml</ofd:Annotations>")
    for own, mark in ((1, 7), (2, 1), (3, 8)):
        of[f"Doc_0/T{own}.xml"] = xml("Page", layer(line(mark)))
    of["Doc_0/Annots.xml"] = xml(
        "Annotations", '<ofd:Page PageID="1"><ofd:FileLoc>Pages/P/A.xml</ofd:FileLoc></ofd:Page>'
    )
    look = f'<ofd:Appearance Boundary="5 5 9 9">{line(6)}</ofd:Appearance>'
    notes = f'<ofd:Annot>{look}</ofd:Annot><ofd:Annot Visible="false">{look}</ofd:Annot><ofd:Annot/>'
    of[f"{FOLDER}A.xml"] = xml("PageAnnot", notes)
    found = reading(of)
    assert codes(found) == []
    assert lines(found) == [f"M {mark} {mark}" for mark in (1, 3, 4, 5, 6, 7, 8)]
    assert found.document.pages[0].shapes[4].box == (15, 25, 30, 40)


def test_a_template_is_read_once_and_drawn_on_each_page_that_names_it() -> None:
    of = files(
        '<ofd:Template TemplateID="t"/><ofd:Template TemplateID="t"/>',
        common='<ofd:TemplatePage ID="t" BaseLoc="T.xml"/>',
    )
    of["Doc_0/T.xml"] = xml("Page", "<ofd:PageRes>More.xml</ofd:PageRes>" + layer(text("", "").replace('"3"', '"33"')))
    of["Doc_0/More.xml"] = xml("Res", FONTS.replace('"3"', '"33"').replace("宋体", "楷体"))
    found = reading(of)
    assert codes(found) == []
    assert len(found.document.pages[0].shapes) == 2
    assert [font.name for font in found.document.fonts] == ["宋体", "楷体"]


def test_the_page_has_its_own_size_or_the_documents() -> None:
    page = reading(files()).document.pages[0]
    assert (page.width, page.height) == (100, 50)
    own = "<ofd:Area><ofd:PhysicalBox>5 6 70 80</ofd:PhysicalBox></ofd:Area>"
    page = reading(files(own + layer(line(1)))).document.pages[0]
    assert (page.width, page.height, page.shapes[0].box[:2]) == (70, 80, (10, 20))
    of = files()
    of["Doc_0/Document.xml"] = xml(
        "Document", '<ofd:CommonData/><ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/P/Content.xml"/></ofd:Pages>'
    )
    page = reading(of).document.pages[0]
    assert (page.width, page.height) == (210, 297)


def test_a_page_that_cannot_be_read_is_blank_and_on_record() -> None:
    bare = files()
    cases = {
        "ofd-entry": {name: data for name, data in bare.items() if name != PAGE},
        "ofd-xml-form": {**bare, PAGE: b"<"},
        "ofd-area": {**bare, PAGE: xml("Page", "<ofd:Area><ofd:PhysicalBox>0 0 0 9</ofd:PhysicalBox></ofd:Area>")},
    }
    for code, of in cases.items():
        found = reading(of)
        assert codes(found) == [(1, "Page", code)]
        assert (found.document.pages[0].width, found.document.pages[0].shapes) == (100, ())


def test_templates_and_annotations_that_are_not_there() -> None:
    of = files('<ofd:Template TemplateID="t"/>' + layer(line(1)), rest="<ofd:Annotations>Annots.xml</ofd:Annotations>")
    found = reading(of)
    assert codes(found) == [(0, "Annotations", "ofd-entry"), (1, "Template", "ofd-no-template")]
    assert lines(found) == ["M 1 1"]
    of["Doc_0/Annots.xml"] = xml("Annotations", '<ofd:Page PageID="1"/>')
    assert codes(reading(of))[0] == (0, "PageAnnot", "ofd-xml-missing")
    of["Doc_0/Annots.xml"] = xml("Annotations", '<ofd:Page PageID="1"><ofd:FileLoc>A.xml</ofd:FileLoc></ofd:Page>')
    of["Doc_0/A.xml"] = xml("PageAnnot", "<ofd:Annot><ofd:Appearance/></ofd:Annot>")
    assert (1, "Annot", "ofd-value") in codes(reading(of))


def test_what_a_document_says_of_itself() -> None:
    info = (
        "<ofd:Title>营业执照</ofd:Title><ofd:Author>某局</ofd:Author><ofd:CreationDate>2026-11-20</ofd:CreationDate>"
        '<ofd:CustomDatas><ofd:CustomData Name="ZZMC">营业执照</ofd:CustomData></ofd:CustomDatas>'
    )
    of = files(
        info=info,
        body="<ofd:Signatures>Doc_0/Signs/Signatures.xml</ofd:Signatures>",
        rest="<ofd:Attachments>A/L.xml</ofd:Attachments>",
    )
    listed = '<ofd:Attachment ID="1" Name="附件" Format="pdf"><ofd:FileLoc>a.bin</ofd:FileLoc></ofd:Attachment><ofd:Attachment/>'
    of |= {"Doc_0/A/L.xml": xml("Attachments", listed), "Doc_0/A/a.bin": b"%PDF"}
    found = reading(of)
    document = found.document
    assert (document.title, document.author, document.created) == ("营业执照", "某局", date(2026, 11, 20))
    assert document.custom == (("ZZMC", "营业执照"),)
    assert document.attachments == (Attachment("附件", "pdf", b"%PDF"),)
    assert (found.page_ids, found.signatures, found.bodies) == (("1",), "Doc_0/Signs/Signatures.xml", 1)
    assert codes(found) == [(0, "Attachment", "ofd-xml-missing")]
    of = {
        **files(),
        "OFD.xml": xml("OFD", "<ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody>" * 2),
    }
    found = reading(of)
    assert (found.bodies, found.document.title, found.document.created, found.signatures) == (2, "", None, "")


def test_fonts_with_their_files_and_names_of_their_own() -> None:
    fonts = (
        '<ofd:Fonts><ofd:Font ID="1" FontName="宋体"><ofd:FontFile>f.ttf</ofd:FontFile></ofd:Font>'
        '<ofd:Font ID="2" FontName="宋体"><ofd:FontFile>none.ttf</ofd:FontFile></ofd:Font><ofd:Font ID="1"/></ofd:Fonts>'
    )
    of = files(resources=fonts, common="<ofd:DocumentRes>none.xml</ofd:DocumentRes><ofd:DocumentRes/>")
    of["Doc_0/Res/f.ttf"] = b"font"
    found = reading(of)
    assert found.document.fonts == (Font("宋体", "", b"font"), Font("宋体#2"))
    assert codes(found) == [
        (0, "FontFile", "ofd-entry"),
        (0, "Font", "ofd-repeated-id"),
        (0, "Res", "ofd-entry"),
        (0, "DocumentRes", "ofd-path"),
    ]


def test_a_resource_file_without_a_folder_of_its_own_names_files_beside_it() -> None:
    of = files(layer(f'<ofd:ImageObject {BOX} ResourceID="9"/>'), resources=PICTURE)
    of |= {"Doc_0/PublicRes.xml": xml("Res", PICTURE), "Doc_0/a.png": b"x"}
    found = reading(of)
    assert (found.document.media, found.skipped) == ({"Doc_0/a.png": b"x"}, ())


BROKEN = {
    "no body": (xml("OFD", ""), "ofd-xml-missing"),
    "no root": (xml("OFD", "<ofd:DocBody/>"), "ofd-xml-missing"),
    "root not there": (xml("OFD", "<ofd:DocBody><ofd:DocRoot>D.xml</ofd:DocRoot></ofd:DocBody>"), "ofd-entry"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_document_without_structure_is_malformed(name: str) -> None:
    data, code = BROKEN[name]
    with pytest.raises(Malformed, match=code):
        reading({**files(), "OFD.xml": data})


# --- bounds (row F13) -------------------------------------------------------------------------------------------------


def test_F13_too_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = '<ofd:Page ID="1" BaseLoc="Pages/P/Content.xml"/>'
    of = files()
    for count in (3, 4):
        monkeypatch.setattr(ofd_pages, "MAX_PAGES", 3)
        of["Doc_0/Document.xml"] = xml("Document", f"<ofd:CommonData/><ofd:Pages>{listed * count}</ofd:Pages>")
        if count == 3:
            assert len(reading(of).document.pages) == 3
        else:
            with pytest.raises(Malformed, match="ofd-pages"):
                reading(of)


def test_F13_a_page_named_over_and_over_is_read_within_bounds() -> None:
    """500 pages that are all the same large file: the bytes read count each time."""
    listed = '<ofd:Page ID="1" BaseLoc="Pages/P/Content.xml"/>' * 500
    of = {**files(), PAGE: xml("Page", "<!--" + " " * 200_000 + "-->")}
    of["Doc_0/Document.xml"] = xml("Document", f"<ofd:CommonData/><ofd:Pages>{listed}</ofd:Pages>")
    with pytest.raises(Malformed, match="ofd-too-much"):
        reading(of)


def test_F13_a_file_too_large_for_xml_is_never_unpacked() -> None:
    found = reading({**files(), PAGE: b" " * (8 << 20) + b"<"})
    assert codes(found) == [(1, "Page", "ofd-xml-size")]


def test_F13_pictures_beyond_the_bound_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    of = files(layer(f'<ofd:ImageObject {BOX} ResourceID="9"/>'), resources=PICTURE)
    of["Doc_0/Res/a.png"] = b"12345"
    monkeypatch.setattr(ofd_files, "MAX_MEDIA", 4)
    found = reading(of)
    assert found.document.media == {}
    assert codes(found) == [(0, "MultiMedia", "ofd-media-size")]


def test_F13_the_record_of_what_is_left_out_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ofd_files, "MAX_SKIPPED", 5)
    assert len(reading(files(layer("<ofd:x/>" * 9))).skipped) == 5


def test_F13_too_many_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signing.ofd.resources.MAX_FONTS", 0)
    with pytest.raises(Malformed, match="ofd-too-much"):
        reading(files())
