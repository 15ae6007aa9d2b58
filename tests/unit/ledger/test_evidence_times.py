"""Rows L02, L08 and L12: what time stamps do for a package, years later, and what is missing without them."""

from __future__ import annotations

from datetime import timedelta

from gateway.ledger.checkpoint import checkpoint_of, stamped_bytes
from gateway.ledger.evidence import verify
from gateway.ledger.records import (
    CertificateRecord,
    ConsistencyRecord,
    CrlRecord,
    Manifest,
    MessageRecord,
    TimelineRecord,
    TimestampRecord,
    with_timestamp,
)
from gateway.ledger.report import EvidenceReport
from gateway.ledger.times import Times, Use
from signing import certs
from signing.issue import Authority, Revoked, build_crl
from tests.unit.ledger.damage import Records, change, codes, message, story, whole
from tests.vectors.ledger import lab

DAY = 86_400_000
MADE = lab.T0 + DAY
SOON = MADE + DAY
DECADE = lab.T0 + 3700 * DAY  # all certificates of both parties have expired
PARTIES_END = int(lab.UNTIL.timestamp() * 1000)


def judged(data: bytes, now_ms: int = SOON, *, anchored: bool = True, tsa: bool = True) -> EvidenceReport:
    return verify(data, lab.checks(anchored=anchored, now_ms=now_ms, tsa=tsa))


def stamped(data: bytes, at_ms: int = MADE + 1000, by: Authority | None = None) -> bytes:
    """The package with one more time stamp over all of it."""
    return with_timestamp(data, lab.token(data, at_ms, by))


def packed(records: Records | None = None) -> bytes:
    return lab.seal(whole() if records is None else records)


def test_l12_ten_years_later_a_time_stamp_still_proves_the_package() -> None:
    assert DECADE > PARTIES_END
    fresh = judged(stamped(packed()))
    later = judged(stamped(packed()), DECADE)
    for report in (fresh, later):
        assert (report.ok, report.grade, report.trust, report.counts["times"]) == (True, "full", "anchored", 1)
        assert report.fixed_ms == MADE + 2000  # the stated second and its accuracy
    [note] = later.times
    assert note.held and note.over == "package" and "authority tsa" in note.view.authority


def test_l12_without_a_time_stamp_ten_years_later_nothing_can_be_told() -> None:
    assert judged(packed()).ok is True
    report = judged(packed(), DECADE)
    assert (report.ok, report.grade, report.fixed_ms) == (None, "full", None)
    assert codes(report) == {"not-proved-in-time"} and {f.section for f in report.reasons} == {"chains"}


def test_l12_a_time_stamp_of_an_authority_nobody_named_has_no_weight() -> None:
    report = judged(stamped(packed()), DECADE, tsa=False)
    assert report.ok is None and codes(report) == {"not-proved-in-time"}
    assert [one.code for one in report.times[0].view.reasons] == ["tsa-untrusted-root"]
    assert judged(stamped(packed()), tsa=False).ok is True  # while nothing has expired it does no harm either


def test_a_party_s_root_does_not_stand_for_time() -> None:
    key = lab.signer(f"{lab.A} root")
    own = Authority(key, certs.parse(lab.pki(lab.A).root))
    made = lab.build_certificate(
        own, subject=lab.lab_name("x", "own clock"), public_key=lab.signer("own clock").public, serial=77,
        not_before=lab.CERTIFIED, not_after=lab.UNTIL, profile="tsa",
    )  # fmt: skip
    clock = Authority(lab.signer("own clock"), certs.parse(made))
    report = judged(stamped(packed(), by=clock), DECADE)
    assert report.ok is None and not report.times[0].held


def test_l12_archive_time_stamps_outlive_their_authorities() -> None:
    first_end = lab.UNTIL + 5 * lab.YEAR
    after = int((first_end + timedelta(days=30)).timestamp() * 1000)
    once = stamped(packed())
    alone = judged(once, after)
    assert alone.ok is None and [r.code for r in alone.times[0].view.reasons] == ["timestamp-expired"]
    late = lab.tsa("authority", first_end + 4 * lab.YEAR)
    before = int((first_end - timedelta(days=30)).timestamp() * 1000)
    twice = stamped(once, before, late)
    report = judged(twice, after)
    assert (report.ok, [note.held for note in report.times]) == (True, [True, True])
    assert report.fixed_ms == MADE + 2000
    missed = judged(stamped(once, after, late), after)  # too late: the first was already without its certificate
    assert missed.ok is None and [note.held for note in missed.times] == [False, True]


def test_a_changed_byte_under_a_time_stamp_is_found() -> None:
    data = stamped(packed())
    at = data.rindex(b'"record":"timestamp"')
    line = data.rindex(b"\n", 0, at) + 1
    other = packed([*whole()[:-1]])
    report = judged(other + data[line:])
    assert (report.ok, report.grade) == (False, "broken") and codes(report) == {"timestamp-imprint"}
    assert [finding.section for finding in report.reasons] == ["times"]


def test_c25_a_time_stamp_from_the_future_is_refused() -> None:
    assert codes(judged(stamped(packed(), SOON + DAY))) == {"timestamp-future"}


def test_only_time_stamps_follow_the_end_line() -> None:
    data = stamped(packed())
    lines = data.splitlines(keepends=True)
    misplaced = b"".join([*lines[:-2], lines[-1], lines[-2]])
    assert "timestamp-misplaced" in codes(judged(misplaced))
    assert "end-misplaced" in codes(judged(data + lines[1]))
    assert "end-misplaced" in codes(judged(data + lines[-2]))
    assert "timestamp-misplaced" in codes(judged(packed() + lines[-1] * 40))


# --- over checkpoints -------------------------------------------------------------------------------------------------


def own_checkpoints() -> Records:
    """A's package without B's proofs: what time stamps over A's own checkpoints can fix."""
    records = [one for one in whole() if not isinstance(one, ConsistencyRecord)]
    kept = [one for one in records if not isinstance(one, MessageRecord | TimelineRecord)]
    return [*kept, message(records, 0)]


def fixed(at_ms: int = MADE) -> TimestampRecord:
    last = story().a.checkpoints[-1]
    return TimestampRecord(token=lab.token(stamped_bytes(last), at_ms), checkpoint=last)


def path(old: int) -> ConsistencyRecord:
    city = story().a
    steps = lab.tree.consistency_path(old, city.frontier.size, city.get)
    return ConsistencyRecord(origin=city.origin, old=old, new=city.frontier.size, path=steps)


def unproved(report: EvidenceReport) -> int:
    return sum(finding.code == "not-proved-in-time" for finding in report.reasons)


def test_a_time_stamp_over_a_checkpoint_fixes_what_that_ledger_held() -> None:
    sender = message(whole(), 0).sender
    first = checkpoint_of(sender)  # type: ignore[arg-type]
    assert first is not None and first.size < story().a.frontier.size
    nothing = judged(packed(own_checkpoints()), DECADE)
    unlinked = judged(packed([*own_checkpoints(), fixed()]), DECADE)
    linked = judged(packed([*own_checkpoints(), fixed(), path(first.size)]), DECADE)
    assert unproved(nothing) == unproved(unlinked) == unproved(linked) + 1
    [note] = linked.times
    assert note.held and note.over == f"{lab.A}/1 {story().a.frontier.size}" and linked.fixed_ms is None


def test_l02_a_ledger_rebuilt_with_the_stolen_key_does_not_fit_the_time_stamped_checkpoint() -> None:
    thief = lab.City(lab.A)
    for n in range(story().a.frontier.size):
        thief.commit([("platform", f"01J0000000000000000000{n:04d}", bytes(32))], lab.T0)
    again = TimestampRecord(
        token=lab.token(stamped_bytes(thief.checkpoints[-1]), MADE), checkpoint=thief.checkpoints[-1]
    )
    assert "split-view" in codes(judged(packed([*own_checkpoints(), fixed(), again])))
    rebuilt = TimestampRecord(token=fixed().token, checkpoint=thief.checkpoints[-1])
    assert "timestamp-imprint" in codes(judged(packed([*own_checkpoints(), rebuilt])))


def test_a_time_stamped_checkpoint_must_be_its_partys() -> None:
    signed = lab.msgspec.structs.replace(fixed().checkpoint, signature=b"x")  # type: ignore[type-var]
    assert "stamped-checkpoint" in codes(
        judged(packed([*own_checkpoints(), TimestampRecord(token=b"", checkpoint=signed)]))
    )
    torn = lab.msgspec.structs.replace(signed, text="no")
    assert "wrong-checkpoint-form" in codes(
        judged(packed([*own_checkpoints(), TimestampRecord(token=b"", checkpoint=torn)]))
    )
    dummy = TimestampRecord(token=b"\1\2\3", checkpoint=fixed().checkpoint)
    assert "timestamp-form" in codes(judged(packed([*own_checkpoints(), dummy])))


# --- revoked since ----------------------------------------------------------------------------------------------------


def revoked(at_ms: int) -> Records:
    """The package with a list of A's root, of a week later, in which A's checkpoint key is revoked at a time."""
    root = Authority(lab.signer(f"{lab.A} root"), certs.parse(lab.pki(lab.A).root))
    key = certs.parse(lab.pki(lab.A).certificates["checkpoint"])
    when = lab.datetime.fromtimestamp(at_ms / 1000, lab.UTC)
    listed = build_crl(
        root, number=2, this_update=lab.datetime.fromtimestamp((MADE + 7 * DAY) / 1000, lab.UTC), next_update=lab.UNTIL,
        revoked=[Revoked(key.serial, when)],
    )  # fmt: skip
    return change(whole(), CrlRecord, 0, der=listed)


def test_l08_a_key_revoked_later_with_and_without_trusted_time() -> None:
    week = MADE + 8 * DAY
    later = MADE + 2 * DAY
    without = judged(packed(revoked(later)), week)
    assert (without.ok, codes(without)) == (None, {"not-proved-in-time"})
    assert judged(stamped(packed(revoked(later))), week).ok is True
    too_late = judged(stamped(packed(revoked(later)), MADE + 3 * DAY), week)
    assert (too_late.ok, codes(too_late)) == (None, {"not-proved-in-time"})
    assert "revoked" in codes(judged(stamped(packed(revoked(lab.T0 - DAY))), week))  # before: no time stamp helps


def test_a_list_issued_after_the_case_is_no_list_of_the_future() -> None:
    assert judged(packed(revoked(MADE + 30 * DAY)), MADE + 8 * DAY).ok is True


def test_the_authoritys_root_in_the_package_serves_where_no_anchor_was_given() -> None:
    records = [*whole()]
    records.insert(1, CertificateRecord(der=lab.tsa_root().certificate.der))
    assert isinstance(records[0], Manifest)
    report = judged(stamped(packed(records)), DECADE, anchored=False, tsa=False)
    assert (report.ok, report.trust) == (True, "as-packaged")


# --- what was stamped is what is kept ---------------------------------------------------------------------------------


def translated(document: bytes) -> Records:
    """A result that names a translated document, with the stamp that was over the original."""
    told = lab.granted()
    stamp, digest = lab.stamp(), lab.sm3(document).hex()
    parts = [
        lab.PartRef(digest, len(document), "application/ofd", "营业执照", "result"),
        lab.PartRef(lab.sm3(stamp).hex(), len(stamp), "application/octet-stream", "签章", "stamp"),
    ]
    body = lab.result_body(stamp)
    body["documents"][0]["document"]["sm3"] = digest
    told.say(lab.B, "result", body, parts=parts)
    listed = [one for one in lab.records(told) if not isinstance(one, lab.DocumentRecord)]
    return [*listed, lab.DocumentRecord(sm3=digest, data=document, name="营业执照", role="result")]


def test_k10_a_stamp_is_verified_over_the_original_and_no_translation_of_it() -> None:
    assert judged(packed(translated(lab.DOCUMENT))).ok is True
    report = judged(packed(translated(lab.DOCUMENT + b" (translated)")))
    assert report.ok is False and codes(report) == {"document-digest"}
    assert {finding.section for finding in report.reasons} == {"stamps"}


def test_a_bound_follows_consistency_paths_and_takes_the_earliest() -> None:
    known = Times(checkpoints={("o", 9): 50, ("o", 5): 70, ("p", 1): 1})
    for old, new in ((1, 3), (3, 5), (5, 9), (5, 5)):
        known.link("o", old, new)
    assert known.bound(Use(0, "o", 1)) == 50 and known.bound(Use(0, "o", 9)) == 50
    assert known.bound(Use(0, "o", 2)) is None and known.bound(Use(0)) is None
    known.whole_ms = 40
    assert known.bound(Use(0, "o", 1)) == 40 and known.bound(Use(0)) == 40
