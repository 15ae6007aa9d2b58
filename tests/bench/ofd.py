"""E-certificates (OFD) verified with all their checks, per second of one core, beside the work that none can leave out: the
package unpacked by ``zipfile``, every file's SM3 by ``hashlib``, and two verifications of the same libcrypto.

The documents are of real size: one page of text and lines, an embedded font, a picture, attachments, a seal. Warm: anchors
and signers have been met before, the documents themselves have not. ``rows`` tells what a document costs that lies in a file.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import random
import resource
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from signing import certs, sm2
from signing.certs import Certificate
from signing.ofd.build import build_ofd
from signing.ofd.container import Annotation
from signing.ofd.content import Attachment, Box, Document, Font, Image, Page, Run, Text
from signing.ofd.content import Path as Lines
from signing.ofd.sign import stamp
from signing.ofd.verify import verify_ofd
from signing.policy import CRL_IF_PRESENT
from signing.providers import open_provider
from signing.seal import parse_stamp
from signing.stamper import LocalStamper
from tests.bench.measure import Figures, note, turns
from tests.bench.procs import ROOT, pin
from tests.bench.seals import NOW, PROVIDER, City, Unit
from tests.bench.sign import repeat

DOCUMENTS, UNITS = 256, 16


def document(number: int, pictures: int = 1, size: int = 24 << 10) -> Document:
    """What a business licence weighs: some 150 pieces of text, a font of 40 KiB, ``pictures`` of ``size`` bytes."""
    noise = random.Random(number)
    texts = [
        Text(Box(20, 10 + n, 170, 6), "宋体", 4.2, (Run(0, 5, f"第{n}项：样章·测试无效 {number}-{n}", (4.2,) * 20),))
        for n in range(150)
    ]
    lines = [Lines(Box(15, 20 + n * 4, 180, 1), "M 0 0 L 180 0") for n in range(60)]
    media = {f"p{n}.png": b"\x89PNG\r\n\x1a\n" + noise.randbytes(size) for n in range(pictures)}
    images = [Image(Box(150, 20, 30, 30), name, (30, 0, 0, 30, 0, 0)) for name in media]
    return Document(
        (Page(210, 297, (*texts, *lines, *images)),), media, (Font("宋体", "SimSun", noise.randbytes(40 << 10)),),
        (Attachment("data.json", "application/json", b'{"a":1}' * 300),), (("ZZMC", "营业执照"),), "营业执照",
    )  # fmt: skip


def sealed(city: City, unit: Unit, document: Document) -> bytes:
    """The document with the unit's seal on its page."""
    stamper = LocalStamper(
        unit.signer, certs.parse(unit.certificate), unit.seal, [city.authority.certificate], CRL_IF_PRESENT
    )
    made = stamp(build_ofd(document), stamper, at=NOW, annotations=[Annotation("s", "1", "150 230 42 42")])
    assert isinstance(made, bytes), made
    return made


def rows(documents: Sequence[bytes], anchors: Sequence[Certificate]) -> dict[str, Callable[[], object]]:
    """Verified, each time the next one, by us and by the bare necessities."""
    ours, bare = itertools.cycle(documents), itertools.cycle(documents)

    def judge() -> None:
        report = verify_ofd(
            next(ours), at=NOW, anchors=anchors, provider=PROVIDER, policy=CRL_IF_PRESENT, uncovered="reject"
        )
        if report.ok is not True:
            raise SystemExit(f"a good document was not found good: {report.codes}")

    return {"e-certificates": judge, "zipfile, SM3, two libcrypto verifications": lambda: necessities(next(bare))}


LIBCRYPTO = open_provider("libcrypto:")


def necessities(data: bytes) -> None:
    """No XML, no certificates, no rules: what remains of a verification then."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        value = b""
        for name in package.namelist():
            content = package.read(name)
            hashlib.new("sm3", content).digest()
            value = content if name.endswith("SignedValue.dat") else value
    made = parse_stamp(value)
    for signed, holder in ((made, made.signer), (made.seal, made.seal.maker)):
        key = certs.parse(holder).public_key
        assert key is not None and sm2.verify(
            LIBCRYPTO, key, signed.covered, signed.signature, signer_id=sm2.DEFAULT_ID
        )


def measure(folder: Path, seconds: float) -> Figures:
    """Rounds of baseline and ours take turns; the ratio is the median over the rounds. ``large``: memory of 50 MB."""
    pin(0)
    times = turns(seconds)
    city = City()
    units = [city.unit() for _ in range(UNITS)]
    note("making documents")
    documents = [sealed(city, units[number % UNITS], document(number)) for number in range(DOCUMENTS)]
    acts = rows(documents, [city.authority.certificate])
    found: dict[str, list[Figures]] = {}
    for number in range(times):
        note(f"round {number + 1} of {times}")
        for name, act in reversed(acts.items()):
            found.setdefault(name, []).append(repeat(act, max(0.1, seconds / times)))
    mine, beside = (sorted(found[name], key=lambda one: one["per_second"])[times // 2] for name in acts)
    pairs = zip(*(found[name] for name in acts), strict=True)
    ratio = statistics.median(one["per_second"] / other["per_second"] for one, other in pairs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ours = mine | {"rss_mb": round(peak, 1), "kib": len(documents[0]) >> 10, "ratio": round(ratio, 4)}
    note("a document of 50 MB")
    return {"ours": ours, "beside": beside, "large": large(city, units[0], folder)}


def large(city: City, unit: Unit, folder: Path) -> Figures:
    """A document of 50 MB in a file, verified by a process of its own: seconds and its peak memory."""
    path, root = folder / "large.ofd", folder / "root.der"
    path.write_bytes(sealed(city, unit, document(0, pictures=50, size=1 << 20)))
    root.write_bytes(city.authority.certificate.der)
    return verified(path, root)


def verified(path: Path, root: Path, *options: str) -> Figures:
    """What ``tests.bench.ofd_large`` says of a file."""
    command = [sys.executable, "-m", "tests.bench.ofd_large", str(path), str(root), NOW.isoformat(), *options]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: Figures = json.loads(done.stdout)
    return found
