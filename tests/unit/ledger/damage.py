"""Whole packages and ways to change one record of them."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec.structs import replace

from gateway.ledger.evidence import verify
from gateway.ledger.records import MessageRecord, Record, TimelineRecord
from gateway.ledger.report import EvidenceReport
from tests.vectors.ledger import lab

Records = list[Record]


@lru_cache(maxsize=1)
def story() -> lab.Story:
    return lab.whole_walk()


def whole() -> Records:
    return [*lab.records(story()), TimelineRecord(entries=lab.timeline(story()))]


def judged(records: Records) -> EvidenceReport:
    return verify(lab.seal(records), lab.checks())


def codes(report: EvidenceReport) -> set[str]:
    return {finding.code for finding in report.reasons}


def find(records: Records, kind: type, n: int = 0) -> int:
    return [i for i, record in enumerate(records) if isinstance(record, kind)][n]


def change(records: Records, kind: type, n: int = 0, **fields: object) -> Records:
    at = find(records, kind, n)
    return [*records[:at], replace(records[at], **fields), *records[at + 1 :]]


def drop(records: Records, kind: type, n: int = 0) -> Records:
    at = find(records, kind, n)
    return [*records[:at], *records[at + 1 :]]


def message(records: Records, n: int) -> MessageRecord:
    record = records[find(records, MessageRecord, n)]
    assert isinstance(record, MessageRecord)
    return record


def headed(records: Records, n: int, **fields: object) -> Records:
    """Message ``n`` with other header fields, still canonical."""
    header = {**msgspec.json.decode(message(records, n).header), **fields}
    return change(records, MessageRecord, n, header=msgspec.json.encode(header, order="sorted"))


def proved(records: Records, n: int, side: str, **fields: object) -> Records:
    proof = getattr(message(records, n), side)
    return change(records, MessageRecord, n, **{side: replace(proof, **fields)})


def stated(records: Records, n: int, side: str, **fields: object) -> Records:
    checkpoint = getattr(message(records, n), side).checkpoint
    return proved(records, n, side, checkpoint=replace(checkpoint, **fields))
