"""The two watches over verification: a nonce used twice (S25, S26), and a second opinion that differs."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from prometheus_client import generate_latest

from gateway.ops import alarms, metrics
from signing import curve, sm2
from signing.errors import KeyFault
from signing.providers import open_provider, selftest
from signing.providers.around import Around
from signing.providers.watched import SecondOpinion, Watched
from signing.sm2 import DEFAULT_ID, N, PrivateKey, PublicKey

LIBCRYPTO, GMSSL = open_provider("libcrypto:"), open_provider("gmssl:")
PRIVATE = PrivateKey(selftest.D, selftest.PUBLIC)
GOOD = (selftest.PUBLIC, selftest.E, selftest.R, selftest.S)
BAD = (selftest.PUBLIC, selftest.E, selftest.R, selftest.S ^ 1)


def signed_with(k: int, e: bytes) -> tuple[int, int]:
    """(r, s) over e under PRIVATE with the nonce k."""
    point = curve.ladder(k, curve.GX, curve.GY)
    assert point is not None
    r = (int.from_bytes(e, "big") + point[0]) % N
    return r, (k - r * PRIVATE.d) * pow(1 + PRIVATE.d, -1, N) % N


class Says(Around):
    """A provider that always gives one answer."""

    def __init__(self, answer: bool) -> None:
        super().__init__(LIBCRYPTO)
        self.answer = answer

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        return self.answer


ACTS: dict[str, tuple[object, ...]] = {
    "random": (7,),
    "generate": (),
    "load": (8,),
    "sign_digest": (PRIVATE, b"e"),
    "verify_digest": (selftest.PUBLIC, b"e", 1, 2),
    "encrypt": (selftest.PUBLIC, b"plain"),
    "decrypt": (PRIVATE, b"sealed"),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_is_put_around_a_provider_passes_every_act_on(act: str) -> None:
    class Recorder:
        uri, description = "recorder:", "records"

        def __getattr__(self, name: str) -> Any:
            return lambda *arguments: (name, arguments)

    around = Around(Recorder())
    assert getattr(around, act)(*ACTS[act]) == (act, ACTS[act])
    assert (around.uri, around.description) == ("recorder:", "records")


def test_S25_a_key_that_used_a_nonce_twice_is_believed_no_more() -> None:
    heard: list[PublicKey] = []
    watched = Watched(LIBCRYPTO, heard.append)
    first, second, third = (secrets.token_bytes(32) for _ in range(3))
    k = 1 + secrets.randbelow(N - 1)
    other = LIBCRYPTO.generate()
    assert watched.verify_digest(PRIVATE.public, first, *signed_with(k, first))
    assert watched.verify_digest(PRIVATE.public, first, *signed_with(k, first)), "the same signature again is no reuse"
    assert not watched.exposed(PRIVATE.public)
    assert not watched.verify_digest(PRIVATE.public, second, *signed_with(k, second))
    assert watched.exposed(PRIVATE.public)
    assert not watched.verify_digest(PRIVATE.public, third, *LIBCRYPTO.sign_digest(PRIVATE, third))
    assert watched.verify_digest(other.public, third, *LIBCRYPTO.sign_digest(other, third)), "others are not concerned"
    assert heard == [PRIVATE.public]


def test_S25_what_does_not_verify_says_nothing_about_nonces() -> None:
    """Otherwise anybody could have a partner suspended with a made-up signature."""
    heard: list[PublicKey] = []
    watched = Watched(LIBCRYPTO, heard.append)
    first, second = secrets.token_bytes(32), secrets.token_bytes(32)
    r, s = signed_with(4711, first)
    assert watched.verify_digest(PRIVATE.public, first, r, s)
    forged = (r - int.from_bytes(first, "big") + int.from_bytes(second, "big")) % N  # the same x1 under another digest
    assert not watched.verify_digest(PRIVATE.public, second, forged, s)
    assert not watched.exposed(PRIVATE.public)
    assert heard == []


def test_S26_our_own_signer_keeps_a_repeated_nonce_inside() -> None:
    class Stuck(Around):
        def sign_digest(self, private: PrivateKey, e: bytes) -> tuple[int, int]:
            return signed_with(4711, e)

    signer = sm2.Signer(Stuck(LIBCRYPTO), PRIVATE)
    assert signer.sign(b"one") == signer.sign(b"one"), "one digest, one signature: nothing is given away"
    with pytest.raises(KeyFault, match=r"^nonce-reused:"):
        signer.sign(b"two")
    with pytest.raises(KeyFault, match=r"^key-suspended:"):
        signer.sign(b"one")


@pytest.mark.parametrize(("vector", "first"), [(GOOD, True), (BAD, False)])
@pytest.mark.parametrize("second", [True, False])
def test_the_second_opinion_never_decides_and_every_difference_is_heard(vector: Any, first: bool, second: bool) -> None:
    heard: list[PublicKey] = []
    judge = SecondOpinion(LIBCRYPTO, Says(second), heard.append)
    assert judge.verify_digest(*vector) is first
    assert heard == ([] if first == second else [selftest.PUBLIC])
    assert "second opinion" in judge.description


def test_gmssl_agrees_on_keys_that_its_own_constructor_would_corrupt() -> None:
    """Row S22: x from 04 is stripped by gmssl's constructor, so the wrapper sets the key behind its back."""
    heard: list[PublicKey] = []
    judge = SecondOpinion(LIBCRYPTO, GMSSL, heard.append)
    clumsy = 0
    while clumsy < 2:
        private = LIBCRYPTO.generate()
        clumsy += private.public.x >> 248 in (0x00, 0x04, 0x40, 0x44)
        if private.public.x >> 248 in (0x00, 0x04, 0x40, 0x44):
            signature = sm2.sign(LIBCRYPTO, private, b"m", signer_id=DEFAULT_ID)
            assert sm2.verify(judge, private.public, b"m", signature, signer_id=DEFAULT_ID)
            assert not sm2.verify(judge, private.public, b"n", signature, signer_id=DEFAULT_ID)
    assert heard == []


@pytest.mark.parametrize("fault", [ValueError, TypeError, IndexError, ZeroDivisionError])
def test_what_gmssl_throws_is_a_no(fault: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def throws(*_: object) -> bool:
        raise fault

    monkeypatch.setattr("gmssl.sm2.CryptSM2.verify", throws)
    heard: list[PublicKey] = []
    assert SecondOpinion(LIBCRYPTO, GMSSL, heard.append).verify_digest(*GOOD) is True
    assert heard == [selftest.PUBLIC]


def test_an_alarm_is_counted_and_names_no_more_than_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    before = alarms.counts(generate_latest(metrics.REGISTRY)).get("second-opinion", 0)
    alarms.alarm("second-opinion")(selftest.PUBLIC)
    counts = alarms.counts(generate_latest(metrics.REGISTRY))
    assert counts["second-opinion"] == before + 1
    assert set(counts) <= set(alarms.ALARMS)
    shown = "".join(capsys.readouterr())
    assert selftest.PUBLIC.thumbprint in shown
    assert selftest.PUBLIC.point.hex() not in shown
