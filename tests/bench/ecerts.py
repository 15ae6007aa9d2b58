"""E-certificates issued, per second of one core, beside the work that none can leave out.

Ours: values checked against the template, metadata, identifier, page with its QR code, every file's digest, the seal's and
signer's certificates checked as before any stamp, the stamp, the package. Beside it, over the very files of such a
certificate: the QR code by ``segno``, every file's SM3 by ``hashlib``, one signature of libcrypto, the package by ``zipfile``.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import resource
import statistics
import zipfile
from collections.abc import Callable

import segno

from gateway.certificates.issue import compose, issue
from gateway.certificates.template import Template
from signing import certs, sm2
from signing.ecert import Metadata
from signing.ofd.package import open_package
from signing.policy import CRL_IF_PRESENT
from signing.providers import open_provider
from signing.stamper import LocalStamper
from tests.bench.measure import Figures, note, turns
from tests.bench.procs import pin
from tests.bench.seals import NOW, City
from tests.bench.sign import repeat
from tests.ecerts import template, wanted

TEMPLATES = ("business-licence", "construction-permits")
BESIDE = "segno, SM3, one libcrypto signature, zipfile"


def _stamper() -> LocalStamper:
    city = City()
    unit = city.unit()
    anchors = [city.authority.certificate]
    return LocalStamper(unit.signer, certs.parse(unit.certificate), unit.seal, anchors, CRL_IF_PRESENT)


def _issuing(chosen: Template, stamper: LocalStamper, numbers: itertools.count[int]) -> Callable[[], bytes]:
    """Each call issues another certificate, with an address of its own."""

    def act() -> bytes:
        number = next(numbers)
        values = wanted(chosen, serial=f"{number:010}", url=f"https://ecert.example/v/ABCDEFGHIJKLMNOPQ{number:09}")
        metadata = compose(chosen, values)
        assert isinstance(metadata, Metadata), metadata
        made = issue(chosen, metadata, stamper, NOW, lab=True, seal=stamper.seal)
        assert isinstance(made, bytes), made
        return made

    return act


def _necessities(data: bytes, numbers: itertools.count[int]) -> Callable[[], object]:
    """No template, no layout, no XML, no checks: what remains of issuing then."""
    package = open_package(data)
    files = {name: package.read(name) for name in package.digests}
    provider = open_provider("libcrypto:")
    key = provider.generate()

    def act() -> None:
        segno.make_qr(f"https://ecert.example/v/ABCDEFGHIJKLMNOPQ{next(numbers):09}", error="m", mask=2)
        digests = [hashlib.new("sm3", content).digest() for content in files.values()]
        sm2.sign(provider, key, b"".join(digests), signer_id=sm2.DEFAULT_ID)
        with zipfile.ZipFile(io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as made:
            for name, content in files.items():
                made.writestr(name, content)

    return act


def measure(seconds: float) -> Figures:
    """Rounds of baseline and ours take turns; the ratio is the median over the rounds."""
    pin(0)
    times = turns(seconds)
    stamper, numbers = _stamper(), itertools.count()
    acts = {name: _issuing(template(name), stamper, numbers) for name in TEMPLATES}
    beside = {name: _necessities(act(), numbers) for name, act in acts.items()}
    found: dict[str, list[tuple[Figures, Figures]]] = {}
    for number in range(times):
        note(f"round {number + 1} of {times}")
        for name, act in acts.items():
            share = max(0.1, seconds / times / len(acts))
            found.setdefault(name, []).append((repeat(beside[name], share), repeat(act, share))[::-1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": {name: _middle(one) for name, one in found.items()}, "rss_mb": round(peak, 1)}


def _middle(found: list[tuple[Figures, Figures]]) -> Figures:
    mine, base = sorted(found, key=lambda pair: pair[0]["per_second"])[len(found) // 2]
    ratios = [one["per_second"] / other["per_second"] for one, other in found]
    return mine | {"baseline": base["per_second"], "ratio": round(statistics.median(ratios), 4)}
