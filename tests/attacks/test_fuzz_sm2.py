"""10⁵ inputs at every parser of signatures, keys and ciphertexts (rows S01-S11, S18-S24, S29, S30): a verdict each."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from signing import der, keys, sm2
from signing.keys import Prf
from signing.providers import open_provider, selftest
from signing.sm2 import DEFAULT_ID, Encoding, PrivateKey, PublicKey
from tests.attacks import fuzz
from tests.attacks.fuzz import Target
from tests.vectors.sm2 import vectors

LIBCRYPTO, PURE, GMSSL = (open_provider(uri) for uri in ("libcrypto:", "pure:?sign=allow", "gmssl:"))
PRIVATE = PrivateKey(selftest.D, selftest.PUBLIC)
SIGNATURE = sm2.encode(selftest.R, selftest.S, Encoding.DER)
RAW = sm2.encode(selftest.R, selftest.S, Encoding.RAW)
SEALED = selftest.CIPHERTEXT
PEMS = [(one.question["op"], one.question["pem"].encode()) for one in vectors.load("keys") if not one.code]
ENCRYPTED = [
    keys.private_to_pem(PRIVATE, b"pw", salt=bytes(8), iv=bytes(16), iterations=1, prf=prf)
    for prf in (Prf.SHA256, Prf.SM3)
]


def bodies(kind: str) -> list[bytes]:
    label = "PRIVATE KEY" if kind == "private-key" else "PUBLIC KEY"
    return [keys.from_pem(pem, label)[1] for found, pem in PEMS if found == kind and f"BEGIN {label}".encode() in pem]


def verified(provider: object, encoding: Encoding, data: bytes) -> bool:
    """Through the whole check, where a bad signature is a plain False."""
    answer = sm2.verify(
        provider, selftest.PUBLIC, b"message digest", data, signer_id=DEFAULT_ID, encoding=encoding  # type: ignore[arg-type]
    )  # fmt: skip
    assert isinstance(answer, bool)
    assert answer == (data == (SIGNATURE if encoding is Encoding.DER else RAW))
    return answer


def opened_der(data: bytes) -> bytes:
    return LIBCRYPTO.decrypt(PRIVATE, sm2.ciphertext_from_der(data))


TARGETS = [
    Target("signature DER", lambda d: sm2.decode(d, Encoding.DER), [SIGNATURE, der.encode_signature(1, 1)],
           again=lambda pair: sm2.encode(*pair, Encoding.DER)),
    Target("signature raw", lambda d: sm2.decode(d, Encoding.RAW), [RAW],
           again=lambda pair: sm2.encode(*pair, Encoding.RAW)),
    Target("public point", PublicKey.from_bytes, [selftest.PUBLIC.point, selftest.PUBLIC.point[1:]]),
    Target("SubjectPublicKeyInfo", keys.public_from_spki, bodies("public-key")),
    Target("public key PEM", keys.public_from_pem, [pem for kind, pem in PEMS if kind == "public-key"]),
    Target("PKCS#8", keys.private_from_pkcs8, bodies("private-key")),
    Target("private key PEM", keys.private_from_pem, [pem for kind, pem in PEMS if kind == "private-key"]),
    # The iterations are the file's to choose, up to MAX_ITERATIONS; the file is the operator's own.
    Target("encrypted private key PEM", partial(keys.private_from_pem, passphrase=b"pw"), ENCRYPTED, seconds=30.0),
    Target("ciphertext DER", sm2.ciphertext_from_der, [sm2.ciphertext_to_der(SEALED)], again=sm2.ciphertext_to_der),
    Target("ciphertext raw", sm2.split_ciphertext, [SEALED], again=lambda parts: parts[0].point + parts[1] + parts[2]),
    Target("decryption by libcrypto", opened_der, [sm2.ciphertext_to_der(SEALED)]),
    Target("decryption by tables", partial(PURE.decrypt, PRIVATE), [SEALED]),
    Target("verification by libcrypto", partial(verified, LIBCRYPTO, Encoding.DER), [SIGNATURE]),
    Target("verification by tables", partial(verified, PURE, Encoding.RAW), [RAW]),
    Target("verification by gmssl", partial(verified, GMSSL, Encoding.DER), [SIGNATURE]),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_S01_S30_fuzzed_inputs_get_a_verdict(target: Target) -> None:
    verdicts = fuzz.attack(target, fuzz.SHORT)
    assert verdicts.total() == fuzz.SHORT
    assert len(verdicts) > 1 or target.name.startswith("verification")


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_S01_S30_many_each(target: Target, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        verdicts = fuzz.attack(target, fuzz.LONG)
    assert verdicts.total() == fuzz.LONG


def test_the_runner_tells_what_it_must() -> None:
    def crashes(data: bytes) -> None:
        if data != b"seed":
            raise KeyError(data)

    with pytest.raises(AssertionError, match="raised KeyError"):
        fuzz.attack(Target("crashes", crashes, [b"seed"]), 50)
    with pytest.raises(AssertionError, match="not even its seeds"):
        fuzz.attack(Target("refuses all", lambda _: 1 // 0, [b"seed"], (ZeroDivisionError,)), 50)
    with pytest.raises(AssertionError, match="encodes differently"):
        fuzz.attack(Target("forgives", lambda _: b"seed", [b"seed"], again=bytes), 50)
    with pytest.raises(AssertionError, match=r"took \d"):
        fuzz.attack(Target("dawdles", lambda _: sum(range(200_000)), [b"seed"], seconds=1e-4), 50)
    assert fuzz.mutated(TARGETS[0], 77) == fuzz.mutated(TARGETS[0], 77)
    assert fuzz.attack(Target("takes all", bytes, [b"seed"]), 50) == Counter(accepted=50)
