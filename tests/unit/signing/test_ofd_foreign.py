"""OFD documents of other writers' habits, and of smugglers (GM/T 0099-2020 annex D): what each unprotected file could do."""

from __future__ import annotations

import zlib
from datetime import timedelta

import pytest

from signing.errors import Malformed
from signing.ofd import reach as ofd_reach
from signing.ofd import reasons as ofd_reasons
from signing.ofd.container import open_ofd, read_time
from signing.ofd.package import _STEP, Package, open_package
from signing.ofd.package_build import build_package
from signing.ofd.sign import finish, prepare
from signing.ofd.verify import verify_ofd
from signing.policy import CRL_IF_PRESENT
from tests import pki
from tests.pki import DAY
from tests.unit.signing.drawn import files, layer, reading
from tests.unit.signing.test_ofd_reasons import judge
from tests.unit.signing.test_ofd_shapes import path
from tests.vectors.ofd import generate as g
from tests.vectors.ofd.foreign import ALL, BESIDE, NEW, OLD, VECTORS, rich, signed, smuggled, stamped
from tests.vectors.ofd.generate import LIST, PAGE, PLACE, Vector, xml, zipped
from tests.vectors.ofd.zips import Item, build
from tests.vectors.seals import generate as seals

SMUGGLED = smuggled()


@pytest.mark.parametrize("name", SMUGGLED)
def test_C24_what_nobody_signed_is_named_by_what_it_could_do(name: str) -> None:
    report = judge(VECTORS[name])
    (one,) = report.signatures
    assert report.ok is False and report.codes == ("ofd-uncovered",)
    assert list(one.exposed) == SMUGGLED[name][1]
    zh, en = ofd_reasons.EFFECTS[one.exposed[0].effect]
    assert zh in report.reasons[0].zh and en in report.reasons[0].en


def test_every_effect_but_unread_has_a_document_and_the_gravest_comes_first() -> None:
    met = {effect for _, left in SMUGGLED.values() for _, effect in left}
    assert met == ofd_reasons.EFFECTS.keys() - {"unread"}
    left = judge(Vector("x", zipped(stamped(rich(), ("Doc_0/Tags/Tag.xml", PAGE))))).signatures[0].exposed
    assert [one.effect for one in left] == ["page", "data"]


def test_what_was_allowed_open_is_still_told() -> None:
    vector = Vector("x", VECTORS["open-page"].data, uncovered="note")
    report = judge(vector)
    assert report.ok is True and report.notes[0].code == "ofd-uncovered" and "页面内容" in report.notes[0].zh


def test_a_walk_through_a_document_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that name each other or nothing readable, locations that lead out, and more XML than is read."""
    loop = "<ofd:Attachments>a.xml</ofd:Attachments><ofd:Attachments>../../x</ofd:Attachments>"
    package = open_package(zipped({"OFD.xml": xml("OFD", loop), "a.xml": xml("x", loop), "b.xml": b"<"}))
    assert ofd_reach.effects(package) == {"OFD.xml": "entry", "a.xml": "attachment", "b.xml": "hidden"}
    unreadable = open_package(zipped({"OFD.xml": b"garbage", "a.xml": b""}))
    assert ofd_reach.effects(unreadable) == {"OFD.xml": "entry", "a.xml": "hidden"}
    monkeypatch.setattr(ofd_reach, "MAX_READ", package.entries["OFD.xml"].size)
    assert ofd_reach.effects(package)["b.xml"] == "unread"


def test_three_signatures_each_cover_what_was_there() -> None:
    report = judge(VECTORS["three-signatures"])
    assert [one.listed.type for one in report.signatures] == ["Seal", "Sign", "Seal"]
    assert [one.ok for one in report.signatures] == [True] * 3 and report.version == "V4"
    files = {
        **g.document(),
        **{name: open_ofd(ALL["three-signatures"].data).package.read(name) for name in (LIST, PLACE)},
    }
    assert judge(Vector("x", zipped(files))).ok is False


def test_the_second_documents_signature_is_judged_too() -> None:
    files = open_files(VECTORS["two-documents"].data)
    page = PAGE.replace("Doc_0", "Doc_1")
    report = judge(Vector("x", zipped({**files, page: b"<x/>"})))
    assert [one.ok for one in report.signatures] == [True, False] and report.ok is False


def open_files(data: bytes) -> dict[str, bytes]:
    package = open_package(data)
    return {name: package.read(name) for name in package.digests}


def test_a_bare_value_is_told_by_a_certificate_that_is_given() -> None:
    against = {
        "at": seals.LATER,
        "anchors": [pki.root().certificate],
        "provider": pki.PROVIDER,
        "policy": CRL_IF_PRESENT,
    }
    data = zipped(signed(pki.signer("signer").sign))
    given = [seals.maker(), seals.signer()]
    assert verify_ofd(data, uncovered="reject", **against).ok is None  # type: ignore[arg-type]
    report = verify_ofd(data, uncovered="reject", intermediates=given, **against)  # type: ignore[arg-type]
    assert report.ok is True and report.signatures[0].signer_subject == seals.signer().subject
    beside = {**signed(pki.signer("signer").sign), BESIDE: seals.signer().der, "Doc_0/other.cer": seals.maker().der}
    report = verify_ofd(zipped(beside), uncovered="reject", **against)  # type: ignore[arg-type]
    assert report.codes == ("ofd-uncovered",) and report.signatures[0].uncovered == ("Doc_0/other.cer",)
    rsa = verify_ofd(zipped({**beside, BESIDE: b"0" * 20_000}), uncovered="note", **against)  # type: ignore[arg-type]
    assert rsa.codes == ("ofd-signer-unknown",)


def test_a_package_that_changes_while_it_is_read_is_damaged() -> None:
    before, after = (build([Item("a.xml", text, method=0)]) for text in (b"<a/>", b"<b/>"))
    package = open_package(before)
    assert package.read("a.xml") == b"<a/>"
    with pytest.raises(Malformed, match="package-damaged"):
        Package(after, package.entries, package.digests).read("a.xml")


def test_packed_bytes_are_used_up_though_they_end_with_a_step() -> None:
    content = bytes(_STEP - 5)
    block = b"\1" + len(content).to_bytes(2, "little") + (len(content) ^ 0xFFFF).to_bytes(2, "little") + content
    assert open_package(build([Item("a.bin", content, packed=block)])).read("a.bin") == content
    with pytest.raises(Malformed, match="package-damaged"):
        open_package(build([Item("a.bin", content, packed=block + b"tail")]))


@pytest.mark.parametrize("unit", [b"\0", b"ab", "受理".encode() * 7])
def test_content_that_comes_out_in_whole_steps_is_read_to_its_end(unit: bytes) -> None:
    """The last symbols may lie in the decompressor when its input is used up."""
    for size in (*range(_STEP - 40, _STEP + 300, 20), *range(2 * _STEP + 220, 2 * _STEP + 300, 2)):
        content = (unit * (size // len(unit) + 1))[:size]
        assert open_package(build([Item("a.bin", content)])).read("a.bin") == content


def test_a_stored_file_is_read_in_steps_and_a_directory_has_its_size() -> None:
    content = bytes(range(256)) * 1000
    assert open_package(build([Item("a.bin", content, method=0)])).read("a.bin") == content
    long = Item("a.xml", extra=b"\x01\xca\xff\xfb" + bytes(0xFFFB - 4 + 4))
    many = [Item(f"{n}.xml", extra=long.extra) for n in range(140)]
    with pytest.raises(Malformed, match="package-entries"):
        open_package(build(many))


def test_local_headers_may_leave_out_what_the_descriptor_says() -> None:
    item = Item("a.xml", b"<a/>", flags=0x808, local={"crc": 0})
    item.descriptor = b"PK\7\x08" + b"".join(
        n.to_bytes(4, "little") for n in (zlib.crc32(b"<a/>"), len(item.content()), 4)
    )
    item.local = {"crc": 0, "packed": len(item.content()), "size": 4}
    assert open_package(build([item])).read("a.xml") == b"<a/>"
    item.local = {"crc": 1, "packed": 0, "size": 0}
    with pytest.raises(Malformed, match="package-headers"):
        open_package(build([item]))


def test_times_with_a_zone() -> None:
    noon = read_time("2026-06-01T12:00:00Z")
    assert noon is not None
    assert read_time("2026-06-01T20:00:00+08:00") == noon == read_time("20260601090000-0300")
    assert read_time("2026-06-01 12:00:00") == noon - timedelta(hours=8)
    assert read_time("2026-06-01T12:00:00+25:00") is None


def test_a_document_of_the_older_namespace_is_drawn_signed_and_verified() -> None:
    stops = '<ofd:AxialShd StartPoint="0 0" EndPoint="9 9"><ofd:Segment><ofd:Color Value="1 2 3"/></ofd:Segment></ofd:AxialShd>'
    drawn = path(f"<ofd:FillColor>{stops}</ofd:FillColor>", 'Fill="true"')
    old = {name: data.replace(NEW, OLD) for name, data in files(layer(drawn)).items()}
    assert reading(old).document == reading(files(layer(drawn))).document
    prepared = prepare(old, at=DAY)
    value = seals.stamp(digest=prepared.digest, info=prepared.property_info)
    assert judge(Vector("x", build_package(finish(prepared, value)))).ok is True
