"""Row L08: which signatures of a revoked key still count, row by row of the table, then in whole packages."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from gateway.exchange import card as cards
from gateway.exchange.card import Revoked
from gateway.ledger import tree
from gateway.ledger.checkpoint import parse_text
from gateway.ledger.evidence import verify
from gateway.ledger.records import CardRecord, ConsistencyRecord, ProofRecord, Record, with_timestamp
from gateway.ledger.report import EvidenceReport
from gateway.ledger.revocation import AFTER, BEYOND, OTHER_ROOT, UNFIXED, Revocation, Statement, judge
from signing.sm3 import sm3
from tests.vectors.ledger import lab

ROOT, OTHER = b"\x01" * 32, b"\x02" * 32
GONE = Revocation(1000, 7, ROOT)
ROWS = {
    "1 stated at the revocation": (GONE, Statement(1000, 3, OTHER, [10], True), AFTER),
    "1 stated later, whatever fixed it": (GONE, Statement(1001, 7, ROOT, [10]), AFTER),
    "2 beyond the last good size": (GONE, Statement(10, 8, OTHER, [20]), BEYOND),
    "3 the last good size with another root": (GONE, Statement(10, 7, OTHER, [20]), OTHER_ROOT),
    "4 the last good state itself": (GONE, Statement(10, 7, ROOT), None),
    "4 a state that the last good one extends": (GONE, Statement(10, 3, OTHER, (), True), None),
    "5 fixed before by a time stamp or a ledger": (GONE, Statement(10, 3, OTHER, [999]), None),
    "5 fixed twice, once in time": (Revocation(1000), Statement(10, 3, OTHER, [2000, 500]), None),
    "6 fixed too late": (GONE, Statement(10, 3, OTHER, [1000, 2000]), UNFIXED),
    "6 fixed by nobody": (GONE, Statement(10, 3, OTHER), UNFIXED),
    "6 a direct signature fixed by nobody": (GONE, Statement(10), UNFIXED),
    "5 a direct signature with a time stamp": (GONE, Statement(10, fixed=[20]), None),
}


@pytest.mark.parametrize("name", ROWS)
def test_L08_the_table(name: str) -> None:
    revoked, said, reason = ROWS[name]
    assert judge(revoked, said) == reason


def test_every_reason_has_a_row() -> None:
    assert {row[2] for row in ROWS.values() if row[2]} == {AFTER, BEYOND, OTHER_ROOT, UNFIXED}


# --- in a package: one side's checkpoint key is revoked after the case --------------------------------------------------

LATER = lab.T0 + 10 * 3_600_000
STORY = lab.whole_walk()


def next_card(city: lab.City, *gone: Revoked, **changes: Any) -> CardRecord:
    """The city's second card: its checkpoint key is not on it any more."""
    before = cards.content(city.card())
    keys = tuple(key for key in before.keys if key.use != "checkpoint")
    card = msgspec.structs.replace(before, version=2, issued_ms=LATER, keys=keys, revoked=gone)
    made = lab.pki(city.party).certificates["identity"]
    return CardRecord(
        party=city.party, card=cards.sign(msgspec.structs.replace(card, **changes), city.signer("identity"), made)
    )


def gone(city: lab.City, at_ms: int = LATER, size: int = 0, root: bytes = b"") -> Revoked:
    return Revoked(city.signer("checkpoint").key_id, at_ms, size, root.hex())


def last(city: lab.City) -> tuple[int, bytes]:
    stated = parse_text(city.checkpoints[-1].text.encode())
    assert stated is not None
    return stated.size, stated.root


def judged(*more: Record, key: Any = None) -> EvidenceReport:
    listed = lab.records(STORY)
    place = next(n for n, one in enumerate(listed) if isinstance(one, CardRecord)) + 1
    return verify(lab.seal([*listed[:place], *more, *listed[place:]], key), lab.checks())


def codes(report: EvidenceReport) -> set[str]:
    return {reason.code for reason in report.reasons}


def observed(city: lab.City, by: lab.City, at_ms: int) -> list[ProofRecord]:
    """All checkpoints of ``city`` as entries of another's ledger."""
    digests = [sm3(one.text.encode()) for one in city.checkpoints]
    proofs = by.commit([("observed", city.origin, digest) for digest in digests], at_ms)
    return [
        ProofRecord(party=by.party, kind="observed", id=city.origin, digest=digest.hex(), proof=proof)
        for digest, proof in zip(digests, proofs, strict=True)
    ]


def extending(city: lab.City) -> list[ConsistencyRecord]:
    sizes = [found.size for one in city.checkpoints if (found := parse_text(one.text.encode()))]
    pairs = pairwise(sizes)
    return [
        ConsistencyRecord(origin=city.origin, old=old, new=new, path=tree.consistency_path(old, new, city.get))
        for old, new in pairs
    ]


def test_a_retired_key_counts_for_what_it_signed_while_it_was_in_use() -> None:
    assert judged(next_card(STORY.b)).ok is True
    early = judged(next_card(STORY.b, issued_ms=lab.T0 + 1))
    assert early.ok is False and codes(early) == {"key-retired"}


def test_L08_receipts_of_a_key_that_was_revoked_since_cannot_be_told_by_themselves() -> None:
    report = judged(next_card(STORY.b, gone(STORY.b)))
    assert report.ok is None
    assert codes(report) == {"key-revoked-unfixed"}
    assert {reason.section for reason in report.reasons} == {"receipts"}, "what it sent was in A's ledger before"


def test_L08_what_a_revoked_key_sent_counts_only_where_the_receiver_has_answered() -> None:
    story = lab.granted()
    story.say(lab.A, "withdrawal", answered=False)
    listed = lab.records(story)
    report = verify(lab.seal([*listed[:3], next_card(story.a, gone(story.a)), *listed[3:]]), lab.checks())
    doubted = {reason.message for reason in report.reasons if (reason.section, reason.bad) == ("proofs", False)}
    assert doubted == {lab.message_id(story.records[-1].header)}


def test_L08_signatures_stated_after_the_revocation_are_bad() -> None:
    report = judged(next_card(STORY.b, gone(STORY.b, lab.T0 + 1)))
    assert report.ok is False and codes(report) == {"key-revoked"}


def test_L08_what_the_other_ledger_observed_before_counts() -> None:
    story = lab.whole_walk()
    proofs = observed(story.b, story.a, lab.T0 + 3_600_000)
    report = judged(next_card(story.b, gone(story.b)), *proofs)
    assert report.ok is True, codes(report)
    late = judged(next_card(story.b, gone(story.b)), *observed(story.b, lab.whole_walk().a, LATER + 1))
    assert "key-revoked-unfixed" in codes(late)


def test_L08_the_last_good_state_vouches_for_what_it_extends_and_for_nothing_beyond() -> None:
    size, root = last(STORY.b)
    links = extending(STORY.b)
    assert judged(next_card(STORY.b, gone(STORY.b, size=size, root=root)), *links).ok is True
    smaller = parse_text(STORY.b.checkpoints[-2].text.encode())
    assert smaller is not None
    beyond = judged(next_card(STORY.b, gone(STORY.b, size=smaller.size, root=smaller.root)), *links)
    assert beyond.ok is False and "key-revoked-beyond" in codes(beyond)
    twisted = judged(next_card(STORY.b, gone(STORY.b, size=size, root=b"\x07" * 32)), *links)
    assert twisted.ok is False and "key-revoked-root" in codes(twisted)


def test_L08_a_time_stamp_from_before_the_revocation_counts_and_a_later_one_does_not() -> None:
    listed = lab.records(STORY)
    package = lab.seal([*listed[:3], next_card(STORY.b, gone(STORY.b, lab.T0 + 40 * 3_600_000)), *listed[3:]])
    now = lab.checks(tsa=True, now_ms=lab.T0 + 60 * 3_600_000)
    for at_ms, ok in ((lab.T0 + 30 * 3_600_000, True), (lab.T0 + 50 * 3_600_000, None)):
        stamped = with_timestamp(package, lab.token(package, at_ms))
        assert verify(stamped, now).ok is ok, at_ms


def test_L08_a_package_signed_by_a_maker_whose_direct_key_is_revoked_is_in_doubt() -> None:
    direct = STORY.a.signer("direct").key_id
    before = cards.content(STORY.a.card())
    card = next_card(STORY.a, Revoked(direct, lab.T0 + 90_000_000), keys=before.keys)
    assert codes(judged(card)) == {"key-revoked-unfixed"}
    card = next_card(STORY.a, Revoked(direct, lab.T0), keys=before.keys)
    assert codes(judged(card)) == {"key-revoked"}
