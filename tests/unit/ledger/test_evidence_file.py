"""Evidence packages as files: signatures of the maker, cuts, and every changed byte."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gateway.ledger.checkpoint import entry_digest
from gateway.ledger.evidence import verify
from gateway.ledger.records import build
from tests.unit.ledger.damage import codes, judged, whole
from tests.vectors.ledger import lab


def test_no_signature_of_the_maker_cannot_be_told_and_a_wrong_one_is_bad() -> None:
    records = whole()
    assert codes(verify(build(records), lab.checks())) == {"package-unsigned"}
    stranger = lab.signer("stranger")
    assert codes(verify(lab.seal(records, stranger), lab.checks())) == {"wrong-signer"}
    maker = lab.City(lab.A).signer("direct")
    forged = build(records, lambda data: (maker.key_id, stranger.sign(data)))
    assert codes(verify(forged, lab.checks())) == {"wrong-signature"}


def test_cut_and_rearranged_files_are_named() -> None:
    lines = lab.package().splitlines(keepends=True)
    manifest, *middle, end = lines
    cases = {
        "package-truncated": [b"".join(lines[:-1]), b"".join(lines)[:-1], b"".join(lines)[:-40], b""],
        "record-count": [b"".join([manifest, *middle[:-1], end])],
        "end-misplaced": [b"".join([*lines, middle[0]])],
        "manifest-misplaced": [b"".join([middle[0], manifest, *middle[1:], end])],
        "manifest-missing": [b"".join([*middle, end]), b""],
        "line-malformed": [b"".join([manifest, b"\n", *middle, end]), b"".join([manifest, b"{", *middle, end])],
    }
    for code, files in cases.items():
        for file in files:
            report = verify(file, lab.checks())
            assert report.ok is False and code in codes(report), code


def test_a_broken_line_is_told_with_its_place() -> None:
    lines = lab.package().splitlines(keepends=True)
    broken = b"".join([*lines[:3], b"#" + lines[3], *lines[4:]])
    [finding] = [f for f in verify(broken, lab.checks()).reasons if f.code == "line-malformed"]
    assert finding.line == 4 and "byte 0" in finding.en and "第 0 字节" in finding.zh


@pytest.mark.parametrize(
    "garbage", [b"", b"\n", b"\x00" * 100, b"[" * 100_000, b'{"record":"end"}\n', "汉字\n".encode("gbk")]
)
def test_anything_at_all_gets_a_report(garbage: bytes) -> None:
    assert verify(garbage, lab.checks()).ok is False


def test_a_time_at_the_end_of_the_calendar_is_no_traceback() -> None:
    records = whole()
    latest = replace(records[0], made_at=253_402_300_799_999)
    assert judged([latest, *records[1:]]).ok is False


def test_every_changed_bit_of_the_end_line_is_found() -> None:
    """Nothing covers the end line but itself: neither a space nor the idle bits of its base64 may differ."""
    data = small()
    start = data.rindex(b"\n", 0, -1) + 1
    for at in range(start, len(data)):
        for bit in (0, 1, 2):
            broken = bytearray(data)
            broken[at] ^= 1 << bit
            assert verify(bytes(broken), lab.checks()).ok is False, (at, bit)
    assert verify(data[:start] + b" " + data[start:], lab.checks()).ok is False


def small() -> bytes:
    made = lab.Story()
    made.say(lab.A, "application")
    said = lab.platform_said(made)
    return lab.seal([*lab.records(made), *said])


def flip_everywhere(data: bytes, step: int) -> None:
    """Every ``step``-th byte, each with another bit, is changed: never good, never a traceback, always a reason."""
    checks = lab.checks()
    for at in range(0, len(data), step):
        broken = bytearray(data)
        broken[at] ^= 1 << at % 8
        report = verify(bytes(broken), checks)
        assert report.ok is False, at
        assert codes(report) & {
            "package-altered",
            "package-truncated",
            "wrong-signature",
            "wrong-signer",
            "line-malformed",
            "record-count",
        }


def test_a_changed_byte_anywhere_is_found() -> None:
    flip_everywhere(small(), 37)


@pytest.mark.long
def test_every_changed_byte_is_found() -> None:
    flip_everywhere(small(), 1)


def test_a_changed_byte_in_a_message_is_told_as_that_message() -> None:
    """Beside "the file was altered", what it broke is named: whole message records, every seventh byte."""
    data = small()
    start = data.index(b'{"body"')
    end = data.index(b"\n", start)
    for at in range(start, end, 7):
        broken = bytearray(data)
        broken[at] ^= 1
        reasons = verify(bytes(broken), lab.checks()).reasons
        assert any(finding.section not in ("seal", "order") and finding.line for finding in reasons), at


def test_K10_a_changed_byte_in_an_original_is_told_as_that_original() -> None:
    """Whatever byte of it, whatever else is found: the line of the original is named."""
    data = small()
    start = data.index(b'{"data"')
    line = data.count(b"\n", 0, start) + 1
    for at in range(start + len('{"data":"'), data.index(b'"', start + len('{"data":"'))):
        broken = bytearray(data)
        broken[at] ^= 1
        found = {finding.code for finding in verify(bytes(broken), lab.checks()).reasons if finding.line == line}
        assert found & {"original-digest", "line-malformed"}, at


def test_entry_digests_keep_kinds_apart() -> None:
    assert len({entry_digest(kind, "m", bytes(32)) for kind in ("accepted", "sent", "refused", "platform")}) == 4
