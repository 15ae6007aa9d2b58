"""SM2 on vectors named by their defect (tests/vectors/sm2, made by a stand-alone generator), with every provider."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import sm2
from signing.errors import KeyFault, Malformed, Unavailable
from signing.providers import Provider, open_provider, selftest
from signing.sm2 import DEFAULT_ID, Encoding, N, PrivateKey, PublicKey
from tests.vectors.sm2 import generate, vectors
from tests.vectors.sm2.vectors import Vector

PROVIDERS = {uri: open_provider(uri) for uri in ("libcrypto:", "tables:", "pure:?sign=allow", "gmssl:")}
SIGNERS = [uri for uri in PROVIDERS if uri != "gmssl:"]
SIGNATURES, CIPHERTEXTS = vectors.load("signatures"), vectors.load("ciphertexts")
# What the vectors leave to each implementation, and what ours does.
OUR_CHOICE = {"EmptyId": True, "CompressedPoint": False, "HybridPoint": False, "BarePoint": True}


def _expected(vector: Vector) -> bool:
    return OUR_CHOICE[vector.flags[0]] if vector.result == "acceptable" else vector.result == "valid"


def _groups(found: list[Vector]) -> dict[str, list[Vector]]:
    """The vectors of each defect: one test for a flag, not one for each of its hundreds."""
    flags = sorted({one.flags[0] for one in found})
    return {flag: [one for one in found if one.flags[0] == flag] for flag in flags}


def test_the_vectors_are_what_the_generator_makes() -> None:
    made = generate.build()
    assert {name: (vectors.HERE / name).read_text("utf-8") for name in made} == made


def test_there_are_enough_vectors_and_each_names_its_defect() -> None:
    assert len(SIGNATURES) >= 600
    assert len({one.question["sig"] for one in SIGNATURES}) > 1000
    assert {one.result for one in SIGNATURES} == {"valid", "invalid", "acceptable"}
    rows = " ".join(note["row"] for file in vectors.FILES for note in vectors.notes(file).values())
    missing = {f"S{n:02}" for n in (*range(7, 25), 29, 30)} - set(re.findall(r"S\d\d", rows))
    assert not missing


@pytest.mark.parametrize("name", vectors.FILES)
def test_the_vectors_have_the_form_of_their_schema(name: str) -> None:
    """Names and choices only: the schema is for others, who have a validator."""
    schema = json.loads((vectors.HERE / "schema.json").read_text("utf-8"))
    whole = json.loads((vectors.HERE / f"{name}.json").read_text("utf-8"))
    assert set(whole) == set(schema["required"])
    assert {note["bugType"] for note in whole["notes"].values()} <= set(
        schema["$defs"]["note"]["properties"]["bugType"]["enum"]
    )
    forms = {"Sm2Verify": "verify", "Sm2Decrypt": "decrypt", "Sm2PrivateKey": "key", "Sm2PublicKey": "key"}
    for group in whole["testGroups"]:
        form = schema["$defs"][forms[group["type"]]]
        own, common = form["properties"]["tests"]["items"], schema["$defs"]["common"]
        assert set(group) == set(form["required"])
        for test in group["tests"]:
            assert set(own["required"]) | set(common["required"]) <= set(test)
            assert set(test) <= set(own["properties"]) | set(common["properties"])
    assert [t["tcId"] for g in whole["testGroups"] for t in g["tests"]] == list(range(1, whole["numberOfTests"] + 1))


def _accepted(uri: str, vector: Vector) -> bool:
    told = vector.question
    signer_id = bytes.fromhex(told["id"])
    try:
        public = PublicKey.from_bytes(bytes.fromhex(told["publicKey"]))
        answer = sm2.verify(
            PROVIDERS[uri],
            public,
            bytes.fromhex(told["msg"]),
            bytes.fromhex(told["sig"]),
            signer_id=signer_id,
            encoding=Encoding(told["encoding"]),
        )
    except Malformed:
        return False
    except ValueError:
        assert len(signer_id) > 8191
        return False
    assert answer in (True, False)
    return answer


@pytest.mark.parametrize("uri", SIGNERS)
@pytest.mark.parametrize("flag", _groups(SIGNATURES))
def test_S01_to_S24_signatures_by_defect(flag: str, uri: str) -> None:
    wrong = [str(one) for one in _groups(SIGNATURES)[flag] if _accepted(uri, one) is not _expected(one)]
    assert wrong == []


def test_S01_to_S24_the_second_opinion_on_a_sample() -> None:
    """gmssl takes some 10 ms a signature: one in ten of them here."""
    wrong = [str(one) for one in SIGNATURES[::10] if _accepted("gmssl:", one) is not _expected(one)]
    assert wrong == []


@pytest.mark.parametrize("uri", PROVIDERS)
@pytest.mark.parametrize(
    ("row", "r", "s"),
    [
        ("S01", 0, selftest.S), ("S02", selftest.R, 0), ("S03", N, selftest.S), ("S03", N - 1, 1),
        ("S03", selftest.R, N - selftest.R), ("S04", selftest.R + N, selftest.S), ("S05", selftest.R, selftest.S + N),
        ("S05", selftest.R, selftest.S + (N << 256)), ("S06", selftest.R - N, selftest.S), ("S06", selftest.R, -1),
        ("S13", selftest.R, N - selftest.S),
    ],
)  # fmt: skip
def test_S01_to_S13_values_below_the_encoding_get_false_too(uri: str, row: str, r: int, s: int) -> None:
    assert PROVIDERS[uri].verify_digest(selftest.PUBLIC, selftest.E, r, s) is False


@pytest.mark.parametrize("uri", PROVIDERS)
@pytest.mark.parametrize("e", [b"", selftest.E[:-1], selftest.E + b"\0", selftest.E + selftest.E])
def test_a_digest_of_another_length_gets_false(uri: str, e: bytes) -> None:
    assert PROVIDERS[uri].verify_digest(selftest.PUBLIC, e, selftest.R, selftest.S) is False


def test_the_standards_intermediate_values() -> None:
    z = sm2.za(selftest.PUBLIC, DEFAULT_ID)
    assert z.hex().upper() == "B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3"
    assert sm2.digest(selftest.PUBLIC, b"message digest", DEFAULT_ID) == selftest.E


@pytest.mark.parametrize("uri", PROVIDERS)
def test_the_example_on_the_sample_curve_fails_on_ours(uri: str) -> None:
    r = 0x40F1EC59F793D9F49E09DCEF49130D4194F79FB1EED2CAA55BACDB49C4E755D1
    s = 0x6FC6DAC32C5D5CF10C77DFB20F7C2EB667A457872FB09EC56327A67EC7DEEBE7
    signature = sm2.encode(r, s, Encoding.DER)
    alice = b"ALICE123@YAHOO.COM"
    assert not sm2.verify(PROVIDERS[uri], selftest.PUBLIC, b"message digest", signature, signer_id=alice)


@pytest.mark.parametrize("uri", SIGNERS)
@given(message=st.binary(max_size=200), signer_id=st.binary(max_size=40), encoding=st.sampled_from(Encoding))
@settings(max_examples=30)
def test_sign_and_verify_round_trip(uri: str, message: bytes, signer_id: bytes, encoding: Encoding) -> None:
    provider, private = PROVIDERS[uri], PrivateKey(selftest.D, selftest.PUBLIC)
    signature = sm2.sign(provider, private, message, signer_id=signer_id, encoding=encoding)
    other = Encoding.RAW if encoding is Encoding.DER else Encoding.DER

    def holds(m: bytes = message, i: bytes = signer_id, g: bytes = signature, e: Encoding = encoding) -> bool:
        return sm2.verify(provider, private.public, m, g, signer_id=i, encoding=e)

    assert holds()
    assert not holds(m=message + b"\0")
    assert not holds(i=signer_id + b"\0")
    assert not holds(g=signature[:-1] + bytes((signature[-1] ^ 1,)))
    assert not holds(e=other)


@pytest.mark.parametrize("uri", SIGNERS)
@given(garbage=st.binary(max_size=100))
@settings(max_examples=50)
def test_S10_garbage_is_false_never_an_exception(uri: str, garbage: bytes) -> None:
    for encoding in Encoding:
        args = (PROVIDERS[uri], selftest.PUBLIC, b"m", garbage)
        assert sm2.verify(*args, signer_id=DEFAULT_ID, encoding=encoding) is False


def test_S15_an_id_too_long_for_ENTL_is_refused() -> None:
    with pytest.raises(ValueError):
        sm2.za(selftest.PUBLIC, b"x" * 8192)


@pytest.mark.parametrize(
    ("row", "data"),
    [
        ("S18", b"\x04" + (5).to_bytes(32, "big") + (7).to_bytes(32, "big")),
        ("S19", b"\x00"),
        ("S19", b"\x04" + bytes(64)),
        ("S19", bytes(64)),
        ("S19", b"\x04" + sm2.P.to_bytes(32, "big") + selftest.PUBLIC.point[33:]),
        ("S19", b"\x04" + b"\xff" * 64),
        ("S21", b"\x02" + selftest.PUBLIC.point[1:33]),
        ("S21", b"\x07" + selftest.PUBLIC.point[1:]),
        ("S21", b""),
        ("S21", selftest.PUBLIC.point + b"\0"),
    ],
)
def test_S18_to_S21_points_that_are_no_public_keys(row: str, data: bytes) -> None:
    form = len(data) not in (64, 65) or row == "S21"
    with pytest.raises(Malformed, match=r"^public-key-form:" if form else r"^public-key-off-curve:"):
        PublicKey.from_bytes(data)


@pytest.mark.parametrize("x", [-1, sm2.P, sm2.P + selftest.PUBLIC.x])
def test_S19_coordinates_out_of_range(x: int) -> None:
    with pytest.raises(Malformed):
        PublicKey(x, selftest.PUBLIC.y)


def test_a_public_key_has_one_text_and_one_id() -> None:
    public = selftest.PUBLIC
    assert PublicKey.from_bytes(public.point) == PublicKey.from_bytes(public.point[1:]) == public
    assert len(public.thumbprint) == 32
    assert public.thumbprint == sm2.sm3(public.point).hex()[:32]


@pytest.mark.parametrize("d", [0, -1, N - 1, N, N + 1, 1 << 256])
@pytest.mark.parametrize("uri", SIGNERS)
def test_S29_private_keys_out_of_range(uri: str, d: int) -> None:
    with pytest.raises(Malformed, match=r"^private-key-range:"):
        PROVIDERS[uri].load(d)
    with pytest.raises(Malformed, match=r"^private-key-range:"):
        PrivateKey.from_int(d, selftest.PUBLIC)


@pytest.mark.parametrize("d", [1, 2, N - 2])
@pytest.mark.parametrize("uri", SIGNERS)
def test_S29_the_edges_of_the_range_work(uri: str, d: int) -> None:
    private = PROVIDERS[uri].load(d)
    signature = sm2.sign(PROVIDERS[uri], private, b"m", signer_id=DEFAULT_ID)
    assert sm2.verify(PROVIDERS["gmssl:"], private.public, b"m", signature, signer_id=DEFAULT_ID)


def test_a_private_key_never_shows_itself() -> None:
    private = PrivateKey(selftest.D, selftest.PUBLIC)
    shown = f"{private} {private!r} {sm2.Signer(PROVIDERS['libcrypto:'], private)!r}"
    assert str(selftest.D) not in shown
    assert f"{selftest.D:x}" not in shown.lower()


class _Flipping:
    """A provider whose key was hit by a flipped bit from its second signature on."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner
        self.signed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def sign_digest(self, private: PrivateKey, e: bytes) -> tuple[int, int]:
        self.signed += 1
        hit = private.d ^ (1 << 77) if self.signed > 1 else private.d
        return self._inner.sign_digest(PrivateKey(hit, private.public), e)


def test_S28_a_faulty_signature_never_leaves_and_stops_the_key() -> None:
    provider = _Flipping(PROVIDERS["pure:?sign=allow"])
    signer = sm2.Signer(provider, PrivateKey(selftest.D, selftest.PUBLIC))  # type: ignore[arg-type]
    assert sm2.verify(PROVIDERS["libcrypto:"], signer.public, b"m", signer.sign(b"m"), signer_id=DEFAULT_ID)
    with pytest.raises(KeyFault, match=r"^signing-fault:"):
        signer.sign(b"m")
    with pytest.raises(KeyFault, match=r"^key-suspended:"):
        signer.sign(b"m")
    assert provider.signed == 2
    assert signer.key_id == selftest.PUBLIC.thumbprint


class _Machine:
    """A key in a cryptographic machine."""

    public = selftest.PUBLIC

    def sign_digest(self, e: bytes) -> tuple[int, int]:
        return PROVIDERS["libcrypto:"].sign_digest(PrivateKey(selftest.D, selftest.PUBLIC), e)


def test_a_key_in_a_machine_signs_and_stays_there() -> None:
    held, private = sm2.Signer(PROVIDERS["gmssl:"], _Machine()), PrivateKey(selftest.D, selftest.PUBLIC)
    assert sm2.verify(PROVIDERS["pure:?sign=allow"], held.public, b"m", held.sign(b"m"), signer_id=DEFAULT_ID)
    with pytest.raises(Unavailable, match=r"^key-in-machine:"):
        _ = held.software
    soft = sm2.Signer(PROVIDERS["libcrypto:"], private)
    assert (held.kind, soft.kind, soft.software) == ("machine", "software", private)


def test_S28_a_fault_suspends_the_key_under_its_other_ids_too() -> None:
    signer = sm2.Signer(_Flipping(PROVIDERS["pure:?sign=allow"]), PrivateKey(selftest.D, selftest.PUBLIC))  # type: ignore[arg-type]
    other = signer.under(b"other")
    assert sm2.verify(PROVIDERS["libcrypto:"], other.public, b"m", other.sign(b"m"), signer_id=b"other")
    for one, code in ((other, "signing-fault"), (signer, "key-suspended"), (other, "key-suspended")):
        with pytest.raises(KeyFault, match=f"^{code}:"):
            one.sign(b"m")


# --- encryption ---------------------------------------------------------------------------------------------------------


def _opened(uri: str, vector: Vector) -> str | None:
    """The plaintext in hex, or None for the one refusal there is."""
    told = vector.question
    private, data = PrivateKey(int(told["privateKey"], 16), selftest.PUBLIC), bytes.fromhex(told["ct"])
    try:
        if told["form"] == "der":
            data = sm2.ciphertext_from_der(data)
        if told["form"] == "c1c2c3":
            data = data[:65] + data[-32:] + data[65:-32]
        return PROVIDERS[uri].decrypt(private, data).hex()
    except Malformed as error:
        assert (error.code, str(error)) == ("decrypt-failed", "decrypt-failed: decryption failed")
        assert error.__suppress_context__ or error.__context__ is None
        return None


@pytest.mark.parametrize("uri", SIGNERS)
@pytest.mark.parametrize("flag", _groups(CIPHERTEXTS))
def test_S20_S30_ciphertexts_by_defect(flag: str, uri: str) -> None:
    for vector in _groups(CIPHERTEXTS)[flag]:
        expected = vector.gives["msg"] if vector.result == "valid" else None
        assert _opened(uri, vector) == expected, str(vector)


@pytest.mark.parametrize("receiver", SIGNERS)
@pytest.mark.parametrize("sender", SIGNERS)
@given(plaintext=st.binary(min_size=1, max_size=300))
@settings(max_examples=25)
def test_encryption_round_trips_between_providers(sender: str, receiver: str, plaintext: bytes) -> None:
    private = PrivateKey(selftest.D, selftest.PUBLIC)
    sealed = PROVIDERS[sender].encrypt(private.public, plaintext)
    assert len(sealed) == 97 + len(plaintext)
    assert sm2.ciphertext_from_der(sm2.ciphertext_to_der(sealed)) == sealed
    assert PROVIDERS[receiver].decrypt(private, sealed) == plaintext


@pytest.mark.parametrize("uri", SIGNERS)
def test_nothing_cannot_be_encrypted(uri: str) -> None:
    with pytest.raises(ValueError, match="empty plaintext"):
        PROVIDERS[uri].encrypt(selftest.PUBLIC, b"")


@pytest.mark.parametrize("uri", SIGNERS)
@given(data=st.data())
@settings(max_examples=30)
def test_S30_any_changed_byte_fails_alike(uri: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(selftest.CIPHERTEXT) - 1))
    changed = bytearray(selftest.CIPHERTEXT)
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Malformed, match=r"^decrypt-failed:"):
        PROVIDERS[uri].decrypt(PrivateKey(selftest.D, selftest.PUBLIC), bytes(changed))
