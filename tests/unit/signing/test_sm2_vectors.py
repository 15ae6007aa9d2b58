"""SM2 on vectors named by their defect (tests/vectors/sm2, made by a stand-alone generator), with every provider."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import sm2
from signing.errors import KeyFault, Malformed
from signing.providers import Provider, open_provider, selftest
from signing.sm2 import DEFAULT_ID, Encoding, N, PrivateKey, PublicKey

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "sm2"
SIGNATURES: list[dict[str, Any]] = json.loads((VECTORS / "signatures.json").read_text("utf-8"))
CIPHERTEXTS: list[dict[str, Any]] = json.loads((VECTORS / "ciphertexts.json").read_text("utf-8"))
PROVIDERS = {uri: open_provider(uri) for uri in ("libcrypto:", "pure:?sign=allow", "gmssl:")}
SIGNERS = [uri for uri in PROVIDERS if uri != "gmssl:"]


def _name(vector: dict[str, Any]) -> str:
    return f"{vector['row']} {vector['name']}".strip().replace(" ", "-")


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sm2_vectors", VECTORS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_vectors_are_what_the_generator_makes() -> None:
    made = _generator().build()
    assert {name: (VECTORS / name).read_text("utf-8") for name in made} == made


@pytest.mark.parametrize("uri", PROVIDERS)
@pytest.mark.parametrize("vector", SIGNATURES, ids=_name)
def test_S01_to_S17_signatures_by_defect(vector: dict[str, Any], uri: str) -> None:
    answer = sm2.verify(
        PROVIDERS[uri],
        PublicKey.from_bytes(bytes.fromhex(vector["public"])),
        bytes.fromhex(vector["message"]),
        bytes.fromhex(vector["signature"]),
        signer_id=bytes.fromhex(vector["id"]),
        encoding=Encoding(vector["encoding"]),
    )
    assert answer is vector["valid"]


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
    with pytest.raises(Malformed):
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
    with pytest.raises(Malformed, match="private-key-range"):
        PROVIDERS[uri].load(d)
    with pytest.raises(Malformed, match="private-key-range"):
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
    with pytest.raises(KeyFault, match="signing-fault"):
        signer.sign(b"m")
    with pytest.raises(KeyFault, match="key-suspended"):
        signer.sign(b"m")
    assert provider.signed == 2
    assert signer.key_id == selftest.PUBLIC.thumbprint


# --- encryption ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", SIGNERS)
@pytest.mark.parametrize("vector", CIPHERTEXTS, ids=_name)
def test_S20_S30_ciphertexts_by_defect(vector: dict[str, Any], uri: str) -> None:
    private = PrivateKey(int(vector["d"], 16), selftest.PUBLIC)
    data = bytes.fromhex(vector["ciphertext"])

    def opened() -> bytes:
        raw = sm2.ciphertext_from_der(data) if vector["form"] == "der" else data
        return PROVIDERS[uri].decrypt(private, raw)

    if vector["plaintext"] is not None:
        assert opened().hex() == vector["plaintext"]
        return
    with pytest.raises(Malformed) as caught:
        opened()
    assert (caught.value.code, str(caught.value)) == ("decrypt-failed", "decrypt-failed: decryption failed")
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


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
    with pytest.raises(ValueError):
        PROVIDERS[uri].encrypt(selftest.PUBLIC, b"")


@pytest.mark.parametrize("uri", SIGNERS)
@given(data=st.data())
@settings(max_examples=30)
def test_S30_any_changed_byte_fails_alike(uri: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(selftest.CIPHERTEXT) - 1))
    changed = bytearray(selftest.CIPHERTEXT)
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Malformed, match="decrypt-failed"):
        PROVIDERS[uri].decrypt(PrivateKey(selftest.D, selftest.PUBLIC), bytes(changed))
