"""What an evidence verification finds out (核验报告): its sections, and the report of one package."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.keybook import Identity
from gateway.ledger.originals import Origin
from gateway.ledger.package import Finding
from gateway.ledger.times import TimeNote
from schemas.canonical import CertificateReference

SECTIONS: dict[str, tuple[str, str]] = {
    "form": ("文件形式", "form of the file"),
    "parties": ("当事方名片与密钥", "the parties' cards and keys"),
    "agreements": ("通办协议及双方签署", "agreements and their signatures"),
    "messages": ("报文与摘要", "messages and their digests"),
    "proofs": ("发送方账本证明", "senders' ledger proofs"),
    "originals": ("平台原件与账本摘要相符", "the platforms' originals are what the ledger has"),
    "receipts": ("签收回执与拒收回执", "receipts and refusals"),
    "times": ("时间戳", "time stamps"),
    "checkpoints": ("检查点前后一致", "consistency of checkpoints"),
    "chains": ("证书链", "certificate chains"),
    "order": ("办件过程合乎规则", "the walk follows the rules"),
    "documents": ("材料与结果文件", "documents"),
    "stamps": ("结果的电子签章", "stamps of results"),
    "story": ("时间线与报文相符", "the timeline matches the messages"),
    "seal": ("证据包整体未被改动", "the package as a whole is unchanged"),
}


@dataclass(frozen=True, slots=True)
class EvidenceReport:
    """``reasons`` in the order found; ``counts``: how much each section looked at; ``state``: where the case stands.

    ``times``: the time stamps found; ``fixed_ms``: by the trusted ones, when all of the package was there at the latest.
    ``certificates``: those that stood in place of materials. ``origins``: what the messages were made of, and by which mapping.
    """

    ok: bool | None
    grade: str
    trust: str
    case: str
    messages: int
    state: str
    reasons: tuple[Finding, ...]
    counts: dict[str, int]
    identities: tuple[Identity, ...]
    times: tuple[TimeNote, ...] = ()
    fixed_ms: int | None = None
    certificates: tuple[CertificateReference, ...] = ()
    origins: tuple[Origin, ...] = ()
