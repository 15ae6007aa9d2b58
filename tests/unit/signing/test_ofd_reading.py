"""An OFD's package, lists and descriptions as they are read, each to its bounds."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from signing import oids
from signing.errors import Malformed
from signing.ofd import xml as ofd_xml
from signing.ofd.container import Annotation, Description, Listed, Reference, open_ofd, read_time, resolve
from signing.ofd.package import MAX_NAME, looks_like, open_package
from signing.sm3 import sm3
from tests.pki import DAY
from tests.vectors.ofd.generate import LIST, PLACE, SEAL, document, listing, stamped, xml, zipped
from tests.vectors.ofd.zips import Item, build


def test_what_a_description_says_is_read_whole() -> None:
    own = stamped()[PLACE]
    where = PLACE.rpartition("/")[0]
    (listed,) = open_ofd(zipped(stamped())).signatures
    assert listed == Listed("1", "Seal", PLACE, Description(
        raw=own, provider="tongban-test 1 样章·测试无效", method=oids.SM2_WITH_SM3, time=DAY, check_method="SM3",
        references=tuple(Reference(name, sm3(data)) for name, data in {**document(), SEAL: stamped()[SEAL]}.items()),
        annotations=(Annotation("2", "1", "50 50 42 42"),), seal=SEAL, value=f"{where}/SignedValue.dat",
    ), LIST)  # fmt: skip
    bare = re.sub(rb' (ProviderName|Version|Company|ID|PageRef|Boundary|CheckMethod)="[^"]*"(?! encoding)', b"", own)
    files = {**stamped(), PLACE: bare, LIST: listing(("", "", f"/{PLACE}")).replace(b' ID=""', b"")}
    (listed,) = open_ofd(zipped(files)).signatures
    assert isinstance(listed.description, Description) and (listed.id, listed.type) == ("", "Seal")
    said = listed.description
    assert (said.provider, said.check_method, said.annotations) == ("", "MD5", (Annotation("", "", ""),))


BOUNDS: dict[str, tuple[int, Callable[[int], str]]] = {  # what stands in the root, itself one of them
    "elements": (2 * ofd_xml.MAX_ELEMENTS, lambda count: "<a/>" * (count - 2)),
    "namespaces": (256, lambda count: '<a xmlns="x"/>' * (count - 1)),
    "depth": (ofd_xml.MAX_DEPTH, lambda count: "<a>" * (count - 1) + "</a>" * (count - 1)),
    "attributes": (ofd_xml.MAX_ATTRIBUTES, lambda count: "<a" + "".join(f' a{n}="x"' for n in range(count)) + "/>"),
}


@pytest.mark.parametrize("kind", BOUNDS)
def test_the_bounds_of_an_xml_file_may_be_met_and_not_passed(kind: str) -> None:
    most, inner = BOUNDS[kind]
    within, beyond = (
        f'<o:OFD xmlns:o="{ofd_xml.NAMESPACE}">{inner(count)}</o:OFD>'.encode() for count in (most, most + 1)
    )
    assert ofd_xml.parse(within, "OFD") is not None
    with pytest.raises(Malformed, match="ofd-xml-limits"):
        ofd_xml.parse(beyond, "OFD")


GOOD_NAMES = ["a" * MAX_NAME, "a/" * 100 + "a", ".a", "..a", "a.b", "nully", "章.xml"]
BAD_NAMES = [
    "a" * (MAX_NAME + 1),
    "a.",
    "a ",
    ".",
    "..",
    "a/./b",
    "a/../b",
    "a//b",
    "/a",
    "nul",
    "NUL.x",
    "a\tb",
    "a|b",
]


@pytest.mark.parametrize(("name", "good"), [*((one, True) for one in GOOD_NAMES), *((one, False) for one in BAD_NAMES)])
def test_names_of_entries(name: str, good: bool) -> None:
    try:
        assert list(open_package(build([Item(name, b"x")])).digests) == [name] and good
    except Malformed as fault:
        assert not good and fault.code == "package-name"


def test_a_package_is_known_by_its_first_bytes() -> None:
    assert looks_like(zipped({})) and looks_like(zipped({"a": b""}))
    assert not any(looks_like(data) for data in (b"", b"PK", b"PK\x07\x08", b"\x30\x80PK"))


def test_a_byte_order_mark_is_passed_over() -> None:
    assert open_ofd(zipped({"OFD.xml": b"\xef\xbb\xbf" + xml("OFD", "<ofd:DocBody/>")})).signatures == ()


def test_a_body_without_a_list_is_unsigned() -> None:
    assert open_ofd(zipped({"OFD.xml": xml("OFD", "<ofd:DocBody/>")})).signatures == ()


@pytest.mark.parametrize(
    ("location", "path"),
    [("/a/b.xml", "a/b.xml"), ("b.xml", "Doc_0/Signs/b.xml"), ("./b.xml", "Doc_0/Signs/b.xml"), ("../b", "Doc_0/b")],
)
def test_locations_start_at_the_root_or_at_the_file_that_names_them(location: str, path: str) -> None:
    assert resolve(location, "Doc_0/Signs/Signatures.xml") == path


@pytest.mark.parametrize("location", ["", "/", "..", "../../..", "/../a", "a//b", "a/", "a\\b", "/."])
def test_locations_that_lead_nowhere(location: str) -> None:
    with pytest.raises(Malformed):
        resolve(location, "Doc_0/Signatures.xml")


def test_the_three_forms_of_time() -> None:
    shown = {text: str(read_time(text)) for text in ("20201010151120", "20201004072855.302Z", "2026-08-04 10:08:09")}
    assert list(shown.values()) == [
        "2020-10-10 07:11:20+00:00",
        "2020-10-04 07:28:55+00:00",
        "2026-08-04 02:08:09+00:00",
    ]
    for text in ("", "2020", "20201310151120", "0001-01-01 00:00:00", "２０２０1010151120"):
        assert read_time(text) is None
