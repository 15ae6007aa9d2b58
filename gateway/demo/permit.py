"""One electronic certificate of the demo, from outside: issued, opened, verified, scanned, revoked, scanned again.

Nothing is asked of the gateway but its published card and the page that the QR code leads to, which anybody may open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.certificates import svg
from gateway.certificates.sheet import STRIPS, sheets
from gateway.demo.checks import Fault, Trust
from gateway.demo.outside import Outside
from gateway.public import token
from signing import certs, ecert_data, ecert_id
from signing.ecert import Metadata
from signing.ofd import custom as ofd_custom
from signing.ofd.pages import read_pages
from signing.ofd.stamps import read_stamps
from signing.ofd.verify import OfdReport, verify_ofd
from signing.policy import CRL_IF_PRESENT
from signing.sm3 import sm3

EXPECTED = ("valid", "revoked", "unknown")


@dataclass(frozen=True)
class Look:
    """What the page behind the QR code said at one moment: ``verdict``, in words, when."""

    verdict: str
    zh: str
    en: str
    made: str


@dataclass(frozen=True)
class Permit:
    """The certificate as the window fetched it. ``picture``: its page as SVG; ``looks``: when issued, when revoked, and a
    made-up address."""

    metadata: Metadata
    size: int
    report: OfdReport
    picture: str
    looks: tuple[Look, ...]
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        """All of it is as it should be."""
        return not self.faults


async def walk(outside: Outside, trusted: Trust) -> Permit:
    """Have one permit issued in Qiaokou, and take it through its life."""
    number = await outside.order_permit()
    data = await outside.permit(number)
    anchors = [certs.parse(key.certificate) for key in trusted.a.keys if key.use == "seal-anchor"]
    report = verify_ofd(
        data,
        at=datetime.now(UTC),
        anchors=anchors,
        provider=trusted.provider,
        policy=CRL_IF_PRESENT,
        uncovered="reject",
    )
    metadata = ecert_data.read(ofd_custom.custom_data(report.ofd.package)).metadata
    first = await _look(outside, metadata.url)
    await outside.revoke_permit(number)
    made_up = metadata.url[: -token.LENGTH] + token.make(sm3(data)[: token.RANDOM_BYTES])
    looks = (first, await _look(outside, metadata.url), await _look(outside, made_up))
    return Permit(metadata, len(data), report, _picture(report), looks, tuple(_faults(number, metadata, report, looks)))


async def _look(outside: Outside, url: str) -> Look:
    said: dict[str, Any] = await outside.scan(url)
    return Look(said["verdict"], said["title"], said["title_en"], said["made"])


def _picture(report: OfdReport) -> str:
    reading = read_pages(report.ofd.package)
    stamps, _ = read_stamps(report.ofd, reading)
    strip = STRIPS["verified" if report.ok else "refused"]
    return svg.draw(sheets(reading.document, stamps, strip)[0])


def _faults(number: str, metadata: Metadata, report: OfdReport, looks: tuple[Look, ...]) -> list[Fault]:
    found = [Fault(number, reason.zh, reason.en) for reason in report.reasons]
    if report.ok is not True and not found:
        found.append(Fault(number, "印章是否有效未能判断", "whether the seal is valid could not be told"))
    if metadata.identifier != number or ecert_id.parse(number).findings:
        found.append(Fault(number, "证照标识不符", "the identifier is not what it should be"))
    told = tuple(look.verdict for look in looks)
    if told != EXPECTED:
        zh, en = f"扫码页依次显示 {told}，应为 {EXPECTED}", f"the page said {told}, not {EXPECTED}"
        found.append(Fault(number, zh, en))
    return found
