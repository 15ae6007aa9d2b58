"""OFD documents with bytes flipped, cut or doubled: each ends in a verdict or in ``Malformed``, soon, and never as good."""

from __future__ import annotations

import io
import time
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import signed_data
from signing.errors import Malformed
from signing.ofd import package
from signing.ofd import xml as ofd_xml
from signing.ofd.verify import OfdReport, verify_ofd
from signing.policy import CRL_IF_PRESENT
from tests import pki
from tests.vectors.ofd import generate
from tests.vectors.ofd.zips import Item, build
from tests.vectors.seals import generate as seals

SEALED, SIGNED = generate.stamped(), generate.signed(generate.signed_data)
STORED = build([Item(name, data, method=0) for name, data in SEALED.items()])
PACKED = generate.zipped(SEALED)


def judge(data: bytes) -> OfdReport | None:
    """The report, None if the document could not be opened; both within a second."""
    began = time.process_time()
    try:
        return verify_ofd(
            data,
            at=seals.LATER,
            anchors=[pki.root().certificate],
            provider=pki.PROVIDER,
            policy=CRL_IF_PRESENT,
            uncovered="reject",
        )
    except Malformed as fault:
        assert fault.code and fault.zh and fault.en
        return None
    finally:
        assert time.process_time() - began < 5


def test_every_changed_byte_of_a_file_is_noticed() -> None:
    """The checksum is renewed, so that only the signatures can tell."""
    assert (good := judge(generate.zipped(SEALED))) is not None and good.ok
    for name, data in SEALED.items():
        for place in range(0, len(data), max(1, len(data) // 40)):
            flipped = data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]
            report = judge(generate.zipped({**SEALED, name: flipped}))
            # The list is signed by nobody: of it, only what is judged need be noticed.
            assert name == generate.LIST or report is None or report.ok is not True, (name, place)


@pytest.mark.parametrize("data", [STORED, PACKED], ids=["stored", "packed"])
def test_every_flipped_bit_of_a_package_ends_in_a_verdict(data: bytes) -> None:
    good = judge(data)
    assert good is not None and good.ok
    for place in range(0, len(data), 7):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        report = judge(bytes(flipped))
        # What may pass are times, versions and attributes, which say nothing of the content.
        assert report is None or not report.ok or report.ofd.package.digests == good.ofd.package.digests, place


@settings(max_examples=150)
@given(st.data())
def test_mangled_packages(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from([STORED, PACKED, generate.zipped(SIGNED)]))
    changed = bytearray(source)
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(changed)))
    size = data.draw(st.integers(0, 200))
    mangled = {
        "as is": changed,
        "cut": changed[:start],
        "hole": changed[:start] + changed[start + size :],
        "doubled": changed[:start] + changed[start : start + size] * 2 + changed[start + size :],
    }
    judge(bytes(mangled[data.draw(st.sampled_from(sorted(mangled)))]))


@settings(max_examples=150)
@given(st.data())
def test_mangled_files_in_a_sound_package(data: st.DataObject) -> None:
    files = data.draw(st.sampled_from([SEALED, SIGNED]))
    name = data.draw(st.sampled_from([generate.LIST, generate.PLACE, generate.VALUE, "OFD.xml"]))
    changed = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    report = judge(generate.zipped({**files, name: bytes(changed[: data.draw(st.integers(0, 2000)) or None])}))
    assert report is None or report.ok in (True, False, None)


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_garbage(data: bytes) -> None:
    for read in (package.open_package, signed_data.parse, lambda data: ofd_xml.parse(data, "OFD")):
        with pytest.raises(Malformed):
            read(data)
    assert judge(b"PK\3\4" + data) is None
    assert judge(generate.zipped({**SEALED, generate.VALUE: data})) is not None
    assert judge(generate.zipped({**SIGNED, generate.VALUE: data})) is not None


NAMES = st.text(st.characters(codec="utf-8"), max_size=8)


@settings(max_examples=100)
@given(st.dictionaries(NAMES, st.binary(max_size=60), max_size=5), st.booleans())
def test_what_is_read_is_what_another_reader_reads(files: dict[str, bytes], deflated: bool) -> None:
    target = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", method) as made:
        for name, content in files.items():
            made.writestr(zipfile.ZipInfo(name or "x"), content, method)
    try:
        read = package.open_package(target.getvalue())
    except Malformed as fault:
        assert fault.code in ("package-name", "package-duplicate", "package-damaged")
        return
    with zipfile.ZipFile(target) as made:
        assert {name: read.read(name) for name in read.digests} == {
            name: made.read(name) for name in made.namelist() if not name.endswith("/")
        }
