"""The split backup and its drill: enough shares bring every key back, anything else is a clear no and writes nothing (L10)."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.config import ConfigError
from gateway.keys import keybackup, keyregister
from signing import keys, split
from signing.errors import Malformed
from tests.flow.resting import run, told
from tests.flow.test_cli_keys import MISUSED, PROVIDER, built, node, refusal, ring
from tests.flow.test_key_secrecy import canaries

__all__ = ["built", "node"]  # fixtures
PARTY = "420104.11420104000000000X"


@pytest.fixture
def saved(node: Path, tmp_path: Path) -> Path:
    """A backup with three shares, any two of which open it."""
    out = tmp_path / "backup"
    told(node, "key", "backup", "-o", out)
    return out


def shares(saved: Path, *numbers: int) -> list[Path]:
    return [saved / f"share-{number}.txt" for number in numbers]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("numbers", [(1, 2), (2, 3), (3, 1), (1, 2, 3)])
def test_any_two_shares_bring_every_key_back(node: Path, saved: Path, tmp_path: Path, numbers: tuple[int, ...]) -> None:
    told(node, "key", "restore", saved / "keys.backup", *shares(saved, *numbers), "-o", tmp_path / "back")
    before, after = tree(node), tree(tmp_path / "back")
    assert {name for name in before if name.startswith(("keys/", "certs/"))} - set(after) == {"keys/register.json"}
    assert all(before[name].strip() == data.strip() for name, data in after.items())
    assert all((tmp_path / "back" / name).stat().st_mode & 0o077 == 0 for name in after if name.startswith("keys/"))
    (tmp_path / "back" / "tongban.toml").write_bytes((node / "tongban.toml").read_bytes())
    assert ring(tmp_path / "back").signer("direct").key_id == ring(node).signer("direct").key_id


def test_a_drill_uses_every_key_and_writes_nothing_but_its_date(node: Path, saved: Path) -> None:
    before = tree(node)
    assert ring(node).register().drill_ms == 0 and ring(node).register().backup_ms > 0
    found = told(node, "key", "restore", saved / "keys.backup", *shares(saved, 1, 3), "--drill")
    assert (
        found["missing"] == []
        and found["keys"] == len([name for name in before if name.endswith(".pem") and name.startswith("keys/")]) + 1
    )
    assert ring(node).register().drill_ms > 0
    after = tree(node)
    assert {name for name in after if after[name] != before.get(name)} == {"keys/register.json"}
    text = run(node, "key", "restore", saved / "keys.backup", *shares(saved, 1, 3), "--drill").output
    assert "演练成功" in text and "direct.pem" in text


def test_keys_that_came_later_are_named(node: Path, saved: Path) -> None:
    told(node, "key", "gen", "checkpoint")
    (node / "keys" / "identity.pem").unlink()
    found = told(node, "key", "restore", saved / "keys.backup", *shares(saved, 1, 2), "--drill")
    assert found["missing"] == ["checkpoint"], "the identity key is in it, though it is no longer here"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda texts: texts[:1], "shares-few"),
        (lambda texts: [texts[0], texts[0]], "shares-mixed"),
        (lambda texts: [texts[0], texts[1].replace(texts[1].split()[-1], "A" * 44)], "share-check"),
        (lambda texts: [texts[0], "no share"], "share-form"),
        (lambda texts: [texts[0], split.write(split.Share(b"else", 2, 2, bytes(16)))], "shares-mixed"),
        (lambda texts: [texts[0], forged(texts[1])], "backup-closed"),
    ],
)
def test_wrong_shares_open_nothing(node: Path, saved: Path, tmp_path: Path, spoil: object, code: str) -> None:
    texts = [path.read_text("utf-8") for path in shares(saved, 1, 2)]
    files = []
    for number, text in enumerate(spoil(texts)):  # type: ignore[operator]
        files.append(tmp_path / f"s{number}")
        files[-1].write_text(text, "utf-8")
    before = tree(node)
    assert refusal(node, "key", "restore", saved / "keys.backup", *files, "--drill") == code
    assert refusal(node, "key", "restore", saved / "keys.backup", *files, "-o", tmp_path / "back") == code
    assert tree(node) == before and not (tmp_path / "back").exists()


def forged(text: str) -> str:
    """A share of this backup, well written, with another value."""
    share = next(split.read(line) for line in text.splitlines() if line.count("-") == 10)
    return split.write(split.Share(share.mark, share.threshold, share.index, bytes(16)))


def test_an_altered_backup_opens_nothing(node: Path, saved: Path) -> None:
    file = saved / "keys.backup"
    good = file.read_bytes()
    for at in (30, 45, len(good) // 2, len(good) - 1):
        file.write_bytes(good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :])
        assert refusal(node, "key", "restore", file, *shares(saved, 1, 2), "--drill") == "backup-closed"
    for data in (b"", good[:30], b"x" + good):
        file.write_bytes(data)
        assert run(node, "key", "restore", file, *shares(saved, 1, 2), "--drill").exit_code == 65


def content(saved: Path) -> keybackup.Content:
    held = [next(split.read(line) for line in path.read_text("utf-8").splitlines() if line.count("-") == 10)
            for path in shares(saved, 1, 2)]  # fmt: skip
    return keybackup.open_((saved / "keys.backup").read_bytes(), held, "keys.backup")


@pytest.mark.parametrize("name", ["keys/direct.pem", "keys/vault.key", "keys/tls.pem", "keys/register.json", "swapped"])
def test_a_backup_with_a_broken_key_fails_its_drill(node: Path, tmp_path: Path, name: str) -> None:
    told(node, "key", "gen", "direct")
    told(node, "key", "backup", "-o", tmp_path / "backup")
    found = content(tmp_path / "backup")
    assert keybackup.drill(found, PROVIDER)
    files = dict(found.files)
    if name == "swapped":
        files["keys/direct.pem"] = files["keys/checkpoint.pem"]
    else:
        files[name] = files[name][: len(files[name]) // 2]
    with pytest.raises(ConfigError):
        keybackup.drill(msgspec.structs.replace(found, files=files), PROVIDER)


def test_a_backup_of_another_node_is_not_ours(node: Path, saved: Path) -> None:
    file = node / "tongban.toml"
    file.write_text(file.read_text("utf-8").replace(PARTY, f"360113.{PARTY[7:]}"), "utf-8")
    assert refusal(node, "key", "restore", saved / "keys.backup", *shares(saved, 1, 2), "--drill") == "other-node"


def test_nothing_is_overwritten_and_shares_have_their_holders(node: Path, saved: Path, tmp_path: Path) -> None:
    assert refusal(node, "key", "backup", "-o", saved) == "exists"
    assert refusal(node, "key", "restore", saved / "keys.backup", *shares(saved, 1, 2), "-o", saved) == "exists"
    people = [word for name in ("王敏", "李强", "../赵") for word in ("--holder", name)]
    files = told(node, "key", "backup", *people, "--qr", "-o", tmp_path / "two")["shares"]
    assert [Path(file).name for file in files] == ["share-1-王敏.txt", "share-2-李强.txt", "share-3-赵.txt"]
    assert (tmp_path / "two" / "share-1-王敏.svg").read_bytes().startswith(b"<?xml")
    for path in (tmp_path / "two").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    for words in (("--threshold", 4), ("--holder", "一"), ("--shares", 1)):
        assert run(node, "key", "backup", *words, "-o", tmp_path / "three").exit_code == MISUSED
    for words in ((), ("--drill", "-o", tmp_path / "x")):
        assert run(node, "key", "restore", saved / "keys.backup", *shares(saved, 1, 2), *words).exit_code == MISUSED


def test_L10_neither_backup_nor_share_nor_output_shows_a_key(node: Path, saved: Path) -> None:
    words = canaries(ring(node))
    printed = run(node, "key", "restore", saved / "keys.backup", *shares(saved, 1, 2), "--drill").output
    held = content(saved)
    texts = [printed, repr(held), str(held), (saved / "keys.backup").read_bytes().decode("latin-1")]
    texts += [path.read_text("utf-8") for path in shares(saved, 1, 2, 3)]
    assert not [word for word in words if any(word in text for text in texts)]
    assert not any("AEB" in text for text in texts[:3]), "every share begins so"


def test_a_file_name_that_leads_elsewhere_is_no_backup() -> None:
    for name in ("keys/../../etc/passwd", "/etc/passwd", "certs/.hidden", "keys/a/b"):
        inner = {"node": "n", "made_ms": 0, "passphrase": b"", "files": {name: b""}}
        secret, mark = bytes(16), b"mark"
        body = keybackup.sm4.seal(secret, bytes(12), msgspec.json.encode(inner), keybackup.MAGIC + mark)
        made = split.split(secret, 2, 2, mark, bytes)
        with pytest.raises(Malformed, match="backup-closed"):
            keybackup.open_(keybackup.MAGIC + mark + bytes(12) + body, made, "b")


def test_the_register_in_a_backup_is_the_sealed_one(node: Path, tmp_path: Path) -> None:
    told(node, "key", "gen", "direct")
    told(node, "key", "backup", "-o", tmp_path / "backup")
    assert f"keys/{keyregister.FILE}" in content(tmp_path / "backup").files
    out = tmp_path / "back"
    told(node, "key", "restore", tmp_path / "backup" / "keys.backup", *shares(tmp_path / "backup", 2, 3), "-o", out)
    shutil.copy(node / "tongban.toml", out)
    assert [one.state for one in ring(out).entries("direct")] == [one.state for one in ring(node).entries("direct")]


# --- another passphrase -----------------------------------------------------------------------------------------------

LONGER = b"a passphrase of the custodians' own"


@pytest.mark.parametrize("registered", [False, True])
def test_rewrapping_changes_what_closes_the_keys_and_nothing_else(node: Path, tmp_path: Path, registered: bool) -> None:
    if registered:
        told(node, "key", "gen", "direct")
    file = node / "tongban.toml"
    file.write_text(file.read_text("utf-8").replace("[keys]\n", '[keys]\nkdf = "sm3"\n'), "utf-8")
    vault, lives = ring(node).vault_keys, [(entry.id, entry.use, entry.state) for entry in ring(node).entries()]
    (tmp_path / "new").write_bytes(LONGER + b"\nsecond line")
    before = Path(told(node, "key", "rewrap", "--new-passphrase-file", tmp_path / "new")["before"])
    new = ring(node)
    assert new.passphrase == LONGER and new.vault_keys == vault
    assert [(entry.id, entry.use, entry.state) for entry in new.entries()] == lives
    body = keys.from_pem((node / "keys" / "direct.pem").read_bytes(), "ENCRYPTED PRIVATE KEY")[1]
    assert "2a811ccf5501831102" in body.hex(), "HMAC-SM3"
    load_pem_private_key((node / "keys" / "tls.pem").read_bytes(), LONGER)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (node / "keys").iterdir())
    assert not (node / "keys.new").exists()
    again = run(node, "key", "rewrap")
    assert again.exit_code == 65 and "keys.before" in again.output, "the old folder has not been cleared away"
    shutil.rmtree(before)
    assert told(node, "key", "rewrap")["before"] == str(before), "the same passphrase, encrypted anew"
    assert ring(node).signer("direct").key_id == new.signer("direct").key_id


def test_a_short_new_passphrase_and_a_broken_key_change_nothing(node: Path, tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"short")
    assert refusal(node, "key", "rewrap", "--new-passphrase-file", tmp_path / "new") == "passphrase-short"
    (node / "keys" / "tls.pem").write_bytes((node / "keys" / "tls.pem").read_bytes()[:80])
    before = tree(node)
    assert run(node, "key", "rewrap").exit_code == 65
    assert tree(node) == before
