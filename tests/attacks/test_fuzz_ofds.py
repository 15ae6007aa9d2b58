"""10⁵ OFD documents, changed where it matters: each gets a verdict, in bounded time and memory, and none is good that nobody
signed (rows C24, F01-F04, F13, X01-X08)."""

from __future__ import annotations

import base64
import io
import zipfile
from collections import Counter
from datetime import UTC
from xml.etree import ElementTree

import msgspec
import pytest

from gateway.cli import seal_ofd
from gateway.cli.sm import Context
from signing.errors import Malformed
from signing.ofd.verify import OfdReport, verify_ofd
from signing.policy import CRL_IF_PRESENT
from signing.seal import parse_stamp
from signing.sm3 import sm3
from tests import pki
from tests.attacks import fuzz, ofds
from tests.attacks.fuzz import Target
from tests.vectors.ofd.foreign import ALL
from tests.vectors.seals import generate as seals

KNOWN = [ofds.fingerprints(files) for files in ofds.SEEDS.values()]
REFERENCES = "/".join(f"{{http://www.ofdspec.org/2016}}{name}" for name in ("SignedInfo", "References", "Reference"))
MARK = "\ufeff".encode()  # in a name: a letter of XML's fifth edition, none of the fourth, which this reader knows
NOW = seals.LATER.astimezone(UTC)


def judged(data: bytes) -> OfdReport:
    """The verdict, which can be said to people and to machines."""
    report = verify_ofd(
        data, at=seals.LATER, anchors=[pki.root().certificate], provider=pki.PROVIDER, policy=CRL_IF_PRESENT,
        uncovered="reject",
    )  # fmt: skip
    assert report.ok is None or report.ok is not bool(report.reasons)
    assert seal_ofd._lines(report, NOW) and msgspec.json.encode(seal_ofd._machine(Context(True), report, NOW))
    return report


def of_a_stranger(data: bytes) -> OfdReport:
    """Good only with the very files that were signed."""
    report = judged(data)
    if report.ok:
        own = {name: digest for name, digest in report.ofd.package.digests.items() if name in _named(report)}
        assert any(own == known for known in KNOWN), "a changed document was found good"
    return report


def _named(report: OfdReport) -> set[str]:
    return set(ofds.fingerprints(dict.fromkeys(report.ofd.package.digests, b"")))


def of_a_signer(data: bytes) -> OfdReport:
    """Good only if another reader finds every file of the package covered and unchanged, and the stamp over the rest."""
    report = judged(data)
    if report.ok:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            files = {name: package.read(name) for name in package.namelist()}
        own = files.pop(ofds.PLACE)
        stamp = parse_stamp(files.pop(ofds.VALUE))
        del files[ofds.LIST]
        named = ElementTree.fromstring(own.replace(MARK, b"")).findall(REFERENCES)
        covered = {
            one.attrib["FileRef"].removeprefix("/"): base64.b64decode(
                "".join((one.findtext("{*}CheckValue") or "").split())
            )
            for one in named
        }
        assert {name: sm3(content) for name, content in files.items()} == covered
        assert stamp.data_hash == sm3(own)
    return report


GOOD = [vector.data for vector in ALL.values() if not vector.refused and len(vector.data) < fuzz.MAX_INPUT]
TARGETS = [
    Target("OFD of a stranger", of_a_stranger, list(ofds.PACKED.values()), make=ofds.mangled),
    Target("OFD of a signer", of_a_signer, [ofds.PACKED["stamp"]], make=ofds.resigned),
    Target("OFD with bytes changed", judged, GOOD),
]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_fuzzed_documents_get_a_verdict(target: Target) -> None:
    count = fuzz.SHORT // 4
    assert fuzz.attack(target, count).total() == count


def test_the_mutations_reach_what_they_are_for() -> None:
    """Not only the first check: verdicts of every kind, among them good ones, and refusals by package, XML and signature."""
    met: Counter[str] = Counter()
    for target in TARGETS[:2]:
        for index in range(len(target.seeds), 250):
            data = fuzz.mutated(target, index)
            try:
                report = judged(data)
            except Malformed as refusal:
                met[refusal.code] += 1
            else:
                met.update(report.codes or ("good",))
    assert met.keys() >= {"good", "package-headers", "ofd-uncovered", "ofd-reference-digest", "document-digest"}
    assert met.keys() >= {"ofd-signature-file", "ofd-reference-missing", "stamp-signature"} and len(met) > 25


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_many_documents_each(target: Target, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        assert fuzz.attack(target, fuzz.LONG).total() == fuzz.LONG
