"""Who has signed: bad agreement files named by their defect, with real SM2 keys and certificates."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta

import pytest

from agreements import signatures
from agreements.load import parse, signed_by
from agreements.match import Held, Refusal, Route, decide
from agreements.problems import AgreementError
from signing import certs
from tests.unit.agreements.places import CALENDARS, NOW, TEXT, A, B, book, place, request, signed, trusting


def states(data: bytes, using: signatures.Trusting | None = None) -> dict[str, str]:
    """party -> reason code, "" if good."""
    found = signatures.check(parse(data), using or trusting())
    assert all((check.ok is True) == (check.reason is None) for check in found)
    return {check.party: check.reason.code if check.reason else "" for check in found}


def test_both_have_signed() -> None:
    assert states(signed()) == {A: "", B: ""}
    assert signed_by(signatures.check(parse(signed()), trusting())) == {A, B}


def test_unsigned() -> None:
    assert states(TEXT) == {A: "not-signed", B: "not-signed"}


@pytest.mark.parametrize(("one", "other"), [(A, B), (B, A)])
def test_A02_one_side_only(one: str, other: str) -> None:
    assert states(signed(TEXT, one)) == {one: "", other: "not-signed"}


def test_the_order_of_signing_does_not_matter() -> None:
    assert states(signed(TEXT, B, A)) == {A: "", B: ""}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"days = 20", b"days = 90"),
        (b'power = "collect"', b'power = "decide"'),
        (b"2030-12-31", b"2039-12-31"),
        (b"\n\n", b"\n\n\n"),
    ],
)
def test_A12_tampered_text(old: bytes, new: bytes) -> None:
    assert states(signed().replace(old, new, 1)) == {A: "wrong-signature", B: "wrong-signature"}


def test_tampered_time_party_and_signature_lines() -> None:
    assert states(signed().replace(b"2026-01-05T01:00:00Z", b"2026-01-04T01:00:00Z", 1))[A] == "wrong-signature"
    found = parse(signed())
    swapped = [found.signatures[0], found.signatures[1]]
    moved = type(swapped[0])(B, swapped[0].at, swapped[0].certificate, swapped[0].signature)
    assert states(TEXT + swapped[0].line() + moved.line())[B] == "wrong-signature"
    broken = type(swapped[0])(A, swapped[0].at, b"\x30\x03\x02\x01\x01", swapped[0].signature)
    assert states(TEXT + broken.line())[A] not in ("", "wrong-signature")


def test_a_certificate_of_another_party() -> None:
    with pytest.raises(AgreementError, match="not this party"):
        signatures.sign(TEXT, B, place(A).signer, place(A).certificate, NOW)
    forged = place(B, organisation="某公司")
    with pytest.raises(AgreementError, match="not this party"):
        signatures.sign(TEXT, B, forged.signer, forged.certificate, NOW)


def test_a_key_that_is_not_the_certificates() -> None:
    with pytest.raises(AgreementError, match="together"):
        signatures.sign(TEXT, A, place(B).signer, place(A).certificate, NOW)
    with pytest.raises(AgreementError, match="no party"):
        signatures.sign(TEXT, "430602" + A[6:], place(A).signer, place(A).certificate, NOW)


def test_the_keys_of_the_card_go_before_the_name() -> None:
    key = place(A).signer.key_id
    assert states(signed(), trusting(keys={A: frozenset({key})})) == {A: "", B: ""}
    assert states(signed(), trusting(keys={A: frozenset({"0" * 32})}))[A] == "certificate-of-another"


def test_without_a_root_it_cannot_be_told() -> None:
    found = signatures.check(parse(signed()), trusting(anchors=()))
    assert [(check.ok, check.reason.code if check.reason else "") for check in found] == [(None, "no-anchor")] * 2
    assert signed_by(found) == frozenset()
    assert states(signed().replace(b"days = 20", b"days = 21"), trusting(anchors=()))[A] == "wrong-signature"


def test_a_root_that_is_not_trusted() -> None:
    only_a = [certs.parse(place(A).root)]
    assert states(signed(), trusting(anchors=only_a)) == {A: "", B: "untrusted-root"}


def test_a_certificate_that_had_expired_when_it_signed() -> None:
    old = place(A, begin=date(2020, 1, 1), end=date(2025, 6, 1))
    data = signatures.sign(TEXT, A, old.signer, old.certificate, NOW)
    assert states(data, trusting(anchors=[certs.parse(old.root)]))[A] in ("expired", "root-expired")
    before = signatures.sign(TEXT, A, old.signer, old.certificate, datetime(2025, 5, 1, tzinfo=UTC))
    assert states(before, trusting(anchors=[certs.parse(old.root)]))[A] == ""


def test_a_signature_from_the_future() -> None:
    assert states(signed(at=NOW + timedelta(days=2)), trusting(NOW))[A] == "signed-in-future"
    assert states(signed(at=NOW + timedelta(minutes=4)), trusting(NOW))[A] == ""


def test_signing_adds_the_last_line_feed_a_text_lacks() -> None:
    data = signatures.sign(TEXT.rstrip(b"\n"), A, place(A).signer, place(A).certificate, NOW)
    assert parse(data).text == TEXT.rstrip(b"\n") + b"\n" and states(data)[A] == ""


def test_A02_the_decision_rests_on_what_was_found() -> None:
    for data, expected in (
        (signed(), Route),
        (signed(TEXT, A), Refusal),
        (signed().replace(b"days = 20", b"days = 21"), Refusal),
    ):
        found = parse(data)
        chosen = book(Held(found.agreement, signed_by(signatures.check(found, trusting()))))
        assert isinstance(decide(request(), chosen, NOW, CALENDARS), expected)


def test_a_raw_signature_is_not_taken_for_der() -> None:
    line = parse(signed(TEXT, A)).signatures[0]
    raw = b64encode(b"\x01" * 64)
    assert states(TEXT + line.line().replace(b64encode(line.signature), raw))[A] == "wrong-signature"
