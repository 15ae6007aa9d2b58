"""The node's keys on disk: encrypted PKCS#8 files, each key for one use, opened with one passphrase at start.

Files that others may read are refused (L10). The vault's two keys (KEK and blind-index key) lie in ``vault.key``, sealed
with SM4-GCM under a key derived from the passphrase by PBKDF2-HMAC-SM3.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from gateway.config import Config, ConfigError, secret
from gateway.store.vault import Vault
from signing import keys, sm4
from signing.errors import Malformed
from signing.providers import Provider, open_provider
from signing.sm2 import PrivateKey, Signer

USES = ("identity", "checkpoint", "direct", "encryption", "platform", "seal")
VAULT = "vault.key"
SALT, NONCE, COUNT = 16, 12, 4
ROUNDS = 100_000
PURE_SIGNING = "pure:?sign=allow"


def provider(uri: str, lab: bool) -> tuple[Provider, str]:
    """The SM2 provider and a warning ("" if none): a lab node may sign in pure Python where there is no libcrypto."""
    found = open_provider(uri)
    if not found.uri.startswith("pure:"):
        return found, ""
    zh = "SM2 由纯 Python 计算：较慢，签名非恒定时间，不得用于生产（没有可用的 OpenSSL 密码库，或设置如此）"
    en = "SM2 in pure Python: slower, not constant time, never for production (no usable libcrypto, or set so)"
    return (open_provider(PURE_SIGNING) if lab and found.uri == "pure:" else found), f"{zh} / {en}"


def open_ring(config: Config, base: Path) -> tuple[Keyring, str]:
    """The keyring of a node whose files lie under ``base``, and the provider's warning ("" if none)."""
    found, warning = provider(config.keys.provider, config.node.lab)
    return Keyring(base / config.keys.dir, passphrase(config, base), found), warning


def passphrase(config: Config, base: Path) -> bytes:
    """The passphrase of the keys; one in a file is refused when others may read that file."""
    source = config.keys.passphrase
    return private_bytes(base / source.file).rstrip(b"\r\n") if source.file else secret(source, base)


@dataclass(frozen=True)
class Keyring:
    """The directory of keys, opened."""

    folder: Path
    passphrase: bytes
    provider: Provider

    def signer(self, use: str) -> Signer:
        """The signer of one use. Raises ``ConfigError`` with the file's name."""
        path = self.folder / f"{use}.pem"
        data = private_bytes(path)
        try:
            return Signer(self.provider, keys.private_from_pem(data, self.passphrase))
        except Malformed as error:
            raise ConfigError(str(path), error.zh, error.en) from None

    def openers(self) -> dict[str, PrivateKey]:
        """The encryption keys by key id: the one in use and those in overlap (``encryption-*.pem``), which open only what
        partners still send under them."""
        uses = ["encryption", *sorted(path.stem for path in self.folder.glob("encryption-*.pem"))]
        return {signer.key_id: signer.private for signer in map(self.signer, uses)}

    def certificate(self, use: str) -> bytes:
        """The certificate of one use, DER, from ``certs`` beside the keys."""
        path = self.folder.parent / "certs" / f"{use}.der"
        try:
            return path.read_bytes()
        except OSError:
            raise ConfigError(str(path), "缺少证书", "the certificate is missing") from None

    def vault(self) -> Vault:
        """The content vault."""
        data = private_bytes(self.folder / VAULT)
        rounds, rest = int.from_bytes(data[:COUNT], "big"), data[COUNT:]
        salt, nonce, sealed = rest[:SALT], rest[SALT : SALT + NONCE], rest[SALT + NONCE :]
        try:
            clear = sm4.open_(_derive(self.passphrase, salt, min(rounds, 10 * ROUNDS)), nonce, sealed, b"vault")
        except Malformed:
            raise ConfigError(
                str(self.folder / VAULT), "口令不对或文件损坏", "wrong passphrase or damaged file"
            ) from None
        return Vault(clear[:16], clear[16:], self.provider.random)


def write_key(
    folder: Path, use: str, signer: Signer, passphrase: bytes, random: Callable[[int], bytes], rounds: int = ROUNDS
) -> None:
    """Store a private key, encrypted, readable by its owner alone; never over an existing one."""
    data = keys.private_to_pem(signer.private, passphrase, salt=random(16), iv=random(16), iterations=rounds)
    write_private(folder / f"{use}.pem", data)


def write_vault(folder: Path, passphrase: bytes, random: Callable[[int], bytes], rounds: int = ROUNDS) -> None:
    """Make the vault's keys and store them sealed."""
    salt, nonce = random(SALT), random(NONCE)
    sealed = sm4.seal(_derive(passphrase, salt, rounds), nonce, random(16 + 32), b"vault")
    write_private(folder / VAULT, rounds.to_bytes(COUNT, "big") + salt + nonce + sealed)


def write_private(path: Path, data: bytes) -> None:
    """A new file with mode 0600; FileExistsError rather than writing over a key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def private_bytes(path: Path) -> bytes:
    """The bytes of a private file; refused when it is a link, not ours, or readable by others."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise ConfigError(
            str(path), f"读不到密钥文件（{error.strerror}）", f"cannot be read ({error.strerror})"
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.geteuid():
            zh = "密钥文件的属主或权限不对（应为本用户所有、0600）"
            raise ConfigError(str(path), zh, "owner or mode of the key file is wrong (ours and 0600 expected)")
        return file.read()


def _derive(passphrase: bytes, salt: bytes, rounds: int) -> bytes:
    return PBKDF2HMAC(SM3(), sm4.KEY, salt, max(rounds, 1)).derive(passphrase)
