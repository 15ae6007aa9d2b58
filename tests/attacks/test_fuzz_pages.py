"""10⁵ inputs at the reader of pages and at the picture made of them: a verdict each, in bounded time (rows F02, F13, X01-X08)."""

from __future__ import annotations

import pytest

from gateway.certificates import svg
from gateway.certificates.sheet import UNVERIFIED, sheets
from gateway.certificates.svg_drawing import drawing
from signing.ofd.build import build_ofd
from signing.ofd.container import open_ofd
from signing.ofd.package import open_package
from signing.ofd.package_build import build_package
from signing.ofd.pages import Reading, read_pages
from signing.ofd.stamps import read_stamps
from signing.seal_picture import round_seal
from tests.attacks import fuzz
from tests.attacks.fuzz import Target
from tests.unit.signing.drawn import BOX, FONTS, PAGE, files, layer, stored
from tests.unit.signing.test_ofd_build import DOCUMENT
from tests.unit.signing.test_ofd_shapes import PARAMS, PICTURE, composite, path, text
from tests.vectors.ofd import generate

CODES = (
    '<ofd:FillColor Value="255 #0A 0" Alpha="9"/><ofd:TextCode X="1" Y="4" DeltaX="g 2 4">营业执照</ofd:TextCode>'
    '<ofd:CGTransform CodePosition="0" CodeCount="2"><ofd:Glyphs>7 8</ofd:Glyphs></ofd:CGTransform>'
)
DRAWN = files(
    '<ofd:Template TemplateID="t"/>'
    + layer(
        text(CODES, 'CTM="1 0 0 1 2 3"')
        + path("", 'DrawParam="21" Fill="true"', "S 0 0 M 0 0 L 9 9 Q 1 2 3 4 B 1 2 3 4 5 6 A 1 2 0 1 0 3 4 C")
        + f'<ofd:ImageObject {BOX} ResourceID="9"/><ofd:CompositeObject {BOX} ResourceID="7" CTM="0 1 1 0 0 0"/>',
        'DrawParam="20"',
    ),
    common='<ofd:TemplatePage ID="t" BaseLoc="T.xml"/>',
    resources=PARAMS.removeprefix(FONTS) + FONTS + PICTURE + composite(path()),
    rest="<ofd:Annotations>A.xml</ofd:Annotations>",
)
DRAWN |= {
    "Doc_0/Res/a.png": b"\x89PNG\r\n\x1a\n",
    "Doc_0/T.xml": generate.xml("Page", layer(path())),
    "Doc_0/A.xml": generate.xml("Annotations", '<ofd:Page PageID="1"><ofd:FileLoc>B.xml</ofd:FileLoc></ofd:Page>'),
    "Doc_0/B.xml": generate.xml("PageAnnot", f"<ofd:Annot><ofd:Appearance {BOX}>{path()}</ofd:Appearance></ofd:Annot>"),
}
BUILT = build_ofd(DOCUMENT)


def shown(data: bytes) -> Reading:
    """Within bounds, and every coordinate a finite number."""
    found = read_pages(open_package(data))
    for page in found.document.pages:
        for shape in page.shapes:
            assert all(abs(value) < 1e60 for value in (*shape.box, *shape.matrix))
    for sheet in sheets(found.document, (), UNVERIFIED):
        assert svg.draw(sheet).endswith("</svg>\n")
    return found


def with_file(name: str) -> Target:
    """One file of the package changed, its checksum renewed."""
    return Target(f"pages: {name}", lambda data: shown(stored({**DRAWN, name: data})), [DRAWN[name]])


TARGETS = [
    *map(with_file, ("OFD.xml", "Doc_0/Document.xml", "Doc_0/PublicRes.xml", "Doc_0/A.xml", "Doc_0/B.xml", PAGE)),
    Target("pages of a package", shown, [build_package(DRAWN), build_package(BUILT), generate.zipped(generate.document())]),
    Target("a seal's drawing", drawing, [round_seal("样章行政审批局").data]),
    Target(
        "seals shown on pages",
        lambda data: read_stamps((ofd := open_ofd(data)), read_pages(ofd.package)),
        [build_package({**DRAWN, **generate.stamped(), "OFD.xml": generate.stamped()["OFD.xml"],
                        "Doc_0/Document.xml": DRAWN["Doc_0/Document.xml"]})],
    ),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_fuzzed_pages_get_a_verdict(target: Target) -> None:
    assert fuzz.attack(target, fuzz.SHORT // 4).total() == fuzz.SHORT // 4


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_many_pages_each(target: Target, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        assert fuzz.attack(target, fuzz.LONG).total() == fuzz.LONG
