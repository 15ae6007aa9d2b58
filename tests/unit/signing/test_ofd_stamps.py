"""The seals' pictures at the places that a document's signatures give them."""

from __future__ import annotations

import pytest

from signing import seal
from signing.ofd import stamps as ofd_stamps
from signing.ofd.container import open_ofd
from signing.ofd.content import Box, Path
from signing.ofd.pages import read_pages
from signing.ofd.stamps import Shown
from signing.sm3 import sm3
from tests.unit.signing import drawn
from tests.unit.signing.test_ofd_shapes import path
from tests.vectors.ofd.generate import LIST, PLACE, VALUE, Files, description, listing, swap, xml, zipped
from tests.vectors.seals import generate as seals

PICTURE_OF_SEALS = seal.parse_seal(seals.seal()).picture


def signed(edit: tuple[str, str] | None = None, value: bytes | None = None, kind: str = "Seal") -> Files:
    """A document of one page with a stamp."""
    files = drawn.files(resources="", body=f"<ofd:Signatures>/{LIST}</ofd:Signatures>")
    own = description(files)
    own = swap(*edit)(own) if edit else own
    stamp = seals.stamp(digest=sm3(own)) if value is None else value
    return {**files, LIST: listing(("s1", f'Type="{kind}"', f"/{PLACE}")), PLACE: own, VALUE: stamp}


def stamps(files: Files) -> tuple[tuple[Shown, ...], list[tuple[str, str]]]:
    ofd = open_ofd(drawn.stored(files))
    shown, skipped = ofd_stamps.read_stamps(ofd, read_pages(ofd.package))
    return shown, [(one.what, one.code) for one in skipped]


def with_picture(data: bytes) -> bytes:
    """A stamp whose seal has this picture."""
    return seals.stamp(on=seals.seal(picture=seal.Picture("ofd", data, 30, 20)))


def test_a_seal_is_shown_where_its_annotation_says() -> None:
    assert stamps(signed()) == ((Shown(1, Box(50, 50, 42, 42), None, PICTURE_OF_SEALS, None, "s1"),), [])


def test_a_seal_across_the_edge_shows_its_part() -> None:
    """骑缝章: each page carries a strip of one picture."""
    (shown,), skipped = stamps(signed(('Boundary="50 50 42 42"', 'Boundary="50 50 42 42" Clip="0 0 10 42"')))
    assert (shown.clip, skipped) == (Box(0, 0, 10, 42), [])


BAD = {
    "page": (signed(('PageRef="1"', 'PageRef="9"')), [("StampAnnot", "ofd-no-page")]),
    "boundary": (signed(('Boundary="50', 'Boundary="x')), [("StampAnnot", "ofd-value")]),
    "clip": (signed(('Boundary="50', 'Clip="1" Boundary="50')), [("StampAnnot", "ofd-value")]),
    "value": (signed(value=b"nonsense"), [("Signature", "der")]),
    "value not there": ({name: data for name, data in signed().items() if name != VALUE}, [("Signature", "ofd-entry")]),
    "value too large": (signed(value=bytes(seal.MAX_BYTES + 1)), [("Signature", "ofd-entry")]),
    "no seal": (signed(kind="Sign"), []),
    "no description": ({**signed(), PLACE: b"<"}, []),
    "no place": (signed(('<ofd:StampAnnot ID="2" PageRef="1" Boundary="50 50 42 42"/>', "")), []),
}


@pytest.mark.parametrize("name", BAD)
def test_a_seal_that_cannot_be_shown_is_on_record(name: str) -> None:
    files, wanted = BAD[name]
    shown, skipped = stamps(files)
    assert shown == ()
    assert [what for what, _ in skipped] == [what for what, _ in wanted]
    assert all(code.startswith(start) for (_, code), (_, start) in zip(skipped, wanted, strict=True))


def test_a_document_that_lists_no_signatures_shows_none_of_another_document() -> None:
    """Two documents in one package: the seal stands on the second one's pages."""
    files = signed()
    plain = "<ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody>"
    sealed = plain.replace("</ofd:DocBody>", f"<ofd:Signatures>/{LIST}</ofd:Signatures></ofd:DocBody>")
    assert stamps({**files, "OFD.xml": xml("OFD", plain + sealed)}) == ((), [])


def test_too_many_places_of_stamps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ofd_stamps, "MAX_STAMPS", 0)
    assert stamps(signed()) == ((), [("Signature", "ofd-stamps")])


# --- pictures that are OFD documents, as tax seals carry them ---------------------------------------------------------


def test_a_picture_that_is_a_document_is_read_like_one() -> None:
    inner = zipped(drawn.files(drawn.layer(path())))
    (shown,), skipped = stamps(signed(value=with_picture(inner)))
    assert skipped == []
    assert shown.drawing is not None and isinstance(shown.drawing.pages[0].shapes[0], Path)


def test_two_stamps_of_one_such_picture_share_what_was_read() -> None:
    files = signed(value=with_picture(zipped(drawn.files())))
    again = PLACE.replace("Sign_0", "Sign_1")
    files |= {again: files[PLACE], LIST: listing(("s1", "", f"/{PLACE}"), ("s2", "", f"/{again}"))}
    (first, second), skipped = stamps(files)
    assert (first.signature, second.signature, skipped) == ("s1", "s2", [])
    assert first.drawing is second.drawing


def test_what_such_a_picture_cannot_show_is_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stamps(signed(value=with_picture(zipped(drawn.files(drawn.layer("<ofd:x/>"))))))[1] == [
        ("x", "ofd-unsupported")
    ]
    blank = {**drawn.files(), "Doc_0/Document.xml": xml("Document", "<ofd:CommonData/><ofd:Pages/>")}
    assert stamps(signed(value=with_picture(zipped(blank)))) == ((), [("Signature", "ofd-pages")])
    assert stamps(signed(value=with_picture(b"PK\3\4"))) == ((), [("Signature", "package-damaged")])
    with monkeypatch.context() as patch:
        patch.setattr("signing.ofd.resources.MAX_FONTS", 0)
        assert stamps(signed(value=with_picture(zipped(drawn.files())))) == ((), [("Signature", "ofd-too-much")])
    monkeypatch.setattr(ofd_stamps, "MAX_DRAWINGS", 0)
    assert stamps(signed(value=with_picture(zipped(drawn.files())))) == ((), [("Signature", "ofd-unsupported")])
