"""10⁵ inputs at every reader of messages and time stamps (rows C20, C25, S30): a verdict each."""

from __future__ import annotations

import pytest

from signing import ber, enveloped, signed_data
from signing.timestamp import parse_token
from signing.timestamp_build import answer, build_request, parse_request, parse_response
from tests import pki
from tests.attacks import fuzz
from tests.attacks.fuzz import Target
from tests.unit.signing import test_messages as messages
from tests.unit.signing import test_timestamps as stamps

SIGNED = messages.build_signed(b"content", [messages.ONE, messages.TWO])
ENVELOPES = [messages.envelope(bytes(40)), messages.envelope(bytes(40), "gcm")]
TOKEN = stamps.token()
REQUEST = build_request(stamps.DIGEST, nonce=1 << 63)
RESPONSE = answer(REQUEST, stamps.TSA, at=pki.DAY, serial=1)


def judged(data: bytes) -> object:
    """A verdict, and a good one for the message itself alone (in whatever lengths it is written)."""
    report = messages.judged(data)
    assert report.ok is not True or report.content == b"content"
    return report.ok


def stamped(data: bytes) -> object:
    report = stamps.judged(data)
    assert report.ok is not True or (report.info is not None and report.info.time == pki.DAY)
    return report.ok


TARGETS = [
    Target("BER", ber.to_der, [messages.loose(SIGNED), messages.loose(ENVELOPES[0]), SIGNED]),
    Target("SignedData", signed_data.parse, [SIGNED, messages.loose(SIGNED)]),
    Target("EnvelopedData", enveloped.parse, [*ENVELOPES, messages.loose(ENVELOPES[0])]),
    Target("opening an envelope", messages.opened, ENVELOPES),
    Target("judging a message", judged, [SIGNED, messages.loose(SIGNED)]),
    Target("time-stamp token", parse_token, [TOKEN, messages.loose(TOKEN)]),
    Target("judging a time stamp", stamped, [TOKEN, messages.loose(TOKEN)]),
    Target("time-stamp request", parse_request, [REQUEST]),
    Target("time-stamp response", parse_response, [RESPONSE, messages.loose(RESPONSE)]),
    Target("answering a request", lambda data: answer(data, stamps.TSA, at=pki.DAY, serial=1), [REQUEST]),
]
_NEVER_REFUSE = ("judging", "answering")


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_fuzzed_messages_get_a_verdict(target: Target) -> None:
    verdicts = fuzz.attack(target, fuzz.SHORT)
    assert verdicts.total() == fuzz.SHORT
    assert len(verdicts) > 1 or target.name.startswith(_NEVER_REFUSE)


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_many_messages_each(target: Target, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        verdicts = fuzz.attack(target, fuzz.LONG)
    assert verdicts.total() == fuzz.LONG
