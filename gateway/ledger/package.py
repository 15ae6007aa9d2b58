"""An evidence package taken apart: bytes in, records with their line numbers out, and a finding for all that is broken."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import msgspec

from gateway.ledger.records import (
    AgreementRecord,
    CardRecord,
    CertificateRecord,
    ConsistencyRecord,
    CrlRecord,
    DocumentRecord,
    End,
    Manifest,
    MessageRecord,
    OriginalRecord,
    ProofRecord,
    Record,
    StampRecord,
    TimelineRecord,
    TimestampRecord,
    read_line,
)
from signing.sm3 import sm3

MAX_LINES = 100_000
MAX_STAMPS = 32  # time stamps over the whole: each takes one more digest of everything before it
_BYTE = re.compile(r"\(byte (\d+)\)|position (\d+)")
_PATH = re.compile(r"at `(\$[^`]{0,80})`")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong and where: line number (1 is the first, 0 none), message id or "". ``bad`` False: cannot be told."""

    section: str
    code: str
    zh: str
    en: str
    line: int = 0
    message: str = ""
    bad: bool = True

    @property
    def where(self) -> str:
        """The place in short, the same in every language: ``line 7, 01J…``."""
        parts = [f"line {self.line}"] if self.line else []
        return ", ".join([*parts, self.message] if self.message else parts)


@dataclass(slots=True)
class Package:
    """Records by kind, each with its line. ``head``: the bytes before the end line. ``stamped``: time stamps over checkpoints,
    ``sealed``: those over the whole, with the SM3 of what they are over."""

    manifest: Manifest | None = None
    end: End | None = None
    head: bytes = b""
    certificates: list[tuple[int, CertificateRecord]] = field(default_factory=list)
    crls: list[tuple[int, CrlRecord]] = field(default_factory=list)
    cards: list[tuple[int, CardRecord]] = field(default_factory=list)
    agreements: list[tuple[int, AgreementRecord]] = field(default_factory=list)
    messages: list[tuple[int, MessageRecord]] = field(default_factory=list)
    proofs: list[tuple[int, ProofRecord]] = field(default_factory=list)
    originals: list[tuple[int, OriginalRecord]] = field(default_factory=list)
    consistency: list[tuple[int, ConsistencyRecord]] = field(default_factory=list)
    documents: list[tuple[int, DocumentRecord | StampRecord]] = field(default_factory=list)
    timelines: list[tuple[int, TimelineRecord]] = field(default_factory=list)
    stamped: list[tuple[int, TimestampRecord]] = field(default_factory=list)
    sealed: list[tuple[int, TimestampRecord, bytes]] = field(default_factory=list)
    readable: int = 0


def read(data: bytes) -> tuple[Package, list[Finding]]:
    """The package and what is wrong with its form. Never raises: a line that cannot be read is a finding."""
    package, findings = Package(), []
    lines = data.split(b"\n", MAX_LINES)
    if lines.pop() != b"":
        findings.append(
            _form("package-truncated", "末行不完整或行数过多", "the last line is cut off, or too many lines")
        )
    offset = 0
    for number, line in enumerate(lines, 1):
        record = _record(line, number, findings)
        if record is not None:
            package.readable += 1
            findings.extend(_place(package, record, number, memoryview(data)[:offset]))
        offset += len(line) + 1
    if package.manifest is None:
        findings.append(_form("manifest-missing", "首行不是证据包说明", "the first line is not a manifest", 1))
    if package.end is None:
        findings.append(_form("package-truncated", "缺少结束行，证据包被截断", "no end line: the package is cut off"))
    return package, findings


def _record(line: bytes, number: int, findings: list[Finding]) -> Record | None:
    try:
        return read_line(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        place_zh, place_en = _detail(str(error))
        zh, en = f"第 {number} 行读不出记录{place_zh}", f"line {number} is not a record{place_en}"
        findings.append(_form("line-malformed", zh, en, number))
        return None


def _detail(error: str) -> tuple[str, str]:
    """Where in the line, taken from the decoder's words; never the content itself."""
    if found := _BYTE.search(error):
        offset = found[1] or found[2]
        return f"（第 {offset} 字节处）", f" (at byte {offset})"
    if found := _PATH.search(error):
        return f"（字段 {found[1]}）", f" (field {found[1]})"
    return "", ""


def _place(package: Package, record: Record, number: int, head: memoryview) -> list[Finding]:
    over_all = isinstance(record, TimestampRecord) and record.checkpoint is None
    if package.end is not None and not over_all:
        zh, en = "结束行之后只能有时间戳", "there is more than time stamps after the end line"
        return [_form("end-misplaced", zh, en, number)]
    if isinstance(record, Manifest):
        if number != 1:
            return [_form("manifest-misplaced", "证据包说明只能在首行", "a manifest stands on line 1 only", number)]
        package.manifest = record
    elif isinstance(record, End):
        package.end, package.head = record, bytes(head)
        if record.records != number - 1:
            return [
                _form("record-count", "记录条数与结束行不符", "the number of records is not the end line's", number)
            ]
    elif isinstance(record, TimestampRecord) and over_all:
        if package.end is None or len(package.sealed) >= MAX_STAMPS:
            zh, en = "整包的时间戳位置不对或过多", "a time stamp over the whole is misplaced, or there are too many"
            return [_form("timestamp-misplaced", zh, en, number)]
        package.sealed.append((number, record, sm3(bytes(head))))
    else:
        _file(package, record, number)
    return []


def _file(package: Package, record: Record, line: int) -> None:
    match record:
        case CertificateRecord():
            package.certificates.append((line, record))
        case CrlRecord():
            package.crls.append((line, record))
        case CardRecord():
            package.cards.append((line, record))
        case AgreementRecord():
            package.agreements.append((line, record))
        case MessageRecord():
            package.messages.append((line, record))
        case ProofRecord():
            package.proofs.append((line, record))
        case OriginalRecord():
            package.originals.append((line, record))
        case ConsistencyRecord():
            package.consistency.append((line, record))
        case DocumentRecord() | StampRecord():
            package.documents.append((line, record))
        case TimelineRecord():
            package.timelines.append((line, record))
        case TimestampRecord():
            package.stamped.append((line, record))


def _form(code: str, zh: str, en: str, line: int = 0) -> Finding:
    return Finding("form", code, zh, en, line)
