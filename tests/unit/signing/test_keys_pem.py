"""Keys in files: good ones read, each defect refused with its code, encryption with the right passphrase only."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import der, keys
from signing.errors import Malformed
from signing.keys import Prf
from signing.providers import selftest
from signing.sm2 import N, PrivateKey
from tests.vectors.sm2 import vectors
from tests.vectors.sm2.vectors import Vector

PRIVATE = PrivateKey(selftest.D, selftest.PUBLIC)
SALT, IV = bytes(range(16)), bytes(range(16, 32))


def _of(kind: str) -> list[Any]:
    return [pytest.param(one, id=str(one)) for one in vectors.load("keys") if one.question["op"] == f"{kind}-key"]


def _encrypted(**changes: Any) -> bytes:
    options: dict[str, Any] = {"salt": SALT, "iv": IV, "iterations": 100} | changes
    return keys.private_to_pem(PRIVATE, "口令".encode(), **options)


@pytest.mark.parametrize("vector", _of("private"))
def test_S23_S24_S29_private_keys_by_defect(vector: Vector) -> None:
    pem = vector.question["pem"].encode()
    if not vector.code:
        assert keys.private_from_pem(pem).public.point.hex() == vector.gives["publicKey"]
        return
    assert vector.result != "valid"
    with pytest.raises(Malformed) as caught:
        keys.private_from_pem(pem)
    assert caught.value.code == vector.code


@pytest.mark.parametrize("vector", _of("public"))
def test_S18_S19_S21_S23_S24_public_keys_by_defect(vector: Vector) -> None:
    pem = vector.question["pem"].encode()
    if not vector.code:
        assert keys.public_from_pem(pem).point.hex() == vector.gives["publicKey"]
        return
    assert vector.result != "valid"
    with pytest.raises(Malformed) as caught:
        keys.public_from_pem(pem)
    assert caught.value.code == vector.code


@given(st.integers(1, N - 2))
@settings(max_examples=10)
def test_plain_keys_round_trip(d: int) -> None:
    private = keys.private_from_int(d)
    assert keys.private_from_pem(keys.private_to_pem(private, None)) == private
    assert keys.public_from_pem(keys.public_to_pem(private.public)) == private.public


@pytest.mark.parametrize("prf", Prf)
def test_encrypted_keys_round_trip(prf: Prf) -> None:
    pem = _encrypted(prf=prf)
    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert keys.private_from_pem(pem, "口令".encode()) == PRIVATE


def test_carriage_returns_and_text_around_a_block_are_harmless() -> None:
    pem = b"Bag Attributes\r\n    friendlyName: x\r\n" + _encrypted().replace(b"\n", b"\r\n") + b"\r\n"
    assert keys.private_from_pem(pem, "口令".encode()) == PRIVATE


@pytest.mark.parametrize("passphrase", [b"", b"wrong", "口令 ".encode(), b"\0" * 70])
def test_another_passphrase_is_wrong(passphrase: bytes) -> None:
    with pytest.raises(Malformed, match=r"^passphrase-wrong:"):
        keys.private_from_pem(_encrypted(), passphrase)


def test_no_passphrase_is_needed_but_not_guessed() -> None:
    with pytest.raises(Malformed, match=r"^passphrase-needed:"):
        keys.private_from_pem(_encrypted())


WHOLE = keys.pkcs8(PRIVATE)
OTHER_CURVE = der.seq(der.integer(0), der.seq(der.oid(keys.EC_KEY), der.oid("1.2.840.10045.3.1.7")), der.octets(b""))


def _room(data: bytes) -> int:
    return 16 - len(data) % 16


PADDED = {
    "noise": (b"\xff" * 15 + b"\1", "passphrase-wrong"),
    "nothing": (b"\x10" * 16, "passphrase-wrong"),
    "padding of 0": (WHOLE + bytes(_room(WHOLE)), "passphrase-wrong"),
    "padding of more than a block": (WHOLE + bytes((16 + _room(WHOLE),)) * (16 + _room(WHOLE)), "passphrase-wrong"),
    "padding that differs": (WHOLE + bytes(_room(WHOLE) - 1) + bytes((_room(WHOLE),)), "passphrase-wrong"),
    "another curve": (OTHER_CURVE + bytes((_room(OTHER_CURVE),)) * _room(OTHER_CURVE), "key-curve"),
}


@pytest.mark.parametrize("name", PADDED)
def test_what_a_passphrase_opens_must_be_a_key(name: str) -> None:
    """A wrong one leaves noise, whose padding is good once in 256 times; a key with a defect of its own keeps its reason."""
    plain, code = PADDED[name]
    with pytest.raises(Malformed) as caught:
        keys.private_from_pem(_pbes2(_kdf(), CIPHER, _sealed(plain)), b"pw")
    assert caught.value.code == code


@pytest.mark.parametrize(
    "options",
    [{"salt": b""}, {"salt": bytes(7)}, {"salt": bytes(65)}, {"iv": b""}, {"iv": bytes(12)}, {"iterations": 0}],
)
def test_writing_refuses_weak_parameters(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        _encrypted(**options)
    with pytest.raises(ValueError):
        keys.private_to_pem(PRIVATE, b"", salt=SALT, iv=IV)


def _pbes2(kdf: bytes, cipher: bytes, body: bytes = bytes(32), scheme: str = keys._PBES2) -> bytes:
    return keys.to_pem(
        "ENCRYPTED PRIVATE KEY", der.seq(der.seq(der.oid(scheme), der.seq(kdf, cipher)), der.octets(body))
    )


def _kdf(
    count: int = 100, *more: bytes, prf: str = Prf.SM3.value, name: str = keys._PBKDF2, salt: bytes = SALT
) -> bytes:
    return der.seq(
        der.oid(name), der.seq(der.octets(salt), der.integer(count), *more, der.seq(der.oid(prf), der.null()))
    )


def _sealed(padded: bytes) -> bytes:
    """Under the passphrase ``pw``."""
    key = keys._derive(b"pw", SALT, 100, Prf.SM3, 16)
    encryptor = keys.Cipher(keys.algorithms.SM4(key), keys.modes.CBC(IV)).encryptor()
    return encryptor.update(padded) + encryptor.finalize()


CIPHER = der.seq(der.oid(keys._SM4_CBC), der.octets(IV))
HOSTILE = {
    "a billion iterations": (_pbes2(_kdf(10**9), CIPHER), "pbes2-form"),
    "no iterations": (_pbes2(_kdf(0), CIPHER), "pbes2-form"),
    "negative iterations": (_pbes2(_kdf(-5), CIPHER), "pbes2-form"),
    "iterations of 4000 bits": (_pbes2(_kdf(1 << 4000), CIPHER), "pbes2-form"),
    "one iteration too many": (_pbes2(_kdf(keys.MAX_ITERATIONS + 1), CIPHER), "pbes2-form"),
    "no salt": (_pbes2(_kdf(salt=b""), CIPHER), "pbes2-form"),
    "salt of 65 octets": (_pbes2(_kdf(salt=bytes(65)), CIPHER), "pbes2-form"),
    "salt of 64 octets": (_pbes2(_kdf(1, salt=bytes(64)), CIPHER), "passphrase-wrong"),
    "unknown prf": (_pbes2(_kdf(prf="1.2.3"), CIPHER), "pbes2-scheme"),
    "HMAC-SHA1": (_pbes2(_kdf(prf="1.2.840.113549.2.7"), CIPHER), "pbes2-scheme"),
    "no prf": (
        _pbes2(der.seq(der.oid(keys._PBKDF2), der.seq(der.octets(SALT), der.integer(100))), CIPHER),
        "pbes2-scheme",
    ),
    "scrypt": (_pbes2(_kdf(name="1.3.6.1.4.1.11591.4.11"), CIPHER), "pbes2-scheme"),
    "PBES1": (_pbes2(_kdf(), CIPHER, scheme="1.2.840.113549.1.5.3"), "pbes2-scheme"),
    "triple DES": (_pbes2(_kdf(), der.seq(der.oid("1.2.840.113549.3.7"), der.octets(bytes(8)))), "pbes2-scheme"),
    "wrong key length": (_pbes2(_kdf(100, der.integer(32)), CIPHER), "pbes2-scheme"),
    "iv of 8 bytes": (_pbes2(_kdf(), der.seq(der.oid(keys._SM4_CBC), der.octets(bytes(8)))), "pbes2-form"),
    "odd body": (_pbes2(_kdf(), CIPHER, bytes(33)), "pbes2-form"),
    "no body": (_pbes2(_kdf(), CIPHER, b""), "pbes2-form"),
    "garbage body": (_pbes2(_kdf(), CIPHER, bytes(64)), "passphrase-wrong"),
    "not DER": (keys.to_pem("ENCRYPTED PRIVATE KEY", b"garbage"), "der-truncated"),
    "traditional encryption": (
        b"-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: SM4-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n",
        "pem-encryption",
    ),
    "64 KiB of nothing": (b"-" * (65 << 10), "pem-size"),
    "many begin lines": (b"-----BEGIN PRIVATE KEY-----\n" * 2000, "pem-form"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_key_files_are_refused(name: str) -> None:
    pem, code = HOSTILE[name]
    with pytest.raises(Malformed) as caught:
        keys.private_from_pem(pem, b"x")
    assert caught.value.code == code


def test_the_key_length_may_be_stated() -> None:
    padded = keys.pkcs8(PRIVATE)
    padded += bytes((16 - len(padded) % 16,)) * (16 - len(padded) % 16)
    pem = _pbes2(_kdf(100, der.integer(16)), CIPHER, _sealed(padded))
    assert keys.private_from_pem(pem, b"pw") == PRIVATE


@given(st.binary(max_size=200), st.sampled_from(["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY"]))
def test_garbage_in_a_key_file_is_malformed(body: bytes, label: str) -> None:
    for pem in (body, keys.to_pem(label, body)):
        with pytest.raises(Malformed):
            keys.private_from_pem(pem, b"x")


@given(st.data())
@settings(max_examples=60)
def test_a_changed_byte_in_a_key_is_noticed_or_harmless(data: st.DataObject) -> None:
    body = bytearray(keys.pkcs8(PRIVATE))
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    pem = b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(bytes(body)) + b"\n-----END PRIVATE KEY-----\n"
    try:
        assert keys.private_from_pem(pem) == PRIVATE
    except Malformed as error:
        assert error.code
