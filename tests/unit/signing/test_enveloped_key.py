"""The CA-delivered encryption key: every defect has its vector and its one answer (rows S29, S30)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.enveloped_key import open_enveloped_key
from signing.errors import Malformed
from tests import pki
from tests.vectors.enveloped import generate

ROWS = json.loads(generate.FILE.read_text("utf-8"))
HOLDER = pki.signer("holder").private


def test_the_file_is_current() -> None:
    """After a change: ``python -m tests.vectors.enveloped.generate``."""
    assert generate.FILE.read_text("utf-8") == generate.text()


@pytest.mark.parametrize("name", ROWS)
def test_S29_S30_every_defect_has_its_answer(name: str) -> None:
    data, code = bytes.fromhex(ROWS[name]["hex"]), ROWS[name]["code"]
    if not code:
        assert open_enveloped_key(data, HOLDER, pki.PROVIDER) == pki.signer("delivered").private
        return
    with pytest.raises(Malformed) as refused:
        open_enveloped_key(data, HOLDER, pki.PROVIDER)
    assert refused.value.code == code
    assert pki.signer("delivered").private.d.to_bytes(32, "big").hex() not in str(refused.value)


def test_the_answers_to_what_cannot_be_opened_do_not_differ() -> None:
    answers = set()
    for row in ROWS.values():
        if row["code"] == "enveloped-key":
            with pytest.raises(Malformed) as refused:
                open_enveloped_key(bytes.fromhex(row["hex"]), HOLDER, pki.PROVIDER)
            answers.add(
                (str(refused.value), refused.value.zh, refused.value.__cause__, refused.value.__suppress_context__)
            )
    assert len(answers) == 1


@given(st.integers(min_value=0), st.integers(1, 255), st.sampled_from(["good", "good-64-zeros-before", "good-blob"]))
def test_an_altered_byte_is_refused_or_makes_no_difference(where: int, bits: int, name: str) -> None:
    data = bytearray(bytes.fromhex(ROWS[name]["hex"]))
    data[where % len(data)] ^= bits
    try:
        found = open_enveloped_key(bytes(data), HOLDER, pki.PROVIDER)
    except Malformed as refused:
        assert refused.code.startswith("enveloped-key")
    else:
        assert found == pki.signer("delivered").private


@given(st.binary(max_size=600))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        open_enveloped_key(data, HOLDER, pki.PROVIDER)
