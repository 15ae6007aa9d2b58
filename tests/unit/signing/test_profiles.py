"""Signature profiles: each is followed to the letter, no other is let in, and the probe finds each from a sample.

The reference is written out once more here, from the standards, so that a mistake in the tables does not prove itself.
"""

from __future__ import annotations

import base64
import itertools
import tomllib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import der, keys, probe, profiles, sm2
from signing.errors import Malformed
from signing.profiles import STANDARD, SignatureProfile
from signing.providers import open_provider
from signing.sm2 import Encoding, PrivateKey, PublicKey, Signer
from signing.sm3 import sm3

PROVIDER = open_provider("libcrypto:")
PRIVATE = keys.private_from_int(0x1234567890ABCDEF << 128 | 77)
PUBLIC = PRIVATE.public
SIGNER = Signer(PROVIDER, PRIVATE)
MESSAGE = "办件 TB-1\n材料齐全\n".encode()
WRITES = {
    "binary": bytes,
    "hex": lambda data: data.hex().encode(),
    "HEX": lambda data: data.hex().upper().encode(),
    "base64": base64.b64encode,
}
SIGNING = list(probe.signing_profiles())
CIPHERS = list(probe.cipher_profiles())
KEYS = list(probe.key_profiles())


def name(profile: SignatureProfile) -> str:
    return profiles.to_toml(profile).replace("\n", " ").strip()


def reference(profile: SignatureProfile, message: bytes = MESSAGE, *, id_length: int | None = None) -> bytes:
    """A sample signature of this profile, put together by hand."""
    body = sm3(message) if profile.hash == "double" else message
    if profile.za:
        signer = profile.signer_id.encode()
        length = len(signer) * 8 if id_length is None else id_length
        curve = b"".join(number.to_bytes(32, "big") for number in (sm2.A, sm2.B, sm2.GX, sm2.GY, PUBLIC.x, PUBLIC.y))
        body = sm3(length.to_bytes(2, "big") + signer + curve) + body
    r, s = PROVIDER.sign_digest(PRIVATE, sm3(body))
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return WRITES[profile.text](raw if profile.form == "raw" else der.encode_signature(r, s))  # type: ignore[no-any-return,operator]


# --- signatures -------------------------------------------------------------------------------------------------------


def test_all_combinations_are_enumerated_once() -> None:
    assert len(SIGNING) == len(set(SIGNING)) == 2 * 4 * 2 * (len(probe.IDS) + 1)
    assert len(CIPHERS) == len(set(CIPHERS)) == 4 * 5
    assert len(KEYS) == len(set(KEYS)) == 4 * 4
    assert {STANDARD} <= set(SIGNING) & set(CIPHERS) & set(KEYS)


@pytest.mark.parametrize("profile", SIGNING, ids=name)
def test_each_profile_is_signed_verified_and_found(profile: SignatureProfile) -> None:
    """Rows S10, S11, S14, S15 and S17: one sample fits one profile, and the probe says which."""
    for sample in (reference(profile), profiles.sign(profile, SIGNER, MESSAGE)):
        fits = [one for one in SIGNING if profiles.verify(one, PROVIDER, PUBLIC, MESSAGE, sample)]
        assert fits == [profile]
        assert probe.signature(PROVIDER, PUBLIC, MESSAGE, sample) == [probe.Finding(profile)]
        assert not profiles.verify(profile, PROVIDER, PUBLIC, MESSAGE + b" ", sample)
        assert not profiles.verify(profile, PROVIDER, keys.private_from_int(5).public, MESSAGE, sample)


def test_the_standard_profile_is_what_the_rest_of_the_house_signs() -> None:
    signature = base64.b64decode(profiles.sign(STANDARD, SIGNER, MESSAGE))
    assert sm2.verify(PROVIDER, PUBLIC, MESSAGE, signature, signer_id=sm2.DEFAULT_ID)
    raw = msgspec.structs.replace(STANDARD, form="raw", text="binary", signer_id="b")
    assert sm2.verify(
        PROVIDER, PUBLIC, MESSAGE, profiles.sign(raw, SIGNER, MESSAGE), signer_id=b"b", encoding=Encoding.RAW
    )


@settings(max_examples=60)
@given(st.sampled_from(SIGNING), st.binary(max_size=80), st.text(max_size=40))
def test_any_message_and_id(profile: SignatureProfile, message: bytes, signer_id: str) -> None:
    mine = msgspec.structs.replace(profile, signer_id=signer_id)
    sample = profiles.sign(mine, SIGNER, message)
    assert profiles.verify(mine, PROVIDER, PUBLIC, message, sample)
    found = probe.signature(PROVIDER, PUBLIC, message, sample, (*probe.IDS, signer_id))
    assert len(found) == 1
    assert found[0].defect is None
    assert found[0].profile == (mine if mine.za else msgspec.structs.replace(mine, signer_id=STANDARD.signer_id))


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from(SIGNING))
def test_any_bytes_are_answered_with_no(data: bytes, profile: SignatureProfile) -> None:
    assert not profiles.verify(profile, PROVIDER, PUBLIC, MESSAGE, data)


@pytest.mark.parametrize(
    "bend",
    [
        lambda text: b" " + text, lambda text: text + b"\n", lambda text: b"0x" + text, lambda text: text[:-1],
        lambda text: text[:10] + b"_" + text[10:], lambda text: text[:1].upper() + text[1:].lower() + b"A",
        lambda text: text + b"=", lambda text: text + b"00",
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", ["hex", "HEX", "base64"])
def test_S10_a_text_form_has_one_way_to_write(text: Any, bend: Any) -> None:
    profile = msgspec.structs.replace(STANDARD, form="raw", text=text)
    assert not profiles.verify(profile, PROVIDER, PUBLIC, MESSAGE, bend(reference(profile)))


def test_base64_with_stray_last_bits_is_refused() -> None:
    profile = msgspec.structs.replace(STANDARD, form="raw", text="base64")
    sample = reference(profile)
    assert sample.endswith(b"==")
    spot = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".index(chr(sample[-3]))
    other = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[spot | 1]
    assert not profiles.verify(profile, PROVIDER, PUBLIC, MESSAGE, sample[:-3] + other.encode() + b"==")


# --- what no profile expresses ----------------------------------------------------------------------------------------


def spoilt(code: str, profile: SignatureProfile, message: bytes) -> bytes:
    """A sample with one defect, made by hand."""
    plain = msgspec.structs.replace(profile, form="raw", text="binary")
    if code == "entl-bytes":
        raw = reference(plain, message, id_length=len(profile.signer_id.encode()))
    else:
        signed = {
            "hash-hex": sm3(message).hex().encode(), "hash-HEX": sm3(message).hex().upper().encode(),
            "no-end": message.rstrip(b"\r\n"), "more-end": message + b"\n",
            "crlf": message.replace(b"\n", b"\r\n"), "lf": message.replace(b"\r\n", b"\n"),
        }.get(code, message)  # fmt: skip
        raw = reference(plain, signed)
    halves = raw[:32], raw[32:]
    if code == "numbers-swapped":
        halves = halves[1], halves[0]
    if code == "numbers-backwards":
        halves = halves[0][::-1], halves[1][::-1]
    joined = b"".join(halves)
    r, s = int.from_bytes(halves[0], "big"), int.from_bytes(halves[1], "big")
    return WRITES[profile.text](joined if profile.form == "raw" else der.encode_signature(r, s))  # type: ignore[no-any-return,operator]


@pytest.mark.parametrize("defect", probe.DEFECTS, ids=lambda defect: defect.code)
@pytest.mark.parametrize("form", ["der", "raw"])
def test_S16_a_defect_is_named_and_never_verifies(defect: probe.Defect, form: Any) -> None:
    message = b"line\r\nline\r\n" if defect.code == "lf" else MESSAGE
    profile = msgspec.structs.replace(STANDARD, form=form, text="hex")
    sample = spoilt(defect.code, profile, message)
    assert not any(profiles.verify(one, PROVIDER, PUBLIC, message, sample) for one in SIGNING)
    found = probe.signature(PROVIDER, PUBLIC, message, sample)
    assert [(one.profile, one.defect.code) for one in found if one.defect] == [(profile, defect.code)]
    said = found[0].words()[-1]
    assert said == defect.said
    assert all(said)


def test_nothing_fits_a_stranger() -> None:
    other = Signer(PROVIDER, keys.private_from_int(9))
    assert probe.signature(PROVIDER, PUBLIC, MESSAGE, profiles.sign(STANDARD, other, MESSAGE)) == []
    for junk in (b"", b"\0" * 64, b"x" * 128, b"0" * 128):
        assert probe.signature(PROVIDER, PUBLIC, MESSAGE, junk) == []


def test_a_sample_that_does_not_decide_is_told_as_such() -> None:
    """Digits without letters are hex in small and in capital letters alike."""

    class Agreeable:
        def verify_digest(self, *_: object) -> bool:
            return True

    found = probe.signature(Agreeable(), PUBLIC, MESSAGE, b"12" * 64)  # type: ignore[arg-type]
    assert {one.profile.text for one in found} == {"hex", "HEX"}
    assert len(found) == 2 * 2 * (len(probe.IDS) + 1)
    assert {one.defect for one in found} == {None}


def test_every_deviation_has_words() -> None:
    for profile in {*SIGNING, *CIPHERS}:
        said = probe.Finding(profile).words()
        assert all(one.zh and one.en and bool(one.ask_zh) == bool(one.ask_en) for one in said)
        if not profile.za:
            assert any("漏算 Z_A" in one.zh for one in said)
    assert probe.Finding(STANDARD).words() == []


# --- ciphertexts ------------------------------------------------------------------------------------------------------


def arranged(profile: SignatureProfile, plaintext: bytes, public: PublicKey = PUBLIC) -> bytes:
    sealed = PROVIDER.encrypt(public, plaintext)
    c1, c3, c2 = sealed[:65], sealed[65:97], sealed[97:]
    whole = {
        "C1C3C2": c1 + c3 + c2, "C1C2C3": c1 + c2 + c3, "DER": sm2.ciphertext_to_der(sealed),
    }[profile.ciphertext]  # fmt: skip
    return WRITES[profile.text](whole[1:] if profile.point == "bare" else whole)  # type: ignore[no-any-return,operator]


@pytest.mark.parametrize("profile", CIPHERS, ids=name)
@pytest.mark.parametrize("size", [1, 32, 33, 100])
def test_S30_each_arrangement_is_read_written_and_found(profile: SignatureProfile, size: int) -> None:
    plaintext = bytes(range(1, size + 1))
    for sample in (arranged(profile, plaintext), profiles.encrypt(profile, PROVIDER, PUBLIC, plaintext)):
        assert profiles.decrypt(profile, PROVIDER, PRIVATE, sample) == plaintext
        assert probe.ciphertext(PROVIDER, PRIVATE, sample) == [probe.Finding(profile)]
        for other in CIPHERS:
            if other != profile:
                with pytest.raises(Malformed, match=r"^decrypt-failed:"):
                    profiles.decrypt(other, PROVIDER, PRIVATE, sample)


@settings(max_examples=200)
@given(st.binary(max_size=300), st.sampled_from(CIPHERS))
def test_S30_any_bytes_get_the_one_answer(data: bytes, profile: SignatureProfile) -> None:
    with pytest.raises(Malformed) as caught:
        profiles.decrypt(profile, PROVIDER, PRIVATE, data)
    assert caught.value.code == "decrypt-failed"


def test_S22_a_bare_point_that_begins_with_04_is_not_mistaken() -> None:
    profile = msgspec.structs.replace(STANDARD, point="bare", text="binary")
    while True:
        sample = arranged(profile, b"plaintext")
        if sample[0] == 4:
            break
    assert profiles.decrypt(profile, PROVIDER, PRIVATE, sample) == b"plaintext"
    assert probe.ciphertext(PROVIDER, PRIVATE, sample) == [probe.Finding(profile)]


# --- public keys and the table ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", KEYS, ids=name)
def test_each_form_of_a_public_key_is_read_by_its_profile_alone(profile: SignatureProfile) -> None:
    for private in (PRIVATE, clumsy()):
        data = profiles.write_public(profile, private.public)
        assert dict(probe.public_key(data)) == {profile: private.public}


def clumsy() -> PrivateKey:
    """A key whose x begins with 04."""
    return next(private for private in map(keys.private_from_int, itertools.count(1)) if private.public.point[1] == 4)


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from(KEYS))
def test_S19_any_bytes_are_a_key_on_the_curve_or_refused(data: bytes, profile: SignatureProfile) -> None:
    with pytest.raises(Malformed):
        profiles.read_public(profile, data)


@pytest.mark.parametrize("profile", [*SIGNING, *CIPHERS, *KEYS], ids=name)
def test_the_table_says_the_profile(profile: SignatureProfile) -> None:
    assert profiles.read_profile(tomllib.loads(profiles.to_toml(profile))) == profile


@pytest.mark.parametrize(
    "table",
    [{"form": "auto"}, {"za": "no"}, {"text": "Hex"}, {"sinner_id": ""}, {"hash": 2}, {"signer_id": "字" * 2048},
     {"ciphertext": "c1c3c2"}, {"public_key": "compressed"}],
)  # fmt: skip
def test_a_table_that_says_something_else_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match=r"^signature-profile:"):
        profiles.read_profile(table)
