"""The register of keys on disk: sealed, whole, never back to an older layout (rows L09, L10)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from gateway import files
from gateway.config import ConfigError
from gateway.keys import keyregister, keyring
from gateway.keys.keyring import Keyring
from signing import keyring as table
from signing.errors import Rejected
from signing.keyring import Act, Entry, Facts, Moved, Register, State
from signing.providers import open_provider
from signing.sm2 import Signer
from tests import pki

PROVIDER = open_provider("pure:?sign=allow")
PASSPHRASE = b"canary-passphrase"
BOTH = Facts(at_ms=5, by=("wang", "li"), reason="轮换", certified=True, listed=True)


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    """An old layout: two keys named by use, the vault, no register."""
    folder = tmp_path / "keys"
    for use in ("direct", "checkpoint"):
        keyring.write_key(folder, use, Signer(PROVIDER, PROVIDER.generate()), PASSPHRASE, PROVIDER.random, 10)
    keyring.write_vault(folder, PASSPHRASE, PROVIDER.random, 10)
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "direct.der").write_bytes(b"old certificate")
    return Keyring(folder, PASSPHRASE, PROVIDER)


def bring(ring: Keyring, use: str = "direct") -> str:
    """A new key of this use, taken as far as announced; its id."""
    private = PROVIDER.generate()
    entry = ring.add(use, private, Moved(1, State.GENERATED, ("wang",)), f"{private.public.thumbprint}.der")
    assert isinstance(entry, Entry)
    for act in (Act.IMPORT, Act.ANNOUNCE):
        do(ring, entry.id, act)
    return entry.id


def do(ring: Keyring, key_id: str, act: Act, facts: Facts = BOTH) -> Register:
    found = ring.change(lambda register: table.move(register, key_id, act, facts))
    assert isinstance(found, Register), found
    return found


def test_an_old_layout_reads_as_active_keys_and_is_not_touched_by_reading(ring: Keyring) -> None:
    register = ring.register()
    assert {(entry.use, entry.state, entry.file) for entry in register.entries} == {
        ("direct", State.ACTIVE, "direct.pem"), ("checkpoint", State.ACTIVE, "checkpoint.pem"),
    }  # fmt: skip
    assert register.version == 0 and ring.stamp() == keyregister.NONE
    assert not (ring.folder / keyregister.FILE).exists()
    active = register.active("direct")
    assert active is not None and active.id == ring.signer("direct").key_id
    assert ring.certificate("direct") == b"old certificate"


def test_an_identity_key_that_lies_offline_is_known_by_its_certificate(ring: Keyring) -> None:
    certificate = pki.leaf("identity").der
    (ring.certs / "identity.der").write_bytes(certificate)
    for _ in range(2):
        assert ring.certificate("identity") == certificate
        (entry,) = ring.entries("identity")
        assert (entry.id, entry.state) == (pki.signer("identity").key_id, State.ACTIVE)
        bring(ring)


def test_the_whole_life_of_a_successor(ring: Keyring) -> None:
    old = ring.signer("direct").key_id
    before = ring.stamp()
    new = bring(ring)
    assert ring.stamp() != before
    assert ring.signer("direct").key_id == old, "announced is not active"
    assert set(ring.openers("direct")) == {old, new}
    do(ring, new, Act.ACTIVATE)
    assert ring.signer("direct").key_id == new
    assert set(ring.openers("direct")) == {old, new}, "what was sealed to the old key still opens"
    assert ring.private(old).public.thumbprint == old
    (ring.certs / f"{new}.der").write_bytes(b"new certificate")
    assert ring.certificate("direct") == b"new certificate"
    do(ring, old, Act.RETIRE)
    with pytest.raises(ConfigError):
        ring.private(old)
    do(ring, new, Act.REVOKE)
    with pytest.raises(ConfigError):
        ring.signer("direct")
    assert [entry.state for entry in ring.entries("direct")] == [State.RETIRED, State.REVOKED]
    assert ring.signer("checkpoint").key_id, "other uses go on"


def test_L09_a_key_comes_once(ring: Keyring) -> None:
    private = PROVIDER.generate()
    moved = Moved(1, State.GENERATED, ("wang",))
    assert isinstance(ring.add("direct", private, moved), Entry)
    for use in ("direct", "checkpoint"):
        again = ring.add(use, private, moved)
        assert isinstance(again, Rejected) and again.code == "key-known"
    assert len(list(ring.folder.glob("*-key-*.pem"))) == 1


def test_a_refusal_writes_nothing(ring: Keyring) -> None:
    new = bring(ring)
    before = (ring.folder / keyregister.FILE).read_bytes()
    found = ring.change(lambda register: table.move(register, new, Act.ACTIVATE, replace(BOTH, by=("wang",))))
    assert isinstance(found, Rejected)
    assert (ring.folder / keyregister.FILE).read_bytes() == before


@pytest.mark.parametrize(
    "bend",
    [
        lambda data: data.replace(b"announced", b"activated", 1),
        lambda data: data.replace(b'"to": "announced"', b'"to": "active"'),
        lambda data: data.replace(b": ", b":"),
        lambda data: data[: len(data) // 2],
        lambda data: b"{}",
        lambda data: b"",
        lambda data: b"\xff" * 40,
        lambda data: b"[" * 100_000,
        lambda data: msgspec.json.encode(msgspec.json.decode(data) | {"mac": ""}),
        lambda data: msgspec.json.encode(msgspec.json.decode(data) | {"mac": "é" * 32}),
        lambda data: msgspec.json.encode(msgspec.json.decode(data) | {"more": 1}),
    ],
)
def test_L09_an_edited_register_is_refused(ring: Keyring, bend: Callable[[bytes], bytes]) -> None:
    bring(ring)
    path = ring.folder / keyregister.FILE
    changed = bend(path.read_bytes())
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    for ask in (ring.register, lambda: ring.signer("direct"), lambda: ring.certificate("direct")):
        with pytest.raises(ConfigError):
            ask()


def test_L09_a_register_sealed_with_another_key_or_lying_about_a_life_is_refused(ring: Keyring) -> None:
    bring(ring)
    path = ring.folder / keyregister.FILE
    good = ring.register()
    path.write_bytes(keyregister.encode(good, b"another key"))
    with pytest.raises(ConfigError, match="altered"):
        ring.register()
    entry = good.entries[0]
    life = (*entry.moves, Moved(9, State.OVERLAP, ("x",)), Moved(9, State.ACTIVE, ("x",)))
    lying = msgspec.structs.replace(good, entries=(msgspec.structs.replace(entry, moves=life),))
    path.write_bytes(keyregister.encode(lying, ring._register_key))
    with pytest.raises(ConfigError, match="contradicts"):
        ring.register()


def test_L09_a_register_that_was_taken_away_is_missed(ring: Keyring) -> None:
    """Without this, deleting one file would bring the replaced key back."""
    do(ring, bring(ring), Act.ACTIVATE)
    (ring.folder / keyregister.FILE).unlink()
    for ask in (ring.register, lambda: ring.signer("direct")):
        with pytest.raises(ConfigError, match="gone"):
            ask()


def test_L09_an_old_key_in_the_new_ones_file_is_refused(ring: Keyring) -> None:
    """It opens with the same passphrase, so only the register tells."""
    new = bring(ring)
    do(ring, new, Act.ACTIVATE)
    (ring.folder / f"direct-key-{new}.pem").write_bytes((ring.folder / "direct.pem").read_bytes())
    for ask in (lambda: ring.signer("direct"), lambda: ring.private(new), lambda: ring.openers("direct")):
        with pytest.raises(ConfigError, match="not the key that the register says"):
            ask()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_L10_a_register_that_others_may_read_is_refused(ring: Keyring, mode: int) -> None:
    bring(ring)
    assert (ring.folder / keyregister.FILE).stat().st_mode & 0o777 == 0o600
    (ring.folder / keyregister.FILE).chmod(mode)
    with pytest.raises(ConfigError):
        ring.register()


def test_L10_a_register_behind_a_link_is_refused(ring: Keyring, tmp_path: Path) -> None:
    bring(ring)
    path = ring.folder / keyregister.FILE
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(ConfigError):
        ring.register()
    path.unlink()
    path.symlink_to(tmp_path / "nowhere.json")
    with pytest.raises(ConfigError):
        ring.signer("direct")


def test_a_wrong_passphrase_says_so(ring: Keyring) -> None:
    bring(ring)
    with pytest.raises(ConfigError, match="wrong passphrase"):
        Keyring(ring.folder, b"wrong", PROVIDER).register()


def test_L10_the_ring_does_not_show_its_passphrase(ring: Keyring) -> None:
    ring.register()
    assert "canary" not in repr(ring) and "canary" not in str(ring)


def test_other_peoples_keys_in_the_folder_are_left_alone(ring: Keyring) -> None:
    """The TLS key is a PEM file of another kind; the register does not know it."""
    files.write_private(ring.folder / "tls.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    files.write_private(ring.folder / "note.pem", b"no key at all")
    assert {entry.use for entry in ring.entries()} == {"direct", "checkpoint"}


def test_a_write_that_fails_leaves_the_register_as_it_was(ring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    new = bring(ring)
    before = (ring.folder / keyregister.FILE).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        do(ring, new, Act.ACTIVATE)
    monkeypatch.undo()
    assert (ring.folder / keyregister.FILE).read_bytes() == before
    assert [path.name for path in ring.folder.glob(".*")] == []


def test_two_writers_do_not_lose_each_others_change(ring: Keyring) -> None:
    def drill(register: Register) -> Register:
        return msgspec.structs.replace(register, version=register.version + 1, drill_ms=register.drill_ms + 1)

    threads = [threading.Thread(target=lambda: [ring.change(drill) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ring.register().drill_ms == 40
