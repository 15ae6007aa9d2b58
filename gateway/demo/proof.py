"""The evidence package of one case: exported from gateway A, kept as a file, verified offline against both roots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway import config as settings
from gateway.demo.ground import EVIDENCE, State
from gateway.flow.export import export_case
from gateway.ids import now_ms
from gateway.ledger import evidence
from gateway.ledger import trust as composed
from gateway.ledger.report import EvidenceReport
from signing.providers import Provider

VERDICT = {True: ("成立", "good"), False: ("不成立", "not good"), None: ("无法判断", "cannot tell")}


@dataclass(frozen=True)
class Proved:
    """The package as a file, and what verifying it said."""

    path: Path
    size: int
    report: EvidenceReport

    @property
    def verdict(self) -> tuple[str, str]:
        """The verdict in words, Chinese and English."""
        return VERDICT[self.report.ok]


def roots(state: State) -> list[bytes]:
    """Both lab roots, DER: what a verifier would have got from the two places beforehand."""
    return [(Path(place.folder) / "certs" / "ca.der").read_bytes() for place in (state.a, state.b)]


def verify(data: bytes, anchors: Sequence[bytes], provider: Provider) -> EvidenceReport:
    """Verify a package as ``tongban evidence verify --anchor …`` does."""
    return evidence.verify(data, composed.compose(provider, anchors, now_ms=now_ms()))


def prove(root: Path, state: State, case_id: str, provider: Provider) -> Proved:
    """Export a case from gateway A and verify it."""
    config = Path(state.a.config)
    data = export_case(settings.load(config), config.parent, case_id)
    path = root / EVIDENCE
    path.write_bytes(data)
    return Proved(path, len(data), verify(data, roots(state), provider))
