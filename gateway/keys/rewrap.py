"""Another passphrase (换口令), or another way to encrypt key files: the whole key folder anew, then put in the old one's place.

Keys, register and vault stay what they are; only what closes them changes. The new folder is written and opened before the
old one steps aside as ``keys.before``, which is for the custodian to destroy once the gateway has started with the new one.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from gateway import files
from gateway.config import ConfigError
from gateway.keys import keyregister, keyring
from gateway.keys.keyring import TLS, VAULT, Keyring
from gateway.keys.machine import in_machine
from signing import keys
from signing.errors import Malformed

BEFORE, NEW = ".before", ".new"


def rewrap(ring: Keyring, passphrase: bytes, secret: Path | None = None) -> Path:
    """Close everything under another passphrase; where the old folder is now. ``secret``: the file in the key folder
    that holds the passphrase, if one does. FileExistsError while an earlier one has not been cleared away."""
    folder = ring.folder
    fresh, before = (folder.with_name(folder.name + suffix) for suffix in (NEW, BEFORE))
    if before.exists():
        raise FileExistsError(17, "File exists", str(before))
    fresh.mkdir(mode=0o700)
    with keyregister.writing(folder):
        try:
            _fill(ring, fresh, passphrase, secret)
            _open(ring, replace(ring, folder=fresh, passphrase=passphrase))
        except BaseException:
            shutil.rmtree(fresh)
            raise
        folder.rename(before)
        fresh.rename(folder)
    _sync(folder.parent)
    return before


def _fill(ring: Keyring, fresh: Path, passphrase: bytes, secret: Path | None) -> None:
    for path in sorted(path for path in ring.folder.iterdir() if path.is_file()):
        data = passphrase + b"\n" if path == secret else _closed(ring, path, passphrase)
        files.write_private(fresh / path.name, data)


def _closed(ring: Keyring, path: Path, passphrase: bytes) -> bytes:
    """A file of the key folder under the new passphrase; what none of ours closes is taken as it is."""
    data = files.private_bytes(path)
    if path.name == VAULT:
        return keyring.sealed_vault(ring.vault_keys, passphrase, ring.provider.random, ring.rounds)
    if path.name == TLS and b"ENCRYPTED" in data:
        return _tls(data, ring.passphrase, passphrase, path)
    if path.suffix != ".pem":
        return data
    try:
        private = keys.private_from_pem(data, ring.passphrase)
    except Malformed as error:
        if error.code in keyring.FOREIGN:
            return data
        raise ConfigError(str(path), error.zh, error.en) from None
    salt, iv = ring.provider.random(16), ring.provider.random(16)
    return keys.private_to_pem(private, passphrase, salt=salt, iv=iv, iterations=ring.rounds, prf=ring.prf)


def _tls(data: bytes, old: bytes, new: bytes, path: Path) -> bytes:
    try:
        key = serialization.load_pem_private_key(data, old)
    except (ValueError, TypeError):
        raise ConfigError(str(path), "TLS 私钥打不开", "the TLS key cannot be opened") from None
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return key.private_bytes(*form, serialization.BestAvailableEncryption(new))


def _open(old: Keyring, new: Keyring) -> None:
    """Everything that opened before opens now, and is the same."""
    lives = [[(entry.id, entry.use, entry.state) for entry in ring.register().entries] for ring in (old, new)]
    if new.vault_keys != old.vault_keys or lives[0] != lives[1]:
        raise ConfigError(str(new.folder), "重新加密未成功", "the new folder is not the old one's twin")
    for entry in new.register().entries:
        if not in_machine(entry.file) and (new.folder / entry.file).exists():
            new.load(entry)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
