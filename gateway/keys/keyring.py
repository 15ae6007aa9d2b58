"""The node's keys on disk (密钥): encrypted PKCS#8 files, each key for one use, opened with one passphrase at start.

Files that others may read are refused (L10). The vault's two keys (KEK and blind-index key) lie in ``vault.key``, sealed
with SM4-GCM under a key derived from the passphrase by PBKDF2-HMAC-SM3. Which key of a use signs, and which of the others
may still open or be held for ours, is said by the register (``signing.keyring``, ``gateway.keys.keyregister``).

For the running side: ``ring.stamp()`` costs one ``stat`` and changes when the register does; then ask again, for nothing
but the vault's keys is kept between calls. ``signer(use)`` and ``certificate(use)`` are those of the active key,
``openers(use)`` all keys that may open what was sealed to them (announced, active, overlap), ``private(key_id)`` one of
them; ``register()`` is the register (its ``version`` only goes up), ``entries(use)`` its keys in the order they came.
``add`` and ``change`` are the ways to alter it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from gateway.config import Config, ConfigError, Secret, secret
from gateway.files import private_bytes, write_private
from gateway.keys import keyregister, undumpable
from gateway.keys.machine import MachineKeys, in_machine, open_machine, place
from gateway.store.vault import Vault
from signing import certs, keys, sm4
from signing import keyring as table
from signing.errors import Malformed, Rejected
from signing.keyring import STARTS, Entry, Moved, Power, Register
from signing.providers import Provider, open_provider
from signing.sm2 import MachineKey, PrivateKey, PublicKey, Signer
from signing.sm3 import hmac_sm3

USES = ("identity", "checkpoint", "direct", "encryption", "platform", "seal")
OFFLINE = "identity"
VAULT, TLS = "vault.key", "tls.pem"
FOREIGN = ("key-curve", "pem-form")  # a PEM file that is no SM2 key of ours
SALT, NONCE, COUNT = 16, 12, 4
ROUNDS = 100_000
NUMBERED = "-key-"  # stands in the file name of every key that only the register knows
PRFS = {"sha256": keys.Prf.SHA256, "sm3": keys.Prf.SM3}  # keys.kdf: how new keys are written; both are read
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
    """The keyring of a node whose files lie under ``base``, and the provider's warning ("" if none). From here on this
    process leaves no core file and cannot be looked into by others of its user (L10)."""
    undumpable.lock()
    found, warning = provider(config.keys.provider, config.node.lab)
    machine = open_machine(config, base, found, partial(_read, base))
    prf = PRFS[config.keys.kdf]
    return Keyring(base / config.keys.dir, passphrase(config, base), found, machine, prf), warning


def passphrase(config: Config, base: Path) -> bytes:
    """The passphrase of the keys; one in a file is refused when others may read that file."""
    return _read(base, config.keys.passphrase)


def _read(base: Path, source: Secret) -> bytes:
    return private_bytes(base / source.file).rstrip(b"\r\n") if source.file else secret(source, base)


@dataclass(frozen=True)
class Keyring:
    """The directory of keys, opened."""

    folder: Path
    passphrase: bytes = field(repr=False)
    provider: Provider
    machine: MachineKeys | None = None
    prf: keys.Prf = keys.Prf.SHA256

    def signer(self, use: str) -> Signer:
        """The signer of one use: its active key. Raises ``ConfigError`` with the file's name, Unavailable when it is in a
        machine that does not answer."""
        return self.signer_of(self._active(use))

    def signer_of(self, entry: Entry) -> Signer:
        """The signer of an entry, whatever its state: what it may be used for is for the caller to ask."""
        if not in_machine(entry.file):
            return Signer(self.provider, self.load(entry))
        key = self._machine_key(entry.file)
        _same_key(entry, key.public, entry.file)
        return Signer(self.provider, key)

    def _machine_key(self, where: str) -> MachineKey:
        if self.machine is None:
            raise ConfigError(where, "密钥在密码机中，而配置没有密码机", "this key is in a machine; none is set")
        return self.machine.key(where)

    def close(self) -> None:
        """Leave a machine that holds our keys."""
        if self.machine is not None:
            self.machine.provider.machine.close()

    def answers(self) -> None:
        """Unavailable while a machine that holds our keys does not answer."""
        if self.machine is not None:
            self.machine.provider.check()

    def certificate(self, use: str) -> bytes:
        """The certificate of the active key of one use, DER, from ``certs`` beside the keys."""
        return self.certificate_of(self._active(use))

    def certificate_of(self, entry: Entry) -> bytes:
        """The certificate of an entry, DER. ``ConfigError`` when there is none."""
        path = self.certs / (entry.certificate or f"{entry.id}.der")
        try:
            return path.read_bytes()
        except OSError:
            raise ConfigError(str(path), "缺少证书", "the certificate is missing") from None

    def private(self, key_id: str) -> PrivateKey:
        """The private key of this id if it may open what was sealed to it; ``ConfigError`` if not, or not ours."""
        entry = self.register().entry(key_id)
        if entry is None or not entry.may(Power.DECRYPT):
            raise ConfigError(key_id[:32], "没有可用于解密的这把密钥", "there is no such key that may decrypt")
        return self.load(entry)

    def openers(self, use: str = "encryption") -> dict[str, PrivateKey]:
        """Key id -> private key, of all keys of one use that may open what was sealed to them."""
        return {one.id: self.load(one) for one in self.entries(use) if one.may(Power.DECRYPT)}

    def entries(self, use: str = "") -> Sequence[Entry]:
        """All keys that we have or had (of one use), in the order they came."""
        return [entry for entry in self.register().entries if use in ("", entry.use)]

    def register(self) -> Register:
        """The register as it stands on disk; that of an old layout names each ``USE.pem`` as active."""
        path = self.folder / keyregister.FILE
        if self.registered:
            return keyregister.decode(private_bytes(path), self._register_key, str(path))
        found = {file.stem: self._adopted(file) for file in sorted(self.folder.glob("*.pem"))}
        found |= {use: self._certified(use, place(index)) for use, index in self._in_machine.items()}
        found.setdefault(OFFLINE, self._certified(OFFLINE, f"{OFFLINE}.pem"))  # it lies elsewhere, as it should
        return Register(0, tuple(entry for entry in found.values() if entry is not None))

    def stamp(self) -> tuple[int, int, int]:
        """Changes when the register does."""
        return keyregister.stamp(self.folder)

    def change(self, work: Callable[[Register], Register | Rejected]) -> Register | Rejected:
        """Alter the register: ``work`` gets it as it stands, nobody else writes meanwhile. A refusal changes nothing."""
        with keyregister.writing(self.folder):
            found = work(self.register())
            if isinstance(found, Register):
                self._write(found)
            return found

    def add(self, use: str, private: PrivateKey, first: Moved, certificate: str = "") -> Entry | Rejected:
        """Store a new key of this use and register it. The first one ends the old layout."""
        name = f"{use}{NUMBERED}{private.public.thumbprint}"
        entry = Entry(private.public.thumbprint, use, f"{name}.pem", (first,), certificate)
        signer, random = Signer(self.provider, private), self.provider.random
        return self._register(
            entry, lambda: write_key(self.folder, name, signer, self.passphrase, random, self.rounds, self.prf)
        )

    def add_machine(self, use: str, index: int, first: Moved) -> Entry | Rejected:
        """Register a key that was made inside the machine, under this index."""
        where = place(index)
        public = self._machine_key(where).public
        return self._register(Entry(public.thumbprint, use, where, (first,)), lambda: None)

    def _register(self, entry: Entry, store: Callable[[], None]) -> Entry | Rejected:
        with keyregister.writing(self.folder):
            register = self.register()
            found = table.add(register, entry)
            if isinstance(found, Rejected):
                return found
            if not self.registered:
                self._write(register)  # before there is a file that only a register explains
            store()
            self._write(found)
            return entry

    def vault(self) -> Vault:
        """The content vault."""
        clear = self.vault_keys
        return Vault(clear[:16], clear[16:], self.provider.random)

    @property
    def certs(self) -> Path:
        """Where the certificates lie."""
        return self.folder.parent / "certs"

    def _active(self, use: str) -> Entry:
        """Without a register the file's name says it all: nothing else needs to be opened then."""
        if not self.registered:
            held = place(self._in_machine[use]) if use in self._in_machine else f"{use}.pem"
            return Entry("", use, held, (), f"{use}.der")
        entry = self.register().active(use)
        if entry is None:
            zh, en = f"没有在用的密钥：{use}", f"there is no active key for {use}"
            raise ConfigError(str(self.folder / f"{use}.pem"), zh, en)
        return entry

    @property
    def registered(self) -> bool:
        """Whether there is a register; one that was taken away is missed (L09: it would bring replaced keys back)."""
        if (path := self.folder / keyregister.FILE).exists() or path.is_symlink():
            return True
        if any(self.folder.glob(f"*{NUMBERED}*.pem")):
            zh, en = "密钥登记簿不见了，而其登记的密钥还在", "the key register is gone, but keys from it are still here"
            raise ConfigError(str(path), zh, en)
        return False

    def _adopted(self, file: Path) -> Entry | None:
        """A key of the old layout; None for what is not an SM2 key of ours (the TLS key is no business of the register)."""
        if file.name == TLS:
            return None
        try:
            private = keys.private_from_pem(private_bytes(file), self.passphrase)
        except Malformed as error:
            if error.code in FOREIGN:
                return None
            raise ConfigError(str(file), error.zh, error.en) from None
        moved = Moved(int(file.stat().st_mtime * 1000), STARTS["adopt"], ("adopted",))
        return Entry(private.public.thumbprint, file.stem, file.name, (moved,), f"{file.stem}.der")

    def _certified(self, use: str, where: str) -> Entry | None:
        """A key that is not among the files: it is known by its certificate."""
        path = self.certs / f"{use}.der"
        public = certs.parse(path.read_bytes()).public_key if path.exists() else None
        if public is None:
            return None
        moved = Moved(int(path.stat().st_mtime * 1000), STARTS["adopt"], ("adopted",))
        return Entry(public.thumbprint, use, where, (moved,), path.name)

    @property
    def _in_machine(self) -> Mapping[str, int]:
        return self.machine.index if self.machine is not None else {}

    def load(self, entry: Entry) -> PrivateKey:
        """The private key of an entry, whatever its state: what it may be used for is for the caller to ask."""
        if in_machine(entry.file):
            raise ConfigError(entry.file, "私钥在密码机内，不可取出", "the private key never leaves its machine")
        path = self.folder / entry.file
        try:
            private = keys.private_from_pem(private_bytes(path), self.passphrase)
        except Malformed as error:
            raise ConfigError(str(path), error.zh, error.en) from None
        _same_key(entry, private.public, str(path))
        return private

    def _write(self, register: Register) -> None:
        keyregister.write(self.folder, keyregister.encode(register, self._register_key))

    @property
    def rounds(self) -> int:
        """As many as the vault's: a laboratory's random passphrase is not stretched."""
        return int.from_bytes(private_bytes(self.folder / VAULT)[:COUNT], "big")

    @cached_property
    def vault_keys(self) -> bytes:
        """The vault's two keys, 16 and 32 bytes."""
        path = self.folder / VAULT
        return vault_keys(private_bytes(path), self.passphrase, str(path))

    @property
    def _register_key(self) -> bytes:
        return register_key(self.vault_keys)


def _same_key(entry: Entry, public: PublicKey, where: str) -> None:
    """A file or an index that holds another key than the register says is refused: an old key may have been put there
    (L09). Without a register there is nothing to hold it against."""
    if entry.id not in ("", public.thumbprint):
        raise ConfigError(where, "不是登记簿所说的密钥", "is not the key that the register says")


def vault_keys(data: bytes, passphrase: bytes, where: str) -> bytes:
    """The vault's keys (16 and 32 bytes) out of the bytes of ``vault.key``. ``ConfigError`` when they stay closed."""
    rounds, rest = int.from_bytes(data[:COUNT], "big"), data[COUNT:]
    salt, nonce, sealed = rest[:SALT], rest[SALT : SALT + NONCE], rest[SALT + NONCE :]
    try:
        return sm4.open_(_derive(passphrase, salt, min(rounds, 10 * ROUNDS)), nonce, sealed, b"vault")
    except (Malformed, ValueError):
        raise ConfigError(where, "口令不对或文件损坏", "wrong passphrase or damaged file") from None


def register_key(vault: bytes) -> bytes:
    """The key that seals the register, from the vault's."""
    return hmac_sm3(vault, b"tongban/v1/register-key\n")


def write_key(
    folder: Path,
    use: str,
    signer: Signer,
    passphrase: bytes,
    random: Callable[[int], bytes],
    rounds: int = ROUNDS,
    prf: keys.Prf = keys.Prf.SHA256,
) -> None:
    """Store a private key, encrypted, readable by its owner alone; never over an existing one."""
    salt, iv = random(16), random(16)
    data = keys.private_to_pem(signer.software, passphrase, salt=salt, iv=iv, iterations=rounds, prf=prf)
    write_private(folder / f"{use}.pem", data)


def write_vault(folder: Path, passphrase: bytes, random: Callable[[int], bytes], rounds: int = ROUNDS) -> None:
    """Make the vault's keys and store them sealed."""
    write_private(folder / VAULT, sealed_vault(random(16 + 32), passphrase, random, rounds))


def sealed_vault(clear: bytes, passphrase: bytes, random: Callable[[int], bytes], rounds: int) -> bytes:
    """The bytes of ``vault.key``."""
    salt, nonce = random(SALT), random(NONCE)
    sealed = sm4.seal(_derive(passphrase, salt, rounds), nonce, clear, b"vault")
    return rounds.to_bytes(COUNT, "big") + salt + nonce + sealed


def _derive(passphrase: bytes, salt: bytes, rounds: int) -> bytes:
    return PBKDF2HMAC(SM3(), sm4.KEY, salt, max(rounds, 1)).derive(passphrase)
