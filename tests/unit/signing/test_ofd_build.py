"""OFD documents written: what other eyes see in the package, and that our strict reader takes all of it back."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from signing.errors import Malformed
from signing.ofd import custom as ofd_custom
from signing.ofd import element as ofd_element
from signing.ofd import package_build
from signing.ofd.build import build_ofd
from signing.ofd.container import open_ofd
from signing.ofd.content import Attachment, Box, Colour, Document, Font, Image, Page, Path, Run, Text
from signing.ofd.package import MAX_BYTES, open_package
from signing.ofd.package_build import build_package
from tests.ecerts_any import letters, words
from tests.vectors.ofd.generate import bodies, zipped

NAMES = {"o": "http://www.ofdspec.org/2016"}
PNG = b"\x89PNG\r\n\x1a\n"
SHAPES = (
    Text(
        Box(10, 20, 60, 8),
        "宋体",
        5,
        (Run(0, 4.5, "营业执照", (5, 5, 5)), Run(0, 9, "二", (), (1, 2, 2))),
        Colour(1, 2, 3),
        700,
    ),
    Text(Box(0, 0, 1, 1), "黑体", 5.25, (Run(0, -0.00001, "<&>\r"),), matrix=(0, 1, -1, 0, 3, 4)),
    Path(Box(0, 0, 5, 5), "M 0 0 L 5 5", None, Colour(0, 0, 0, 128)),
    Path(Box(0, 0, 5, 5), "M 0 0 L 5 0 L 5 5 C", Colour(9, 9, 9), None, 0.5),
    Path(Box(0, 0, 5, 5), "M 0 0 L 5 0 L 5 5 C", Colour(9, 9, 9)),
    Image(Box(1, 1, 20, 20), "logo", (20, 0, 0, 20, 0, 0), 77),
)
DOCUMENT = Document(
    pages=(Page(210, 297, SHAPES), Page(297, 210, ())),
    media={"logo": PNG, "photo": b"\xff\xd8\xff", "old": b"GIF89a", "older": b"BM"},
    fonts=(Font("宋体", "SimSun", b"\0\1\0\0"), Font("黑体", data=b"OTTO"), Font("楷体")),
    attachments=(Attachment("原始数据.json", "application/json", b"{}" * 600), Attachment("空", "text/plain", b"")),
    custom=(("ZZMC", "营业执照"), ("KZ_A", '"<>&'), ("LEER", "")),
    title="营业执照", author="样章", created=date(2026, 6, 1),
)  # fmt: skip


def tree(files: dict[str, bytes], name: str) -> etree._Element:
    return etree.fromstring(files[name])


def values(element: etree._Element, path: str) -> list[str]:
    return [str(found) for found in element.xpath(path, namespaces=NAMES)]


def test_the_files_of_a_document_name_each_other() -> None:
    files = build_ofd(DOCUMENT)
    assert [name for name in files if name.startswith("Doc_0/Res/")] == [
        "Doc_0/Res/Font_3.ttf", "Doc_0/Res/Font_4.otf", "Doc_0/Res/Image_6.png", "Doc_0/Res/Image_7.jpg",
        "Doc_0/Res/Image_8.gif", "Doc_0/Res/Image_9.bmp",
    ]  # fmt: skip
    ofd, whole = tree(files, "OFD.xml"), tree(files, "Doc_0/Document.xml")
    assert values(ofd, "//o:DocRoot/text()") == ["Doc_0/Document.xml"]
    assert values(ofd, "//o:CreationDate/text() | //o:Title/text() | //o:Author/text()") == [
        "营业执照",
        "样章",
        "2026-06-01",
    ]
    assert values(ofd, "//o:CustomData/@Name") == ["ZZMC", "KZ_A"]
    assert values(whole, "//o:Page/@ID") == ["1", "2"]
    assert values(whole, "//o:PhysicalBox/text()") == ["0 0 210 297"]
    assert {
        f"Doc_0/{path}"
        for path in values(whole, "//o:Page/@BaseLoc | //o:CommonData/*/text() | //o:Attachments/text()")
    } - set(files) == {"Doc_0/17"}  # the greatest id, the one text that is no path
    used = [one for name in files if name.endswith(".xml") for one in values(tree(files, name), "//@ID")]
    assert len(used) == len(set(used)) and max(int(one) for one in used if one.isdigit()) == 17
    attached = tree(files, "Doc_0/Attachs/Attachments.xml")
    assert values(attached, "//@Name | //@Format | //@Size")[:3] == ["原始数据.json", "application/json", "1.1719"]


def test_shapes_are_written_as_the_standard_names_them() -> None:
    page = tree(build_ofd(DOCUMENT), "Doc_0/Pages/Page_0/Content.xml")
    first, second = page.findall(".//o:TextObject", NAMES)
    assert (first.get("Boundary"), first.get("Size"), first.get("Weight"), first.get("CTM")) == (
        "10 20 60 8",
        "5",
        "700",
        None,
    )
    assert values(first, ".//@DeltaX | .//@DeltaY") == ["g 3 5", "1 2 2"]
    assert values(first, "o:FillColor/@Value") == ["1 2 3"] and values(second, "o:FillColor") == []
    assert second.get("CTM") == "0 1 -1 0 3 4" and values(second, ".//@Y") == ["0"]
    assert values(second, ".//o:TextCode/text()") == ["<&>\r"]
    line, filled, both = page.findall(".//o:PathObject", NAMES)
    assert [(one.get("Stroke"), one.get("Fill")) for one in (line, filled, both)] == [
        (None, None),
        ("false", "true"),
        (None, "true"),
    ]
    assert values(line, ".//@Alpha") == ["128"] and values(filled, "@LineWidth") == ["0.5"]
    image = page.find(".//o:ImageObject", NAMES)
    assert image is not None and (image.get("ResourceID"), image.get("Alpha")) == ("6", "77")


def test_a_plain_document_has_no_resources() -> None:
    files = build_ofd(Document((Page(210, 297, ()),)))
    assert list(files) == ["OFD.xml", "Doc_0/Document.xml", "Doc_0/Pages/Page_0/Content.xml"]
    assert values(tree(files, "OFD.xml"), "//o:CustomDatas") == []


@pytest.mark.parametrize(
    "document",
    [
        Document(()),
        Document((Page(210, 297, (SHAPES[0],)),)),
        Document((Page(210, 297, (SHAPES[5],)),)),
        Document((Page(float("nan"), 297, ()),)),
        Document((Page(1e10, 297, ()),)),
        Document((Page(210, 297, ()),), media={"x": b"<svg/>"}),
        Document((Page(210, 297, ()),), custom=(("ZZMC", "\0"),)),
        Document((Page(210, 297, ()),), custom=(("\ud800", "x"),)),
    ],
)  # fmt: skip
def test_what_no_package_can_hold_is_refused(document: Document) -> None:
    with pytest.raises(ValueError):
        build_ofd(document)


@given(st.lists(st.tuples(words, words), max_size=5), st.text(letters, max_size=30))
def test_custom_data_and_other_eyes(custom: list[tuple[str, str]], title: str) -> None:
    """Our reader and Python's own see the same files; the same document gives the same bytes."""
    document = Document((Page(210, 297, ()),), custom=tuple(custom), title=title)
    data = build_package(build_ofd(document))
    assert data == build_package(build_ofd(document))
    read = open_ofd(data)
    assert ofd_custom.custom_data(read.package) == tuple(custom)
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert other.testzip() is None
        assert {name: other.read(name) for name in other.namelist()} == {
            name: read.package.read(name) for name in read.package.digests
        }


def test_the_documents_id_tells_documents_apart() -> None:
    ids = {
        values(tree(build_ofd(Document((Page(210, 297, ()),), custom=(pair,))), "OFD.xml"), "//o:DocID/text()")[0]
        for pair in (("a", "bc"), ("ab", "c"))
    }
    assert len(ids) == 2 and {len(one) for one in ids} == {32}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (zipped({"a.xml": b""}), "ofd-entry"),
        (zipped({"OFD.xml": bodies("a", "b")}), "ofd-bodies"),
        (zipped({"OFD.xml": bodies("a", times=0)}), "ofd-bodies"),
    ],
)
def test_custom_data_of_no_one_document_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as fault:
        ofd_custom.custom_data(open_package(data))
    assert fault.value.code == code
    assert ofd_custom.custom_data(open_package(zipped({"OFD.xml": bodies("a")}))) == ()


@given(
    st.dictionaries(
        st.text("abc章/", min_size=1, max_size=4).filter(lambda name: "//" not in f"/{name}/"), st.binary(max_size=200)
    )
)
def test_packages_are_what_the_strict_reader_accepts(files: dict[str, bytes]) -> None:
    opened = open_package(build_package(files))
    assert {name: opened.read(name) for name in opened.digests} == files


def test_F02_what_would_look_like_a_bomb_is_stored() -> None:
    opened = open_package(build_package({"a": bytes(2 << 20), "b": bytes(1 << 20)}))
    assert [entry.method for entry in opened.entries.values()] == [0, 8]


def test_a_package_too_large_to_be_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    data = build_package({"a": b"x"})
    monkeypatch.setattr(package_build, "MAX_BYTES", len(data))
    assert build_package({"a": b"x"}) == data and len(data) < MAX_BYTES
    monkeypatch.setattr(package_build, "MAX_BYTES", len(data) - 1)
    with pytest.raises(ValueError, match="more than"):
        build_package({"a": b"x"})


@given(st.floats(-1e6, 1e6))
def test_lengths_keep_a_ten_thousandth_of_a_millimetre(value: float) -> None:
    assert abs(float(ofd_element.number(value)) - value) <= 0.00005001
