"""10⁵ inputs at every reader of seals, stamps and what goes with them, and at their judgement: a verdict each (rows C23, C24,
F04)."""

from __future__ import annotations

import pytest

from gateway.core.applicant_signature import judge
from gateway.exchange import withdrawn
from gateway.exchange.withdrawn import SealList, WithdrawnError, WithdrawnSeal
from gateway.stamping.family import AnswerWords, read_answer
from schemas import applicant_signature as records
from schemas.errors import Invalid
from signing import picture
from signing.policy import CRL_IF_PRESENT
from signing.seal import parse_seal, parse_stamp
from signing.seal_doctor import examine
from signing.sm2 import Signer
from signing.verify import verify_seal, verify_stamp
from tests import pki
from tests.attacks import fuzz
from tests.attacks.fuzz import Target
from tests.pki import DAY, PROVIDER
from tests.unit.core.test_applicant_signature import ANCHORED, FORM, PERSON, event, record, vouched
from tests.unit.signing.test_picture_look import BMP, GIF, JPG, SVG, png
from tests.vectors.seals import generate as g

AGAINST = {"at": DAY, "anchors": [pki.root().certificate], "provider": PROVIDER, "policy": CRL_IF_PRESENT}
SEALS = [g.seal(), g.seal(form="V1"), g.v5(b"\1\2\3"), g.digest_list(g.signer())]
STAMPS = [g.stamp(), g.stamp(form="V1"), g.stamp(on=g.digest_list(g.signer()))]
SIGNED = {one.covered for one in (*map(parse_seal, SEALS), *map(parse_stamp, STAMPS))}
KEY = Signer(PROVIDER, pki.signer("signer").software)
PARTY = "360113.11360113000000001X"
LIST = SealList(party=PARTY, number=3, issued_ms=1, next_ms=2, seals=(WithdrawnSeal(id="s1", at_ms=5),))
ANSWER = b'{"code":0,"data":{"stamp":"AA=="}}'
RECORDS = [records.encode(one) for one in (vouched(record()), event())]


def judged_seal(data: bytes) -> object:
    """Good only where the maker's own bytes are unchanged."""
    report = verify_seal(data, **AGAINST)  # type: ignore[arg-type]
    assert report.ok is not True or parse_seal(data).covered in SIGNED
    return report


def judged_stamp(data: bytes) -> object:
    """Good only where the signer's own bytes are unchanged."""
    report = verify_stamp(data, g.DIGEST, **AGAINST)  # type: ignore[arg-type]
    assert report.ok is not True or parse_stamp(data).covered in SIGNED
    return report


def judged_record(data: bytes) -> object:
    """A record that was changed is never good."""
    report = judge(records.decode(data), {FORM}, {PERSON}, at=DAY, believed=ANCHORED, provider=PROVIDER)
    assert report.ok is not True or data in RECORDS
    return report


def listed(data: bytes) -> object:
    """A list that was changed is nobody's."""
    assert withdrawn.read(data, PARTY, {KEY.key_id: KEY.public}, PROVIDER) == LIST
    return data


TARGETS = [
    Target("seal", parse_seal, SEALS),
    Target("stamp", parse_stamp, STAMPS),
    Target("judging a seal", judged_seal, SEALS),
    Target("judging a stamp", judged_stamp, STAMPS),
    Target("seal doctor", lambda data: examine(data, PROVIDER), [*SEALS, *STAMPS]),
    Target("picture", picture.look, [png(), GIF, JPG, BMP, SVG]),
    Target("list of withdrawn seals", listed, [withdrawn.sign(LIST, KEY)], (WithdrawnError,)),
    Target("applicant's signature", judged_record, RECORDS, (Invalid,)),
    Target("answer of a stamping system", lambda data: read_answer(200, data, AnswerWords()), [ANSWER]),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_fuzzed_seals_get_a_verdict(target: Target) -> None:
    assert fuzz.attack(target, fuzz.SHORT).total() == fuzz.SHORT


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_many_seals_each(target: Target, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        assert fuzz.attack(target, fuzz.LONG).total() == fuzz.LONG
