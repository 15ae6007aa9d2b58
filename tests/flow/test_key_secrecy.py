"""Private keys and passphrases stay inside: no repr, log, error or core file shows them (row L10); a wrong passphrase is a
clear and uniform no (row L11)."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from gateway import compose, config
from gateway.cli.node import Files
from gateway.config import ConfigError
from gateway.demo.world import World
from gateway.keys import keyring
from gateway.ops import logs
from signing import keys
from signing.errors import SigningError
from tests.flow.nodes import Window
from tests.flow.resting import told

OURS = ("gateway", "signing", "adapters", "agreements")


@pytest.fixture(scope="module", autouse=True)
def what_was_there_before_is_not_looked_at() -> Iterator[None]:
    """Objects of other tests are none of this node's, and there are very many of them."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def forms(secret: bytes) -> Iterator[str]:
    """How a secret would look if it were printed."""
    yield secret.hex()
    yield secret.hex().upper()
    yield str(int.from_bytes(secret, "big"))
    yield repr(secret)[2:-1]
    yield secret.decode("latin-1")


def canaries(ring: keyring.Keyring) -> list[str]:
    """Every secret of a node in every form."""
    secrets = [ring.passphrase, ring.vault_keys[:16], ring.vault_keys[16:], ring._register_key]
    secrets += [ring.load(entry).d.to_bytes(32, "big") for entry in ring.entries()]
    return [form for secret in secrets for form in forms(secret)]


def opened(folder: Path) -> keyring.Keyring:
    return keyring.open_ring(config.load(folder / "tongban.toml"), folder)[0]


def shown() -> Iterator[tuple[type, str]]:
    """What every living object of ours says of itself."""
    for one in gc.get_objects():
        kind = type(one)
        if str(kind.__module__).split(".")[0] in OURS and not isinstance(one, type):
            yield kind, f"{one!r}{one!s}"


async def test_L10_no_object_of_a_running_node_shows_a_key(window: Window, places: World) -> None:
    folder = places.a.folder
    await window.hand_in(window.papers())
    ring = opened(folder)
    words = canaries(ring)
    found = list(shown())
    names = {kind.__name__ for kind, _ in found}
    assert {"Keyring", "Signer", "PrivateKey", "Vault", "Node", "Config"} <= names, names
    leaks = {kind.__name__ for kind, text in found if any(word in text for word in words)}
    assert leaks == set()


def test_L10_errors_name_files_and_no_secrets(places: World) -> None:
    folder = places.a.folder
    ring = opened(folder)
    words = canaries(ring)
    pem = folder / "keys" / "direct.pem"
    good = pem.read_bytes()
    texts = []
    for data in (
        good[:-60],
        good.replace(b"ENCRYPTED ", b""),
        b"",
        keys.private_to_pem(ring.load(ring.entries()[0]), None)[:150],
    ):
        pem.write_bytes(data)
        try:
            opened(folder).signer("direct")
        except (ConfigError, SigningError) as error:
            texts.append(f"{error!r} {error} {error.zh} {error.en} {error.__cause__!r}")
    assert len(texts) == 4
    assert not [word for word in words if any(word in text for text in texts)]


def test_L10_a_logged_crash_shows_frames_and_no_values(
    places: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = opened(places.a.folder)
    words = canaries(ring)
    file = tmp_path / "log"
    with file.open("w", buffering=1) as stream:
        monkeypatch.setattr("sys.stderr", stream)
        logs.setup("debug")
        monkeypatch.undo()
        log = structlog.get_logger()
        try:
            raise RuntimeError(f"{ring.passphrase!r} {ring.signer('direct').private.d}")  # type: ignore[union-attr]
        except RuntimeError:
            log.exception("crash", cause=repr(ring), passphrase=ring.passphrase, key=ring.passphrase)
    structlog.reset_defaults()
    text = file.read_text("utf-8")
    assert "RuntimeError" in text and "test_key_secrecy" in text
    assert not [word for word in words if word in text]


def test_L10_a_backup_of_the_store_holds_no_key(places: World, tmp_path: Path) -> None:
    """Keys have a backup of their own (``tongban key backup``)."""
    ring = opened(places.a.folder)
    told(places.a.folder, "db", "backup", "-o", tmp_path / "backup")
    files = [path for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    assert files and not {path.suffix for path in files} & {".pem", ".key"}
    data = b"".join(path.read_bytes() for path in files)
    assert not [word for word in canaries(ring) if word.encode("latin-1") in data]


PROBE = """
import ctypes, os, resource, sys
from pathlib import Path
from gateway import config
from gateway.keys import keyring
folder = Path(sys.argv[1])
ring, _ = keyring.open_ring(config.load(folder / "tongban.toml"), folder)
ring.signer("direct")
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
print(resource.getrlimit(resource.RLIMIT_CORE), dumpable, flush=True)
os.abort()
"""


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_DUMPABLE is Linux's")
def test_L10_a_crash_leaves_no_core_file(places: World, tmp_path: Path) -> None:
    words = ["bash", "-c", 'ulimit -c unlimited; exec "$@"', "-", sys.executable, "-c", PROBE, str(places.a.folder)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=env, check=False)
    assert done.returncode < 0, done.stderr
    assert done.stdout.strip() == "(0, 0) 0"
    assert list(tmp_path.glob("*core*")) == []


@pytest.mark.parametrize("kdf", ["sha256", "sm3"])
def test_new_keys_are_written_as_the_setting_says_and_both_are_read(places: World, kdf: str) -> None:
    file = places.a.folder / "tongban.toml"
    file.write_text(file.read_text("utf-8").replace("[keys]\n", f'[keys]\nkdf = "{kdf}"\n'), "utf-8")
    ring = opened(places.a.folder)
    moved = keyring.Moved(1, keyring.STARTS["generate"], ("wang",))
    entry = ring.add("direct", ring.provider.generate(), moved)
    assert isinstance(entry, keyring.Entry)
    body = keys.from_pem((ring.folder / entry.file).read_bytes(), "ENCRYPTED PRIVATE KEY")[1]
    prf = {"sha256": "2a864886f70d0209", "sm3": "2a811ccf5501831102"}[kdf]
    assert prf in body.hex()
    assert ring.load(entry).public.thumbprint == entry.id
    assert ring.signer("direct").key_id != entry.id, "the keys from before are still read"


# --- the passphrase ---------------------------------------------------------------------------------------------------


def test_L11_wrong_passphrases_get_one_clear_answer(places: World) -> None:
    """512 of them: by chance two have a plausible padding, and the answer is the same."""
    ring = opened(places.a.folder)
    answers = set()
    for number in range(512):
        wrong = keyring.Keyring(ring.folder, b"wrong %d" % number, ring.provider)
        with pytest.raises(ConfigError) as refused:
            wrong.signer("direct")
        answers.add(str(refused.value).partition(": ")[2])
    assert answers == {"wrong passphrase for the private key"}
    with pytest.raises(ConfigError, match="wrong passphrase"):
        keyring.Keyring(ring.folder, b"wrong", ring.provider).vault()


@pytest.mark.parametrize("rounds", [5_000_001, 2**31 - 1])
def test_L11_a_key_file_cannot_make_us_stretch_for_ever(
    places: World, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = opened(places.a.folder)
    private = ring.load(ring.entries()[0])
    with monkeypatch.context() as patched:
        patched.setattr(keys, "MAX_ITERATIONS", rounds)
        patched.setattr(keys, "_derive", lambda *_: bytes(16))
        data = keys.private_to_pem(private, b"x", salt=bytes(16), iv=bytes(16), iterations=rounds)
    (ring.folder / "direct.pem").write_bytes(data)
    with pytest.raises(ConfigError, match="out of bounds"):
        ring.signer("direct")


def test_an_unattended_start_from_a_credential(places: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd puts the unsealed passphrase into a folder of its own and names it (LoadCredentialEncrypted)."""
    folder = places.a.folder
    store = tmp_path / "credentials"
    store.mkdir(mode=0o700)
    (folder / "keys" / "passphrase").rename(store / "tongban-passphrase")
    file = folder / "tongban.toml"
    before = 'passphrase = { file = "keys/passphrase" }'
    assert before in file.read_text("utf-8")
    file.write_text(
        file.read_text("utf-8").replace(before, 'passphrase = { credential = "tongban-passphrase" }'), "utf-8"
    )
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ConfigError, match="cannot be read"):
        opened(folder)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(store))
    assert opened(folder).signer("direct").key_id
    assert Files(config.load(file), folder).vault is not None
    (store / "tongban-passphrase").write_text("another")
    with pytest.raises(ConfigError, match="wrong passphrase"):
        opened(folder).signer("direct")


async def test_a_node_starts_from_a_credential(places: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = places.a.folder
    (folder / "keys" / "passphrase").rename(tmp_path / "p")
    file = folder / "tongban.toml"
    file.write_text(file.read_text("utf-8").replace('{ file = "keys/passphrase" }', '{ credential = "p" }'), "utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    node = await compose.build(config.load(file), folder)
    await node.close()
