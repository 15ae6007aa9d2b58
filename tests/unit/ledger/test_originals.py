"""A platform's own bytes in a package (K10): they are what the ledger has, or it is said why not; how many are in is asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from gateway.cli.evidence import as_data, lines
from gateway.ledger.evidence import verify
from gateway.ledger.originals import Origin
from gateway.ledger.records import MessageRecord, OriginalRecord, ProofRecord
from signing.sm3 import sm3
from tests.unit.ledger.damage import Records, change, codes, drop, find, judged
from tests.vectors.ledger import lab


def spoken() -> Records:
    """A case of two messages, the first of them with what the platform said."""
    story = lab.Story()
    story.say(lab.A, "application")
    story.say(lab.B, "acceptance", {"outcome": "accepted"})
    said = lab.platform_said(story)
    return [*lab.records(story), *said]


def test_K10_the_original_is_what_the_ledger_has_and_the_report_names_its_mapping() -> None:
    report = judged(spoken())
    digest = sm3(lab.ORIGINAL).hex()
    message = lab.message_id(_message(spoken(), 0).header)
    assert (report.ok, report.counts["originals"]) == (True, 1)
    assert report.origins == (Origin(message, lab.A, lab.MAPPING, digest, len(lab.ORIGINAL)),)
    assert as_data(report)["originals"] == [
        {"message": message, "party": lab.A, "mapping": lab.MAPPING, "sm3": digest, "bytes": len(lab.ORIGINAL)}
    ]
    [shown] = [line for line in lines("e.jsonl", report) if lab.MAPPING in line]
    assert message in shown and digest in shown


def test_P09_a_package_may_have_the_digest_alone_or_nothing_of_the_original() -> None:
    digest_only = judged(change(spoken(), OriginalRecord, data=None))
    assert (digest_only.ok, digest_only.counts["originals"]) == (True, 0)
    assert [(one.mapping, one.size) for one in digest_only.origins] == [(lab.MAPPING, None)]
    assert any("只有摘要" in line or "digest only" in line for line in lines("e.jsonl", digest_only))
    without = judged(drop(spoken(), OriginalRecord))
    assert (without.ok, without.origins) == (True, ())


def test_an_original_of_an_act_that_has_not_left_needs_no_message() -> None:
    story = lab.Story()
    story.say(lab.A, "application")
    story.say(lab.A, "correction", answered=False)
    said = lab.platform_said(story, 1)
    story.records.pop()
    report = judged([*lab.records(story), *said])
    assert (report.ok, len(report.origins)) == (True, 1), report.reasons


def another(records: Records) -> Records:
    return [*records, records[find(records, OriginalRecord)]]


def renamed(records: Records) -> Records:
    """The proof is said to be of another act with the same digest."""
    at = find(records, ProofRecord)
    return [*records[:at], replace(records[at], kind="sent"), *records[at + 1 :]]


def moved(records: Records) -> Records:
    """The original stands with the message of the other side."""
    return change(records, OriginalRecord, id=lab.message_id(_message(records, 1).header))


DEFECTS: dict[str, tuple[Callable[[Records], Records], set[str], bool | None]] = {
    "K10-original-altered": (lambda r: change(r, OriginalRecord, data=lab.ORIGINAL + b" "), {"original-digest"}, False),
    "K10-translation-in-place-of-the-original": (
        lambda r: change(r, OriginalRecord, data=_message(r, 0).body), {"original-digest"}, False,
    ),
    "K10-original-emptied": (lambda r: change(r, OriginalRecord, data=b""), {"original-digest"}, False),
    "proof-missing": (lambda r: drop(r, ProofRecord), {"original-unproved"}, None),
    "proof-of-another-kind": (renamed, {"original-unproved", "wrong-path"}, False),
    "proof-of-another-digest": (
        lambda r: change(r, ProofRecord, digest=sm3(b"other").hex()), {"original-digest", "wrong-path"}, False,
    ),
    "original-and-proof-both-replaced": (
        lambda r: change(change(r, OriginalRecord, data=b"other"), ProofRecord, digest=sm3(b"other").hex()),
        {"wrong-path"}, False,
    ),
    "original-twice": (another, {"original-twice"}, False),
    "original-of-the-other-sides-message": (moved, {"original-other"}, False),
    "original-of-the-other-party": (lambda r: change(r, OriginalRecord, party=lab.B), {"original-other"}, False),
    "mapping-with-control-characters": (
        lambda r: change(r, OriginalRecord, mapping="\x1b[2J"), {"line-malformed"}, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_has_its_reason(defect: str) -> None:
    damage, expected, ok = DEFECTS[defect]
    report = judged(damage(spoken()))
    unlinked = {"checkpoint-missing"}  # a proof that fails names no checkpoint
    assert report.ok is ok and expected <= codes(report) <= expected | unlinked, report.reasons


def test_an_original_may_be_empty_and_is_then_no_missing_one() -> None:
    story = lab.Story()
    story.say(lab.A, "application")
    said = lab.platform_said(story, 0, b"")
    report = verify(lab.seal([*lab.records(story), *said]), lab.checks())
    assert (report.ok, report.origins[0].size) == (True, 0)


def _message(records: Records, n: int) -> MessageRecord:
    record = records[find(records, MessageRecord, n)]
    assert isinstance(record, MessageRecord)
    return record
