"""The register of our keys at rest (密钥登记簿): ``register.json`` in the key folder, and how it changes.

``{"register": {…}, "mac": "hex"}``: HMAC-SM3 over the very bytes of the register, under a key that only the passphrase
opens, so an edited register is refused as a whole. Written whole or not at all, one writer at a time. A folder without
one (the old layout) reads as: each ``USE.pem`` is the active key of its use.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gateway.config import ConfigError
from signing import keyring
from signing.errors import Malformed
from signing.keyring import Register
from signing.sm3 import hmac_sm3, same

FILE = "register.json"
NONE = (0, 0, 0)
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)  # what the decoder raises
DOMAIN = b"tongban/v1/register\n"


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    register: msgspec.Raw
    mac: str


def stamp(folder: Path) -> tuple[int, int, int]:
    """Changes whenever the register does; costs one ``stat``. Zeros where there is none."""
    try:
        status = (folder / FILE).stat()
    except FileNotFoundError:
        return NONE
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def decode(data: bytes, key: bytes, where: str) -> Register:
    """The register of its file's bytes; ``ConfigError`` when it was altered or contradicts itself."""
    try:
        sealed = msgspec.json.decode(data, type=_Sealed)
    except UNREADABLE:
        raise ConfigError(where, "密钥登记簿无法读取", "the key register cannot be read") from None
    if not same(_mac(key, bytes(sealed.register)).encode(), sealed.mac.encode("ascii", "replace")):
        raise ConfigError(where, "密钥登记簿被改动过，或口令不对", "the key register was altered, or wrong passphrase")
    try:
        register = msgspec.json.decode(sealed.register, type=Register)
        keyring.check(register)
    except (*UNREADABLE, Malformed):
        raise ConfigError(where, "密钥登记簿自相矛盾", "the key register contradicts itself") from None
    return register


def encode(register: Register, key: bytes) -> bytes:
    """The file's bytes."""
    body = msgspec.json.format(msgspec.json.encode(register), indent=1)
    return msgspec.json.encode(_Sealed(msgspec.Raw(body), _mac(key, body))) + b"\n"


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """One writer at a time: whoever comes second waits."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(folder: Path, data: bytes) -> None:
    """Put the register in place: whole, on disk, readable by its owner alone."""
    part = folder / f".{FILE}.{os.getpid()}"
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / FILE)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mac(key: bytes, body: bytes) -> str:
    return hmac_sm3(key, DOMAIN + body).hex()
