"""F1, C23: a party's list of withdrawn seals, and that each party's seals are judged by its own anchors and list only."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exchange import withdrawn
from gateway.exchange.withdrawn import SealList, WithdrawnError, WithdrawnSeal
from signing.sm2 import Signer
from tests.pki import PROVIDER

PARTY, OTHER = "360113.11360113000000001X", "420104.11420104000000000X"
SIGNER, STRANGER = Signer(PROVIDER, PROVIDER.generate()), Signer(PROVIDER, PROVIDER.generate())
KEYS = {SIGNER.key_id: SIGNER.public}
LIST = SealList(
    party=PARTY, number=3, issued_ms=1000, next_ms=2000, seals=(WithdrawnSeal(id="s1", at_ms=500, reason="单位更名"),)
)
SIGNED = withdrawn.sign(LIST, SIGNER)


def read(data: bytes, party: str = PARTY) -> SealList:
    return withdrawn.read(data, party, KEYS, PROVIDER)


def test_what_is_signed_is_read() -> None:
    assert read(SIGNED) == LIST and list(LIST.by_id()) == ["s1"]


def test_the_earliest_withdrawal_of_a_seal_counts() -> None:
    twice = tuple(WithdrawnSeal(id="s", at_ms=ms) for ms in (3000, 1000, 2000))
    listed = SealList(party=PARTY, number=1, issued_ms=0, next_ms=0, seals=twice)
    assert listed.by_id()["s"].timestamp() == 1


def _changed(**fields: object) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(SIGNED) | fields)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{" * 5000, SIGNED[:-3], b" " * (withdrawn.MAX_BYTES + 1), _changed(more=1),
        _changed(list=msgspec.json.decode(_changed())["list"][::-1]), _changed(key=STRANGER.key_id),
        withdrawn.sign(LIST, STRANGER), withdrawn.sign(msgspec.structs.replace(LIST, party=OTHER), SIGNER),
        withdrawn.sign(msgspec.structs.replace(LIST, number=0), SIGNER),
    ],
)  # fmt: skip
def test_what_the_party_did_not_sign_is_no_list_of_its_seals(data: bytes) -> None:
    with pytest.raises(WithdrawnError) as error:
        read(data)
    assert error.value.zh and error.value.en


@given(st.binary(max_size=300))
def test_any_bytes_give_a_verdict(data: bytes) -> None:
    with pytest.raises(WithdrawnError):
        read(data)
