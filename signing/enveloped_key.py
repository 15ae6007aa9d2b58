"""The encryption key as a CA delivers it (加密密钥对的保护结构): SM2EnvelopedKey of GM/T 0009, ENVELOPEDKEYBLOB of GM/T 0016.

The key centre makes the encryption key pair, encrypts its private key with SM4-ECB under a fresh key, and that key with SM2
to the holder's signing key. Both forms occur in the field, as does a private key of 32 bytes or padded with 32 zero bytes.
Whatever fails once the form is read gives one answer (row S30), and a key whose public half is not the stated one is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from signing import der, sm2
from signing.errors import Malformed
from signing.keys import private_from_int
from signing.sm2 import PrivateKey, PublicKey

if TYPE_CHECKING:
    from signing.providers import Provider

MAX_BYTES: Final = 4096
_SM4: Final = ("1.2.156.10197.1.104", "1.2.156.10197.1.104.1")  # SM4, and SM4 in ECB
_SGD_SM4_ECB: Final = 0x00000401
_HALF: Final = 32
_KEY: Final = 16
# Fields of the blob in order, sizes in bytes; numbers are little-endian, coordinates stand at the end of 64 bytes.
_BLOB: Final = (("version", 4), ("algorithm", 4), ("bits", 4), ("private", 64), ("key_bits", 4), ("x", 64), ("y", 64),
                ("c1_x", 64), ("c1_y", 64), ("c3", 32), ("c2_length", 4), ("c2", _KEY))  # fmt: skip
_BLOB_SIZE: Final = sum(size for _, size in _BLOB)


class _Parts(NamedTuple):
    """``wrapped``: the SM4 key as 04||C1||C3||C2; ``private``: ECB blocks; ``public``: the stated point, 04||x||y."""

    wrapped: bytes
    private: bytes
    public: bytes


def open_enveloped_key(data: bytes, holder: PrivateKey, provider: Provider) -> PrivateKey:
    """The delivered key. Malformed: ``enveloped-key-form`` (neither form), ``enveloped-key-algorithm`` (not SM4),
    ``enveloped-key`` (all else: not for this holder, altered, or private and public half do not belong together)."""
    parts = _blob(data) if len(data) == _BLOB_SIZE else _sequence(data)
    try:
        stated = PublicKey.from_bytes(parts.public)
        key = provider.decrypt(holder, parts.wrapped)
        return _matching(_ecb(key, parts.private), stated)
    except (Malformed, ValueError):
        raise Malformed("enveloped-key", "加密密钥打不开", "the delivered key cannot be opened") from None


def _sequence(data: bytes) -> _Parts:
    try:
        algorithm, wrapped, public, private = der.parse(data, limit=MAX_BYTES).as_seq(4, 4)
        name = algorithm.as_seq(1, 2)[0].as_oid()
        parts = _Parts(sm2.ciphertext_from_der(wrapped.raw), private.as_bits(), public.as_bits())
    except Malformed:
        raise _form() from None
    if name not in _SM4:
        raise _algorithm()
    return parts


def _blob(data: bytes) -> _Parts:
    fields, at = {}, 0
    for name, size in _BLOB:
        fields[name] = data[at : at + size]
        at += size
    numbers = {name: int.from_bytes(value, "little") for name, value in fields.items()}
    coordinates = [fields[name] for name in ("x", "y", "c1_x", "c1_y")]
    wide = all(not any(value[:_HALF]) for value in coordinates)
    sizes = (numbers["version"], numbers["bits"], numbers["key_bits"], numbers["c2_length"])
    if sizes != (1, 256, 256, _KEY) or not wide:
        raise _form()
    if numbers["algorithm"] != _SGD_SM4_ECB:
        raise _algorithm()
    x, y, c1_x, c1_y = (value[_HALF:] for value in coordinates)
    return _Parts(b"\4" + c1_x + c1_y + fields["c3"] + fields["c2"], fields["private"], b"\4" + x + y)


def _ecb(key: bytes, data: bytes) -> bytes:
    """ECB takes each block by itself, so zeros before or after the key may have been encrypted or not."""
    if len(key) != _KEY or len(data) not in (_HALF, 2 * _HALF):
        raise ValueError
    decryptor = Cipher(algorithms.SM4(key), modes.ECB()).decryptor()  # noqa: S305 - what the standard says
    clear = decryptor.update(data) + decryptor.finalize()
    halves = [
        clear[at : at + _HALF] if any(data[at : at + _HALF]) else bytes(_HALF) for at in range(0, len(data), _HALF)
    ]
    return b"".join(halves)


def _matching(clear: bytes, stated: PublicKey) -> PrivateKey:
    """32 bytes, or 64 of which one half is zero."""
    numbers = [int.from_bytes(clear[at : at + _HALF]) for at in range(0, len(clear), _HALF)]
    if sum(map(bool, numbers)) != 1:
        raise ValueError
    return private_from_int(max(numbers), stated)


def _form() -> Malformed:
    return Malformed("enveloped-key-form", "不是加密密钥对的保护结构", "neither SM2EnvelopedKey nor ENVELOPEDKEYBLOB")


def _algorithm() -> Malformed:
    zh, en = "加密密钥不是用 SM4 保护的", "the delivered key is not protected with SM4"
    return Malformed("enveloped-key-algorithm", zh, en)
