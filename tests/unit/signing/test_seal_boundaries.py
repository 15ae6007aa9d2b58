"""The checks of seals and stamps at the very second or size where their answer turns."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from signing import certs, reasons
from signing import seal_checks as checks
from signing.policy import CRL_IF_PRESENT, SealPolicy
from signing.reasons import Reason
from signing.seal import CertDigest, parse_seal, parse_stamp
from signing.sm3 import sm3
from tests import pki
from tests.pki import BORN, DAY, DIES
from tests.vectors.seals import generate

S = timedelta(seconds=1)
SEAL, STAMP = parse_seal(generate.seal()), parse_stamp(generate.stamp())
ENDS, SKEW = generate.SEAL_ENDS, CRL_IF_PRESENT.clock_skew
MAKER_WORDS, SIGNER_WORDS = ("制章人：", "seal maker: "), ("签章人：", "signer: ")


def against(at: datetime, policy: SealPolicy = CRL_IF_PRESENT) -> checks.Against:
    return checks.Against(at, at, [pki.root().certificate], [], pki.PROVIDER, [], policy)


def withdrawing(when: datetime, **more: object) -> SealPolicy:
    return replace(CRL_IF_PRESENT, revoked_seals={SEAL.es_id: when}, **more)  # type: ignore[arg-type]


def codes(found: list[Reason]) -> list[str]:
    return [one.code for one in found]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [(BORN - S, ["seal-not-yet-valid"]), (BORN, []), (ENDS, []), (ENDS + S, ["seal-expired"])],
)
def test_the_seals_window_holds_its_first_and_last_second(moment: datetime, expected: list[str]) -> None:
    found = checks.window(SEAL, moment, CRL_IF_PRESENT)
    assert codes(found) == expected
    assert all("2026-01-01…2028-01-01" in one.zh and "2026-01-01…2028-01-01" in one.en for one in found)


def test_a_seal_is_withdrawn_from_that_second_on() -> None:
    assert [codes(checks.window(SEAL, DAY, withdrawing(DAY + S * n))) for n in (-1, 0, 1)] == [
        ["seal-revoked"],
        ["seal-revoked"],
        [],
    ]


@pytest.mark.parametrize(
    ("withdrawn", "trusted", "policy", "reason", "noted"),
    [
        (DAY, None, "reject", [], []),  # not later: the window's affair
        (DAY + S, None, "reject", ["seal-withdrawn-later"], []),
        (ENDS, None, "reject", ["seal-withdrawn-later"], []),
        (ENDS + S, None, "reject", [], []),  # not yet
        (ENDS, None, "cannot-tell", ["seal-withdrawn-later"], []),
        (ENDS, None, "accept", [], ["seal-withdrawn-later"]),
        (ENDS, ENDS, "reject", ["seal-withdrawn-later"], []),
        (ENDS, ENDS - S, "reject", [], ["seal-withdrawn-later"]),
    ],
)
def test_what_a_later_withdrawal_means(
    withdrawn: datetime, trusted: datetime | None, policy: str, reason: list[str], noted: list[str]
) -> None:
    found = checks.Findings()
    checks.withdrawn_later(STAMP, DAY, trusted, against(ENDS, withdrawing(withdrawn, revoked_later=policy)), found)
    assert (codes(found.reasons), codes(found.notes)) == (reason, noted)
    assert found.ok is ({"reject": False, "cannot-tell": None}[policy] if reason else True)
    assert found.of("window") == ({"reject": "failed", "cannot-tell": "unknown"}[policy] if reason else "unknown")
    assert all(f"{withdrawn:%Y-%m-%d %H:%M:%S}Z" in one.zh for one in (*found.reasons, *found.notes))


@pytest.mark.parametrize(
    ("at", "trusted", "expected", "noted"),
    [
        (DAY - SKEW, None, [], ["stamp-time-self-declared"]),
        (DAY - SKEW - S, None, ["stamp-time-future"], []),
        (ENDS, DAY - SKEW, [], []),
        (ENDS, DAY - SKEW - S, ["stamp-time-after-proof"], []),
    ],
)
def test_the_time_of_stamping_may_be_ahead_by_the_skew(
    at: datetime, trusted: datetime | None, expected: list[str], noted: list[str]
) -> None:
    found = checks.Findings()
    reason = checks.stamp_time(STAMP, trusted, against(at), found)
    assert (codes(reason), codes(found.notes)) == (expected, noted)
    assert all("2026-06-01 08:00:00Z" in one.zh for one in reason)


@pytest.mark.parametrize(
    ("moment", "at", "noted"),
    [
        (DIES, DIES, []),
        (DIES, DIES + S, ["signer-expired-since"]),
        (DIES + S, DIES + S, []),
    ],
)
def test_a_signer_that_expired_after_stamping_is_a_remark(moment: datetime, at: datetime, noted: list[str]) -> None:
    found = checks.Findings()
    checks.signer_chain(certs.parse(STAMP.signer), moment, None, against(at), found)
    assert codes(found.notes) == noted
    assert ("signer-expired-at-stamping" in codes(found.reasons)) is (moment > DIES)


BAD, UNKNOWN = reasons.seal_rejected("document-digest"), reasons.seal_unknown("document-not-given")


@pytest.mark.parametrize(
    ("one_after_the_other", "outcome", "ok"),
    [
        ([], "unknown", True),
        ([[]], "ok", True),
        ([[], [UNKNOWN]], "unknown", None),
        ([[UNKNOWN], []], "unknown", None),
        ([[UNKNOWN, BAD]], "failed", False),
        ([[BAD], [UNKNOWN], []], "failed", False),
    ],
)
def test_a_group_is_as_good_as_its_worst_check(
    one_after_the_other: list[list[Reason]], outcome: str, ok: bool | None
) -> None:
    found = checks.Findings()
    for each in one_after_the_other:
        found.add("document", each)
    assert (found.of("document"), found.ok) == (outcome, ok)
    assert found.reasons == [reason for each in one_after_the_other for reason in each]


def test_who_may_use_a_seal_by_the_digests_it_lists() -> None:
    own = CertDigest("1.2.156.10197.1.401", sm3(STAMP.signer))
    other = replace(own, value=bytes(32))

    def said(*digests: CertDigest, policy: SealPolicy = CRL_IF_PRESENT) -> list[str]:
        listed = replace(SEAL.property, certificates=(), digests=digests)
        return codes(checks.membership(replace(STAMP, seal=replace(SEAL, property=listed)), policy))

    assert said(own) == said(other, own) == []
    assert said(other) == said() == ["not-in-certificate-list"]
    silent = replace(CRL_IF_PRESENT, digest_list="cannot-tell")
    assert said(own, policy=silent) == ["certificate-list-unknown"] and said(policy=silent) == said()
    assert codes(checks.membership(replace(STAMP, signer=SEAL.maker), CRL_IF_PRESENT)) == ["maker-as-signer"]


@pytest.mark.parametrize(("party", "words"), [("seal-maker", MAKER_WORDS), ("signer", SIGNER_WORDS)])
def test_a_certificate_that_cannot_be_read_is_said_of_its_party(party: str, words: tuple[str, str]) -> None:
    found = checks.Findings()
    assert checks.certificate_of(b"x", party, found) is None
    (reason,) = found.reasons
    assert reason.code == f"{party}-unreadable" and found.of("chain") == "failed"
    about = reasons.of_party(reason, party)
    assert about.zh.startswith(words[0]) and about.en.startswith(words[1])
