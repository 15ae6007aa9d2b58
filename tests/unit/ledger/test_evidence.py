"""Evidence packages: whole ones hold, every kind of damage gets its own reason, nothing raises."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace

from gateway.exchange.card import SignedCard
from gateway.ledger import tree
from gateway.ledger.checkpoint import Checkpoint, LedgerProof, SignedCheckpoint, text
from gateway.ledger.evidence import verify
from gateway.ledger.records import (
    AgreementRecord,
    CardRecord,
    CertificateRecord,
    ConsistencyRecord,
    CrlRecord,
    DocumentRecord,
    MessageRecord,
    ProofRecord,
    StampRecord,
    TimelineRecord,
)
from signing.sm3 import sm3
from tests.unit.ledger.damage import Records, change, codes, drop, find, headed, judged, message, proved, stated, whole
from tests.vectors.ledger import lab


def test_a_whole_walk_holds_with_the_packages_own_roots() -> None:
    report = judged(whole())
    assert (report.ok, report.grade, report.trust, report.messages, report.state) == (
        True, "full", "as-packaged", 9, "delivered",
    )  # fmt: skip
    assert report.reasons == ()
    silent = {section for section, count in report.counts.items() if not count}
    assert silent == {"times", "originals"}, "every section looked at what there is"


def test_anchors_from_outside_raise_the_trust() -> None:
    report = verify(lab.package(), lab.checks(anchored=True))
    assert (report.ok, report.trust) == (True, "anchored")


def test_the_identities_that_a_person_compares_are_named() -> None:
    fingerprints = {one.party: one.fingerprint for one in judged(whole()).identities}
    assert fingerprints == {party: lab.signer(f"{party} identity").key_id for party in (lab.A, lab.B)}


def swapped(records: Records) -> Records:
    return change(records, MessageRecord, 0, receipt=message(records, 2).receipt)


def twisted(records: Records) -> Records:
    receipt = message(records, 0).receipt
    assert isinstance(receipt, LedgerProof)
    return proved(records, 0, "receipt", path=[*receipt.path, bytes(32)])


def own_receipt(records: Records) -> Records:
    """The sender receipts its own message."""
    one = message(records, 0)
    city = lab.City(lab.A)
    [proof] = city.commit([("accepted", lab.message_id(one.header), sm3(one.header))], lab.T0)
    return change(records, MessageRecord, 0, receipt=proof)


def foreign_origin(records: Records) -> Records:
    """A receipt by the right key over a ledger that is not the receiver's."""
    one = message(records, 0)
    city = lab.City(lab.B)
    [proof] = city.commit([("accepted", lab.message_id(one.header), sm3(one.header))], lab.T0)
    data = text(Checkpoint(f"{lab.A}/1", 1, tree.root(city.frontier), lab.T0))
    key = city.signer("checkpoint")
    return change(
        records, MessageRecord, 0,
        receipt=replace(proof, checkpoint=SignedCheckpoint(data.decode(), key.key_id, key.sign(data))),
    )  # fmt: skip


def split(records: Records) -> Records:
    """The receiver shows a second ledger of the same length."""
    one = message(records, 0)
    city = lab.City(lab.B)
    [proof] = city.commit([("accepted", lab.message_id(one.header), sm3(one.header))], lab.T0)
    other = lab.City(lab.B)
    other.commit([("platform", "something-else", bytes(32))], lab.T0)
    entry = ("platform", "something-else", bytes(32))
    shown = ProofRecord(
        party=lab.B, kind=entry[0], id=entry[1], digest=entry[2].hex(),
        proof=LedgerProof(0, other.salts[0], [], other.checkpoints[0]),
    )  # fmt: skip
    return [*change(records, MessageRecord, 0, receipt=proof), shown]


def back_in_time(records: Records) -> Records:
    city = lab.City(lab.B)
    city.commit([("platform", "one", bytes(32))], lab.T0 + 10**9)
    [proof] = city.commit([("platform", "two", bytes(32))], lab.T0)
    first = LedgerProof(0, city.salts[0], [], city.checkpoints[0])
    listed = [
        ProofRecord(party=lab.B, kind="platform", id=name, digest=bytes(32).hex(), proof=p)
        for name, p in (("one", first), ("two", proof))
    ]
    return [r for r in records if not isinstance(r, MessageRecord | TimelineRecord | ConsistencyRecord)] + listed


def edited_card(records: Records) -> Records:
    card = records[find(records, CardRecord, 1)]
    assert isinstance(card, CardRecord)
    signed = msgspec.json.decode(card.card)
    inner = msgspec.json.decode(msgspec.json.decode(msgspec.json.encode(signed["card"]), type=bytes))
    signed["card"] = msgspec.json.encode({**inner, "name": "别处"}, order="sorted")
    return change(records, CardRecord, 1, card=msgspec.json.encode(signed, order="sorted"))


def card_of(records: Records, **fields: object) -> Records:
    """B's card with another wrapping: key id or certificate of somebody else, signature untouched."""
    card = records[find(records, CardRecord, 1)]
    assert isinstance(card, CardRecord)
    signed = {**msgspec.json.decode(card.card), **fields}
    return change(records, CardRecord, 1, card=msgspec.json.encode(signed, order="sorted"))


def resigned(records: Records, **fields: object) -> Records:
    """B's card with its first key changed, signed again by B's identity key."""
    card = records[find(records, CardRecord, 1)]
    assert isinstance(card, CardRecord)
    inner = msgspec.json.decode(msgspec.json.decode(card.card, type=SignedCard).card)
    inner["keys"][0] |= fields
    data = msgspec.json.encode(inner, order="sorted")
    identity = lab.City(lab.B).signer("identity")
    return card_of(records, card=data, signature=identity.sign(b"tongban/v1/card\n" + data))


def late_key(records: Records) -> Records:
    card = lab.City(lab.B, since_ms=lab.T0 + 86_400_000 * 30).card()
    return change(records, CardRecord, 1, card=card)


def told(n: int, **fields: object) -> Callable[[Records], Records]:
    def damage(records: Records) -> Records:
        record = records[-1]
        assert isinstance(record, TimelineRecord)
        entries = [*record.entries]
        entries[n] = replace(entries[n], **fields)
        return [*records[:-1], TimelineRecord(entries=entries)]

    return damage


NOT_A_HEADER = "header-malformed"
DAMAGES: dict[str, tuple[Callable[[Records], Records], bool | None, set[str]]] = {
    "body": (lambda r: change(r, MessageRecord, 3, body=b'{"outcome":"granted"}'), False, {"body-digest"}),
    "header": (lambda r: headed(r, 3, purpose="另一用途"), False, {"wrong-path"}),
    "header-spaces": (
        lambda r: change(r, MessageRecord, 3, header=b" " + message(r, 3).header), False, {"header-form", "wrong-path"},
    ),
    "header-gone": (lambda r: change(r, MessageRecord, 3, header=b"[" * 5000), False, {NOT_A_HEADER}),
    "case": (lambda r: headed(r, 3, case=lab.CASE[:-1] + "Z"), False, {"other-case"}),
    "party": (lambda r: headed(r, 3, to="999999.X"), False, {"other-party"}),
    "same-number": (lambda r: headed(r, 4, seq=2), False, {"sequence-conflict"}),
    "twice": (lambda r: [*r, message(r, 3)], False, {"duplicate-message"}),
    "R13-receipt-swapped": (swapped, False, {"wrong-path"}),
    "receipt-path": (twisted, False, {"wrong-path"}),
    "receipt-index": (lambda r: proved(r, 0, "receipt", index=99), False, {"wrong-leaf"}),
    "receipt-salt": (lambda r: proved(r, 0, "receipt", salt=b"short"), False, {"wrong-leaf"}),
    "checkpoint-form": (lambda r: stated(r, 0, "receipt", text="nonsense"), False, {"wrong-checkpoint-form"}),
    "checkpoint-signature": (lambda r: stated(r, 0, "receipt", signature=b"0"), False, {"wrong-signature"}),
    "checkpoint-key": (lambda r: stated(r, 0, "receipt", key="0" * 32), None, {"unknown-key"}),
    "receipt-by-sender": (own_receipt, False, {"wrong-signer"}),
    "receipt-of-another-ledger": (foreign_origin, False, {"wrong-origin"}),
    "receipt-missing": (lambda r: change(r, MessageRecord, 8, receipt=None), None, {"receipt-missing"}),
    "sender-missing": (lambda r: change(r, MessageRecord, 8, sender=None), None, {"sender-proof-missing"}),
    "message-missing": (lambda r: drop(r, MessageRecord, 1), None, {"message-missing"}),
    "L03-split-view": (split, False, {"split-view"}),
    "time-back": (back_in_time, False, {"checkpoint-time"}),
    "consistency": (lambda r: change(r, ConsistencyRecord, 0, path=[bytes(32)]), False, {"wrong-consistency"}),
    "consistency-of-nothing": (lambda r: change(r, ConsistencyRecord, 0, new=10**6), None, {"checkpoint-missing"}),
    "agreement-missing": (lambda r: drop(r, AgreementRecord), None, {"agreement-missing"}),
    "agreement-other": (lambda r: change(r, AgreementRecord, version=2), False, {"agreement-other", "agreement-missing"}),
    "agreement-garbage": (lambda r: change(r, AgreementRecord, file=b"\xff"), False, {"agreement-malformed"}),
    "agreement-one-side": (
        lambda r: change(r, AgreementRecord, file=lab.agreement_file(lab.A)), False, {"agreement-not-signed"},
    ),
    "agreement-edited": (
        lambda r: change(r, AgreementRecord, file=lab.agreement_file().replace("依据公开报道".encode(), b"x", 1)),
        False, {"wrong-signature"},
    ),
    "card-missing": (lambda r: drop(r, CardRecord, 1), None, {"unknown-key"}),
    "card-garbage": (lambda r: change(r, CardRecord, 1, card=b"{}"), False, {"card-malformed"}),
    "card-edited": (edited_card, False, {"card-signature"}),
    "card-key-of-another": (lambda r: card_of(r, key="0" * 32), False, {"card-key"}),
    "card-certificate-of-another": (
        lambda r: card_of(r, certificate=lab.pki(lab.A).certificates["identity"]), False, {"card-key"},
    ),
    "card-certificate-garbage": (lambda r: card_of(r, certificate=b"0"), False, {"card-malformed"}),
    "card-lists-a-wrong-id": (lambda r: resigned(r, id="0" * 32), False, {"card-key", "unknown-key"}),
    "card-lists-a-broken-certificate": (lambda r: resigned(r, certificate=b"0"), False, {"card-key", "unknown-key"}),
    "card-of-another": (lambda r: change(r, CardRecord, 1, party="别人"), False, {"card-party"}),
    "key-of-later": (late_key, False, {"key-not-yet-valid"}),
    "root-missing": (lambda r: drop(drop(r, CertificateRecord), CertificateRecord), None, {"no-anchor"}),
    "root-of-another": (lambda r: drop(r, CertificateRecord, 1), False, {"untrusted-root"}),
    "list-garbage": (lambda r: change(r, CrlRecord, 0, der=b"0"), True, set()),
    "document-edited": (lambda r: change(r, DocumentRecord, data=b"x"), False, {"document-digest"}),
    "document-foreign": (
        lambda r: [*r, DocumentRecord(sm3=sm3(b"x").hex(), data=b"x")], False, {"document-unknown"},
    ),
    "document-missing": (lambda r: drop(r, DocumentRecord), None, {"document-missing"}),
    "stamp-missing": (lambda r: drop(r, StampRecord), None, {"document-missing"}),
    "story-lies": (told(7, event="decide_deny", state="denied"), False, {"story-event"}),
    "story-jumps": (told(3, state="granted"), False, {"story-state"}),
    "story-unknown": (told(10, message="01J9"), None, {"story-message"}),
    "story-nonsense": (told(10, event="fly"), False, {"story-event", "story-state"}),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_has_its_reason(name: str) -> None:
    damage, ok, expected = DAMAGES[name]
    report = judged(damage(whole()))
    assert report.ok is ok
    assert expected <= codes(report)
    for finding in report.reasons:
        assert finding.zh and finding.en and "{" not in finding.zh + finding.en


def test_findings_point_at_line_and_message() -> None:
    records = whole()
    damaged = change(records, MessageRecord, 3, body=b"{}")
    [finding] = [f for f in judged(damaged).reasons if f.code == "body-digest"]
    line = find(records, MessageRecord, 3) + 1
    assert finding.where == f"line {line}, {lab.message_id(message(records, 3).header)}"


def test_a_result_with_another_documents_stamp_does_not_hold() -> None:
    made = lab.granted()
    stamped = lab.stamp(b"another document")
    lab.say_result(made, stamped)
    at = [r for r in lab.records(made) if not isinstance(r, StampRecord)]
    report = judged([*at, StampRecord(sm3=sm3(stamped).hex(), data=stamped)])
    assert report.ok is False
    assert {f.section for f in report.reasons} == {"stamps"}


def test_a_refused_result_is_not_held_against_the_case() -> None:
    made = lab.granted()
    lab.say_result(made, b"no stamp at all", refused="TB-3001")
    lab.say_result(made)
    report = judged(lab.records(made))
    assert (report.ok, report.grade, report.state) == (True, "full", "result_issued"), codes(report)


def test_a_refusal_with_another_code_than_was_signed_is_found() -> None:
    made = lab.granted()
    lab.say_result(made, refused="TB-3001")
    records = lab.records(made)
    refusal = message(records, 6).refusal
    assert refusal is not None
    report = judged(change(records, MessageRecord, 6, refusal=replace(refusal, code="TB-3002")))
    assert report.ok is False
    assert "wrong-path" in codes(report)


def test_the_body_of_a_refused_message_may_be_withheld_and_no_other() -> None:
    made = lab.granted()
    lab.say_result(made, b"no stamp at all", refused="TB-3001")
    records = lab.records(made)
    n = len(made.records) - 1
    withheld = change(records, MessageRecord, n, body=b"", withheld=True)
    without = [r for r in withheld if not isinstance(r, DocumentRecord | StampRecord)]
    assert (judged(without).ok, judged(without).grade) == (True, "full"), codes(judged(without))
    assert "body-withheld" in codes(judged(change(records, MessageRecord, 0, body=b"", withheld=True)))
    assert "body-withheld" in codes(judged(change(records, MessageRecord, n, withheld=True)))


def test_a_receipt_beside_a_refusal_is_a_contradiction() -> None:
    made = lab.granted()
    lab.say_result(made, refused="TB-3001")
    records = lab.records(made)
    one = message(records, 6)
    [receipt] = made.b.commit([("accepted", lab.message_id(one.header), sm3(one.header))], made.clock)
    assert "receipt-and-refusal" in codes(judged(change(records, MessageRecord, 6, receipt=receipt)))


def test_one_sided_and_partial_are_not_full() -> None:
    one_sided = judged(change(whole(), MessageRecord, 8, receipt=None))
    partial = judged(drop(whole(), DocumentRecord))
    assert (one_sided.grade, partial.grade) == ("one-sided", "partial")


@pytest.mark.parametrize("steps", [
    [(lab.B, "decision", "granted")],
    [(lab.B, "acceptance", "accepted"), (lab.A, "correction", "")],
    [(lab.B, "acceptance", "not_accepted"), (lab.B, "decision", "granted")],
    [(lab.B, "result", "")],
    [(lab.A, "withdrawal", ""), (lab.A, "arrival", "")],
])  # fmt: skip
def test_R11_events_out_of_order_are_named(steps: list[tuple[str, str, str]]) -> None:
    made = lab.Story()
    made.say(lab.A, "application")
    for sender, type_, outcome in steps:
        made.say(sender, type_, {"outcome": outcome} if outcome else None)
    report = judged(lab.records(made))
    assert report.ok is False
    [finding] = [f for f in report.reasons if f.code == "wrong-order"]
    assert finding.message == lab.message_id(made.records[-1].header)


def test_a_withdrawal_that_crossed_an_acceptance_is_in_order() -> None:
    made = lab.Story()
    made.say(lab.A, "application")
    made.say(lab.B, "acceptance", {"outcome": "accepted"})
    made.say(lab.A, "withdrawal", None, seen=0)
    report = judged(lab.records(made))
    assert (report.ok, report.state) == (True, "withdrawn")


def test_direct_proofs_serve_like_ledger_proofs() -> None:
    made = lab.Story()
    one = made.say(lab.A, "application")
    name, digest = lab.message_id(one.header), sm3(one.header)
    sent = made.a.direct("sent", name, digest, made.clock)
    received = made.b.direct("accepted", name, digest, made.clock)
    made.records[0] = replace(one, sender=sent, receipt=received)
    assert judged([r for r in lab.records(made) if not isinstance(r, ConsistencyRecord)]).ok is True
    made.records[0] = replace(one, sender=replace(sent, time_ms=sent.time_ms + 1), receipt=received)
    assert codes(judged(lab.records(made))) >= {"wrong-signature"}


def test_other_entries_of_a_ledger_are_proved_too() -> None:
    made = lab.granted()
    digest = sm3(b"what the platform sent")
    [proof] = made.a.commit([("platform", "act-1", digest)], made.clock + 1000)
    act = ProofRecord(party=lab.A, kind="platform", id="act-1", digest=digest.hex(), proof=proof)
    assert judged([*lab.records(made), act]).ok is True
    for damage, code in (({"kind": "gossip"}, "proof-form"), ({"digest": bytes(32).hex()}, "wrong-path")):
        assert code in codes(judged([*lab.records(made), replace(act, **damage)]))


def test_an_unanswered_application_is_one_sided() -> None:
    made = lab.Story()
    made.say(lab.A, "application", answered=False)
    report = judged(lab.records(made))
    assert (report.ok, report.grade, codes(report)) == (None, "one-sided", {"receipt-missing"})


def test_a_refused_application_has_no_state_at_the_handling_place() -> None:
    made = lab.Story()
    made.say(lab.A, "application", refused="TB-4101")
    report = judged(lab.records(made))
    assert (report.ok, report.state) == (True, "")
