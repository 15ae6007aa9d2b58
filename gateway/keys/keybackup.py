"""The split backup of our keys (密钥分片备份): one file under a secret that several custodians hold in shares.

``keys.backup`` is ``tongban/v1/key-backup\\n``, the 4-byte mark of its shares, a 12-byte nonce, and SM4-GCM over the key
files, certificates, card and the passphrase: with enough shares and nothing else the keys are back. Keys in a machine and
the offline identity key are not in it; they have their own backups. A drill opens it and uses every key, in memory only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway import files
from gateway.config import ConfigError
from gateway.keys import keyregister, keyring
from gateway.keys.keyring import VAULT, Keyring
from signing import keys, sm2, sm4, split
from signing.errors import Malformed
from signing.keyring import Entry
from signing.providers import Provider
from signing.sm2 import PrivateKey, Signer
from signing.split import Share

MAGIC = b"tongban/v1/key-backup\n"
LIMIT = 16 << 20
_HEAD = len(MAGIC) + split.MARK + sm4.NONCE
_PROBE = b"tongban restore drill"


FileName = Annotated[str, Meta(pattern=r"^((keys|certs)/[0-9A-Za-z][0-9A-Za-z._-]*|card\.json)\Z")]


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is under the secret: whose, of when, ``keys/…`` and ``certs/…`` files, and the passphrase."""

    node: str
    made_ms: int
    passphrase: bytes
    files: dict[FileName, bytes]

    def __repr__(self) -> str:
        return f"Content({self.node}, {len(self.files)} files)"


@dataclass(frozen=True, slots=True)
class Proved:
    """A key of the backup that was used: ``how`` signs or opens; ``id`` its thumbprint."""

    name: str
    id: str
    how: str


def make(ring: Keyring, base: Path, node: str, now_ms: int, threshold: int, count: int) -> tuple[bytes, list[Share]]:
    """The backup file and its shares."""
    content = Content(node, now_ms, ring.passphrase, dict(_files(ring, base)))
    random = ring.provider.random
    secret, mark, nonce = random(split.SECRET), random(split.MARK), random(sm4.NONCE)
    sealed = sm4.seal(secret, nonce, msgspec.json.encode(content), MAGIC + mark)
    return MAGIC + mark + nonce + sealed, split.split(secret, threshold, count, mark, random)


def _files(ring: Keyring, base: Path) -> Iterator[tuple[str, bytes]]:
    """Key files as they are, certificates and card; never the passphrase's own file."""
    for path in sorted(ring.folder.iterdir()):
        if path.suffix == ".pem" or path.name in (VAULT, keyregister.FILE):
            yield f"keys/{path.name}", files.private_bytes(path)
    public = (
        [path for path in sorted(ring.certs.iterdir()) if path.suffix in (".der", ".pem")]
        if ring.certs.is_dir()
        else []
    )
    for path in public:
        yield f"certs/{path.name}", path.read_bytes()
    if (base / "card.json").is_file():
        yield "card.json", (base / "card.json").read_bytes()


def open_(data: bytes, shares: Sequence[Share], where: str) -> Content:
    """What the backup holds. ``ConfigError`` when it is none, Malformed ``shares-…`` and ``backup-closed``."""
    mark, nonce = data[len(MAGIC) : len(MAGIC) + split.MARK], data[_HEAD - sm4.NONCE : _HEAD]
    if len(data) > LIMIT or len(data) <= _HEAD or not data.startswith(MAGIC):
        raise ConfigError(where, "不是密钥备份文件", "not a key backup")
    if any(share.mark != mark for share in shares):
        raise Malformed("shares-mixed", "分片不是这份备份的", "the shares are of another backup")
    secret = split.join(shares)
    try:
        clear = sm4.open_(secret, nonce, data[_HEAD:], MAGIC + mark)
        return msgspec.json.decode(clear, type=Content)
    except (*keyregister.UNREADABLE, Malformed):
        zh, en = "分片打不开备份（分片有误或备份被改动）", "the shares do not open the backup (wrong, or altered)"
        raise Malformed("backup-closed", zh, en) from None


def drill(content: Content, provider: Provider) -> list[Proved]:
    """Use every key of the backup once, in memory. ``ConfigError`` names the file that does not do."""
    found = list(_proved(content, provider))
    vault = keyring.vault_keys(content.files.get(f"keys/{VAULT}", b""), content.passphrase, VAULT)
    found.append(Proved(VAULT, "", "opens"))
    data = content.files.get(f"keys/{keyregister.FILE}")
    if data is not None:
        register = keyregister.decode(data, keyring.register_key(vault), keyregister.FILE)
        _complete(register.entries, {one.name: one.id for one in found})
    return found


def _proved(content: Content, provider: Provider) -> Iterator[Proved]:
    for path, data in content.files.items():
        folder, _, name = path.partition("/")
        if folder != "keys" or not name.endswith(".pem"):
            continue
        if name == "tls.pem":
            yield Proved(name, "", _tls(data, content.passphrase, name))
            continue
        try:
            private = keys.private_from_pem(data, content.passphrase)
        except Malformed as error:
            raise ConfigError(name, error.zh, error.en) from None
        yield Proved(name, private.public.thumbprint, _used(private, provider, name))


def _used(private: PrivateKey, provider: Provider, name: str) -> str:
    """A key signs what its public half verifies, or opens what was sealed to it; by its use."""
    if name.startswith("encryption"):
        good = provider.decrypt(private, provider.encrypt(private.public, _PROBE)) == _PROBE
    else:
        signature = Signer(provider, private).sign(_PROBE)
        good = sm2.verify(provider, private.public, _PROBE, signature, signer_id=sm2.DEFAULT_ID)
    if not good:
        raise ConfigError(name, "密钥用不了", "the key does not work")
    return "opens" if name.startswith("encryption") else "signs"


def _tls(data: bytes, passphrase: bytes, name: str) -> str:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        load_pem_private_key(data, passphrase if b"ENCRYPTED" in data else None)
    except (ValueError, TypeError):
        raise ConfigError(name, "TLS 私钥打不开", "the TLS key cannot be opened") from None
    return "opens"


def _complete(entries: Sequence[Entry], found: Mapping[str, str]) -> None:
    """Each file that the register names is the key that it says, as far as the backup has it."""
    for entry in entries:
        if found.get(entry.file, entry.id) != entry.id:
            raise ConfigError(entry.file, "不是登记簿所说的密钥", "is not the key that the register says")


def missing(content: Content, entries: Sequence[Entry]) -> list[Entry]:
    """Keys that are alive and not in the backup: offline, in a machine, or made since."""
    return [entry for entry in entries if entry.alive and f"keys/{entry.file}" not in content.files]


def restore(content: Content, folder: Path) -> list[str]:
    """Write a node's keys into a new folder, the passphrase beside them. FileExistsError where something is already."""
    folder.mkdir(mode=0o700, parents=True)
    for name, data in content.files.items():
        path = folder / name
        if name.startswith("keys/"):
            files.write_private(path, data)
        else:
            files.write_public(path, data)
    files.write_private(folder / "keys" / "passphrase", content.passphrase + b"\n")
    return sorted(content.files)
