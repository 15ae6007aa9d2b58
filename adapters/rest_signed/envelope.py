"""A body encrypted with SM4 and signed with SM2 (加密报文): ``{data:{encData}, appCode, version, encType, signType, timestamp,
signData}``, closed and opened by the names and forms of the profile. Pure.

What is signed are all members but the signature, sorted by name, ``name=value`` joined by ``&``; for ``data`` stands the
ciphertext's text. So the signature is checked before anything is decrypted, and a ciphertext that was changed is never tried
(CBC has no proof of its own). An object with another member, or without one, is refused. The request around it is proved by
the scheme of the headers: an envelope alone says neither where it was sent nor that it comes for the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from adapters.base import Denied
from adapters.rest_signed.headers import read_time, write_time
from adapters.rest_signed.reasons import BAD, ENVELOPE, SEALED, TIME
from adapters.rest_signed.scheme import Envelope
from schemas.codec import strict_json
from schemas.errors import Invalid
from signing import profiles, sm2, sm4
from signing.errors import Malformed

if TYPE_CHECKING:
    from signing.providers import Provider

KEY: Final = 16
IV: Final = 16
_BITS: Final = 128


class Mode(NamedTuple):
    """One way to use SM4: both take the key, the IV and the data."""

    iv: int
    seal: Callable[[bytes, bytes, bytes], bytes]
    open: Callable[[bytes, bytes, bytes], bytes]


def _seal_cbc(key: bytes, iv: bytes, clear: bytes) -> bytes:
    padder, encryptor = padding.PKCS7(_BITS).padder(), Cipher(algorithms.SM4(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(clear) + padder.finalize()) + encryptor.finalize()


def _open_cbc(key: bytes, iv: bytes, sealed: bytes) -> bytes:
    decryptor, unpadder = Cipher(algorithms.SM4(key), modes.CBC(iv)).decryptor(), padding.PKCS7(_BITS).unpadder()
    return unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()


MODES: Final[dict[str, Mode]] = {
    "CBC": Mode(IV, _seal_cbc, _open_cbc),
    "GCM": Mode(
        sm4.NONCE,
        lambda key, iv, clear: sm4.seal(key, iv, clear, b""),
        lambda key, iv, data: sm4.open_(key, iv, data, b""),
    ),
}


def covered(form: Envelope, app: str, time: str, sealed: str) -> bytes:
    """What is signed."""
    members = {**form.fixed, form.app: app, form.time: time, form.data: sealed}
    return "&".join(f"{name}={value}" for name, value in sorted(members.items())).encode()


def close(
    form: Envelope, signer: sm2.Signer, key: bytes, clear: bytes, *, app: str, time_ms: int, random: bytes
) -> bytes:
    """The envelope around a body. ``random``: 16 fresh bytes, of which the mode takes what it needs."""
    mode, time = MODES[form.cipher], write_time(form.unit, time_ms)
    iv = random[: mode.iv]
    sealed = profiles.write(form.text, iv + mode.seal(key, iv, clear)).decode()
    signed = profiles.sign(form.signature, signer, covered(form, app, time, sealed)).decode()
    return msgspec.json.encode(
        {form.data: {form.sealed: sealed}, form.app: app, **form.fixed, form.time: time, form.signed: signed}
    )


def open_(
    form: Envelope,
    provider: Provider,
    keys: Sequence[sm2.PublicKey],
    key: bytes,
    body: bytes,
    *,
    app: str,
    now_ms: int,
    window_ms: int,
) -> bytes | Denied:
    """What the envelope holds: 1 its members, 2 whose and when, 3 the signature under a registered key, 4 decryption.

    ``app``: who sent the request around it.
    """
    members = _members(form, body)
    if members is None or members[form.app] != app:
        return ENVELOPE
    time_ms = read_time(form.unit, members[form.time])
    if time_ms is None or abs(now_ms - time_ms) > window_ms:
        return TIME
    message, shown = covered(form, app, members[form.time], members[form.data]), members[form.signed].encode()
    if not any(profiles.verify(form.signature, provider, one, message, shown) for one in keys):
        return BAD
    return _clear(form, key, members[form.data])


def _clear(form: Envelope, key: bytes, sealed: str) -> bytes | Denied:
    mode = MODES[form.cipher]
    try:
        data = profiles.read(form.text, sealed.encode())
        return mode.open(key, data[: mode.iv], data[mode.iv :])
    except (Malformed, InvalidTag, ValueError):
        return SEALED


def _members(form: Envelope, body: bytes) -> dict[str, str] | None:
    """Every member as text, the ciphertext under the name of ``data``; None unless all are there, and nothing else."""
    try:
        value: Any = strict_json(body, max_bytes=len(body))
    except Invalid:
        return None
    names = {form.data, form.app, form.time, form.signed, *form.fixed}
    if type(value) is not dict or value.keys() != names or type(value[form.data]) is not dict:
        return None
    if value[form.data].keys() != {form.sealed}:
        return None
    told = {**value, form.data: value[form.data][form.sealed]}
    if not all(type(one) is str and one.isascii() and "&" not in one for one in told.values()):
        return None
    return told if all(told[name] == fixed for name, fixed in form.fixed.items()) else None
